//! Errors, in terms that a user needs: where, what was expected, what was found, what to try.

use std::io;
use std::path::{Path, PathBuf};

use crate::nearest::nearest;
use crate::option_text::{name, option, setting};

/// An error of the library. The program prints it as one line and maps its kind to an exit code.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An option is wrong, or does not fit the data or other options. The text is `option value: what is wrong`; the
    /// program names the flag instead of the option.
    #[error("{}{}: {source}", name(option), value.as_ref().map(|value| format!(" {value}")).unwrap_or_default())]
    Option {
        /// The option's name, as in a configuration file: `class_weight`.
        option: &'static str,
        /// The given value, if it helps to understand the error.
        value: Option<String>,
        /// What is wrong, without the option's name.
        source: Box<Error>,
    },
    /// A flag, a configuration key, a hyperparameter or a specification is wrong. Most of these are found before any
    /// file is read.
    #[error("{0}")]
    Usage(String),
    /// The content of a data file is wrong.
    #[error("{place}: {message}")]
    Data {
        /// File, and line and column if they are known: `iris.csv:57, column "width"`.
        place: Place,
        /// What was expected, what was found, what to try.
        message: String,
    },
    /// Model and data, or model and configuration, do not fit together.
    #[error("{0}")]
    Mismatch(String),
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The loss or its gradient stopped being finite.
    #[error(
        "{} at epoch {epoch}, step {step}: try a smaller {}, or {}",
        not_finite(*loss), option("lr"), setting("clip_norm", 1)
    )]
    Diverged {
        /// Epoch, from 1.
        epoch: usize,
        /// Optimizer step, from 1.
        step: u64,
        /// The loss.
        loss: f64,
    },
    /// A requirement such as `--fail-under` was not met.
    #[error("{0}")]
    Unmet(String),
    /// There is not enough memory, or there are not enough threads; found before the work starts.
    #[error("{0}")]
    Memory(String),
    /// The signal of this number arrived before the first optimizer step. Nothing is saved.
    #[error("interrupted before the first step")]
    Interrupted(usize),
    /// A limit was reached before the first optimizer step.
    #[error("{0}")]
    NoStep(String),
}

/// What the row numbers of a file count, in messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Unit {
    /// Lines of text, from 1.
    #[default]
    Line,
    /// Rows of a file without lines, from 1.
    Row,
}

impl std::fmt::Display for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Unit::Line => "line",
            Unit::Row => "row",
        })
    }
}

/// A place in an input file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, or `<stdin>`.
    pub path: PathBuf,
    /// Number of the line or row, from 1.
    pub line: Option<u64>,
    /// Whether [`Place::line`] counts lines or rows.
    pub unit: Unit,
    /// Name of the column.
    pub column: Option<String>,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.path.display())?;
        match (self.line, self.unit) {
            (Some(line), Unit::Line) => write!(f, ":{line}")?,
            (Some(row), Unit::Row) => write!(f, ", row {row}")?,
            (None, _) => {}
        }
        if let Some(column) = &self.column {
            write!(f, ", column \"{column}\"")?;
        }
        Ok(())
    }
}

/// What stopped being finite: the loss, or the gradient if the loss is finite.
fn not_finite(loss: f64) -> String {
    if loss.is_finite() { "the gradient stopped being finite".to_owned() } else { format!("loss became {loss}") }
}

/// The library's result.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error about a data file as a whole.
    pub fn data(path: impl AsRef<Path>, message: impl Into<String>) -> Self {
        Self::data_at(path, None, None, message)
    }

    /// An error about a place in a data file. `line` counts from 1.
    pub fn data_at(
        path: impl AsRef<Path>,
        line: Option<u64>,
        column: Option<&str>,
        message: impl Into<String>,
    ) -> Self {
        Error::Data {
            place: Place {
                path: path.as_ref().to_path_buf(),
                line,
                unit: Unit::Line,
                column: column.map(str::to_owned),
            },
            message: message.into(),
        }
    }

    /// The same error, with rows counted in `by`.
    pub(crate) fn counted_in(mut self, by: Unit) -> Self {
        let mut innermost = &mut self;
        while let Error::Option { source, .. } = innermost {
            innermost = source;
        }
        if let Error::Data { place, .. } = innermost {
            place.unit = by;
        }
        self
    }

    /// The same error, attributed to an option; see [`Error::Option`].
    pub(crate) fn of(self, option: &'static str) -> Self {
        Error::Option { option, value: None, source: Box::new(self) }
    }

    /// The same error, attributed to a value of an option.
    pub(crate) fn of_value(self, option: &'static str, value: impl std::fmt::Display) -> Self {
        Error::Option { option, value: Some(value.to_string()), source: Box::new(self) }
    }

    /// The error without the options that it is attributed to; never [`Error::Option`].
    pub fn kind(&self) -> &Error {
        match self {
            Error::Option { source, .. } => source.kind(),
            other => other,
        }
    }

    /// A suggestion, if the error is a missing file: the most similar name in the same folder.
    pub fn hint(&self) -> Option<String> {
        let Error::Io { path, source } = self.kind() else { return None };
        if source.kind() != io::ErrorKind::NotFound {
            return None;
        }
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .ok()?
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort();
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        let near = nearest(path.file_name()?.to_str()?, &known)?;
        Some(format!("did you mean {}?", path.with_file_name(near).display()))
    }

    /// An input or output error of a file.
    pub fn io(path: impl AsRef<Path>, source: io::Error) -> Self {
        Error::Io { path: path.as_ref().to_path_buf(), source }
    }
}
