//! Programs: the list of operations of a pass, and the memory that each reads and writes.
//!
//! A network is a tree, because layers can contain layers; a program is a flat list. Values between layers are stored in
//! numbered *places*. A layer that does not need its input in the backward pass may overwrite it, if no other layer reads
//! it. So a linear layer and its activation often share one place.

use std::ops::Range;

use super::{Branches, ByOutputs, Inner, Layer, MemberRows, Needs, Network, UseOfDy, Width};
use crate::nn::Activation;

/// The operations of a pass over a network.
#[derive(Debug, Clone)]
pub struct Program {
    /// The operations, forward.
    pub ops: Vec<Op>,
    /// Width of each place for values; place 0 is the network's input.
    pub values: Vec<Width>,
    /// Width of each place for gradients with respect to values.
    pub errors: Vec<Width>,
    /// Place of the network's output.
    pub output: usize,
    /// Place of the gradient with respect to the output; meaningful only in training.
    pub d_output: usize,
    /// Number of operations at the beginning whose outputs, instead of rows, can be divided among threads.
    pub lead: usize,
    /// For each tensor, the number of its operation.
    pub owners: Vec<usize>,
}

/// One layer in a program, or one parallel chain of a layer.
#[derive(Debug, Clone)]
pub struct Op {
    /// The layer. Its inner layers are separate operations.
    pub layer: Layer,
    /// Width of the layer's input.
    pub inputs: usize,
    /// Width of its output, or of the part that belongs to one chain.
    pub outputs: usize,
    /// Number of members of its output.
    pub members: usize,
    /// Place of its input, or of the output of an inner chain.
    pub x: usize,
    /// Place of the layer's own input, if it bypasses an inner chain.
    pub side: Option<usize>,
    /// Place of its output.
    pub y: usize,
    /// The line at which its output begins in that place; 0 except for the second and later of parallel chains.
    pub line: usize,
    /// Number of the layer among those that draw random numbers.
    pub random: usize,
    /// Range of the numbers of its tensors.
    pub tensors: Range<usize>,
    /// The result of [`Kind::needs`](super::Kind::needs).
    pub needs: Needs,
    /// Place of the gradient with respect to `y`; `None` outside training, or if neither this layer nor an earlier one
    /// learns.
    pub dy: Option<usize>,
    /// Destination of the gradient with respect to `x`.
    pub dx: Flow,
    /// Destination of the gradient with respect to `side`.
    pub d_side: Flow,
}

/// The destination of a gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// It is not needed.
    Unwanted,
    /// It replaces the gradient with respect to the output in the same place.
    InPlace,
    /// It overwrites this place.
    Write(usize),
    /// It is added to the values in this place.
    Add(usize),
}

/// A value between layers, while a program is built.
#[derive(Clone, Copy)]
struct ProgramValue {
    width: Width,
    /// Number of operations that read it.
    readers: usize,
    /// Whether it depends on tensors that learn.
    learnt: bool,
    /// Whether it must not be overwritten: the network's input, or an output that its layer's `backward` reads.
    kept: bool,
    place: usize,
    /// Place of the gradient with respect to it, once assigned.
    error: Option<usize>,
}

/// A program under construction. Until `finish`, the places of operations are numbers of values.
struct ProgramBuilder<'a> {
    /// Whether a tensor learns, given its number; `None` outside training.
    learns: Option<&'a dyn Fn(usize) -> bool>,
    ops: Vec<Op>,
    values: Vec<ProgramValue>,
    tensors: usize,
    /// Number of layers so far that draw random numbers.
    random: usize,
}

impl Program {
    /// Number of inputs of the network.
    pub fn inputs(&self) -> usize {
        self.values[0].features
    }

    /// Number of outputs of the network.
    pub fn outputs(&self) -> usize {
        self.values[self.output].features
    }

    /// Number of members of the network's output.
    pub fn members(&self) -> usize {
        self.values[self.output].members
    }

    /// Number of members that have inputs of their own; 1 if all members share them.
    pub fn input_members(&self) -> usize {
        self.values[0].members
    }

    /// The operations of a pass over a network; `members` of it have inputs of their own.
    ///
    /// # Panics
    /// If the network has no layers.
    pub(super) fn new(network: &Network, learns: Option<&dyn Fn(usize) -> bool>, members: usize) -> Program {
        let mut builder = ProgramBuilder { learns, ops: Vec::new(), values: Vec::new(), tensors: 0, random: 0 };
        let input = builder.value(Width { features: network.inputs, members }, false, true);
        let output = builder.chain(&network.chain, input);
        assert!(!builder.ops.is_empty(), "a network has layers");
        builder.values[output].readers += 1; // the loss
        let values = builder.place_values();
        let errors = builder.place_errors(output);
        builder.finish(output, values, errors)
    }
}

impl Network {
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

impl ProgramBuilder<'_> {
    fn value(&mut self, width: Width, learnt: bool, kept: bool) -> usize {
        self.values.push(ProgramValue { width, readers: 0, learnt, kept, place: 0, error: None });
        self.values.len() - 1
    }

    /// Adds the operations of a chain whose input is value `x`; returns the value of its output.
    fn chain(&mut self, chain: &[Layer], mut x: usize) -> usize {
        for layer in chain {
            x = self.layer(layer, x);
        }
        x
    }

