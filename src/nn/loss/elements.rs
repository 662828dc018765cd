//! Losses of single outputs: value and derivative by the output.

use crate::kernel::Real;
use crate::nn::smooth::{clamp, logistic};

/// `d²`.
#[inline(always)]
pub fn squared<R: Real>(d: R) -> (R, R) {
    (d * d, d + d)
}

/// `|d|`; the derivative at 0 is 0.
#[inline(always)]
pub fn absolute<R: Real>(d: R) -> (R, R) {
    let zero = R::splat(0.0);
    let sign = R::select(d.lt(zero), R::splat(-1.0), R::select(zero.lt(d), R::splat(1.0), d));
    (d.abs(), sign)
}

/// `d²/2` where `|d| ≤ δ`, else `δ (|d| − δ/2)`: with `c` the clamped `d`, `c (d − c/2)` in both cases.
#[inline(always)]
pub fn huber<R: Real>(d: R, delta: f64) -> (R, R) {
    let c = clamp(d, -delta, delta);
    (c * c.mul_add(R::splat(-0.5), d), c)
}

/// `ln cosh d`, as `ln(1 + m² / (2 (1 + m)))` with `m = e^|d| − 1`, which is good near zero and in the tail; from 40 on
/// it is a straight line to `e⁻⁸⁰`.
#[inline(always)]
pub fn log_cosh<R: Real>(d: R) -> (R, R) {
    let bent = R::splat(40.0).min(d.abs());
    let m = bent.exp_m1();
    let cosh_m1 = m * m / (m + m + R::splat(2.0));
    (cosh_m1.ln_1p() + (d.abs() - bent), d.tanh())
}

/// `eᶻ − t z`.
#[inline(always)]
pub fn poisson<R: Real>(z: R, t: R) -> (R, R) {
    let rate = z.exp();
    ((-t).mul_add(z, rate), rate - t)
}

/// `−t ln s(z) − (1 − t) ln s(−z) = max(z, 0) − t z + ln(1 + e^−|z|)`.
#[inline(always)]
pub fn bce<R: Real>(z: R, t: R) -> (R, R) {
    let s = logistic(z);
    let value = (-t).mul_add(z, R::splat(0.0).max(z)) + s.log;
    // s(z) − t, without cancellation where a sure answer is right
    (value, (R::splat(1.0) - t).mul_add(s.positive, -t * s.negative))
}

/// `t a focal(ln s(z)) + (1 − t) (1 − a) focal(ln s(−z))`; without `a`, both factors are 1.
#[inline(always)]
pub fn focal<R: Real>(z: R, t: R, gamma: f64, alpha: Option<f64>) -> (R, R) {
    let s = logistic(z);
    let zero = R::splat(0.0);
    let (value_1, slope_1) = modulated(zero.min(z) - s.log, gamma);
    let (value_0, slope_0) = modulated(zero.min(-z) - s.log, gamma);
    let share_1 = t * R::splat(alpha.unwrap_or(1.0));
    let share_0 = (R::splat(1.0) - t) * R::splat(alpha.map_or(1.0, |a| 1.0 - a));
    let derivative = (share_0 * slope_0).mul_add(s.positive, -share_1 * slope_1 * s.negative);
    (share_1.mul_add(value_1, share_0 * value_0), derivative)
}

/// `h = −(1 − p)^γ ln p` from `ln p ≤ 0`, and `−dh / d ln p = (1 − p)^γ (1 − γ p ln p / (1 − p))`.
#[inline(always)]
pub fn modulated<R: Real>(log_p: R, gamma: f64) -> (R, R) {
    let rest = R::splat(0.0) - log_p.exp_m1(); // 1 − p
    let p = R::splat(1.0) - rest;
    let ratio = R::select(R::splat(0.0).lt(rest), log_p / rest, R::splat(-1.0));
    let factor = rest.powf(gamma);
    (-factor * log_p, factor * (R::splat(-gamma) * p).mul_add(ratio, R::splat(1.0)))
}
