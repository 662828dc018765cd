//! One tile of a product: chains of multiply-adds in registers.

use crate::kernel::lanes::Lanes;
use crate::kernel::line::LANES;

/// How far apart what a tile reads of `A` lies.
pub(super) trait Distances {
    /// Floats of `A` from row to row.
    const ROW: usize;
    /// Floats of `A` from step to step.
    const STEP: usize;
}

/// Where a tile finds its operands.
#[derive(Clone, Copy)]
pub(super) struct Tile<const C: usize> {
    /// `A` of the first row at the first step.
    pub(super) a: *const f32,
    /// Floats of `A` from one run of steps to the next.
    pub(super) a_run: usize,
    /// Runs of steps, and steps of a run; what is left makes a shorter run.
    pub(super) runs: (usize, usize),
    /// Steps of the last, shorter run.
    pub(super) tail: usize,
    /// What the next tile reads of `A`, laid out as this tile's; a hint, so any address will do.
    pub(super) next_a: *const f32,
    /// The vectors of `B` at the first step.
    pub(super) b: [*const f32; C],
    /// The vectors of the first row of `C`.
    pub(super) c: [*mut f32; C],
    /// Whether the chain goes on from `C`.
    pub(super) accumulate: bool,
}

/// Steps in one turn of the loop over a chain.
const TOGETHER: usize = 4;

/// Computes one tile of `R` rows and `C` vectors; the accumulators stay in registers along the chain.
///
/// # Safety
/// The pointers are valid for the tile, its chain and its strides; rows of `c` are lines.
#[inline(always)]
pub(super) unsafe fn compute<L: Lanes, const R: usize, const C: usize, D: Distances>(t: Tile<C>) {
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
            let length = if run < runs { steps } else { t.tail };
            let mut at = At {
                a: [t.a.wrapping_add(run * t.a_run); C],
                b: t.b.map(|b| b.wrapping_add(run * steps * LANES)),
                next_a: t.next_a.wrapping_add(run * t.a_run),
            };
            at.advance::<L, D>(0);
            for _ in 0..length / TOGETHER {
                for step in 0..TOGETHER {
                    at.multiply_add::<L, R, D>(step, &mut sums);
                }
                at.advance::<L, D>(TOGETHER);
            }
            for _ in 0..length % TOGETHER {
                at.multiply_add::<L, R, D>(0, &mut sums);
                at.advance::<L, D>(1);
            }
        }
        for (r, row) in sums.iter().enumerate() {
            for (sum, c) in row.iter().zip(t.c) {
                sum.store_ptr(c.add(r * LANES));
            }
        }
    }
}

/// Where a tile is in its chains. A core that works for another hardware thread too takes three instructions of ours in a
/// cycle where it else takes six, so a step is as few as can be: every address is one register and a constant, from which a
/// multiply-add reads by itself; with a second register it would count as two.
#[derive(Clone, Copy)]
struct At<const C: usize> {
    /// `A` of the first row, under a name for each vector: the compiler then reads a factor anew for each.
    a: [*const f32; C],
    /// The vectors of `B`.
    b: [*const f32; C],
    /// `A` of the next tile.
    next_a: *const f32,
}

impl<const C: usize> At<C> {
    /// Goes on by some steps.
    #[inline(always)]
    fn advance<L: Lanes, D: Distances>(&mut self, steps: usize) {
        self.a = self.a.map(|a| L::unforeseen(a.wrapping_add(steps * D::STEP)));
        self.b = self.b.map(|b| L::unforeseen(b.wrapping_add(steps * LANES)));
        self.next_a = L::unforeseen(self.next_a.wrapping_add(steps * LANES));
    }

    /// Makes the step of all chains that lies `step` steps from here.
    ///
    /// # Safety
    /// As for `compute`.
    #[inline(always)]
    unsafe fn multiply_add<L: Lanes, const R: usize, D: Distances>(&self, step: usize, sums: &mut [[L; C]; R]) {
        // SAFETY: the caller vouches for the step.
        unsafe {
            L::prefetch_to_read(self.next_a.wrapping_add(step * LANES));
            let lanes = self.b.map(|b| L::load_ptr(b.add(step * LANES)));
            for (r, row) in sums.iter_mut().enumerate() {
                let place = step * D::STEP + r * D::ROW;
                let shared = L::broadcast(*self.a[0].add(place));
                let apart = L::READS_FACTORS && r < rows_apart(R, C);
                for (v, sum) in row.iter_mut().enumerate() {
                    let factor = if apart { L::broadcast(*self.a[v].add(place)) } else { shared };
                    *sum = factor.mul_add(lanes[v], *sum);
                }
            }
        }
    }
}

/// Rows of a tile whose factor every multiply-add reads for itself: an instruction less a row, but `C − 1` reads more, and
/// a core makes hardly more reads than multiply-adds in a cycle.
const fn rows_apart(rows: usize, vectors: usize) -> usize {
    if vectors < 3 { rows * 3 / 4 } else { rows / 2 }
}
