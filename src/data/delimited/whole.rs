//! Reads a whole file on all threads. Columns can be read again as text.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::plain::read_plain;
use super::rows::Rows;
use super::sections::{BYTES_OF_A_COLUMN, SECTION_BYTES, Section};
use super::windows::{Bytes, CutOptions, Encoded, TextFile, WINDOW, changed};
use crate::data::builder::Builder;
use crate::data::layout::FileLayout;
use crate::data::oddities::Oddities;
use crate::data::options::ReadOptions;
use crate::data::raw_table::{RawTable, TextLayout, WrittenCells};
use crate::data::table::{Column, MissingMarkers};
use crate::data::text::Text;
use crate::{Result, Unit};

/// Upper limit of the sections for each thread that are read before they are joined.
const RUNS_AT_ONCE: usize = 8;
/// Approximate number of bytes that are read before sections are joined; at least one section for each thread.
const BYTES_AT_ONCE: usize = 64 << 20;

/// Files of at least this many bytes are not kept in memory with their table. If a column must be read again, the file
/// is read again.
const LARGE: u64 = 64 << 20;

/// Reads a whole text.
///
/// # Errors
/// [`crate::Error::Data`], with the line if it is known, for a row of the wrong width, infinite numbers, or no rows.
pub(in crate::data) fn read_whole(mut text: Text, options: &ReadOptions) -> Result<RawTable> {
    let layout = FileLayout::find(&mut text, options)?;
    let section_bytes = SECTION_BYTES.max(layout.outline.names.len() * BYTES_OF_A_COLUMN);
    let path = text.name().to_path_buf();
    if let Some((file, start)) = text.plain_file()
        && std::fs::metadata(file).is_ok_and(|metadata| metadata.len() >= LARGE)
        && layout.outline.names.len() > 1
    {
        let file = TextFile::new(file.to_path_buf(), start, WINDOW)?;
        if let Some(table) = read_file(file, path.clone(), layout.clone(), &options.missing, section_bytes)? {
            return Ok(table);
        }
    }
    let (bytes, conversion) = text.into_bytes()?;
    let mut table = read_bytes(bytes, path, layout, &options.missing, section_bytes)?;
    table.notes = conversion.notes();
    table.warnings.extend(conversion.warning(&table.path));
    Ok(table)
}

/// Reads the rows of UTF-8 text in sections of at least `section_bytes`. Neither the table nor any message depends on
/// `section_bytes`.
pub(super) fn read_bytes(
    bytes: Vec<u8>,
    path: PathBuf,
    layout: FileLayout,
    markers: &MissingMarkers,
    section_bytes: usize,
) -> Result<RawTable> {
    let layout = Arc::new(layout);
    let above = Above::of(&bytes, &path, &layout)?;
    // If blank lines are rows, they must not be separated from the row above them.
    let section_bytes = if layout.outline.names.len() == 1 { usize::MAX } else { section_bytes };
    let body = above.bytes..bytes.len();
    let file = WholeFile { path, layout, bytes: Bytes::Memory(bytes, body), above, section_bytes };
    let table = file.into_table(markers)?;
    Ok(table.expect("text in memory is UTF-8"))
}

/// As [`read_bytes`], for a file with several columns; `None` if it is not UTF-8.
pub(super) fn read_file(
    file: TextFile,
    path: PathBuf,
    layout: FileLayout,
    markers: &MissingMarkers,
    section_bytes: usize,
) -> Result<Option<RawTable>> {
    let layout = Arc::new(layout);
    let first = file.first()?;
    // What stands above the rows may be longer than the first window. It is then read as a whole.
    let Some(above) = Above::of(&first, &path, &layout).ok().filter(|above| above.bytes + 1 < first.len()) else {
        return Ok(None);
    };
    let bytes = Bytes::File(file.after(above.bytes));
    WholeFile { path, layout, bytes, above, section_bytes }.into_table(markers)
}

/// The part of a file above its rows.
struct Above {
    bytes: usize,
    /// Line on which the rows start.
    first_line: u64,
    oddities: Oddities,
}

impl Above {
    fn of(bytes: &[u8], path: &Path, layout: &Arc<FileLayout>) -> Result<Self> {
        let mut rows = Rows::new(path, layout, bytes, layout.first_line);
        let (bytes, first_line) = rows.skip_above()?.unwrap_or((0, layout.first_line));
        Ok(Self { bytes, first_line, oddities: rows.oddities })
    }
}

/// A text that can be read several times.
struct WholeFile {
    path: PathBuf,
    /// Its dialect, and the names of its columns.
    layout: Arc<FileLayout>,
    bytes: Bytes,
    above: Above,
    section_bytes: usize,
}

impl WrittenCells for WholeFile {
    fn texts(&self, columns: &[usize], markers: &MissingMarkers) -> Result<Vec<Column>> {
        let builders = columns.iter().map(|_| Builder::text()).collect();
        let part =
            self.read_runs(columns, ParsedColumns::new(builders), markers)?.ok_or_else(|| changed(&self.path))?;
        let named = part.columns.into_iter().zip(columns);
        let names = &self.layout.outline.names;
        named.map(|(builder, column)| builder.finish((&self.path, Unit::Line), &names[*column])).collect()
    }
}

