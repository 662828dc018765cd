//! 16 lanes of the crate `wide`: the portable form, in the vectors of the compilation target, without run-time detection.
//!
//! If the target has no fused multiply-add, `mul_add` rounds twice. Bits are then still equal for any number of threads, but
//! differ from those of the other forms.

use std::ops::{Add, Div, Mul, Neg, Sub};

use bytemuck::cast;
use wide::{f32x16, i32x16};

use super::lanes::Lanes;
use super::line::Line;
use super::math;
use super::real::Real;

/// One `f32x16`.
#[derive(Clone, Copy)]
pub(crate) struct Wide(f32x16);

macro_rules! operator {
    ($trait:ident, $method:ident) => {
        impl $trait for Wide {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Wide(self.0.$method(other.0))
            }
        }
    };
}
operator!(Add, add);
operator!(Sub, sub);
operator!(Mul, mul);
operator!(Div, div);

impl Neg for Wide {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Wide(self.0 ^ f32x16::splat(-0.0))
    }
}

impl Real for Wide {
    type Mask = f32x16;

    #[inline(always)]
    fn splat(x: f64) -> Self {
        Self::broadcast(x as f32)
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        Wide(self.0.mul_add(a.0, b.0))
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Wide(self.0.sqrt())
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Wide(self.0.abs())
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Self::select(other.lt(self), self, other)
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Self::select(self.lt(other), self, other)
    }
    #[inline(always)]
    fn lt(self, other: Self) -> f32x16 {
        self.0.simd_lt(other.0)
    }
    #[inline(always)]
    fn eq(self, other: Self) -> f32x16 {
        self.0.simd_eq(other.0)
    }
    #[inline(always)]
    fn select(mask: f32x16, yes: Self, no: Self) -> Self {
        Wide(mask.bitselect(yes.0, no.0))
    }
    math::real_by_polynomials!();
}

impl Lanes for Wide {
    const MANY_REGISTERS: bool = false;

    #[inline(always)]
    unsafe fn load_ptr(from: *const f32) -> Self {
        // SAFETY: the caller guarantees 64 readable bytes.
        Wide(f32x16::new(unsafe { from.cast::<[f32; 16]>().read_unaligned() }))
    }
    #[inline(always)]
    unsafe fn store_ptr(self, to: *mut f32) {
        // SAFETY: the caller guarantees 64 writable bytes.
        unsafe { to.cast::<[f32; 16]>().write_unaligned(self.0.to_array()) }
    }
    #[inline(always)]
    fn prefetch_to_write(_: *const Line) {} // no portable instruction
    #[inline(always)]
    fn prefetch_to_read(_: *const f32) {}
    #[inline(always)]
    fn from_bytes(bytes: &[u8; 16]) -> Self {
        Wide(f32x16::new(bytes.map(f32::from)))
    }
    #[inline(always)]
    fn broadcast(x: f32) -> Self {
        Wide(f32x16::splat(x))
    }
    #[inline(always)]
    fn round(self) -> Self {
        Wide(self.0.round_ties_even())
    }
    #[inline(always)]
    fn exp2_int(self) -> Self {
        let n: [f32; 16] = self.0.to_array();
        Wide(f32x16::new(n.map(|n| f32::from_bits((((n as i32).wrapping_add(127)) << 23) as u32))))
    }
    #[inline(always)]
    fn split_exponent(self) -> (Self, Self) {
        let bits: i32x16 = cast(self.0);
        let e: i32x16 = (bits - i32x16::splat(math::ROOT_HALF_BITS)) >> 23;
        let m: f32x16 = cast(bits - (e << 23));
        (Wide(m), Wide(f32x16::from_i32x16(e)))
    }
    #[inline(always)]
    fn transpose(block: &mut [Self; 16]) {
        let rows = f32x16::transpose(block.map(|v| v.0));
        *block = rows.map(Wide);
    }
}
