//! Calibration: the temperature of logits that fits the observed classes, and the calibration error of probabilities.

use super::report::pieces::by_pieces;
use super::scores::{RowScale, Scores, TwoWays};
use crate::nn::Link;

/// Number of bins of the calibration error.
pub const BINS: usize = 15;
/// Bound of the logarithm of the inverse temperature, and number of bisections of this range.
const RANGE: f64 = 16.0;
const HALVINGS: usize = 30;

/// The truth about rows whose outputs are logits.
#[derive(Debug, Clone, Copy)]
pub enum Truth<'a> {
    /// One class for each row. A single output is the logit of class 1.
    Classes(&'a [u32]),
    /// 1 if a label is present, else 0, one for each output.
    Labels(&'a [f32]),
}

/// Outputs, row-major, with the truth about their rows.
#[derive(Debug, Clone, Copy)]
pub struct Labelled<'a> {
    /// Outputs and their link.
    pub scores: Scores<'a>,
    /// Number of outputs of a row.
    pub width: usize,
    /// The truth.
    pub truth: Truth<'a>,
    /// Weight of each row; 1 if `None`.
    pub weights: Option<&'a [f32]>,
}

impl Labelled<'_> {
    fn rows(&self) -> usize {
        self.scores.outputs.len() / self.width.max(1)
    }

    fn weight(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |weights| f64::from(weights[row]))
    }

    /// The sum of `weight · value(row)` over the rows, the same for any number of threads.
    fn sum(&self, value: impl Fn(usize) -> f64 + Sync) -> f64 {
        let counted = |row: usize| if self.weight(row) == 0.0 { 0.0 } else { self.weight(row) * value(row) };
        by_pieces(self.rows(), self.width, |rows| rows.map(counted).sum::<f64>()).into_iter().sum()
    }

    fn outputs(&self, row: usize) -> &[f32] {
        &self.scores.outputs[row * self.width..][..self.width]
    }

    /// Whether label `at` of a row is present; for two classes, whether the row is of class 1.
    fn is_there(&self, row: usize, at: usize) -> bool {
        match self.truth {
            Truth::Classes(classes) => classes[row] == 1,
            Truth::Labels(labels) => labels[row * self.width + at] > 0.5,
        }
    }

    /// Mean `−ln p` of the truth, for logits times `scale`.
    pub fn log_loss(&self, scale: f64) -> f64 {
        let row = |row: usize| {
            let z = self.outputs(row);
            match self.truth {
                Truth::Classes(classes) if self.width > 1 => {
                    log_sum_exp(z, scale) - scale * f64::from(z[classes[row] as usize])
                }
                _ => {
                    let terms = z.iter().enumerate().map(|(at, z)| {
                        let z = scale * f64::from(*z);
                        softplus(if self.is_there(row, at) { -z } else { z })
                    });
                    terms.sum::<f64>() / self.width as f64
                }
            }
        };
        self.sum(row) / self.sum(|_| 1.0)
    }

    /// The derivative of the log-loss by `scale`, times the number of rows, with targets smoothed by `ε`.
    fn slope(&self, scale: f64, epsilon: f64) -> f64 {
        self.sum(|row| {
            let z = self.outputs(row);
            match self.truth {
                Truth::Classes(classes) if self.width > 1 => {
                    let largest = z.iter().fold(f32::NEG_INFINITY, |m, z| m.max(*z));
                    let (mut total, mut weighted, mut plain) = (0.0, 0.0, 0.0);
                    for z in z {
                        let e = libm::exp(scale * (f64::from(*z) - f64::from(largest)));
                        total += e;
                        weighted += e * f64::from(*z);
                        plain += f64::from(*z);
                    }
                    let wanted =
                        (1.0 - epsilon) * f64::from(z[classes[row] as usize]) + epsilon * plain / z.len() as f64;
                    weighted / total - wanted
                }
                _ => {
                    let terms = z.iter().enumerate().map(|(at, z)| {
                        let target = (1.0 - epsilon) * f64::from(u8::from(self.is_there(row, at))) + 0.5 * epsilon;
                        let z = f64::from(*z);
                        z * (1.0 / (1.0 + libm::exp(-scale * z)) - target)
                    });
                    terms.sum::<f64>()
                }
            }
        })
    }
}

/// The factor `1 / T` of the logits that minimises their log-loss, where `T` is the temperature of Guo et al. 2017,
/// <https://arxiv.org/abs/1706.04599>. `None` if outputs are not logits or not finite, or if no factor is better than 1.
///
/// `T` is found by 30 bisections of the range `e⁻¹⁶ … e¹⁶`, since the log-loss is convex in the factor. Targets are smoothed
/// towards even odds by `ε = 1 / (rows + 1)`, as in Platt 1999, so that rows that are all right do not lead to certainty.
pub fn inverse_temperature(of: &Labelled<'_>) -> Option<f64> {
    let is_finite = of.scores.outputs.iter().all(|z| z.is_finite());
    if !matches!(of.scores.link, Link::Sigmoid | Link::Softmax) || of.rows() == 0 || !is_finite {
        return None;
    }
    let epsilon = 1.0 / (of.rows() as f64 + 1.0);
    let (mut low, mut high) = (-RANGE, RANGE);
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if of.slope(libm::exp(middle), epsilon) > 0.0 { high = middle } else { low = middle }
    }
    // The factor is applied in single precision.
    let factor = f64::from(libm::exp(0.5 * (low + high)) as f32);
    (of.log_loss(factor) < of.log_loss(1.0)).then_some(factor)
}

