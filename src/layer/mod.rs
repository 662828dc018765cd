//! Kinds of layers, one file each: what a network is a list of.
//!
//! A kind is a type that implements [`Kind`] and stands in the list at the end of this file. The step walks a [`Program`],
//! which [`Network::program`] makes of the list, and knows no kind by name.

mod bins;
pub mod description;
mod fit;
pub mod graph;
mod learning;
mod levels;
mod network;
mod pass;
mod per_feature;
mod per_input;
mod program;
mod tensor;
pub mod text;
pub mod textbook;

use toml::Table;

use crate::Result;
use crate::nn::Activation;
use crate::spec::unknown;
use graph::{Given, Nodes};
use text::Fields;
use textbook::{Row, RowErrors};

pub use adapter::Factors;
pub use bins::BinRule;
pub use fit::{Fit, Goals, fit};
pub use learning::{First, Group, Learning};
pub use network::{Network, leave_out_chance};
pub use pass::{Backward, Errors, Forward, Gradient, RandomAt, Signal};
pub use per_input::Embedded;
pub use ple::Bins;
pub use program::{Flow, Op, Program};
pub use tensor::{Form, Random, Start, TensorForm};

/// What a kind of layer has to say and to do.
pub trait Kind {
    /// Takes what describes the layer out of the fields of its table.
    ///
    /// # Errors
    /// [`crate::Error::Usage`] for missing and wrong fields.
    fn read(fields: &mut Fields<'_>) -> Result<Self>
    where
        Self: Sized;

    /// Adds the fields that [`Kind::read`] takes.
    fn write(&self, fields: &mut Table);

    /// Width of what leaves the layer, given the width of what enters it.
    fn outputs(&self, inputs: usize) -> usize {
        inputs
    }

    /// Members that what leaves the layer has, where they begin with it.
    fn expands(&self) -> Option<usize> {
        None
    }

    /// Whether the layer has tensors of its own for each member.
    fn is_per_member(&self) -> bool {
        false
    }

    /// What of the layer does not fit so many inputs, in a sentence.
    fn misfit(&self, _inputs: usize) -> Option<String> {
        None
    }

    /// Whether all is known that the layer finds out from the training rows.
    fn is_fitted(&self) -> bool {
        true
    }

    /// Finds it out; the layer's inputs are the network's.
    fn fit(&mut self, _rows: &Fit<'_>) {}

    /// Layers that work first, on the layer's input.
    fn inner(&self) -> Inner<'_> {
        Inner::None
    }

    /// The chains of `inner`, to change layers within.
    fn inner_mut(&mut self) -> &mut [Vec<Layer>] {
        &mut []
    }

    /// Share of its inputs that the layer drops in training, where a schedule of dropout is for it.
    fn drops(&self) -> f64 {
        0.0
    }

    /// Leaves out what changes the layer's input by chance in training.
    fn without_chance(&mut self) {}

    /// What the layer learns, in the order in which it is saved and drawn; tensors of `inner` come before. `next` is the
    /// activation that follows: matrices are drawn for it.
    fn tensors(&self, _inputs: Width, _next: Activation) -> Vec<TensorForm> {
        Vec::new()
    }

    /// Whether a row of inputs reads some rows of the layer's tensors, so that nothing is multiplied.
    fn looks_up(&self) -> bool {
        false
    }

    /// The activation for which weights before the layer are drawn; none where the layer after it decides.
    fn drawn_before(&self) -> Option<Activation> {
        None
    }

    /// What formulas call what leaves the layer: `z` of a linear layer, `n` of a norm, `h` of an activation, `a` of a skip.
    fn symbol(&self) -> &'static str {
        "y"
    }

    /// The definition as a formula, such as `W x + b`, where a line has room for it; `x` is what enters the layer.
    fn formula(&self, _row: &Row<'_>) -> Option<String> {
        None
    }

