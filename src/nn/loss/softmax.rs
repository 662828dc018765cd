//! Losses of mutually exclusive classes: cross-entropy and focal loss on a softmax.

use super::Shares;
use super::elements::modulated;
use crate::kernel::Real;
use crate::nn::column::{ColumnMut, OutputColumn};

/// Writes `e^(z − max z)` to `out` and returns the maximum and the sum. Subtracting the maximum avoids overflow.
#[inline(always)]
pub fn shifted_exp<R: Real, Z: OutputColumn<R> + ?Sized, D: ColumnMut<R> + ?Sized>(z: &Z, out: &mut D) -> (R, R) {
    let mut max = z.get(0);
    for c in 1..z.len() {
        max = max.max(z.get(c));
    }
    let mut sum = R::splat(0.0);
    for c in 0..z.len() {
        let e = (z.get(c) - max).exp();
        sum = sum + e;
        out.set(c, e);
    }
    (max, sum)
}

/// `−Σ q_c ln p_c` with `p = softmax(z)`. The gradient is `(Σ q) p − q`.
#[inline(always)]
pub fn cross_entropy<R, Z, C, D>(z: &Z, q: &Shares<'_, R, C>, dz: &mut D) -> R
where
    R: Real,
    Z: OutputColumn<R> + ?Sized,
    C: OutputColumn<R> + ?Sized,
    D: ColumnMut<R> + ?Sized,
{
    let (max, sum) = shifted_exp(z, dz);
    let log_sum = sum.ln();
    let (mut loss, mut mass) = (R::splat(0.0), R::splat(0.0));
    for c in 0..z.len() {
        let q = q.at(c);
        mass = mass + q;
        loss = q.mul_add(log_sum - (z.get(c) - max), loss);
    }
    let scale = mass / sum;
    for c in 0..z.len() {
        dz.set(c, dz.get(c).mul_add(scale, -q.at(c)));
    }
    loss
}

/// `Σ q_c h(ln p_c)` with `h(ln p) = −(1 − p)^γ ln p`. With `g = −dh / d ln p`, the gradient is
/// `p_k Σ q_c g_c − q_k g_k`.
#[inline(always)]
pub fn focal<R, Z, C, D>(z: &Z, q: &Shares<'_, R, C>, gamma: f64, dz: &mut D) -> R
where
    R: Real,
    Z: OutputColumn<R> + ?Sized,
    C: OutputColumn<R> + ?Sized,
    D: ColumnMut<R> + ?Sized,
{
    let (max, sum) = shifted_exp(z, dz);
    let log_sum = sum.ln();
    let (mut loss, mut pull) = (R::splat(0.0), R::splat(0.0));
    for c in 0..z.len() {
        let (value, slope) = modulated((z.get(c) - max) - log_sum, gamma);
        loss = q.at(c).mul_add(value, loss);
        pull = q.at(c).mul_add(slope, pull);
    }
    let scale = pull / sum;
    for c in 0..z.len() {
        let (_, slope) = modulated((z.get(c) - max) - log_sum, gamma);
        dz.set(c, dz.get(c).mul_add(scale, -q.at(c) * slope));
    }
    loss
}
