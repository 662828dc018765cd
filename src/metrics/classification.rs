//! The confusion matrix, and what follows from it for all classes together.

use serde::Serialize;

use super::{mean, weight_of};

/// Weights of the rows by true and predicted class, classes in the order of their indices.
///
/// Rows are true classes, columns predicted ones: `cells[true · classes + predicted]`. In JSON a list of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfusionMatrix {
    classes: usize,
    cells: Vec<f64>,
}

/// How much a confusion of classes `i` and `j` counts in Cohen's kappa.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disagreement {
    /// 1 for any two classes.
    Unweighted,
    /// `|i − j|`: the classes are steps of a scale.
    Linear,
    /// `(i − j)²`.
    Quadratic,
}

impl ConfusionMatrix {
    /// The matrix of no rows.
    pub fn new(classes: usize) -> Self {
        ConfusionMatrix { classes, cells: vec![0.0; classes * classes] }
    }

    /// The matrix of rows with the true classes `truth` and the predicted classes `predicted`.
    ///
    /// # Panics
    /// If the lengths disagree, or a class is not below `classes`.
    pub fn of_labels(classes: usize, truth: &[u32], predicted: &[u32], weights: Option<&[f64]>) -> Self {
        assert_eq!(truth.len(), predicted.len(), "as many true as predicted classes");
        let mut matrix = Self::new(classes);
        for (row, (&t, &p)) in truth.iter().zip(predicted).enumerate() {
            matrix.add(t as usize, p as usize, weight_of(weights, row));
        }
        matrix
    }

    /// Counts one row.
    ///
    /// # Panics
    /// If a class is not below the number of classes.
    pub fn add(&mut self, truth: usize, predicted: usize, weight: f64) {
        assert!(predicted < self.classes, "class {predicted} of {}", self.classes);
        self.cells[truth * self.classes + predicted] += weight;
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The cells as a list of rows, true classes down, predicted ones across.
    pub fn nested(&self) -> Vec<Vec<f64>> {
        self.cells().chunks(self.classes().max(1)).map(<[f64]>::to_vec).collect()
    }

    /// The matrix row by row.
    pub fn cells(&self) -> &[f64] {
        &self.cells
    }

    /// The weight of the rows of class `truth` that were said to be of class `predicted`.
    pub fn at(&self, truth: usize, predicted: usize) -> f64 {
        self.cells[truth * self.classes + predicted]
    }

    /// The weight of the rows that are of `class`.
    pub fn support(&self, class: usize) -> f64 {
        self.cells[class * self.classes..][..self.classes].iter().sum()
    }

    /// The weight of the rows that were said to be of `class`.
    pub fn predicted(&self, class: usize) -> f64 {
        (0..self.classes).map(|t| self.at(t, class)).sum()
    }

    /// The weight of all rows.
    pub fn total(&self) -> f64 {
        (0..self.classes).map(|t| self.support(t)).sum()
    }

    /// The weight of the rows whose class is right.
    pub fn correct(&self) -> f64 {
        (0..self.classes).map(|c| self.at(c, c)).sum()
    }

    /// The matrix without the classes that are neither true nor predicted anywhere.
    pub fn of_present_classes(&self) -> Self {
        let present: Vec<usize> = (0..self.classes).filter(|&c| self.support(c) + self.predicted(c) > 0.0).collect();
        let cells = present.iter().flat_map(|&t| present.iter().map(move |&p| self.at(t, p))).collect();
        ConfusionMatrix { classes: present.len(), cells }
    }

    /// Share of the rows whose class is right; NaN without rows.
    pub fn accuracy(&self) -> f64 {
        self.correct() / self.total()
    }

    /// Recalls of the classes that occur.
    fn recalls(&self) -> Vec<f64> {
        let occurring = (0..self.classes).filter(|&c| self.support(c) > 0.0);
        occurring.map(|c| self.at(c, c) / self.support(c)).collect()
    }

    /// Mean recall of the classes that occur; NaN without rows.
    pub fn balanced_accuracy(&self) -> f64 {
        mean(&self.recalls())
    }

    /// Balanced accuracy `b` rescaled so that chance is 0: `(b − 1/k) / (1 − 1/k)` for `k` classes that occur;
    /// NaN or infinite where only one occurs.
    pub fn balanced_accuracy_adjusted(&self) -> f64 {
        let recalls = self.recalls();
        let chance = 1.0 / recalls.len() as f64;
        (mean(&recalls) - chance) / (1.0 - chance)
    }

    /// Matthews correlation coefficient for any number of classes, Gorodkin 2004,
    /// <https://doi.org/10.1016/j.compbiolchem.2004.09.006>; with `n` rows, `c` of them right, `t` and `p` the true and
    /// predicted counts of the classes: `(c n − t·p) / √((n² − p·p)(n² − t·t))`; 0 where only one class is true, or predicted.
    pub fn mcc(&self) -> f64 {
        let n = self.total();
        let (mut tp, mut pp, mut tt) = (0.0, 0.0, 0.0);
        for class in 0..self.classes {
            let (t, p) = (self.support(class), self.predicted(class));
            tp += t * p;
            pp += p * p;
            tt += t * t;
        }
        let spread = (n * n - pp) * (n * n - tt);
        if spread > 0.0 { (self.correct() * n - tp) / spread.sqrt() } else { 0.0 }
    }

    /// Cohen's kappa, Cohen 1960, <https://doi.org/10.1177/001316446002000104>: 1 less the disagreement found over the
    /// disagreement `tᵢ pⱼ / n` of chance; NaN where that is 0.
    pub fn cohen_kappa(&self, disagreement: Disagreement) -> f64 {
        let n = self.total();
        let support: Vec<f64> = (0..self.classes).map(|c| self.support(c)).collect();
        let predicted: Vec<f64> = (0..self.classes).map(|c| self.predicted(c)).collect();
        let (mut found, mut chance) = (0.0, 0.0);
        for (t, true_weight) in support.iter().enumerate() {
            for (p, predicted_weight) in predicted.iter().enumerate() {
                let distance = t.abs_diff(p) as f64;
                let weight = match disagreement {
                    Disagreement::Unweighted => f64::from(t != p),
                    Disagreement::Linear => distance,
                    Disagreement::Quadratic => distance * distance,
                };
                found += weight * self.at(t, p);
                chance += weight * true_weight * predicted_weight / n;
            }
        }
        1.0 - found / chance
    }
}

impl Serialize for ConfusionMatrix {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.cells.chunks(self.classes.max(1)))
    }
}
