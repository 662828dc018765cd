//! Precision, recall and F of each class, and their averages over the classes.
//!
//! Let `c` be the weight of the rows that belong to a class and are predicted as it, `p` that of the rows predicted as it, and
//! `t` that of the rows that belong to it. Then precision is `c / p`, recall is `c / t`, and van Rijsbergen's `F_β = (1 + β²) c
//! / (β² t + p)`, Information Retrieval, 1979, chapter 7, which is `2 P R / (P + R)` for β = 1.

use super::ConfusionMatrix;
use super::weighted_mean;

/// A figure of a class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Score {
    /// `c / p`.
    Precision,
    /// `c / t`.
    Recall,
    /// `F_β` with this β; a larger one gives recall more weight.
    F(f64),
}

/// The value of 0/0, like scikit-learn's `zero_division`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ZeroDivision {
    /// 0, the usual choice: a class that is never predicted has precision 0.
    #[default]
    Zero,
    /// 1.
    One,
    /// NaN, left out of averages.
    Undefined,
}

/// How figures of several classes are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Average {
    /// The figure of one class.
    Class(usize),
    /// Plain mean over the classes.
    Macro,
    /// From `c`, `p` and `t` added up over the classes.
    Micro,
    /// Mean over the classes, weighted by `t`.
    Weighted,
}

/// `c`, `p` and `t` of a class, or of several added up.
struct ClassCounts {
    correct: f64,
    predicted: f64,
    truth: f64,
}

impl ClassCounts {
    fn score(&self, score: Score, zero: ZeroDivision) -> f64 {
        let ClassCounts { correct, predicted, truth } = *self;
        let (part, whole) = match score {
            Score::Precision => (correct, predicted),
            Score::Recall => (correct, truth),
            Score::F(beta) => ((1.0 + beta * beta) * correct, beta * beta * truth + predicted),
        };
        match zero {
            _ if whole != 0.0 => part / whole,
            ZeroDivision::Zero => 0.0,
            ZeroDivision::One => 1.0,
            ZeroDivision::Undefined => f64::NAN,
        }
    }
}

impl ConfusionMatrix {
    fn counts(&self, class: usize) -> ClassCounts {
        ClassCounts { correct: self.at(class, class), predicted: self.predicted(class), truth: self.support(class) }
    }

    /// The figure of each class.
    pub fn per_class(&self, score: Score, zero: ZeroDivision) -> Vec<f64> {
        (0..self.classes()).map(|c| self.counts(c).score(score, zero)).collect()
    }

    /// One figure for all classes; NaN if it is NaN for every class.
    ///
    /// # Panics
    /// If the class of [`Average::Class`] is not below the number of classes.
    pub fn score(&self, score: Score, average: Average, zero: ZeroDivision) -> f64 {
        match average {
            Average::Class(class) => self.counts(class).score(score, zero),
            Average::Micro => {
                ClassCounts { correct: self.correct(), predicted: self.total(), truth: self.total() }.score(score, zero)
            }
            Average::Macro | Average::Weighted => {
                let classes: Vec<usize> = (0..self.classes()).collect();
                self.score_over(&classes, score, average == Average::Weighted, zero)
            }
        }
    }

    /// Mean over some of the classes, plain or weighted by their frequency; NaN if the figure of every class is NaN.
    pub fn score_over(&self, classes: &[usize], score: Score, weighted: bool, zero: ZeroDivision) -> f64 {
        let values = classes.iter().map(|&class| (class, self.counts(class).score(score, zero)));
        let values = values.filter(|(_, value)| !value.is_nan());
        weighted_mean(values.map(|(class, value)| (value, if weighted { self.support(class) } else { 1.0 })))
    }
}
