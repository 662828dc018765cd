//! The virtual vector of 16 lanes, over which every kernel is written once.

use super::line::Line;
use super::real::Real;

/// 16 `f32` in registers. Arithmetic comes from [`Real`]; this trait moves data and has what `math` builds on.
///
/// A value exists only inside [`super::Isa::run`], which has checked that the CPU has the instructions.
pub(crate) trait Lanes: Real {
    /// Whether 28 vectors fit in registers beside their operands. If so, tiles are up to three vectors wide, otherwise one.
    const MANY_REGISTERS: bool;

    /// Returns the same address, but hides its origin from the compiler where that gives better code.
    #[inline(always)]
    fn opaque(address: *const f32) -> *const f32 {
        address
    }

    /// Reads 16 floats.
    ///
    /// # Safety
    /// `from` is valid for reads of 64 bytes; it need not be aligned.
    unsafe fn load_ptr(from: *const f32) -> Self;
    /// Writes 16 floats.
    ///
    /// # Safety
    /// `to` is valid for writes of 64 bytes; it need not be aligned.
    unsafe fn store_ptr(self, to: *mut f32);
    /// 16 bytes as floats from 0 to 255.
    fn from_bytes(bytes: &[u8; 16]) -> Self;
    /// `x` in every lane.
    fn broadcast(x: f32) -> Self;
    /// Nearest integer, ties to even.
    fn round(self) -> Self;
    /// `2ⁿ` for integer values `n` of −126 to 127.
    fn exp2_int(self) -> Self;
    /// `(m, e)` with `x = m · 2ᵉ` and `m` in `[√½, √2)`, for positive normal `x`.
    fn split_exponent(self) -> (Self, Self);
    /// Transposes a 16 × 16 block.
    fn transpose(block: &mut [Self; 16]);

    /// Prefetches a line for writing; a hint, so any address is allowed.
    fn prefetch_to_write(line: *const Line);

    /// Prefetches an address for reading; a hint, so any address is allowed.
    fn prefetch_to_read(at: *const f32);

    /// Reads 16 floats.
    #[inline(always)]
    fn from_array(floats: &[f32; 16]) -> Self {
        // SAFETY: the array holds 16 floats.
        unsafe { Self::load_ptr(floats.as_ptr()) }
    }

    /// Reads a line.
    #[inline(always)]
    fn load(line: &Line) -> Self {
        // SAFETY: a line holds 16 floats.
        unsafe { Self::load_ptr(line.0.as_ptr()) }
    }

    /// Writes a line.
    #[inline(always)]
    fn store(self, line: &mut Line) {
        // SAFETY: a line holds 16 floats.
        unsafe { self.store_ptr(line.0.as_mut_ptr()) }
    }

    /// The lanes as an array.
    #[inline(always)]
    fn to_array(self) -> [f32; 16] {
        let mut line = Line::ZERO;
        self.store(&mut line);
        line.0
    }
}
