//! Prefetch instructions.

use std::arch::asm;

use super::line::Line;

/// Prefetches a line for writing: `prefetchw`, which is a no-operation on CPUs without it.
#[inline(always)]
pub(super) fn to_write(line: *const Line) {
    // SAFETY: a prefetch never faults and changes nothing but caches.
    unsafe { asm!("prefetchw [{}]", in(reg) line, options(nostack, preserves_flags, readonly)) };
}