impl WholeFile {
    /// The table; `None` if a file is not UTF-8.
    fn into_table(mut self, markers: &MissingMarkers) -> Result<Option<RawTable>> {
        let Some(part) = self.read_columns(markers)? else { return Ok(None) };
        let mut oddities = std::mem::take(&mut self.above.oddities);
        oddities.append(part.oddities);
        let outline = Arc::new(self.layout.outline.clone());
        let origins = part.columns.iter().map(Builder::origin).collect();
        let named = part.columns.into_iter().zip(&outline.names);
        let has_lines_above = self.layout.lines_above > 0;
        Ok(Some(RawTable {
            path: self.path.clone(),
            text: Some(TextLayout { dialect: self.layout.dialect, has_lines_above, oddities }),
            origins,
            columns: named.map(|(b, name)| b.finish((&self.path, Unit::Line), name)).collect::<Result<_>>()?,
            lines: part.lines,
            notes: Vec::new(),
            warnings: outline.warnings.clone(),
            absent: Vec::new(),
            written: Box::new(self),
            outline,
        }))
    }

    fn read_columns(&self, markers: &MissingMarkers) -> Result<Option<ParsedColumns>> {
        let width = self.layout.outline.names.len();
        let rows = self.bytes.likely_rows(width)?;
        let all: Vec<usize> = (0..width).collect();
        let room = ParsedColumns {
            lines: Vec::with_capacity(rows),
            ..ParsedColumns::new(vec_of(width, || Builder::guess(rows)))
        };
        let Some(mut part) = self.read_runs(&all, room, markers)? else { return Ok(None) };
        if part.lines.is_empty() {
            return Err(RawTable::without_rows(&self.path, &self.layout.outline));
        }
        // Cells of a text column that look like numbers were parsed as such. Read such columns again, so that all cells
        // keep their spelling.
        let again: Vec<usize> = all.into_iter().filter(|&c| matches!(part.columns[c], Builder::Again)).collect();
        if !again.is_empty() {
            let texts = self.read_runs(&again, ParsedColumns::new(vec_of(again.len(), Builder::text)), markers)?;
            let texts = texts.ok_or_else(|| changed(&self.path))?;
            again.iter().zip(texts.columns).for_each(|(&column, text)| part.columns[column] = text);
        }
        Ok(Some(part))
    }

    /// Appends the columns at the places `selected` to `all`; `None` if a file is not UTF-8.
    ///
    /// # Errors
    /// The error of the first faulty row in the file, regardless of the order in which threads find errors.
    fn read_runs(
        &self,
        selected: &[usize],
        mut all: ParsedColumns,
        markers: &MissingMarkers,
    ) -> Result<Option<ParsedColumns>> {
        let Self { layout, section_bytes, above, .. } = self;
        let by = CutOptions { first_line: above.first_line, dialect: &layout.dialect, section_bytes: *section_bytes };
        let encoded = self.bytes.each_window(by, |sections| {
            for sections in sections.chunks(sections_at_once(sections)) {
                let read = |section| self.read_section(section, selected, &all, markers);
                let parts: Vec<Result<ParsedColumns>> = sections.par_iter().map(read).collect();
                all.append(parts.into_iter().collect::<Result<_>>()?);
            }
            Ok(())
        })?;
        Ok((encoded == Encoded::Utf8).then_some(all))
    }

    fn read_section(
        &self,
        section: &Section,
        selected: &[usize],
        earlier: &ParsedColumns,
        markers: &MissingMarkers,
    ) -> Result<ParsedColumns> {
        let empty = || -> Vec<Builder> { earlier.columns.iter().map(Builder::for_later).collect() };
        let mut columns = empty();
        if let Some(lines) = read_plain(section, &self.layout, selected, &mut columns, markers) {
            return Ok(ParsedColumns { lines, columns, oddities: Oddities::default() });
        }
        columns = empty();
        let mut lines = Vec::with_capacity(section.newlines + 1);
        let mut rows = Rows::new(&self.path, &self.layout, section.bytes, section.line);
        // Below a header, the bytes start with the newline that ends the header.
        rows.begin_below(if self.above.bytes > 0 { section.line } else { section.line - 1 });
        while let Some(row) = rows.next()? {
            lines.push(row.line);
            for (builder, &column) in columns.iter_mut().zip(selected) {
                builder.push(row.cell(column), row.line, markers);
            }
        }
        Ok(ParsedColumns { lines, columns, oddities: rows.oddities })
    }
}

/// Creates `count` values.
fn vec_of<T>(count: usize, value: impl Fn() -> T) -> Vec<T> {
    (0..count).map(|_| value()).collect()
}

/// Number of sections that are read before they are joined.
fn sections_at_once(sections: &[Section<'_>]) -> usize {
    let longest = sections.iter().map(|section| section.bytes.len()).max().unwrap_or(1);
    let threads = rayon::current_num_threads();
    (BYTES_AT_ONCE / longest.max(1)).clamp(threads, RUNS_AT_ONCE * threads)
}

/// Columns of successive rows.
struct ParsedColumns {
    /// Line on which each row starts.
    lines: Vec<u32>,
    columns: Vec<Builder>,
    oddities: Oddities,
}

impl ParsedColumns {
    fn new(columns: Vec<Builder>) -> Self {
        Self { lines: Vec::new(), columns, oddities: Oddities::default() }
    }

    /// Appends the rows of `parts`, in order.
    fn append(&mut self, parts: Vec<Self>) {
        let mut more: Vec<Vec<Builder>> = self.columns.iter().map(|_| Vec::with_capacity(parts.len())).collect();
        for part in parts {
            self.lines.extend(part.lines);
            self.oddities.append(part.oddities);
            more.iter_mut().zip(part.columns).for_each(|(sections, section)| sections.push(section));
        }
        let append = |(column, sections): (&mut Builder, Vec<Builder>)| {
            sections.into_iter().for_each(|section| column.append(section))
        };
        self.columns.par_iter_mut().zip(more).for_each(append);
    }
}
