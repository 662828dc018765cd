//! The list of operations that a pass makes, and where each reads and writes.
//!
//! A network is a tree, for a skip holds layers; a program is flat. Values that pass between layers have *places* in memory.
//! A layer that does not look back at its input may write over it, if nobody else reads it, so a linear layer and its
//! activation share one place.

use std::ops::Range;

use super::{Branches, ByOutputs, Inner, Layer, Needs, Network, UseOfDy, Width};
use crate::nn::Activation;

/// The operations of a pass over a network.
#[derive(Debug, Clone)]
pub struct Program {
    /// The operations, forward.
    pub ops: Vec<Op>,
    /// Width of each place of values; the first is the network's input.
    pub values: Vec<Width>,
    /// Width of each place of gradients by values.
    pub errors: Vec<Width>,
    /// Place of the network's output.
    pub output: usize,
    /// Place of the gradient by it; training only.
    pub d_output: usize,
    /// Operations at the beginning that can be shared out by outputs rather than by rows.
    pub lead: usize,
    /// The operation that each tensor belongs to.
    pub owners: Vec<usize>,
}

/// One layer in a program, or its work on one of its chains.
#[derive(Debug, Clone)]
pub struct Op {
    /// The layer; its inner ones are operations by themselves.
    pub layer: Layer,
    /// Width of its input.
    pub inputs: usize,
    /// Width of its output.
    pub outputs: usize,
    /// Members of its output.
    pub members: usize,
    /// Place of its input, or of what leaves an inner chain.
    pub x: usize,
    /// Place of what entered a layer that goes round a chain.
    pub side: Option<usize>,
    /// Place of its output.
    pub y: usize,
    /// The line there with which its output begins: not 0 for the chains of a layer after its first.
    pub line: usize,
    /// Number of its random numbers.
    pub random: usize,
    /// Its tensors.
    pub tensors: Range<usize>,
    /// Lines that it keeps for a panel, and the like.
    pub needs: Needs,
    /// Place of the gradient by `y`; none where nothing is learnt up to here, or outside training.
    pub dy: Option<usize>,
    /// Where the gradient by `x` goes.
    pub dx: Flow,
    /// Where the gradient by `side` goes.
    pub d_side: Flow,
}

/// Where a gradient goes: a place, if anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Nobody needs it.
    Unwanted,
    /// It takes the place of the gradient by the output.
    InPlace,
    /// It is written to a place.
    Write(usize),
    /// It is added to what is there.
    Add(usize),
}

/// A value on its way through the network, while a program is made.
#[derive(Clone, Copy)]
struct Value {
    width: Width,
    /// How many layers read it.
    readers: usize,
    /// Whether something is learnt before it.
    learnt: bool,
    /// Whether the layer that made it looks at it again.
    kept: bool,
    place: usize,
    /// Place of the gradient by it, once a later layer has one to give.
    error: Option<usize>,
}

/// A program in the making; places of operations are numbers of values until they are placed.
struct Builder<'a> {
    /// Whether a tensor learns, by its number; none outside training.
    learns: Option<&'a dyn Fn(usize) -> bool>,
    ops: Vec<Op>,
    values: Vec<Value>,
    tensors: usize,
    /// Layers so far that draw random numbers.
    random: usize,
}

impl Program {
    /// Inputs of the network.
    pub fn inputs(&self) -> usize {
        self.values[0].features
    }

    /// Outputs of the network.
    pub fn outputs(&self) -> usize {
        self.values[self.output].features
    }

    /// Members of the network's output.
    pub fn members(&self) -> usize {
        self.values[self.output].members
    }

    /// The operations of a pass over a network.
    ///
    /// # Panics
    /// If the network has no layers.
    pub(super) fn new(network: &Network, learns: Option<&dyn Fn(usize) -> bool>) -> Program {
        let mut builder = Builder { learns, ops: Vec::new(), values: Vec::new(), tensors: 0, random: 0 };
        let input = builder.value(Width::of(network.inputs), false, true);
        let output = builder.chain(&network.chain, input);
        assert!(!builder.ops.is_empty(), "a network has layers");
        builder.values[output].readers += 1; // the loss
        let values = builder.place_values();
        let errors = builder.place_errors(output);
        builder.finish(output, values, errors)
    }
}

impl Builder<'_> {
    fn value(&mut self, width: Width, learnt: bool, kept: bool) -> usize {
        self.values.push(Value { width, readers: 0, learnt, kept, place: 0, error: None });
        self.values.len() - 1
    }

    /// Adds the operations of a chain that begins with the value `x`; the value that it ends with.
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
        if needs.only_in_training && !training {
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
            // Chains side by side each fill their part; any other layer fills the whole.
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

    /// The value that leaves a chain which a layer goes round: a copy if the chain hands on what entered, so that the two have
    /// gradients of their own.
    fn around(&mut self, chain: &[Layer], entered: usize) -> usize {
        let left = self.chain(chain, entered);
        if left != entered {
            return left;
        }
        let copy = Layer::new("", Branches { chains: vec![Vec::new()] });
        self.layer(&copy, entered)
    }

    /// Gives each value a place, the same as its layer's input where that may be written over; widths of the places.
    fn place_values(&mut self) -> Vec<Width> {
        let mut widths = vec![self.values[0].width];
        for op in &self.ops {
            let x = self.values[op.x];
            if op.line > 0 {
                continue; // its chain's first sibling has placed the value
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

    /// Gives each gradient a place, from the loss down; widths of the places.
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

    /// How a gradient gets to a value: the first is written, others are added.
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

    /// Places instead of numbers of values.
    fn finish(self, output: usize, values: Vec<Width>, errors: Vec<Width>) -> Program {
        let Builder { mut ops, values: made, tensors, .. } = self;
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
