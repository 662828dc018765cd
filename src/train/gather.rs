//! From rows of a data set to panels of 16 samples.

use crate::data::{Features, Targets};
use crate::kernel::{Isa, Job, LANES, Lanes, Line};

/// Writes the inputs of up to 16 rows into one panel, a line for each input; lanes without a row are zero.
///
/// # Panics
/// If a row is out of range or `panel` has not one line for each input.
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
        Targets::Values { values: all, cols } => {
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
        let cols = self.features.cols();
        match self.features {
            Features::F32 { values, .. } => {
                let row = |r: u32| &values[r as usize * cols..][..cols];
                let load = |block: &[f32]| L::from_array(block[..LANES].try_into().expect("16 floats"));
                transposed::<L, f32>(self.rows, self.panel, row, load, |x| x);
            }
            Features::U8 { values, scale, .. } => {
                let row = |r: u32| &values[r as usize * cols..][..cols];
                let factor = L::broadcast(*scale);
                let load = |block: &[u8]| {
                    let bytes: &[u8; LANES] = block[..LANES].try_into().expect("16 bytes");
                    L::from_bytes(bytes) * factor
                };
                transposed::<L, u8>(self.rows, self.panel, row, load, |x| f32::from(x) * scale);
            }
        }
    }
}

/// Exchanges rows and columns by blocks of 16 × 16; the last `cols % 16` columns one by one.
#[inline(always)]
fn transposed<'a, L: Lanes, T: Copy + 'a>(
    rows: &[u32],
    panel: &mut [Line],
    row: impl Fn(u32) -> &'a [T],
    load: impl Fn(&[T]) -> L,
    convert: impl Fn(T) -> f32,
) {
    let cols = panel.len();
    let whole = cols / LANES * LANES;
    let mut slices: [&[T]; LANES] = [&[]; LANES];
    for (slice, r) in slices.iter_mut().zip(rows) {
        *slice = row(*r);
    }
    for first in (0..whole).step_by(LANES) {
        // One expression for each row, whether it is there or not, keeps the block in registers.
        let mut block =
            std::array::from_fn(|i| if i < rows.len() { load(&slices[i][first..]) } else { L::broadcast(0.0) });
        L::transpose(&mut block);
        for (lanes, line) in block.iter().zip(&mut panel[first..]) {
            lanes.store(line);
        }
    }
    for (col, line) in panel.iter_mut().enumerate().skip(whole) {
        *line = Line::ZERO;
        for (lane, slice) in slices[..rows.len()].iter().enumerate() {
            line.0[lane] = convert(slice[col]);
        }
    }
}

#[cfg(test)]
mod tests;
