//! The mathematics of a network: activations, losses, norms and initial weights; forward and backward formulas side by
//! side.
//!
//! Each formula is written once, generic over [`Real`](crate::kernel::Real): as `f64` it is compared with reference
//! figures, and in training it runs on 16 lanes. Formulas do not branch on values; they use `select`.

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
pub use column::{ColumnMut, OutputColumn, Scalar, Splat};
pub use init::Init;
pub use loss::{Link, Loss, Objective, RowTarget};
pub use norm::{Moments, NormKind, Normalisation};