    fn layer(&mut self, layer: &Layer, entered: usize) -> usize {
        let kind = layer.kind();
        let width = self.values[entered].width;
        let inputs = width.features;
        let training = self.learns.is_some();
        let needs = kind.needs(inputs, training);
        // Where the inputs have members already, they need not begin.
        let begun = kind.expands().is_some() && width.members > 1;
        if begun || (needs.only_in_training && !training) {
            return entered;
        }
        let outputs = width.after(layer);
        let from = match kind.inner() {
            Inner::None => vec![(entered, None)],
            Inner::Around(chain) => vec![(self.around(chain, entered), Some(entered))],
            Inner::Beside(chains) => chains.iter().map(|chain| (self.chain(chain, entered), None)).collect(),
        };
        let tensors = self.tensors..self.tensors + kind.tensors(width, Activation::Identity).len();
        self.tensors = tensors.end;
        let learnt_in = |(x, side): &(usize, Option<usize>)| {
            self.values[*x].learnt || side.is_some_and(|side| self.values[side].learnt)
        };
        let learns = self.learns.is_some_and(|learns| tensors.clone().any(learns));
        let learnt = learns || from.iter().any(learnt_in);
        let y = self.value(outputs, learnt, needs.keeps_y);
        let mut line = 0;
        for source in &from {
            // Each parallel chain writes its own part; any other layer writes the whole value.
            let width = if from.len() > 1 { self.values[source.0].width.features } else { outputs.features };
            self.operation(layer, (*source, inputs), (y, line..line + width), tensors.clone(), needs);
            line += width;
        }
        self.random += usize::from(needs.random);
        y
    }

    fn operation(
        &mut self,
        layer: &Layer,
        ((x, side), inputs): ((usize, Option<usize>), usize),
        (y, lines): (usize, Range<usize>),
        tensors: Range<usize>,
        needs: Needs,
    ) {
        for source in [Some(x), side].into_iter().flatten() {
            self.values[source].readers += 1;
        }
        self.ops.push(Op {
            layer: layer.clone(),
            inputs,
            outputs: lines.len(),
            members: self.values[y].width.members,
            x,
            side,
            y,
            line: lines.start,
            random: self.random,
            tensors,
            needs,
            dy: None,
            dx: Flow::Unwanted,
            d_side: Flow::Unwanted,
        });
    }

    /// Adds the operations of a chain that a layer bypasses; returns the value of its output. If the chain passes its input
    /// on, the output is a copy, so input and output have separate gradients.
    fn around(&mut self, chain: &[Layer], entered: usize) -> usize {
        let left = self.chain(chain, entered);
        if left != entered {
            return left;
        }
        let copy = Layer::new("", Branches { chains: vec![Vec::new()] });
        self.layer(&copy, entered)
    }

    /// Assigns a place to each value, that of its layer's input if it may be overwritten. Returns the widths of the places.
    fn place_values(&mut self) -> Vec<Width> {
        let mut widths = vec![self.values[0].width];
        for op in &self.ops {
            let x = self.values[op.x];
            if op.line > 0 {
                continue; // the first of the parallel chains has placed the value
            }
            if op.needs.overwrites_x && x.readers == 1 && !x.kept {
                self.values[op.y].place = x.place;
            } else {
                self.values[op.y].place = widths.len();
                widths.push(self.values[op.y].width);
            }
        }
        widths
    }

    /// Assigns a place to each gradient, from the loss backward. Returns the widths of the places.
    fn place_errors(&mut self, output: usize) -> Vec<Width> {
        let mut widths = Vec::new();
        if self.learns.is_none() {
            return widths;
        }
        self.flow(output, &mut widths);
        for n in (0..self.ops.len()).rev() {
            let (x, side, y) = (self.ops[n].x, self.ops[n].side, self.ops[n].y);
            if !self.values[y].learnt {
                continue;
            }
            let dy = self.values[y].error;
            let d_side = side.map_or(Flow::Unwanted, |side| self.flow(side, &mut widths));
            let in_place = self.ops[n].needs.dy != UseOfDy::Reads && self.values[x].readers == 1;
            let dx = if in_place && self.values[x].learnt {
                self.values[x].error = dy;
                Flow::InPlace
            } else {
                self.flow(x, &mut widths)
            };
            let op = &mut self.ops[n];
            (op.dy, op.dx, op.d_side) = (dy, dx, d_side);
        }
        widths
    }

    /// The destination of the next gradient with respect to a value: the first is written, later ones are added.
    fn flow(&mut self, value: usize, widths: &mut Vec<Width>) -> Flow {
        let value = &mut self.values[value];
        match value.error {
            _ if !value.learnt => Flow::Unwanted,
            Some(place) => Flow::Add(place),
            None => {
                value.error = Some(widths.len());
                widths.push(value.width);
                Flow::Write(widths.len() - 1)
            }
        }
    }

    /// Replaces numbers of values by places.
    fn finish(self, output: usize, values: Vec<Width>, errors: Vec<Width>) -> Program {
        let ProgramBuilder { mut ops, values: made, tensors, .. } = self;
        let mut owners = vec![0; tensors];
        for (n, op) in ops.iter_mut().enumerate() {
            owners[op.tensors.clone()].fill(n);
            op.side = op.side.map(|side| made[side].place);
            (op.x, op.y) = (made[op.x].place, made[op.y].place);
        }
        let first = ops.iter().take(1).filter(|op| op.needs.by_outputs == ByOutputs::First).count();
        let elementwise = |op: &&Op| op.needs.by_outputs == ByOutputs::Elementwise && op.x == op.y;
        let lead = if first == 0 { 0 } else { 1 + ops[1..].iter().take_while(elementwise).count() };
        let (output, d_output) = (made[output].place, made[output].error.unwrap_or(0));
        Program { ops, values, errors, output, d_output, lead, owners }
    }
}
