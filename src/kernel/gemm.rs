//! The three matrix products of a step, as tiles of one kernel.
//!
//! `C[r][lane] = Σₖ A(r, k) · B[k][lane]`. The lanes of `B` and `C` are a line; `A` is broadcast. Each element of `C` is one
//! chain of fused multiply-adds over `k` in order, whatever the tile, so bits depend neither on tile nor on ISA. Blocking over
//! `k` stores `C` and continues from it.
//!
//! | product | `A(r, k)` | `B[k]` | `C[r]` |
//! |---|---|---|---|
//! | forward `Z = W·X` | weight of output `r`, input `k` | 16 samples of input `k` | 16 samples of output `r` |
//! | to the inputs `dX = Wᵀ·dZ` | weight of input `r`, output `k` | 16 samples of `dZ` of output `k` | 16 samples of `dX` |
//! | to the weights `dW = dZ·Xᵀ` | input `r` of sample `k` | 16 outputs of `dZ` of sample `k` | 16 outputs of `dW` |

mod tile;

use std::marker::PhantomData;

use super::dispatch::{Isa, Job};
use super::lanes::Lanes;
use super::line::LANES;
use super::panels::{Panels, PanelsMut};
use tile::{LeftFactors, Tile, compute};

/// The extent of a product: panels of `C` (each with its own `B`), rows of each, and the length of the chain.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    /// Panels of `B` and `C`.
    pub panels: usize,
    /// Rows of `C`.
    pub rows: usize,
    /// Length of the chain.
    pub depth: usize,
    /// Continues from the values in `C` instead of from zero.
    pub accumulate: bool,
}

/// The most panels that one tile computes at once.
pub const WIDEST: usize = 3;

/// Block size along `k`, chosen so that a block of `B` (24 KB, the last one up to 30 KB) stays in the L1 cache while `A`
/// streams past.
const BLOCK: usize = 128;
/// A remainder of at most this many steps, such as a bias, is merged into the previous block.
const MOST_LEFT: usize = 32;
const _: () = assert!(BLOCK.is_multiple_of(LANES));

/// First step and length of each block of a chain; the first step is a multiple of 16.
#[inline(always)]
fn blocks(depth: usize) -> impl Iterator<Item = (usize, usize)> {
    let blocks = depth.saturating_sub(MOST_LEFT).div_ceil(BLOCK).max(1);
    (0..blocks).map(move |i| (i * BLOCK, if i + 1 < blocks { BLOCK } else { depth - i * BLOCK }))
}

/// Forward: `C[r][lane] = Σₖ w[r / 16][k][r mod 16] · x[k][lane]` for `extent.rows` outputs.
///
/// - `w`: weight panels of 16 outputs, at least `depth` lines each
/// - `x`: sample panels of at least `depth` lines each
/// - `c`: sample panels, the rows at the start of each
///
/// # Panics
/// If a slice is too short for the extent, or the chain has no step.
pub fn forward(isa: Isa, w: Panels<'_>, x: Panels<'_>, c: PanelsMut<'_>, extent: Extent) {
    assert!(w.holds(extent.rows.div_ceil(LANES), extent.depth), "weights shorter than {extent:?}");
    product(isa, Product::<ForwardProduct> { a: w, b: x, c, extent, lie: PhantomData });
}

/// The two backward products: `A` is stored as panels of lines whose 16 lanes are 16 steps of the chain.
///
/// - `a`: panels `[⌈depth / 16⌉]`, row `r` at line `r` of each
/// - `b`: panels of `depth` lines each; the chain runs along them
/// - `c`: panels, the rows at the start of each
///
/// # Panics
/// If a slice is too short for the extent, or the chain has no step.
pub fn backward(isa: Isa, a: Panels<'_>, b: Panels<'_>, c: PanelsMut<'_>, extent: Extent) {
    assert!(a.holds(extent.depth.div_ceil(LANES), extent.rows), "factors shorter than {extent:?}");
    product(isa, Product::<BackwardProduct> { a, b, c, extent, lie: PhantomData });
}

/// Runs a product whose `a` has been checked.
fn product<F: LeftFactors>(isa: Isa, product: Product<'_, F>) {
    let Extent { panels, rows, depth, .. } = product.extent;
    assert!(depth > 0, "a chain without a step");
    assert!(product.b.holds(panels, depth), "panels shorter than {:?}", product.extent);
    assert!(product.c.holds(panels, rows), "results shorter than {:?}", product.extent);
    isa.run(product);
}

/// Splits `total` rows or panels into tiles of at most `most`, of nearly equal size: `(first, size)` of each.
#[inline(always)]
fn equal_tiles(total: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let tiles = total.div_ceil(most);
    (0..tiles).map(move |i| {
        let first = i * total / tiles;
        (first, (i + 1) * total / tiles - first)
    })
}

/// `A` is weight panels: a line is one step of 16 rows.
struct ForwardProduct;

