use proptest::prelude::*;

use super::super::ranking::ThresholdSweep;
use super::*;
use crate::nn::Link;
use MetricName::*;

/// Probabilities as a network without a link gives them.
fn given(outputs: &[f32]) -> Scores<'_> {
    Scores::new(outputs, Link::Identity)
}

fn confusion_matrix(predictions: &Predictions<'_>, weights: Option<&[f32]>) -> Option<ConfusionMatrix> {
    report(predictions, weights, None, Detail::Running).confusion
}

/// Rows of `classes` probabilities that add up to 1, true classes and weights.
fn rows(classes: usize) -> impl Strategy<Value = Vec<(Vec<f32>, u32, f32)>> {
    let p = prop::collection::vec(0.01f32..1.0, classes).prop_map(|p| {
        let sum: f32 = p.iter().sum();
        p.into_iter().map(|p| p / sum).collect()
    });
    prop::collection::vec((p, 0..classes as u32, 0.25f32..4.0), 2..40)
}

fn evaluate_rows(classes: usize, rows: &[(Vec<f32>, u32, f32)]) -> MetricSet {
    let probabilities: Vec<f32> = rows.iter().flat_map(|r| r.0.clone()).collect();
    let truth: Vec<u32> = rows.iter().map(|r| r.1).collect();
    let weights: Vec<f32> = rows.iter().map(|r| r.2).collect();
    let predictions = Predictions::Multiclass { classes, scores: given(&probabilities), truth: &truth };
    evaluate(&predictions, Some(&weights), Detail::Full)
}

fn assert_alike(a: &MetricSet, b: &MetricSet) {
    assert_eq!(a.iter().map(|f| f.0).collect::<Vec<_>>(), b.iter().map(|f| f.0).collect::<Vec<_>>());
    for ((name, a), (_, b)) in a.iter().zip(b.iter()) {
        assert_eq!(a.is_some(), b.is_some(), "{name}");
        let (a, b) = (a.unwrap_or(0.0), b.unwrap_or(0.0));
        // Sums in another order differ by rounding; MCC takes the difference of squares.
        assert!((a - b).abs() <= 1e-9 * (1.0 + a.abs()), "{name}: {a} and {b}");
    }
}

proptest! {
    #[test]
    fn the_order_of_the_rows_does_not_matter(rows in rows(3).prop_flat_map(|r| (Just(r.clone()), Just(r).prop_shuffle()))) {
        assert_alike(&evaluate_rows(3, &rows.0), &evaluate_rows(3, &rows.1));
    }

    #[test]
    fn a_row_of_weight_two_counts_as_two_rows(mut rows in rows(3)) {
        rows.iter_mut().for_each(|r| r.2 = 1.0);
        let doubled: Vec<_> = rows.iter().chain(&rows[..1]).cloned().collect();
        rows[0].2 = 2.0;
        assert_alike(&evaluate_rows(3, &rows), &evaluate_rows(3, &doubled));
    }

    #[test]
    fn areas_do_not_change_under_increasing_functions(scores in prop::collection::vec((-20i32..20, any::<bool>(), 0.25f64..4.0), 2..60)) {
        let sweep = |f: fn(f64) -> f64| ThresholdSweep::new(scores.iter().map(|&(s, t, w)| (f(f64::from(s)), t, w)));
        let (plain, bent) = (sweep(|s| s), sweep(|s| 3.0 * s * s * s - 7.0));
        let close = |a: f64, b: f64| (a.is_nan() && b.is_nan()) || (a - b).abs() < 1e-12;
        prop_assert!(close(plain.roc_auc(), bent.roc_auc()));
        prop_assert!(close(plain.average_precision(), bent.average_precision()));
        let mirrored = sweep(|s| -s);
        prop_assert!(close(plain.roc_auc(), 1.0 - mirrored.roc_auc()));
    }
}

