//! The confusion matrix, and figures of all classes together that follow from it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{mean, weight_of};

/// Weights of the rows by true and predicted class, classes in the order of their indices.
///
/// Rows are true classes, columns predicted ones. Up to 1,024 classes the matrix has a cell for each pair. For more classes it
/// stores only the pairs that occur, so that 20,000 classes do not take 3 GB.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfusionMatrix {
    cells: MatrixCells,
    /// Weight of the rows of each true class.
    support: Vec<f64>,
    /// Weight of the rows of each predicted class.
    predicted: Vec<f64>,
}

/// The most classes with a cell for each pair.
const MOST_DENSE: usize = 1024;

#[derive(Debug, Clone, PartialEq)]
enum MatrixCells {
    /// `[true · classes + predicted]`.
    Dense(Vec<f64>),
    /// By true and predicted class.
    Sparse(BTreeMap<(u32, u32), f64>),
}

/// The weight of a confusion of classes `i` and `j` in Cohen's kappa.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disagreement {
    /// 1 for any two classes.
    Unweighted,
    /// `|i − j|`: the classes are levels of a scale.
    Linear,
    /// `(i − j)²`.
    Quadratic,
}

impl ConfusionMatrix {
    /// The matrix of no rows.
    pub fn new(classes: usize) -> Self {
        let dense = || MatrixCells::Dense(vec![0.0; classes * classes]);
        let cells = if classes <= MOST_DENSE { dense() } else { MatrixCells::Sparse(BTreeMap::new()) };
        ConfusionMatrix { cells, support: vec![0.0; classes], predicted: vec![0.0; classes] }
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
        let classes = self.classes();
        assert!(predicted < classes, "class {predicted} of {classes}");
        match &mut self.cells {
            MatrixCells::Dense(cells) => cells[truth * classes + predicted] += weight,
            MatrixCells::Sparse(cells) => *cells.entry((truth as u32, predicted as u32)).or_default() += weight,
        }
        self.support[truth] += weight;
        self.predicted[predicted] += weight;
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.support.len()
    }

    /// The cells as a list of rows, one for each true class, with a column for each predicted one; needs much memory for many
    /// classes.
    pub fn nested(&self) -> Vec<Vec<f64>> {
        let classes = self.classes();
        (0..classes).map(|t| (0..classes).map(|p| self.at(t, p)).collect()).collect()
    }

    /// Pairs that occur: true class, predicted class, weight; ordered by true class, then by predicted class.
    pub fn pairs(&self) -> Vec<(usize, usize, f64)> {
        let classes = self.classes();
        match &self.cells {
            MatrixCells::Dense(cells) => {
                let cells = cells.iter().enumerate().filter(|(_, weight)| **weight != 0.0);
                cells.map(|(at, weight)| (at / classes, at % classes, *weight)).collect()
            }
            MatrixCells::Sparse(cells) => cells.iter().map(|(&(t, p), w)| (t as usize, p as usize, *w)).collect(),
        }
    }

    /// Whether there is a cell for each pair of classes.
    pub fn is_dense(&self) -> bool {
        matches!(self.cells, MatrixCells::Dense(_))
    }

    /// The weight of the rows of class `truth` that were predicted as `predicted`.
    pub fn at(&self, truth: usize, predicted: usize) -> f64 {
        match &self.cells {
            MatrixCells::Dense(cells) => cells[truth * self.classes() + predicted],
            MatrixCells::Sparse(cells) => cells.get(&(truth as u32, predicted as u32)).copied().unwrap_or(0.0),
        }
    }

    /// The weight of the rows that are of `class`.
    pub fn support(&self, class: usize) -> f64 {
        self.support[class]
    }

    /// The weight of the rows that were predicted as `class`.
    pub fn predicted(&self, class: usize) -> f64 {
        self.predicted[class]
    }

    /// The weight of all rows.
    pub fn total(&self) -> f64 {
        self.support.iter().sum()
    }

    /// The weight of the rows whose class is right.
    pub fn correct(&self) -> f64 {
        (0..self.classes()).map(|c| self.at(c, c)).sum()
    }

    /// Classes that are true or predicted in some row.
    pub fn present_classes(&self) -> Vec<usize> {
        (0..self.classes()).filter(|&c| self.support(c) + self.predicted(c) > 0.0).collect()
    }

    /// The matrix with `more` classes added, without rows.
    pub fn extended(&self, more: usize) -> Self {
        let mut wider = Self::new(self.classes() + more);
        self.pairs().into_iter().for_each(|(t, p, weight)| wider.add(t, p, weight));
        wider
    }

    /// Share of the rows with the right class; NaN without rows.
    pub fn accuracy(&self) -> f64 {
        self.correct() / self.total()
    }

