//! Backward: error signals of every layer for a run of sample panels, then gradients of the parameters over all rows.

use std::ops::Range;

use super::forward::SharedNet;
use super::shared::Shared;
use super::team::Member;
use super::workspace::{LayerBuffers, SharedBuffer, SharedWorkspace};
use crate::kernel::gemm::Extent;
use crate::kernel::{LANES, Line, Panels, panels};
use crate::model::{Role, Slot, Tensor};
use crate::nn::{dense, panel, panel_norm};

/// From the gradient by the network's output, left in the last layer's `d_pre`, to `dZ` of every layer, as it is and
/// transposed, for the panels `run`.
pub(super) fn to_inputs(member: Member<'_>, net: SharedNet<'_>, workspace: &SharedWorkspace<'_>, run: Range<usize>) {
    for n in (0..workspace.layers.len()).rev() {
        let layer = &workspace.layers[n];
        for p in run.clone() {
            through_activation(member, net, n, layer, p);
            transpose(member, net, &layer.d_pre, &layer.d_pre_t, p);
            if let (Some(d_out), Some(d_out_t)) = (&layer.d_out, &layer.d_out_t) {
                transpose(member, net, d_out, d_out_t, p);
            }
        }
        if n > 0 {
            through_weights(member, net, n, workspace, run.clone());
        }
    }
}

/// Gradient by the layer's output to the one by `z`, of one panel: dropout, activation, norm.
fn through_activation(
    member: Member<'_>,
    net: SharedNet<'_>,
    n: usize,
    layer: &LayerBuffers<SharedBuffer<'_>>,
    p: usize,
) {
    let width = layer.d_pre.rows();
    let d = layer.d_activation().lines_mut(member, p, 0..width);
    if let Some(d_out) = &layer.d_out {
        d.copy_from_slice(d_out.lines(member, p, 0..width));
    }
    if let Some(mask) = &layer.mask {
        panel::multiply(net.isa, mask.lines(member, p, 0..width), d);
    }
    let y = layer.act.lines(member, p, 0..width);
    let x = match (&layer.normed, &layer.pre, &layer.moments) {
        (Some(normed), ..) => normed.lines(member, p, 0..width),
        (None, Some(pre), None) => pre.lines(member, p, 0..width),
        _ => y, // the derivative does not use it
    };
    panel::activation_backward(net.isa, net.architecture.activation(n), x, y, d);
    if let (Some(norm), Some(moments), Some(pre)) = (net.architecture.norm, &layer.moments, &layer.pre) {
        let gain = net.vector(member, Role::Gain, n).expect("a norm has gains");
        let (pre, moments) = (pre.lines(member, p, 0..width), moments.lines(member, p, 0..2));
        panel_norm::backward(net.isa, norm, pre, moments, gain, d, layer.d_pre.lines_mut(member, p, 0..width));
    }
}

/// Outputs into lanes, for the panels of the weight gradient.
fn transpose(member: Member<'_>, net: SharedNet<'_>, d: &SharedBuffer<'_>, d_t: &SharedBuffer<'_>, p: usize) {
    let outputs = 0..panels(d.rows());
    let to = d_t.rows_mut(member, outputs, p * LANES..(p + 1) * LANES);
    panel::transpose(net.isa, d.lines(member, p, 0..d.rows()), to);
}

/// Gradient by the input of layer `n`, left where layer `n − 1` looks for the one by its output: through a residual
/// first, then through the weights.
fn through_weights(
    member: Member<'_>,
    net: SharedNet<'_>,
    n: usize,
    workspace: &SharedWorkspace<'_>,
    run: Range<usize>,
) {
    let (layer, below) = (&workspace.layers[n], &workspace.layers[n - 1]);
    let fan_in = net.architecture.fan_in(n);
    let samples = run.len();
    if let Some(d_out) = &layer.d_out {
        if let Some(projection) = net.layout.find(Role::Projection, n) {
            let weights = net.weights(member, projection);
            let dx = below.d_output().panels_mut(member, run.clone());
            dense::backward_to_inputs(net.isa, weights, fan_in, d_out.panels(member, run.clone()), dx, samples, false);
        } else {
            for p in run.clone() {
                let dx = below.d_output().lines_mut(member, p, 0..fan_in);
                dx.copy_from_slice(d_out.lines(member, p, 0..fan_in));
            }
        }
    }
    let weights = net.weights(member, net.linear(n));
    let (dz, dx) = (layer.d_pre.panels(member, run.clone()), below.d_output().panels_mut(member, run));
    dense::backward_to_inputs(net.isa, weights, fan_in, dz, dx, samples, layer.d_out.is_some());
}

