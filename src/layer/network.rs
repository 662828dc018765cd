//! A network: the width of its input, and its layers in order.

use super::program::Program;
use super::{Layer, TensorForm};

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
        fn of_chain(chain: &[Layer], mut width: usize, tensors: &mut Vec<TensorForm>) -> usize {
            for layer in chain {
                let kind = layer.kind();
                if let Some(inner) = kind.inner() {
                    of_chain(inner, width, tensors);
                }
                tensors.extend(kind.tensors(width));
                width = kind.outputs(width);
            }
            width
        }
        let mut tensors = Vec::new();
        of_chain(&self.chain, self.inputs, &mut tensors);
        tensors
    }

    /// The operations of a pass, with or without what training needs.
    pub fn program(&self, training: bool) -> Program {
        Program::new(self, training)
    }
}
