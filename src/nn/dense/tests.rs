//! Compares the products of a layer with plain loops in `f64`, for all remainders of sample panels and output panels.

use super::*;
use crate::kernel::{Line, panel_stride, panels, zeroed};
use crate::nn::panel::transpose;
use crate::rng::{Purpose, stream};
use rand::RngExt;

/// A layer with `samples` panels of inputs and of error signals, in the memory layout of a training step.
struct LinearCase {
    fan_in: usize,
    fan_out: usize,
    samples: usize,
    /// Panels `[fan_in + 1]`; the last line of each is the bias.
    w: Vec<Line>,
    /// Sample panels `[fan_in + 1]`; the last line of each is 1.
    x: Vec<Line>,
    /// Sample panels `[fan_out]`.
    dz: Vec<Line>,
}

impl LinearCase {
    fn new(fan_in: usize, fan_out: usize, samples: usize) -> LinearCase {
        let mut rng = stream((fan_in * 100 + fan_out) as u64, Purpose::Synthetic, samples as u64, 0);
        let mut number = || 2.0 * rng.random::<f32>() - 1.0;
        let (depth, stride) = (fan_in + 1, panel_stride(fan_in + 1));
        let (mut w, mut x) = (zeroed(panels(fan_out) * stride), zeroed(samples * stride));
        for o in 0..fan_out {
            (0..depth).for_each(|i| w[o / LANES * stride + i].0[o % LANES] = number());
        }
        for panel in x.chunks_mut(stride) {
            panel[..fan_in].iter_mut().for_each(|line| line.0 = std::array::from_fn(|_| number()));
            panel[fan_in] = Line::splat(1.0);
        }
        let dz = (0..samples * panel_stride(fan_out)).map(|_| Line(std::array::from_fn(|_| number()))).collect();
        LinearCase { fan_in, fan_out, samples, w, x, dz }
    }

    fn depth(&self) -> usize {
        self.fan_in + 1
    }

