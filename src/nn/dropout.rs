//! Dropout: Srivastava et al. 2014, <https://jmlr.org/papers/v15/srivastava14a.html>. This is inverted dropout: kept
//! units are scaled up in training, so prediction uses the units as they are.

use rand::Rng;

use crate::kernel::{LANES, Line};
use crate::rng::{Purpose, stream};

/// The address of a mask. A mask depends on its address and its rate alone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MaskAddress {
    /// Seed of the run.
    pub(crate) seed: u64,
    /// Number of the layer.
    pub(crate) layer: usize,
    /// Number of the member.
    pub(crate) member: usize,
    /// Epoch, from 0.
    pub(crate) epoch: u64,
    /// Position of the panel's first row in the epoch.
    pub(crate) position: usize,
}

/// Number of lines that are filled together.
const LINES: usize = 64;

/// Fills the mask of 16 rows, one line for each unit: 0 with probability `rate`, otherwise `1 / (1 − rate)`.
///
/// Unit `u` of the row at position `p` is dropped if word `u` of its random stream is below `rate · 2³²`. The stream is
/// addressed by the seed, by member, layer and epoch, and by `p`.
pub(crate) fn fill_mask(address: MaskAddress, rate: f64, mask: &mut [Line]) {
    let threshold = (rate * 4_294_967_296.0) as u32;
    let keep = (1.0 / (1.0 - rate)) as f32;
    let major = (address.member as u64) << 54 | (address.layer as u64) << 40 | address.epoch;
    let stream_of = |lane| stream(address.seed, Purpose::Dropout, major, (address.position + lane) as u64);
    let mut streams: [_; LANES] = std::array::from_fn(stream_of);
    // Fills a few lines at a time, so they stay in the L1 cache until all lanes are filled.
    for lines in mask.chunks_mut(LINES) {
        for (lane, words) in streams.iter_mut().enumerate() {
            for line in lines.iter_mut() {
                line.0[lane] = if words.next_u32() < threshold { 0.0 } else { keep };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_the_same_mask_in_whichever_panel_it_stands() {
        let mut aligned = vec![Line::ZERO; 40];
        let mut shifted = aligned.clone();
        let at = |position| MaskAddress { seed: 5, layer: 1, member: 0, epoch: 2, position };
        fill_mask(at(32), 0.3, &mut aligned);
        fill_mask(at(35), 0.3, &mut shifted);
        for (a, s) in aligned.iter().zip(&shifted) {
            assert_eq!(a.0[3..], s.0[..13]);
        }
    }

    #[test]
    fn the_stated_share_is_dropped_and_the_mean_kept() {
        let mut mask = vec![Line::ZERO; 4000];
        fill_mask(MaskAddress { seed: 1, layer: 0, member: 0, epoch: 0, position: 0 }, 0.25, &mut mask);
        let values: Vec<f32> = mask.iter().flat_map(|l| l.0).collect();
        let dropped = values.iter().filter(|v| **v == 0.0).count() as f64 / values.len() as f64;
        let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / values.len() as f64;
        // 64,000 draws: three standard deviations are 0.0052 of the share and 0.0069 of the mean.
        assert!((dropped - 0.25).abs() < 0.0052 && (mean - 1.0).abs() < 0.0069, "{dropped} {mean}");
    }
}