#[test]
fn every_metric_of_a_task_is_there_and_no_other() {
    let (p, t, there) = ([0.2, 0.7, 0.6, 0.4], [0, 1, 0, 1], [0.0, 1.0, 0.0, 1.0]);
    let (values, numbers) = ([0.2, 0.7, 0.6, 0.4], [0.5, 1.0, 0.5, 1.0]);
    let all = [
        Predictions::Binary { scores: given(&p), truth: &t },
        Predictions::Multiclass { classes: 2, scores: given(&p), truth: &t[..2] },
        Predictions::Multilabel { labels: 2, scores: given(&p), truth: &there },
        Predictions::Regression { outputs: 2, values: &values, truth: &numbers },
    ];
    for predictions in all {
        let full = evaluate(&predictions, None, Detail::Full);
        let running = evaluate(&predictions, None, Detail::Running);
        for name in MetricName::ALL.into_iter().filter(|n| *n != Loss) {
            let applies = name.applies_to(predictions.task());
            assert_eq!(full.contains(name), applies, "{name} of {}", predictions.task());
            assert_eq!(running.contains(name), applies && name != Auroc && name != Auprc, "{name}");
        }
    }
}

#[test]
fn ties_go_to_the_first_class() {
    let predictions = Predictions::Binary { scores: given(&[0.5, 0.6]), truth: &[0, 1] };
    assert_eq!(confusion_matrix(&predictions, None).unwrap().nested(), [[1.0, 0.0], [0.0, 1.0]]);
    let predictions = Predictions::Multiclass { classes: 3, scores: given(&[0.2, 0.4, 0.4]), truth: &[1] };
    assert_eq!(confusion_matrix(&predictions, Some(&[2.5])).unwrap().at(1, 1), 2.5);
}

#[test]
fn what_has_no_value_is_undefined() {
    let one_kind = evaluate(&Predictions::Binary { scores: given(&[0.1, 0.2]), truth: &[0, 0] }, None, Detail::Full);
    assert_eq!((one_kind.get(Auroc), one_kind.get(Auprc)), (None, None));
    assert_eq!((one_kind.get(F1), one_kind.get(F1Macro), one_kind.get(Mcc)), (None, Some(1.0), Some(0.0)));
    let predicted = evaluate(&Predictions::Binary { scores: given(&[0.1, 0.8]), truth: &[0, 0] }, None, Detail::Full);
    assert_eq!((predicted.get(F1), predicted.get(Recall)), (Some(0.0), Some(0.0)), "predicted, though never true");
    let diverged =
        evaluate(&Predictions::Binary { scores: given(&[f32::NAN, 0.2]), truth: &[1, 0] }, None, Detail::Full);
    assert_eq!((diverged.get(LogLoss), diverged.get(Brier), diverged.get(Auroc)), (None, None, None));
    let empty = [
        Predictions::Binary { scores: given(&[]), truth: &[] },
        Predictions::Multiclass { classes: 3, scores: given(&[]), truth: &[] },
        Predictions::Multilabel { labels: 2, scores: given(&[]), truth: &[] },
        Predictions::Regression { outputs: 1, values: &[], truth: &[] },
    ];
    for predictions in empty {
        assert!(evaluate(&predictions, None, Detail::Full).iter().all(|(_, value)| value.is_none()), "{predictions:?}");
    }
}

/// Two labels: the first always right, the second never predicted.
#[test]
fn labels_are_averaged() {
    let probabilities = [0.9, 0.1, 0.2, 0.1, 0.8, 0.1, 0.3, 0.2];
    let truth = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0];
    let predictions = Predictions::Multilabel { labels: 2, scores: given(&probabilities), truth: &truth };
    let set = evaluate(&predictions, None, Detail::Full);
    assert_eq!(set.get(Accuracy), Some(0.875));
    assert_eq!((set.get(F1), set.get(F1Macro), set.get(F1Weighted)), (Some(0.5), Some(0.5), Some(2.0 / 3.0)));
    assert_eq!((set.get(Auroc), set.get(Auprc)), (Some(1.0), Some(1.0)));
}

#[test]
fn a_label_that_is_neither_true_nor_predicted_is_not_averaged() {
    let probabilities = [0.9, 0.1, 0.2, 0.1, 0.8, 0.1];
    let truth = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
    let predictions = Predictions::Multilabel { labels: 2, scores: given(&probabilities), truth: &truth };
    let report = report(&predictions, None, None, Detail::Full);
    let figures = [F1, F1Macro, PrecisionMacro, RecallMacro, F1Weighted].map(|name| report.figures.get(name));
    assert_eq!(figures, [Some(1.0); 5]);
    assert_eq!(report.each[1].figures.get(F1), None);
}

