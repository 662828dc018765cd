//! The arguments of a layer's passes: views of panels, of its tensors, and of what it kept from `forward`.

use std::ops::Range;

use crate::kernel::{Isa, LANES, Line, Panels, PanelsMut, panels};
use crate::nn::dense::Weights;
use crate::nn::panel;

/// The address of the random numbers for the rows of a block.
#[derive(Debug, Clone, Copy)]
pub struct RandomAt {
    /// Seed of the run.
    pub seed: u64,
    /// Epoch, from 0.
    pub epoch: u64,
    /// Position of the first row in the epoch.
    pub position: usize,
    /// Number of the layer, since each layer has its own random numbers.
    pub layer: usize,
    /// Factor by which a schedule multiplies the dropout rate.
    pub factor: f64,
}

/// Arguments of [`Kind::forward`](super::Kind::forward).
pub struct Forward<'a> {
    /// Instruction set of the kernels.
    pub isa: Isa,
    /// Number of panels of the output. The panels of all members for the same 16 rows are adjacent.
    pub samples: usize,
    /// Number of members of the output.
    pub members: usize,
    /// Number of inputs of the layer.
    pub inputs: usize,
    /// The input, or the output of an inner chain; `None` if `y` already holds it.
    pub x: Option<Panels<'a>>,
    /// The input of a layer that bypasses an inner chain.
    pub side: Option<Panels<'a>>,
    /// The requested lines of the output, or the part of the output that belongs to one chain.
    pub y: PanelsMut<'a>,
    /// Number of these lines.
    pub width: usize,
    /// These lines as a range of panels of 16 outputs.
    pub outputs: Range<usize>,
    /// Memory that is kept until `backward`.
    pub kept: Option<PanelsMut<'a>>,
    /// The layer's tensors.
    pub tensors: [Option<Weights<'a>>; 2],
    /// Address of the random numbers; `None` outside training.
    pub random: Option<RandomAt>,
}

/// The gradient with respect to a layer's output, `dy`.
pub enum Signal<'a> {
    /// It may only be read.
    Read(Panels<'a>),
    /// It must be changed in place.
    Change(PanelsMut<'a>),
}

/// The destination of the gradient with respect to an input.
pub enum Errors<'a> {
    /// It is not needed.
    Unwanted,
    /// It replaces `dy` in the same memory.
    InPlace,
    /// It overwrites this memory.
    Write(PanelsMut<'a>),
    /// It is added to the values in this memory.
    Add(PanelsMut<'a>),
}

/// Arguments of [`Kind::backward`](super::Kind::backward).
pub struct Backward<'a> {
    /// Instruction set of the kernels.
    pub isa: Isa,
    /// Number of panels of the output. The panels of all members for the same 16 rows are adjacent.
    pub samples: usize,
    /// Number of members of the output.
    pub members: usize,
    /// Number of inputs of the layer.
    pub inputs: usize,
    /// Number of outputs of the layer, or of the part that belongs to one chain.
    pub outputs: usize,
    /// Input and output, if the layer needs them; both are the output if it overwrote the input.
    pub x_and_y: Option<[Panels<'a>; 2]>,
    /// The gradient with respect to the output.
    pub dy: Signal<'a>,
    /// Destination of the gradient with respect to `x`.
    pub dx: Errors<'a>,
    /// Destination of the gradient with respect to `side`.
    pub d_side: Errors<'a>,
    /// What `forward` kept.
    pub kept: Option<Panels<'a>>,
    /// Memory for the transposed gradient with respect to the output: panels of 16 outputs, with a line for each row of the
    /// run.
    pub transposed: Option<PanelsMut<'a>>,
    /// The layer's tensors.
    pub tensors: [Option<Weights<'a>>; 2],
}

/// Arguments of [`Kind::gradient`](super::Kind::gradient).
pub struct Gradient<'a> {
    /// Instruction set of the kernels.
    pub isa: Isa,
    /// Number of the tensor within the layer.
    pub tensor: usize,
    /// Number of outputs of the tensor.
    pub fan_out: usize,
    /// Number of rows of the block.
    pub rows: usize,
    /// Number of members of the output.
    pub members: usize,
    /// Number of inputs of the layer.
    pub inputs: usize,
    /// The layer's tensors.
    pub tensors: [Option<Weights<'a>>; 2],
    /// Number of tensors in the stack; 1 if there is no stack.
    pub stack: usize,
    /// The input.
    pub x: Panels<'a>,
    /// The input of a layer that bypasses an inner chain.
    pub side: Option<Panels<'a>>,
    /// The gradient with respect to the output, unless it was kept transposed.
    pub dy: Option<Panels<'a>>,
    /// The requested panels of the transposed gradient with respect to the output.
    pub transposed: Option<Panels<'a>>,
    /// What `forward` kept.
    pub kept: Option<Panels<'a>>,
    /// The requested lines of each panel of the tensor.
    pub lines: Range<usize>,
    /// Number of the first requested panel of the tensor.
    pub first_panel: usize,
    /// Number of requested panels.
    pub panels: usize,
    /// Whether to overwrite `dw`; otherwise the gradient is added to that of earlier blocks of the batch.
    pub first: bool,
    /// The gradient with respect to the requested lines of the requested panels.
    pub dw: PanelsMut<'a>,
}

impl Gradient<'_> {
    /// Number of panels of the output in the block.
    pub(super) fn samples(&self) -> usize {
        panels(self.rows) * self.members
    }

    /// Length of a chain over all rows of the block and all members. With several members it includes the padding of each
    /// panel.
    pub(super) fn depth(&self) -> usize {
        if self.members == 1 { self.rows } else { self.samples() * LANES }
    }
}

impl Forward<'_> {
    /// Copies the input to the output, unless they share their memory.
    pub(super) fn begin(&mut self) {
        let Some(x) = self.x else { return };
        for p in 0..self.samples {
            self.y.lines_mut(p, 0..self.width).copy_from_slice(x.panel(p, 0..self.width));
        }
    }
}

impl<'a> Signal<'a> {
    /// The gradient, for a layer that only reads it.
    pub(super) fn read(&self) -> Panels<'a> {
        match self {
            Signal::Read(panels) => *panels,
            Signal::Change(_) => unreachable!("lent to be changed"),
        }
    }

    /// The gradient, for a layer that changes it.
    pub(super) fn change(&mut self) -> &mut PanelsMut<'a> {
        match self {
            Signal::Change(panels) => panels,
            Signal::Read(_) => unreachable!("lent to be read"),
        }
    }
}

impl Errors<'_> {
    /// The same destination restricted to every `step`-th panel, beginning with panel `first`.
    pub(super) fn every(&mut self, first: usize, step: usize) -> Errors<'_> {
        match self {
            Errors::Unwanted => Errors::Unwanted,
            Errors::InPlace => Errors::InPlace,
            Errors::Write(to) => Errors::Write(to.every(first, step)),
            Errors::Add(to) => Errors::Add(to.every(first, step)),
        }
    }

    /// Passes the gradient of one panel on unchanged. Nothing is done if it is in place already.
    pub(super) fn hand_on(&mut self, isa: Isa, p: usize, d: &[Line]) {
        match self {
            Errors::Unwanted | Errors::InPlace => {}
            Errors::Write(to) => to.lines_mut(p, 0..d.len()).copy_from_slice(d),
            Errors::Add(to) => panel::add(isa, d, to.lines_mut(p, 0..d.len())),
        }
    }
}
