//! The formulas of the activations, each written once for all types of numbers.
//!
//! Values at ±∞ are the limits, a value at NaN is NaN, and no formula overflows or cancels in its tails. At a kink, the
//! derivative is PyTorch's: 0 for clamping functions (ReLU among them), the left derivative for leaky ReLU, ELU and
//! SELU.

use std::f64::consts::FRAC_1_SQRT_2;

use crate::kernel::Real;
use crate::nn::smooth::{clamp, nan_with, sigmoid};

/// An activation's formula and its derivative.
pub trait Function: Copy + Send + Sync {
    /// Whether [`Function::derivative`] reads `x`. If not, it computes the derivative from `y` alone.
    const DERIVATIVE_USES_INPUT: bool;
    /// `y = f(x)`.
    fn value<R: Real>(&self, x: R) -> R;
    /// `f′(x)`, given the pre-activation `x` and the output `y = f(x)`.
    fn derivative<R: Real>(&self, x: R, y: R) -> R;
}

/// `√(2/π)`.
const SQRT_2_OVER_PI: f64 = 0.797_884_560_802_865_4;
/// `1/√(2π)`.
const FRAC_1_SQRT_2PI: f64 = 0.398_942_280_401_432_7;
/// Cubic coefficient of the tanh form of GELU.
const GELU_CUBIC: f64 = 0.044_715;
/// SELU's `α`, from Klambauer et al. 2017.
const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;
/// SELU's scale, from Klambauer et al. 2017.
const SELU_SCALE: f64 = 1.050_700_987_355_480_5;
/// For `x` below −1000, `x s(x)` and similar products have underflowed to 0. Clamping `x` there avoids `−∞ · 0`, which
/// is NaN.
const UNDERFLOWN: f64 = -1000.0;

/// `x`.
#[derive(Debug, Clone, Copy)]
pub struct Identity;

impl Function for Identity {
    const DERIVATIVE_USES_INPUT: bool = false;
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        x
    }
    #[inline(always)]
    fn derivative<R: Real>(&self, _: R, _: R) -> R {
        R::splat(1.0)
    }
}

/// `max(0, x)`.
#[derive(Debug, Clone, Copy)]
pub struct Relu;

impl Function for Relu {
    const DERIVATIVE_USES_INPUT: bool = false;
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        R::splat(0.0).max(x)
    }
    #[inline(always)]
    fn derivative<R: Real>(&self, _: R, y: R) -> R {
        R::select(R::splat(0.0).lt(y), R::splat(1.0), y) // otherwise y is 0 or NaN
    }
}

/// `x` if `x > 0`, else `slope · x`: Maas et al. 2013.
#[derive(Debug, Clone, Copy)]
pub struct LeakyRelu {
    /// Factor for negative inputs, at least 0.
    pub slope: f64,
}

impl Function for LeakyRelu {
    const DERIVATIVE_USES_INPUT: bool = false;
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        R::select(R::splat(0.0).lt(x), x, x * R::splat(self.slope))
    }
    #[inline(always)]
    fn derivative<R: Real>(&self, _: R, y: R) -> R {
        nan_with(y, R::select(R::splat(0.0).lt(y), R::splat(1.0), R::splat(self.slope)))
    }
}

/// `x` if `x > 0`, else `α (eˣ − 1)`: Clevert et al. 2016, <https://arxiv.org/abs/1511.07289>.
#[derive(Debug, Clone, Copy)]
pub struct Elu {
    /// The limit at −∞ is `−alpha`; at least 0.
    pub alpha: f64,
}

impl Function for Elu {
    const DERIVATIVE_USES_INPUT: bool = false;
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        R::select(R::splat(0.0).lt(x), x, x.exp_m1() * R::splat(self.alpha))
    }
    #[inline(always)]
    fn derivative<R: Real>(&self, _: R, y: R) -> R {
        // α eˣ = y + α
        R::select(R::splat(0.0).lt(y), R::splat(1.0), y + R::splat(self.alpha))
    }
}

/// `scale · x` if `x > 0`, else `scale · α (eˣ − 1)`: Klambauer et al. 2017, <https://arxiv.org/abs/1706.02515>.
#[derive(Debug, Clone, Copy)]
pub struct Selu;

