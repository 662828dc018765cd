//! What a network's outputs mean and how good they are: predictions in the user's units, figures on rows whose truth is known.

mod constant;
mod held_out;
mod judged;
mod readout;
mod scorer;

pub use constant::constant_outputs;
pub use held_out::HeldOut;
pub use judged::Judged;
pub use readout::Readout;
pub use scorer::{Evaluation, ScoredRows, Scorer};
