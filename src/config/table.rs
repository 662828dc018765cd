//! The options of verbs that examine labelled tables without training.

use super::key::READ;
use super::keys::names_for;
use super::reader::Reader;
use super::settings::Settings;
use super::threads::ThreadOptions;
use crate::data::{DataOptions, PartFrom};
use crate::option_text::option;
use crate::{Error, Result};

/// Options of `data split`, beside those for reading a file.
pub const SPLIT_KEYS: [&str; 7] = ["label", "task", "valid", "test", "split", "categorical", "weight_col"];
/// Options of `data stats`, beside the same.
pub const STATS_KEYS: [&str; 2] = ["label", "task"];

/// How a table is read, what its label is, and how its rows are split into parts.
#[derive(Debug, Clone)]
pub struct TableConfig {
    /// What is read, and how it is split.
    pub data: DataOptions,
    /// Threads.
    pub engine: ThreadOptions,
}

impl TableConfig {
    /// Parses and checks settings, before any file is opened; `keys` are those of the verb.
    ///
    /// # Errors
    /// [`Error::Option`]; [`Error::Usage`] that names a variable, a file and its key, or several options.
    pub fn new(settings: Settings, keys: &[&'static str]) -> Result<Self> {
        let reader = Reader::new(settings);
        let names = [names_for(READ), keys.to_vec(), vec!["data"]].concat();
        let data: DataOptions =
            reader.table(&names).try_into().map_err(|e: toml::de::Error| reader.rename(&names, &e.to_string()))?;
        data.check()?;
        Ok(Self { data, engine: ThreadOptions::read(&reader)? })
    }

    /// Refuses parts that are separate files, since they are not parts of this one, and settings that do not split the table at
    /// all.
    ///
    /// # Errors
    /// [`Error::Option`].
    pub fn check_parts(&self) -> Result<()> {
        for (option, part) in [("valid", Some(&self.data.valid)), ("test", self.data.test.as_ref())] {
            if let Some(PartFrom::File(file)) = part {
                let message = format!("expected a fraction or none, found the file {}", file.as_written());
                return Err(Error::Usage(message).of(option));
            }
        }
        if self.data.valid == PartFrom::None && self.data.test.as_ref().is_none_or(|test| *test == PartFrom::None) {
            let message = format!("it leaves one part with no {}: nothing is split", option("test"));
            return Err(Error::Usage(message).of_value("valid", "none"));
        }
        Ok(())
    }
}
