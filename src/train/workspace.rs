//! What a block of a batch needs in memory: activations and error signals of every layer, allocated once.

use std::ops::Range;

use super::shared::Shared;
use super::team::Member;
use crate::kernel::{LANES, Line, Panels, PanelsMut, panel_stride, panels, zeroed};
use crate::model::Architecture;

/// Panels of lines: one panel for 16 samples (or, transposed, for 16 outputs).
pub(super) struct Buffer {
    lines: Vec<Line>,
    rows: usize,
    stride: usize,
}

impl Buffer {
    /// `count` panels of `rows` lines, all zero.
    pub(super) fn new(count: usize, rows: usize) -> Buffer {
        let stride = panel_stride(rows);
        Buffer { lines: zeroed(count * stride), rows, stride }
    }

    /// With a last line of ones in every panel: the input of the bias.
    fn with_ones(count: usize, rows: usize) -> Buffer {
        let mut buffer = Buffer::new(count, rows + 1);
        for panel in 0..count {
            buffer.lines[panel * buffer.stride + rows] = Line::splat(1.0);
        }
        buffer
    }

    /// Lends the memory to a team.
    pub(super) fn share(&mut self) -> SharedBuffer<'_> {
        SharedBuffer { lines: Shared::new(&mut self.lines), rows: self.rows, stride: self.stride }
    }
}

/// A buffer while a team works on it.
pub(super) struct SharedBuffer<'a> {
    lines: Shared<'a, Line>,
    rows: usize,
    stride: usize,
}

