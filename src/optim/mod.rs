//! Optimizers: element-wise update rules on flat parameters, knowing nothing of layers.

pub mod adadelta;
pub mod adagrad;
pub mod adam;
pub mod adamax;
mod algorithm;
pub mod catalogue;
pub mod clip;
mod dialect;
pub mod field;
pub mod lbfgs;
pub mod lion;
pub mod nadam;
pub mod radam;
pub mod rmsprop;
pub mod rprop;
pub mod rule;
pub mod schedule;
pub mod sgd;
pub mod span;
mod spec;

pub use adadelta::Adadelta;
pub use adagrad::Adagrad;
pub use adam::Adam;
pub use adamax::Adamax;
pub use algorithm::Algorithm;
pub use dialect::Dialect;
pub use lion::Lion;
pub use nadam::NAdam;
pub use radam::RAdam;
pub use rmsprop::RmsProp;
pub use rprop::Rprop;
pub use rule::{Decay, Rule, VisitRule};
pub use schedule::{Plateau, Schedule};
pub use sgd::Sgd;
pub use span::GradientRule;
pub use spec::OptimizerSpec;
