//! A table, and the parts to which training would assign its rows.

use super::frame::Frame;
use super::options::DataOptions;
use super::prepare::{Loaded, LoadedContents};
use super::source::Source;
use super::split::Split;
use crate::{Error, Result, Warning};

/// A table and the parts of its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Partition {
    /// All rows.
    pub frame: Frame,
    /// The rows of each part. Rows without a target are in none.
    pub split: Split,
    /// Notes on decisions, for the user.
    pub notes: Vec<String>,
    /// Warnings for the user.
    pub warnings: Vec<Warning>,
}

/// Assigns the rows of a table to parts, as [`super::prepare`] does with the same options and seed.
///
/// # Errors
/// As [`super::prepare`], [`Error::Usage`] for standard input, and [`Error::Mismatch`] for images.
pub fn partition(options: &DataOptions, seed: u64) -> Result<Partition> {
    if options.data == Source::Stdin {
        return Err(Error::Usage("data split reads its file twice: write standard input to a file first".to_owned()));
    }
    let Loaded(LoadedContents::Table(table, _)) = Loaded::read(options)? else {
        let name = options.data.as_written();
        return Err(Error::Mismatch(format!("{name}: expected a table, found images of bytes")));
    };
    let split = table.deal(options, seed)?;
    let (notes, warnings) = table.said(&split, options);
    let frame = Frame::read(&options.data, &options.read_options())?;
    Ok(Partition { frame, split, notes, warnings })
}
