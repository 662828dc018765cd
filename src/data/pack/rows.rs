//! Reads the rows of a pack in order, with columns in parallel.

use std::path::Path;

use rayon::prelude::*;

use super::file::PackFile;
use crate::Result;
use crate::data::outline::Outline;
use crate::data::table_source::{PendingRows, TableFile, TableSource};

/// Number of rows that are read at a time.
const AT_A_TIME: usize = 1 << 16;

/// The rows of a pack.
pub(super) struct PackRows {
    file: PackFile,
    next: usize,
    /// Number of rows whose pages were released.
    forgotten: usize,
}

impl PackRows {
    pub(super) fn new(file: PackFile) -> Self {
        Self { file, next: 0, forgotten: 0 }
    }

    fn read_block(&self, rows: usize, batch: &mut PendingRows<'_>) -> Result<()> {
        let (file, span) = (&self.file, (self.next, rows));
        let markers = batch.markers;
        batch.columns.par_iter_mut().try_for_each(|(place, builder)| {
            file.each(*place, span, |row, value| builder.push_value(value, number(row), markers))
        })?;
        for (place, kept) in &mut batch.kept {
            file.each(*place, span, |_, value| kept.push(value.text().into_owned()))?;
        }
        batch.lines.extend((self.next..self.next + rows).map(number));
        Ok(())
    }

    /// Releases the pages of rows that were read, many at a time, so the process keeps few of them in memory.
    fn forget(&mut self) {
        if self.next - self.forgotten >= AT_A_TIME {
            self.file.forget(self.forgotten..self.next);
            self.forgotten = self.next;
        }
    }
}

impl TableFile for PackFile {
    fn open(&self) -> Result<Box<dyn TableSource>> {
        Ok(Box::new(PackRows::new(self.clone())))
    }

    fn likely_rows(&self) -> usize {
        self.rows
    }
}

impl TableSource for PackRows {
    fn path(&self) -> &Path {
        &self.file.path
    }

    fn outline(&self) -> &Outline {
        &self.file.outline
    }

    fn read(&mut self, most: usize, batch: &mut PendingRows<'_>) -> Result<()> {
        while batch.lines.len() < most && self.next < self.file.rows {
            let rows = AT_A_TIME.min(most - batch.lines.len()).min(self.file.rows - self.next);
            self.read_block(rows, batch)?;
            self.next += rows;
            self.forget();
        }
        Ok(())
    }
}

/// The number of a row in messages, from 1.
fn number(row: usize) -> u32 {
    u32::try_from(row + 1).unwrap_or(u32::MAX)
}
