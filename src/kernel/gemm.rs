//! The three matrix products of a step, as tiles of one kernel.
//!
//! `C[r][lane] = Σₖ A(r, k) · B[k][lane]`: lanes of `B` and `C` are a line, `A` is broadcast. Each element of `C` is one
//! FMA chain over `k` in order, whatever the tile, so bits depend neither on tile nor on ISA; blocking over `k` stores
//! `C` and goes on from there.
//!
//! | product | `A(r, k)` | `B[k]` | `C[r]` |
//! |---|---|---|---|
//! | forward `Z = W·X` | weight of output `r`, input `k` | 16 samples of input `k` | 16 samples of output `r` |
//! | to the inputs `dX = Wᵀ·dZ` | weight of input `r`, output `k` | 16 samples of `dZ` of output `k` | 16 samples of `dX` |
//! | to the weights `dW = dZ·Xᵀ` | input `r` of sample `k` | 16 outputs of `dZ` of sample `k` | 16 outputs of `dW` |

use super::dispatch::{Isa, Job};
use super::lanes::Lanes;
use super::line::{LANES, Line};
use super::panels::{Panels, PanelsMut};

/// Where a product is computed: panels of `C` (each with its own `B`), rows of each, steps of the chain.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    /// Panels of `B` and `C`.
    pub panels: usize,
    /// Rows of `C`.
    pub rows: usize,
    /// Length of the chain.
    pub depth: usize,
    /// Goes on from what `C` holds, instead of from zero.
    pub accumulate: bool,
}

/// Chain lengths of one block, so that what a tile reads again stays in the first-level cache.
const FORWARD_BLOCK: usize = 512;
const BACKWARD_BLOCK: usize = 256;

/// Forward: `C[r][lane] = Σₖ w[k][first + r] · x[k][lane]` for `extent.rows ≤ 16 − first` outputs of one weight panel.
///
/// - `w`: one weight panel, `depth` lines
/// - `x`: sample panels of at least `depth` lines each
/// - `c`: sample panels, the rows at the start of each slice
///
/// # Panics
/// If a slice is too short for the extent.
pub fn forward(isa: Isa, w: &[Line], x: Panels<'_>, c: PanelsMut<'_>, extent: Extent) {
    let Extent { panels, rows, depth, .. } = extent;
    assert!(rows <= LANES && w.len() >= depth);
    check(x.lines.len(), x.stride, panels, depth);
    assert!(c.holds(panels, rows));
    isa.run(Forward { w, x, c, extent });
}

/// The two backward products: `A` is stored as panels of lines whose 16 lanes are 16 steps of the chain.
///
/// - `a`: panels `[depth / 16]`, row `r` at line `r` of each
/// - `b`: panels of `depth` lines each; the chain runs along them
/// - `c`: panels, the rows at the start of each
///
/// # Panics
/// If a slice is too short for the extent.
pub fn backward(isa: Isa, a: Panels<'_>, b: Panels<'_>, c: PanelsMut<'_>, extent: Extent) {
    let Extent { panels, rows, depth, .. } = extent;
    check(a.lines.len(), a.stride, depth.div_ceil(LANES), rows);
    check(b.lines.len(), b.stride, panels, depth);
    assert!(c.holds(panels, rows));
    isa.run(Backward { a, b, c, extent });
}

fn check(len: usize, stride: usize, panels: usize, lines: usize) {
    assert!(panels == 0 || len >= (panels - 1) * stride + lines, "{len} lines for {panels} panels of {lines}");
}

/// The rows of one tile at one step of the chain: floats from row to row, from step to step, and from one run of steps
/// to the next.
#[derive(Clone, Copy)]
struct Broadcasts {
    start: *const f32,
    run: usize,
}

