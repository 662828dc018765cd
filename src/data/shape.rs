//! Transformations of centred and scaled numbers.

use serde::{Deserialize, Serialize};

use super::normal::normal_quantile;
use super::statistics::NumberSummary;
use crate::rng::{Purpose, stream};

/// The transformation of `z = (x − center) / scale`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// `z` itself.
    #[default]
    Line,
    /// `z / √(1 + (z / 3)²)`, which is between −3 and 3: Holzmüller et al. 2024, <https://arxiv.org/abs/2407.04491>.
    SmoothClip,
    /// `Φ⁻¹` of the share of training rows below `z`. The share is interpolated linearly between these quantiles, which
    /// are at equally spaced shares from 0 to 1.
    Normal(Vec<f64>),
}

/// Limit of [`Shape::SmoothClip`].
pub const BOUND: f64 = 3.0;
/// Shares are clamped to this distance from 0 and 1, so their normal quantiles are within ±5.2.
pub const LEAST_SHARE: f64 = 1e-7;
/// Standard deviation of the noise that separates equal values, in standard deviations of the column.
const NOISE: f64 = 1e-5;

impl Shape {
    /// Whether values are unchanged.
    pub fn is_line(&self) -> bool {
        *self == Shape::Line
    }

    /// The shape [`Shape::Normal`], fitted to the values of the training rows. As in Gorishniy et al. 2021,
    /// <https://arxiv.org/abs/2106.11959>, it has `max(min(n / 30, 1000), 10)` quantiles (here at most as many as there
    /// are values, but at least 2), and a little noise is added to the values, so that a value of many rows is mapped
    /// to the middle of their shares. The noise is determined by the seed and `column`, the number of the column. Its
    /// standard deviation is relative to that of the column; in the paper it is absolute.
    pub(super) fn normal(summary: &NumberSummary, seed: u64, column: usize) -> Shape {
        use rand::RngExt;
        let mut rng = stream(seed, Purpose::QuantileNoise, column as u64, 0);
        // Midpoints of 2⁵² intervals of 0 … 1, so 0 and 1 are never drawn.
        let mut normal = || normal_quantile(((rng.random::<u64>() >> 12) as f64 + 0.5) / (1u64 << 52) as f64);
        let noisy = NumberSummary::of(summary.sorted().iter().map(|x| x + NOISE * summary.sd * normal()).collect());
        let rows = noisy.sorted().len();
        let count = (rows / 30).clamp(10, 1000).min(rows.max(2));
        Shape::Normal((0..count).map(|at| noisy.quantile(at as f64 / (count - 1) as f64)).collect())
    }

    /// The transformed value.
    pub(super) fn of(&self, z: f64) -> f64 {
        match self {
            Shape::Line => z,
            Shape::SmoothClip if z.is_infinite() => BOUND.copysign(z),
            Shape::SmoothClip => z / libm::hypot(1.0, z / BOUND),
            Shape::Normal(quantiles) => {
                normal_quantile(share_below(z, quantiles).clamp(LEAST_SHARE, 1.0 - LEAST_SHARE))
            }
        }
    }

    /// The inconsistency of a shape that was read from a file, if there is one.
    pub(super) fn contradiction(&self) -> Option<&'static str> {
        let Shape::Normal(quantiles) = self else { return None };
        let ordered = quantiles.len() >= 2 && quantiles.windows(2).all(|pair| pair[0] <= pair[1]);
        (!ordered || !quantiles.iter().all(|q| q.is_finite())).then_some("the quantiles of a column are not in order")
    }
}

/// The share below `x`, given `quantiles` at equally spaced shares from 0 to 1. For a value of several quantiles, it is
/// the middle of their shares.
fn share_below(x: f64, quantiles: &[f64]) -> f64 {
    let last = (quantiles.len() - 1) as f64;
    let (below, upto) = (quantiles.partition_point(|q| *q < x), quantiles.partition_point(|q| *q <= x));
    if below == 0 && (upto == 0 || upto == 1) {
        return 0.0;
    }
    if upto == quantiles.len() && upto - below <= 1 {
        return 1.0;
    }
    if upto > below {
        return 0.5 * (below + upto - 1) as f64 / last;
    }
    let (low, high) = (quantiles[below - 1], quantiles[below]);
    ((below - 1) as f64 + (x - low) / (high - low)) / last
}

/// The median and the spread of RealMLP's robust scaling: the interquartile range or, if the quartiles are equal, half
/// of the whole range. `quantile` is the quantile function.
pub(super) fn robust(quantile: impl Fn(f64) -> f64) -> (f64, f64) {
    let quartiles = quantile(0.75) - quantile(0.25);
    (quantile(0.5), if quartiles > 0.0 { quartiles } else { 0.5 * (quantile(1.0) - quantile(0.0)) })
}

/// Values of an input in ascending order, each with its number of rows.
pub(super) struct Counted<const N: usize>(pub(super) [(f64, usize); N]);

impl<const N: usize> Counted<N> {
    /// As [`NumberSummary::quantile`].
    fn quantile(&self, q: f64) -> f64 {
        let rows: usize = self.0.iter().map(|(_, rows)| rows).sum();
        let at = q * rows.saturating_sub(1) as f64;
        let value = |place: usize| {
            let mut before = 0;
            let found = self.0.iter().find(|(_, rows)| {
                before += rows;
                place < before
            });
            found.map_or(0.0, |(value, _)| *value)
        };
        let (low, high, between) = (value(at.floor() as usize), value(at.ceil() as usize), at - at.floor());
        low * (1.0 - between) + high * between
    }