impl Function for Selu {
    const DERIVATIVE_USES_INPUT: bool = false;
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        R::select(R::splat(0.0).lt(x), x * R::splat(SELU_SCALE), x.exp_m1() * R::splat(SELU_SCALE * SELU_ALPHA))
    }
    #[inline(always)]
    fn derivative<R: Real>(&self, _: R, y: R) -> R {
        R::select(R::splat(0.0).lt(y), R::splat(SELU_SCALE), y + R::splat(SELU_SCALE * SELU_ALPHA))
    }
}

/// `x Φ(x)`, `Φ` the normal distribution function: Hendrycks & Gimpel 2016, <https://arxiv.org/abs/1606.08415>.
#[derive(Debug, Clone, Copy)]
pub struct Gelu;

impl Function for Gelu {
    const DERIVATIVE_USES_INPUT: bool = true;
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        let x = R::splat(UNDERFLOWN).max(x);
        // Φ(x) = erfc(−x/√2) / 2, which does not cancel for negative x
        R::splat(0.5) * x * (x * R::splat(-FRAC_1_SQRT_2)).erfc()
    }
    #[inline(always)]
    fn derivative<R: Real>(&self, x: R, _: R) -> R {
        let x = clamp(x, -40.0, 40.0);
        let density = (R::splat(-0.5) * x * x).exp() * R::splat(FRAC_1_SQRT_2PI);
        x.mul_add(density, R::splat(0.5) * (x * R::splat(-FRAC_1_SQRT_2)).erfc())
    }
}

/// `x/2 (1 + tanh u)` with `u = √(2/π) (x + 0.044715 x³)`, which is `x s(2u)` with the logistic function `s`.
#[derive(Debug, Clone, Copy)]
pub struct GeluTanh;

impl Function for GeluTanh {
    const DERIVATIVE_USES_INPUT: bool = true;
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        let x = R::splat(UNDERFLOWN).max(x);
        let two_u = x * (x * x).mul_add(R::splat(2.0 * SQRT_2_OVER_PI * GELU_CUBIC), R::splat(2.0 * SQRT_2_OVER_PI));
        x * sigmoid(two_u)
    }
    #[inline(always)]
    fn derivative<R: Real>(&self, x: R, _: R) -> R {
        // s(2u) + x s(2u) s(−2u) (2u)′. Beyond ±10 it is constant up to e⁻⁸⁷, and e⁸⁷ is still finite in f32.
        let x = clamp(x, -10.0, 10.0);
        let (c1, c3) = (2.0 * SQRT_2_OVER_PI, 2.0 * SQRT_2_OVER_PI * GELU_CUBIC);
        let square = x * x;
        let e = (-x * square.mul_add(R::splat(c3), R::splat(c1))).exp();
        let s = R::splat(1.0) / (R::splat(1.0) + e);
        let slope = square.mul_add(R::splat(3.0 * c3), R::splat(c1));
        s * (x * (e * s)).mul_add(slope, R::splat(1.0))
    }
}

/// `x s(x)`, `s` the logistic function; also called swish: Ramachandran et al. 2017, <https://arxiv.org/abs/1710.05941>.
#[derive(Debug, Clone, Copy)]
pub struct Silu;

impl Function for Silu {
    const DERIVATIVE_USES_INPUT: bool = true;
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        let x = R::splat(UNDERFLOWN).max(x);
        x / (R::splat(1.0) + (-x).exp())
    }
    #[inline(always)]
    fn derivative<R: Real>(&self, x: R, _: R) -> R {
        // s(x) (1 + x s(−x)). Beyond ±80 it is 0 or 1 up to e⁻⁸⁰.
        let x = clamp(x, -80.0, 80.0);
        let e = (-x).exp();
        let s = R::splat(1.0) / (R::splat(1.0) + e);
        s * (x * e).mul_add(s, R::splat(1.0))
    }
}

/// `x tanh(ln(1 + eˣ))`, which is `x n / (n + 2)` with `n = eˣ (eˣ + 2)`: Misra 2019, <https://arxiv.org/abs/1908.08681>.
#[derive(Debug, Clone, Copy)]
pub struct Mish;