/// One tile: `R` rows of `C` vectors; the accumulators stay in registers along `runs` runs of `len` steps.
///
/// # Safety
/// The pointers are valid for the tile, its chain and its strides; rows of `c` are lines.
#[inline(always)]
unsafe fn tile<L: Lanes, const R: usize, const C: usize, const A_ROW: usize, const A_STEP: usize>(
    (full_runs, run_len, tail): (usize, usize, usize),
    a: Broadcasts,
    b: [*const f32; C],
    c: [*mut f32; C],
    accumulate: bool,
) {
    // SAFETY: see above; every offset stays within the slices that the callers checked.
    unsafe {
        let mut sums = [[L::broadcast(0.0); C]; R];
        if accumulate {
            for r in 0..R {
                for v in 0..C {
                    sums[r][v] = L::load_ptr(c[v].add(r * LANES));
                }
            }
        }
        let mut step = |a: *const f32, k: usize| {
            let mut lanes = [L::broadcast(0.0); C];
            for v in 0..C {
                lanes[v] = L::load_ptr(b[v].add(k * LANES));
            }
            for r in 0..R {
                let factor = L::broadcast(*a.add(r * A_ROW));
                for v in 0..C {
                    sums[r][v] = factor.mul_add(lanes[v], sums[r][v]);
                }
            }
        };
        let mut k = 0;
        for run in 0..full_runs {
            let start = a.start.add(run * a.run);
            for i in 0..run_len {
                step(start.add(i * A_STEP), k + i);
            }
            k += run_len;
        }
        let start = a.start.add(full_runs * a.run);
        for i in 0..tail {
            step(start.add(i * A_STEP), k + i);
        }
        for r in 0..R {
            for v in 0..C {
                sums[r][v].store_ptr(c[v].add(r * LANES));
            }
        }
    }
}

/// Calls a tile with its number of rows as a constant.
macro_rules! tile_of_rows {
    ($rows:expr, $vectors:literal, $form:ident, [$($r:literal)*], $args:expr) => {
        match $rows {
            $($r => $form::<L, $r, $vectors>($args),)*
            rows => unreachable!("no tile of {rows} rows and {} vectors", $vectors),
        }
    };
}

struct TileArgs<const C: usize> {
    depth: usize,
    a: Broadcasts,
    b: [*const f32; C],
    c: [*mut f32; C],
    accumulate: bool,
    /// Steps of a run; 16, but not known to the compiler, which would write out sixteen steps in a row for each tile.
    run: usize,
}

#[inline(always)]
unsafe fn forward_tile<L: Lanes, const R: usize, const C: usize>(t: TileArgs<C>) {
    // SAFETY: passed on from the caller.
    unsafe { tile::<L, R, C, 1, LANES>((0, 0, t.depth), t.a, t.b, t.c, t.accumulate) }
}

#[inline(always)]
unsafe fn backward_tile<L: Lanes, const R: usize, const C: usize>(t: TileArgs<C>) {
    let runs = (t.depth / LANES, t.run, t.depth % LANES);
    // SAFETY: passed on from the caller.
    unsafe { tile::<L, R, C, LANES, 1>(runs, t.a, t.b, t.c, t.accumulate) }
}

/// Splits `total` rows into tiles of at most `most`, as equal as can be: `(first, rows)` of each.
#[inline(always)]
fn row_tiles(total: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let tiles = total.div_ceil(most);
    (0..tiles).map(move |i| {
        let first = i * total / tiles;
        (first, (i + 1) * total / tiles - first)
    })
}

struct Forward<'a> {
    w: &'a [Line],
    x: Panels<'a>,
    c: PanelsMut<'a>,
    extent: Extent,
}

