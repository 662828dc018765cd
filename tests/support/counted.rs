//! An allocator that counts bytes, to check that a reader does not use too much memory for its input.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The system's allocator with a count.
pub struct Counted;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// Peak memory in bytes since the previous call.
#[allow(dead_code, reason = "the fuzzer stops where too many are taken")]
pub fn most_bytes() -> usize {
    MOST.swap(LIVE.load(Relaxed), Relaxed)
}

fn take(bytes: usize) {
    let live = LIVE.fetch_add(bytes, Relaxed) + bytes;
    if live > MOST.load(Relaxed) {
        MOST.fetch_max(live, Relaxed);
        (crate::TOO_MUCH)(live);
    }
}

// SAFETY: every call is passed unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        take(layout.size());
        // SAFETY: the caller guarantees the requirements of `GlobalAlloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        take(layout.size());
        // SAFETY: the caller guarantees the requirements of `GlobalAlloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller guarantees the requirements of `GlobalAlloc`.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        LIVE.fetch_sub(layout.size(), Relaxed);
        take(size);
        // SAFETY: the caller guarantees the requirements of `GlobalAlloc`.
        unsafe { System.realloc(at, layout, size) }
    }
}
