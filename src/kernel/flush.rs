//! Flush-to-zero mode. Without it, denormal numbers make Adam forty times slower and a product two hundred times.

use std::marker::PhantomData;

/// Treats denormal inputs and results as zero on this thread until dropped. It is not `Send`: a drop on another thread would
/// restore that thread's mode.
pub(crate) struct FlushDenormals {
    before: u64,
    not_send: PhantomData<*const ()>,
}

impl FlushDenormals {
    /// Sets the mode.
    pub(crate) fn new() -> Self {
        let before = control::read();
        control::write(before | control::FLUSH);
        FlushDenormals { before, not_send: PhantomData }
    }
}

impl Drop for FlushDenormals {
    fn drop(&mut self) {
        control::write(self.before);
    }
}

#[cfg(target_arch = "x86_64")]
mod control {
    use std::arch::asm;

    /// FTZ and DAZ of MXCSR.
    pub const FLUSH: u64 = 0x8040;

    pub fn read() -> u64 {
        let mut csr = 0u32;
        // SAFETY: stores MXCSR into the 4 bytes of `csr`; SSE is part of x86-64.
        unsafe { asm!("stmxcsr [{}]", in(reg) &mut csr, options(nostack, preserves_flags)) };
        u64::from(csr)
    }

    pub fn write(value: u64) {
        let csr = value as u32;
        // SAFETY: loads MXCSR with a value read from it, with only the two flush bits changed; no float operation is in flight.
        unsafe { asm!("ldmxcsr [{}]", in(reg) &csr, options(nostack, preserves_flags)) };
    }
}

#[cfg(target_arch = "aarch64")]
mod control {
    use std::arch::asm;

    /// FZ of FPCR.
    pub const FLUSH: u64 = 1 << 24;

    pub fn read() -> u64 {
        let value;
        // SAFETY: reads the control register, which every thread may.
        unsafe { asm!("mrs {}, fpcr", out(reg) value, options(nomem, nostack, preserves_flags)) };
        value
    }

    pub fn write(value: u64) {
        // SAFETY: writes a value read from the register, with only the flush bit changed.
        unsafe { asm!("msr fpcr, {}", in(reg) value, options(nomem, nostack, preserves_flags)) };
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod control {
    pub const FLUSH: u64 = 0;

    pub fn read() -> u64 {
        0
    }

    pub fn write(_: u64) {}
}

#[cfg(test)]
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod tests {
    use super::*;
    use std::hint::black_box;

    /// Implemented once for every type, and a second time for `Send` types, for which `_` is then ambiguous.
    trait StaysOnItsThread<Way> {
        fn holds() {}
    }
    impl<T> StaysOnItsThread<()> for T {}
    impl<T: Send> StaysOnItsThread<u8> for T {}

    #[test]
    fn a_guard_cannot_be_sent_to_another_thread() {
        <FlushDenormals as StaysOnItsThread<_>>::holds();
    }

    #[test]
    fn denormals_are_zero_until_the_guard_is_dropped() {
        let half = |x: f32| black_box(black_box(x) * black_box(0.5));
        let flushed = {
            let _guard = FlushDenormals::new();
            half(f32::MIN_POSITIVE)
        };
        assert_eq!(flushed, 0.0);
        assert!(half(f32::MIN_POSITIVE) > 0.0);
    }
}
