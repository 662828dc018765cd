//! Copies rows of a data set into panels of 16 samples.

use crate::data::{Features, Targets};
use crate::kernel::{Isa, Job, LANES, Lanes, Line};

/// Writes the inputs of up to 16 rows into one panel, a line for each input; lanes without a row are zero.
///
/// # Panics
/// If a row is out of range, or `panel` does not have one line for each input.
pub(super) fn gather_inputs(isa: Isa, features: &Features, rows: &[u32], panel: &mut [Line]) {
    assert!(rows.len() <= LANES && panel.len() == features.cols());
    isa.run(GatherInputs { features, rows, panel });
}

/// Writes the targets of up to 16 rows; lanes without a row get label 0 or zeros.
pub(super) fn gather_targets(targets: &Targets, rows: &[u32], label: &mut Line, values: &mut [Line]) {
    match targets {
        Targets::Classes { labels, .. } => {
            *label = Line::ZERO;
            for (lane, row) in rows.iter().enumerate() {
                label.0[lane] = labels[*row as usize] as f32;
            }
        }
        Targets::Values { values: all, cols, .. } => {
            values.fill(Line::ZERO);
            for (lane, row) in rows.iter().enumerate() {
                for (line, value) in values.iter_mut().zip(&all[*row as usize * cols..][..*cols]) {
                    line.0[lane] = *value;
                }
            }
        }
    }
}

struct GatherInputs<'a> {
    features: &'a Features,
    rows: &'a [u32],
    panel: &'a mut [Line],
}

impl Job for GatherInputs<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        match self.features {
            Features::F32 { values, .. } => transposed::<L, f32>(self.rows, self.panel, values, 1.0),
            Features::U8 { values, scale, .. } => transposed::<L, u8>(self.rows, self.panel, values, *scale),
            Features::Blocks(_) => unreachable!("rows of a pack are in memory before they are gathered"),
        }
    }
}

/// An input value as a data set stores it. These are methods, not closures, so that they are always compiled with the kernel's
/// instruction set.
trait InputValue: Copy {
    /// 16 values as floats; integers are multiplied by `scale`.
    fn load<L: Lanes>(block: &[Self; LANES], scale: f32) -> L;
    /// One value as a float.
    fn convert(self, scale: f32) -> f32;
}

impl InputValue for f32 {
    #[inline(always)]
    fn load<L: Lanes>(block: &[f32; LANES], _: f32) -> L {
        L::from_array(block)
    }
    #[inline(always)]
    fn convert(self, _: f32) -> f32 {
        self
    }
}

impl InputValue for u8 {
    #[inline(always)]
    fn load<L: Lanes>(block: &[u8; LANES], scale: f32) -> L {
        L::from_bytes(block) * L::broadcast(scale)
    }
    #[inline(always)]
    fn convert(self, scale: f32) -> f32 {
        f32::from(self) * scale
    }
}

/// Transposes blocks of 16 × 16; the last `cols % 16` columns are copied one by one.
#[inline(always)]
fn transposed<L: Lanes, T: InputValue>(rows: &[u32], panel: &mut [Line], values: &[T], scale: f32) {
    let cols = panel.len();
    let mut slices: [&[T]; LANES] = [&[]; LANES];
    for (slice, row) in slices.iter_mut().zip(rows) {
        *slice = &values[*row as usize * cols..][..cols];
    }
    let (blocks, rest) = panel.as_chunks_mut::<LANES>();
    let whole = blocks.len() * LANES;
    for (number, lines) in blocks.iter_mut().enumerate() {
        let mut block = [L::broadcast(0.0); LANES];
        // Testing in every iteration whether the row exists keeps the block in registers.
        for (i, lanes) in block.iter_mut().enumerate() {
            if i < rows.len() {
                let values = slices[i][number * LANES..].first_chunk().expect("a block within the row");
                *lanes = T::load(values, scale);
            }
        }
        L::transpose(&mut block);
        for (lanes, line) in block.iter().zip(lines) {
            lanes.store(line);
        }
    }
    for (col, line) in (whole..).zip(rest) {
        *line = Line::ZERO;
        for (lane, slice) in slices[..rows.len()].iter().enumerate() {
            line.0[lane] = slice[col].convert(scale);
        }
    }
}

#[cfg(test)]
mod tests;
