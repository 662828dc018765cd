//! Files of `--save` and `--against`: the runs in the form of `--json`, one on each line.

use std::io::ErrorKind;
use std::path::Path;

use gradlane::machine::BenchRun;
use gradlane::{Error, Result, atomic};

/// Writes runs.
///
/// # Errors
/// [`Error::Io`] naming the file.
pub fn write(path: &Path, runs: &[BenchRun]) -> Result<()> {
    let lines: serde_json::Result<Vec<String>> = runs.iter().map(serde_json::to_string).collect();
    let lines = lines.map_err(|e| Error::io(path, e.into()))?;
    atomic::write(path, (lines.join("\n") + "\n").as_bytes())
}

/// Reads runs.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read, [`Error::Data`] with the number of a line that is not a run.
pub fn read(path: &Path) -> Result<Vec<BenchRun>> {
    const EXPECTED: &str = "expected a run as `bench --save` and `bench --json` write it";
    let text = std::fs::read_to_string(path).map_err(|e| match e.kind() {
        ErrorKind::InvalidData => Error::data(path, format!("{EXPECTED}: this is no text")),
        _ => Error::io(path, e),
    })?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let run = |(number, line): (usize, &str)| {
        let wrong = |what: String| {
            let message = format!("{EXPECTED}: {what}");
            Error::data_at(path, Some(number as u64 + 1), None, message)
        };
        let run: BenchRun = serde_json::from_str(line).map_err(|e| wrong(e.to_string()))?;
        let times = [run.us_per_step_p25, run.us_per_step, run.us_per_step_p75];
        if times.iter().all(|us| us.is_finite() && *us > 0.0) { Ok(run) } else { Err(wrong(format!("{times:?} µs"))) }
    };
    lines.map(run).collect()
}
