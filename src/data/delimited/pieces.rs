//! Reads the rows of delimited text in pieces of some megabytes, each on all threads.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::plain::read_plain;
use super::rows::Rows;
use super::sections::{BYTES_OF_A_COLUMN, SECTION_BYTES, Section, cut};
use super::stream::refuse_swallowed;
use crate::data::builder::Builder;
use crate::data::layout::FileLayout;
use crate::data::oddities::{Oddities, row_warnings};
use crate::data::options::ReadOptions;
use crate::data::outline::Outline;
use crate::data::raw_table::TextLayout;
use crate::data::source::read_error;
use crate::data::table::MissingMarkers;
use crate::data::table_source::{PendingRows, TableSource};
use crate::data::text::{Text, TextReader};
use crate::{Result, Warning};

/// Bytes that are read at a time; more if a single row is longer.
const PIECE: usize = 32 << 20;

/// The rows of a text with several columns and a known layout.
pub(in crate::data) struct DelimitedPieces {
    path: PathBuf,
    layout: Arc<FileLayout>,
    /// Whether the user specified the quotes.
    quotes_are_sure: bool,
    text: TextReader,
    /// Bytes that were read but not parsed, the line on which they start, and the number of bytes to read ahead.
    unread: Vec<u8>,
    line: u64,
    piece: usize,
    /// Whether the text has ended.
    ended: bool,
    oddities: Oddities,
}

/// The parsed records of a section.
struct ParsedRecords {
    columns: Vec<Builder>,
    kept: Vec<Vec<String>>,
    lines: Vec<u32>,
    oddities: Oddities,
}

impl DelimitedPieces {
    /// Skips to the first row. Blank lines of a text with one column are rows; such text needs
    /// [`super::DelimitedRows`].
    pub(in crate::data) fn new(text: Text, layout: FileLayout, options: &ReadOptions) -> Result<Self> {
        let mut pieces = Self {
            path: text.name().to_path_buf(),
            line: layout.first_line,
            layout: Arc::new(layout),
            quotes_are_sure: options.quote.is_some(),
            text: text.into_reader(),
            unread: Vec::new(),
            piece: PIECE,
            ended: false,
            oddities: Oddities::default(),
        };
        pieces.fill()?;
        let mut above = Rows::new(&pieces.path, &pieces.layout, pieces.unread.as_slice(), pieces.line);
        let (start, line) = above.skip_above()?.unwrap_or((0, pieces.line));
        pieces.oddities = above.oddities;
        pieces.unread.drain(..start);
        pieces.line = line;
        Ok(pieces)
    }

    /// Reads until there are `piece` bytes, or to the end.
    fn fill(&mut self) -> Result<()> {
        if self.unread.len() < self.piece && !self.ended {
            let more = self.piece - self.unread.len();
            self.unread.reserve_exact(more);
            let read = self.text.by_ref().take(more as u64).read_to_end(&mut self.unread);
            self.ended = read.map_err(|e| read_error(&self.path, e))? < more;
        }
        Ok(())
    }

    /// Adds the rows of the next piece; false at the end.
    fn read_piece(&mut self, batch: &mut PendingRows<'_>) -> Result<bool> {
        self.fill()?;
        if self.unread.is_empty() {
            return Ok(false);
        }
        let size = SECTION_BYTES.max(self.layout.outline.names.len() * BYTES_OF_A_COLUMN);
        let sections = cut(&self.unread, self.line, &self.layout.dialect, size);
        // If the text continues, the last section may end within a record.
        let whole = if self.ended { sections.len() } else { sections.len() - 1 };
        if whole == 0 {
            self.piece *= 2;
            return Ok(true);
        }
        let (path, layout) = (&self.path, &self.layout);
        let parts: Vec<Result<ParsedRecords>> =
            sections[..whole].par_iter().map(|section| read_section((path, layout), section, batch)).collect();
        let used = sections[..whole].iter().map(|section| section.bytes.len()).sum::<usize>();
        let line = sections.get(whole).map_or(self.line, |section| section.line);
        for part in parts {
            let ParsedRecords { columns, kept, lines, oddities } = part?;
            batch.columns.iter_mut().zip(columns).for_each(|((_, builder), more)| builder.append(more));
            batch.kept.iter_mut().zip(kept).for_each(|((_, cells), more)| cells.extend(more));
            batch.lines.extend(lines);
            self.oddities.append(oddities);
        }
        self.unread.drain(..used);
        self.line = line;
        Ok(true)
    }
}

impl TableSource for DelimitedPieces {
    fn path(&self) -> &Path {
        &self.path
    }

    fn outline(&self) -> &Outline {
        &self.layout.outline
    }

    fn read(&mut self, most: usize, batch: &mut PendingRows<'_>) -> Result<()> {
        while batch.lines.len() < most && self.read_piece(batch)? {}
        let delimiter = (!self.quotes_are_sure).then_some(self.layout.dialect.delimiter);
        refuse_swallowed(&self.path, delimiter, &mut self.oddities, batch)
    }

    fn layout(&self) -> Option<TextLayout> {
        // Rows that a stray quote may have merged were already checked.
        let oddities = Oddities { long: Vec::new(), ..self.oddities.clone() };
        Some(TextLayout { dialect: self.layout.dialect, has_lines_above: self.layout.lines_above > 0, oddities })
    }

    fn notes(&self) -> Vec<String> {
        self.text.conversion().notes()
    }

    fn warnings(&self) -> Vec<Warning> {
        let conversion = self.text.conversion().warning(&self.path);
        let guessed_quotes = (!self.quotes_are_sure).then_some(self.layout.dialect.delimiter);
        conversion.into_iter().chain(row_warnings(&self.path, &self.oddities, guessed_quotes)).collect()
    }
}

fn read_section(
    (path, layout): (&Path, &Arc<FileLayout>),
    section: &Section<'_>,
    batch: &PendingRows<'_>,
) -> Result<ParsedRecords> {
    let markers: &MissingMarkers = batch.markers;
    let mut part = ParsedRecords {
        columns: batch.columns.iter().map(|(_, builder)| builder.for_later()).collect(),
        kept: batch.kept.iter().map(|_| Vec::new()).collect(),
        lines: Vec::new(),
        oddities: Oddities::default(),
    };
    let places: Vec<usize> = batch.columns.iter().map(|(place, _)| *place).collect();
    let plain =
        if batch.kept.is_empty() { read_plain(section, layout, &places, &mut part.columns, markers) } else { None };
    if let Some(lines) = plain {
        return Ok(ParsedRecords { lines, ..part });
    }
    part.columns = batch.columns.iter().map(|(_, builder)| builder.for_later()).collect();
    part.lines.reserve(section.newlines + 1);
    let mut rows = Rows::new(path, layout, section.bytes, section.line);
    while let Some(row) = rows.next()? {
        part.lines.push(row.line);
        for (builder, (place, _)) in part.columns.iter_mut().zip(&batch.columns) {
            builder.push(row.cell(*place), row.line, markers);
        }
        for (cells, (place, _)) in part.kept.iter_mut().zip(&batch.kept) {
            cells.push(row.raw(*place).trim_end_matches('\r').to_owned());
        }
    }
    part.oddities = rows.oddities;
    Ok(part)
}
