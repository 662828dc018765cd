//! Every metric in `metrics.json`, computed by scikit-learn.

mod support;

use gradlane::metrics::areas::Areas;
use gradlane::metrics::classification::{ConfusionMatrix, Disagreement};
use gradlane::metrics::fscore::{Average, Score, ZeroDivision};
use gradlane::metrics::ranking::{ClassScores, RankingCurve, ThresholdSweep, weighted_by_positives};
use gradlane::metrics::regression::Outputs;
use gradlane::metrics::{mean, probabilistic};
use serde_json::{Map, Value};
use support::*;

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap_or_else(|| panic!("expected an object, found {value}"))
}

/// Fails unless `got` equals `want` to `1e-12`, relative or absolute. Sums may be in another order.
fn assert_figure(got: f64, want: &Value, what: &str) {
    let want = number(want);
    assert!(close(got, want, 1e-12, 1e-12), "{what}: got {got:e}, expected {want:e}");
}

fn assert_figures(got: &[f64], want: &Value, what: &str) {
    let want = want.as_array().unwrap_or_else(|| panic!("{what}: no list"));
    assert_eq!(got.len(), want.len(), "{what}: lengths");
    got.iter().zip(want).enumerate().for_each(|(i, (got, want))| assert_figure(*got, want, &format!("{what}[{i}]")));
}

fn labels(value: &Value) -> Vec<u32> {
    indices(value).into_iter().map(|label| label as u32).collect()
}

/// Checks the metrics with one convention for 0/0.
fn check_zero_division(matrix: &ConfusionMatrix, zero: ZeroDivision, block: &Value, what: &str) {
    let score = |name: &str| match name {
        "precision" => Score::Precision,
        "recall" => Score::Recall,
        "f1" => Score::F(1.0),
        "f2" => Score::F(2.0),
        other => panic!("{what}: unknown score {other}"),
    };
    for (key, scores) in object(block) {
        let average = match &key[..] {
            "per_class" => None,
            "binary" => Some(Average::Class(1)),
            "macro" => Some(Average::Macro),
            "micro" => Some(Average::Micro),
            "weighted" => Some(Average::Weighted),
            other => panic!("{what}: unknown average {other}"),
        };
        for (name, want) in object(scores) {
            let what = format!("{what} {key} {name}");
            match average {
                None if name == "support" => {
                    let support: Vec<f64> = (0..matrix.classes()).map(|c| matrix.support(c)).collect();
                    assert_figures(&support, want, &what);
                }
                None => assert_figures(&matrix.per_class(score(name), zero), want, &what),
                Some(average) => assert_figure(matrix.score(score(name), average, zero), want, &what),
            }
        }
    }
}

#[test]
fn fixture_classification() {
    for case in list(&fixture("metrics.json"), "classification") {
        let classes = list(case, "labels").len();
        assert_eq!(indices(&case["labels"]), (0..classes).collect::<Vec<_>>(), "labels are class indices");
        let weights = optional_numbers(&case["sample_weight"]);
        let (truth, predicted) = (labels(&case["y_true"]), labels(&case["y_pred"]));
        let matrix = ConfusionMatrix::of_labels(classes, &truth, &predicted, weights.as_deref());
        for (key, want) in object(&case["expected"]) {
            let what = format!("{} {key}", case["name"]);
            let figure = match &key[..] {
                "accuracy" => matrix.accuracy(),
                "balanced_accuracy" => matrix.balanced_accuracy(),
                "balanced_accuracy_adjusted" => matrix.balanced_accuracy_adjusted(),
                "mcc" => matrix.mcc(),
                "cohen_kappa" => matrix.cohen_kappa(Disagreement::Unweighted),
                "cohen_kappa_linear" => matrix.cohen_kappa(Disagreement::Linear),
                "cohen_kappa_quadratic" => matrix.cohen_kappa(Disagreement::Quadratic),
                "confusion_matrix" => {
                    assert_figures(&matrix.nested().concat(), want, &what);
                    continue;
                }
                blocks => {
                    let zero = match blocks {
                        "zero_division_0" => ZeroDivision::Zero,
                        "zero_division_1" => ZeroDivision::One,
                        "zero_division_nan" => ZeroDivision::Undefined,
                        other => panic!("unknown figure {other}"),
                    };
                    check_zero_division(&matrix, zero, want, &what);
                    continue;
                }
            };
            assert_figure(figure, want, &what);
        }
    }
}

fn check_curve(curve: &RankingCurve, x: &str, y: &str, want: &Value, what: &str) {
    assert_eq!(object(want).len(), 3, "{what}");
    assert_figures(&curve.x, &want[x], &format!("{what} {x}"));
    assert_figures(&curve.y, &want[y], &format!("{what} {y}"));
    assert_figures(&curve.thresholds, &want["thresholds"], &format!("{what} thresholds"));
}

