//! Pieces that activations and losses share, without overflow or cancellation in their tails.

use crate::kernel::Real;

/// The logistic function on both sides of a logit.
#[derive(Clone, Copy)]
pub(crate) struct Logistic<R> {
    /// `s(z) = 1 / (1 + e⁻ᶻ)`.
    pub positive: R,
    /// `s(−z) = 1 − s(z)`, not rounded away where `s(z)` is near 1.
    pub negative: R,
    /// `ln(1 + e^−|z|)`, the part of both soft-plus forms that is small.
    pub log: R,
}

/// The logistic function of `z` and of `−z`, and the logarithm that both share.
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
