//! The peak resident memory of the process, as Linux reports it.

use std::fs;

/// Resets the peak. Returns false if the system cannot; the peak is then that of the whole life of the process.
pub(super) fn reset_peak() -> bool {
    fs::write("/proc/self/clear_refs", "5").is_ok()
}

/// The peak of resident memory, in 10⁶ bytes.
pub(super) fn peak_mb() -> Option<f64> {
    parse(&fs::read_to_string("/proc/self/status").ok()?)
}

/// Reads the line `VmHWM:     1234 kB`; `kB` are 1024 bytes.
fn parse(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024.0 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_found_among_the_lines() {
        assert_eq!(parse("Name:\tx\nVmHWM:\t   2000 kB\nVmRSS:\t 9 kB\n"), Some(2.048));
        assert_eq!(parse("Name:\tx\n"), None);
    }
}
