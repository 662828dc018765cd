//! Experiments that need many training runs.

pub mod compare;
mod cross_validation;
mod ensemble;
mod forecast;
mod importance;
mod lr_find;
mod portfolio;
mod quasi_random;
mod side_by_side;
mod training;
pub mod tune;

pub use cross_validation::with_cross_validation;
pub use ensemble::{ensemble_of_folds, train_ensemble};
pub use forecast::{Forecast, forecast};
pub use importance::{ColumnImportance, Importance, permutation_importance};
pub use lr_find::{Band, LrFind, Sweep, check_sweeps, lr_find};
pub use portfolio::{PortfolioTraining, train_portfolio};
pub use side_by_side::{Sharing, share_threads, side_by_side};
pub use training::{NetworkTraining, TrainNetwork, Training};
