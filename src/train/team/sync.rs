//! What members wait with. `tests/model` compiles the barrier and the work stealing with a scheduler in place of this file, which
//! tries every order of the members' steps.

pub(crate) use std::sync::{Condvar, Mutex, PoisonError, atomic};
pub(crate) use std::{hint, thread};

/// Spins before a member sleeps: some 30 µs on a Sapphire Rapids, longer than the imbalance of most phases. When a member sleeps, the
/// kernel can move another member, whose CPU was taken by another process, onto the free CPU. A member that only yields would leave
/// its CPU to whichever process asks for it.
pub(crate) const LOOKS: usize = 2_000;

/// Padding, so that counters of different threads are on different cache lines.
#[repr(align(128))]
pub(crate) struct Padded<T>(pub(crate) T);
