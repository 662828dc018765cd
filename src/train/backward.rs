//! Backward pass: error signals of every layer for a run of sample panels, then the gradients of the parameters over all rows.

use std::ops::Range;

use super::forward::SharedNet;
use super::shared::Shared;
use super::team::Member;
use super::workspace::SharedWorkspace;
use crate::kernel::{LANES, Line, panels};
use crate::layer::{Backward, Errors, Flow, Gradient, Signal, UseOfDy};
use crate::model::Slot;

/// Propagates the gradient by the network's output back to the gradient by the output of each layer, for the panels `run`.
pub(super) fn to_inputs(member: Member<'_>, net: SharedNet<'_>, workspace: &SharedWorkspace<'_>, run: Range<usize>) {
    for (op, memory) in net.program.ops.iter().zip(&workspace.memory).rev() {
        let Some(dy) = op.dy.map(|place| &workspace.errors[place]) else { continue };
        let lend = |flow| match flow {
            Flow::Unwanted => Errors::Unwanted,
            Flow::InPlace => Errors::InPlace,
            Flow::Write(place) => Errors::Write(workspace.errors[place].panels_mut(member, run.clone())),
            Flow::Add(place) => Errors::Add(workspace.errors[place].panels_mut(member, run.clone())),
        };
        let (panels_out, members) = (panels(op.outputs), op.members);
        let transposed = memory.transposed.as_ref().map(|d| match op.needs.by_members {
            true => d.rows_mut(member, 0..panels_out * members, run.start * LANES..run.end * LANES),
            false => d.rows_mut(member, 0..panels_out, run.start * members * LANES..run.end * members * LANES),
        });
        op.layer.kind().backward(Backward {
            isa: net.isa,
            samples: run.len() * members,
            members,
            inputs: op.inputs,
            outputs: op.outputs,
            x_and_y: op.needs.looks_back.then(|| [op.x, op.y].map(|v| workspace.values[v].panels(member, run.clone()))),
            dy: match op.needs.dy {
                UseOfDy::Changes => Signal::Change(dy.panels_mut(member, run.clone())),
                UseOfDy::Reads | UseOfDy::HandsOn => Signal::Read(dy.panels_from(member, run.clone(), op.line)),
            },
            dx: lend(op.dx),
            d_side: lend(op.d_side),
            kept: memory.kept.as_ref().map(|kept| kept.panels(member, run.clone())),
            transposed,
            tensors: net.tensors(member, op),
        });
    }
}

/// Computes the gradient of one slot over the `rows` rows of a block. It is added to the gradient of the batch's earlier blocks
/// unless this is the `first` block. Gradients are a buffer with the layout of the parameters.
pub(super) fn to_weights(
    member: Member<'_>,
    net: SharedNet<'_>,
    workspace: &SharedWorkspace<'_>,
    gradients: &Shared<'_, Line>,
    slot: &Slot,
    (rows, first): (usize, bool),
) {
    let tensor = &net.layout.tensors[slot.tensor];
    let n = net.program.owners[slot.tensor];
    let (op, memory) = (&net.program.ops[n], &workspace.memory[n]);
    let Some(dy) = op.dy else { unreachable!("what learns has a gradient") };
    let all = 0..panels(rows);
    let start = tensor.lines(slot.panels.start, slot.rows.clone()).start;
    op.layer.kind().gradient(Gradient {
        isa: net.isa,
        tensor: slot.tensor - op.tensors.start,
        fan_out: tensor.fan_out,
        rows,
        members: op.members,
        inputs: op.inputs,
        tensors: net.tensors(member, op),
        stack: tensor.count(),
        x: workspace.values[op.x].panels(member, all.clone()),
        side: op.side.map(|side| workspace.values[side].panels(member, all.clone())),
        dy: memory.transposed.is_none().then(|| workspace.errors[dy].panels(member, all)),
        transposed: memory.transposed.as_ref().map(|d| d.panels(member, slot.panels.clone())),
        kept: memory.kept.as_ref().map(|kept| kept.panels(member, 0..panels(rows))),
        lines: slot.rows.clone(),
        first_panel: slot.panels.start,
        panels: slot.panels.len(),
        first,
        dw: gradients.write_panels(member, start, tensor.stride, slot.panels.len(), slot.rows.len()),
    });
}
