//! Panels: runs of lines at a constant stride. Every matrix here is stored in panels.

use std::marker::PhantomData;
use std::ops::Range;

use super::line::Line;

/// Panels to read, within one slice.
#[derive(Clone, Copy)]
pub struct Panels<'a> {
    /// The lines.
    pub lines: &'a [Line],
    /// Lines from one panel to the next.
    pub stride: usize,
}

impl<'a> Panels<'a> {
    /// Lines `rows` of one panel.
    ///
    /// # Panics
    /// If they are out of range.
    pub fn panel(&self, panel: usize, rows: Range<usize>) -> &'a [Line] {
        &self.lines[panel * self.stride + rows.start..panel * self.stride + rows.end]
    }

    /// Every `step`-th panel, starting at the panel `first`.
    pub fn every(&self, first: usize, step: usize) -> Panels<'a> {
        let lines = self.lines.get(first * self.stride..).unwrap_or_default();
        Panels { lines, stride: step * self.stride }
    }

    /// Whether there are at least `panels` panels of `rows` lines.
    pub fn holds(&self, panels: usize, rows: usize) -> bool {
        fits(self.lines.len(), self.stride, panels, rows)
    }
}

/// Whether `len` lines hold this many panels of `rows` lines.
fn fits(len: usize, stride: usize, panels: usize, rows: usize) -> bool {
    let end = |last: usize| last.checked_mul(stride)?.checked_add(rows);
    panels.checked_sub(1).is_none_or(|last| end(last).is_some_and(|end| end <= len))
}

/// Panels to write. `rows` lines of each panel are borrowed; the lines between them are not.
pub struct PanelsMut<'a> {
    start: *mut Line,
    stride: usize,
    panels: usize,
    rows: usize,
    lent: PhantomData<&'a mut [Line]>,
}

impl<'a> PanelsMut<'a> {
    /// The first `rows` lines of each of `panels` panels in a slice.
    ///
    /// # Panics
    /// If the slice is too short, or panels would overlap.
    pub fn new(lines: &'a mut [Line], stride: usize, panels: usize, rows: usize) -> Self {
        assert!(panels <= 1 || rows <= stride, "panels of {rows} lines, {stride} apart");
        assert!(fits(lines.len(), stride, panels, rows), "{} lines are too few", lines.len());
        // SAFETY: the slice is borrowed exclusively and holds every run, as just checked.
        unsafe { PanelsMut::from_raw(lines.as_mut_ptr(), stride, panels, rows) }
    }

    /// Runs of `rows` lines from `start`, `stride` lines apart.
    ///
    /// # Safety
    /// The runs do not overlap and are valid for reads and writes during `'a`. Nothing else accesses them during that time.
    pub unsafe fn from_raw(start: *mut Line, stride: usize, panels: usize, rows: usize) -> Self {
        PanelsMut { start, stride, panels, rows, lent: PhantomData }
    }

    /// Whether there are at least `panels` panels of `rows` lines.
    pub fn holds(&self, panels: usize, rows: usize) -> bool {
        panels <= self.panels && rows <= self.rows
    }

    /// The same panels without their first `first` lines.
    ///
    /// # Panics
    /// If there are fewer.
    pub fn rows_from(&mut self, first: usize) -> PanelsMut<'_> {
        assert!(first <= self.rows);
        // SAFETY: part of the lines that `self` borrows, borrowed from it.
        unsafe { PanelsMut::from_raw(self.start.wrapping_add(first), self.stride, self.panels, self.rows - first) }
    }

    /// Every `step`-th panel, starting at the panel `first`.
    ///
    /// # Panics
    /// If there is no such panel.
    pub fn every(&mut self, first: usize, step: usize) -> PanelsMut<'_> {
        assert!(first < self.panels && step > 0);
        let start = self.start.wrapping_add(first * self.stride);
        let panels = (self.panels - first).div_ceil(step);
        // SAFETY: some of the panels that `self` borrows, borrowed from it.
        unsafe { PanelsMut::from_raw(start, step * self.stride, panels, self.rows) }
    }

    /// The panels from `first`.
    ///
    /// # Panics
    /// If there are fewer.
    pub fn from(&mut self, first: usize) -> PanelsMut<'_> {
        assert!(first <= self.panels);
        let start = self.start.wrapping_add(first * self.stride);
        // SAFETY: some of the panels that `self` borrows, borrowed from it.
        unsafe { PanelsMut::from_raw(start, self.stride, self.panels - first, self.rows) }
    }

    /// Lines `rows` of one panel.
    ///
    /// # Panics
    /// If they are out of range.
    pub fn lines_mut(&mut self, panel: usize, rows: Range<usize>) -> &mut [Line] {
        assert!(panel < self.panels && rows.start <= rows.end && rows.end <= self.rows);
        // SAFETY: within the lines that `self` borrows, borrowed from it.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(panel * self.stride + rows.start), rows.len()) }
    }

    pub(super) fn start(&self) -> *mut Line {
        self.start
    }

    pub(super) fn stride(&self) -> usize {
        self.stride
    }
}
