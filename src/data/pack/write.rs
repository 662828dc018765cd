//! Writes files to a pack in bounded memory: a first pass determines the kinds of columns, a second pass writes the
//! numbers.

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::cells::{bytes_of, form_of, number_bytes};
use super::chain::Chain;
use super::header::{CellType, ColumnForm, PackHeader, PackTensor, TensorContent};
use super::survey::{at_a_time, survey};
use crate::atomic::AtomicFile;
use crate::data::builder::Builder;
use crate::data::frame::{Cells, Frame};
use crate::data::options::ReadOptions;
use crate::data::source::Source;
use crate::data::table_source::{PendingRows, TableFile};
use crate::{Error, Result, Warning};

/// Size of a written pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackSize {
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub columns: usize,
    /// Number of bytes of the file.
    pub bytes: u64,
}

/// Tables with known column kinds, ready to be written as one pack.
pub struct Packer {
    files: Arc<Chain>,
    options: ReadOptions,
    /// Text columns are complete. Number columns that are read again have fewer cells than rows.
    frame: Frame,
}

impl Packer {
    /// Reads files with the same columns, one after the other, and determines the kinds of columns. Number columns are
    /// not kept in memory. Texts are, with four bytes for each of their cells.
    ///
    /// # Errors
    /// Those of reading for training; [`Error::Usage`] for standard input.
    ///
    /// # Panics
    /// If `sources` is empty.
    pub fn new(sources: &[Source], options: &ReadOptions) -> Result<Self> {
        let files = Arc::new(Chain::new(sources, options)?);
        let frame = survey(Arc::clone(&files), options)?;
        Ok(Self { files, options: options.clone(), frame })
    }

    /// Warnings for the user.
    pub fn warnings(&self) -> &[Warning] {
        &self.frame.warnings
    }

    /// Notes on how the files are read.
    pub fn notes(&self) -> &[String] {
        &self.frame.notes
    }

    /// Writes the pack, completely or not at all.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for a column that a pack cannot hold, [`Error::Io`] for failures of the system, and
    /// [`Error::Data`] if a file has changed since the first pass.
    pub fn write(self, path: &Path) -> Result<PackSize> {
        let mut file = AtomicFile::create(path)?;
        let bytes = self.write_to(path, &mut file)?;
        file.finish()?;
        Ok(PackSize { rows: self.frame.rows, columns: self.frame.names.len(), bytes })
    }

    /// Writes the pack to the start of a file, and returns its length.
    ///
    /// # Errors
    /// As [`Packer::write`].
    pub fn write_to(&self, path: &Path, file: &mut (impl Write + Seek)) -> Result<u64> {
        let (frame, io) = (&self.frame, |e| Error::io(path, e));
        let unfit =
            |name: &str, message: &str| Error::Mismatch(format!("{}, column \"{name}\": {message}", path.display()));
        let form = |(name, cells)| form_of(name, cells).map_err(|message| unfit(name, &message));
        let columns = frame.named().map(form).collect::<Result<Vec<ColumnForm>>>()?;
        let header = PackHeader { rows: frame.rows, named: frame.named, columns };
        let (bytes, tensors) = header.write().map_err(|message| Error::data(path, message))?;
        file.write_all(&bytes).map_err(io)?;
        let mut length = bytes.len();
        for tensor in &tensors {
            length = length.max(tensor.end());
            let cells = &frame.columns[tensor.column];
            if tensor.part == TensorContent::Cells && self.is_read_again(cells) {
                continue;
            }
            file.seek(SeekFrom::Start(tensor.start as u64)).map_err(io)?;
            bytes_of(cells, tensor.part, header.columns[tensor.column].element, &mut |bytes| file.write_all(bytes))
                .map_err(io)?;
        }
        self.write_numbers(path, (&header, &tensors), file)?;
        Ok(length as u64)
    }

    /// Whether a number column must be read again from the files.
    fn is_read_again(&self, cells: &Cells) -> bool {
        matches!(cells, Cells::Numbers(values) | Cells::Dates(values, _) | Cells::Moments(values) if values.len() < self.frame.rows)
    }

    /// Reads the files again and writes the numbers.
    fn write_numbers(
        &self,
        path: &Path,
        (header, tensors): (&PackHeader, &[PackTensor]),
        file: &mut (impl Write + Seek),
    ) -> Result<()> {
        let left = |tensor: &&PackTensor| {
            tensor.part == TensorContent::Cells && self.is_read_again(&self.frame.columns[tensor.column])
        };
        let columns: Vec<(usize, CellType, usize)> = tensors
            .iter()
            .filter(left)
            .map(|tensor| (self.frame.places[tensor.column], header.columns[tensor.column].element, tensor.start))
            .collect();
        if columns.is_empty() {
            return Ok(());
        }
        let (mut source, mut row) = (self.files.open()?, 0);
        let changed = Error::data(source.path(), "the file has changed while it was packed: pack it again");
        loop {
            let builders = columns.iter().map(|(place, ..)| (*place, Builder::guess(0))).collect();
            let mut batch = PendingRows::new(&self.options.missing, builders, &[]);
            source.read(at_a_time(columns.len()), &mut batch)?;
            let rows = batch.lines.len();
            match (rows, row + rows) {
                (0, _) => break,
                (_, all) if all > header.rows => return Err(changed),
                _ => {}
            }
            let elements: Vec<CellType> = columns.iter().map(|(_, element, _)| *element).collect();
            let Some(blocks) = blocks(batch, &elements, rows) else { return Err(changed) };
            for (bytes, (_, element, start)) in blocks.iter().zip(&columns) {
                let place = (start + row * element.size()) as u64;
                let written = file.seek(SeekFrom::Start(place)).and_then(|_| file.write_all(bytes));
                written.map_err(|e| Error::io(path, e))?;
            }
            row += rows;
        }
        if row == header.rows { Ok(()) } else { Err(changed) }
    }
}

/// The bytes of number columns; `None` if one is not a number column.
fn blocks(batch: PendingRows<'_>, elements: &[CellType], rows: usize) -> Option<Vec<Vec<u8>>> {
    let bytes = |((_, builder), element): ((usize, Builder), &CellType)| match builder {
        Builder::Numbers(numbers) if numbers.values().len() == rows => Some(number_bytes(numbers.values(), *element)),
        _ => None,
    };
    batch.columns.into_par_iter().zip(elements).map(bytes).collect()
}
