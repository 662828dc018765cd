//! Draws initial weights. Each output row has its own random stream, so any thread can draw any row.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use crate::rng::{Purpose, stream};

/// Standard deviation of a standard normal distribution truncated at ±2.
const TRUNCATED_STD: f64 = 0.879_625_661_034_239_8;

/// A distribution of the elements of a tensor. All have mean 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Distribution {
    /// All elements are 0; nothing is drawn.
    Zeros,
    /// Uniform on `−bound..bound`.
    Uniform {
        /// Largest magnitude.
        bound: f64,
    },
    /// Normal.
    Normal {
        /// Standard deviation.
        std: f64,
    },
    /// A normal distribution, truncated at two of its standard deviations and scaled to standard deviation `std`.
    TruncatedNormal {
        /// Standard deviation after truncation.
        std: f64,
    },
    /// 1 or −1.
    Signs,
    /// `gain` times a matrix with orthonormal rows, or with orthonormal columns if there are more rows than columns.
    Orthogonal {
        /// Length of each row, or of each column.
        gain: f64,
    },
}

impl Distribution {
    /// The uniform distribution with standard deviation `std`: `bound = √3 · std`.
    pub fn uniform_with_std(std: f64) -> Self {
        Distribution::Uniform { bound: 3.0f64.sqrt() * std }
    }

    /// Upper limit of the magnitude; infinite for a normal distribution that is not truncated.
    pub fn bound(&self) -> f64 {
        match *self {
            Distribution::Zeros => 0.0,
            Distribution::Uniform { bound } => bound,
            Distribution::Signs => 1.0,
            Distribution::Normal { .. } => f64::INFINITY,
            Distribution::TruncatedNormal { std } => 2.0 * std / TRUNCATED_STD,
            Distribution::Orthogonal { gain } => gain,
        }
    }

    /// Draws tensor number `tensor`, row-major `[rows, cols]`. A bias is `[rows, 1]`.
    ///
    /// The random numbers of row `r` depend on `(seed, tensor, r)` alone. An orthogonal matrix takes a further
    /// `4 · rows · cols · min(rows, cols)` operations.
    pub fn fill(&self, seed: u64, tensor: u64, rows: usize, cols: usize) -> Vec<f32> {
        if let Distribution::Orthogonal { gain } = *self {
            return orthogonal(gain, seed, tensor, rows, cols);
        }
        let mut values = Vec::with_capacity(rows * cols);
        for row in 0..rows {
            let mut rng = stream(seed, Purpose::Init, tensor, row as u64);
            values.extend((0..cols).map(|_| self.sample(&mut rng) as f32));
        }
        values
    }

    /// Draws one element.
    fn sample(&self, rng: &mut ChaCha8Rng) -> f64 {
        match *self {
            Distribution::Zeros => 0.0,
            Distribution::Uniform { bound } => bound * rng.random::<f64>().mul_add(2.0, -1.0),
            Distribution::Signs if rng.random::<bool>() => 1.0,
            Distribution::Signs => -1.0,
            Distribution::Normal { std } => std * standard_normal(rng),
            Distribution::TruncatedNormal { std } => loop {
                let x = standard_normal(rng);
                if x.abs() <= 2.0 {
                    break std / TRUNCATED_STD * x;
                }
            },
            Distribution::Orthogonal { .. } => standard_normal(rng),
        }
    }
}

fn standard_normal(rng: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(rng)
}

/// Draws a matrix of normal numbers and orthonormalises its rows or columns, whichever are fewer. The result is uniform
/// over all such matrices (Haar measure).
fn orthogonal(gain: f64, seed: u64, tensor: u64, rows: usize, cols: usize) -> Vec<f32> {
    let normals = (0..rows).map(|row| {
        let mut rng = stream(seed, Purpose::Init, tensor, row as u64);
        (0..cols).map(|_| standard_normal(&mut rng)).collect()
    });
    let mut matrix: Vec<Vec<f64>> = normals.collect();
    if rows > cols {
        matrix = transposed(&matrix, cols);
    }
    orthonormalise(&mut matrix);
    if rows > cols {
        matrix = transposed(&matrix, rows);
    }
    matrix.into_iter().flatten().map(|x| (gain * x) as f32).collect()
}

fn transposed(matrix: &[Vec<f64>], cols: usize) -> Vec<Vec<f64>> {
    (0..cols).map(|c| matrix.iter().map(|row| row[c]).collect()).collect()
}

/// Gram-Schmidt: subtracts from each vector its projections on the earlier ones, and scales it to length 1. The
/// subtraction is done twice, because rounding errors remain after one pass (Giraud et al. 2005,
/// <https://doi.org/10.1007/s00211-005-0615-4>).
fn orthonormalise(vectors: &mut [Vec<f64>]) {
    for i in 0..vectors.len() {
        let (done, rest) = vectors.split_at_mut(i);
        let vector = &mut rest[0];
        for _ in 0..2 {
            for earlier in done.iter() {
                let along = dot(earlier, vector);
                vector.iter_mut().zip(earlier).for_each(|(v, e)| *v -= along * e);
            }
        }
        let length = dot(vector, vector).sqrt();
        vector.iter_mut().for_each(|v| *v /= length);
    }
}

/// The inner product, in eight independent sums; with a single one, each addition would wait for the one before it.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a_blocks, a_rest) = a.as_chunks::<8>();
    let (b_blocks, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The streams and the draws from them are fixed: the same seed gives the same weights in every version.
    #[test]
    fn first_drawn_values() {
        let cases = [
            (Distribution::Uniform { bound: 1.0 }, [0.871_514_4, 0.629_425_5, 0.032_001_46, 0.194_014_73]),
            (Distribution::Normal { std: 1.0 }, [0.974_612_06, 1.076_248_2, 0.063_943_16, 0.429_113_36]),
            (Distribution::TruncatedNormal { std: 1.0 }, [1.107_985, 1.223_529_8, 0.072_693_61, 0.487_836_33]),
            (Distribution::Orthogonal { gain: 1.0 }, [0.671_240_3, 0.741_239_8, -0.741_239_8, 0.671_240_3]),
            (Distribution::Zeros, [0.0; 4]),
        ];
        for (distribution, expected) in cases {
            assert_eq!(distribution.fill(0, 0, 2, 2), expected, "{distribution:?}");
        }
    }

    #[test]
    fn a_row_is_a_function_of_its_address() {
        let normal = Distribution::Normal { std: 0.5 };
        let (short, long) = (normal.fill(7, 3, 2, 5), normal.fill(7, 3, 9, 5));
        assert_eq!(short, long[..10]);
        assert_ne!(short, normal.fill(7, 4, 2, 5));
        assert_ne!(short, normal.fill(8, 3, 2, 5));
    }
}
