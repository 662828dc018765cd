//! What a loss requires of the data.

use crate::data::NumberLoss;
use crate::nn::Loss;

/// What a loss of numbers means for the data.
pub fn number_loss(loss: Loss) -> Option<NumberLoss> {
    let of = |loss: Loss| NumberLoss { name: loss.name(), counts: loss == Loss::Poisson };
    loss.implies_numbers().then(|| of(loss))
}
