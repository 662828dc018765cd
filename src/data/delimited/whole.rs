//! A whole file to a table, on all threads.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::builder::{Builder, Missing};
use super::rows::Rows;
use super::runs::{Run, cut};
use crate::data::layout::Layout;
use crate::data::table::{MissingMarkers, Table};
use crate::{Error, Result};

/// Runs for each thread that are read before they are joined: enough to keep all busy.
const RUNS_AT_ONCE: usize = 8;
/// Bytes of the runs that are read before they are joined, one run for each thread at least.
const BYTES_AT_ONCE: usize = 64 << 20;

/// Reads the rows of `bytes` in runs of `run_bytes` or more, on which neither the table nor any message depends.
pub fn read(bytes: &[u8], path: PathBuf, layout: Layout, markers: &MissingMarkers, run_bytes: usize) -> Result<Table> {
    let (body, line) = below_header(bytes, &path, &layout)?;
    let runs = cut(body, line, layout.delimiter, run_bytes);
    let file = File { path: &path, layout: &layout, missing: Missing::new(markers), runs };

    let (all, rows): (Vec<usize>, usize) = ((0..layout.names.len()).collect(), file.likely_rows());
    let mut part = file.read(&all, all.iter().map(|_| Builder::guess(rows)).collect())?;
    if part.lines.is_empty() {
        let hint = if layout.header { ", found a header only" } else { "" };
        return Err(Error::data(&path, format!("expected rows of data{hint}")));
    }
    // A column of text in which some cells were taken for numbers is read again: all count as they are written.
    let again: Vec<usize> = all.into_iter().filter(|&c| matches!(part.columns[c], Builder::Again)).collect();
    if !again.is_empty() {
        let texts = file.read(&again, again.iter().map(|_| Builder::text()).collect())?;
        again.iter().zip(texts.columns).for_each(|(&column, text)| part.columns[column] = text);
    }
    let columns = part.columns.into_iter().zip(&layout.names).map(|(builder, name)| builder.finish(&path, name));
    let (columns, lines) = (columns.collect::<Result<_>>()?, part.lines);
    Ok(Table { columns, names: layout.names, named: layout.header, lines, path })
}

/// The bytes from the end of the header's line on, and the number of that line.
fn below_header<'a>(bytes: &'a [u8], path: &Path, layout: &Layout) -> Result<(&'a [u8], u64)> {
    if !layout.header {
        return Ok((bytes, 1));
    }
    let (end, line) = Rows::new(path, layout, bytes, 1).skip_header()?;
    Ok((&bytes[end..], line))
}

/// A file in memory.
struct File<'a> {
    path: &'a Path,
    layout: &'a Layout,
    missing: Missing<'a>,
    runs: Vec<Run<'a>>,
}

impl File<'_> {
    /// Rows to make room for: as many as there are newlines, as long as the numbers take no more room than their text.
    fn likely_rows(&self) -> usize {
        let (newlines, bytes) = self.runs.iter().fold((0, 0), |sum, r| (sum.0 + r.newlines, sum.1 + r.bytes.len()));
        newlines.min(bytes / (self.layout.names.len() * size_of::<f64>())) + 1
    }

    /// Runs that are read before they are joined.
    fn runs_at_once(&self) -> usize {
        let longest = self.runs.iter().map(|run| run.bytes.len()).max().unwrap_or(1);
        let threads = rayon::current_num_threads();
        (BYTES_AT_ONCE / longest.max(1)).clamp(threads, RUNS_AT_ONCE * threads)
    }

    /// Reads the columns at the places `selected`.
    ///
    /// # Errors
    /// That of the first row at fault, whichever run finds one first.
    fn read(&self, selected: &[usize], columns: Vec<Builder>) -> Result<Part> {
        let mut all = Part { lines: Vec::with_capacity(self.likely_rows()), columns };
        for runs in self.runs.chunks(self.runs_at_once()) {
            let parts: Vec<Result<Part>> = runs.par_iter().map(|run| self.read_run(run, selected, &all)).collect();
            all.append(parts.into_iter().collect::<Result<_>>()?);
        }
        Ok(all)
    }

    fn read_run(&self, run: &Run, selected: &[usize], earlier: &Part) -> Result<Part> {
        let columns = earlier.columns.iter().map(Builder::for_later).collect();
        let mut part = Part { lines: Vec::with_capacity(run.newlines + 1), columns };
        let mut rows = Rows::new(self.path, self.layout, run.bytes, run.line);
        while let Some(row) = rows.next()? {
            part.lines.push(row.line);
            for (builder, &column) in part.columns.iter_mut().zip(selected) {
                builder.push(row.cell(column)?, row.line, self.missing);
            }
        }
        Ok(part)
    }
}

/// Rows that follow each other, column by column.
struct Part {
    /// Line on which each row begins.
    lines: Vec<u32>,
    columns: Vec<Builder>,
}

impl Part {
    /// Adds the rows of `parts`, which follow in order.
    fn append(&mut self, parts: Vec<Self>) {
        let mut more: Vec<Vec<Builder>> = self.columns.iter().map(|_| Vec::with_capacity(parts.len())).collect();
        for part in parts {
            self.lines.extend(part.lines);
            more.iter_mut().zip(part.columns).for_each(|(runs, run)| runs.push(run));
        }
        let append = |(column, runs): (&mut Builder, Vec<Builder>)| runs.into_iter().for_each(|run| column.append(run));
        self.columns.par_iter_mut().zip(more).for_each(append);
    }
}
