//! Rows of a pack that are prepared when they are needed, so a data set may be larger than memory.

use std::fmt;
use std::sync::Arc;

use rayon::prelude::*;

use super::feature::{ColumnPlan, Feature};
use super::order::shuffle;
use super::pack::PackColumns;
use super::table::{Column, Table};
use crate::rng::{Purpose, stream};
use crate::{Error, Result};

/// Approximate number of bytes of the inputs of one block.
const BLOCK_BYTES: usize = 1 << 20;
/// Lower and upper limit of the rows of a block.
const FEWEST_ROWS: usize = 64;
const MOST_ROWS: usize = 1 << 14;
/// Number of blocks whose rows are shuffled together and held in memory together.
const TOGETHER: usize = 64;
/// Number of rows that one thread prepares at a time.
const PIECE: usize = 256;
/// Number of rows after which their memory-mapped pages are released.
const FORGOTTEN: usize = 32 * PIECE;

/// Some rows of a table whose number columns stay in a pack.
#[derive(Clone)]
pub struct Blocks {
    table: Arc<BlockTable>,
    /// Rows of the file, in ascending order.
    rows: Arc<[u32]>,
    /// Number of rows of a block.
    block: usize,
}

/// The number of rows of a block, given the inputs of a row: a power of two, so few blocks share a page of the disk.
fn rows_of_block(inputs: usize) -> usize {
    let rows = (BLOCK_BYTES / (size_of::<f32>() * inputs.max(1))).clamp(FEWEST_ROWS, MOST_ROWS);
    1 << rows.ilog2()
}

/// A table that is prepared in pieces.
struct BlockTable {
    features: Vec<Feature>,
    inputs: usize,
    /// First input and cells of each feature.
    places: Vec<(usize, CellPlace)>,
    pack: PackColumns,
}

/// Location of the cells of a feature.
enum CellPlace {
    Memory(Column),
    /// Column number in the pack.
    Pack(usize),
}

impl fmt::Debug for Blocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocks").field("rows", &self.rows.len()).field("inputs", &self.table.inputs).finish()
    }
}

impl PartialEq for Blocks {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.table, &other.table) && self.rows == other.rows
    }
}

impl Blocks {
    /// Combines fitted features with a table. `pack` tells which columns of the table are in the pack.
    ///
    /// # Errors
    /// [`Error::Data`] for a number in `rows` that is not finite in single precision after scaling.
    ///
    /// # Panics
    /// If a feature has no column in the table. They were fitted to this table, so that is a bug.
    pub(super) fn new(features: &[Feature], table: &Table, pack: PackColumns, rows: &[u32]) -> Result<Self> {
        let (mut at, mut places) = (0, Vec::with_capacity(features.len()));
        for feature in features {
            let place = table.names.iter().position(|name| *name == feature.column).expect("a fitted column is there");
            let cells = match pack.has(place) {
                true => CellPlace::Pack(place),
                false => CellPlace::Memory(table.columns[place].clone()),
            };
            places.push((at, cells));
            at += feature.width();
        }
        let table = BlockTable { features: features.to_vec(), inputs: at, places, pack };
        let all = Self { table: Arc::new(table), rows: rows.into(), block: rows_of_block(at) };
        all.check()?;
        Ok(all)
    }

    /// Other rows of the same table.
    pub(super) fn of_rows(&self, rows: &[u32]) -> Self {
        Self { table: Arc::clone(&self.table), rows: rows.into(), block: self.block }
    }

