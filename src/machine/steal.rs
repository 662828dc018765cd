//! CPU time of a virtual machine that its host gave to other guests, as Linux reports it.

use std::fs;

/// CPU time of all CPUs since the machine was started, in ticks.
#[derive(Debug, Clone, Copy)]
pub(super) struct CpuTime {
    /// Time of its programs and its kernel.
    worked: u64,
    /// Time that they would have had if the host had not run other guests.
    stolen: u64,
}

impl CpuTime {
    /// The current CPU time; `None` if the system does not report it.
    pub(super) fn now() -> Option<CpuTime> {
        CpuTime::parse(&fs::read_to_string("/proc/stat").ok()?)
    }

    /// Reads `cpu  user nice system idle iowait irq softirq steal …`, the first line.
    fn parse(stat: &str) -> Option<CpuTime> {
        let ticks = stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace().map(str::parse);
        let ticks = ticks.collect::<Result<Vec<u64>, _>>().ok()?;
        let [user, nice, system, _idle, _iowait, irq, softirq, stolen, ..] = ticks[..] else { return None };
        Some(CpuTime { worked: user + nice + system + irq + softirq, stolen })
    }

    /// The stolen fraction of the CPU time that was requested since `before`.
    pub(super) fn stolen_since(self, before: CpuTime) -> Option<f64> {
        let stolen = self.stolen.saturating_sub(before.stolen);
        let asked_for = stolen + self.worked.saturating_sub(before.worked);
        (asked_for > 0).then(|| stolen as f64 / asked_for as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stolen_time_is_a_part_of_what_was_asked_for() {
        let parse = |line: &str| CpuTime::parse(&format!("{line}\ncpu0 1 2 3\n"));
        let before = parse("cpu  100 20 30 5000 9 0 7 50 0 0").unwrap();
        let now = parse("cpu  150 20 40 9000 9 5 12 80 0 0").unwrap();
        assert_eq!(now.stolen_since(before), Some(0.3)); // 30 of 30 + 50 + 10 + 5 + 5
        assert_eq!(now.stolen_since(now), None);
        assert!(parse("cpu  1 2 3").is_none() && parse("intr 1 2 3 4 5 6 7 8").is_none());
    }
}