    /// Recalls of the classes that occur.
    fn recalls(&self) -> Vec<f64> {
        let occurring = (0..self.classes()).filter(|&c| self.support(c) > 0.0);
        occurring.map(|c| self.at(c, c) / self.support(c)).collect()
    }

    /// Mean recall of the classes that occur; NaN without rows.
    pub fn balanced_accuracy(&self) -> f64 {
        mean(&self.recalls())
    }

    /// Balanced accuracy `b` rescaled so that chance is 0: `(b − 1/k) / (1 − 1/k)` for `k` classes that occur; NaN or infinite
    /// if only one occurs.
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
        for class in 0..self.classes() {
            let (t, p) = (self.support(class), self.predicted(class));
            tp += t * p;
            pp += p * p;
            tt += t * t;
        }
        let spread = (n * n - pp) * (n * n - tt);
        if spread > 0.0 { (self.correct() * n - tp) / spread.sqrt() } else { 0.0 }
    }

    /// Cohen's kappa, Cohen 1960, <https://doi.org/10.1177/001316446002000104>: 1 minus the ratio of the observed disagreement
    /// to the disagreement by chance, `tᵢ pⱼ / n`; NaN if the latter is 0.
    pub fn cohen_kappa(&self, disagreement: Disagreement) -> f64 {
        let n = self.total();
        let (mut found, mut chance) = (0.0, 0.0);
        for (t, true_weight) in self.support.iter().enumerate() {
            for (p, predicted_weight) in self.predicted.iter().enumerate() {
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
    /// Serialises as a list of rows; for very many classes as a list of the pairs that occur.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.cells {
            MatrixCells::Dense(cells) => serializer.collect_seq(cells.chunks(self.classes().max(1))),
            MatrixCells::Sparse(_) => serializer.collect_seq(self.pairs()),
        }
    }
}

/// A matrix with all its sums, so that it is restored bit for bit.
#[derive(Serialize, Deserialize)]
struct MatrixParts {
    cells: Vec<(usize, usize, f64)>,
    support: Vec<f64>,
    predicted: Vec<f64>,
}

/// For `serde`: stores a matrix so that it can be restored. The matrix's own serialisation is for readers.
pub mod whole_matrix {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{ConfusionMatrix, MatrixCells, MatrixParts};

    /// Writes the matrix with all its sums.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(matrix: &Option<ConfusionMatrix>, serializer: S) -> Result<S::Ok, S::Error> {
        let parts = |m: &ConfusionMatrix| MatrixParts {
            cells: m.pairs(),
            support: m.support.clone(),
            predicted: m.predicted.clone(),
        };
        matrix.as_ref().map(parts).serialize(serializer)
    }

    /// Reads what [`serialize`] wrote.
    ///
    /// # Errors
    /// If a cell is outside the classes.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ConfusionMatrix>, D::Error> {
        let Some(MatrixParts { cells, support, predicted }) = Option::<MatrixParts>::deserialize(deserializer)? else {
            return Ok(None);
        };
        let classes = support.len();
        let outside = cells.iter().any(|(t, p, _)| *t >= classes || *p >= classes);
        if outside || predicted.len() != classes {
            return Err(D::Error::custom(format!("a confusion matrix of {classes} classes has cells of others")));
        }
        let mut matrix = ConfusionMatrix { support, predicted, ..ConfusionMatrix::new(classes) };
        for (t, p, weight) in cells {
            match &mut matrix.cells {
                MatrixCells::Dense(cells) => cells[t * classes + p] = weight,
                MatrixCells::Sparse(cells) => drop(cells.insert((t as u32, p as u32), weight)),
            }
        }
        Ok(Some(matrix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_classes_have_cells_only_where_rows_are() {
        let mut many = ConfusionMatrix::new(20_000);
        many.add(19_999, 3, 2.0);
        many.add(5, 5, 1.0);
        assert_eq!((many.at(19_999, 3), many.at(3, 19_999)), (2.0, 0.0));
        assert_eq!((many.support(19_999), many.predicted(3), many.accuracy()), (2.0, 2.0, 1.0 / 3.0));
        assert_eq!(many.present_classes(), [3, 5, 19_999]);
        assert_eq!(serde_json::to_string(&many).unwrap(), "[[5,5,1.0],[19999,3,2.0]]");
    }

    #[test]
    fn a_wider_matrix_keeps_its_rows() {
        let mut wider = ConfusionMatrix::of_labels(2, &[0, 1, 1], &[0, 1, 0], None).extended(1);
        wider.add(2, 1, 1.0);
        assert_eq!(wider.nested(), [[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 1.0, 0.0]]);
        assert_eq!(wider.accuracy(), 0.5);
    }
}
