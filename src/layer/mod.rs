//! Kinds of layers, one file each: what a network is a list of.
//!
//! A kind is a type that implements [`Kind`] and stands in the list at the end of this file. The step walks a [`Program`],
//! which [`Network::program`] makes of the list, and knows no kind by name.

mod network;
mod pass;
mod program;
mod tensor;

pub use network::Network;
pub use pass::{Backward, Errors, Forward, Gradient, RandomAt, Signal};
pub use program::{Flow, Op, Program};
pub use tensor::{Form, Start, TensorForm};

/// What a kind of layer has to say and to do.
pub trait Kind {
    /// Width of what leaves the layer, given the width of what enters it.
    fn outputs(&self, inputs: usize) -> usize {
        inputs
    }

    /// Layers that work first, on the layer's input: the layer reads what leaves them as `x`, and its input as `side`.
    fn inner(&self) -> Option<&[Layer]> {
        None
    }

    /// What the layer learns, in the order in which it is saved and drawn; tensors of `inner` come before.
    fn tensors(&self, _inputs: usize) -> Vec<TensorForm> {
        Vec::new()
    }

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

/// What a layer needs in memory, and how it treats what it is given.
#[derive(Debug, Clone, Copy, Default)]
pub struct Needs {
    /// Whether the layer is there in training only.
    pub only_in_training: bool,
    /// Whether `y` may be written where `x` is: the layer does not look at `x` later.
    pub overwrites_x: bool,
    /// Whether `backward` looks at `y`, so that no later layer may overwrite it.
    pub keeps_y: bool,
    /// What `backward` does with the gradient by `y`.
    pub dy: UseOfDy,
    /// Lines of a panel that are kept from `forward` to `backward`, `x` and `y` left out.
    pub kept: usize,
    /// Whether the gradient by `y` is kept with outputs in lanes, for a gradient of weights.
    pub transposed: bool,
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

macro_rules! kinds {
    ($($file:ident::$kind:ident: $what:literal),* $(,)?) => {
        $(mod $file; pub use $file::$kind;)*

        /// A layer of any kind.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Layer {
            $(#[doc = $what] $kind($kind),)*
        }

        impl Layer {
            /// The layer as what every kind is.
            #[inline]
            pub fn kind(&self) -> &dyn Kind {
                match self {
                    $(Layer::$kind(layer) => layer,)*
                }
            }
        }

        $(impl From<$kind> for Layer {
            fn from(layer: $kind) -> Layer {
                Layer::$kind(layer)
            }
        })*
    };
}

kinds! {
    linear::Linear: "`y = W x + b`.",
    norm::Norm: "Layer or RMS norm, with a learnt gain.",
    activate::Activate: "`y = f(x)`, element by element.",
    dropout::Dropout: "Some inputs become 0 in training.",
    skip::Skip: "Adds what entered a group of layers to what leaves it.",
}

#[cfg(test)]
mod tests;
