//! Quasi-random points. They cover a space more evenly than random points, and more points can be added at any time.

use crate::data::shuffle;
use crate::rng::{Purpose, stream};

/// A randomised Halton sequence: `count` points of `[0, 1)^dimensions`, in order.
///
/// Coordinate `j` of point `i` is the number `0.d₀d₁d₂…` in base `p_j`, the `j`-th prime. Here `d_k = π_jk(digit k of i)`,
/// and each `π_jk` is an independent random permutation of the digits. So each point is uniformly distributed, and the
/// sequence is still a Halton sequence, but without the lines that the plain one shows in higher dimensions.
///
/// A coordinate depends only on `seed`, point and dimension. So a shorter sequence is a prefix of a longer one, and further
/// dimensions do not change the first ones.
///
/// Source: A. B. Owen, *A randomized Halton algorithm in R*, 2017, <https://arxiv.org/abs/1706.02808>.
pub fn points(dimensions: usize, count: usize, seed: u64) -> Vec<Vec<f64>> {
    let coordinates = coordinates(dimensions, seed);
    (0..count).map(|number| at(&coordinates, number)).collect()
}

/// One point of the sequence, counted from 0, computed without the points before it.
pub fn point(dimensions: usize, number: usize, seed: u64) -> Vec<f64> {
    at(&coordinates(dimensions, seed), number)
}

fn at(coordinates: &[ScrambledDigits], number: usize) -> Vec<f64> {
    coordinates.iter().map(|coordinate| coordinate.radical_inverse(number as u64)).collect()
}

fn coordinates(dimensions: usize, seed: u64) -> Vec<ScrambledDigits> {
    let bases = primes().take(dimensions).enumerate();
    bases.map(|(dimension, base)| ScrambledDigits::new(base, dimension as u64, seed)).collect()
}

/// The number in `[low, high]` at position `u` on a logarithmic scale: `low · (high / low)^u`, for `0 < low <= high`.
pub fn log_uniform(u: f64, low: f64, high: f64) -> f64 {
    (low * libm::pow(high / low, u)).clamp(low, high)
}

/// One dimension: a base, and a permutation for each digit.
struct ScrambledDigits {
    base: u64,
    permutations: Vec<Vec<u64>>,
}

impl ScrambledDigits {
    fn new(base: u64, dimension: u64, seed: u64) -> ScrambledDigits {
        // Further digits are below the resolution of f64.
        let digits = (53.0 / libm::log2(base as f64)).ceil() as u64;
        let permutation = |digit| {
            let mut permutation: Vec<u64> = (0..base).collect();
            shuffle(&mut permutation, &mut stream(seed, Purpose::QuasiRandom, dimension, digit));
            permutation
        };
        ScrambledDigits { base, permutations: (0..digits).map(permutation).collect() }
    }

    /// The radical inverse of `i`: its digits, permuted and in reverse order after the point.
    fn radical_inverse(&self, mut i: u64) -> f64 {
        let (mut value, mut unit) = (0.0, 1.0);
        for permutation in &self.permutations {
            unit /= self.base as f64;
            value += permutation[(i % self.base) as usize] as f64 * unit;
            i /= self.base;
        }
        value.min(1.0 - f64::EPSILON)
    }
}

fn primes() -> impl Iterator<Item = u64> {
    (2..).filter(|n| (2..).take_while(|d| d * d <= *n).all(|d| n % d != 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;

    /// The L2 star discrepancy by Warnock's formula.
    fn discrepancy(points: &[Vec<f64>]) -> f64 {
        let (n, d) = (points.len() as f64, points[0].len() as i32);
        let single: f64 = points.iter().map(|x| x.iter().map(|x| 1.0 - x * x).product::<f64>()).sum();
        let pair = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| 1.0 - x.max(*y)).product::<f64>();
        let pairs: f64 = points.iter().map(|x| points.iter().map(|y| pair(x, y)).sum::<f64>()).sum();
        (3f64.powi(-d) - 2f64.powi(1 - d) / n * single + pairs / (n * n)).sqrt()
    }

    #[test]
    fn points_cover_space_better_than_random_ones() {
        for (dimensions, gain) in [(2, 2.0), (5, 1.5), (9, 1.0)] {
            let mean = |made: &dyn Fn(u64) -> Vec<Vec<f64>>| (0..20).map(|s| discrepancy(&made(s))).sum::<f64>() / 20.0;
            let quasi = mean(&|seed| points(dimensions, 100, seed));
            let random = mean(&|seed| {
                let mut rng = stream(seed, Purpose::Synthetic, 0, 0);
                (0..100).map(|_| (0..dimensions).map(|_| rng.random()).collect()).collect()
            });
            assert!(quasi * gain < random, "{dimensions} dimensions: {quasi} against {random}");
        }
    }

    #[test]
    fn each_block_of_points_has_one_point_in_each_cell() {
        let points = points(3, 30, 4);
        for (dimension, base) in [2, 3, 5].into_iter().enumerate() {
            for block in points.chunks_exact(base) {
                let mut cells: Vec<usize> = block.iter().map(|p| (p[dimension] * base as f64) as usize).collect();
                cells.sort_unstable();
                assert_eq!(cells, (0..base).collect::<Vec<_>>(), "base {base}");
            }
        }
    }

    #[test]
    fn fewer_points_and_dimensions_are_a_prefix() {
        let many = points(7, 64, 3);
        assert_eq!(points(7, 10, 3), many[..10]);
        assert_eq!(point(7, 41, 3), many[41]);
        let narrow: Vec<Vec<f64>> = many.iter().map(|p| p[..4].to_vec()).collect();
        assert_eq!(points(4, 64, 3), narrow);
        assert_ne!(points(7, 64, 2), many);
        assert!(many.iter().flatten().all(|x| (0.0..1.0).contains(x)));
        assert!(points(0, 2, 0).iter().all(Vec::is_empty) && points(2, 0, 0).is_empty());
    }

    #[test]
    fn log_uniform_interpolates_logarithms() {
        assert_eq!(log_uniform(0.0, 1e-4, 1.0), 1e-4);
        assert!((log_uniform(0.5, 1e-4, 1.0) - 1e-2).abs() < 1e-16);
        assert_eq!(log_uniform(1.0, 1e-4, 1.0), 1.0);
        assert_eq!(log_uniform(0.7, 3.0, 3.0), 3.0);
    }
}
