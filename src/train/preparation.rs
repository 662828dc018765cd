//! Memory of optimizers that look at whole tensors.

use super::orthogonal::{Matrices, SharedMatrices};
use super::shared::Shared;
use crate::model::Layout;
use crate::optim::PerTensor;
use crate::optim::per_tensor::{Squares, TensorRule};

/// Memory of the preparation of an update.
pub(super) struct Preparation {
    /// For each slot: sums over its weights, then over its biases, gains or shifts.
    squares: Vec<[Squares; 2]>,
    matrices: Option<Matrices>,
}

/// The memory of preparation while a team works.
pub(super) struct SharedPreparation<'a> {
    /// As in [`Preparation`].
    pub(super) squares: Shared<'a, [Squares; 2]>,
    /// Memory of Newton–Schulz.
    pub(super) matrices: Option<SharedMatrices<'a>>,
}

impl Preparation {
    /// Allocates it for an optimizer, a layout and a team of `members`.
    pub(super) fn new(optimizer: PerTensor, layout: &Layout, members: usize) -> Preparation {
        Preparation {
            squares: vec![[Squares::default(); 2]; layout.slots.len()],
            matrices: optimizer.newton_schulz().map(|_| Matrices::new(layout, members)),
        }
    }

    /// Lends the memory to a team.
    pub(super) fn lend(&mut self) -> SharedPreparation<'_> {
        SharedPreparation {
            squares: Shared::new(&mut self.squares),
            matrices: self.matrices.as_mut().map(Matrices::lend),
        }
    }
}
