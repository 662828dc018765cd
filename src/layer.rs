//! The kinds of layers, one file each. A network is a list of layers.
//!
//! A kind is a type that implements [`Kind`] and is listed in `kinds!` at the end of this file. [`Network::program`]
//! compiles the list of layers into a [`Program`]. The training step runs that program and does not depend on any particular
//! kind.

mod bins;
pub mod description;
mod fields;
mod fit;
pub mod graph;
mod learning;
mod levels;
mod needs;
mod network;
mod pass;
mod per_feature;
mod per_input;
mod program;
mod row;
mod tensor;
pub mod text;
pub mod textbook;

use toml::Table;

use crate::Result;
use crate::nn::Activation;
use crate::spec::unknown;
use graph::{Given, Nodes};

pub use adapter::Factors;
pub use bins::BinRule;
pub use fields::{Fields, Sizes};
pub use fit::{Fit, Goals};
pub use learning::{First, Group, Learning};
pub use needs::{ByOutputs, Needs, UseOfDy, Width};
pub use network::{MemberRows, Network, fit, leave_out_chance};
pub use pass::{Backward, Errors, Forward, Gradient, RandomAt, Signal};
pub use per_input::Embedded;
pub use ple::Bins;
pub use program::{Flow, Op, Program};
pub use row::{Row, RowErrors};
pub use tensor::{Form, Random, Start, TensorForm};

/// The interface of a kind of layer. `x` is the layer's input and `y` its output; `dx` and `dy` are the gradients of the
/// loss with respect to them.
pub trait Kind {
    /// Reads the layer's options from the fields of its table and removes them there.
    ///
    /// # Errors
    /// [`crate::Error::Usage`] for missing and wrong fields.
    fn read(fields: &mut Fields<'_>) -> Result<Self>
    where
        Self: Sized;

    /// Writes the fields that [`Kind::read`] reads.
    fn write(&self, fields: &mut Table);

    /// Width of the output, given the width of the input.
    fn outputs(&self, inputs: usize) -> usize {
        inputs
    }

    /// Number of members of the output, if members begin at this layer.
    fn expands(&self) -> Option<usize> {
        None
    }

    /// Whether each member has its own tensors in this layer.
    fn is_per_member(&self) -> bool {
        false
    }

    /// A sentence that says why the layer cannot take `inputs` features; `None` if it can.
    fn misfit(&self, _inputs: usize) -> Option<String> {
        None
    }

    /// Whether the layer needs no fitting to the training rows, or has been fitted.
    fn is_fitted(&self) -> bool {
        true
    }

    /// Fits the layer to the training rows. It is called only for layers whose input is the network's input.
    fn fit(&mut self, _rows: &Fit<'_>) {}

    /// The chains within this layer. They run first, on the layer's input.
    fn inner(&self) -> Inner<'_> {
        Inner::None
    }

    /// The chains of [`Kind::inner`], mutable.
    fn inner_mut(&mut self) -> &mut [Vec<Layer>] {
        &mut []
    }

    /// Dropout rate of the layer, if schedules of dropout apply to it; otherwise 0.
    fn drops(&self) -> f64 {
        0.0
    }

    /// Turns off the random changes that the layer makes to its input in training, such as the masks of [`Categories`].
    fn without_chance(&mut self) {}

    /// The layer's tensors, in the order in which they are saved and initialised; those of inner layers come first. `next`
    /// is the activation that follows: the initialisation of matrices depends on it.
    fn tensors(&self, _inputs: Width, _next: Activation) -> Vec<TensorForm> {
        Vec::new()
    }

    /// Whether the layer looks up rows of its tensors instead of multiplying by them.
    fn looks_up(&self) -> bool {
        false
    }

    /// The activation for which the matrix before this layer is initialised; `None` if a later layer decides.
    fn drawn_before(&self) -> Option<Activation> {
        None
    }

    /// The symbol of the output in formulas: `z` for a linear layer, `n` for a norm, `h` for an activation, `a` for a skip.
    fn symbol(&self) -> &'static str {
        "y"
    }

    /// The definition as a formula, such as `W x + b`, if it is short enough for one line; `row.name` is the symbol of the
    /// input.
    fn formula(&self, _row: &Row<'_>) -> Option<String> {
        None
    }

