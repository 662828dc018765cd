//! Sums over long vectors, in `f64` and in an order that depends on the length only.

use crate::kernel::{LANES, Real};

/// `Σ term(a, b)` over 16 partial sums, added in their order.
fn sum<T: Copy>(a: &[T], b: &[T], term: impl Fn(T, T) -> f64) -> f64 {
    assert_eq!(a.len(), b.len());
    let mut sums = [0.0; LANES];
    let (a, b) = (a.chunks(LANES), b.chunks(LANES));
    for (a, b) in a.zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += term(*a, *b);
        }
    }
    sums.iter().sum()
}

/// `a · b`.
pub(super) fn dot<T: Real + Into<f64>>(a: &[T], b: &[T]) -> f64 {
    sum(a, b, |a, b| -> f64 { a.into() * b.into() })
}

/// `Σ |a|`.
pub(super) fn sum_of_sizes<T: Real + Into<f64>>(a: &[T]) -> f64 {
    sum(a, a, |a, _| a.abs().into())
}

/// `max |a|`.
pub(super) fn largest<T: Real + Into<f64>>(a: &[T]) -> f64 {
    a.iter().fold(T::splat(0.0), |most, a| most.max(a.abs())).into()
}

/// `to ← to + factor · x`, rounded twice: fused multiply-add would be a function call if the compilation target lacks it.
pub(super) fn add_scaled<T: Real>(to: &mut [T], factor: f64, x: &[T]) {
    let factor = T::splat(factor);
    to.iter_mut().zip(x).for_each(|(to, x)| *to = *to + *x * factor);
}
