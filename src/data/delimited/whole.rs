//! A whole file in memory, read on all threads; its columns can be read again as text.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use rayon::prelude::*;

use super::plain::read_plain;
use super::rows::Rows;
use super::runs::{BYTES_OF_A_COLUMN, RUN_BYTES, Run, cut};
use crate::data::builder::Builder;
use crate::data::layout::Layout;
use crate::data::oddities::Oddities;
use crate::data::options::ReadOptions;
use crate::data::raw_table::{RawTable, TextLayout, WrittenCells};
use crate::data::table::{Column, MissingMarkers};
use crate::data::text::Text;
use crate::{Result, Unit};

/// Runs for each thread that are read before they are joined: enough to keep all busy.
const RUNS_AT_ONCE: usize = 8;
/// Bytes of the runs that are read before they are joined, one run for each thread at least.
const BYTES_AT_ONCE: usize = 64 << 20;

/// Reads a text as a whole.
///
/// # Errors
/// [`crate::Error::Data`] with the line for a row of the wrong width, infinite numbers, no rows.
pub(in crate::data) fn read_whole(mut text: Text, options: &ReadOptions) -> Result<RawTable> {
    let layout = Layout::find(&mut text, options)?;
    let path = text.name().to_path_buf();
    let (bytes, conversion) = text.into_bytes()?;
    let run_bytes = RUN_BYTES.max(layout.outline.names.len() * BYTES_OF_A_COLUMN);
    let mut table = read_bytes(bytes, path, layout, &options.missing, run_bytes)?;
    table.notes = conversion.notes();
    table.warnings.extend(conversion.warning(&table.path));
    Ok(table)
}

/// Reads the rows of UTF-8 text in runs of `run_bytes` or more, on which neither the table nor any message depends.
pub(super) fn read_bytes(
    bytes: Vec<u8>,
    path: PathBuf,
    layout: Layout,
    markers: &MissingMarkers,
    run_bytes: usize,
) -> Result<RawTable> {
    let layout = Arc::new(layout);
    let mut above = Rows::new(&path, &layout, bytes.as_slice(), 1);
    let (start, first_line) = above.skip_above()?.unwrap_or((0, 1));
    let mut oddities = above.oddities;
    // Where blank lines are rows they must not be cut from the row above them.
    let run_bytes = if layout.outline.names.len() == 1 { usize::MAX } else { run_bytes };
    let file = WholeFile { path, layout, body: start..bytes.len(), bytes, first_line, run_bytes };
    let part = file.read_columns(markers)?;
    oddities.append(part.oddities);
    let outline = Arc::new(file.layout.outline.clone());
    let origins = part.columns.iter().map(Builder::origin).collect();
    let named = part.columns.into_iter().zip(&outline.names);
    Ok(RawTable {
        path: file.path.clone(),
        text: Some(TextLayout { dialect: file.layout.dialect, has_lines_above: file.layout.lines_above > 0, oddities }),
        origins,
        columns: named.map(|(b, name)| b.finish((&file.path, Unit::Line), name)).collect::<Result<_>>()?,
        lines: part.lines,
        notes: Vec::new(),
        warnings: outline.warnings.clone(),
        absent: Vec::new(),
        written: Box::new(file),
        outline,
    })
}

/// The text of a file.
struct WholeFile {
    path: PathBuf,
    /// What parts its cells, and the names of its columns.
    layout: Arc<Layout>,
    bytes: Vec<u8>,
    body: Range<usize>,
    first_line: u64,
    run_bytes: usize,
}

impl WrittenCells for WholeFile {
    fn texts(&self, columns: &[usize], markers: &MissingMarkers) -> Result<Vec<Column>> {
        let builders = columns.iter().map(|_| Builder::text()).collect();
        let part = self.read_runs(&self.runs(), columns, builders, markers)?;
        let named = part.columns.into_iter().zip(columns);
        let names = &self.layout.outline.names;
        named.map(|(builder, column)| builder.finish((&self.path, Unit::Line), &names[*column])).collect()
    }
}

