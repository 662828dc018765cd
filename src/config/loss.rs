//! The loss that is asked for, and what it requires of the data.

use super::reader::Reader;
use crate::Result;
use crate::data::NumberLoss;
use crate::nn::Loss;

/// What a loss of numbers means for the data.
pub fn number_loss(loss: Loss) -> Option<NumberLoss> {
    let of = |loss: Loss| NumberLoss { name: loss.name(), counts: loss == Loss::Poisson };
    loss.implies_numbers().then(|| of(loss))
}

/// The loss of `--loss`; `None` for that of the task.
pub(super) fn asked_loss(reader: &Reader) -> Result<Option<Loss>> {
    match reader.text("loss").as_deref() {
        None | Some("auto") => Ok(None),
        Some(_) => reader.parse::<Loss>("loss"),
    }
}
