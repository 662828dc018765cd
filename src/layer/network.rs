//! A network: the number of its inputs and its list of layers.

use std::str::FromStr;

use super::program::Program;
use super::{Layer, Start, TensorForm, Width};
use crate::nn::Activation;
use crate::{Error, Result};

/// Whether the members of a network train on the same rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MemberRows {
    /// All members take the same rows in each step. Layers before [`super::Expand`] are computed once.
    #[default]
    Shared,
    /// Each member takes rows of its own. Every layer is computed for each member.
    Own,
}

impl FromStr for MemberRows {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "shared" => Ok(MemberRows::Shared),
            "own" => Ok(MemberRows::Own),
            _ => Err(Error::Usage(format!("expected shared or own, found \"{text}\""))),
        }
    }
}

/// A network as a list of layers.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// Number of inputs.
    pub inputs: usize,
    /// The layers, from the inputs to the outputs.
    pub chain: Vec<Layer>,
}

impl Network {
    /// All tensors, in the order in which they are saved and initialised.
    pub fn tensors(&self) -> Vec<TensorForm> {
        let mut tensors = Vec::new();
        of_chain(&self.chain, Width::of(self.inputs), Activation::Identity, &mut tensors);
        tensors
    }

    /// Number of members of the output.
    pub fn members(&self) -> usize {
        self.chain.iter().fold(Width::of(self.inputs), |width, layer| width.after(layer)).members
    }

    /// Names of all layers. Inner layers come before the layer that contains them.
    pub fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        each(&self.chain, &mut |layer| names.push(layer.name.as_str()));
        names
    }

    /// The highest rate of all layers to which a schedule of dropout applies; 0 if there is none.
    pub fn highest_dropout(&self) -> f64 {
        let mut highest: f64 = 0.0;
        each(&self.chain, &mut |layer| highest = highest.max(layer.kind().drops()));
        highest
    }

    /// Whether the outputs come from a single matrix that the run's scheme initialises, possibly followed by activations. It
    /// is then the last tensor.
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

    /// The operations of a pass, with or without those for training.
    pub fn program(&self, training: bool) -> Program {
        if training { self.training_program(&|_| true, MemberRows::Shared) } else { Program::new(self, None, 1) }
    }

    /// The operations of training if only some tensors learn. `learns` is given the number of a tensor.
    pub fn training_program(&self, learns: &dyn Fn(usize) -> bool, rows: MemberRows) -> Program {
        let members = if rows == MemberRows::Own { self.members() } else { 1 };
        Program::new(self, Some(learns), members)
    }
}

/// Removes randomness from a chain: layers that exist only in training, and the masks of other layers.
pub fn leave_out_chance(chain: &mut Vec<Layer>) {
    chain.retain(|layer| !layer.kind().needs(1, true).only_in_training);
    for layer in chain {
        layer.what.kind_mut().without_chance();
        layer.inner_mut().iter_mut().for_each(leave_out_chance);
    }
}

/// Calls `look` with every layer. Inner layers come before the layer that contains them.
pub(super) fn each<'a>(chain: &'a [Layer], look: &mut impl FnMut(&'a Layer)) {
    for layer in chain {
        layer.chains().into_iter().for_each(|chain| each(chain, look));
        look(layer);
    }
}

/// Adds the tensors of a chain to `tensors`. `width` is the width of its input, `after` the activation that follows the
/// chain.
fn of_chain(chain: &[Layer], mut width: Width, after: Activation, tensors: &mut Vec<TensorForm>) {
    for (n, layer) in chain.iter().enumerate() {
        let next = chain[n + 1..].iter().find_map(|layer| layer.kind().drawn_before()).unwrap_or(after);
        layer.chains().into_iter().for_each(|chain| of_chain(chain, width, next, tensors));
        tensors.extend(layer.tensors(width, next));
        width = width.after(layer);
    }
}
