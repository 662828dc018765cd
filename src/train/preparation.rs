//! What optimizers that look at whole tensors need in memory.

use super::orthogonal::{Matrices, SharedMatrices};
use super::shared::Shared;
use crate::model::Layout;
use crate::optim::PerTensor;
use crate::optim::per_tensor::{Squares, TensorRule};

/// What preparation needs in memory.
pub(super) struct Preparation {
    /// Of each slot: sums of its weights, then of its biases, gains or shifts.
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
    /// For an optimizer, a layout and a team of `members`.
    pub(super) fn new(optimizer: PerTensor, layout: &Layout, members: usize) -> Preparation {
        Preparation {
            squares: vec![[Squares::default(); 2]; layout.slots.len()],
            matrices: optimizer.newton_schulz().map(|_| Matrices::new(layout, members)),
        }
    }

    /// Lends the memory to a team.
    pub(super) fn share(&mut self) -> SharedPreparation<'_> {
        SharedPreparation {
            squares: Shared::new(&mut self.squares),
            matrices: self.matrices.as_mut().map(Matrices::share),
        }
    }
}
