//! 16 lanes as two AVX2 registers.

use std::arch::x86_64::*;
use std::ops::{Add, Div, Mul, Neg, Sub};

use super::lanes::Lanes;
use super::line::Line;
use super::math;
use super::real::Real;

/// Two 256-bit registers, lanes 0 to 7 first.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(__m256, __m256);

macro_rules! operator {
    ($trait:ident, $method:ident, $intrinsic:ident) => {
        impl $trait for Avx2 {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                // SAFETY: values exist only inside `Isa::run`, which found AVX2 and FMA.
                unsafe { Avx2($intrinsic(self.0, other.0), $intrinsic(self.1, other.1)) }
            }
        }
    };
}
operator!(Add, add, _mm256_add_ps);
operator!(Sub, sub, _mm256_sub_ps);
operator!(Mul, mul, _mm256_mul_ps);
operator!(Div, div, _mm256_div_ps);

impl Avx2 {
    #[inline(always)]
    fn map(self, f: impl Fn(__m256) -> __m256) -> Self {
        Avx2(f(self.0), f(self.1))
    }
}

impl Neg for Avx2 {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        // SAFETY: as for the operators above.
        unsafe {
            let sign = _mm256_set1_ps(-0.0);
            Avx2(_mm256_xor_ps(self.0, sign), _mm256_xor_ps(self.1, sign))
        }
    }
}

// SAFETY of every block below: values exist only inside `Isa::run`, which found AVX2 and FMA on this CPU.
#[allow(clippy::undocumented_unsafe_blocks)]
impl Real for Avx2 {
    type Mask = (__m256, __m256);

    #[inline(always)]
    fn splat(x: f64) -> Self {
        Self::broadcast(x as f32)
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        unsafe { Avx2(_mm256_fmadd_ps(self.0, a.0, b.0), _mm256_fmadd_ps(self.1, a.1, b.1)) }
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        unsafe { Avx2(_mm256_sqrt_ps(self.0), _mm256_sqrt_ps(self.1)) }
    }
    #[inline(always)]
    fn abs(self) -> Self {
        unsafe {
            let sign = _mm256_set1_ps(-0.0);
            Avx2(_mm256_andnot_ps(sign, self.0), _mm256_andnot_ps(sign, self.1))
        }
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        unsafe { Avx2(_mm256_max_ps(self.0, other.0), _mm256_max_ps(self.1, other.1)) }
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        unsafe { Avx2(_mm256_min_ps(self.0, other.0), _mm256_min_ps(self.1, other.1)) }
    }
    #[inline(always)]
    fn lt(self, other: Self) -> Self::Mask {
        unsafe { (_mm256_cmp_ps::<_CMP_LT_OQ>(self.0, other.0), _mm256_cmp_ps::<_CMP_LT_OQ>(self.1, other.1)) }
    }
    #[inline(always)]
    fn eq(self, other: Self) -> Self::Mask {
        unsafe { (_mm256_cmp_ps::<_CMP_EQ_OQ>(self.0, other.0), _mm256_cmp_ps::<_CMP_EQ_OQ>(self.1, other.1)) }
    }
    #[inline(always)]
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self {
        unsafe { Avx2(_mm256_blendv_ps(no.0, yes.0, mask.0), _mm256_blendv_ps(no.1, yes.1, mask.1)) }
    }
    math::real_by_polynomials!();
}

#[allow(clippy::undocumented_unsafe_blocks)] // SAFETY: as above
impl Lanes for Avx2 {
    const MANY_REGISTERS: bool = false;

    #[inline(always)]
    unsafe fn load_ptr(from: *const f32) -> Self {
        unsafe { Avx2(_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8))) }
    }
    #[inline(always)]
    unsafe fn store_ptr(self, to: *mut f32) {
        unsafe {
            _mm256_storeu_ps(to, self.0);
            _mm256_storeu_ps(to.add(8), self.1);
        }
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
        unsafe {
            let all = _mm_loadu_si128(bytes.as_ptr().cast());
            let float = |b: __m128i| _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(b));
            Avx2(float(all), float(_mm_srli_si128::<8>(all)))
        }
    }
    #[inline(always)]
    fn broadcast(x: f32) -> Self {
        unsafe {
            let v = _mm256_set1_ps(x);
            Avx2(v, v)
        }
    }
    #[inline(always)]
    fn round(self) -> Self {
        self.map(|x| unsafe { _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x) })
    }
    #[inline(always)]
    fn exp2_int(self) -> Self {
        self.map(|x| unsafe {
            let biased = _mm256_add_epi32(_mm256_cvtps_epi32(x), _mm256_set1_epi32(127));
            _mm256_castsi256_ps(_mm256_slli_epi32::<23>(biased))
        })
    }
    #[inline(always)]
    fn split_exponent(self) -> (Self, Self) {
        let split = |x: __m256| unsafe {
            let bits = _mm256_castps_si256(x);
            let e = _mm256_srai_epi32::<23>(_mm256_sub_epi32(bits, _mm256_set1_epi32(math::ROOT_HALF_BITS)));
            let m = _mm256_sub_epi32(bits, _mm256_slli_epi32::<23>(e));
            (_mm256_castsi256_ps(m), _mm256_cvtepi32_ps(e))
        };
        let ((m0, e0), (m1, e1)) = (split(self.0), split(self.1));
        (Avx2(m0, m1), Avx2(e0, e1))
    }
    #[inline(always)]
    fn transpose(block: &mut [Self; 16]) {
        unsafe {
            let quarter = |half: fn(&Avx2) -> __m256, first: usize, block: &[Avx2; 16]| {
                let mut rows = [_mm256_setzero_ps(); 8];
                for (i, row) in rows.iter_mut().enumerate() {
                    *row = half(&block[first + i]);
                }
                transpose_8x8(rows)
            };
            let (low, high) = ((|v: &Avx2| v.0) as fn(&Avx2) -> __m256, (|v: &Avx2| v.1) as fn(&Avx2) -> __m256);
            let (a, b) = (quarter(low, 0, block), quarter(high, 0, block));
            let (c, d) = (quarter(low, 8, block), quarter(high, 8, block));
            for i in 0..8 {
                block[i] = Avx2(a[i], c[i]);
                block[8 + i] = Avx2(b[i], d[i]);
            }
        }
    }
}

/// Rows and lanes of an 8 × 8 block exchanged: interleaved by 1, by 2, then by halves.
#[inline(always)]
unsafe fn transpose_8x8(r: [__m256; 8]) -> [__m256; 8] {
    // SAFETY: called only from `Avx2::transpose`, inside `Isa::run`.
    unsafe {
        let mut t = r;
        for i in 0..4 {
            t[2 * i] = _mm256_unpacklo_ps(r[2 * i], r[2 * i + 1]);
            t[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i], r[2 * i + 1]);
        }
        let mut u = t;
        for i in 0..2 {
            u[4 * i] = _mm256_shuffle_ps::<0x44>(t[4 * i], t[4 * i + 2]);
            u[4 * i + 1] = _mm256_shuffle_ps::<0xee>(t[4 * i], t[4 * i + 2]);
            u[4 * i + 2] = _mm256_shuffle_ps::<0x44>(t[4 * i + 1], t[4 * i + 3]);
            u[4 * i + 3] = _mm256_shuffle_ps::<0xee>(t[4 * i + 1], t[4 * i + 3]);
        }
        let mut out = u;
        for i in 0..4 {
            out[i] = _mm256_permute2f128_ps::<0x20>(u[i], u[4 + i]);
            out[4 + i] = _mm256_permute2f128_ps::<0x31>(u[i], u[4 + i]);
        }
        out
    }
}
