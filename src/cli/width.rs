//! The width of a terminal.

use std::io;

use terminal_size::{Width, terminal_size_of};

/// Columns of standard output: those of its terminal, or the value of `COLUMNS`; `None` for a file.
pub fn of_output() -> Option<usize> {
    of_terminal(terminal_size_of(io::stdout()).map(|(width, _)| width))
}

/// Columns of standard error.
pub fn of_messages() -> Option<usize> {
    of_terminal(terminal_size_of(io::stderr()).map(|(width, _)| width))
}

fn of_terminal(width: Option<Width>) -> Option<usize> {
    let said = || std::env::var("COLUMNS").ok()?.parse().ok();
    width.map(|Width(columns)| usize::from(columns)).or_else(said).filter(|columns| *columns > 0)
}
