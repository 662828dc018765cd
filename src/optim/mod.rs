//! Optimizers: element-wise update rules on flat parameters, knowing nothing of layers.

pub mod adam;
pub mod clip;
pub mod lbfgs;
pub mod rmsprop;
pub mod rule;
pub mod schedule;
pub mod sgd;
pub mod span;
mod spec;

pub use adam::Adam;
pub use rmsprop::RmsProp;
pub use rule::{Decay, Rule};
pub use schedule::{Plateau, Schedule};
pub use sgd::Sgd;
pub use span::GradientRule;
pub use spec::{Algorithm, OptimizerSpec, VisitRule};
