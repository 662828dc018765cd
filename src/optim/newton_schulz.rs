//! The Newton–Schulz iteration: keeps the singular vectors of a matrix and moves its singular values close to 1.

use crate::kernel::Real;

/// `X ← M / ‖M‖` by the Frobenius norm, then `steps` times with `G = X Xᵀ`: `X ← a X + (b G + c G²) X`.
///
/// The rows of `X` are the shorter side of `M`, so that `G` is small. With the default coefficients singular values end between
/// about 0.7 and 1.2, not at 1: Jordan et al. 2024, <https://kellerjordan.github.io/posts/muon/>.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NewtonSchulz {
    /// `a`; 3.4445 by default.
    pub a: f64,
    /// `b`; −4.775 by default.
    pub b: f64,
    /// `c`; 2.0315 by default.
    pub c: f64,
    /// Iterations; 5 by default.
    pub steps: usize,
    /// Avoids a division by 0 for a matrix of zeros; 1e-7 by default.
    pub eps: f64,
    /// How `eps` is used.
    pub division: Division,
}

/// How the divisor is kept above 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Division {
    /// `max(‖M‖, eps)`.
    Max,
    /// `‖M‖ + eps`.
    Sum,
}

impl NewtonSchulz {
    /// The divisor of a matrix with this Frobenius norm.
    pub fn divisor(&self, norm: f64) -> f64 {
        match self.division {
            Division::Max => norm.max(self.eps),
            Division::Sum => norm + self.eps,
        }
    }

    /// Orthogonalises the matrix `[rows, cols]`, row-major, in plain loops. This is the definition; tests compare the tiled
    /// form, which runs on many threads, with it.
    pub fn orthogonalise<T: Real + Into<f64>>(&self, matrix: &mut [T], rows: usize, cols: usize) {
        assert_eq!(matrix.len(), rows * cols);
        let norm = matrix.iter().map(|x| -> f64 { (*x).into() }).map(|x| x * x).sum::<f64>().sqrt();
        let inverse = T::splat(1.0 / self.divisor(norm));
        let mut x: Vec<T> = matrix.iter().map(|m| *m * inverse).collect();
        if rows > cols {
            x = transposed(&x, rows, cols);
        }
        let (short, long) = (rows.min(cols), rows.max(cols));
        for _ in 0..self.steps {
            let gram = product(&x, &transposed(&x, short, long), (short, long, short));
            let square = product(&gram, &gram, (short, short, short));
            let polynomial = combined(self.b, &gram, self.c, &square);
            x = combined(self.a, &x, 1.0, &product(&polynomial, &x, (short, short, long)));
        }
        if rows > cols {
            x = transposed(&x, cols, rows);
        }
        matrix.copy_from_slice(&x);
    }
}

/// `A B` for `A: [n, k]` and `B: [k, m]`.
fn product<T: Real>(a: &[T], b: &[T], (n, k, m): (usize, usize, usize)) -> Vec<T> {
    let mut c = vec![T::splat(0.0); n * m];
    for (a, c) in a.chunks_exact(k).zip(c.chunks_exact_mut(m)) {
        for (a, b) in a.iter().zip(b.chunks_exact(m)) {
            c.iter_mut().zip(b).for_each(|(c, b)| *c = a.mul_add(*b, *c));
        }
    }
    c
}

/// `Aᵀ` of `A: [n, m]`.
fn transposed<T: Copy>(a: &[T], n: usize, m: usize) -> Vec<T> {
    (0..m).flat_map(|col| (0..n).map(move |row| a[row * m + col])).collect()
}

/// `α A + β B`.
fn combined<T: Real>(alpha: f64, a: &[T], beta: f64, b: &[T]) -> Vec<T> {
    a.iter().zip(b).map(|(a, b)| a.mul_add(T::splat(alpha), *b * T::splat(beta))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: NewtonSchulz =
        NewtonSchulz { a: 3.4445, b: -4.775, c: 2.0315, steps: 5, eps: 1e-7, division: Division::Max };

    #[test]
    fn singular_values_come_near_one_and_vectors_stay() {
        // U diag(3, 0.5) Vᵀ with U a rotation by 0.3, and V the first two rows of a rotation in three dimensions.
        let (s, c) = (libm::sin(0.3), libm::cos(0.3));
        let (u, v) = ([[c, -s], [s, c]], [[0.6, 0.0, 0.8], [0.0, 1.0, 0.0]]);
        let build = |sigma: [f64; 2]| -> Vec<f64> {
            let entry = |i: usize, j: usize| (0..2).map(|k| u[i][k] * sigma[k] * v[k][j]).sum();
            (0..2).flat_map(|i| (0..3).map(move |j| (i, j))).map(|(i, j)| entry(i, j)).collect()
        };
        let scalar = |sigma: f64| {
            (0..5)
                .fold(sigma / libm::sqrt(9.25), |x: f64, _| 3.4445 * x - 4.775 * x * x * x + 2.0315 * x * x * x * x * x)
        };
        let mut wide = build([3.0, 0.5]);
        let mut tall = transposed(&wide, 2, 3);
        DEFAULT.orthogonalise(&mut wide, 2, 3);
        DEFAULT.orthogonalise(&mut tall, 3, 2);
        let expected = build([scalar(3.0), scalar(0.5)]);
        assert!((0.6..1.3).contains(&scalar(0.5)));
        for (found, expected) in [(&wide, &expected), (&tall, &transposed(&expected, 2, 3))] {
            assert!(found.iter().zip(expected).all(|(f, e)| (f - e).abs() < 1e-12), "{found:?}, expected {expected:?}");
        }
    }

    #[test]
    fn zeros_stay_zeros() {
        for division in [Division::Max, Division::Sum] {
            let mut matrix = [0.0f32; 6];
            NewtonSchulz { division, ..DEFAULT }.orthogonalise(&mut matrix, 3, 2);
            assert_eq!(matrix, [0.0; 6]);
        }
    }
}
