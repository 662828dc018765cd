//! Validation and test parts of a table: rows of the training file, or separate files.

use crate::data::blocks::Blocks;
use crate::data::copies::copied_rows;
use crate::data::dataset::{Dataset, Features};
use crate::data::doubts::{without_target, without_weights};
use crate::data::input::{Input, LabelledRows};
use crate::data::options::DataOptions;
use crate::data::preprocess::TablePreprocessing;
use crate::data::split::Split;
use crate::data::strangers::{Apart, Strangers};
use crate::data::table::Table;
use crate::{Error, Result, Warning};

#[derive(Clone, Copy)]
pub(super) enum PartName {
    Val,
    Test,
}

/// The parts while they are prepared.
pub(super) struct Parts {
    pub(super) split: Split,
    pub(super) warnings: Vec<Warning>,
    pub(super) val_strangers: Option<Strangers>,
    pub(super) test_strangers: Option<Strangers>,
}

impl Parts {
    /// A part from its own file, or else from the rows of the training file that were assigned to it; `None` if it is
    /// empty.
    pub(super) fn table_part(
        &mut self,
        name: PartName,
        source: &FileRows<'_>,
        file: Option<Input>,
        options: &DataOptions,
    ) -> Result<Option<Dataset>> {
        let preprocessing = source.preprocessing;
        let (rows, strangers) = match name {
            PartName::Val => (&mut self.split.val, &mut self.val_strangers),
            PartName::Test => (&mut self.split.test, &mut self.test_strangers),
        };
        let Some(file) = file else {
            return if rows.is_empty() { Ok(None) } else { source.labelled(rows).map(Some) };
        };
        let LabelledRows { table, warnings, .. } = file.rows(preprocessing, &options.read_options())?;
        let part = match name {
            PartName::Val => "validation",
            PartName::Test => "test",
        };
        let named = |warning: Warning| Warning { message: format!("{part} file: {}", warning.message), ..warning };
        self.warnings.extend(warnings.into_iter().map(named));
        *rows = preprocessing.usable_rows(&table)?;
        let weights = preprocessing.weight.as_ref().and_then(|name| table.column(name));
        self.warnings.extend(without_target(&preprocessing.target, &table, weights));
        self.warnings.extend(without_weights(preprocessing, &table));
        preprocessing.target.check_counts(&table, rows, options.number_loss)?;
        let apart = Apart::new(preprocessing, &table, std::mem::take(rows))?;
        self.warnings.extend(apart.warning);
        if source.blocks.is_none() && source.table.path != table.path {
            let columns: Vec<&str> = preprocessing.features.iter().map(|feature| feature.column.as_str()).collect();
            self.warnings.extend(copied_rows(part, &columns, source.table, &table));
        }
        (*rows, *strangers) = (apart.rows, apart.strangers);
        if rows.is_empty() && matches!(name, PartName::Val) {
            let message = "no row is of a class of the training data: nothing can be validated";
            return Err(Error::data_at(&table.path, None, Some(&preprocessing.target.columns[0]), message));
        }
        Ok(Some(apart.dataset))
    }
}

/// The rows of the training file, from which data sets are made.
pub(super) struct FileRows<'a> {
    pub(super) table: &'a Table,
    pub(super) preprocessing: &'a TablePreprocessing,
    /// All rows, if columns stay in a pack.
    pub(super) blocks: Option<Blocks>,
}

impl FileRows<'_> {
    /// Features, targets and weights of rows, all of which must have a target.
    pub(super) fn labelled(&self, rows: &[u32]) -> Result<Dataset> {
        let features = match &self.blocks {
            Some(blocks) => Features::Blocks(blocks.of_rows(rows)),
            None => self.preprocessing.features(self.table, Some(rows))?,
        };
        Ok(Dataset {
            features,
            targets: self.preprocessing.targets(self.table, rows)?,
            weights: self.preprocessing.weights(self.table, rows)?,
        })
    }
}