impl Function for Mish {
    const DERIVATIVE_USES_INPUT: bool = true;
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        let x = R::splat(UNDERFLOWN).max(x);
        let e = R::splat(22.0).min(x).exp(); // from 22 on, the factor is 1 up to e⁻⁴⁴
        let n = e * (e + R::splat(2.0));
        x * (n / (n + R::splat(2.0)))
    }
    #[inline(always)]
    fn derivative<R: Real>(&self, x: R, _: R) -> R {
        // n/(n+2) + x · 2n′/(n+2)², n′ = 2 eˣ (eˣ + 1). At x = 22, (n+2)² is still finite in f32.
        let x = clamp(x, -80.0, 22.0);
        let e = x.exp();
        let n = e * (e + R::splat(2.0));
        let reciprocal = R::splat(1.0) / (n + R::splat(2.0));
        let slope = R::splat(4.0) * e * (e + R::splat(1.0)) * reciprocal * reciprocal;
        x.mul_add(slope, n * reciprocal)
    }
}

/// `ln(1 + eˣ)`.
#[derive(Debug, Clone, Copy)]
pub struct Softplus;

impl Function for Softplus {
    const DERIVATIVE_USES_INPUT: bool = false;
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        R::splat(0.0).max(x) + (-x.abs()).exp().ln_1p()
    }
    #[inline(always)]
    fn derivative<R: Real>(&self, _: R, y: R) -> R {
        // s(x) = 1 − e⁻ʸ
        -(-y).exp_m1()
    }
}

/// The logistic function `1 / (1 + e⁻ˣ)`.
#[derive(Debug, Clone, Copy)]
pub struct Sigmoid;

impl Function for Sigmoid {
    const DERIVATIVE_USES_INPUT: bool = false;
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        sigmoid(x)
    }
    #[inline(always)]
    fn derivative<R: Real>(&self, _: R, y: R) -> R {
        y * (R::splat(1.0) - y)
    }
}

/// The hyperbolic tangent.
#[derive(Debug, Clone, Copy)]
pub struct Tanh;

impl Function for Tanh {
    const DERIVATIVE_USES_INPUT: bool = false;
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        x.tanh()
    }
    #[inline(always)]
    fn derivative<R: Real>(&self, _: R, y: R) -> R {
        y.mul_add(-y, R::splat(1.0))
    }
}

/// `min(max(0, x + 3), 6) / 6`.
#[derive(Debug, Clone, Copy)]
pub struct HardSigmoid;

impl Function for HardSigmoid {
    const DERIVATIVE_USES_INPUT: bool = false;
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        clamp(x + R::splat(3.0), 0.0, 6.0) * R::splat(1.0 / 6.0)
    }
    #[inline(always)]
    fn derivative<R: Real>(&self, _: R, y: R) -> R {
        let rising = R::select(y.lt(R::splat(1.0)), R::splat(1.0 / 6.0), R::splat(0.0));
        R::select(R::splat(0.0).lt(y), rising, y) // otherwise y is 0 or NaN
    }
}

/// `min(max(−1, x), 1)`.
#[derive(Debug, Clone, Copy)]
pub struct HardTanh;

impl Function for HardTanh {
    const DERIVATIVE_USES_INPUT: bool = false;
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        clamp(x, -1.0, 1.0)
    }
    #[inline(always)]
    fn derivative<R: Real>(&self, _: R, y: R) -> R {
        nan_with(y, R::select(y.abs().lt(R::splat(1.0)), R::splat(1.0), R::splat(0.0)))
    }
}

/// `min(max(0, x), 6)`.
#[derive(Debug, Clone, Copy)]
pub struct Relu6;

impl Function for Relu6 {
    const DERIVATIVE_USES_INPUT: bool = false;
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        clamp(x, 0.0, 6.0)
    }
    #[inline(always)]
    fn derivative<R: Real>(&self, _: R, y: R) -> R {
        let rising = R::select(y.lt(R::splat(6.0)), R::splat(1.0), R::splat(0.0));
        R::select(R::splat(0.0).lt(y), rising, y) // otherwise y is 0 or NaN
    }
}

/// `x / (1 + |x|)`.
#[derive(Debug, Clone, Copy)]
pub struct Softsign;

impl Function for Softsign {
    const DERIVATIVE_USES_INPUT: bool = false;
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        let x = clamp(x, -1e30, 1e30); // the result is ±1 long before; clamping avoids ∞/∞
        x / (R::splat(1.0) + x.abs())
    }
    #[inline(always)]
    fn derivative<R: Real>(&self, _: R, y: R) -> R {
        let rest = R::splat(1.0) - y.abs(); // 1 / (1 + |x|)
        rest * rest
    }
}
