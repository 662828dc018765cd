//! Known columns of a file, some rows at a time.

use std::path::Path;
use std::sync::Arc;

use super::builder::Builder;
use super::rows::{Oddities, Rows};
use super::wanted::Wanted;
use crate::data::layout::Layout;
use crate::data::options::ReadOptions;
use crate::data::source::Opened;
use crate::data::table::{ColumnKind, MissingMarkers, Table};
use crate::data::text::{Text, TextReader};
use crate::warning::are;
use crate::{Error, Result, Warning, WarningKind};

/// Reads a file of known columns some rows at a time, in bounded memory.
pub struct TableReader {
    layout: Arc<Layout>,
    markers: MissingMarkers,
    /// The user named the quotes.
    quotes_are_sure: bool,
    rows: Rows<TextReader>,
    wanted: Vec<Wanted>,
    kept: Vec<usize>,
    /// What a user should look at in how the columns were found.
    matching: Vec<Warning>,
    /// Cells that count as missing since they are no numbers, for each wanted column.
    unreadable: Vec<usize>,
}

impl TableReader {
    /// Opens a file and finds its layout; no column is read until [`TableReader::select`].
    ///
    /// # Errors
    /// [`Error::Data`] for an empty file, and where two layouts are about equally likely.
    pub fn new(opened: Opened, options: &ReadOptions) -> Result<Self> {
        let mut text = Text::new(opened, options.encoding)?;
        let layout = Layout::find(&mut text, options)?;
        Self::of_text(text, layout, options)
    }

    /// The rows of a text whose layout is known.
    pub(in crate::data) fn of_text(text: Text, layout: Layout, options: &ReadOptions) -> Result<Self> {
        let (path, layout) = (text.name().to_path_buf(), Arc::new(layout));
        let mut rows = Rows::new(&path, &layout, text.into_reader(), 1);
        rows.skip_above()?;
        Ok(Self {
            layout,
            markers: options.missing.clone(),
            quotes_are_sure: options.quote.is_some(),
            rows,
            wanted: Vec::new(),
            kept: Vec::new(),
            matching: Vec::new(),
            unreadable: Vec::new(),
        })
    }

    /// Layout of the file.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Name of the file, for messages.
    pub fn path(&self) -> &Path {
        self.rows.path()
    }

    /// Chooses the columns to be read, and those (by place in the file) to be copied as they are written.
    pub fn select(&mut self, wanted: Vec<Wanted>, kept: Vec<usize>) {
        self.unreadable = vec![0; wanted.len()];
        self.wanted = wanted;
        self.kept = kept;
    }

    /// Chooses the columns to be copied, and of those to be read only the ones that are `needed`.
    pub(in crate::data) fn keep(&mut self, kept: Vec<usize>, needed: impl Fn(&str) -> bool) {
        let wanted = std::mem::take(&mut self.wanted);
        self.select(wanted.into_iter().filter(|wanted| needed(&wanted.name)).collect(), kept);
    }

    /// Adds what a user should look at in how the columns were found.
    pub(in crate::data) fn warn(&mut self, warnings: Vec<Warning>) {
        self.matching.extend(warnings);
    }

    /// At most `rows` more rows: the wanted columns as a table, and the kept ones as text; `None` at the end.
    ///
    /// # Errors
    /// [`Error::Data`] with line and column for a wrong width or for text where the schema has numbers.
    pub fn next_rows(&mut self, rows: usize) -> Result<Option<(Table, Vec<Vec<String>>)>> {
        let mut builders: Vec<Builder> = self.wanted.iter().map(Builder::known).collect();
        let mut kept: Vec<Vec<String>> = self.kept.iter().map(|_| Vec::new()).collect();
        let mut lines = Vec::new();
        let path = self.rows.path().to_path_buf();
        while lines.len() < rows
            && let Some(row) = self.rows.next()?
        {
            lines.push(row.line);
            for (builder, wanted) in builders.iter_mut().zip(&self.wanted) {
                builder.push(row.cell(wanted.index), row.line, &self.markers);
            }
            for (column, &index) in kept.iter_mut().zip(&self.kept) {
                column.push(row.raw(index).trim_end_matches('\r').to_owned());
            }
        }
        self.refuse_swallowed_rows()?;
        if lines.is_empty() {
            return Ok(None);
        }
        self.unreadable.iter_mut().zip(&builders).for_each(|(count, builder)| *count += builder.unreadable());
        let names: Vec<String> = self.wanted.iter().map(|wanted| wanted.name.clone()).collect();
        let columns = builders.into_iter().zip(&names).map(|(b, name)| b.finish(&path, name)).collect::<Result<_>>()?;
        let kinds = self.wanted.iter().map(|wanted| wanted.kind.clone()).collect();
        Ok(Some((Table { path, names, named: self.layout.header, columns, kinds, lines }, kept)))
    }

    fn refuse_swallowed_rows(&mut self) -> Result<()> {
        let numeric: Vec<usize> =
            self.wanted.iter().filter(|w| w.kind != ColumnKind::Text).map(|wanted| wanted.index).collect();
        let mut long = Oddities::default();
        std::mem::swap(&mut long.long, &mut self.rows.oddities.long);
        if self.quotes_are_sure {
            return Ok(());
        }
        super::refuse_swallowed_rows(self.rows.path(), &long, self.layout.dialect.delimiter, &numeric)?;
        // The first one is kept, for a warning.
        self.rows.oddities.long = long.long.into_iter().take(1).collect();
        Ok(())
    }

    /// All rows that are left, as one table.
    ///
    /// # Errors
    /// As [`TableReader::next_rows`], and for a file without rows.
    pub fn read_all(&mut self) -> Result<Table> {
        let (table, _) = self
            .next_rows(usize::MAX)?
            .ok_or_else(|| Error::data(self.rows.path(), "expected rows of data, found a header only"))?;
        Ok(table)
    }

    /// What a user should look at in the rows that were read so far.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = self.layout.warnings.clone();
        warnings.extend(self.matching.iter().cloned());
        let unreadable = self.wanted.iter().zip(&self.unreadable).filter(|(_, count)| **count > 0);
        warnings.extend(unreadable.map(|(Wanted { name, .. }, &count)| {
            let message = format!("column \"{name}\": {} no number: no value", are(count, "cell"));
            Warning::new(WarningKind::UnreadableNumbers, message).column(name).count(count)
        }));
        warnings.extend(self.rows.conversion().warning(self.path()));
        let guessed_quotes = (!self.quotes_are_sure).then_some(self.layout.dialect.delimiter);
        warnings.extend(super::row_warnings(self.path(), &self.rows.oddities, guessed_quotes));
        warnings
    }
}