    /// The definition, for one row in plain loops: `y`. Nothing is dropped.
    fn define(&self, row: &Row<'_>) -> Vec<f64>;

    /// The gradients by the row's input and by the layer's tensors, given the gradient `dy` by `y`.
    fn define_backward(&self, row: &Row<'_>, dy: &[f64]) -> RowErrors;

    /// Adds what the layer computes in prediction to a graph, which is what exports write; its output, or for chains side by
    /// side the part of it that comes from one.
    fn nodes(&self, given: Given, nodes: &mut Nodes) -> graph::Value;

    /// What the layer needs in memory, and how it treats what it is given.
    fn needs(&self, inputs: usize, training: bool) -> Needs;

    /// From `x` to `y`, for a run of sample panels.
    fn forward(&self, pass: Forward<'_>);

    /// From the gradient by `y` to the gradient by `x`, for a run of sample panels.
    fn backward(&self, pass: Backward<'_>);

    /// The gradient by some lines of one tensor, over all rows of a block.
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
    /// A chain that is gone round: the layer reads what leaves the chain as `x`, and its own input as `side`.
    Around(&'a [Layer]),
    /// Chains side by side: the layer works once for each, on what leaves it, and writes its part of `y`; the parts follow
    /// each other.
    Beside(&'a [Vec<Layer>]),
}

/// Width of a value between layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Width {
    /// Features of each member.
    pub features: usize,
    /// Members; 1 before they begin.
    pub members: usize,
}

impl Width {
    /// So many features, before members begin.
    pub const fn of(features: usize) -> Width {
        Width { features, members: 1 }
    }

    /// The width of what leaves a layer.
    pub fn after(self, layer: &Layer) -> Width {
        let members = layer.kind().expands().unwrap_or(self.members);
        Width { features: layer.kind().outputs(self.features), members }
    }

    /// Features of all members.
    pub fn total(self) -> usize {
        self.features.saturating_mul(self.members)
    }
}

/// What a layer needs in memory, and how it treats what it is given.
#[derive(Debug, Clone, Copy, Default)]
pub struct Needs {
    /// Whether the layer is there in training only.
    pub only_in_training: bool,
    /// Whether `forward` draws random numbers.
    pub random: bool,
    /// Whether `y` may be written where `x` is: the layer does not look at `x` later.
    pub overwrites_x: bool,
    /// Whether `backward` looks at `y`, so that no later layer may write over it.
    pub keeps_y: bool,
    /// Whether `backward` looks at `x` or `y`.
    pub looks_back: bool,
    /// What `backward` does with the gradient by `y`.
    pub dy: UseOfDy,
    /// Lines of a panel that are kept from `forward` to `backward`, `x` and `y` left out.
    pub kept: usize,
    /// Whether the gradient by `y` is kept with outputs in lanes, for a gradient of weights.
    pub transposed: bool,
    /// Whether that is kept apart for each member.
    pub by_members: bool,
    /// How the layer may be shared out by its outputs: each line of `y` needs only the same line of `x`, or weights.
    pub by_outputs: ByOutputs,
}

/// What a layer's `backward` does with the gradient by its output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UseOfDy {
    /// Reads it; the gradient by `x` has a place of its own.
    #[default]
    Reads,
    /// Reads it; as it is, it is the gradient by `x` too.
    HandsOn,
    /// Changes it into the gradient by `x` in place.
    Changes,
}

/// How a layer may be shared out by its outputs rather than by rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ByOutputs {
    /// Not at all.
    #[default]
    No,
    /// An output needs all inputs: only where the layer comes first.
    First,
    /// An output needs the same input alone.
    Elementwise,
}

/// A layer of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Its tensors are named by it, such as `layers.0`.
    pub name: String,
    /// What it does.
    pub what: AnyKind,
    /// How it learns.
    pub learning: Learning,
}

impl Layer {
    /// A layer of this kind.
    pub fn new(name: impl Into<String>, what: impl Into<AnyKind>) -> Layer {
        Layer { name: name.into(), what: what.into(), learning: Learning::default() }
    }

    /// The layer as what every kind is.
    #[inline]
    pub fn kind(&self) -> &dyn Kind {
        self.what.kind()
    }

    /// Lets the layer look at the training rows.
    fn fit(&mut self, rows: &Fit<'_>) {
        self.what.kind_mut().fit(rows);
    }

    /// The chains within the layer, to change layers there.
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

    /// Whether outputs come from what is before the layer: it learns nothing, and hands on each feature.
    fn hands_on(&self, inputs: Width) -> bool {
        let kind = self.kind();
        let plain = matches!(kind.inner(), Inner::None) && kind.expands().is_none();
        plain && self.tensors(inputs, Activation::Identity).is_empty()
    }

    /// What the layer learns, under its whole names; see [`Kind::tensors`].
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

/// Width of what leaves a chain.
fn width_of(chain: &[Layer], inputs: usize) -> usize {
    chain.iter().fold(inputs, |width, layer| layer.kind().outputs(width))
}

macro_rules! kinds {
    ($($file:ident::$kind:ident $name:literal: $what:literal),* $(,)?) => {
        $(mod $file; pub use $file::$kind;)*

        /// What a layer does.
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

            /// Reads a layer of the kind of this name.
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
    dropout::Dropout "dropout": "Some inputs become 0 in training.",
    prelu::Prelu "prelu": "`y = max(0, x) + a min(0, x)`, a learnt slope for each feature.",
    mix::Mix "mix": "`y = x + α (f(x) − x)`, a learnt strength for each feature.",
    scale::Scale "scale": "A learnt factor for each feature.",
    skip::Skip "skip": "Adds what entered a chain to what leaves it.",
    ple::Ple "ple": "Numbers in pieces: linear between edges that the training rows decide.",
    categories::Categories "categories": "Learnt features of categories, from one-hot inputs.",
    lookup::Lookup "lookup": "Learnt features of categories, from numbers of levels.",
    pbld::Pbld "pbld": "Numbers in waves, with frequencies that are learnt.",
    expand::Expand "expand": "Members begin: what follows works for each of them.",
    adapter::Adapter "adapter": "A learnt factor, and a shift, for each feature of each member.",
    branches::Branches "branches": "Chains side by side, their outputs one after the other.",
}

#[cfg(test)]
mod tests;