/// Expected calibration error in [`BINS`] bins of equal width: `Σ_b w_b |mean confidence − share of hits| / Σ w`, Naeini et al.
/// 2015, <https://doi.org/10.1609/aaai.v29i1.9602>. For several classes, the confidence is the probability of the predicted
/// class, and a hit is a row of that class. For two classes, or for labels, it is the probability of class 1 (over all labels),
/// and a hit is class 1. `None` if there are no rows, or if a probability is NaN.
pub fn calibration_error(of: &Labelled<'_>) -> Option<f64> {
    let mut bins = [[0.0; 3]; BINS];
    let mut add = |p: f64, hit: bool, weight: f64| {
        let bin = &mut bins[((p * BINS as f64) as usize).min(BINS - 1)];
        bin[0] += weight;
        bin[1] += weight * p;
        bin[2] += if hit { weight } else { 0.0 };
    };
    let mut p = vec![0.0; of.width];
    for row in (0..of.rows()).filter(|row| of.weight(*row) > 0.0) {
        let z = of.outputs(row);
        match of.truth {
            Truth::Classes(classes) if of.width > 1 => {
                let best = RowScale::new(of.scores.link, z, &mut p).best;
                add(p[best as usize], classes[row] == best, of.weight(row));
            }
            _ => {
                for (at, z) in z.iter().enumerate() {
                    add(TwoWays::new(of.scores.link, *z).positive, of.is_there(row, at), of.weight(row));
                }
            }
        }
    }
    let total: f64 = bins.iter().map(|bin| bin[0]).sum();
    let error = bins.iter().map(|[_, said, hits]| (said - hits).abs()).sum::<f64>() / total;
    error.is_finite().then_some(error)
}

/// `ln Σ e^(scale · z)`.
fn log_sum_exp(z: &[f32], scale: f64) -> f64 {
    let largest = z.iter().fold(f32::NEG_INFINITY, |m, z| m.max(*z));
    let rest: f64 = z.iter().map(|z| libm::exp(scale * (f64::from(*z) - f64::from(largest)))).sum();
    scale * f64::from(largest) + libm::log(rest)
}

/// `ln(1 + eᶻ)`.
fn softplus(z: f64) -> f64 {
    z.max(0.0) + libm::log1p(libm::exp(-z.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labelled<'a>(outputs: &'a [f32], width: usize, truth: Truth<'a>) -> Labelled<'a> {
        let link = if width > 1 && matches!(truth, Truth::Classes(_)) { Link::Softmax } else { Link::Sigmoid };
        Labelled { scores: Scores::new(outputs, link), width, truth, weights: None }
    }

    /// 80 of 100 rows with logit 4 are of class 1: except for the ε, the best factor makes the logit ln(0.8 / 0.2).
    #[test]
    fn the_temperature_makes_certainty_as_large_as_the_share_of_hits() {
        let outputs = vec![4.0f32; 10_000];
        let truth: Vec<u32> = (0..10_000).map(|row| u32::from(row % 5 != 0)).collect();
        let of = labelled(&outputs, 1, Truth::Classes(&truth));
        let factor = inverse_temperature(&of).unwrap();
        assert!((4.0 * factor - 4.0f64.ln()).abs() < 1e-3, "{factor}");
        let scaled: Vec<f32> = outputs.iter().map(|z| z * factor as f32).collect();
        assert!(calibration_error(&of).unwrap() > 0.18);
        assert!(calibration_error(&labelled(&scaled, 1, Truth::Classes(&truth))).unwrap() < 1e-3);
        // The same rows as logits of two classes.
        let two: Vec<f32> = outputs.iter().flat_map(|z| [0.0, *z]).collect();
        let several = inverse_temperature(&labelled(&two, 2, Truth::Classes(&truth))).unwrap();
        assert!((factor - several).abs() < 1e-6, "{factor} {several}");
        let labels: Vec<f32> = truth.iter().map(|t| *t as f32).collect();
        assert_eq!(inverse_temperature(&labelled(&outputs, 1, Truth::Labels(&labels))), Some(factor));
    }

    #[test]
    fn rows_that_are_all_right_do_not_ask_for_certainty() {
        let outputs = [2.0f32, -2.0].repeat(500);
        let truth = [1u32, 0].repeat(500);
        let factor = inverse_temperature(&labelled(&outputs, 1, Truth::Classes(&truth))).unwrap();
        // p = 1 − ε / 2 with ε = 1 / 1001.
        assert!((2.0 * factor - (2001.0f64).ln()).abs() < 1e-3, "{factor}");
    }

    #[test]
    fn what_is_no_logit_is_not_calibrated() {
        let outputs = [0.5f32, 0.25];
        let scores = Scores::new(&outputs, Link::Identity);
        let of = Labelled { scores, width: 1, truth: Truth::Classes(&[1, 0]), weights: None };
        assert_eq!(inverse_temperature(&of), None);
        assert_eq!(inverse_temperature(&labelled(&[f32::NAN], 1, Truth::Classes(&[1]))), None);
    }

    #[test]
    fn a_row_of_weight_0_is_as_good_as_absent() {
        let (outputs, truth) = ([3.0f32, 3.0, 3.0, 9.0], [1u32, 1, 0, 0]);
        let of = labelled(&outputs, 1, Truth::Classes(&truth));
        let fewer = labelled(&outputs[..3], 1, Truth::Classes(&truth[..3]));
        let weighted = Labelled { weights: Some(&[1.0, 1.0, 1.0, 0.0]), ..of };
        assert_eq!(calibration_error(&weighted), calibration_error(&fewer));
        assert_eq!(weighted.log_loss(0.5), fewer.log_loss(0.5));
    }
}
