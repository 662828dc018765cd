//! Time that runnable threads waited for a CPU, as Linux reports it.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

/// The time that each thread of the process has waited since it started.
pub(super) struct Waits(HashMap<String, Duration>);

impl Waits {
    /// The current times; `None` if the system does not report them.
    pub(super) fn now() -> Option<Waits> {
        let mut waits = HashMap::new();
        for task in fs::read_dir("/proc/self/task").ok()? {
            let task = task.ok()?;
            // The thread may have ended in between.
            let Ok(text) = fs::read_to_string(task.path().join("schedstat")) else { continue };
            waits.insert(task.file_name().to_string_lossy().into_owned(), parse(&text)?);
        }
        (!waits.is_empty()).then_some(Waits(waits))
    }

    /// The time that the current threads have waited since `before`, added up.
    pub(super) fn since(&self, before: &Waits) -> Duration {
        let of_thread =
            |(id, wait): (&String, &Duration)| wait.saturating_sub(before.0.get(id).copied().unwrap_or_default());
        self.0.iter().map(of_thread).sum()
    }
}

/// Reads `1830987 52000 17`: ns on a CPU, ns waiting for one, time slices.
fn parse(schedstat: &str) -> Option<Duration> {
    schedstat.split_whitespace().nth(1)?.parse().ok().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_the_second_number() {
        assert_eq!(parse("1830987 52000 17\n"), Some(Duration::from_micros(52)));
        assert_eq!(parse(""), None);
    }

    #[test]
    fn threads_that_end_take_nothing_away() {
        let waits = |threads: &[(&str, u64)]| {
            Waits(threads.iter().map(|(id, us)| ((*id).to_owned(), Duration::from_micros(*us))).collect())
        };
        let (before, now) = (waits(&[("1", 10), ("2", 500)]), waits(&[("1", 15), ("3", 7)]));
        assert_eq!(now.since(&before), Duration::from_micros(12));
    }
}
