//! Settings without a preset, parsed and checked.

use std::path::PathBuf;

use super::decision::DecisionOptions;
use super::folds::{folds, members, retry};
use super::key::DATA;
use super::keys::names_for;
use super::lengths::every;
use super::loss::{asked_loss, number_loss};
use super::model::ModelOptions;
use super::network::STACK_KEYS;
use super::optimizer::OptimizerOptions;
use super::reader::Reader;
use super::settings::Settings;
use super::stopping::StoppingOptions;
use super::threads::ThreadOptions;
use super::train::{OutputOptions, TrainConfig};
use crate::data::{DataOptions, PartFrom};
use crate::fit::Every;
use crate::nn::Loss;
use crate::{Error, Result, path_text};

/// The default interval between saved states.
const CHECKPOINT_EVERY: Every = Every::Seconds(30.0);

impl TrainConfig {
    /// Parses settings, to which those of a preset are added already.
    pub(super) fn typed(mut settings: Settings) -> Result<TrainConfig> {
        settings.stronger_of("network", &STACK_KEYS);
        let reader = Reader::new(settings);
        let (data, cv) = (data_options(&reader)?, folds(&reader)?);
        let model = ModelOptions::read(&reader)?;
        let data = DataOptions { level_numbers: model.extras.categories.map(|categories| categories.levels), ..data };
        let config = TrainConfig {
            data: if cv.is_some() { DataOptions { valid: PartFrom::None, ..data } } else { data },
            members: members(&reader, cv)?,
            augment: reader.parse("augment")?.unwrap_or_default(),
            cv,
            shuffle: !reader.switch("no_shuffle")?,
            optimizer: OptimizerOptions::read(&reader, model.drops().as_deref())?,
            model,
            stopping: StoppingOptions::read(&reader)?,
            decision: DecisionOptions::read(&reader)?,
            threads: ThreadOptions::read(&reader)?,
            seed: reader.count("seed", 0, &[])?.unwrap_or(0),
            output: OutputOptions {
                out: reader.with("out", run_directory)?,
                overwrite: reader.switch("overwrite")?,
                log_steps: reader.count("log_steps", 1, &[])?,
                checkpoint_every: reader.with("checkpoint_every", every)?.unwrap_or(Some(CHECKPOINT_EVERY)),
                retry: retry(&reader, cv.is_some())?,
            },
            preset: None,
            of_numbers: None,
            of_tables: None,
            portfolio: None,
        };
        config.data.check()?;
        config.check_blocks()?;
        Ok(config)
    }
}

fn data_options(reader: &Reader) -> Result<DataOptions> {
    if reader.text("data").is_none_or(|data| data.is_empty()) {
        let message = "expected DATA: a file (CSV, JSON Lines, Parquet, NPY, NPZ, pack, libsvm, IDX), a folder of Parquet files or of MNIST's layout, or - for standard input";
        return Err(Error::Usage(message.to_owned()));
    }
    let names = [names_for(DATA), vec!["data"]].concat();
    let mut options: DataOptions =
        reader.table(&names).try_into().map_err(|e: toml::de::Error| reader.rename(&names, &e.to_string()))?;
    let loss = asked_loss(reader)?;
    options.scale_target = !reader.switch("no_scale_target")? && loss != Some(Loss::Poisson);
    options.number_loss = loss.and_then(number_loss);
    Ok(options)
}

/// A path. An empty one is refused: it would put the run's files into the current directory.
fn run_directory(text: &str) -> std::result::Result<PathBuf, String> {
    if text.is_empty() { Err("expected a directory, found nothing".to_owned()) } else { Ok(path_text::to_path(text)) }
}
