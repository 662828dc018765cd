//! A network: the width of its input, and its layers in order.

use super::program::Program;
use super::{Inner, Layer, TensorForm, Width};
use crate::nn::Activation;

/// A network as a list of layers.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// Inputs.
    pub inputs: usize,
    /// The layers, inputs first.
    pub chain: Vec<Layer>,
}

impl Network {
    /// What the network learns, in the order in which it is saved and drawn.
    pub fn tensors(&self) -> Vec<TensorForm> {
        let mut tensors = Vec::new();
        of_chain(&self.chain, Width::of(self.inputs), Activation::Identity, &mut tensors);
        tensors
    }

    /// Members of its output.
    pub fn members(&self) -> usize {
        self.chain.iter().fold(Width::of(self.inputs), |width, layer| width.after(layer)).members
    }

    /// The operations of a pass, with or without what training needs.
    pub fn program(&self, training: bool) -> Program {
        if training { self.training_program(&|_| true) } else { Program::new(self, None) }
    }

    /// The operations of training where only some tensors learn, by their numbers.
    pub fn training_program(&self, learns: &dyn Fn(usize) -> bool) -> Program {
        Program::new(self, Some(learns))
    }
}

/// Adds the tensors of a chain whose output goes to the activation `after`; the width of what leaves it.
fn of_chain(chain: &[Layer], mut width: Width, after: Activation, tensors: &mut Vec<TensorForm>) {
    for (n, layer) in chain.iter().enumerate() {
        let next = chain[n + 1..].iter().find_map(|layer| layer.kind().drawn_before()).unwrap_or(after);
        let mut inner = |chain: &[Layer]| of_chain(chain, width, next, tensors);
        match layer.kind().inner() {
            Inner::None => {}
            Inner::Around(chain) => inner(chain),
            Inner::Beside(chains) => chains.iter().for_each(|chain| inner(chain)),
        }
        tensors.extend(layer.tensors(width, next));
        width = width.after(layer);
    }
}
