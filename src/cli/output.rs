//! Standard output: the result alone.

use std::io::{self, Write};
use std::path::Path;

use gradlane::{Error, Warning, warning};

use super::exit::{Failure, Outcome};

/// Standard output's name in messages.
pub const STDOUT: &str = "<stdout>";

/// Writes a value as one line of JSON to standard output.
///
/// # Errors
/// As [`print`].
pub fn print_json(value: &impl serde::Serialize) -> Outcome {
    let text = serde_json::to_string(value).map_err(|e| of_stdout(e.into()))?;
    print(&(text + "\n"))
}

/// Writes a text to standard output.
///
/// # Errors
/// [`Failure::ClosedPipe`] if nobody reads it, [`Error::Io`] otherwise.
pub fn print(text: &str) -> Outcome {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(of_stdout)
}

/// The failure that an error of writing to standard output means.
pub fn of_stdout(error: io::Error) -> Failure {
    Error::io(Path::new(STDOUT), error).into()
}

/// Writes a line to standard error; nothing can be done where that fails.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Warnings that are printed one by one.
const MOST_WARNINGS: usize = 8;

/// Writes warnings to standard error, worst first; at most eight, then how many are left.
pub fn warn(warnings: &[Warning]) {
    let (shown, left) = warning::worst(warnings, MOST_WARNINGS);
    shown.iter().for_each(|warning| say(&format!("warning: {warning}")));
    if left > 0 {
        say(&format!("warning: {left} more of these; --json lists them all"));
    }
}