    /// The definition: `y` for one row, in plain loops, without dropout or masks.
    fn define(&self, row: &Row<'_>) -> Vec<f64>;

    /// The gradients with respect to the row's input and the layer's tensors, given `dy`.
    fn define_backward(&self, row: &Row<'_>, dy: &[f64]) -> RowErrors;

    /// Adds the layer's operations in prediction to the graph that exports write. Returns the output; a layer with parallel
    /// chains is called once for each, and returns the part of the output that comes from that chain.
    fn nodes(&self, given: Given, nodes: &mut Nodes) -> graph::GraphValue;

    /// What the layer needs in memory, and how it treats what it is given.
    fn needs(&self, inputs: usize, training: bool) -> Needs;

    /// Computes `y` from `x`, for a run of sample panels.
    fn forward(&self, pass: Forward<'_>);

    /// Computes `dx` from `dy`, for a run of sample panels.
    fn backward(&self, pass: Backward<'_>);

    /// Computes the gradient with respect to some lines of one tensor, over all rows of a block.
    ///
    /// # Panics
    /// If the layer has no tensors.
    fn gradient(&self, _pass: Gradient<'_>) {
        unreachable!("a layer without tensors has no gradient by them");
    }
}

/// Layers within a layer.
#[derive(Debug, Clone, Copy)]
pub enum Inner<'a> {
    /// None.
    None,
    /// A chain with a bypass: the layer reads the chain's output as `x` and its own input as `side`.
    Around(&'a [Layer]),
    /// Parallel chains. The layer runs once for each, on the chain's output, and writes that chain's part of `y`; the parts
    /// are concatenated.
    Beside(&'a [Vec<Layer>]),
}

/// A layer of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// The prefix of its tensors' names, such as `layers.0`.
    pub name: String,
    /// Its kind and options.
    pub what: AnyKind,
    /// How it learns.
    pub learning: Learning,
}

impl Layer {
    /// A layer of this kind that learns in the default way.
    pub fn new(name: impl Into<String>, what: impl Into<AnyKind>) -> Layer {
        Layer { name: name.into(), what: what.into(), learning: Learning::default() }
    }

    /// The kind behind its common interface.
    #[inline]
    pub fn kind(&self) -> &dyn Kind {
        self.what.kind()
    }

    /// Fits the layer to the training rows.
    fn fit(&mut self, rows: &Fit<'_>) {
        self.what.kind_mut().fit(rows);
    }

    /// The chains within the layer, mutable.
    fn inner_mut(&mut self) -> &mut [Vec<Layer>] {
        self.what.kind_mut().inner_mut()
    }

    /// The chains within the layer.
    pub fn chains(&self) -> Vec<&[Layer]> {
        match self.kind().inner() {
            Inner::None => Vec::new(),
            Inner::Around(chain) => vec![chain],
            Inner::Beside(chains) => chains.iter().map(Vec::as_slice).collect(),
        }
    }

    /// Whether the layer only passes features through a fixed function, such as an activation: it has no tensors and no
    /// inner chains, and members do not begin at it.
    fn hands_on(&self, inputs: Width) -> bool {
        let kind = self.kind();
        let plain = matches!(kind.inner(), Inner::None) && kind.expands().is_none();
        plain && self.tensors(inputs, Activation::Identity).is_empty()
    }

    /// The layer's tensors with their full names and the layer's learning options; see [`Kind::tensors`].
    pub fn tensors(&self, inputs: Width, next: Activation) -> Vec<TensorForm> {
        let mut tensors = self.kind().tensors(inputs, next);
        for (n, tensor) in tensors.iter_mut().enumerate() {
            tensor.learn(&self.learning, n == 0);
            let part = std::mem::take(&mut tensor.name);
            tensor.layer.clone_from(&self.name);
            tensor.name = if part.is_empty() { self.name.clone() } else { format!("{}.{part}", self.name) };
        }
        tensors
    }
}

impl Width {
    /// The width of the output of `layer`, for an input of this width.
    pub fn after(self, layer: &Layer) -> Width {
        let members = layer.kind().expands().unwrap_or(self.members);
        Width { features: layer.kind().outputs(self.features), members }
    }
}

/// Width of a chain's output.
fn width_of(chain: &[Layer], inputs: usize) -> usize {
    chain.iter().fold(inputs, |width, layer| layer.kind().outputs(width))
}

macro_rules! kinds {
    ($($file:ident::$kind:ident $name:literal: $what:literal),* $(,)?) => {
        $(mod $file; pub use $file::$kind;)*

        /// A layer of any kind.
        #[derive(Debug, Clone, PartialEq)]
        pub enum AnyKind {
            $(#[doc = $what] $kind($kind),)*
        }

        impl AnyKind {
            /// The names of all kinds.
            pub const NAMES: &[&str] = &[$($name),*];

            #[inline]
            fn kind(&self) -> &dyn Kind {
                match self {
                    $(AnyKind::$kind(kind) => kind,)*
                }
            }

            fn kind_mut(&mut self) -> &mut dyn Kind {
                match self {
                    $(AnyKind::$kind(kind) => kind,)*
                }
            }

            /// The kind's name in a description.
            pub fn name(&self) -> &'static str {
                match self {
                    $(AnyKind::$kind(_) => $name,)*
                }
            }

            /// Reads a layer of the kind called `name`.
            fn read(name: &str, fields: &mut Fields<'_>) -> Result<AnyKind> {
                match name {
                    $($name => $kind::read(fields).map(AnyKind::$kind),)*
                    _ => Err(fields.wrong(unknown("kind", name, AnyKind::NAMES))),
                }
            }
        }

        $(impl From<$kind> for AnyKind {
            fn from(kind: $kind) -> AnyKind {
                AnyKind::$kind(kind)
            }
        })*
    };
}

kinds! {
    linear::Linear "linear": "`y = W x + b`.",
    norm::Norm "norm": "Layer or RMS norm, with a learnt gain.",
    activate::Activate "activation": "`y = f(x)`, element by element.",
    dropout::Dropout "dropout": "Sets random inputs to 0 in training.",
    prelu::Prelu "prelu": "`y = max(0, x) + a min(0, x)`, a learnt slope for each feature.",
    mix::Mix "mix": "`y = x + α (f(x) − x)`, a learnt strength for each feature.",
    scale::Scale "scale": "A learnt factor for each feature.",
    skip::Skip "skip": "Adds a chain's input to its output.",
    ple::Ple "ple": "Piecewise-linear embedding of numbers, with edges fitted to the training rows.",
    categories::Categories "categories": "Embedding of categories, from one-hot inputs.",
    lookup::Lookup "lookup": "Embedding of categories, from level numbers.",
    pbld::Pbld "pbld": "Periodic embedding of numbers, with learnt frequencies.",
    expand::Expand "expand": "Members begin here; the following layers run for each member.",
    adapter::Adapter "adapter": "A learnt factor, and optionally a shift, for each feature of each member.",
    branches::Branches "branches": "Parallel chains whose outputs are concatenated.",
}

#[cfg(test)]
mod tests;
