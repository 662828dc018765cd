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

mod tile;

use super::dispatch::{Isa, Job};
use super::lanes::Lanes;
use super::line::LANES;
use super::panels::{Panels, PanelsMut};
use tile::{Distances, Tile, compute};

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

/// Steps of a chain that are made for all rows of a tile before the next, so that what a tile reads again of `B`, up to
/// 24 KB, stays in the first-level cache while `A` goes by. A few steps that are left go with the block before them.
const BLOCK: usize = 128;
const LEFT: usize = 32;

/// First step and length of each block of a chain; the first is a multiple of 16.
#[inline(always)]
fn blocks(depth: usize) -> impl Iterator<Item = (usize, usize)> {
    let blocks = depth.saturating_sub(LEFT).div_ceil(BLOCK).max(depth.min(1));
    (0..blocks).map(move |i| (i * BLOCK, if i + 1 < blocks { BLOCK } else { depth - i * BLOCK }))
}

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
    isa.run(Product { a: Forward(w), b: x, c, extent });
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
    isa.run(Product { a: Backward(a), b, c, extent });
}

fn check(len: usize, stride: usize, panels: usize, lines: usize) {
    assert!(panels == 0 || len >= (panels - 1) * stride + lines, "{len} lines for {panels} panels of {lines}");
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

/// How `A` lies.
trait Factors: Distances {
    /// Rows of `A` that lie at the distance of rows; a tile has no others.
    const GROUP: usize;

    /// `A` from row `first` and step `start` on, and the floats from one run of 16 steps to the next where they do not
    /// follow each other.
    fn at(&self, first: usize, start: usize) -> (*const f32, Option<usize>);

    /// What is read of `A` after a tile of `rows` rows from `first` on: a hint.
    fn after(&self, first: usize, rows: usize, start: usize) -> *const f32;
}

/// Weight panels of 16 rows: a line is a step of all of them.
struct Forward<'a>(Panels<'a>);

impl Distances for Forward<'_> {
    const ROW: usize = 1;
    const STEP: usize = LANES;
}

impl Factors for Forward<'_> {
    const GROUP: usize = LANES;

    #[inline(always)]
    fn at(&self, first: usize, start: usize) -> (*const f32, Option<usize>) {
        let line = self.0.lines.as_ptr().wrapping_add(first / LANES * self.0.stride + start);
        (line.cast::<f32>().wrapping_add(first % LANES), None)
    }

    #[inline(always)]
    fn after(&self, first: usize, _: usize, start: usize) -> *const f32 {
        self.at(first / LANES * LANES + LANES, start).0
    }
}

/// Panels of 16 steps: a line is 16 steps of a row.
struct Backward<'a>(Panels<'a>);

impl Distances for Backward<'_> {
    const ROW: usize = LANES;
    const STEP: usize = 1;
}

impl Factors for Backward<'_> {
    const GROUP: usize = usize::MAX;

    #[inline(always)]
    fn at(&self, first: usize, start: usize) -> (*const f32, Option<usize>) {
        let line = self.0.lines.as_ptr().wrapping_add(start / LANES * self.0.stride + first);
        (line.cast(), Some(self.0.stride * LANES))
    }

    #[inline(always)]
    fn after(&self, first: usize, rows: usize, start: usize) -> *const f32 {
        self.at(first + rows, start).0
    }
}

struct Product<'a, F> {
    a: F,
    b: Panels<'a>,
    c: PanelsMut<'a>,
    extent: Extent,
}

/// Computes a tile whose number of rows is known only now: one compiled tile for each number in the list.
macro_rules! compute_rows {
    ($rows:expr, $vectors:literal, [$($r:literal)*], $tile:expr) => {
        match $rows {
            $($r => compute::<L, $r, $vectors, F>($tile),)*
            rows => unreachable!("no tile of {rows} rows and {} vectors", $vectors),
        }
    };
}

impl<F: Factors> Product<'_, F> {
    /// The tile of `C` panels from `panel` on, `rows` rows from `first` on, for `depth` steps of the chain from `start` on.
    ///
    /// # Safety
    /// They are within the extent, which was checked; `start` is a multiple of 16.
    #[inline(always)]
    unsafe fn tile<const C: usize>(
        &self,
        panel: usize,
        (first, rows): (usize, usize),
        (start, depth): (usize, usize),
    ) -> Tile<C> {
        let (a, run) = self.a.at(first, start);
        let (b, c) = (self.b, self.c.start());
        // SAFETY: the caller vouches for the panels.
        unsafe {
            Tile {
                a,
                a_run: run.unwrap_or(0),
                runs: if run.is_some() { (depth / LANES, LANES) } else { (0, 0) },
                tail: if run.is_some() { depth % LANES } else { depth },
                next_a: self.a.after(first, rows, start),
                b: std::array::from_fn(|v| b.lines.as_ptr().add((panel + v) * b.stride + start).cast()),
                c: std::array::from_fn(|v| c.add((panel + v) * self.c.stride() + first).cast()),
                accumulate: self.extent.accumulate || start > 0,
            }
        }
    }

    /// All rows of `vectors` panels of `C`: the panels of `B` stay in the first-level cache while `A` goes by.
    ///
    /// # Safety
    /// As for `tile`.
    #[inline(always)]
    unsafe fn column<L: Lanes>(&self, panel: usize, vectors: usize, block: (usize, usize)) {
        let most = match (const { L::MANY_REGISTERS }, vectors) {
            (false, _) => 6,
            (true, 1) => 16,
            (true, 2) => 14,
            (true, _) => 8,
        };
        let total = self.extent.rows;
        for start in (0..total).step_by(F::GROUP) {
            for (first, rows) in equal_tiles(F::GROUP.min(total - start), most) {
                let at = (start + first, rows);
                // SAFETY: the caller vouches for the panels and the rows.
                unsafe {
                    match (const { L::MANY_REGISTERS }, vectors) {
                        (true, 3) => compute_rows!(rows, 3, [1 2 3 4 5 6 7 8], self.tile(panel, at, block)),
                        (true, 2) => {
                            compute_rows!(rows, 2, [1 2 3 4 5 6 7 8 9 10 11 12 13 14], self.tile(panel, at, block))
                        }
                        (true, _) => {
                            let tile = self.tile(panel, at, block);
                            compute_rows!(rows, 1, [1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16], tile)
                        }
                        (false, _) => compute_rows!(rows, 1, [1 2 3 4 5 6], self.tile(panel, at, block)),
                    }
                }
            }
        }
    }
}

impl<F: Factors> Job for Product<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Extent { panels, depth, .. } = self.extent;
        let widest = if const { L::MANY_REGISTERS } { 3 } else { 1 };
        for block in blocks(depth) {
            for (panel, vectors) in equal_tiles(panels, widest) {
                // SAFETY: it was checked that the slices hold the panels, `depth` and the rows; blocks begin at multiples
                // of 16.
                unsafe { self.column::<L>(panel, vectors, block) };
            }
        }
    }
}

#[cfg(test)]
mod tests;
