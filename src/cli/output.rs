//! Standard output: the result alone.

use std::io::{self, Write};
use std::path::Path;

use gradlane::Error;

use super::exit::{Failure, Outcome};

/// Writes a text to standard output.
///
/// # Errors
/// [`Failure::ClosedPipe`] if nobody reads it, [`Error::Io`] otherwise.
pub fn print(text: &str) -> Outcome {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|e| of_stdout(e))
}

/// The failure that an error of writing to standard output means.
pub fn of_stdout(error: io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        Failure::ClosedPipe
    } else {
        Failure::Error(Error::io(Path::new("<stdout>"), error))
    }
}

/// Writes a line to standard error; nothing can be done where that fails.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
