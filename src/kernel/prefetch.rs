//! Hints to the caches.

use std::arch::asm;

use super::line::Line;

/// Asks for ownership of the line: `prefetchw`, which CPUs without it take for a no-operation.
#[inline(always)]
pub(super) fn to_write(line: *const Line) {
    // SAFETY: a prefetch faults at no address and changes nothing but caches.
    unsafe { asm!("prefetchw [{}]", in(reg) line, options(nostack, preserves_flags, readonly)) };
}
