//! Pieces that activations and losses share, without overflow or cancellation in their tails.

use crate::kernel::Real;

/// `1 / (1 + e⁻ˣ)`; underflows to 0 on the left, NaN stays NaN.
#[inline(always)]
pub(crate) fn sigmoid<R: Real>(x: R) -> R {
    R::splat(1.0) / (R::splat(1.0) + (-x).exp())
}

/// `x` held within `lo..=hi`; NaN stays NaN.
#[inline(always)]
pub(crate) fn clamp<R: Real>(x: R, lo: f64, hi: f64) -> R {
    R::splat(hi).min(R::splat(lo).max(x))
}

/// `value`, or NaN where `x` is NaN.
#[inline(always)]
pub(crate) fn nan_with<R: Real>(x: R, value: R) -> R {
    R::select(x.eq(x), value, x)
}
