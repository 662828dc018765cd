//! One formula for three kinds of number: `f64` to check it, `f32` as the scalar form, 16 lanes to run it.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// A real number, or a vector of 16 of them. The formulas of activations, losses, norms and optimizers are written once over
/// this trait. `f64` and `f32` are the scalar definition; tests compare the vector forms with them.
///
/// Every operation is IEEE-exact in every form, except the transcendental ones. Their vector forms are polynomials (see
/// `kernel::math`) that agree with the scalar forms within the number of ulps stated in the tests.
pub trait Real:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + Neg<Output = Self>
{
    /// The result of a comparison, one for each lane.
    type Mask: Copy;

    /// The constant `x` (in each lane), rounded to the form's precision.
    fn splat(x: f64) -> Self;
    /// `self · a + b`, rounded once.
    fn mul_add(self, a: Self, b: Self) -> Self;
    /// Square root, correctly rounded.
    fn sqrt(self) -> Self;
    /// Absolute value.
    fn abs(self) -> Self;
    /// `if self > other { self } else { other }`: `other` where either is NaN.
    fn max(self, other: Self) -> Self;
    /// `if self < other { self } else { other }`: `other` where either is NaN.
    fn min(self, other: Self) -> Self;
    /// `self < other`, false where either is NaN.
    fn lt(self, other: Self) -> Self::Mask;
    /// `self == other`, false where either is NaN.
    fn eq(self, other: Self) -> Self::Mask;
    /// `yes` where `mask` holds, else `no`.
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;
    /// `eˣ`.
    fn exp(self) -> Self;
    /// `eˣ − 1`, accurate near zero.
    fn exp_m1(self) -> Self;
    /// Natural logarithm.
    fn ln(self) -> Self;
    /// `ln(1 + x)`, accurate near zero.
    fn ln_1p(self) -> Self;
    /// Hyperbolic tangent.
    fn tanh(self) -> Self;
    /// Error function `2/√π ∫₀ˣ exp(−t²) dt`.
    fn erf(self) -> Self;
    /// Complementary error function `1 − erf(x)`, accurate in the right tail.
    fn erfc(self) -> Self;
    /// `x` to a constant power, for `x ≥ 0`: `exp(p · ln x)`, and 0 at 0 for `p > 0`, 1 for `p = 0`.
    fn powf(self, p: f64) -> Self;
}

macro_rules! scalar {
    ($t:ty, $exp:path, $expm1:path, $log:path, $log1p:path, $tanh:path, $erf:path, $erfc:path, $pow:path, $fma:path) => {
        impl Real for $t {
            type Mask = bool;
            #[inline(always)]
            fn splat(x: f64) -> Self {
                x as $t
            }
            #[inline(always)]
            fn mul_add(self, a: Self, b: Self) -> Self {
                $fma(self, a, b)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                self.sqrt()
            }
            #[inline(always)]
            fn abs(self) -> Self {
                self.abs()
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                if self > other { self } else { other }
            }
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                if self < other { self } else { other }
            }
            #[inline(always)]
            fn lt(self, other: Self) -> bool {
                self < other
            }
            #[inline(always)]
            fn eq(self, other: Self) -> bool {
                self == other
            }
            #[inline(always)]
            fn select(mask: bool, yes: Self, no: Self) -> Self {
                if mask { yes } else { no }
            }
            fn exp(self) -> Self {
                $exp(self)
            }
            fn exp_m1(self) -> Self {
                $expm1(self)
            }
            fn ln(self) -> Self {
                $log(self)
            }
            fn ln_1p(self) -> Self {
                $log1p(self)
            }
            fn tanh(self) -> Self {
                $tanh(self)
            }
            fn erf(self) -> Self {
                $erf(self)
            }
            fn erfc(self) -> Self {
                $erfc(self)
            }
            fn powf(self, p: f64) -> Self {
                $pow(self, p as $t)
            }
        }
    };
}

// `libm` is plain Rust, so these values do not depend on the platform's C library or on the Rust version.
scalar!(
    f64,
    libm::exp,
    libm::expm1,
    libm::log,
    libm::log1p,
    libm::tanh,
    libm::erf,
    libm::erfc,
    libm::pow,
    f64::mul_add
);
scalar!(
    f32,
    libm::expf,
    libm::expm1f,
    libm::logf,
    libm::log1pf,
    libm::tanhf,
    libm::erff,
    libm::erfcf,
    libm::powf,
    f32::mul_add
);
