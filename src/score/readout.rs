//! The change of a network's outputs before predictions are made from them: a temperature, a range.

use crate::data::Target;
use crate::kernel::Line;
use crate::nn::Link;

/// The factor of evaluated outputs, and the range that they are clamped to.
#[derive(Debug, Clone, PartialEq)]
pub struct Readout {
    factor: f32,
    /// The range of each output, in the network's units; empty if there are no bounds.
    ranges: Vec<[f32; 2]>,
}

impl Readout {
    /// A readout that changes nothing.
    pub fn plain() -> Readout {
        Readout { factor: 1.0, ranges: Vec::new() }
    }

    /// Multiplies logits by `factor`, or clamps numbers to the target's range, if it has one.
    pub fn new(target: &Target, link: Link, factor: f32) -> Readout {
        let output = |output: usize, number: f64| {
            let number = (number - target.mean[output]) / target.sd[output];
            if link == Link::Exp { libm::log(number) as f32 } else { number as f32 }
        };
        let range = |(at, range): (usize, &[f64; 2])| range.map(|number| output(at, number));
        Readout { factor, ranges: target.range.iter().enumerate().map(range).collect() }
    }

    /// Whether it changes nothing.
    pub(crate) fn is_plain(&self) -> bool {
        self.factor == 1.0 && self.ranges.is_empty()
    }

    /// Changes outputs of any number of rows, row-major, `width` for each.
    pub fn change(&self, outputs: &mut [f32], width: usize) {
        if self.is_plain() {
            return;
        }
        for (at, output) in outputs.iter_mut().enumerate() {
            let scaled = *output * self.factor;
            *output = self.ranges.get(at % width).map_or(scaled, |[least, most]| scaled.clamp(*least, *most));
        }
    }

    /// The changed outputs of 16 rows, a line for each output.
    pub(crate) fn of(&self, z: &[Line]) -> Vec<Line> {
        let changed = |(at, line): (usize, &Line)| {
            let scaled = line.0.map(|z| z * self.factor);
            Line(self.ranges.get(at).map_or(scaled, |[least, most]| scaled.map(|z| z.clamp(*least, *most))))
        };
        z.iter().enumerate().map(changed).collect()
    }
}
