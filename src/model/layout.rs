//! Where each parameter lies: one flat buffer of lines, the same for weights, gradients and optimizer state.

use std::ops::Range;

use super::Architecture;
use crate::kernel::{LANES, panel_stride, panels};

/// What a tensor of the network does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Weights of a linear layer: panels `[input + 1][16 outputs]`, the last line of each the bias.
    Linear,
    /// Projection of a residual block: panels `[input][16 outputs]`.
    Projection,
    /// Gains of a norm: 16 features a line.
    Gain,
    /// Shifts of a layer norm: 16 features a line.
    Shift,
}

/// One tensor and its place.
#[derive(Debug, Clone)]
pub struct Tensor {
    /// What it does.
    pub role: Role,
    /// Number of the linear layer it belongs to.
    pub layer: usize,
    /// Inputs of a matrix; 0 for gains and shifts.
    pub fan_in: usize,
    /// Outputs of a matrix; features of gains and shifts.
    pub fan_out: usize,
    /// First line.
    pub start: usize,
    /// Number of panels.
    pub panels: usize,
    /// Lines of a panel that hold parameters.
    pub rows: usize,
    /// Lines from one panel to the next.
    pub stride: usize,
}

/// All tensors of a network, in the order of its layers.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The tensors.
    pub tensors: Vec<Tensor>,
    /// Lines of the whole buffer, padding included.
    pub lines: usize,
    /// The parts in which gradients are computed, measured and applied; fixed by the network alone, so that bits do
    /// not depend on who computes which.
    pub slots: Vec<Slot>,
}

/// A part of one tensor: some rows of one panel or two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Index of the tensor.
    pub tensor: usize,
    /// Panels of the tensor.
    pub panels: Range<usize>,
    /// Lines of each panel.
    pub rows: Range<usize>,
}

/// Rows of a slot: four tiles of 14, small enough that a few threads get equal shares of a small network.
const SLOT_ROWS: usize = 56;
/// Panels of a slot. Slots fix the order in which norms are added, so another number gives other bits.
const SLOT_PANELS: usize = 2;

impl Tensor {
    /// The lines of `rows` of one panel.
    pub fn lines(&self, panel: usize, rows: Range<usize>) -> Range<usize> {
        let start = self.start + panel * self.stride;
        start + rows.start..start + rows.end
    }

    /// The lines of all panels.
    pub fn all_lines(&self) -> Range<usize> {
        self.start..self.start + (self.panels - 1) * self.stride + self.rows
    }

    /// The rows of each panel that decay and are called weights; the others are biases, gains or shifts.
    pub fn weight_rows(&self) -> usize {
        match self.role {
            Role::Linear | Role::Projection => self.fan_in,
            Role::Gain | Role::Shift => 0,
        }
    }

    /// Number of parameters, padding left out.
    pub fn parameters(&self) -> usize {
        match self.role {
            Role::Linear => (self.fan_in + 1) * self.fan_out,
            Role::Projection => self.fan_in * self.fan_out,
            Role::Gain | Role::Shift => self.fan_out,
        }
    }
}

impl Layout {
    /// Lays out the parameters of a network.
    pub fn new(architecture: &Architecture) -> Layout {
        let mut layout = Layout { tensors: Vec::new(), lines: 0, slots: Vec::new() };
        for layer in 0..architecture.layers() {
            let (fan_in, fan_out) = (architecture.fan_in(layer), architecture.fan_out(layer));
            layout.push(Role::Linear, layer, fan_in, fan_out);
            if architecture.is_hidden(layer) {
                if let Some(norm) = architecture.norm {
                    layout.push(Role::Gain, layer, 0, fan_out);
                    if norm.has_shift() {
                        layout.push(Role::Shift, layer, 0, fan_out);
                    }
                }
                if architecture.has_projection(layer) {
                    layout.push(Role::Projection, layer, fan_in, fan_out);
                }
            }
        }
        layout
    }

    fn push(&mut self, role: Role, layer: usize, fan_in: usize, fan_out: usize) {
        let (panel_count, rows) = match role {
            Role::Linear => (panels(fan_out), fan_in + 1),
            Role::Projection => (panels(fan_out), fan_in),
            Role::Gain | Role::Shift => (1, panels(fan_out)),
        };
        let stride = panel_stride(rows);
        let tensor = self.tensors.len();
        self.tensors.push(Tensor {
            role,
            layer,
            fan_in,
            fan_out,
            start: self.lines,
            panels: panel_count,
            rows,
            stride,
        });
        self.lines += panel_count * stride;
        let parts = rows.div_ceil(SLOT_ROWS);
        for first in (0..panel_count).step_by(SLOT_PANELS) {
            let slot_panels = first..(first + SLOT_PANELS).min(panel_count);
            self.slots.extend((0..parts).map(|part| Slot {
                tensor,
                panels: slot_panels.clone(),
                rows: part * rows / parts..(part + 1) * rows / parts,
            }));
        }
    }

    /// The tensor of a role in a layer.
    pub fn find(&self, role: Role, layer: usize) -> Option<&Tensor> {
        self.tensors.iter().find(|t| t.role == role && t.layer == layer)
    }

    /// Number of parameters, padding left out.
    pub fn parameters(&self) -> usize {
        self.tensors.iter().map(Tensor::parameters).sum()
    }

    /// Splits the slots among `members` into contiguous runs of about equal work.
    pub fn shares(&self, members: usize) -> Vec<Range<usize>> {
        let cost = |slot: &Slot| slot.panels.len() * slot.rows.len() * LANES;
        let total: usize = self.slots.iter().map(cost).sum();
        let mut shares = Vec::with_capacity(members);
        let (mut next, mut done) = (0, 0);
        for member in 0..members {
            let start = next;
            let until = (member + 1) * total / members;
            // A slot goes to the member in whose part of the work its middle lies.
            while next < self.slots.len() && (member + 1 == members || done + cost(&self.slots[next]) / 2 < until) {
                done += cost(&self.slots[next]);
                next += 1;
            }
            shares.push(start..next);
        }
        shares
    }
}
