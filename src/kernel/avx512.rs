//! 16 lanes as one AVX-512 register.

use std::arch::asm;
use std::arch::x86_64::*;
use std::ops::{Add, Div, Mul, Neg, Sub};

use super::lanes::Lanes;
use super::line::Line;
use super::math;
use super::real::Real;

/// One 512-bit register.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(__m512);

macro_rules! operator {
    ($trait:ident, $method:ident, $intrinsic:ident) => {
        impl $trait for Avx512 {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                // SAFETY: values exist only inside `Isa::run`, which found AVX-512.
                unsafe { Avx512($intrinsic(self.0, other.0)) }
            }
        }
    };
}
operator!(Add, add, _mm512_add_ps);
operator!(Sub, sub, _mm512_sub_ps);
operator!(Mul, mul, _mm512_mul_ps);
operator!(Div, div, _mm512_div_ps);

impl Neg for Avx512 {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        // SAFETY: as for the operators above.
        unsafe { Avx512(_mm512_xor_ps(self.0, _mm512_set1_ps(-0.0))) }
    }
}

// SAFETY of every block below: values exist only inside `Isa::run`, which found AVX-512F and DQ on this CPU.
#[allow(clippy::undocumented_unsafe_blocks)]
impl Real for Avx512 {
    type Mask = __mmask16;

    #[inline(always)]
    fn splat(x: f64) -> Self {
        unsafe { Avx512(_mm512_set1_ps(x as f32)) }
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        unsafe { Avx512(_mm512_fmadd_ps(self.0, a.0, b.0)) }
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        unsafe { Avx512(_mm512_sqrt_ps(self.0)) }
    }
    #[inline(always)]
    fn abs(self) -> Self {
        unsafe { Avx512(_mm512_abs_ps(self.0)) }
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        unsafe { Avx512(_mm512_max_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        unsafe { Avx512(_mm512_min_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn lt(self, other: Self) -> __mmask16 {
        unsafe { _mm512_cmp_ps_mask::<_CMP_LT_OQ>(self.0, other.0) }
    }
    #[inline(always)]
    fn eq(self, other: Self) -> __mmask16 {
        unsafe { _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(self.0, other.0) }
    }
    #[inline(always)]
    fn select(mask: __mmask16, yes: Self, no: Self) -> Self {
        unsafe { Avx512(_mm512_mask_blend_ps(mask, no.0, yes.0)) }
    }
    math::real_by_polynomials!();
}

#[allow(clippy::undocumented_unsafe_blocks)] // SAFETY: as above
impl Lanes for Avx512 {
    const MANY_REGISTERS: bool = true;

    #[inline(always)]
    #[allow(clippy::pointers_in_nomem_asm_block)] // nothing is read or written there
    fn opaque(address: *const f32) -> *const f32 {
        let mut same = address;
        // Not `pure`: the compiler must not merge equal calls, or every vector would share one read of a factor.
        // SAFETY: no instruction at all.
        unsafe { asm!("/* {} */", inout(reg) same, options(nomem, nostack, preserves_flags)) };
        same
    }

    #[inline(always)]
    unsafe fn load_ptr(from: *const f32) -> Self {
        unsafe { Avx512(_mm512_loadu_ps(from)) }
    }
    #[inline(always)]
    unsafe fn store_ptr(self, to: *mut f32) {
        unsafe { _mm512_storeu_ps(to, self.0) }
    }
    #[inline(always)]
    fn prefetch_to_write(line: *const Line) {
        super::prefetch::to_write(line);
    }
    #[inline(always)]
    fn prefetch_to_read(at: *const f32) {
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) };
    }
    #[inline(always)]
    fn from_bytes(bytes: &[u8; 16]) -> Self {
        unsafe { Avx512(_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(bytes.as_ptr().cast())))) }
    }
    #[inline(always)]
    fn broadcast(x: f32) -> Self {
        unsafe { Avx512(_mm512_set1_ps(x)) }
    }
    #[inline(always)]
    fn round(self) -> Self {
        unsafe { Avx512(_mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self.0)) }
    }
    #[inline(always)]
    fn exp2_int(self) -> Self {
        unsafe {
            let biased = _mm512_add_epi32(_mm512_cvtps_epi32(self.0), _mm512_set1_epi32(127));
            Avx512(_mm512_castsi512_ps(_mm512_slli_epi32::<23>(biased)))
        }
    }
    #[inline(always)]
    fn split_exponent(self) -> (Self, Self) {
        unsafe {
            let bits = _mm512_castps_si512(self.0);
            let root_half = _mm512_set1_epi32(math::ROOT_HALF_BITS);
            let e = _mm512_srai_epi32::<23>(_mm512_sub_epi32(bits, root_half));
            let m = _mm512_sub_epi32(bits, _mm512_slli_epi32::<23>(e));
            (Avx512(_mm512_castsi512_ps(m)), Avx512(_mm512_cvtepi32_ps(e)))
        }
    }
    #[inline(always)]
    fn transpose(block: &mut [Self; 16]) {
        unsafe {
            // Pairs of rows interleaved by 1, by 2, then by whole quarters.
            let mut t = [_mm512_setzero_ps(); 16];
            for i in 0..8 {
                t[2 * i] = _mm512_unpacklo_ps(block[2 * i].0, block[2 * i + 1].0);
                t[2 * i + 1] = _mm512_unpackhi_ps(block[2 * i].0, block[2 * i + 1].0);
            }
            let pd = |x: __m512| _mm512_castps_pd(x);
            let mut u = [_mm512_setzero_ps(); 16];
            for i in 0..4 {
                let (a, b, c, d) = (pd(t[4 * i]), pd(t[4 * i + 1]), pd(t[4 * i + 2]), pd(t[4 * i + 3]));
                u[4 * i] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, c));
                u[4 * i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, c));
                u[4 * i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(b, d));
                u[4 * i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(b, d));
            }
            for i in 0..4 {
                let low = _mm512_shuffle_f32x4::<0x88>(u[i], u[4 + i]);
                let high = _mm512_shuffle_f32x4::<0xdd>(u[i], u[4 + i]);
                let low2 = _mm512_shuffle_f32x4::<0x88>(u[8 + i], u[12 + i]);
                let high2 = _mm512_shuffle_f32x4::<0xdd>(u[8 + i], u[12 + i]);
                block[i].0 = _mm512_shuffle_f32x4::<0x88>(low, low2);
                block[8 + i].0 = _mm512_shuffle_f32x4::<0xdd>(low, low2);
                block[4 + i].0 = _mm512_shuffle_f32x4::<0x88>(high, high2);
                block[12 + i].0 = _mm512_shuffle_f32x4::<0xdd>(high, high2);
            }
        }
    }
}
