//! Access by index to the elements of a row, independent of how they are stored.

use crate::kernel::Real;

/// The outputs of one sample, or of 16 samples with one in each lane, read by index.
pub trait OutputColumn<R> {
    /// Number of elements.
    fn len(&self) -> usize;
    /// Element `i`.
    fn get(&self, i: usize) -> R;
    /// Whether there are no elements.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A column that can be written. Formulas may read elements that they have written.
pub trait ColumnMut<R>: OutputColumn<R> {
    /// Overwrites element `i`.
    fn set(&mut self, i: usize, value: R);
}

/// A single number, `f64` or `f32`, used in definitions and tests.
pub trait Scalar: Real + Into<f64> {}
impl Scalar for f64 {}
impl Scalar for f32 {}

impl<T: Scalar> OutputColumn<T> for [T] {
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

/// A slice of scalars as a column: element `i` is the same number in all lanes. The gains of a norm are an example.
#[derive(Debug, Clone, Copy)]
pub struct Splat<'a, T>(pub &'a [T]);

impl<R: Real, T: Copy + Into<f64>> OutputColumn<R> for Splat<'_, T> {
    #[inline(always)]
    fn len(&self) -> usize {
        self.0.len()
    }
    #[inline(always)]
    fn get(&self, i: usize) -> R {
        R::splat(self.0[i].into())
    }
}
