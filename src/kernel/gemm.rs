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
use super::line::LANES;
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

/// Chain lengths of one block, so that what a tile reads again stays in the first-level cache: of `B` up to 24 KB forward
/// and 32 KB backward, while `A` goes by.
const FORWARD_BLOCK: usize = 128;
const BACKWARD_BLOCK: usize = 256;

/// Forward: `C[r][lane] = Σₖ w[r / 16][k][r mod 16] · x[k][lane]` for `extent.rows` outputs.
///
/// - `w`: weight panels of 16 outputs, at least `depth` lines each
/// - `x`: sample panels of at least `depth` lines each
/// - `c`: sample panels, the rows at the start of each
///
/// # Panics
/// If a slice is too short for the extent.
pub fn forward(isa: Isa, w: Panels<'_>, x: Panels<'_>, c: PanelsMut<'_>, extent: Extent) {
    let Extent { panels, rows, depth, .. } = extent;
    check(w.lines.len(), w.stride, rows.div_ceil(LANES), depth);
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

/// Where a tile finds its operands.
#[derive(Clone, Copy)]
struct Tile<const C: usize> {
    /// `A` of the first row at the first step.
    a: *const f32,
    /// Floats of `A` from one run of steps to the next.
    a_run: usize,
    /// Runs of steps, and steps of a run; what is left makes a shorter run.
    runs: (usize, usize),
    /// Steps of the last, shorter run.
    tail: usize,
    /// What the next tile reads of `A`, laid out as this tile's; a hint, so any address will do.
    next_a: *const f32,
    /// The vectors of `B` at the first step.
    b: [*const f32; C],
    /// The vectors of the first row of `C`.
    c: [*mut f32; C],
    /// Whether the chain goes on from `C`.
    accumulate: bool,
}

/// Computes one tile of `R` rows and `C` vectors; the accumulators stay in registers along the chain. `ROW` and `STEP` are
/// the floats of `A` from row to row and from step to step.
///
/// # Safety
/// The pointers are valid for the tile, its chain and its strides; rows of `c` are lines.
#[inline(always)]
unsafe fn compute<L: Lanes, const R: usize, const C: usize, const ROW: usize, const STEP: usize>(t: Tile<C>) {
    // SAFETY: see above; every offset stays within the slices that the callers checked.
    unsafe {
        let mut sums = [[L::broadcast(0.0); C]; R];
        if t.accumulate {
            for (r, row) in sums.iter_mut().enumerate() {
                for (sum, c) in row.iter_mut().zip(t.c) {
                    *sum = L::load_ptr(c.add(r * LANES));
                }
            }
        }
        let (runs, steps) = t.runs;
        for run in 0..=runs {
            let (a, first) = (t.a.add(run * t.a_run), run * steps);
            let next_a = t.next_a.wrapping_add(run * t.a_run);
            for step in 0..if run < runs { steps } else { t.tail } {
                L::prefetch_to_read(next_a.wrapping_add(step * LANES));
                let lanes = t.b.map(|b| L::load_ptr(b.add((first + step) * LANES)));
                for (r, row) in sums.iter_mut().enumerate() {
                    let factor = L::broadcast(*a.add(step * STEP + r * ROW));
                    for (sum, lanes) in row.iter_mut().zip(lanes) {
                        *sum = factor.mul_add(lanes, *sum);
                    }
                }
            }
        }
        for (r, row) in sums.iter().enumerate() {
            for (sum, c) in row.iter().zip(t.c) {
                sum.store_ptr(c.add(r * LANES));
            }
        }
    }
}

/// Computes a tile whose number of rows is known only now: one compiled tile for each number in the list.
macro_rules! compute_rows {
    ($rows:expr, $vectors:literal, $row:expr, $step:expr, [$($r:literal)*], $tile:expr) => {
        match $rows {
            $($r => compute::<L, $r, $vectors, { $row }, { $step }>($tile),)*
            rows => unreachable!("no tile of {rows} rows and {} vectors", $vectors),
        }
    };
}

/// Splits `total` rows or panels into tiles of at most `most`, as equal as can be: `(first, size)` of each.
#[inline(always)]
fn equal_tiles(total: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let tiles = total.div_ceil(most);
    (0..tiles).map(move |i| {
        let first = i * total / tiles;
        (first, (i + 1) * total / tiles - first)
    })
}

struct Forward<'a> {
    w: Panels<'a>,
    x: Panels<'a>,
    c: PanelsMut<'a>,
    extent: Extent,
}

