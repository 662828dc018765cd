//! What a layer is lent for its work: views of panels, of its tensors, and of what it kept.

use std::ops::Range;

use crate::kernel::{Isa, LANES, Line, Panels, PanelsMut, panels};
use crate::nn::dense::Weights;
use crate::nn::panel;

/// Which random numbers the rows of a block get.
#[derive(Debug, Clone, Copy)]
pub struct RandomAt {
    /// Seed of the run.
    pub seed: u64,
    /// Epoch, from 0.
    pub epoch: u64,
    /// Position in the epoch of the first row.
    pub position: usize,
    /// Number of the layer: each draws numbers of its own.
    pub layer: usize,
    /// Factor of the rate of dropout.
    pub factor: f64,
}

/// Forward through one layer.
pub struct Forward<'a> {
    /// Kernel form.
    pub isa: Isa,
    /// Panels of the output: those of the members of 16 rows follow each other.
    pub samples: usize,
    /// Members of the output.
    pub members: usize,
    /// Inputs of the layer.
    pub inputs: usize,
    /// The input, or what leaves an inner chain; none where `y` holds it already.
    pub x: Option<Panels<'a>>,
    /// What entered a layer that goes round a chain.
    pub side: Option<Panels<'a>>,
    /// Lines of the output that are asked for, or the part of the output that is the chain's.
    pub y: PanelsMut<'a>,
    /// How many these are.
    pub width: usize,
    /// The same in panels of 16 outputs.
    pub outputs: Range<usize>,
    /// Memory until `backward`.
    pub kept: Option<PanelsMut<'a>>,
    /// The layer's tensors.
    pub tensors: [Option<Weights<'a>>; 2],
    /// Random numbers of the first row; none outside training.
    pub random: Option<RandomAt>,
}

/// The gradient by a layer's output.
pub enum Signal<'a> {
    /// To read.
    Read(Panels<'a>),
    /// To change in place.
    Change(PanelsMut<'a>),
}

/// Where the gradient by an input goes.
pub enum Errors<'a> {
    /// Nobody needs it.
    Unwanted,
    /// It takes the place of the gradient by the output.
    InPlace,
    /// It is written there.
    Write(PanelsMut<'a>),
    /// It is added to what is there.
    Add(PanelsMut<'a>),
}

/// Backward to one layer's input.
pub struct Backward<'a> {
    /// Kernel form.
    pub isa: Isa,
    /// Panels of the output: those of the members of 16 rows follow each other.
    pub samples: usize,
    /// Members of the output.
    pub members: usize,
    /// Inputs of the layer.
    pub inputs: usize,
    /// Outputs of the layer.
    pub outputs: usize,
    /// Input and output, where the layer looks back; `x` is `y` where that was written over it.
    pub x_and_y: Option<[Panels<'a>; 2]>,
    /// The gradient by the output.
    pub dy: Signal<'a>,
    /// Where the gradient by `x` goes.
    pub dx: Errors<'a>,
    /// Where the gradient by `side` goes.
    pub d_side: Errors<'a>,
    /// What `forward` kept.
    pub kept: Option<Panels<'a>>,
    /// For the gradient by the output with outputs in lanes: panels of 16 outputs, a line for each row of the run.
    pub transposed: Option<PanelsMut<'a>>,
    /// The layer's tensors.
    pub tensors: [Option<Weights<'a>>; 2],
}

/// Backward to some lines of one tensor of a layer.
pub struct Gradient<'a> {
    /// Kernel form.
    pub isa: Isa,
    /// Which of the layer's tensors.
    pub tensor: usize,
    /// Outputs of the tensor.
    pub fan_out: usize,
    /// Rows of the block.
    pub rows: usize,
    /// Members of the output.
    pub members: usize,
    /// Inputs of the layer.
    pub inputs: usize,
    /// The layer's tensors.
    pub tensors: [Option<Weights<'a>>; 2],
    /// How many tensors of this form there are side by side.
    pub stack: usize,
    /// The input.
    pub x: Panels<'a>,
    /// What entered a layer that goes round a chain.
    pub side: Option<Panels<'a>>,
    /// The gradient by the output, unless it is kept transposed.
    pub dy: Option<Panels<'a>>,
    /// The gradient by the output with outputs in lanes: the panels asked for.
    pub transposed: Option<Panels<'a>>,
    /// What `forward` kept.
    pub kept: Option<Panels<'a>>,
    /// Lines of each of the tensor's panels.
    pub lines: Range<usize>,
    /// Number of the first of these panels in the tensor.
    pub first_panel: usize,
    /// How many panels.
    pub panels: usize,
    /// Whether to write rather than to add to what earlier blocks of the batch left.
    pub first: bool,
    /// The gradient: these lines of these panels.
    pub dw: PanelsMut<'a>,
}

impl Gradient<'_> {
    /// Panels of the output in the block.
    pub(super) fn samples(&self) -> usize {
        panels(self.rows) * self.members
    }

    /// Length of a chain over all rows of the block and all members.
    pub(super) fn depth(&self) -> usize {
        if self.members == 1 { self.rows } else { self.samples() * LANES }
    }
}

impl Forward<'_> {
    /// Copies the input to the output, unless it is there already.
    pub(super) fn begin(&mut self) {
        let Some(x) = self.x else { return };
        for p in 0..self.samples {
            self.y.lines_mut(p, 0..self.width).copy_from_slice(x.panel(p, 0..self.width));
        }
    }
}

impl<'a> Signal<'a> {
    /// The gradient of a layer that only reads it.
    pub(super) fn read(&self) -> Panels<'a> {
        match self {
            Signal::Read(panels) => *panels,
            Signal::Change(_) => unreachable!("lent to be changed"),
        }
    }

    /// The gradient of a layer that changes it.
    pub(super) fn change(&mut self) -> &mut PanelsMut<'a> {
        match self {
            Signal::Change(panels) => panels,
            Signal::Read(_) => unreachable!("lent to be read"),
        }
    }
}

impl Errors<'_> {
    /// The same for every `step`-th panel, from the panel `first` on.
    pub(super) fn every(&mut self, first: usize, step: usize) -> Errors<'_> {
        match self {
            Errors::Unwanted => Errors::Unwanted,
            Errors::InPlace => Errors::InPlace,
            Errors::Write(to) => Errors::Write(to.every(first, step)),
            Errors::Add(to) => Errors::Add(to.every(first, step)),
        }
    }

    /// Hands a gradient on for one panel; in place it is there already.
    pub(super) fn hand_on(&mut self, isa: Isa, p: usize, d: &[Line]) {
        match self {
            Errors::Unwanted | Errors::InPlace => {}
            Errors::Write(to) => to.lines_mut(p, 0..d.len()).copy_from_slice(d),
            Errors::Add(to) => panel::add(isa, d, to.lines_mut(p, 0..d.len())),
        }
    }
}
