//! From a network's outputs to probabilities, in `f64`: probabilities near 0 or 1 are not rounded to these.

use super::probabilistic::surprise;
use crate::nn::Link;

/// A network's outputs, row-major, and what turns them into probabilities.
///
/// Outputs without a probabilistic link, such as those of a classifier trained with `mse`, stand for the nearest probabilities:
/// the Euclidean projection onto the probability simplex. If one output stands for two classes, that is clipping to 0…1.
#[derive(Debug, Clone, Copy)]
pub struct Scores<'a> {
    /// The outputs.
    pub outputs: &'a [f32],
    /// From outputs to probabilities.
    pub link: Link,
    /// For two classes with a single output, the probability above which the second class is predicted.
    pub threshold: f64,
}

/// The default threshold, which predicts the more probable class.
pub const HALF: f64 = 0.5;

/// The probabilities of two classes from one output.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TwoWays {
    /// Probability of class 1.
    pub positive: f64,
    /// Probability of class 0, not rounded to 0 if class 1 is nearly certain.
    pub negative: f64,
    /// `−ln` of the probabilities of classes 0 and 1; infinite only if the output is.
    pub surprise: [f64; 2],
}

/// What the outputs of one row have in common; it turns each of them into a probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RowScale {
    /// The most probable class; the first of equally probable ones.
    pub best: u32,
    /// The largest output.
    max: f32,
    /// For a softmax, `ln(1 + Σ e^(z − max))` over the other classes; otherwise what the projection subtracts from each output.
    offset: f64,
}

impl<'a> Scores<'a> {
    /// Outputs with the threshold [`HALF`].
    pub fn new(outputs: &'a [f32], link: Link) -> Scores<'a> {
        Scores { outputs, link, threshold: HALF }
    }

    /// The class predicted from the outputs of one row: the second of two for a single output above the threshold, otherwise
    /// that of the largest output.
    pub fn class_of(&self, row: &[f32]) -> usize {
        match row {
            [output] => TwoWays::new(self.link, *output).class(self.threshold),
            _ => largest(row),
        }
    }
}

impl TwoWays {
    /// The probabilities for an output and its link.
    pub fn new(link: Link, output: f32) -> TwoWays {
        let z = f64::from(output);
        if link != Link::Sigmoid {
            let positive = clamped(z);
            let negative = 1.0 - positive;
            return TwoWays { positive, negative, surprise: [surprise(negative), surprise(positive)] };
        }
        let e = libm::exp(-z.abs());
        let (larger, smaller, log) = (1.0 / (1.0 + e), e / (1.0 + e), libm::log1p(e));
        let (positive, negative) = if z < 0.0 { (smaller, larger) } else { (larger, smaller) };
        // `f64::max` would turn NaN into 0.
        let above = |z: f64| if z < 0.0 { 0.0 } else { z };
        TwoWays { positive, negative, surprise: [above(z) + log, above(-z) + log] }
    }

    /// Class 1 if its probability is above the threshold. At [`HALF`] it is the more probable class, class 0 if both are equal.
    pub fn class(&self, threshold: f64) -> usize {
        class_of_two([self.negative, self.positive], threshold)
    }
}

impl RowScale {
    /// The scale of a row's outputs; the probabilities are written to `probabilities`.
    ///
    /// # Panics
    /// If there is no output, or `probabilities` is shorter.
    pub fn new(link: Link, outputs: &[f32], probabilities: &mut [f64]) -> RowScale {
        let best = largest(outputs);
        let max = outputs[best];
        let row = probabilities[..outputs.len()].iter_mut().zip(outputs);
        if link != Link::Softmax {
            let offset = simplex_shift(outputs);
            row.for_each(|(p, z)| *p = clamped(f64::from(*z) - offset));
            return RowScale { best: best as u32, max, offset };
        }
        let mut rest = 0.0;
        for (class, (p, z)) in row.enumerate() {
            *p = if class == best { 1.0 } else { libm::exp(f64::from(*z) - f64::from(max)) };
            rest += if class == best { 0.0 } else { *p };
        }
        probabilities[..outputs.len()].iter_mut().for_each(|p| *p /= 1.0 + rest);
        if !max.is_finite() {
            probabilities[..outputs.len()].fill(f64::NAN);
        }
        RowScale { best: best as u32, max, offset: libm::log1p(rest) }
    }