    /// The same rows in blocks of another size, for tests.
    #[cfg(test)]
    pub(crate) fn in_blocks_of(self, block: usize) -> Self {
        Self { block, ..self }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Number of the network's inputs.
    pub fn cols(&self) -> usize {
        self.table.inputs
    }

    /// Number of rows that are held in memory together.
    pub fn window(&self) -> usize {
        TOGETHER * self.block
    }

    /// Writes the order of an epoch to `out`. Blocks are shuffled; then the rows within each group of 64 successive
    /// blocks are shuffled. The order depends on the seed, the epoch and the numbers of rows and inputs.
    pub(super) fn order(&self, seed: u64, epoch: u64, out: &mut Vec<u32>) {
        let (rows, block) = (self.rows(), self.block);
        let mut blocks: Vec<u32> = (0..rows.div_ceil(block) as u32).collect();
        shuffle(&mut blocks, &mut stream(seed, Purpose::Blocks, epoch, 0));
        out.clear();
        for (number, blocks) in blocks.chunks(TOGETHER).enumerate() {
            let from = out.len();
            for first in blocks.iter().map(|number| *number as usize * block) {
                out.extend(first as u32..(first + block).min(rows) as u32);
            }
            shuffle(&mut out[from..], &mut stream(seed, Purpose::Blocks, epoch, 1 + number as u64));
        }
    }

    /// The inputs of some of these rows, row-major. `places` are positions in `rows`; ascending ones are read fastest.
    pub fn gather(&self, places: &[u32]) -> Vec<f32> {
        let (table, cols) = (&*self.table, self.cols());
        let rows: Vec<u32> = places.iter().map(|place| self.rows[*place as usize]).collect();
        table.pack.read_ahead(&rows);
        let features = table.places.iter().zip(&table.features);
        let plans: Vec<(usize, FeatureCells<'_>)> =
            features.map(|((at, cells), feature)| (*at, FeatureCells::new(feature, cells))).collect();
        let mut values = vec![0.0; places.len() * cols];
        for (inputs, rows) in values.chunks_mut(FORGOTTEN * cols).zip(rows.chunks(FORGOTTEN)) {
            inputs.par_chunks_mut(PIECE * cols).zip(rows.par_chunks(PIECE)).for_each(|(inputs, rows)| {
                plans.iter().for_each(|(at, cell)| cell.write(&table.pack, inputs, (*at, cols), rows));
            });
            table.pack.forget();
        }
        values
    }

    /// One input of all rows.
    pub fn column(&self, input: usize) -> Vec<f32> {
        let place = self.table.places.partition_point(|(at, _)| *at <= input) - 1;
        let feature = &self.table.features[place];
        let (at, cells) = &self.table.places[place];
        let (cell, width) = (FeatureCells::new(feature, cells), feature.width());
        let piece = |rows: &[u32]| {
            let mut inputs = vec![0.0; rows.len() * width];
            cell.write(&self.table.pack, &mut inputs, (0, width), rows);
            inputs.into_iter().skip(input - at).step_by(width).collect::<Vec<f32>>()
        };
        self.rows.par_chunks(PIECE).flat_map_iter(piece).collect()
    }

    /// Checks that all numbers are finite in single precision after scaling.
    fn check(&self) -> Result<()> {
        for (feature, (_, cells)) in self.table.features.iter().zip(&self.table.places) {
            let (cell, width) = (FeatureCells::new(feature, cells), feature.width());
            let wrong = |rows: &&[u32]| {
                let mut inputs = vec![0.0; rows.len() * width];
                cell.write(&self.table.pack, &mut inputs, (0, width), rows);
                inputs.iter().position(|value| !value.is_finite()).map(|at| rows[at / width])
            };
            let pieces: Vec<&[u32]> = self.rows.chunks(PIECE).collect();
            if let Some(row) = pieces.par_iter().find_map_first(wrong) {
                let message = "the number is too large for single precision once it is scaled";
                let (path, unit) = self.table.pack.place();
                let row = Some(u64::from(row) + 1);
                return Err(Error::data_at(path, row, Some(&feature.column), message).counted_in(unit));
            }
            if let CellPlace::Pack(place) = cells {
                self.table.pack.forget_column(*place);
            }
        }
        Ok(())
    }
}

/// A feature together with its cells.
enum FeatureCells<'a> {
    Memory(ColumnPlan<'a>),
    Pack(&'a Feature, usize),
}

impl<'a> FeatureCells<'a> {
    fn new(feature: &'a Feature, cells: &'a CellPlace) -> Self {
        match cells {
            CellPlace::Memory(column) => Self::Memory(ColumnPlan::new(feature, column).expect("fitted to this column")),
            CellPlace::Pack(place) => Self::Pack(feature, *place),
        }
    }

    /// Writes the inputs of some rows of the file. `inputs` must be zero.
    fn write(&self, pack: &PackColumns, inputs: &mut [f32], place: (usize, usize), rows: &[u32]) {
        match self {
            Self::Memory(plan) => plan.write(inputs, place, |line| rows[line] as usize),
            Self::Pack(feature, column) => {
                let column = Column::Numbers(pack.values(*column, rows));
                ColumnPlan::new(feature, &column).expect("fitted to numbers").write(inputs, place, |line| line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::dataset::{Dataset, Features};
    use super::super::options::{DataOptions, Shuffle};
    use super::super::prepare::prepare;
    use super::*;

    const ROWS: usize = 700;

    /// A table with numbers, missing numbers, a text and a date, prepared both in memory and by blocks.
    pub(crate) fn both() -> [Dataset; 2] {
        let row = |n: usize| {
            let size = if n % 11 == 5 { String::new() } else { (n * n % 17).to_string() };
            let (colour, day) = (["red", "", "blue"][n % 3], format!("2024-{:02}-{:02}", n % 12 + 1, n % 28 + 1));
            format!("{},{size},{colour},{day},{}\n", (n as f64 * 0.37).sin(), n % 4 / 2)
        };
        let text = "width,size,colour,day,label\n".to_owned() + &(0..ROWS).map(row).collect::<String>();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        std::fs::write(&path, text).unwrap();
        let options = DataOptions::new(&path);
        let by_blocks = DataOptions { shuffle: Shuffle::Blocks, ..options.clone() };
        [options, by_blocks].map(|options| prepare(&options, 3).unwrap().train)
    }

    #[test]
    fn rows_of_blocks_equal_those_in_memory() {
        let [memory, blocks] = both();
        assert_eq!((&memory.targets, &memory.weights), (&blocks.targets, &blocks.weights));
        let places: Vec<u32> = (0..memory.rows() as u32).rev().step_by(3).collect();
        assert_eq!(memory.subset(&places), blocks.subset(&places));
        let (Features::F32 { values, cols }, Features::Blocks(blocks)) = (memory.features, blocks.features) else {
            panic!("one in memory, one by blocks")
        };
        for input in 0..cols {
            let expected: Vec<f32> = values.iter().skip(input).step_by(cols).copied().collect();
            assert_eq!(blocks.column(input), expected, "input {input}");
        }
    }

    #[test]
    fn an_epoch_has_each_row_once_and_keeps_blocks_together() {
        let Features::Blocks(blocks) = both()[1].features.clone() else { panic!("by blocks") };
        let (rows, block) = (blocks.rows(), 4);
        let blocks = blocks.in_blocks_of(block);
        let (mut order, mut other) = (Vec::new(), Vec::new());
        blocks.order(7, 0, &mut order);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..rows as u32).collect::<Vec<_>>());
        for window in order.chunks(blocks.window()) {
            let mut numbers: Vec<usize> = window.iter().map(|row| *row as usize / block).collect();
            assert!(numbers.windows(2).any(|pair| pair[0] != pair[1]), "rows of blocks are mixed");
            numbers.sort_unstable();
            numbers.dedup();
            // The last block of the file is shorter, so some rows of the blocks after it come early.
            assert!(numbers.len() < TOGETHER + block, "{numbers:?}");
        }
        for (seed, epoch) in [(7, 1), (8, 0)] {
            blocks.order(seed, epoch, &mut other);
            assert_ne!(order, other);
        }
        blocks.order(7, 0, &mut other);
        assert_eq!(order, other);
    }

    #[test]
    fn blocks_are_powers_of_two_of_about_a_megabyte() {
        assert_eq!([1, 28, 50, 1000, 1 << 20].map(rows_of_block), [16384, 8192, 4096, 256, 64]);
    }
}