impl WholeFile {
    fn read_columns(&self, markers: &MissingMarkers) -> Result<Part> {
        let runs = self.runs();
        let outline = &self.layout.outline;
        let rows = likely_rows(&runs, outline.names.len());
        let all: Vec<usize> = (0..outline.names.len()).collect();
        let mut part = self.read_runs(&runs, &all, all.iter().map(|_| Builder::guess(rows)).collect(), markers)?;
        if part.lines.is_empty() {
            return Err(RawTable::without_rows(&self.path, outline));
        }
        // A column of text in which some cells were taken for numbers is read again: all count as they are written.
        let again: Vec<usize> = all.into_iter().filter(|&c| matches!(part.columns[c], Builder::Again)).collect();
        if !again.is_empty() {
            let texts = self.read_runs(&runs, &again, again.iter().map(|_| Builder::text()).collect(), markers)?;
            again.iter().zip(texts.columns).for_each(|(&column, text)| part.columns[column] = text);
        }
        Ok(part)
    }

    fn runs(&self) -> Vec<Run<'_>> {
        cut(&self.bytes[self.body.clone()], self.first_line, &self.layout.dialect, self.run_bytes)
    }

    /// Reads the columns at the places `selected`.
    ///
    /// # Errors
    /// That of the first row at fault, whichever run finds one first.
    fn read_runs(
        &self,
        runs: &[Run<'_>],
        selected: &[usize],
        columns: Vec<Builder>,
        markers: &MissingMarkers,
    ) -> Result<Part> {
        let lines = Vec::with_capacity(likely_rows(runs, self.layout.outline.names.len()));
        let mut all = Part { lines, columns, oddities: Oddities::default() };
        for runs in runs.chunks(runs_at_once(runs)) {
            let read = |run| self.read_run(run, selected, &all, markers);
            let parts: Vec<Result<Part>> = runs.par_iter().map(read).collect();
            all.append(parts.into_iter().collect::<Result<_>>()?);
        }
        Ok(all)
    }

    fn read_run(&self, run: &Run, selected: &[usize], earlier: &Part, markers: &MissingMarkers) -> Result<Part> {
        let empty = || -> Vec<Builder> { earlier.columns.iter().map(Builder::for_later).collect() };
        let mut columns = empty();
        if let Some(lines) = read_plain(run, &self.layout, selected, &mut columns, markers) {
            return Ok(Part { lines, columns, oddities: Oddities::default() });
        }
        columns = empty();
        let mut lines = Vec::with_capacity(run.newlines + 1);
        let mut rows = Rows::new(&self.path, &self.layout, run.bytes, run.line);
        // Bytes below a header begin with the newline that ends it.
        rows.begin_below(if self.body.start > 0 { run.line } else { run.line - 1 });
        while let Some(row) = rows.next()? {
            lines.push(row.line);
            for (builder, &column) in columns.iter_mut().zip(selected) {
                builder.push(row.cell(column), row.line, markers);
            }
        }
        Ok(Part { lines, columns, oddities: rows.oddities })
    }
}
/// Rows to make room for: as many as there are newlines, as long as the numbers take no more room than their text.
fn likely_rows(runs: &[Run<'_>], width: usize) -> usize {
    let (newlines, bytes) = runs.iter().fold((0, 0), |sum, r| (sum.0 + r.newlines, sum.1 + r.bytes.len()));
    newlines.min(bytes / (width * size_of::<f64>())) + 1
}

/// Runs that are read before they are joined.
fn runs_at_once(runs: &[Run<'_>]) -> usize {
    let longest = runs.iter().map(|run| run.bytes.len()).max().unwrap_or(1);
    let threads = rayon::current_num_threads();
    (BYTES_AT_ONCE / longest.max(1)).clamp(threads, RUNS_AT_ONCE * threads)
}

/// Rows that follow each other, column by column.
struct Part {
    /// Line on which each row begins.
    lines: Vec<u32>,
    columns: Vec<Builder>,
    oddities: Oddities,
}

impl Part {
    /// Adds the rows of `parts`, which follow in order.
    fn append(&mut self, parts: Vec<Self>) {
        let mut more: Vec<Vec<Builder>> = self.columns.iter().map(|_| Vec::with_capacity(parts.len())).collect();
        for part in parts {
            self.lines.extend(part.lines);
            self.oddities.append(part.oddities);
            more.iter_mut().zip(part.columns).for_each(|(runs, run)| runs.push(run));
        }
        let append = |(column, runs): (&mut Builder, Vec<Builder>)| runs.into_iter().for_each(|run| column.append(run));
        self.columns.par_iter_mut().zip(more).for_each(append);
    }
}