    /// A number that ranks rows by the probability of a class with this output: for a softmax its logarithm, which does not
    /// saturate near 0 or 1, otherwise the probability itself.
    pub fn rank(&self, link: Link, output: f32) -> f64 {
        let z = f64::from(output);
        if link == Link::Softmax { (z - f64::from(self.max)) - self.offset } else { clamped(z - self.offset) }
    }

    /// `−ln` of the probability of a class with this output.
    pub fn surprise(&self, link: Link, output: f32) -> f64 {
        let rank = self.rank(link, output);
        if link == Link::Softmax { -rank } else { surprise(rank) }
    }
}

/// The class predicted from two probabilities.
pub fn class_of_two([negative, positive]: [f64; 2], threshold: f64) -> usize {
    // At a half, both are compared, since the smaller one is not rounded.
    usize::from(if threshold == HALF { positive > negative } else { positive > threshold })
}

/// The index of the largest value; the first of equal ones.
fn largest(values: &[f32]) -> usize {
    (1..values.len()).fold(0, |best, at| if values[at] > values[best] { at } else { best })
}

/// `x` clamped between 0 and 1; NaN stays NaN.
fn clamped(x: f64) -> f64 {
    x.clamp(0.0, 1.0)
}

/// The `s` for which `Σ max(z − s, 0) = 1`: Duchi et al. 2008, "Efficient Projections onto the l1-Ball", Figure 1,
/// <https://doi.org/10.1145/1390156.1390191>. NaN if an output is not finite.
fn simplex_shift(outputs: &[f32]) -> f64 {
    if outputs.iter().any(|z| !z.is_finite()) {
        return f64::NAN;
    }
    let mut sorted: Vec<f64> = outputs.iter().map(|z| f64::from(*z)).collect();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    let (mut sum, mut shift) = (0.0, 0.0);
    for (at, z) in sorted.iter().enumerate() {
        sum += z;
        let candidate = (sum - 1.0) / (at + 1) as f64;
        if z - candidate > 0.0 {
            shift = candidate;
        }
    }
    shift
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probabilities(link: Link, z: &[f32]) -> Vec<f64> {
        let mut p = vec![0.0; z.len()];
        RowScale::new(link, z, &mut p);
        p
    }

    /// Reference figures from mpmath with 40 digits.
    #[test]
    fn certain_rows_are_not_rounded_to_0_or_1() {
        let two = TwoWays::new(Link::Sigmoid, 25.0);
        assert_eq!(two.surprise, [25.000_000_000_013_888, 1.388_794_386_486_758_3e-11]);
        assert_eq!((two.negative, two.class(HALF)), (1.388_794_386_477_114_6e-11, 1));
        assert_eq!(TwoWays::new(Link::Sigmoid, 100.0).negative, 3.720_075_976_020_836e-44);
        assert_eq!(TwoWays::new(Link::Sigmoid, 0.0).class(HALF), 0, "a tie is the first class's");
        let scale = RowScale::new(Link::Softmax, &[50.0, 0.0, -100.0], &mut [0.0; 3]);
        assert_eq!(scale.surprise(Link::Softmax, 50.0), 1.928_749_847_963_917_8e-22);
        assert_eq!(scale.surprise(Link::Softmax, -100.0), 150.0);
    }

    #[test]
    fn outputs_that_are_no_logits_become_the_nearest_probabilities() {
        assert_eq!(probabilities(Link::Identity, &[0.25, 0.5, 0.25]), [0.25, 0.5, 0.25]);
        assert_eq!(probabilities(Link::Identity, &[1.25, 1.75, -0.25]), [0.25, 0.75, 0.0]);
        assert_eq!(probabilities(Link::Identity, &[-3.0, -3.0]), [0.5, 0.5]);
        let above = TwoWays::new(Link::Identity, 1.64);
        assert_eq!((above.positive, above.negative, above.class(HALF)), (1.0, 0.0, 1));
        assert_eq!(TwoWays::new(Link::Identity, -0.23).positive, 0.0);
    }

    #[test]
    fn what_is_not_a_number_stays_so() {
        assert!(TwoWays::new(Link::Sigmoid, f32::NAN).surprise.iter().all(|s| s.is_nan()));
        for link in [Link::Softmax, Link::Identity] {
            assert!(probabilities(link, &[f32::NAN, 0.0]).iter().all(|p| p.is_nan()), "{link:?}");
        }
    }
}
