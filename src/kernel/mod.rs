//! SIMD kernels: the arithmetic of a step, chosen for the CPU at run time.

mod real;

pub use real::Real;