    fn weights(&self) -> Weights<'_> {
        let panels = Panels { lines: &self.w, stride: panel_stride(self.depth()) };
        Weights {
            panels,
            depth: self.depth(),
            fan_out: self.fan_out,
            stack: 1,
            each: crate::kernel::panels(self.fan_out),
        }
    }

    /// Weight of output `o` and input `i`; the bias is input `fan_in`.
    fn w(&self, o: usize, i: usize) -> f64 {
        self.w[o / LANES * panel_stride(self.depth()) + i].0[o % LANES].into()
    }

    /// Input `i` of sample `s`.
    fn x(&self, s: usize, i: usize) -> f64 {
        self.x[s / LANES * panel_stride(self.depth()) + i].0[s % LANES].into()
    }

    /// Error signal of output `o` of sample `s`.
    fn dz(&self, s: usize, o: usize) -> f64 {
        self.dz[s / LANES * panel_stride(self.fan_out) + o].0[s % LANES].into()
    }

    /// Sample panels of `rows` lines, filled with ½, and their stride.
    fn half(&self, rows: usize) -> (Vec<Line>, usize) {
        (vec![Line::splat(0.5); self.samples * panel_stride(rows)], panel_stride(rows))
    }

    /// Checks `Z` and `½ + Z`.
    fn check_forward(&self, isa: Isa) {
        for accumulate in [false, true] {
            let (mut y, stride) = self.half(self.fan_out);
            let to = PanelsMut::new(&mut y, stride, self.samples, self.fan_out);
            let x = Panels { lines: &self.x, stride: panel_stride(self.depth()) };
            forward(isa, self.weights(), x, to, self.samples, accumulate);
            for s in 0..self.samples * LANES {
                for o in 0..self.fan_out {
                    let product: f64 = (0..self.depth()).map(|i| self.w(o, i) * self.x(s, i)).sum();
                    let got = y[s / LANES * stride + o].0[s % LANES];
                    self.near(got, product, accumulate, self.depth(), &format!("{} y[{s}][{o}]", isa.name()));
                }
            }
        }
    }

    /// Checks `Wᵀ dZ` and `½ + Wᵀ dZ`.
    fn check_to_inputs(&self, isa: Isa) {
        for accumulate in [false, true] {
            let (mut dx, stride) = self.half(self.fan_in);
            let to = PanelsMut::new(&mut dx, stride, self.samples, self.fan_in);
            let dz = Panels { lines: &self.dz, stride: panel_stride(self.fan_out) };
            backward_to_inputs(isa, self.weights(), self.fan_in, dz, to, self.samples, accumulate);
            for s in 0..self.samples * LANES {
                for i in 0..self.fan_in {
                    let product: f64 = (0..self.fan_out).map(|o| self.w(o, i) * self.dz(s, o)).sum();
                    let got = dx[s / LANES * stride + i].0[s % LANES];
                    self.near(got, product, accumulate, self.fan_out, &format!("{} dx[{s}][{i}]", isa.name()));
                }
            }
        }
    }

    /// Checks `dZ Xᵀ`, computed from transposed error signals.
    fn check_to_weights(&self, isa: Isa) {
        let rows = self.samples * LANES;
        let mut dz_t = vec![Line::ZERO; panels(self.fan_out) * rows];
        for (p, dz) in self.dz.chunks(panel_stride(self.fan_out)).enumerate() {
            let mut to = PanelsMut::new(&mut dz_t, rows, panels(self.fan_out), rows);
            transpose(isa, &dz[..self.fan_out], to.rows_from(p * LANES));
        }
        let stride = panel_stride(self.depth());
        let mut dw = vec![Line::ZERO; panels(self.fan_out) * stride];
        let to = PanelsMut::new(&mut dw, stride, panels(self.fan_out), self.depth());
        let x = Panels { lines: &self.x, stride };
        let extent = Extent { panels: panels(self.fan_out), rows: self.depth(), depth: rows, accumulate: false };
        backward_to_weights(isa, x, Panels { lines: &dz_t, stride: rows }, to, extent);
        for o in 0..panels(self.fan_out) * LANES {
            for i in 0..self.depth() {
                let got = dw[o / LANES * stride + i].0[o % LANES];
                let what = format!("{} dw[{o}][{i}]", isa.name());
                if o >= self.fan_out {
                    assert_eq!(got, 0.0, "{what}: padding");
                    continue;
                }
                let product: f64 = (0..rows).map(|s| self.dz(s, o) * self.x(s, i)).sum();
                self.near(got, product, false, rows, &what);
            }
        }
    }

    /// Checks one result. Each term is at most 1 in magnitude, so each of `terms` additions rounds by at most half an
    /// ulp of `terms + ½`.
    fn near(&self, got: f32, product: f64, accumulate: bool, terms: usize, what: &str) {
        let exact = if accumulate { 0.5 + product } else { product };
        let allowed = (terms as f64 + 0.5) * (terms as f64 + 1.0) * f64::from(f32::EPSILON);
        let LinearCase { fan_in, fan_out, samples, .. } = self;
        let off = (f64::from(got) - exact).abs();
        assert!(off <= allowed, "{fan_in}-{fan_out}, {samples} panels, {what}: {got}, exact {exact}");
    }
}

#[test]
fn layers_of_every_small_shape_agree_with_plain_loops() {
    for isa in Isa::available() {
        for fan_in in [1, 2, 5, 15, 16, 17, 31, 40] {
            for fan_out in (1..=33).chain([47, 48, 49]) {
                for samples in [1, 2, 3, 4, 5] {
                    let layer = LinearCase::new(fan_in, fan_out, samples);
                    layer.check_forward(isa);
                    layer.check_to_inputs(isa);
                    layer.check_to_weights(isa);
                }
            }
        }
    }
}