impl LeftFactors for ForwardProduct {
    const ROW: usize = 1;
    const STEP: usize = LANES;
    const ROWS: usize = LANES;
    const STEPS: usize = usize::MAX;

    #[inline(always)]
    fn place(stride: usize, row: usize, step: usize) -> usize {
        (row / LANES * stride + step) * LANES + row % LANES
    }
}

/// `A` is panels of activations, or transposed weights: a line is 16 steps of one row.
struct BackwardProduct;

impl LeftFactors for BackwardProduct {
    const ROW: usize = LANES;
    const STEP: usize = 1;
    const ROWS: usize = usize::MAX;
    const STEPS: usize = LANES;

    #[inline(always)]
    fn place(stride: usize, row: usize, step: usize) -> usize {
        (step / LANES * stride + row) * LANES + step % LANES
    }
}

/// A product whose slices hold its extent; `forward` and `backward` check this.
struct Product<'a, F> {
    a: Panels<'a>,
    b: Panels<'a>,
    c: PanelsMut<'a>,
    extent: Extent,
    /// The memory layout of `a`.
    lie: PhantomData<F>,
}

/// Computes all rows of one, two or three panels in tiles of at most `$most` rows. A tile is compiled for each number of rows
/// in the list, which ends with `$most`.
macro_rules! tiles {
    ($product:ident, $lanes:ident, $panel:ident, $block:ident, $vectors:literal, $most:literal, [$($rows:literal)*]) => {
        for (first, rows) in $product.runs_of_rows($most) {
            let tile = $product.tile($panel, (first, rows), $block);
            match rows {
                $($rows => compute::<$lanes, $rows, $vectors, F>(tile),)*
                _ => unreachable!("no tile of {rows} rows and {} vectors", $vectors),
            }
        }
    };
}

impl<F: LeftFactors> Product<'_, F> {
    /// Computes one tile: `C` panels from `panel`, `rows` rows from `first`, and `depth` steps of the chain from `start`.
    ///
    /// # Safety
    /// All of them are within the extent. The rows are in one group of `F::ROWS`. `start` is a multiple of 16.
    #[inline(always)]
    unsafe fn tile<const C: usize>(
        &self,
        panel: usize,
        (first, rows): (usize, usize),
        (start, depth): (usize, usize),
    ) -> Tile<C> {
        let (b, c) = (self.b.lines.as_ptr(), self.c.start());
        let a = |row| self.a.lines.as_ptr().cast::<f32>().wrapping_add(F::place(self.a.stride, row, start));
        // SAFETY: the caller guarantees the panels and the rows.
        unsafe {
            Tile {
                a: a(first),
                next_a: a(first + rows),
                stride: self.a.stride * LANES,
                depth,
                b: std::array::from_fn(|v| b.add((panel + v) * self.b.stride + start).cast()),
                c: std::array::from_fn(|v| c.add((panel + v) * self.c.stride() + first).cast()),
                accumulate: self.extent.accumulate || start > 0,
            }
        }
    }

    /// First row and number of rows of each tile; no tile spans two groups of rows.
    #[inline(always)]
    fn runs_of_rows(&self, most: usize) -> impl Iterator<Item = (usize, usize)> {
        let total = self.extent.rows;
        (0..total).step_by(F::ROWS).flat_map(move |start| {
            equal_tiles(F::ROWS.min(total - start), most).map(move |(first, rows)| (start + first, rows))
        })
    }

    /// A block of the chains of `vectors` panels of `C`.
    ///
    /// # Safety
    /// As for `tile`.
    #[inline(always)]
    unsafe fn column<L: Lanes>(&self, panel: usize, vectors: usize, block: (usize, usize)) {
        // SAFETY: the caller guarantees the panels and the block; `runs_of_rows` stays within the rows and their groups.
        unsafe {
            match (const { L::MANY_REGISTERS }, vectors) {
                (true, 3) => tiles!(self, L, panel, block, 3, 8, [1 2 3 4 5 6 7 8]),
                (true, 2) => tiles!(self, L, panel, block, 2, 14, [1 2 3 4 5 6 7 8 9 10 11 12 13 14]),
                (true, 1) => tiles!(self, L, panel, block, 1, 16, [1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16]),
                (false, 1) => tiles!(self, L, panel, block, 1, 6, [1 2 3 4 5 6]),
                _ => unreachable!("no tile of {vectors} vectors"),
            }
        }
    }
}

impl<F: LeftFactors> Job for Product<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Extent { panels, depth, .. } = self.extent;
        let widest = if const { L::MANY_REGISTERS } { WIDEST } else { 1 };
        for block in blocks(depth) {
            for (panel, vectors) in equal_tiles(panels, widest) {
                // SAFETY: the slices hold the extent, and blocks begin at multiples of 16.
                unsafe { self.column::<L>(panel, vectors, block) };
            }
        }
    }
}

#[cfg(test)]
mod tests;
