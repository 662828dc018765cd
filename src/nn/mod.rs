//! The mathematics of a network: activations, losses, norms, initial weights, forward beside backward.
//!
//! Every formula is written once, generic over [`Real`](crate::kernel::Real): `f64` checks it against reference
//! figures, 16 lanes run it. Formulas have no branches on values: they select.

pub mod activation;
mod column;
pub mod dense;
pub(crate) mod dropout;
pub mod init;
pub mod loss;
pub(crate) mod members;
pub mod norm;
pub mod panel;
pub(crate) mod panel_norm;
mod smooth;
pub(crate) mod wave;

pub use activation::Activation;
pub use column::{Column, ColumnMut, Scalar, Splat};
pub use init::Init;
pub use loss::{Link, Loss, Objective, Target};
pub use norm::{Moments, Norm, NormKind};