impl Job for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Extent { panels, rows, depth, accumulate } = self.extent;
        let most_vectors = L::FORWARD[L::FORWARD.len() - 1].1;
        let (w, x, c) = (self.w.as_ptr().cast::<f32>(), self.x.lines.as_ptr(), self.c.start());
        let run = LANES;
        let mut panel = 0;
        while panel < panels {
            let vectors = most_vectors.min(panels - panel);
            let at = |v: usize| (panel + v.min(vectors - 1), v);
            let most_rows = L::FORWARD[vectors - 1].0;
            for (first, tile_rows) in row_tiles(rows, most_rows) {
                // SAFETY: `forward` checked that the slices hold `panels` panels of `depth` and of `rows` lines.
                unsafe {
                    let x_at = |v: usize| x.add(at(v).0 * self.x.stride).cast::<f32>();
                    let c_at = |v: usize| c.add(at(v).0 * self.c.stride() + first).cast::<f32>();
                    let a = Broadcasts { start: w.add(first), run: 0 };
                    macro_rules! call {
                        ($vectors:literal, $rows:tt) => {
                            tile_of_rows!(
                                tile_rows,
                                $vectors,
                                forward_tile,
                                $rows,
                                TileArgs::<$vectors> {
                                    depth,
                                    a,
                                    b: std::array::from_fn(x_at),
                                    c: std::array::from_fn(c_at),
                                    accumulate,
                                    run,
                                }
                            )
                        };
                    }
                    match (most_vectors, vectors) {
                        (3, 3) => call!(3, [1 2 3 4 5 6 7 8]),
                        (3, 2) => call!(2, [1 2 3 4 5 6 7 8 9 10 11 12]),
                        (3, 1) => call!(1, [1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16]),
                        _ => call!(1, [1 2 3 4 5 6]),
                    }
                }
            }
            panel += vectors;
        }
    }
}

struct Backward<'a> {
    a: Panels<'a>,
    b: Panels<'a>,
    c: PanelsMut<'a>,
    extent: Extent,
}

impl Job for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Extent { panels, rows, depth, accumulate } = self.extent;
        let most_vectors = L::BACKWARD[L::BACKWARD.len() - 1].1;
        let (a, b, c) = (self.a.lines.as_ptr(), self.b.lines.as_ptr(), self.c.start());
        let run = std::hint::black_box(LANES);
        for start in (0..depth).step_by(BACKWARD_BLOCK) {
            let block = BACKWARD_BLOCK.min(depth - start);
            let accumulate = accumulate || start > 0;
            let mut panel = 0;
            while panel < panels {
                let vectors = most_vectors.min(panels - panel);
                let most_rows = L::BACKWARD[vectors - 1].0;
                for (first, tile_rows) in row_tiles(rows, most_rows) {
                    // SAFETY: `backward` checked that the slices hold the panels; `start` is a multiple of 16.
                    unsafe {
                        let b_at = |v: usize| b.add((panel + v) * self.b.stride + start).cast::<f32>();
                        let c_at = |v: usize| c.add((panel + v) * self.c.stride() + first).cast::<f32>();
                        let a = Broadcasts {
                            start: a.add(start / LANES * self.a.stride + first).cast(),
                            run: self.a.stride * LANES,
                        };
                        macro_rules! call {
                            ($vectors:literal, $rows:tt) => {
                                tile_of_rows!(
                                    tile_rows,
                                    $vectors,
                                    backward_tile,
                                    $rows,
                                    TileArgs::<$vectors> {
                                        depth: block,
                                        a,
                                        b: std::array::from_fn(b_at),
                                        c: std::array::from_fn(c_at),
                                        accumulate,
                                        run,
                                    }
                                )
                            };
                        }
                        match (most_vectors, vectors) {
                            (2, 2) => call!(2, [1 2 3 4 5 6 7 8 9 10 11 12 13 14]),
                            (2, 1) => call!(1, [1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16]),
                            _ => call!(1, [1 2 3 4 5 6]),
                        }
                    }
                }
                panel += vectors;
            }
        }
    }
}

/// Ranges of a forward chain of length `depth`, worked one after the other: `(first, length)`.
pub fn forward_blocks(depth: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..depth).step_by(FORWARD_BLOCK).map(move |start| (start, FORWARD_BLOCK.min(depth - start)))
}

#[cfg(test)]
mod tests;
