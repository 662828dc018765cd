//! Every small shape of the products against one scalar FMA chain, `f64` and `matrixmultiply`.

use super::*;
use crate::kernel::Line;
use crate::rng::{Purpose, stream};
use rand::RngExt;

/// Lines that lie between panels and must stay as they are.
const GAP: usize = 2;
const UNTOUCHED: f32 = 1234.5;

/// `C[p][r][lane] = Σₖ A(r, k) · B[p][k][lane]` with its operands.
struct Operands {
    rows: usize,
    depth: usize,
    panels: usize,
    accumulate: bool,
    /// Row-major `[rows, depth]`.
    a: Vec<f32>,
    /// Panels `[depth + GAP]`.
    b: Vec<Line>,
    /// Panels `[rows + GAP]`: what `C` holds before.
    c: Vec<Line>,
}

impl Operands {
    fn new((rows, depth, panels): (usize, usize, usize), accumulate: bool) -> Operands {
        let mut rng = stream((rows * 100 + panels) as u64, Purpose::Synthetic, depth as u64, u64::from(accumulate));
        let mut number = || 2.0 * rng.random::<f32>() - 1.0;
        let a = (0..rows * depth).map(|_| number()).collect();
        let b = (0..panels * (depth + GAP)).map(|_| Line(std::array::from_fn(|_| number()))).collect();
        let mut c: Vec<Line> = (0..panels * (rows + GAP)).map(|_| Line(std::array::from_fn(|_| number()))).collect();
        c.chunks_mut(rows + GAP).for_each(|panel| panel[rows..].fill(Line::splat(UNTOUCHED)));
        Operands { rows, depth, panels, accumulate, a, b, c }
    }

    fn extent(&self) -> Extent {
        let Operands { rows, depth, panels, accumulate, .. } = *self;
        Extent { panels, rows, depth, accumulate }
    }

    fn b(&self) -> Panels<'_> {
        Panels { lines: &self.b, stride: self.depth + GAP }
    }

    /// Runs `product` on a copy of `C`.
    fn run(&self, product: impl FnOnce(PanelsMut<'_>)) -> Vec<Line> {
        let mut c = self.c.clone();
        product(PanelsMut::new(&mut c, self.rows + GAP, self.panels, self.rows));
        c
    }

    fn forward(&self, isa: Isa) -> Vec<Line> {
        let stride = self.depth + GAP;
        let mut w = vec![Line::splat(f32::NAN); self.rows.div_ceil(LANES) * stride];
        for r in 0..self.rows {
            for k in 0..self.depth {
                w[r / LANES * stride + k].0[r % LANES] = self.a[r * self.depth + k];
            }
        }
        self.run(|c| forward(isa, Panels { lines: &w, stride }, self.b(), c, self.extent()))
    }

    fn backward(&self, isa: Isa) -> Vec<Line> {
        let stride = self.rows + GAP;
        let mut a = vec![Line::splat(f32::NAN); self.depth.div_ceil(LANES) * stride];
        for r in 0..self.rows {
            for k in 0..self.depth {
                a[k / LANES * stride + r].0[k % LANES] = self.a[r * self.depth + k];
            }
        }
        self.run(|c| backward(isa, Panels { lines: &a, stride }, self.b(), c, self.extent()))
    }

    /// Each element by one chain of `f32::mul_add` in the order of `k`; gaps as they were.
    fn chain(&self) -> Vec<Line> {
        let mut c = self.c.clone();
        for (panel, b) in c.chunks_mut(self.rows + GAP).zip(self.b.chunks(self.depth + GAP)) {
            for (r, line) in panel[..self.rows].iter_mut().enumerate() {
                let mut sum = if self.accumulate { *line } else { Line::ZERO };
                for (a, b) in self.a[r * self.depth..][..self.depth].iter().zip(b) {
                    sum.0.iter_mut().zip(&b.0).for_each(|(sum, b)| *sum = a.mul_add(*b, *sum));
                }
                *line = sum;
            }
        }
        c
    }

    /// Each element in `f64`, and the sum of the sizes of its terms, which rounding is measured by.
    fn exact(&self) -> Vec<(f64, f64)> {
        let mut exact: Vec<_> = self.c.iter().flat_map(|line| line.0).map(|c| (f64::from(c), 0.0)).collect();
        let panels = exact.chunks_mut((self.rows + GAP) * LANES).zip(self.b.chunks(self.depth + GAP));
        for (panel, b) in panels {
            for (i, element) in panel[..self.rows * LANES].iter_mut().enumerate() {
                let (r, lane) = (i / LANES, i % LANES);
                let before = if self.accumulate { element.0 } else { 0.0 };
                *element = (before, before.abs());
                for (a, b) in self.a[r * self.depth..][..self.depth].iter().zip(b) {
                    let term = f64::from(*a) * f64::from(b.0[lane]);
                    *element = (element.0 + term, element.1 + term.abs());
                }
            }
        }
        exact
    }

    fn matrixmultiply(&self) -> Vec<Line> {
        let beta = if self.accumulate { 1.0 } else { 0.0 };
        let mut c = self.c.clone();
        for (panel, b) in c.chunks_mut(self.rows + GAP).zip(self.b.chunks(self.depth + GAP)) {
            let (a, b, c) = (self.a.as_ptr(), b.as_ptr().cast(), panel.as_mut_ptr().cast());
            let (m, k, n) = (self.rows, self.depth, LANES);
            // SAFETY: `a` is `[m, k]`, `b` holds `k` and `c` `m` lines of `n` floats.
            unsafe { matrixmultiply::sgemm(m, k, n, 1.0, a, k as isize, 1, b, n as isize, 1, beta, c, n as isize, 1) };
        }
        c
    }

    fn check(&self, product: &str, of: impl Fn(&Operands, Isa) -> Vec<Line>) {
        let (chain, exact, oracle) = (self.chain(), self.exact(), self.matrixmultiply());
        for isa in Isa::available() {
            let got = of(self, isa);
            let what = || format!("{product} {} {:?}", isa.name(), self.extent());
            if isa.name() != "portable" {
                assert!(got == chain, "{}: not the bits of one FMA chain", what());
            }
            let elements = got.iter().zip(&oracle).flat_map(|(got, oracle)| got.0.into_iter().zip(oracle.0));
            for (i, ((got, oracle), (exact, size))) in elements.zip(&exact).enumerate() {
                // Each of `depth` additions and products rounds by half an ulp of at most the sum of sizes.
                let allowed = (self.depth + 1) as f64 * f64::from(f32::EPSILON) * size;
                for (value, name) in [(got, "got"), (oracle, "matrixmultiply")] {
                    let off = (f64::from(value) - exact).abs();
                    assert!(off <= allowed, "{} element {i}: {name} {value}, exact {exact}", what());
                }
            }
        }
    }
}

