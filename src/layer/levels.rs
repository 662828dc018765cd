//! Common parts of the layers that learn a vector for each level of a category: the order of inputs and features, the table
//! of vectors, and the masks that hide levels in training.

use std::iter;
use std::ops::Range;

use super::{Form, Random, RandomAt, Start, TensorForm};
use crate::kernel::{LANES, Line, PanelsMut};
use crate::nn::Activation;
use crate::nn::dropout::{MaskAddress, fill_mask};
use crate::nn::init::Distribution;

/// The inputs of one category.
pub(super) struct Category {
    /// Number of its first input.
    pub(super) first: usize,
    /// Number of inputs.
    pub(super) inputs: usize,
    /// Number of levels with their own vector.
    pub(super) levels: usize,
}

/// A range of inputs: those of one category, or those before the next category, which are passed on.
pub(super) struct InputRange {
    pub(super) inputs: Range<usize>,
    /// Number of the category and the first row of its table; `None` for inputs that are passed on.
    pub(super) category: Option<(usize, usize)>,
    /// The first output feature.
    pub(super) first: usize,
}

/// Splits `inputs` inputs into [`InputRange`]s. Each category becomes `dim` features. Categories must be in the order of their
/// inputs.
pub(super) fn places(
    categories: impl Iterator<Item = Category>,
    inputs: usize,
    dim: usize,
) -> impl Iterator<Item = InputRange> {
    let mut categories = categories.enumerate().peekable();
    let (mut next, mut first, mut row) = (0, 0, 0);
    iter::from_fn(move || {
        if next >= inputs {
            return None;
        }
        let begin = next;
        let place = match categories.next_if(|(_, category)| category.first == begin) {
            Some((number, category)) => {
                next += category.inputs;
                let place = InputRange { inputs: begin..next, category: Some((number, row)), first };
                (first, row) = (first + dim, row + category.levels + 1);
                place
            }
            None => {
                next = categories.peek().map_or(inputs, |(_, category)| category.first);
                let place = InputRange { inputs: begin..next, category: None, first };
                first += next - begin;
                place
            }
        };
        Some(place)
    })
}

/// The tables of all categories, one after the other: `rows` vectors of `dim` numbers. In each table the vector of an
/// unknown level comes first. All numbers are initially standard normal.
pub(super) fn table(rows: usize, dim: usize, next: Activation) -> TensorForm {
    let mut table = TensorForm::matrix(Form::Matrix, rows, dim, next);
    let from = Distribution::Normal { std: 1.0 };
    table.begin = Start::Random(Random { from, chunks: None, alike: false });
    table
}

/// Fills the masks of one panel, one line for each category. A mask is 0 where the level is hidden, with probability
/// `share`, and not 0 elsewhere.
pub(super) fn fill_masks<'m>(
    kept: &'m mut PanelsMut<'_>,
    at: RandomAt,
    (p, members): (usize, usize),
    (share, categories): (f64, usize),
) -> &'m [Line] {
    let RandomAt { seed, epoch, position, layer, .. } = at;
    let masks = kept.lines_mut(p, 0..categories);
    let (position, member) = (position + p / members * LANES, p % members);
    fill_mask(MaskAddress { seed, layer, member, epoch, position }, share, masks);
    masks
}
