//! Losses of single outputs: value, and derivative with respect to the output.
//!
//! They are types and not closures, because `#[inline(always)]` cannot be put on a closure, and a call would leave the
//! kernel's instruction set.

use crate::kernel::Real;
use crate::nn::smooth::{clamp, logistic};

/// A loss of one output `z` with target `t`.
pub trait Element: Copy {
    /// The value, and its derivative with respect to `z`.
    fn at<R: Real>(self, z: R, t: R) -> (R, R);
}

/// `(z − t)²`.
#[derive(Clone, Copy)]
pub struct Squared;

impl Element for Squared {
    #[inline(always)]
    fn at<R: Real>(self, z: R, t: R) -> (R, R) {
        let d = z - t;
        (d * d, d + d)
    }
}

/// `|z − t|`. The derivative at 0 is 0.
#[derive(Clone, Copy)]
pub struct Absolute;

impl Element for Absolute {
    #[inline(always)]
    fn at<R: Real>(self, z: R, t: R) -> (R, R) {
        let (d, zero) = (z - t, R::splat(0.0));
        let sign = R::select(d.lt(zero), R::splat(-1.0), R::select(zero.lt(d), R::splat(1.0), d));
        (d.abs(), sign)
    }
}

/// `d²/2` where `|d| ≤ δ`, otherwise `δ (|d| − δ/2)`, with `d = z − t`. If `c` is `d` clamped to `±δ`, both are
/// `c (d − c/2)`.
#[derive(Clone, Copy)]
pub struct Huber {
    pub delta: f64,
}

impl Element for Huber {
    #[inline(always)]
    fn at<R: Real>(self, z: R, t: R) -> (R, R) {
        let d = z - t;
        let c = clamp(d, -self.delta, self.delta);
        (c * c.mul_add(R::splat(-0.5), d), c)
    }
}

/// `ln cosh d` with `d = z − t`, computed as `ln(1 + m² / (2 (1 + m)))` with `m = e^|d| − 1`, which is accurate near
/// zero and in the tails. For `|d|` above 40 it is linear, up to `e⁻⁸⁰`.
#[derive(Clone, Copy)]
pub struct LogCosh;

impl Element for LogCosh {
    #[inline(always)]
    fn at<R: Real>(self, z: R, t: R) -> (R, R) {
        let d = z - t;
        let bent = R::splat(40.0).min(d.abs());
        let m = bent.exp_m1();
        let cosh_m1 = m * m / (m + m + R::splat(2.0));
        (cosh_m1.ln_1p() + (d.abs() - bent), d.tanh())
    }
}

/// `eᶻ − t z`.
#[derive(Clone, Copy)]
pub struct Poisson;

impl Element for Poisson {
    #[inline(always)]
    fn at<R: Real>(self, z: R, t: R) -> (R, R) {
        let rate = z.exp();
        ((-t).mul_add(z, rate), rate - t)
    }
}

/// `−t ln s(z) − (1 − t) ln s(−z) = max(z, 0) − t z + ln(1 + e^−|z|)`.
#[derive(Clone, Copy)]
pub struct Bce;

impl Element for Bce {
    #[inline(always)]
    fn at<R: Real>(self, z: R, t: R) -> (R, R) {
        let s = logistic(z);
        let value = (-t).mul_add(z, R::splat(0.0).max(z)) + s.log;
        // s(z) − t, without cancellation where the prediction is certain and right
        (value, (R::splat(1.0) - t).mul_add(s.positive, -t * s.negative))
    }
}

/// `t a h(ln s(z)) + (1 − t) (1 − a) h(ln s(−z))` with `h` of [`modulated`]; without `a`, both factors are 1.
#[derive(Clone, Copy)]
pub struct Focal {
    pub gamma: f64,
    pub alpha: Option<f64>,
}

impl Element for Focal {
    #[inline(always)]
    fn at<R: Real>(self, z: R, t: R) -> (R, R) {
        let s = logistic(z);
        let zero = R::splat(0.0);
        let (value_1, slope_1) = modulated(zero.min(z) - s.log, self.gamma);
        let (value_0, slope_0) = modulated(zero.min(-z) - s.log, self.gamma);
        let share_1 = t * R::splat(self.alpha.unwrap_or(1.0));
        let share_0 = (R::splat(1.0) - t) * R::splat(self.alpha.map_or(1.0, |a| 1.0 - a));
        let derivative = (share_0 * slope_0).mul_add(s.positive, -share_1 * slope_1 * s.negative);
        (share_1.mul_add(value_1, share_0 * value_0), derivative)
    }
}

/// From `ln p ≤ 0`, the value `h = −(1 − p)^γ ln p` and `−dh / d ln p = (1 − p)^γ (1 − γ p ln p / (1 − p))`.
#[inline(always)]
pub fn modulated<R: Real>(log_p: R, gamma: f64) -> (R, R) {
    let rest = R::splat(0.0) - log_p.exp_m1(); // 1 − p
    let p = R::splat(1.0) - rest;
    let ratio = R::select(R::splat(0.0).lt(rest), log_p / rest, R::splat(-1.0));
    let factor = rest.powf(gamma);
    (-factor * log_p, factor * (R::splat(-gamma) * p).mul_add(ratio, R::splat(1.0)))
}
