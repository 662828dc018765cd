//! One tile of a product: chains of multiply-adds in registers.

use crate::kernel::lanes::Lanes;
use crate::kernel::line::LANES;

/// The memory layout of `A`.
pub(super) trait LeftFactors {
    /// Floats from one row to the next.
    const ROW: usize;
    /// Floats from one step to the next.
    const STEP: usize;
    /// Rows of a group, within which rows are `ROW` floats apart; the next group starts elsewhere.
    const ROWS: usize;
    /// Steps of a run, within which steps are `STEP` floats apart; the next run starts elsewhere.
    const STEPS: usize;

    /// Offset in floats of a row and a step, in panels that are `stride` lines apart.
    fn place(stride: usize, row: usize, step: usize) -> usize;
}

/// Where a tile finds its operands.
pub(super) struct Tile<const C: usize> {
    /// `A` of the first row at the first step, which begins a run.
    pub(super) a: *const f32,
    /// `A` of the row after the last one. From here one line for each step is prefetched; a hint, so any address is allowed.
    pub(super) next_a: *const f32,
    /// Floats of `A` from one run of steps to the next.
    pub(super) stride: usize,
    /// Number of steps.
    pub(super) depth: usize,
    /// The vectors of `B` at the first step.
    pub(super) b: [*const f32; C],
    /// The vectors of the first row of `C`.
    pub(super) c: [*mut f32; C],
    /// Whether the chain continues from the values in `C`.
    pub(super) accumulate: bool,
}

/// Steps in one iteration of the unrolled loop over a chain.
const UNROLLED: usize = 4;

/// Computes one tile of `R` rows and `C` vectors; the accumulators stay in registers along the chain.
///
/// # Safety
/// `A`, `B` and `C` are valid for all rows, steps and vectors of the tile; rows of `c` are lines.
#[inline(always)]
pub(super) unsafe fn compute<L: Lanes, const R: usize, const C: usize, F: LeftFactors>(t: Tile<C>) {
    // SAFETY: see above. All reads and writes are within the tile. Cursors may end outside it, and are not dereferenced there.
    unsafe {
        let mut sums = [[L::broadcast(0.0); C]; R];
        if t.accumulate {
            for (r, row) in sums.iter_mut().enumerate() {
                for (sum, c) in row.iter_mut().zip(t.c) {
                    *sum = L::load_ptr(c.add(r * LANES));
                }
            }
        }
        let runs = t.depth / F::STEPS;
        for run in 0..=runs {
            let steps = if run < runs { F::STEPS } else { t.depth % F::STEPS };
            let mut cursor = Cursor {
                a: [t.a.wrapping_add(run * t.stride); C],
                b: t.b.map(|b| b.wrapping_add(run * F::STEPS * LANES)),
                next_a: t.next_a.wrapping_add(run * t.stride),
            };
            cursor.advance::<L, F>(0);
            for _ in 0..steps / UNROLLED {
                for step in 0..UNROLLED {
                    cursor.multiply_add::<L, R, F>(step, &mut sums);
                }
                cursor.advance::<L, F>(UNROLLED);
            }
            for _ in 0..steps % UNROLLED {
                cursor.multiply_add::<L, R, F>(0, &mut sums);
                cursor.advance::<L, F>(1);
            }
        }
        for (r, row) in sums.iter().enumerate() {
            for (sum, c) in row.iter().zip(t.c) {
                sum.store_ptr(c.add(r * LANES));
            }
        }
    }
}

/// The current position in the chains of a tile. With SMT, the issue width of this thread drops from six instructions a cycle
/// to three, so the loop minimises instructions: every address is one register and a constant, which a multiply-add can read as
/// a memory operand. An address with a second register would count as two instructions.
struct Cursor<const C: usize> {
    /// `A` of the first row, once for each vector, so that the compiler reads a factor separately for each.
    a: [*const f32; C],
    /// The vectors of `B`.
    b: [*const f32; C],
    /// The part of `A` that the next tile reads.
    next_a: *const f32,
}

impl<const C: usize> Cursor<C> {
    /// Advances by some steps.
    #[inline(always)]
    fn advance<L: Lanes, F: LeftFactors>(&mut self, steps: usize) {
        self.a = self.a.map(|a| L::opaque(a.wrapping_add(steps * F::STEP)));
        self.b = self.b.map(|b| L::opaque(b.wrapping_add(steps * LANES)));
        self.next_a = L::opaque(self.next_a.wrapping_add(steps * LANES));
    }

    /// Computes one step of all chains, `step` steps from here.
    ///
    /// # Safety
    /// As for `compute`.
    #[inline(always)]
    unsafe fn multiply_add<L: Lanes, const R: usize, F: LeftFactors>(&self, step: usize, sums: &mut [[L; C]; R]) {
        // SAFETY: the caller guarantees the step.
        unsafe {
            L::prefetch_to_read(self.next_a.wrapping_add(step * LANES));
            let lanes = self.b.map(|b| L::load_ptr(b.add(step * LANES)));
            for (r, row) in sums.iter_mut().enumerate() {
                let place = step * F::STEP + r * F::ROW;
                let shared = L::broadcast(*self.a[0].add(place));
                for (v, sum) in row.iter_mut().enumerate() {
                    let factor = if r < rows_apart(R, C) { L::broadcast(*self.a[v].add(place)) } else { shared };
                    *sum = factor.mul_add(lanes[v], *sum);
                }
            }
        }
    }
}

/// In a tile of several vectors, the number of rows whose factor each multiply-add reads from memory. That saves one
/// instruction for each row but adds `vectors − 1` reads, and a core can make hardly more reads than multiply-adds in a cycle.
const fn rows_apart(rows: usize, vectors: usize) -> usize {
    if vectors < 3 { rows * 3 / 4 } else { rows / 2 }
}
