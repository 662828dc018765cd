//! The place of each parameter in one flat buffer of lines, the same for weights, gradients and optimizer state.

use std::ops::Range;
use std::sync::Arc;

use super::Architecture;
use crate::kernel::{LANES, panel_stride, panels};
use crate::layer::{Form, Group, Network, Start, TensorForm};
use crate::spec::unknown;
use crate::{Error, Result};

/// One tensor and its place.
#[derive(Debug, Clone)]
pub struct Tensor {
    /// Its name in a model's file; of a matrix, without `.weight` and `.bias`.
    pub name: String,
    /// Its layout in panels.
    pub form: Form,
    /// Number of matrices or vectors in a stack, such as one for each member of the network.
    pub stack: Option<usize>,
    /// Its initial values.
    pub begin: Start,
    /// The initial values of a bias, if they differ from the scheme's.
    pub bias: Option<Start>,
    /// How weights learn, and how biases, gains and shifts learn.
    pub groups: [Group; 2],
    /// Whether weights and biases learn differently.
    pub learns_apart: bool,
    /// Whether no part of it learns.
    pub frozen: bool,
    /// Index of its layer in [`Layout::layers`].
    pub layer: usize,
    /// Inputs of a matrix; 0 for vectors.
    pub fan_in: usize,
    /// Outputs of a matrix; elements of a vector.
    pub fan_out: usize,
    /// First line.
    pub start: usize,
    /// Number of panels, over the whole stack.
    pub panels: usize,
    /// Number of panels of one matrix or vector of the stack.
    pub each: usize,
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
    /// Names of the layers that have tensors; the norms and projections of a stack of linear layers count with these.
    pub layers: Vec<Arc<str>>,
    /// Lines of the whole buffer, padding included.
    pub lines: usize,
    /// The parts in which gradients are computed, measured and applied. They depend on the network only, so bits do not depend
    /// on which member computes which.
    pub slots: Vec<Slot>,
}

/// A part of one tensor: some rows of one or two panels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Index of the tensor.
    pub tensor: usize,
    /// Panels of the tensor.
    pub panels: Range<usize>,
    /// Lines of each panel.
    pub rows: Range<usize>,
}

/// Rows of a slot: four tiles of 14. It is small enough that a few threads get equal shares of a small network.
const SLOT_ROWS: usize = 56;
/// Panels of a slot. Slots fix the order in which norms are added, so changing it changes bits.
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

    /// The rows of each panel that decay and count as weights; the others are biases, gains or shifts.
    pub fn weight_rows(&self) -> usize {
        match self.form {
            Form::Affine | Form::Matrix => self.fan_in,
            Form::Vector => 0,
        }
    }

    /// Number of matrices or vectors in the stack; 1 if there is none.
    pub fn count(&self) -> usize {
        self.stack.unwrap_or(1)
    }

    /// The panels of one matrix or vector of the stack.
    pub fn panels_of(&self, number: usize) -> Range<usize> {
        number * self.each..(number + 1) * self.each
    }

    /// How weights learn, or how biases, gains and shifts learn.
    pub fn group(&self, of_weights: bool) -> &Group {
        &self.groups[usize::from(!of_weights)]
    }

    /// Sets how weights and biases learn.
    fn set_groups(&mut self, groups: [Group; 2]) {
        let affine = self.form == Form::Affine;
        self.groups = groups;
        self.learns_apart = affine && groups[0] != groups[1];
        self.frozen = groups[0].frozen && (groups[1].frozen || !affine);
    }

    /// Number of parameters, without padding.
    pub fn parameters(&self) -> usize {
        let each = match self.form {
            Form::Affine => (self.fan_in + 1) * self.fan_out,
            Form::Matrix => self.fan_in * self.fan_out,
            Form::Vector => self.fan_out,
        };
        each * self.count()
    }
}