impl Forward<'_> {
    /// The tile of `C` panels from `panel` on, rows from `first` on, all of one weight panel, for `depth` steps of the
    /// chain from `start` on.
    ///
    /// # Safety
    /// They are within the extent, which `forward` checked.
    #[inline(always)]
    unsafe fn tile<const C: usize>(&self, panel: usize, first: usize, (start, depth): (usize, usize)) -> Tile<C> {
        let (w, x, c) = (self.w.lines.as_ptr(), self.x.lines.as_ptr(), self.c.start());
        // SAFETY: the caller vouches for the panels.
        unsafe {
            let a = w.add(first / LANES * self.w.stride + start);
            Tile {
                a: a.cast::<f32>().add(first % LANES),
                a_run: 0,
                runs: (0, 0),
                tail: depth,
                next_a: a.wrapping_add(self.w.stride).cast(),
                b: std::array::from_fn(|v| x.add((panel + v) * self.x.stride + start).cast()),
                c: std::array::from_fn(|v| c.add((panel + v) * self.c.stride() + first).cast()),
                accumulate: self.extent.accumulate || start > 0,
            }
        }
    }

    /// All rows of `vectors` panels of `C`: the panels of `B` stay in the first-level cache while the weights go by.
    ///
    /// # Safety
    /// As for `tile`.
    #[inline(always)]
    unsafe fn column<L: Lanes>(&self, panel: usize, vectors: usize, block: (usize, usize)) {
        let most = match (const { L::MANY_REGISTERS }, vectors) {
            (false, _) => 6,
            (true, 1) => 16,
            (true, _) => 8,
        };
        for start in (0..self.extent.rows).step_by(LANES) {
            for (first, rows) in equal_tiles(LANES.min(self.extent.rows - start), most) {
                let first = start + first;
                // SAFETY: the caller vouches for the panels and the rows.
                unsafe {
                    match (const { L::MANY_REGISTERS }, vectors) {
                        (true, 3) => {
                            compute_rows!(rows, 3, 1, LANES, [1 2 3 4 5 6 7 8], self.tile(panel, first, block))
                        }
                        (true, 2) => {
                            compute_rows!(rows, 2, 1, LANES, [1 2 3 4 5 6 7 8], self.tile(panel, first, block))
                        }
                        (true, _) => {
                            let tile = self.tile(panel, first, block);
                            compute_rows!(rows, 1, 1, LANES, [1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16], tile)
                        }
                        (false, _) => compute_rows!(rows, 1, 1, LANES, [1 2 3 4 5 6], self.tile(panel, first, block)),
                    }
                }
            }
        }
    }
}

impl Job for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Extent { panels, depth, .. } = self.extent;
        let widest = if const { L::MANY_REGISTERS } { 3 } else { 1 };
        for start in (0..depth).step_by(FORWARD_BLOCK) {
            let block = (start, FORWARD_BLOCK.min(depth - start));
            for (panel, vectors) in equal_tiles(panels, widest) {
                // SAFETY: `forward` checked that the slices hold the panels, `depth` and the rows.
                unsafe { self.column::<L>(panel, vectors, block) };
            }
        }
    }
}

struct Backward<'a> {
    a: Panels<'a>,
    b: Panels<'a>,
    c: PanelsMut<'a>,
    extent: Extent,
}

impl Backward<'_> {
    /// The tile of `C` panels from `panel` on, rows from `first` on, for `depth` steps of the chain from `start` on.
    ///
    /// # Safety
    /// They are within the extent, which `backward` checked; `start` is a multiple of 16.
    #[inline(always)]
    unsafe fn tile<const C: usize>(
        &self,
        panel: usize,
        (first, rows): (usize, usize),
        (start, depth): (usize, usize),
    ) -> Tile<C> {
        let (a, b, c) = (self.a.lines.as_ptr(), self.b.lines.as_ptr(), self.c.start());
        // SAFETY: the caller vouches for the panels.
        unsafe {
            Tile {
                a: a.add(start / LANES * self.a.stride + first).cast(),
                a_run: self.a.stride * LANES,
                runs: (depth / LANES, LANES),
                tail: depth % LANES,
                next_a: a.wrapping_add(start / LANES * self.a.stride + first + rows).cast(),
                b: std::array::from_fn(|v| b.add((panel + v) * self.b.stride + start).cast()),
                c: std::array::from_fn(|v| c.add((panel + v) * self.c.stride() + first).cast()),
                accumulate: self.extent.accumulate || start > 0,
            }
        }
    }
}

impl Job for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Extent { panels, rows, depth, .. } = self.extent;
        // Panels that go two by two; one that is left, or every one where registers are few, goes alone.
        let paired = if const { L::MANY_REGISTERS } { panels / 2 * 2 } else { 0 };
        for start in (0..depth).step_by(BACKWARD_BLOCK) {
            let block = BACKWARD_BLOCK.min(depth - start);
            // The panels of `B` stay in the first-level cache while the rows of `A` go by.
            // SAFETY: `backward` checked that the slices hold the panels; `start` is a multiple of 16.
            unsafe {
                if const { L::MANY_REGISTERS } {
                    for panel in (0..paired).step_by(2) {
                        for (first, rows) in equal_tiles(rows, 14) {
                            let tile = self.tile(panel, (first, rows), (start, block));
                            compute_rows!(rows, 2, LANES, 1, [1 2 3 4 5 6 7 8 9 10 11 12 13 14], tile);
                        }
                    }
                    for (first, rows) in equal_tiles(if paired < panels { rows } else { 0 }, 16) {
                        let tile = self.tile(paired, (first, rows), (start, block));
                        compute_rows!(rows, 1, LANES, 1, [1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16], tile);
                    }
                } else {
                    for panel in 0..panels {
                        for (first, rows) in equal_tiles(rows, 6) {
                            let tile = self.tile(panel, (first, rows), (start, block));
                            compute_rows!(rows, 1, LANES, 1, [1 2 3 4 5 6], tile);
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
