//! Configuration: defaults < file < `GRADLANE_*` environment < flags, merged here and checked before any file is opened.

mod apply;
mod bench;
mod blocks;
mod decision;
pub mod document;
mod effective;
mod folds;
mod key;
pub mod keys;
mod lengths;
mod loss;
mod network;
mod optimizer;
pub mod portfolio;
pub mod presets;
mod reader;
mod settings;
mod table;
mod tabular;
mod train;

pub use apply::ApplyConfig;
pub use bench::{BenchConfig, BenchOptions};
pub use decision::{DecisionOptions, ThresholdChoice};
pub use keys::{KEYS, Key, OptionGroup, find, names_for};
pub use lengths::duration;
pub use loss::number_loss;
pub use network::STACK_KEYS;
pub use optimizer::{BatchSize, OptimizerOptions, dialect_of};
pub use settings::{SettingOrigin, Settings};
pub use table::{SPLIT_KEYS, STATS_KEYS, TableConfig};
pub use train::{ModelOptions, OutputOptions, StoppingOptions, ThreadOptions, TrainConfig, deadline};
