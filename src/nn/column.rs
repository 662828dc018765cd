//! A row of numbers as a formula sees it, wherever its elements lie.

use crate::kernel::Real;

/// One sample's outputs (or 16 samples' outputs, a lane each), read by index.
pub trait Column<R> {
    /// How many elements there are.
    fn len(&self) -> usize;
    /// Element `i`.
    fn get(&self, i: usize) -> R;
    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A column that can be written; formulas read back what they wrote.
pub trait ColumnMut<R>: Column<R> {
    /// Overwrites element `i`.
    fn set(&mut self, i: usize, value: R);
}

/// One number, `f64` or `f32`: what definitions and tests compute with.
pub trait Scalar: Real + Into<f64> {}
impl Scalar for f64 {}
impl Scalar for f32 {}

impl<T: Scalar> Column<T> for [T] {
    #[inline(always)]
    fn len(&self) -> usize {
        <[T]>::len(self)
    }
    #[inline(always)]
    fn get(&self, i: usize) -> T {
        self[i]
    }
}

impl<T: Scalar> ColumnMut<T> for [T] {
    #[inline(always)]
    fn set(&mut self, i: usize, value: T) {
        self[i] = value;
    }
}

/// A slice of scalars as a column: element `i` is the same number in every lane (a norm's gains, for one).
#[derive(Debug, Clone, Copy)]
pub struct Splat<'a, T>(pub &'a [T]);

impl<R: Real, T: Copy + Into<f64>> Column<R> for Splat<'_, T> {
    #[inline(always)]
    fn len(&self) -> usize {
        self.0.len()
    }
    #[inline(always)]
    fn get(&self, i: usize) -> R {
        R::splat(self.0[i].into())
    }
}
