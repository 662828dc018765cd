//! The peak resident memory of the process, as Linux reports it.

use std::fs;

use crate::room::peak;

/// Resets the peak. Returns false if the system cannot; the peak is then that of the whole life of the process.
pub(super) fn reset_peak() -> bool {
    fs::write("/proc/self/clear_refs", "5").is_ok()
}

/// The peak of resident memory, in 10⁶ bytes.
pub(super) fn peak_mb() -> Option<f64> {
    Some(peak()? / 1e6)
}