fn for_each_shape(rows: std::ops::RangeInclusive<usize>, mut work: impl FnMut(Operands)) {
    for rows in rows {
        for depth in 1..=40 {
            for panels in 1..=5 {
                for accumulate in [false, true] {
                    work(Operands::new((rows, depth, panels), accumulate));
                }
            }
        }
    }
}

#[test]
fn forward_is_one_fma_chain_for_every_small_shape() {
    for_each_shape(1..=33, |problem| problem.check("forward", Operands::forward));
}

#[test]
fn backward_is_one_fma_chain_for_every_small_shape() {
    for_each_shape(1..=33, |problem| problem.check("backward", Operands::backward));
}

#[test]
fn chains_longer_than_a_block_go_on_where_they_stopped() {
    let longest = BLOCK + MOST_LEFT;
    for depth in [longest, longest + 1, 2 * BLOCK, 2 * BLOCK + 17, 2 * BLOCK + longest + 1] {
        for (rows, panels, accumulate) in [(1, 1, false), (15, 2, true), (16, 4, false), (31, 3, true), (9, 5, true)] {
            let problem = Operands::new((rows, depth, panels), accumulate);
            problem.check("backward", Operands::backward);
            problem.check("forward", Operands::forward);
        }
    }
}

#[test]
fn blocks_follow_each_other_and_begin_at_sixteens() {
    for depth in 1..1000 {
        let mut end = 0;
        for (start, length) in blocks(depth) {
            assert_eq!(start, end, "depth {depth}");
            assert!(
                start % LANES == 0 && (1..=BLOCK + MOST_LEFT).contains(&length),
                "{length} of {depth} from {start}"
            );
            end += length;
        }
        assert_eq!(end, depth);
    }
    assert_eq!(blocks(2 * BLOCK + 1).collect::<Vec<_>>(), [(0, BLOCK), (BLOCK, BLOCK + 1)]); // a bias is no block
}

/// Lengths of `A`, `B` and `C` that are just enough, and whether a product of two panels takes them.
fn takes(product: fn(Isa, Panels<'_>, Panels<'_>, PanelsMut<'_>, Extent), lengths: [usize; 3], stride: usize) -> bool {
    let extent = Extent { panels: 2, rows: 20, depth: 20, accumulate: false };
    let ([a, b], mut c) = ([lengths[0], lengths[1]].map(|n| vec![Line::ZERO; n]), vec![Line::ZERO; lengths[2]]);
    let run = || {
        let c = PanelsMut::new(&mut c, 20, 2, 20);
        product(Isa::detect(), Panels { lines: &a, stride: 20 }, Panels { lines: &b, stride }, c, extent);
    };
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_ok()
}

#[test]
fn slices_that_are_too_short_are_refused() {
    for product in [forward, backward] {
        assert!(takes(product, [40, 40, 40], 20));
        for short in 0..3 {
            let lengths = std::array::from_fn(|i| if i == short { 39 } else { 40 });
            assert!(!takes(product, lengths, 20), "{lengths:?}");
        }
        assert!(!takes(product, [40, 40, 40], usize::MAX - 10), "a stride that overflows");
    }
}

#[test]
fn products_of_nothing_write_nothing_and_chains_of_nothing_are_refused() {
    let run = |product: fn(Isa, Panels<'_>, Panels<'_>, PanelsMut<'_>, Extent), (panels, rows, depth)| {
        let (a, mut c) = (vec![Line::ZERO; 16], vec![Line::splat(UNTOUCHED); 16]);
        let (from, extent) = (Panels { lines: &a, stride: 16 }, Extent { panels, rows, depth, accumulate: false });
        product(Isa::detect(), from, from, PanelsMut::new(&mut c, 16, 1, 16), extent);
        c.iter().all(|line| *line == Line::splat(UNTOUCHED))
    };
    for product in [forward, backward] {
        assert!(run(product, (0, 16, 16)) && run(product, (1, 0, 16)) && !run(product, (1, 1, 16)));
        assert!(std::panic::catch_unwind(|| run(product, (1, 1, 0))).is_err());
    }
}
