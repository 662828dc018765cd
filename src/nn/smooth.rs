//! Common parts of activations and losses, without overflow or cancellation in their tails.

use crate::kernel::Real;

/// The logistic function of `z` and of `−z`.
#[derive(Clone, Copy)]
pub(crate) struct Logistic<R> {
    /// `s(z) = 1 / (1 + e⁻ᶻ)`.
    pub positive: R,
    /// `s(−z) = 1 − s(z)`, which keeps its relative precision where `s(z)` is near 1.
    pub negative: R,
    /// `ln(1 + e^−|z|)`, the small term that is common to `ln(1 + eᶻ)` and `ln(1 + e⁻ᶻ)`.
    pub log: R,
}

/// Computes [`Logistic`].
#[inline(always)]
pub(crate) fn logistic<R: Real>(z: R) -> Logistic<R> {
    let e = (-z.abs()).exp();
    let larger = R::splat(1.0) / (R::splat(1.0) + e);
    let smaller = e * larger;
    let below = z.lt(R::splat(0.0));
    Logistic {
        positive: R::select(below, smaller, larger),
        negative: R::select(below, larger, smaller),
        log: e.ln_1p(),
    }
}

/// `1 / (1 + e⁻ˣ)`. It underflows to 0 for large negative `x`; NaN stays NaN.
#[inline(always)]
pub(crate) fn sigmoid<R: Real>(x: R) -> R {
    R::splat(1.0) / (R::splat(1.0) + (-x).exp())
}

/// `x` clamped to `lo..=hi`; NaN stays NaN.
#[inline(always)]
pub(crate) fn clamp<R: Real>(x: R, lo: f64, hi: f64) -> R {
    R::splat(hi).min(R::splat(lo).max(x))
}

/// `value`, or NaN where `x` is NaN.
#[inline(always)]
pub(crate) fn nan_with<R: Real>(x: R, value: R) -> R {
    R::select(x.eq(x), value, x)
}
