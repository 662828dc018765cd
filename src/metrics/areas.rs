//! Areas under the ROC and precision-recall curves of one class against the rest, in memory proportional to the class's rows.

/// Computes areas for one class after another, reusing its memory.
#[derive(Debug, Default)]
pub struct Areas {
    /// Score and weight of the positive rows, from the highest score down; later of the distinct scores.
    positives: Vec<(f64, f64)>,
    /// Weight of the negative rows just above each distinct score, and below the last.
    between: Vec<f64>,
    /// Weight of the negative rows at each distinct score.
    tied: Vec<f64>,
}

impl Areas {
    /// Area under the ROC curve and average precision, as defined at [`super::ranking::ThresholdSweep`], for rows `(score,
    /// whether it is positive, weight)`. The first is NaN if either kind of row is missing, the second if there is no positive
    /// row, both if a score is NaN. Rows of weight 0 are left out.
    ///
    /// Negative rows are not sorted but counted between the scores of the positive ones: `O(n log p)` time and memory for `p`
    /// rows.
    pub fn of(&mut self, rows: impl Iterator<Item = (f64, bool, f64)> + Clone) -> [f64; 2] {
        if !self.sort_positives(rows.clone()) {
            return [f64::NAN; 2];
        }
        let scores = self.positives.len();
        self.between.clear();
        self.between.resize(scores + 1, 0.0);
        self.tied.clear();
        self.tied.resize(scores, 0.0);
        for (score, _, weight) in rows.filter(|(_, positive, weight)| !positive && *weight != 0.0) {
            let above = self.positives.partition_point(|(other, _)| *other > score);
            match self.positives.get(above) {
                Some((other, _)) if *other == score => self.tied[above] += weight,
                _ => self.between[above] += weight,
            }
        }
        self.areas()
    }

    /// Collects the positive rows and adds up those with equal scores; false if a score is NaN.
    fn sort_positives(&mut self, rows: impl Iterator<Item = (f64, bool, f64)>) -> bool {
        self.positives.clear();
        for (score, positive, weight) in rows.filter(|(_, _, weight)| *weight != 0.0) {
            if score.is_nan() {
                return false;
            }
            if positive {
                self.positives.push((score, weight));
            }
        }
        self.positives.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        self.positives.dedup_by(|next, first| {
            let same = next.0 == first.0;
            if same {
                first.1 += next.1;
            }
            same
        });
        true
    }

    fn areas(&self) -> [f64; 2] {
        let positives: f64 = self.positives.iter().map(|(_, weight)| weight).sum();
        let negatives = self.between.iter().sum::<f64>() + self.tied.iter().sum::<f64>();
        let (mut tp, mut fp, mut roc, mut precision) = (0.0, 0.0, 0.0, 0.0);
        for ((&(_, weight), above), tied) in self.positives.iter().zip(&self.between).zip(&self.tied) {
            fp += above;
            roc += weight * (negatives - fp - tied / 2.0);
            fp += tied;
            tp += weight;
            precision += weight * (tp / (tp + fp));
        }
        [roc / (positives * negatives), precision / positives]
    }
}

#[cfg(test)]
mod tests {
    use super::super::ranking::ThresholdSweep;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn counting_gives_what_sorting_gives(rows in prop::collection::vec((-9i32..9, any::<bool>(), 0u8..4), 0..80)) {
            let rows = || rows.iter().map(|&(s, t, w)| (f64::from(s), t, f64::from(w)));
            let sweep = ThresholdSweep::new(rows());
            let [roc, precision] = Areas::default().of(rows());
            let close = |a: f64, b: f64| (a.is_nan() && b.is_nan()) || (a - b).abs() < 1e-12;
            prop_assert!(close(roc, sweep.roc_auc()), "{roc} and {}", sweep.roc_auc());
            if sweep.positives() > 0.0 {
                prop_assert!(close(precision, sweep.average_precision()));
            } else {
                prop_assert!(precision.is_nan());
            }
        }
    }

    #[test]
    fn memory_is_used_again_and_nan_spreads() {
        let mut areas = Areas::default();
        assert_eq!(areas.of([(2.0, true, 1.0), (1.0, false, 1.0)].into_iter()), [1.0, 1.0]);
        assert!(areas.of([(f64::NAN, false, 1.0), (1.0, true, 1.0)].into_iter()).iter().all(|a| a.is_nan()));
        assert_eq!(areas.of([(1.0, true, 1.0), (1.0, false, 1.0)].into_iter()), [0.5, 0.5]);
    }
}
