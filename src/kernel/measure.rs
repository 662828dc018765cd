//! Kernels for measurement only: the peak throughput of the arithmetic units and of memory.

use std::hint::black_box;

use super::lanes::Lanes;
use super::line::{LANES, Line};
use super::{Isa, Job};

/// Multiply-adds of each chain in one call of [`fma_chains`].
const CHAIN_LENGTH: usize = 20_000;

/// Numbers of chains to try: enough to hide the latency of a multiply-add, few enough for the registers.
pub(crate) const CHAINS: [usize; 3] = [2, 6, 12];

/// Runs one of [`CHAINS`] numbers of independent multiply-add chains in registers. Returns the floating-point operations done,
/// two for each multiply-add.
///
/// # Panics
/// If the number of chains is not in [`CHAINS`].
pub(crate) fn fma_chains(isa: Isa, chains: usize) -> f64 {
    match chains {
        2 => isa.run(Chains::<2>),
        6 => isa.run(Chains::<6>),
        12 => isa.run(Chains::<12>),
        other => panic!("{other} chains"),
    }
    (2 * LANES * chains * CHAIN_LENGTH) as f64
}

struct Chains<const N: usize>;

impl<const N: usize> Job for Chains<N> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self) {
        // x ← 0.999 x + 0.001 stays near 1, so it neither overflows nor becomes denormal.
        let (scale, shift) = (L::broadcast(black_box(0.999)), L::broadcast(black_box(0.001)));
        let mut x = [L::broadcast(black_box(1.0)); N];
        for _ in 0..CHAIN_LENGTH {
            for chain in &mut x {
                *chain = chain.mul_add(scale, shift);
            }
        }
        for chain in x {
            black_box(chain.to_array());
        }
    }
}

/// Lines that are processed in one state before the next state: few enough that the gradients stay in L1.
const SWEPT: usize = 64;

/// Reads `gradients` once, and reads and writes each of `states`, as an update does but with hardly any arithmetic.
///
/// # Panics
/// If the lengths differ.
pub(crate) fn sweep(isa: Isa, gradients: &[Line], states: &mut [Vec<Line>]) {
    for start in (0..gradients.len()).step_by(SWEPT) {
        let range = start..(start + SWEPT).min(gradients.len());
        for state in &mut *states {
            isa.run(MemorySweep { gradients: &gradients[range.clone()], state: &mut state[range.clone()] });
        }
    }
}

struct MemorySweep<'a> {
    gradients: &'a [Line],
    state: &'a mut [Line],
}

impl Job for MemorySweep<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let scale = L::broadcast(black_box(0.999));
        for (to, gradient) in self.state.iter_mut().zip(self.gradients) {
            L::load(to).mul_add(scale, L::load(gradient)).store(to);
        }
    }
}
