//! Errors of predicted numbers.

use super::{weight_of, weighted_mean};

/// Predicted and true numbers, both `[rows, outputs]`. Each figure is a list with one entry for each output.
#[derive(Debug, Clone, Copy)]
pub struct Outputs<'a> {
    /// The number of outputs.
    pub outputs: usize,
    /// The true numbers.
    pub truth: &'a [f64],
    /// The predicted numbers.
    pub predicted: &'a [f64],
    /// The weight of each row; 1 if `None`.
    pub weights: Option<&'a [f64]>,
}

impl<'a> Outputs<'a> {
    /// `(true, predicted, weight)` of the rows of one output.
    fn rows(self, output: usize) -> impl Iterator<Item = (f64, f64, f64)> + Clone + 'a {
        let column = move |values: &'a [f64]| values.iter().skip(output).step_by(self.outputs).copied();
        let rows = column(self.truth).zip(column(self.predicted)).enumerate();
        rows.map(move |(row, (t, p))| (t, p, weight_of(self.weights, row)))
    }

    fn each(self, figure: impl Fn(usize) -> f64) -> Vec<f64> {
        (0..self.outputs).map(figure).collect()
    }

    /// Weighted mean over the rows of `term(true, predicted)`, for each output.
    fn means(self, term: impl Fn(f64, f64) -> f64) -> Vec<f64> {
        self.each(|output| weighted_mean(self.rows(output).map(|(t, p, w)| (term(t, p), w))))
    }

    /// Mean squared error.
    pub fn mse(self) -> Vec<f64> {
        self.means(|t, p| (t - p) * (t - p))
    }

    /// Root of the mean squared error. For several outputs, scikit-learn averages these roots, not the squares.
    pub fn rmse(self) -> Vec<f64> {
        let root = |output: usize| {
            let (unit, rows) = self.scaled(output);
            unit * weighted_mean(rows.map(|(t, p, w)| ((t - p) * (t - p), w))).sqrt()
        };
        self.each(root)
    }

    /// The rows of one output in a unit in which their squares neither underflow nor overflow, and the unit, which is 1 except
    /// for extreme numbers.
    fn scaled(self, output: usize) -> (f64, impl Iterator<Item = (f64, f64, f64)> + Clone + 'a) {
        const ORDINARY: std::ops::Range<f64> = 1e-100..1e100;
        let largest = self.rows(output).fold(0.0, |largest: f64, (t, p, _)| largest.max(t.abs()).max(p.abs()));
        let odd = largest != 0.0 && largest.is_finite() && !ORDINARY.contains(&largest);
        let unit = if odd { largest } else { 1.0 };
        (unit, self.rows(output).map(move |(t, p, w)| (t / unit, p / unit, w)))
    }

    /// Mean absolute error.
    pub fn mae(self) -> Vec<f64> {
        self.means(|t, p| (t - p).abs())
    }

    /// Mean absolute error relative to `|t|`, or to 2⁻⁵² if `t` is 0; a fraction, not per cent.
    pub fn mape(self) -> Vec<f64> {
        self.means(|t, p| (t - p).abs() / if t == 0.0 { f64::EPSILON } else { t.abs() })
    }

    /// Whether a target with a weight is 0, so that relative errors have no meaning.
    pub fn has_zero_target(self, output: usize) -> bool {
        self.rows(output).any(|(t, _, w)| t == 0.0 && w != 0.0)
    }

    /// Largest absolute error, whatever its row's weight; NaN without rows.
    pub fn max_error(self) -> Vec<f64> {
        let larger = |a: f64, b: f64| if b > a || b.is_nan() { b } else { a };
        self.each(|output| self.rows(output).map(|(t, p, _)| (t - p).abs()).reduce(larger).unwrap_or(f64::NAN))
    }

    /// Median of the absolute errors: the error at which the cumulative weight passes one half; at exactly one half, the mean
    /// of this error and the next. NaN without rows.
    pub fn median_absolute_error(self) -> Vec<f64> {
        self.each(|output| {
            let errors = self.rows(output).map(|(t, p, w)| ((t - p).abs(), w));
            let mut errors: Vec<(f64, f64)> = errors.filter(|&(_, w)| w > 0.0).collect();
            errors.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
            let half = errors.iter().map(|e| e.1).sum::<f64>() / 2.0;
            let mut cumulative = 0.0;
            for (i, &(error, weight)) in errors.iter().enumerate() {
                cumulative += weight;
                match errors.get(i + 1) {
                    Some(next) if cumulative == half => return (error + next.0) / 2.0,
                    _ if cumulative >= half => return error,
                    _ => {}
                }
            }
            f64::NAN
        })
    }

    /// Sums of `w (t − mean of t)²`, over [scaled](Self::scaled) rows.
    fn target_spread(self) -> Vec<f64> {
        self.each(|output| {
            let (_, rows) = self.scaled(output);
            let mean = weighted_mean(rows.clone().map(|(t, _, w)| (t, w)));
            rows.map(|(t, _, w)| w * (t - mean) * (t - mean)).sum()
        })
    }

    /// Sums of `w (e − mean of e)²` of the errors `e = t − p`, in the same unit.
    fn error_spread(self) -> Vec<f64> {
        self.each(|output| {
            let (_, rows) = self.scaled(output);
            let mean = weighted_mean(rows.clone().map(|(t, p, w)| (t - p, w)));
            rows.map(|(t, p, w)| w * (t - p - mean) * (t - p - mean)).sum()
        })
    }

    /// Coefficient of determination `1 − Σ w e² / Σ w (t − t̄)²`. If the target is constant, 1 if all errors are 0, else 0. NaN
    /// for fewer than two rows.
    pub fn r2(self) -> Vec<f64> {
        let errors = self.each(|output| self.scaled(output).1.map(|(t, p, w)| w * (t - p) * (t - p)).sum());
        self.explained(errors)
    }

    /// Explained variance `1 − var(e) / var(t)`: R² without the cost of a constant shift. Constant targets as in [`Self::r2`].
    pub fn explained_variance(self) -> Vec<f64> {
        self.explained(self.error_spread())
    }

    fn explained(self, errors: Vec<f64>) -> Vec<f64> {
        let of_output = |(error, spread): (f64, f64)| match spread {
            _ if self.truth.len() < 2 * self.outputs => f64::NAN,
            0.0 => f64::from(error == 0.0),
            _ => 1.0 - error / spread,
        };
        errors.into_iter().zip(self.target_spread()).map(of_output).collect()
    }

    /// One R² for all outputs: their mean weighted by the spread of their targets; the plain mean if all targets are constant.
    pub fn r2_variance_weighted(self) -> f64 {
        let spread = self.target_spread();
        let constant = spread.iter().all(|&s| s == 0.0);
        weighted_mean(self.r2().into_iter().zip(spread).map(|(r2, s)| (r2, if constant { 1.0 } else { s })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extreme_numbers_have_the_figures_of_ordinary_ones() {
        let (truth, predicted) = ([1.0, 2.0, 4.0, 8.0], [1.5, 1.0, 5.0, 7.0]);
        let of = |unit: f64| {
            let (truth, predicted) = (truth.map(|t| t * unit), predicted.map(|p| p * unit));
            let outputs = Outputs { outputs: 1, truth: &truth, predicted: &predicted, weights: None };
            [outputs.rmse()[0] / unit, outputs.r2()[0], outputs.mape()[0], outputs.explained_variance()[0]]
        };
        let ordinary = of(1.0);
        assert_eq!(ordinary[0], (3.25_f64 / 4.0).sqrt());
        for unit in [1e-300, 1e-160, 1e-20, 1e160, 1e300] {
            let found = of(unit);
            for (a, b) in found.into_iter().zip(ordinary) {
                assert!((a - b).abs() < 1e-12, "unit {unit}: {found:?}, expected {ordinary:?}");
            }
        }
    }
}