    /// Each value after robust scaling and smooth clipping.
    pub(super) fn clipped(&self) -> [f64; N] {
        let (center, spread) = robust(|q| self.quantile(q));
        let scale = if spread == 0.0 { 1.0 } else { spread };
        self.0.map(|(value, _)| Shape::SmoothClip.of((value - center) / scale))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_normal() {
        let values: Vec<f64> = (0..3000).map(|n| f64::from(n).powi(3)).collect();
        let shape = Shape::normal(&NumberSummary::of(values.clone()), 0, 0);
        let Shape::Normal(quantiles) = &shape else { panic!("{shape:?}") };
        assert_eq!(quantiles.len(), 100);
        let normal: Vec<f64> = values.iter().map(|x| shape.of(*x)).collect();
        let mean = normal.iter().sum::<f64>() / 3000.0;
        let sd = (normal.iter().map(|z| (z - mean) * (z - mean)).sum::<f64>() / 3000.0).sqrt();
        assert!(mean.abs() < 0.01 && (sd - 1.0).abs() < 0.05, "{mean} {sd}");
        assert!(normal.windows(2).all(|pair| pair[0] <= pair[1]));
        assert_eq!([-1e9, 1e30].map(|x| shape.of(x).abs() < 5.2), [true, true]);
        assert_eq!(shape, Shape::normal(&NumberSummary::of(values), 0, 0), "the noise is a function of its address");
    }

    /// Expected values: scikit-learn 1.9.1, `QuantileTransformer(n_quantiles=12, output_distribution="normal")`, fitted
    /// to the same quantiles. It clips shares at 10⁻⁷ less one unit in the last place.
    #[test]
    fn numbers_are_those_of_scikit_learn() {
        let shape = Shape::Normal(vec![0.0, 1.0, 4.0, 9.0, 16.0, 25.0, 36.0, 36.0, 36.0, 49.0, 64.0, 81.0]);
        let expected = [
            (-5.0, -5.199_337_582_605_575),
            (0.0, -5.199_337_582_605_575),
            (0.5, -1.690_621_629_584_897_7),
            (1.0, -1.335_177_736_118_937),
            (10.0, -0.565_948_821_932_863_1),
            (30.0, -0.010_358_153_297_364_085),
            (36.0, 0.348_755_695_517_044_7),
            (40.0, 0.691_087_604_459_134_6),
            (80.0, 2.552_503_380_495_133),
            (81.0, 5.199_337_582_703_42),
        ];
        for (x, z) in expected {
            assert!((shape.of(x) - z).abs() < 1e-8, "{x}: {} for {z}", shape.of(x));
        }
    }

    #[test]
    fn a_value_of_many_rows_gets_the_middle_of_their_shares() {
        let zeros = [vec![0.0; 400], (1..=600).map(f64::from).collect()].concat();
        let shape = Shape::normal(&NumberSummary::of(zeros), 3, 1);
        // The noise separates the zeros, so 0 itself is in the middle of 0 … 0.4, up to the noise of 13 quantiles.
        assert!((shape.of(0.0) - normal_quantile(0.2)).abs() < 0.2, "{}", shape.of(0.0));
        let tied = Shape::Normal(vec![0.0, 1.0, 1.0, 1.0, 2.0]);
        assert_eq!([0.5, 1.0, 1.5].map(|x| share_below(x, &[0.0, 1.0, 1.0, 1.0, 2.0])), [0.125, 0.5, 0.875]);
        assert_eq!(tied.of(1.0), 0.0);
        assert_eq!(share_below(0.0, &[0.0, 1.0]), 0.0);
        assert_eq!(share_below(1.0, &[0.0, 1.0]), 1.0);
    }

    /// `(x − median) / IQR`, then `x / √(1 + (x/3)²)`; a rare level is 2 / √(1 + 4/9).
    #[test]
    fn the_smooth_clip_is_that_of_realmlp() {
        assert_eq!(Shape::SmoothClip.of(0.0), 0.0);
        assert!((Shape::SmoothClip.of(2.0) - 1.664_100_588_675_687_4).abs() < 1e-15);
        let far = [f64::INFINITY, -1e300].map(|x| Shape::SmoothClip.of(x));
        assert!(far[0] == 3.0 && (far[1] + 3.0).abs() < 1e-15, "{far:?}");
        let rare = Counted([(0.0, 90), (1.0, 10)]).clipped();
        assert!(rare[0] == 0.0 && (rare[1] - 1.664_100_588_675_687_4).abs() < 1e-15, "{rare:?}");
        let even = Counted([(0.0, 60), (1.0, 40)]).clipped();
        assert!(even[0] == 0.0 && (even[1] - (1.0f64 + 1.0 / 9.0).sqrt().recip()).abs() < 1e-15, "{even:?}");
    }

    #[test]
    fn counted_quantiles_are_those_of_the_rows() {
        let counted = Counted([(-1.0, 3), (0.0, 1), (1.0, 7)]);
        let rows = NumberSummary::of([vec![-1.0; 3], vec![0.0], vec![1.0; 7]].concat());
        for q in [0.0, 0.1, 0.25, 0.3, 0.33, 0.5, 0.75, 1.0] {
            assert_eq!(counted.quantile(q), rows.quantile(q), "{q}");
        }
    }
}