/// Whether a tensor's name is `name`, or continues it after a dot.
fn begins(tensor: &str, name: &str) -> bool {
    tensor.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

impl Layout {
    /// Lays out the parameters of a network.
    pub fn new(architecture: &Architecture) -> Layout {
        Layout::of(&architecture.network())
    }

    /// Lays out the parameters of a list of layers.
    pub fn of(network: &Network) -> Layout {
        let mut layout = Layout { tensors: Vec::new(), layers: Vec::new(), lines: 0, slots: Vec::new() };
        for tensor in network.tensors() {
            let layer = layout.layer_of(&tensor.layer);
            layout.push(tensor, layer);
        }
        layout
    }

    /// The index of a layer in `layers`; a new layer is added.
    fn layer_of(&mut self, layer: &str) -> usize {
        let beside = |kind: &str| layer.strip_prefix(kind).map(|number| format!("layers.{number}"));
        let name = beside("norms.").or(beside("residuals.")).unwrap_or_else(|| layer.to_owned());
        self.layers.iter().position(|known| **known == *name).unwrap_or_else(|| {
            self.layers.push(name.into());
            self.layers.len() - 1
        })
    }

    fn push(&mut self, tensor: TensorForm, layer: usize) {
        let TensorForm { name, layer: _, form, stack, fan_in, fan_out, begin, bias, groups } = tensor;
        let (each, rows) = match form {
            Form::Affine => (panels(fan_out), fan_in + 1),
            Form::Matrix => (panels(fan_out), fan_in),
            Form::Vector => (1, panels(fan_out)),
        };
        let panel_count = each * stack.unwrap_or(1);
        let stride = panel_stride(rows);
        let tensor = self.tensors.len();
        self.tensors.push(Tensor {
            name,
            form,
            stack,
            begin,
            bias,
            groups,
            learns_apart: false,
            frozen: false,
            layer,
            fan_in,
            fan_out,
            start: self.lines,
            panels: panel_count,
            each: panel_count.checked_div(stack.unwrap_or(1)).unwrap_or(0),
            rows,
            stride,
        });
        self.tensors[tensor].set_groups(groups);
        self.lines += panel_count * stride;
        let parts = rows.div_ceil(SLOT_ROWS);
        // A slot never has panels of two matrices of a stack; a vector is one panel.
        let whole = if form == Form::Vector { panel_count } else { each };
        for first in (0..panel_count).step_by(whole).flat_map(|one| (one..one + whole).step_by(SLOT_PANELS)) {
            let slot_panels = first..(first + SLOT_PANELS).min(first - first % whole + whole);
            self.slots.extend((0..parts).map(|part| Slot {
                tensor,
                panels: slot_panels.clone(),
                rows: part * rows / parts..(part + 1) * rows / parts,
            }));
        }
    }

    /// Freezes the tensors of layers. Each name is that of a layer or a tensor, or of a layer that contains others. `layers.0`
    /// includes `norms.0` and `residuals.0`, which belong to it. `network` is the network of this layout.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for a name that no tensor has, or if no tensor is left to learn.
    pub fn freeze(&mut self, names: &[String], network: &Network) -> Result<()> {
        for name in names {
            if !self.freeze_one(name) {
                return Err(Error::Mismatch(self.nothing_to_freeze(name, network)));
            }
        }
        if self.tensors.iter().all(|tensor| tensor.frozen) {
            return Err(Error::Mismatch("everything is frozen, and nothing is left to learn".to_owned()));
        }
        Ok(())
    }

    /// Freezes all tensors with this name; returns whether there are any.
    fn freeze_one(&mut self, name: &str) -> bool {
        let mut found = false;
        for tensor in &mut self.tensors {
            let with_its_layer = *self.layers[tensor.layer] == *name;
            let parts: &[&str] = match tensor.form {
                Form::Affine => &[".weight", ".bias"],
                Form::Matrix => &[".weight"],
                Form::Vector => &["", ""],
            };
            let mut groups = tensor.groups;
            for (group, part) in groups.iter_mut().zip(parts) {
                if with_its_layer || begins(&format!("{}{part}", tensor.name), name) {
                    (group.frozen, found) = (true, true);
                }
            }
            tensor.set_groups(groups);
        }
        found
    }

    /// Why no tensor has this name, in a sentence.
    fn nothing_to_freeze(&self, name: &str, network: &Network) -> String {
        let known: Vec<&str> = self.tensors.iter().map(|tensor| tensor.name.as_str()).collect();
        if network.names().iter().any(|layer| begins(layer, name)) {
            return format!(
                "{name} learns nothing that could be frozen: leave it out. What learns: {}",
                known.join(", ")
            );
        }
        unknown("layer", name, &known).to_string()
    }

    /// L2 norms of the weights of each of `layers`: of its matrices, without biases and without the norm and projection that
    /// belong to a linear layer; of a layer without matrices, of its vectors named `weight`. `squares` returns the sum of
    /// squares of some lines.
    pub fn weight_norms(&self, squares: impl Fn(Range<usize>) -> f64) -> Vec<f64> {
        let mut sums = vec![0.0; self.layers.len()];
        for tensor in &self.tensors {
            let layer = &self.layers[tensor.layer];
            let own = begins(&tensor.name, layer);
            let rows = match tensor.form {
                Form::Vector if tensor.name.ends_with(".weight") => tensor.rows,
                _ => tensor.weight_rows(),
            };
            if own && rows > 0 {
                sums[tensor.layer] += (0..tensor.panels).map(|p| squares(tensor.lines(p, 0..rows))).sum::<f64>();
            }
        }
        sums.into_iter().map(f64::sqrt).collect()
    }

    /// Number of parameters, without padding.
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
            // A slot goes to the member whose range of the work contains the slot's middle.
            while next < self.slots.len() && (member + 1 == members || done + cost(&self.slots[next]) / 2 < until) {
                done += cost(&self.slots[next]);
                next += 1;
            }
            shares.push(start..next);
        }
        shares
    }
}
