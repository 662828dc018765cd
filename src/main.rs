//! The command-line program: parses arguments, runs a command, prints an error as one line and returns an exit code.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