impl SharedBuffer<'_> {
    /// Lines of a panel.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    fn range(&self, run: Range<usize>) -> Range<usize> {
        if run.is_empty() { 0..0 } else { run.start * self.stride..(run.end - 1) * self.stride + self.rows }
    }

    /// A run of panels to read.
    pub(super) fn panels(&self, member: Member<'_>, run: Range<usize>) -> Panels<'_> {
        Panels { lines: self.lines.read(member, self.range(run)), stride: self.stride }
    }

    /// A run of panels to write.
    pub(super) fn panels_mut(&self, member: Member<'_>, run: Range<usize>) -> PanelsMut<'_> {
        self.lines.write_panels(member, run.start * self.stride, self.stride, run.len(), self.rows)
    }

    /// The same lines of a run of panels to write.
    pub(super) fn rows_mut(&self, member: Member<'_>, run: Range<usize>, rows: Range<usize>) -> PanelsMut<'_> {
        self.lines.write_panels(member, run.start * self.stride + rows.start, self.stride, run.len(), rows.len())
    }

    /// Some lines of one panel to read.
    pub(super) fn lines(&self, member: Member<'_>, panel: usize, rows: Range<usize>) -> &[Line] {
        self.lines.read(member, panel * self.stride + rows.start..panel * self.stride + rows.end)
    }

    /// Some lines of one panel to write.
    #[allow(clippy::mut_from_ref)] // as `Shared::write`
    pub(super) fn lines_mut(&self, member: Member<'_>, panel: usize, rows: Range<usize>) -> &mut [Line] {
        self.lines.write(member, panel * self.stride + rows.start..panel * self.stride + rows.end)
    }
}

/// Buffers of one linear layer and what follows it; `B` is [`Buffer`] or [`SharedBuffer`]. Those that the architecture
/// does not need are absent, and `act` stands in for `pre` and `out`.
pub(super) struct LayerBuffers<B> {
    /// `z = W x + b`, kept for a norm or an activation whose derivative asks for it.
    pub(super) pre: Option<B>,
    /// Mean and inverse deviation of each sample.
    pub(super) moments: Option<B>,
    /// The norm's output, kept for an activation whose derivative asks for it.
    pub(super) normed: Option<B>,
    /// The activation's output, and a line of ones.
    pub(super) act: B,
    /// Dropout's factors.
    pub(super) mask: Option<B>,
    /// What leaves the layer, where dropout or a residual comes after the activation; and a line of ones.
    pub(super) out: Option<B>,
    /// Gradient by `out`, kept for a residual.
    pub(super) d_out: Option<B>,
    /// Gradient by the norm's output.
    pub(super) d_normed: Option<B>,
    /// Gradient by `z`: the error signal.
    pub(super) d_pre: B,
    /// `d_pre` with outputs in lanes: panels of 16 outputs, a line for each sample of the block.
    pub(super) d_pre_t: B,
    /// `d_out` likewise, for a projection.
    pub(super) d_out_t: Option<B>,
}

impl<B> LayerBuffers<B> {
    /// What the next layer reads.
    pub(super) fn output(&self) -> &B {
        self.out.as_ref().unwrap_or(&self.act)
    }

    /// Where the gradient by the activation's output is turned into the one by its input.
    pub(super) fn d_activation(&self) -> &B {
        self.d_normed.as_ref().unwrap_or(&self.d_pre)
    }

    /// Where the next layer leaves the gradient by its input.
    pub(super) fn d_output(&self) -> &B {
        self.d_out.as_ref().unwrap_or(self.d_activation())
    }
}

/// All buffers of a block.
pub(super) struct WorkspaceOf<B> {
    /// The gathered inputs, and a line of ones.
    pub(super) input: B,
    /// One for each linear layer.
    pub(super) layers: Vec<LayerBuffers<B>>,
}

/// A workspace that owns its memory.
pub(super) type Workspace = WorkspaceOf<Buffer>;
/// A workspace while a team works on it.
pub(super) type SharedWorkspace<'a> = WorkspaceOf<SharedBuffer<'a>>;

impl Workspace {
    /// Memory for blocks of up to `rows` rows; without `training` only what a forward pass needs.
    pub(super) fn new(architecture: &Architecture, rows: usize, training: bool) -> Workspace {
        let count = panels(rows);
        let layers = (0..architecture.layers()).map(|n| Self::layer(architecture, n, count, training)).collect();
        Workspace { input: Buffer::with_ones(count, architecture.inputs), layers }
    }

    fn layer(architecture: &Architecture, n: usize, count: usize, training: bool) -> LayerBuffers<Buffer> {
        let width = architecture.fan_out(n);
        let hidden = architecture.is_hidden(n);
        let normed = hidden && architecture.norm.is_some();
        let residual = hidden && architecture.residual;
        let dropout = hidden && training && architecture.dropout > 0.0;
        let uses_input = training && architecture.activation(n).derivative_uses_input();
        let plain = |wanted: bool| wanted.then(|| Buffer::new(count, width));
        let backward = |wanted: bool| if training && wanted { count } else { 0 };
        let transposed = |wanted: bool| Buffer::new(panels(width), backward(wanted) * LANES);
        LayerBuffers {
            pre: plain(normed || uses_input),
            moments: normed.then(|| Buffer::new(count, 2)),
            normed: plain(normed && uses_input),
            act: Buffer::with_ones(count, width),
            mask: plain(dropout),
            out: (dropout || residual).then(|| Buffer::with_ones(count, width)),
            d_out: plain(training && residual),
            d_normed: plain(training && normed),
            d_pre: Buffer::new(backward(true), width),
            d_pre_t: transposed(true),
            d_out_t: architecture.has_projection(n).then(|| transposed(true)),
        }
    }

    /// Lends the memory to a team.
    pub(super) fn share(&mut self) -> SharedWorkspace<'_> {
        fn lend(buffer: &mut Option<Buffer>) -> Option<SharedBuffer<'_>> {
            buffer.as_mut().map(Buffer::share)
        }
        let layers = self.layers.iter_mut().map(|layer| LayerBuffers {
            pre: lend(&mut layer.pre),
            moments: lend(&mut layer.moments),
            normed: lend(&mut layer.normed),
            act: layer.act.share(),
            mask: lend(&mut layer.mask),
            out: lend(&mut layer.out),
            d_out: lend(&mut layer.d_out),
            d_normed: lend(&mut layer.d_normed),
            d_pre: layer.d_pre.share(),
            d_pre_t: layer.d_pre_t.share(),
            d_out_t: lend(&mut layer.d_out_t),
        });
        WorkspaceOf { input: self.input.share(), layers: layers.collect() }
    }
}
