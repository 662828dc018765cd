//! The best epoch so far, and how many epochs have passed without a better one.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::goal::{DataPart, Watched};
use crate::data::{Dataset, Targets};
use crate::metrics::{MetricName, MetricSet};

/// Validation rows that the smallest class needs for accuracy to distinguish epochs. With fewer, one row that is right or wrong
/// by chance would choose the weights.
const FEWEST_OF_A_CLASS: usize = 50;

/// The figure to watch if the user names none: accuracy of the validation part if rows have one of several classes, each with
/// at least 50 rows there; otherwise its loss; without a validation part the training loss.
pub fn default_monitor(validation: Option<&Dataset>) -> Watched {
    let fewest = validation.and_then(rows_of_smallest_class);
    let metric =
        if fewest.is_some_and(|rows| rows >= FEWEST_OF_A_CLASS) { MetricName::Accuracy } else { MetricName::Loss };
    Watched { part: if validation.is_some() { DataPart::Val } else { DataPart::Train }, metric }
}

/// The number of rows of the smallest class; `None` if there are no classes. Rows of weight 0 do not count.
fn rows_of_smallest_class(data: &Dataset) -> Option<usize> {
    let Targets::Classes { labels, classes } = &data.targets else { return None };
    let mut counts = vec![0; *classes];
    let counted = labels.iter().enumerate().filter(|(row, _)| data.weight(*row as u32) > 0.0);
    counted.for_each(|(_, label)| counts[*label as usize] += 1);
    counts.into_iter().min()
}

/// The best epoch so far by one metric.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BestEpoch {
    standing: Option<Standing>,
    /// The value that an epoch must exceed by `min_delta` to reset `waited`.
    reference: Option<f64>,
    /// The best epoch, from 1.
    pub epoch: usize,
    /// Whether the metric was defined in any epoch.
    pub defined: bool,
    /// Epochs since the reference was last exceeded; epochs without a defined metric do not count.
    pub waited: usize,
}

/// The figures of the best epoch, which the next one is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Standing {
    /// Whether the loss is defined.
    has_loss: bool,
    /// The metric, with the sign that makes higher better; the lowest number if it is undefined.
    score: f64,
    /// The loss; the largest number if it is undefined.
    loss: f64,
}

impl BestEpoch {
    /// Takes in the figures of an epoch and returns whether it is the best so far.
    ///
    /// - Equal values are decided by the lower loss; of equal epochs the later one wins.
    /// - An undefined value is never better than a defined one.
    /// - An epoch with an undefined loss is never better than one with a defined loss, whatever its value.
    /// - Epochs with an undefined value do not add to `waited`, and a gain of at most `min_delta` does not reset it.
    pub fn observe(&mut self, (watched, min_delta): (Watched, f64), epoch: usize, figures: &MetricSet) -> bool {
        let value = figures.get(watched.metric);
        let has_loss = figures.get(MetricName::Loss).is_some();
        let loss = figures.get(MetricName::Loss).unwrap_or(f64::MAX);
        let sign = if watched.metric.higher_is_better() { 1.0 } else { -1.0 };
        let score = value.map_or(f64::MIN, |v| sign * v);
        if value.is_some() {
            self.defined = true;
            if self.reference.is_none_or(|r| score > r + min_delta) {
                self.reference = Some(score);
                self.waited = 0;
            } else {
                self.waited += 1;
            }
        }
        let better = self.standing.is_none_or(|old| match has_loss.cmp(&old.has_loss) {
            Ordering::Equal => score > old.score || (score == old.score && loss <= old.loss),
            order => order.is_gt(),
        });
        if better {
            self.standing = Some(Standing { has_loss, score, loss });
            self.epoch = epoch;
        }
        better
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Features;

    fn figures(accuracy: f64, loss: f64) -> MetricSet {
        [(MetricName::Accuracy, accuracy), (MetricName::Loss, loss)].into_iter().collect()
    }

    #[test]
    fn ties_go_to_the_lower_loss_and_then_to_the_later_epoch() {
        let (mut best, terms) = (BestEpoch::default(), ("val_accuracy".parse().unwrap(), 0.0));
        let rows = [(0.9, 0.3), (0.9, 0.2), (0.9, 0.2), (0.9, 0.4), (0.8, 0.1)];
        let kept: Vec<bool> =
            rows.iter().enumerate().map(|(i, (a, l))| best.observe(terms, i + 1, &figures(*a, *l))).collect();
        assert_eq!(kept, [true, true, true, false, false]);
        assert_eq!((best.epoch, best.waited), (3, 4));
    }

    #[test]
    fn accuracy_decides_only_where_every_class_has_rows_enough() {
        let data = |of_second: usize| Dataset {
            features: Features::F32 { values: vec![0.0; 60 + of_second], cols: 1 },
            targets: Targets::Classes { labels: [vec![0; 60], vec![1; of_second]].concat(), classes: 2 },
            weights: None,
        };
        let monitor = |data: Option<&Dataset>| default_monitor(data).to_string();
        assert_eq!(monitor(Some(&data(50))), "val_accuracy");
        assert_eq!(monitor(Some(&data(49))), "val_loss");
        let spared = Dataset { weights: Some([vec![1.0; 109], vec![0.0]].concat()), ..data(50) };
        assert_eq!(monitor(Some(&spared)), "val_loss");
        assert_eq!(monitor(None), "train_loss");
    }

    #[test]
    fn patience_does_not_wait_for_undefined_figures() {
        let (mut best, terms) = (BestEpoch::default(), ("val_auroc".parse().unwrap(), 0.0));
        for epoch in 1..=9 {
            best.observe(terms, epoch, &figures(0.5, 1.0));
        }
        assert_eq!((best.waited, best.defined), (0, false));
        let defined = |auroc: f64| [(MetricName::Auroc, auroc), (MetricName::Loss, 1.0)].into_iter().collect();
        assert!(best.observe(terms, 10, &defined(0.5)));
        best.observe(terms, 11, &defined(0.4));
        best.observe(terms, 12, &figures(0.5, 1.0));
        assert_eq!((best.waited, best.defined), (1, true));
    }

    #[test]
    fn an_undefined_loss_never_beats_a_defined_one() {
        let (mut best, terms) = (BestEpoch::default(), ("val_accuracy".parse().unwrap(), 0.0));
        assert!(best.observe(terms, 1, &figures(0.5, f64::NAN)));
        assert!(best.observe(terms, 2, &figures(0.4, 0.9)));
        assert!(!best.observe(terms, 3, &figures(0.9, f64::NAN)));
        assert_eq!(best.epoch, 2);
    }

    #[test]
    fn a_gain_below_min_delta_is_kept_but_does_not_reset_patience() {
        let (mut best, terms) = (BestEpoch::default(), ("val_loss".parse().unwrap(), 0.1));
        assert!(best.observe(terms, 1, &figures(0.0, 1.0)));
        assert!(best.observe(terms, 2, &figures(0.0, 0.95)));
        assert_eq!((best.epoch, best.waited), (2, 1));
        assert!(best.observe(terms, 3, &figures(0.0, 0.85)));
        assert_eq!(best.waited, 0);
        assert!(!best.observe(terms, 4, &figures(0.0, f64::NAN)));
    }
}