/// The gradient of one slot over the `rows` rows of a block, added to what earlier blocks of the batch left where it
/// is not the `first`. Gradients are a buffer of the layout's form.
pub(super) fn to_weights(
    member: Member<'_>,
    net: SharedNet<'_>,
    workspace: &SharedWorkspace<'_>,
    gradients: &Shared<'_, Line>,
    slot: &Slot,
    rows: usize,
    first: bool,
) {
    let tensor = &net.layout.tensors[slot.tensor];
    let layer = &workspace.layers[tensor.layer];
    let error = match tensor.role {
        Role::Linear => &layer.d_pre_t,
        Role::Projection => layer.d_out_t.as_ref().expect("kept for the projection"),
        Role::Gain | Role::Shift => return norm_gradient(member, net, layer, gradients, tensor, slot, rows, first),
    };
    let input = if tensor.layer == 0 { &workspace.input } else { workspace.layers[tensor.layer - 1].output() };
    let x = input.panels(member, 0..panels(rows));
    let start = tensor.lines(slot.panels.start, slot.rows.clone()).start;
    let dw = gradients.write_panels(member, start, tensor.stride, slot.panels.len(), slot.rows.len());
    dense::backward_to_weights(
        net.isa,
        Panels { lines: &x.lines[slot.rows.start..], stride: x.stride },
        error.panels(member, slot.panels.clone()),
        dw,
        Extent { panels: slot.panels.len(), rows: slot.rows.len(), depth: rows, accumulate: !first },
    );
}

/// Features worked at a time: their sums stay on the stack.
const FEATURES: usize = LANES;

/// Gradient of gains (`Σ dy · x̂`) or shifts (`Σ dy`) for the features of a slot: lanes are summed over the panels in
/// order, then over each other in order.
#[allow(clippy::too_many_arguments)] // what `to_weights` was given, and the tensor it looked up
fn norm_gradient(
    member: Member<'_>,
    net: SharedNet<'_>,
    layer: &LayerBuffers<SharedBuffer<'_>>,
    gradients: &Shared<'_, Line>,
    tensor: &Tensor,
    slot: &Slot,
    rows: usize,
    first: bool,
) {
    let (Some(pre), Some(moments), Some(dy)) = (&layer.pre, &layer.moments, &layer.d_normed) else {
        unreachable!("a layer with gains keeps what its norm saw");
    };
    for row in slot.rows.clone() {
        let features = row * FEATURES..((row + 1) * FEATURES).min(tensor.fan_out);
        let count = features.len();
        let (mut products, mut plain) = ([Line::ZERO; FEATURES], [Line::ZERO; FEATURES]);
        for p in 0..panels(rows) {
            panel_norm::accumulate_gradients(
                net.isa,
                pre.lines(member, p, features.clone()),
                moments.lines(member, p, 0..2),
                dy.lines(member, p, features.clone()),
                &mut products[..count],
                &mut plain[..count],
            );
        }
        let sums = if tensor.role == Role::Gain { &products } else { &plain };
        let line = &mut gradients.write(member, tensor.lines(0, row..row + 1))[0];
        for (feature, sum) in sums.iter().enumerate() {
            let before = if first { 0.0 } else { line.0[feature] };
            line.0[feature] = sum.0.iter().fold(before, |total, x| total + x);
        }
    }
}
