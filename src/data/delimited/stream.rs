//! Reads the rows of delimited text, some at a time.

use std::path::Path;
use std::sync::Arc;

use super::rows::Rows;
use crate::data::layout::FileLayout;
use crate::data::oddities::{Oddities, refuse_swallowed_rows, row_warnings};
use crate::data::options::ReadOptions;
use crate::data::outline::Outline;
use crate::data::raw_table::TextLayout;
use crate::data::table_source::{PendingRows, TableSource};
use crate::data::text::{Text, TextReader};
use crate::{Result, Warning};

/// The rows of a text with a known layout, read in bounded memory.
pub(in crate::data) struct DelimitedRows {
    layout: Arc<FileLayout>,
    /// Whether the user specified the quotes.
    quotes_are_sure: bool,
    rows: Rows<TextReader>,
}

impl DelimitedRows {
    /// Skips to the first row.
    pub(in crate::data) fn new(text: Text, layout: FileLayout, options: &ReadOptions) -> Result<Self> {
        let (path, layout) = (text.name().to_path_buf(), Arc::new(layout));
        let mut rows = Rows::new(&path, &layout, text.into_reader(), layout.first_line);
        rows.skip_above()?;
        Ok(Self { layout, quotes_are_sure: options.quote.is_some(), rows })
    }
}

/// Refuses rows of a batch that a stray quote has merged. `delimiter` is `None` if the user specified the quotes;
/// nothing is refused then.
pub(super) fn refuse_swallowed(
    path: &Path,
    delimiter: Option<u8>,
    oddities: &mut Oddities,
    batch: &PendingRows<'_>,
) -> Result<()> {
    let long = Oddities { long: std::mem::take(&mut oddities.long), ..Oddities::default() };
    let Some(delimiter) = delimiter else { return Ok(()) };
    let numbers = batch.columns.iter().filter(|(_, builder)| !builder.is_text());
    let numeric: Vec<usize> = numbers.map(|(place, _)| *place).collect();
    refuse_swallowed_rows(path, &long, delimiter, &numeric)?;
    // One such row is kept for a warning.
    oddities.long = long.long.into_iter().take(1).collect();
    Ok(())
}

impl TableSource for DelimitedRows {
    fn path(&self) -> &Path {
        self.rows.path()
    }

    fn outline(&self) -> &Outline {
        &self.layout.outline
    }

    fn read(&mut self, most: usize, batch: &mut PendingRows<'_>) -> Result<()> {
        while batch.lines.len() < most
            && let Some(row) = self.rows.next()?
        {
            batch.lines.push(row.line);
            for (place, builder) in &mut batch.columns {
                builder.push(row.cell(*place), row.line, batch.markers);
            }
            for (place, kept) in &mut batch.kept {
                kept.push(row.raw(*place).trim_end_matches('\r').to_owned());
            }
        }
        let delimiter = (!self.quotes_are_sure).then_some(self.layout.dialect.delimiter);
        let path = self.rows.path().to_path_buf();
        refuse_swallowed(&path, delimiter, &mut self.rows.oddities, batch)
    }

    fn layout(&self) -> Option<TextLayout> {
        // Rows that a stray quote may have merged were already checked.
        let oddities = Oddities { long: Vec::new(), ..self.rows.oddities.clone() };
        Some(TextLayout { dialect: self.layout.dialect, has_lines_above: self.layout.lines_above > 0, oddities })
    }

    fn notes(&self) -> Vec<String> {
        self.rows.conversion().notes()
    }

    fn warnings(&self) -> Vec<Warning> {
        let conversion = self.rows.conversion().warning(self.path());
        let guessed_quotes = (!self.quotes_are_sure).then_some(self.layout.dialect.delimiter);
        conversion.into_iter().chain(row_warnings(self.path(), &self.rows.oddities, guessed_quotes)).collect()
    }
}