/// Of several outputs the mean over the outputs, whatever their scale.
#[test]
fn outputs_are_averaged() {
    let predictions =
        Predictions::Regression { outputs: 2, values: &[1.0, 10.0, 3.0, 30.0], truth: &[2.0, 10.0, 2.0, 20.0] };
    let set = evaluate(&predictions, None, Detail::Running);
    assert_eq!(set.get(Rmse), Some((1.0 + 50f64.sqrt()) / 2.0));
    assert_eq!((set.get(Mae), set.get(Mape)), (Some(3.0), Some(0.375)));
}

#[test]
fn a_wrong_row_costs_what_its_logit_says() {
    let scores = Scores::new(&[25.0, 25.0], Link::Sigmoid);
    let set = evaluate(&Predictions::Binary { scores, truth: &[0, 1] }, None, Detail::Full);
    assert_eq!(set.get(LogLoss), Some((25.000_000_000_013_888 + 1.388_794_386_486_758_3e-11) / 2.0));
    let scores = Scores::new(&[0.0, 60.0, 0.0], Link::Softmax);
    let set = evaluate(&Predictions::Multiclass { classes: 3, scores, truth: &[2] }, None, Detail::Running);
    assert_eq!(set.get(LogLoss), Some(60.0));
    let scores = Scores::new(&[-90.0], Link::Sigmoid);
    let set = evaluate(&Predictions::Multilabel { labels: 1, scores, truth: &[1.0] }, None, Detail::Running);
    assert_eq!(set.get(LogLoss), Some(90.0));
}

/// In `f32`, and in `f64` too, these probabilities are all 1; their logits still have an order.
#[test]
fn certain_rows_are_ranked_by_their_logits() {
    let scores = Scores::new(&[60.0, 70.0, 80.0], Link::Sigmoid);
    let set = evaluate(&Predictions::Binary { scores, truth: &[0, 1, 1] }, None, Detail::Full);
    assert_eq!((set.get(Auroc), set.get(Auprc)), (Some(1.0), Some(1.0)));
}

#[test]
fn a_relative_error_has_no_meaning_beside_a_target_of_0() {
    let predictions =
        Predictions::Regression { outputs: 2, values: &[1.0, 1.0, 1.0, 1.0], truth: &[2.0, 0.0, 4.0, 1.0] };
    let report = report(&predictions, None, None, Detail::Running);
    assert_eq!((report.figures.get(Mape), report.figures.get(Rmse).is_some()), (None, true));
    let each: Vec<_> = report.each.iter().map(|each| each.figures.get(Mape)).collect();
    assert_eq!(each, [Some(0.625), None]);
    let masked = evaluate(&predictions, Some(&[0.0, 1.0]), Detail::Running);
    assert_eq!(masked.get(Mape), Some(0.375), "a row of weight 0 is as good as absent");
}

/// Classes a, b, a, c and d, of which c and d are unknown; a, b, a, b and b are said. Figures of scikit-learn 1.9.1,
/// with y_true = [a, b, a, c, d].
#[test]
fn rows_of_unknown_classes_are_wrong() {
    let predictions = Predictions::Binary { scores: given(&[0.1, 0.9, 0.2]), truth: &[0, 1, 0] };
    let strangers = UnknownRows { outputs: &[0.8, 0.7], truth: &[0, 1], classes: 2, weights: None };
    let all = report(&predictions, None, Some(&strangers), Detail::Full);
    let figures =
        [Accuracy, BalancedAccuracy, F1, F1Macro, Precision, Recall].map(|name| all.figures.get(name).unwrap());
    assert_eq!(figures, [0.6, 0.5, 0.5, 0.375, 1.0 / 3.0, 1.0]);
    assert_eq!(all.figures.get(Auroc), Some(1.0), "areas are over the rows of known classes");
    let matrix = all.confusion.unwrap().nested();
    assert_eq!(matrix, [[2.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]]);
    assert_eq!(all.each.iter().map(|each| each.support.unwrap()).collect::<Vec<_>>(), [2.0, 1.0, 1.0, 1.0]);
}
