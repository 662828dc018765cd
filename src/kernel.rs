//! SIMD kernels: the arithmetic of a step, chosen for the CPU at run time.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod dispatch;
mod flush;
pub mod gemm;
mod lanes;
mod line;
mod math;
pub(crate) mod measure;
mod panels;
#[cfg(target_arch = "x86_64")]
mod prefetch;
mod real;
mod wide;

pub use dispatch::Isa;
pub(crate) use dispatch::Job;
pub(crate) use flush::FlushDenormals;
pub(crate) use lanes::Lanes;
pub use line::{LANES, Line, has_room, panel_stride, panels, zeroed};
pub use panels::{Panels, PanelsMut};
pub use real::Real;
