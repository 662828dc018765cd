//! Standard output, which only has the result; and warnings that `--strict` turns into errors.

use std::io::{self, Write};
use std::path::Path;

use gradlane::data::Source;
use gradlane::run::Plan;
use gradlane::{Error, Result, Warning, warning};

use super::exit::{Failure, Outcome};
use super::message::{harmless, warn};

/// Standard output's name in messages.
pub const STDOUT: &str = "<stdout>";

/// Writes a value as one line of JSON to standard output.
///
/// # Errors
/// As [`print`].
pub fn print_json(value: &impl serde::Serialize) -> Outcome {
    let text = serde_json::to_string(value).map_err(|e| of_stdout(e.into()))?;
    print_exactly(&(text + "\n"))
}

/// Writes a text for people to standard output, without what would control a terminal.
///
/// # Errors
/// As [`print_exactly`].
pub fn print(text: &str) -> Outcome {
    print_exactly(&harmless(text))
}

/// Writes a text for programs to standard output.
///
/// # Errors
/// [`Failure::ClosedPipe`] if its reader closed it, [`Error::Io`] otherwise.
pub fn print_exactly(text: &str) -> Outcome {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(of_stdout)
}

/// The failure for an error in writing to standard output.
pub fn of_stdout(error: io::Error) -> Failure {
    Error::io(Path::new(STDOUT), error).into()
}

/// Prints the warnings about the data of a run; with `--strict` such a warning is an error.
///
/// # Errors
/// [`Error::Data`] for a warning with `--strict`.
pub fn heed(plan: &Plan) -> Result<()> {
    let (warnings, data) = (&plan.prepared.warnings, &plan.config.data);
    warn(warnings);
    refuse(warnings, data.strict, |message| Error::data(data.data.name(), message))
}

/// Refuses warnings if the user asked for that.
///
/// # Errors
/// `error` of the message, if there is a warning and `strict` is set.
pub fn refuse(warnings: &[Warning], strict: bool, error: impl Fn(String) -> Error) -> Result<()> {
    match warning::lines(warnings).first() {
        Some(first) if strict => Err(error(format!("--strict: a warning is an error: {first}"))),
        _ => Ok(()),
    }
}

/// Leads to the file of standard input, if there is one.
const STDIN: &str = "/dev/stdin";

/// Refuses to overwrite the data. `what` describes them in the message; `flag` precedes the file's name.
///
/// # Errors
/// [`Error::Usage`] if both are the same file.
pub fn refuse_to_replace(data: &Source, (flag, path): (&str, &Path), what: &str) -> Result<()> {
    let whole = |path: &Path| path.canonicalize().ok().filter(|path| path.is_file());
    match data {
        Source::Stdin if whole(Path::new(STDIN)).is_some_and(|input| whole(path) == Some(input)) => Err(Error::Usage(
            format!("{flag}{}: the {what} come from there, and would be lost: choose another file", path.display()),
        )),
        Source::Path(data) if whole(path).is_some_and(|path| whole(data) == Some(path)) => Err(Error::Usage(format!(
            "{flag}{}: the {what} there, and would be lost: choose another file",
            path.display()
        ))),
        _ => Ok(()),
    }
}
