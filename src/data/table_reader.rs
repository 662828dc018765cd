//! Reads known columns of a file, some rows at a time.

use std::path::Path;

use super::builder::Builder;
use super::delimited::DelimitedRows;
use super::layout::FileLayout;
use super::offsets::other_offset;
use super::options::ReadOptions;
use super::outline::Outline;
use super::raw_table::RawTable;
use super::source::Opened;
use super::table::{MissingMarkers, Table};
use super::table_source::{PendingRows, TableSource};
use super::text::Text;
use super::wanted::Wanted;
use crate::warning::are;
use crate::{Result, Warning, WarningKind};

/// Reads known columns of a file, some rows at a time. Delimited text, and other formats that are read from a file,
/// are read in bounded memory.
pub struct TableReader {
    source: Box<dyn TableSource>,
    markers: MissingMarkers,
    wanted: Vec<Wanted>,
    kept: Vec<usize>,
    /// Warnings about how the columns were found.
    matching: Vec<Warning>,
    /// For each column, the number of cells that count as missing because they are not numbers.
    unreadable: Vec<usize>,
    /// For each column, the first time that has an offset from UTC where the schema has none, or the other way around.
    other_offsets: Vec<Option<(u32, String)>>,
}

impl TableReader {
    /// Opens delimited text and detects its layout. No columns are read before [`TableReader::select`] is called.
    ///
    /// # Errors
    /// [`crate::Error::Data`] for an empty file, and if two layouts are about equally likely.
    pub fn new(opened: Opened, options: &ReadOptions) -> Result<Self> {
        let mut text = Text::of_table(opened, options)?;
        let layout = FileLayout::find(&mut text, options)?;
        Ok(Self::of(Box::new(DelimitedRows::new(text, layout, options)?), options))
    }

    /// A reader for the rows of a source.
    pub(super) fn of(source: Box<dyn TableSource>, options: &ReadOptions) -> Self {
        let markers = options.missing.clone();
        Self {
            source,
            markers,
            wanted: Vec::new(),
            kept: Vec::new(),
            matching: Vec::new(),
            unreadable: Vec::new(),
            other_offsets: Vec::new(),
        }
    }

    /// The columns of the file.
    pub fn outline(&self) -> &Outline {
        self.source.outline()
    }

    /// Name of the file, for messages.
    pub fn path(&self) -> &Path {
        self.source.path()
    }

    /// Selects the columns to read, and those to copy as written, by their position in the file.
    pub fn select(&mut self, wanted: Vec<Wanted>, kept: Vec<usize>) {
        self.unreadable = vec![0; wanted.len()];
        self.other_offsets = vec![None; wanted.len()];
        self.wanted = wanted;
        self.kept = kept;
    }

    /// Selects the columns to copy as written, and limits the columns to read to those that are `needed`.
    pub(super) fn keep(&mut self, kept: Vec<usize>, needed: impl Fn(&str) -> bool) {
        let wanted = std::mem::take(&mut self.wanted);
        self.select(wanted.into_iter().filter(|wanted| needed(&wanted.name)).collect(), kept);
    }

    /// Adds warnings about how the columns were found.
    pub(super) fn warn(&mut self, warnings: Vec<Warning>) {
        self.matching.extend(warnings);
    }

    /// The next rows, at most `rows`: the columns to read as a table, and the columns to copy as text; `None` at the
    /// end.
    ///
    /// # Errors
    /// [`crate::Error::Data`] with the position of a row that cannot be read, or of text where the schema requires
    /// numbers.
    pub fn next_rows(&mut self, rows: usize) -> Result<Option<(Table, Vec<Vec<String>>)>> {
        let builders = self.wanted.iter().map(|wanted| (wanted.index, Builder::known(wanted))).collect();
        let mut batch = PendingRows::new(&self.markers, builders, &self.kept);
        self.source.read(rows, &mut batch)?;
        let PendingRows { columns, kept, lines, .. } = batch;
        if lines.is_empty() {
            return Ok(None);
        }
        self.unreadable.iter_mut().zip(&columns).for_each(|(count, (_, builder))| *count += builder.unreadable());
        for (found, (_, builder)) in self.other_offsets.iter_mut().zip(&columns) {
            *found = found.take().or_else(|| builder.other_offset().cloned());
        }
        let (path, outline) = (self.source.path().to_path_buf(), self.source.outline());
        let names: Vec<String> = self.wanted.iter().map(|wanted| wanted.name.clone()).collect();
        let named = columns.into_iter().zip(&names);
        let columns = named.map(|((_, b), name)| b.finish((&path, outline.unit), name)).collect::<Result<_>>()?;
        let kinds = self.wanted.iter().map(|wanted| wanted.kind.clone()).collect();
        let table = Table { path, names, named: outline.named, columns, kinds, lines, unit: outline.unit };
        Ok(Some((table, kept.into_iter().map(|(_, cells)| cells).collect())))
    }

    /// All remaining rows as one table.
    ///
    /// # Errors
    /// As [`TableReader::next_rows`], and if no row remains.
    pub fn read_all(&mut self) -> Result<Table> {
        match self.next_rows(usize::MAX)? {
            Some((table, _)) => Ok(table),
            None => Err(RawTable::without_rows(self.path(), self.outline())),
        }
    }

    /// Warnings about the rows read so far.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = self.outline().warnings.clone();
        warnings.extend(self.matching.iter().cloned());
        let unreadable = self.wanted.iter().zip(&self.unreadable).filter(|(_, count)| **count > 0);
        warnings.extend(unreadable.map(|(Wanted { name, .. }, &count)| {
            let message = format!("column \"{name}\": {} no number: no value", are(count, "cell"));
            Warning::new(WarningKind::UnreadableNumbers, message).column(name).count(count)
        }));
        let unit = self.outline().unit;
        let found =
            self.wanted.iter().zip(&self.other_offsets).filter_map(|(wanted, found)| Some((wanted, found.as_ref()?)));
        warnings.extend(found.map(|(wanted, time)| other_offset(&wanted.name, &wanted.kind, (unit, time))));
        warnings.extend(self.source.warnings());
        warnings
    }
}
