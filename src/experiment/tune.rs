//! Hyperparameter search: quasi-random trials and successive halving, with every run recorded.

mod directory;
mod halving;
mod journal;
mod protocol;
mod range;
mod runs;
mod search;
mod space;
mod tuner;

pub use directory::TuneDirectory;
pub use halving::{Rung, rungs};
pub use journal::{Trial, TrialJournal};
pub use protocol::{Budget, TuneProtocol};
pub use range::SearchRange;
pub use runs::TuneProgress;
pub use search::Found;
pub use space::{Parameter, STANDARD, Space};
pub use tuner::Tuner;
