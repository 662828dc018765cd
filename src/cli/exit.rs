//! Exit codes, in one place.

use std::io::ErrorKind;
use std::process::ExitCode;

use gradlane::Error;

use super::message;

/// Why a verb failed.
#[derive(Debug)]
pub enum Failure {
    /// An error of the library.
    Error(Error),
    /// All trials of a search diverged; the message says where they are recorded.
    AllDiverged(String),
    /// A repetition differs from its run; the message names the first difference.
    Different(String),
    /// A signal with this number ended the run; everything is saved.
    Signal(usize),
    /// Standard output was closed by its reader.
    ClosedPipe,
}

/// The result of a verb.
pub type Outcome<T = ()> = Result<T, Failure>;

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        match error {
            Error::Io { source, .. } if source.kind() == ErrorKind::BrokenPipe => Failure::ClosedPipe,
            Error::Interrupted(number) => Failure::Signal(number),
            error => Failure::Error(error),
        }
    }
}

/// Reports an error in the command line and returns the exit code; help and version are not failures.
pub fn of_usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    message::usage(error);
    ExitCode::from(2)
}

/// Reports a failure in one line on standard error and returns the exit code.
pub fn of_failure(failure: &Failure) -> ExitCode {
    let code = code(failure);
    match failure {
        Failure::Error(error) => {
            let hint = error.hint().map(|hint| format!(": {hint}")).unwrap_or_default();
            message::error(code, &format!("{error}{hint}"));
        }
        Failure::AllDiverged(message) | Failure::Different(message) => message::error(code, message),
        Failure::Signal(_) | Failure::ClosedPipe => {}
    }
    ExitCode::from(code)
}

/// Ends the program with an error, from any thread, when there is nothing to save.
pub fn at_once(error: &Error) -> ! {
    let code = code_of(error);
    message::error(code, &error.to_string());
    gradlane::atomic::exit(i32::from(code))
}

fn code(failure: &Failure) -> u8 {
    match failure {
        Failure::ClosedPipe => 0,
        Failure::Signal(number) => 128 + *number as u8,
        Failure::AllDiverged(_) => 10,
        Failure::Different(_) => 13,
        Failure::Error(error) => code_of(error),
    }
}

fn code_of(error: &Error) -> u8 {
    match error.kind() {
        Error::Usage(_) => 2,
        Error::Data { .. } => 3,
        Error::Mismatch(_) => 4,
        Error::Io { .. } | Error::Memory(_) => 5,
        Error::Diverged { .. } => 10,
        Error::Unmet(_) => 11,
        Error::NoStep(_) => 12,
        _ => 1,
    }
}
