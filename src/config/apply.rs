//! The options of verbs that apply a trained model to data or examine data.

use super::key::READ;
use super::keys::names_for;
use super::reader::Reader;
use super::settings::Settings;
use super::threads::ThreadOptions;
use crate::Result;
use crate::data::{DataOptions, ReadOptions};
use crate::kernel::Isa;
use crate::train::team::available_threads;

/// How files are read, and what a model runs on.
#[derive(Debug, Clone)]
pub struct ApplyConfig {
    /// How files are read.
    pub read: ReadOptions,
    /// Whether a warning about the data is an error.
    pub strict: bool,
    /// Threads and instructions.
    pub engine: ThreadOptions,
}

impl ApplyConfig {
    /// Parses and checks settings, before any file is opened.
    ///
    /// # Errors
    /// [`crate::Error::Option`]; [`crate::Error::Usage`] that names a variable, a file and its key, or several options.
    pub fn new(settings: Settings) -> Result<ApplyConfig> {
        let reader = Reader::new(settings);
        let names = names_for(READ);
        let options: DataOptions =
            reader.table(&names).try_into().map_err(|e: toml::de::Error| reader.rename(&names, &e.to_string()))?;
        options.check()?;
        let (read, strict) = (options.read_options(), options.strict);
        Ok(ApplyConfig { read, strict, engine: ThreadOptions::read(&reader)? })
    }

    /// The instruction set, and the number of threads that may be used.
    pub fn isa_and_threads(&self) -> (Isa, usize) {
        let cores = available_threads();
        let threads = match self.engine.threads {
            Some(asked) if self.engine.exact => asked,
            Some(asked) => asked.min(cores),
            None => cores,
        };
        (self.engine.isa, threads)
    }
}
