//! The memory for one block of a batch: activations and error signals of every layer, allocated once.

use std::ops::Range;

use super::shared::Shared;
use super::team::Member;
use crate::kernel::{LANES, Line, Panels, PanelsMut, panel_stride, panels, zeroed};
use crate::layer::{Op, Program, Width};

/// Panels of lines: one panel for 16 samples (or, transposed, for 16 outputs).
pub(super) struct Buffer {
    lines: Vec<Line>,
    rows: usize,
    stride: usize,
    /// Panels for each panel of rows: one for each member of the network.
    members: usize,
}

impl Buffer {
    /// `count` panels of `rows` lines, all zero.
    pub(super) fn new(count: usize, rows: usize) -> Buffer {
        Buffer::of_members(count, rows, 1)
    }

    /// `members` panels for each of `count` panels of rows.
    fn of_members(count: usize, rows: usize, members: usize) -> Buffer {
        let stride = panel_stride(rows);
        Buffer { lines: zeroed(count * members * stride), rows, stride, members }
    }

    /// Panels whose last line is ones: the input of the bias.
    fn with_ones(count: usize, width: Width) -> Buffer {
        let rows = width.features;
        let mut buffer = Buffer::of_members(count, rows + 1, width.members);
        for panel in 0..count * width.members {
            buffer.lines[panel * buffer.stride + rows] = Line::splat(1.0);
        }
        buffer
    }

    /// Lends the memory to a team.
    pub(super) fn lend(&mut self) -> SharedBuffer<'_> {
        let Buffer { rows, stride, members, .. } = *self;
        SharedBuffer { lines: Shared::new(&mut self.lines), rows, stride, members }
    }
}

/// A buffer while a team works on it.
pub(super) struct SharedBuffer<'a> {
    lines: Shared<'a, Line>,
    rows: usize,
    stride: usize,
    members: usize,
}

impl SharedBuffer<'_> {
    /// The panels of all members of the network, for a run of panels of rows.
    fn of_all(&self, run: Range<usize>) -> Range<usize> {
        run.start * self.members..run.end * self.members
    }

    fn range(&self, run: Range<usize>) -> Range<usize> {
        let run = self.of_all(run);
        if run.is_empty() { 0..0 } else { run.start * self.stride..(run.end - 1) * self.stride + self.rows }
    }

    /// A run of panels to read, for all members of the network.
    pub(super) fn panels(&self, member: Member<'_>, run: Range<usize>) -> Panels<'_> {
        Panels { lines: self.lines.read(member, self.range(run)), stride: self.stride }
    }

    /// A run of panels to read, each starting at its line `first`.
    pub(super) fn panels_from(&self, member: Member<'_>, run: Range<usize>, first: usize) -> Panels<'_> {
        let panels = self.panels(member, run);
        Panels { lines: panels.lines.get(first..).unwrap_or_default(), ..panels }
    }

    /// A run of panels to write.
    pub(super) fn panels_mut(&self, member: Member<'_>, run: Range<usize>) -> PanelsMut<'_> {
        self.rows_mut(member, run, 0..self.rows)
    }

    /// The same lines of a run of panels to write.
    pub(super) fn rows_mut(&self, member: Member<'_>, run: Range<usize>, rows: Range<usize>) -> PanelsMut<'_> {
        let run = self.of_all(run);
        self.lines.write_panels(member, run.start * self.stride + rows.start, self.stride, run.len(), rows.len())
    }

    /// Some lines of one panel of one member of the network, to read.
    pub(super) fn lines(&self, member: Member<'_>, panel: usize, rows: Range<usize>) -> &[Line] {
        self.lines.read(member, panel * self.stride + rows.start..panel * self.stride + rows.end)
    }

    /// Some lines of one panel of one member of the network, to write.
    #[allow(clippy::mut_from_ref)] // as `Shared::write`
    pub(super) fn lines_mut(&self, member: Member<'_>, panel: usize, rows: Range<usize>) -> &mut [Line] {
        self.lines.write(member, panel * self.stride + rows.start..panel * self.stride + rows.end)
    }
}

/// What an operation of a program keeps from the forward pass for the backward pass.
pub(super) struct Memory<B> {
    /// The memory that the layer asked for.
    pub(super) kept: Option<B>,
    /// The gradient by the operation's output with outputs in the lanes: panels of 16 outputs, with a line for each sample of
    /// the block and member. If members are kept apart, their panels follow each other.
    pub(super) transposed: Option<B>,
}

/// All buffers of a block; `B` is [`Buffer`] or [`SharedBuffer`].
pub(super) struct WorkspaceOf<B> {
    /// One buffer for each place of values, the network's input first. Every panel ends with a line of ones.
    pub(super) values: Vec<B>,
    /// One buffer for each place of gradients.
    pub(super) errors: Vec<B>,
    /// One for each operation.
    pub(super) memory: Vec<Memory<B>>,
}

/// A workspace that owns its memory.
pub(super) type Workspace = WorkspaceOf<Buffer>;
/// A workspace while a team works on it.
pub(super) type SharedWorkspace<'a> = WorkspaceOf<SharedBuffer<'a>>;

impl Workspace {
    /// Memory for blocks of up to `rows` rows.
    pub(super) fn new(program: &Program, rows: usize) -> Workspace {
        let count = panels(rows);
        let memory = |op: &Op| Memory {
            kept: (op.needs.kept > 0).then(|| Buffer::of_members(count, op.needs.kept, op.members)),
            transposed: op.needs.transposed.then(|| match op.needs.by_members {
                true => Buffer::new(panels(op.outputs) * op.members, count * LANES),
                false => Buffer::new(panels(op.outputs), count * op.members * LANES),
            }),
        };
        WorkspaceOf {
            values: program.values.iter().map(|width| Buffer::with_ones(count, *width)).collect(),
            errors: program.errors.iter().map(|w| Buffer::of_members(count, w.features, w.members)).collect(),
            memory: program.ops.iter().map(memory).collect(),
        }
    }

    /// Lends the memory to a team.
    pub(super) fn lend(&mut self) -> SharedWorkspace<'_> {
        fn lend(buffer: &mut Option<Buffer>) -> Option<SharedBuffer<'_>> {
            buffer.as_mut().map(Buffer::lend)
        }
        WorkspaceOf {
            values: self.values.iter_mut().map(Buffer::lend).collect(),
            errors: self.errors.iter_mut().map(Buffer::lend).collect(),
            memory: self
                .memory
                .iter_mut()
                .map(|m| Memory { kept: lend(&mut m.kept), transposed: lend(&mut m.transposed) })
                .collect(),
        }
    }
}