#[test]
fn fixture_binary_scores() {
    for case in list(&fixture("metrics.json"), "binary_scores") {
        let truth: Vec<bool> = indices(&case["y_true"]).into_iter().map(|label| label == 1).collect();
        let (scores, weights) = (numbers(&case["score"]), optional_numbers(&case["sample_weight"]));
        let weights = weights.as_deref();
        let sweep = ThresholdSweep::of_scores(&truth, &scores, weights);
        let weight = |row: usize| weights.map_or(1.0, |w| w[row]);
        let counted = Areas::default().of((0..truth.len()).map(|row| (scores[row], truth[row], weight(row))));
        for (key, want) in object(&case["expected"]) {
            let what = format!("{} {key}", case["name"]);
            match &key[..] {
                "log_loss" => assert_figure(probabilistic::binary_log_loss(&truth, &scores, weights), want, &what),
                "brier" => assert_figure(probabilistic::binary_brier(&truth, &scores, weights), want, &what),
                "roc_auc" => {
                    assert_figure(sweep.roc_auc(), want, &what);
                    assert_figure(counted[0], want, &what);
                }
                "average_precision" => {
                    assert_figure(sweep.average_precision(), want, &what);
                    if sweep.positives() > 0.0 {
                        assert_figure(counted[1], want, &what);
                    }
                }
                "roc_curve" => check_curve(&sweep.roc_curve(), "fpr", "tpr", want, &what),
                "precision_recall_curve" => {
                    check_curve(&sweep.precision_recall_curve(), "recall", "precision", want, &what);
                }
                other => panic!("unknown figure {other}"),
            }
        }
    }
}

#[test]
fn fixture_multiclass_scores() {
    for case in list(&fixture("metrics.json"), "multiclass_scores") {
        let (classes, truth) = (count(&case["classes"]), labels(&case["y_true"]));
        let (proba, weights) = (numbers(&case["proba"]), optional_numbers(&case["sample_weight"]));
        let weights = weights.as_deref();
        let scores = ClassScores { classes, truth: &truth, scores: &proba, weights };
        let sweeps = scores.one_vs_rest();
        let auc: Vec<f64> = sweeps.iter().map(ThresholdSweep::roc_auc).collect();
        let precision: Vec<f64> = sweeps.iter().map(ThresholdSweep::average_precision).collect();
        for (key, want) in object(&case["expected"]) {
            let what = format!("{} {key}", case["name"]);
            let figure = match &key[..] {
                "log_loss" => probabilistic::log_loss(classes, &truth, &proba, weights),
                "brier" => probabilistic::brier(classes, &truth, &proba, weights),
                "brier_halved" => probabilistic::brier(classes, &truth, &proba, weights) / 2.0,
                "roc_auc_ovr_macro" => mean(&auc),
                "roc_auc_ovr_weighted" => weighted_by_positives(&sweeps, ThresholdSweep::roc_auc),
                "roc_auc_ovo_macro" => scores.roc_auc_one_vs_one(false),
                "roc_auc_ovo_weighted" => scores.roc_auc_one_vs_one(true),
                "average_precision_macro" => mean(&precision),
                "average_precision_weighted" => weighted_by_positives(&sweeps, ThresholdSweep::average_precision),
                "average_precision_micro" => scores.pooled().average_precision(),
                "roc_auc_ovr_per_class" => {
                    assert_figures(&auc, want, &what);
                    continue;
                }
                "top_k_accuracy" => {
                    for (k, want) in object(want) {
                        assert_figure(scores.top_k_accuracy(k.parse().unwrap()), want, &format!("{what} {k}"));
                    }
                    continue;
                }
                other => panic!("unknown figure {other}"),
            };
            assert_figure(figure, want, &what);
        }
    }
}

#[test]
fn fixture_regression() {
    for case in list(&fixture("metrics.json"), "regression") {
        let (truth, predicted) = (numbers(&case["y_true"]), numbers(&case["y_pred"]));
        let weights = optional_numbers(&case["sample_weight"]);
        let outputs = Outputs {
            outputs: count(&case["cols"]),
            truth: &truth,
            predicted: &predicted,
            weights: weights.as_deref(),
        };
        for (key, want) in object(&case["expected"]) {
            let what = format!("{} {key}", case["name"]);
            let (name, per_output) = key.strip_suffix("_per_output").map_or((&key[..], false), |name| (name, true));
            let figures = match name {
                "r2" => outputs.r2(),
                "r2_variance_weighted" => vec![outputs.r2_variance_weighted()],
                "mse" => outputs.mse(),
                "rmse" => outputs.rmse(),
                "mae" => outputs.mae(),
                "mape" => outputs.mape(),
                "median_absolute_error" => outputs.median_absolute_error(),
                "explained_variance" => outputs.explained_variance(),
                "max_error" => outputs.max_error(),
                other => panic!("unknown figure {other}"),
            };
            if per_output {
                assert_figures(&figures, want, &what);
            } else {
                assert_figure(mean(&figures), want, &what);
            }
        }
    }
}
