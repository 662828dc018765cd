//! A network: the number of its inputs and its list of layers.

use std::str::FromStr;

use super::fit::Fit;
use super::graph::{Given, Graph, GraphValue, Node, Nodes};
use super::{Inner, Layer, Start, TensorForm, Width};
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

    /// The computation of the network for one row.
    pub fn graph(&self) -> Graph {
        let mut nodes = Nodes { nodes: vec![Node::Input], tensors: 0 };
        let output = nodes.chain(&self.chain, GraphValue(0), Width::of(self.inputs));
        Graph { nodes: nodes.nodes, output }
    }
}

impl Nodes {
    /// Adds the operations of a chain whose input is `x`; returns its output.
    fn chain(&mut self, chain: &[Layer], mut x: GraphValue, mut width: Width) -> GraphValue {
        for layer in chain {
            x = self.layer(layer, x, width);
            width = width.after(layer);
        }
        x
    }

    fn layer(&mut self, layer: &Layer, entered: GraphValue, inputs: Width) -> GraphValue {
        let kind = layer.kind();
        let left: Vec<GraphValue> =
            layer.chains().into_iter().map(|chain| self.chain(chain, entered, inputs)).collect();
        let tensors = self.tensors;
        self.tensors += layer.tensors(inputs, Activation::Identity).iter().map(|t| t.parts().len()).sum::<usize>();
        let given = |x| Given { x, side: entered, inputs, tensors };
        match kind.inner() {
            Inner::None => kind.nodes(given(entered), self),
            Inner::Around(_) => kind.nodes(given(left[0]), self),
            Inner::Beside(_) => {
                let parts = left.into_iter().map(|x| kind.nodes(given(x), self)).collect();
                self.add(Node::Join(parts))
            }
        }
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

/// Fits layers to the training rows. Only a layer that reads the network's inputs can be fitted: the first layer of the
/// network, or the first layer of a chain within it.
pub fn fit(chain: &mut [Layer], rows: &Fit<'_>) {
    let Some(first) = chain.first_mut() else { return };
    first.fit(rows);
    first.inner_mut().iter_mut().for_each(|chain| fit(chain, rows));
}

/// The path of the first layer that is not fitted and cannot be, because it does not read the network's inputs. With
/// `sees_inputs` false, no layer reads them, so this is the first layer that is not fitted.
pub(super) fn unfitted(chain: &[Layer], path: &str, sees_inputs: bool) -> Option<String> {
    chain.iter().enumerate().find_map(|(n, layer)| {
        let (at, sees) = (format!("{path}[{n}]"), sees_inputs && n == 0);
        let within = match layer.kind().inner() {
            Inner::None => None,
            Inner::Around(inner) => unfitted(inner, &format!("{at}.chain"), sees),
            Inner::Beside(chains) => {
                let of_chain = |(m, inner): (usize, &Vec<Layer>)| unfitted(inner, &format!("{at}.branches[{m}]"), sees);
                chains.iter().enumerate().find_map(of_chain)
            }
        };
        within.or((!sees && !layer.kind().is_fitted()).then_some(at))
    })
}
