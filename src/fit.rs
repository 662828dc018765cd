//! The policy of training: epochs, validation, the best weights, when to stop, events and saved states.
//!
//! [`crate::train::Trainer`] makes the steps; [`fit()`] decides how many, judges every epoch and keeps the best weights.

mod best;
mod divergence;
mod epochs;
mod events;
mod goal;
mod history;
mod kept;
mod options;
mod saved;
mod state;

pub use best::{BestEpoch, default_monitor};
pub use divergence::Divergence;
pub use epochs::{Attendance, FitData, FitOutcome, fit};
pub use events::{EpochRecord, Event, event_of};
pub use goal::{DataPart, Goal, Watched};
pub use history::History;
pub use options::{Every, FitOptions, Patience, Stopped};
pub use saved::SavedState;
pub use state::{FitState, RunState};
