//! A network: the width of its input, and its layers in order.

use super::program::Program;
use super::{Layer, Start, TensorForm, Width};
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

    /// Names of all layers; those within a layer come before it.
    pub fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        each(&self.chain, &mut |layer| names.push(layer.name.as_str()));
        names
    }

    /// The highest share of inputs that a layer drops under a schedule of dropout.
    pub fn highest_dropout(&self) -> f64 {
        let mut highest: f64 = 0.0;
        each(&self.chain, &mut |layer| highest = highest.max(layer.kind().drops()));
        highest
    }

    /// Whether the outputs come from one matrix that the scheme of the run draws, with or without an activation after it. It is the
    /// last tensor then.
    pub fn ends_in_matrix(&self) -> bool {
        let (mut width, mut found) = (Width::of(self.inputs), false);
        for layer in &self.chain {
            if !layer.hands_on(width) {
                let tensors = layer.tensors(width, Activation::Identity);
                found = layer.chains().is_empty()
                    && tensors.len() == 1
                    && matches!(tensors[0].begin, Start::Drawn(_, None));
            }
            width = width.after(layer);
        }
        found
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

/// Leaves out of a chain what changes its values by chance: layers that are there in training only, and what others draw.
pub fn leave_out_chance(chain: &mut Vec<Layer>) {
    chain.retain(|layer| !layer.kind().needs(1, true).only_in_training);
    for layer in chain {
        layer.what.kind_mut().without_chance();
        layer.inner_mut().iter_mut().for_each(leave_out_chance);
    }
}

/// Looks at every layer; at those within a layer first.
pub(super) fn each<'a>(chain: &'a [Layer], look: &mut impl FnMut(&'a Layer)) {
    for layer in chain {
        layer.chains().into_iter().for_each(|chain| each(chain, look));
        look(layer);
    }
}

/// Adds the tensors of a chain whose output goes to the activation `after`; the width of what leaves it.
fn of_chain(chain: &[Layer], mut width: Width, after: Activation, tensors: &mut Vec<TensorForm>) {
    for (n, layer) in chain.iter().enumerate() {
        let next = chain[n + 1..].iter().find_map(|layer| layer.kind().drawn_before()).unwrap_or(after);
        layer.chains().into_iter().for_each(|chain| of_chain(chain, width, next, tensors));
        tensors.extend(layer.tensors(width, next));
        width = width.after(layer);
    }
}
