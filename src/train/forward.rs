//! Forward through all layers, for a run of sample panels.

use std::ops::Range;

use super::shared::Shared;
use super::team::Member;
use super::workspace::{LayerBuffers, SharedBuffer, SharedWorkspace};
use crate::kernel::{Isa, LANES, Line, Panels};
use crate::model::{Architecture, Layout, Role, Tensor};
use crate::nn::dense::{self, Weights};
use crate::nn::dropout::{MaskAddress, fill_mask};
use crate::nn::{Activation, panel, panel_norm};

/// A network whose parameters a team reads.
#[derive(Clone, Copy)]
pub(super) struct SharedNet<'a> {
    /// Kernel form.
    pub(super) isa: Isa,
    /// What the network looks like.
    pub(super) architecture: &'a Architecture,
    /// Where its parameters lie.
    pub(super) layout: &'a Layout,
    /// The parameters.
    pub(super) parameters: &'a Shared<'a, Line>,
}

/// Which dropout masks a block gets; none outside training.
#[derive(Clone, Copy)]
pub(super) struct DropoutAt {
    /// Seed of the run.
    pub(super) seed: u64,
    /// Epoch, from 0.
    pub(super) epoch: u64,
    /// Position in the epoch of the block's first row.
    pub(super) position: usize,
}

impl SharedNet<'_> {
    /// The lines of a tensor of gains or shifts.
    pub(super) fn vector(&self, member: Member<'_>, role: Role, layer: usize) -> Option<&[Line]> {
        let tensor = self.layout.find(role, layer)?;
        Some(self.parameters.read(member, tensor.all_lines()))
    }

    /// The weights of a matrix.
    pub(super) fn weights(&self, member: Member<'_>, tensor: &Tensor) -> Weights<'_> {
        let lines = self.parameters.read(member, tensor.all_lines());
        let panels = Panels { lines, stride: tensor.stride };
        Weights { panels, depth: tensor.rows, fan_out: tensor.fan_out }
    }

    /// The linear layer `layer`.
    pub(super) fn linear(&self, layer: usize) -> &Tensor {
        self.layout.find(Role::Linear, layer).expect("every layer has weights")
    }
}

/// First layers of at least so many lines of weights are worth two barriers more.
const SPLIT_LINES: usize = 512;

/// Whether a team of `members` shares out the first layer of a block of `rows` rows by its outputs rather than by rows.
/// Each member then reads mostly weights that it has updated itself, and a batch of few rows keeps many members busy; what
/// of the inputs comes from other members is needed for the weights' gradient anyway. It
/// pays where there is more to read of the weights than of the rows. No bit depends on it.
pub(crate) fn splits_first_layer(layout: &Layout, members: usize, rows: usize) -> bool {
    let first = &layout.tensors[0];
    members > 1 && first.fan_out > rows && first.panels * first.rows >= SPLIT_LINES
}

/// Some panels of outputs of the first layer, for all `samples` panels of a block.
pub(super) fn first_layer(
    member: Member<'_>,
    net: SharedNet<'_>,
    workspace: &SharedWorkspace<'_>,
    (samples, outputs): (usize, Range<usize>),
) {
    linear(member, net, 0, &workspace.input, &workspace.layers[0], (0..samples, outputs));
}

/// Runs the panels `run` of a block through the network, from its `first` linear layer on: what leaves the last layer is in
/// its `act`.
pub(super) fn forward(
    member: Member<'_>,
    net: SharedNet<'_>,
    workspace: &SharedWorkspace<'_>,
    (run, first): (Range<usize>, usize),
    dropout: Option<DropoutAt>,
) {
    let mut input = &workspace.input;
    for (n, layer) in workspace.layers.iter().enumerate() {
        if n >= first {
            linear(member, net, n, input, layer, (run.clone(), 0..net.linear(n).panels));
        }
        if let Some(norm) = layer.moments.as_ref().and(net.architecture.norm) {
            for p in run.clone() {
                normalise(member, net, n, norm, layer, p);
            }
        }
        if let Some(out) = &layer.out {
            for p in run.clone() {
                let at = dropout.map(|d| MaskAddress {
                    seed: d.seed,
                    layer: n,
                    epoch: d.epoch,
                    position: d.position + p * LANES,
                });
                drop_units(member, net, layer, out, p, at);
            }
            if net.architecture.residual {
                add_input(member, net, n, input, out, run.clone());
            }
        }
        input = layer.output();
    }
}

