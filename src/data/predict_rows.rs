//! Prepares raw rows, some at a time, for prediction.

use std::collections::HashSet;

use super::cell::{nearest, shortened};
use super::dataset::Features;
use super::drift::Drift;
use super::idx::{Images, Part};
use super::input::Input;
use super::options::ReadOptions;
use super::preprocess::Preprocessing;
use super::source::Source;
use super::table_reader::TableReader;
use crate::{Error, Result, Warning};

/// Some rows of the input.
#[derive(Debug, Clone, PartialEq)]
pub struct Chunk {
    /// Inputs of the network.
    pub features: Features,
    /// The columns to copy, as written in the file.
    pub kept: Vec<Vec<String>>,
}

/// Reads raw rows in order and prepares them by a model's preprocessing. Labels are ignored; rows without a label are
/// kept. Tables are read in bounded memory.
pub struct RowReader<'a> {
    preprocessing: &'a Preprocessing,
    rows: RowSource<'a>,
    kept_names: Vec<String>,
}

enum RowSource<'a> {
    Table { reader: Box<TableReader>, drift: Box<Drift<'a>> },
    Images { images: Images, next: usize },
}

impl<'a> RowReader<'a> {
    /// Opens a file, standard input, or a folder with MNIST's layout (of which `part` is read). `keep` names the
    /// columns to copy. The missing markers are those of the model, not those of `options`.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for missing columns of the model, [`Error::Option`] for missing columns of `keep`,
    /// [`Error::Data`] and [`Error::Io`] for a wrong file.
    pub fn open(
        preprocessing: &'a Preprocessing,
        source: &Source,
        options: &ReadOptions,
        part: Part,
        keep: &[String],
    ) -> Result<Self> {
        let input = Input::open(source)?.refuse_misfits(options)?;
        let mut kept_names = Vec::new();
        let rows = match preprocessing {
            Preprocessing::Table(table) => {
                let mut reader = input.reader(table, options)?;
                let kept = kept_columns(&reader, keep)?;
                kept_names = kept.iter().map(|column| reader.outline().names[*column].clone()).collect();
                let features = table.features.iter().map(|feature| feature.column.as_str());
                let needed: HashSet<&str> =
                    features.chain(table.constants.iter().map(|constant| constant.column.as_str())).collect();
                reader.keep(kept, |column| needed.contains(column));
                let drift = Drift::new(&table.features, &table.constants);
                RowSource::Table { reader: Box::new(reader), drift: Box::new(drift) }
            }
            Preprocessing::Images(expected) => {
                if let Some(name) = keep.first() {
                    return Err(Error::Mismatch("images have no columns to copy".to_owned()).of_value("keep", name));
                }
                let images = input.read_images_part(options, part)?;
                expected.check(&images)?;
                RowSource::Images { images, next: 0 }
            }
        };
        Ok(Self { preprocessing, rows, kept_names })
    }

    /// Names of the columns that are copied.
    pub fn kept_names(&self) -> &[String] {
        &self.kept_names
    }

    /// Notes on how the file is read.
    pub fn notes(&self) -> &[String] {
        match &self.rows {
            RowSource::Table { reader, .. } => &reader.outline().notes,
            RowSource::Images { .. } => &[],
        }
    }

    /// Warnings: how the file was read, and how the rows so far differ from the training rows.
    pub fn warnings(&self) -> Vec<Warning> {
        match &self.rows {
            RowSource::Table { reader, drift } => reader.warnings().into_iter().chain(drift.warnings()).collect(),
            RowSource::Images { .. } => Vec::new(),
        }
    }

    /// The next rows, at most `rows`; `None` at the end.
    ///
    /// # Errors
    /// [`Error::Data`] with line and column for a wrong row.
    pub fn next_rows(&mut self, rows: usize) -> Result<Option<Chunk>> {
        match (&mut self.rows, self.preprocessing) {
            (RowSource::Table { reader, drift }, Preprocessing::Table(table)) => {
                let Some((rows, kept)) = reader.next_rows(rows)? else { return Ok(None) };
                drift.observe(&rows, None);
                Ok(Some(Chunk { features: table.features(&rows, None)?, kept }))
            }
            (RowSource::Images { images, next }, Preprocessing::Images(expected)) => {
                let cols = images.cols();
                let end = next.saturating_add(rows).min(images.rows());
                if *next == end {
                    return Ok(None);
                }
                let values = images.bytes[*next * cols..end * cols].to_vec();
                *next = end;
                Ok(Some(Chunk { features: Features::U8 { values, cols, scale: expected.scale }, kept: Vec::new() }))
            }
            _ => unreachable!("rows are opened by the kind of the preprocessing"),
        }
    }
}

/// The columns that `keep` names, without duplicates. Each item is first taken as a single name, then as names
/// separated by commas.
fn kept_columns(reader: &TableReader, keep: &[String]) -> Result<Vec<usize>> {
    let mut kept = Vec::new();
    for item in keep {
        let names = match find_kept(reader, item) {
            Err(_) if item.contains(',') => item.split(',').map(str::trim).collect(),
            _ => vec![item.as_str()],
        };
        for name in names {
            let column = find_kept(reader, name)?;
            if !kept.contains(&column) {
                kept.push(column);
            }
        }
    }
    Ok(kept)
}

fn find_kept(reader: &TableReader, name: &str) -> Result<usize> {
    let names = &reader.outline().names;
    names.iter().position(|n| n == name).ok_or_else(|| {
        let hint = match nearest(name, names) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("the columns are {}", shortened(names)),
        };
        let path = reader.path().display();
        Error::Mismatch(format!("{path} has no column \"{name}\"; {hint}")).of("keep")
    })
}