/// `z = W x + b`, and the activation where no norm comes between: some panels of samples, some panels of outputs.
fn linear(
    member: Member<'_>,
    net: SharedNet<'_>,
    n: usize,
    input: &SharedBuffer<'_>,
    layer: &LayerBuffers<SharedBuffer<'_>>,
    (run, outputs): (Range<usize>, Range<usize>),
) {
    let tensor = net.linear(n);
    let rows = outputs.start * LANES..tensor.fan_out.min(outputs.end * LANES);
    if rows.is_empty() {
        return;
    }
    let weights = net.weights(member, tensor).outputs(outputs);
    let x = input.panels(member, run.clone());
    let activation = net.architecture.activation(n);
    let target = layer.pre.as_ref().unwrap_or(&layer.act);
    let fused = if layer.pre.is_some() { Activation::Identity } else { activation };
    let z = target.rows_mut(member, run.clone(), rows.clone());
    dense::forward(net.isa, weights, x, z, run.len(), false, fused);
    if let (Some(pre), None) = (&layer.pre, &layer.moments) {
        for p in run {
            let y = layer.act.lines_mut(member, p, rows.clone());
            panel::activate(net.isa, activation, pre.lines(member, p, rows.clone()), y);
        }
    }
}

/// `act(norm(z))` of one panel.
fn normalise(
    member: Member<'_>,
    net: SharedNet<'_>,
    n: usize,
    norm: crate::nn::norm::NormKind,
    layer: &LayerBuffers<SharedBuffer<'_>>,
    p: usize,
) {
    let (pre, moments) = (layer.pre.as_ref().expect("kept for the norm"), layer.moments.as_ref().expect("a norm"));
    let width = pre.rows();
    let gain = net.vector(member, Role::Gain, n).expect("a norm has gains");
    let shift = net.vector(member, Role::Shift, n);
    let act = layer.act.lines_mut(member, p, 0..width);
    let moments = moments.lines_mut(member, p, 0..2);
    panel_norm::forward(net.isa, norm, pre.lines(member, p, 0..width), gain, shift, act, moments);
    if let Some(normed) = &layer.normed {
        normed.lines_mut(member, p, 0..width).copy_from_slice(act);
    }
    panel::activate_in_place(net.isa, net.architecture.activation(n), act);
}

/// `out = mask ⊙ act` of one panel; a copy where nothing is dropped.
fn drop_units(
    member: Member<'_>,
    net: SharedNet<'_>,
    layer: &LayerBuffers<SharedBuffer<'_>>,
    out: &SharedBuffer<'_>,
    p: usize,
    at: Option<MaskAddress>,
) {
    let width = out.rows() - 1;
    let lines = out.lines_mut(member, p, 0..width);
    lines.copy_from_slice(layer.act.lines(member, p, 0..width));
    if let (Some(mask), Some(at)) = (&layer.mask, at) {
        let mask = mask.lines_mut(member, p, 0..width);
        fill_mask(at, net.architecture.dropout, mask);
        panel::multiply(net.isa, mask, lines);
    }
}

/// `out += x`, or `out += P x` where the widths differ.
fn add_input(
    member: Member<'_>,
    net: SharedNet<'_>,
    n: usize,
    input: &SharedBuffer<'_>,
    out: &SharedBuffer<'_>,
    run: Range<usize>,
) {
    if let Some(projection) = net.layout.find(Role::Projection, n) {
        let weights = net.weights(member, projection);
        let (x, y) = (input.panels(member, run.clone()), out.panels_mut(member, run.clone()));
        dense::forward(net.isa, weights, x, y, run.len(), true, Activation::Identity);
    } else {
        let width = out.rows() - 1;
        for p in run {
            panel::add(net.isa, input.lines(member, p, 0..width), out.lines_mut(member, p, 0..width));
        }
    }
}
