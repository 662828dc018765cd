//! From files to matrices: reading, typing, preparing, splitting and ordering rows.

mod balance;
mod choice;
mod dataset;
mod delimited;
mod describe;
mod feature;
mod idx;
mod image;
mod layout;
mod options;
mod order;
mod predict_rows;
mod prepare;
mod preprocess;
mod read;
mod schema;
mod source;
mod split;
pub mod synthetic;
mod table;
mod target;

pub use balance::{ClassWeight, resample};
pub use dataset::{Dataset, Features, Targets};
pub use delimited::{TableReader, Wanted};
pub use describe::{ColumnDescription, Description, Statistics, describe};
pub use feature::{Encoding, Feature, MOST_LEVELS, Summary};
pub use idx::{Images, Part};
pub use layout::Layout;
pub use options::{
    Balance, DataOptions, Delimiter, Format, Header, Impute, PartFrom, ReadOptions, Scale, SplitMode, TaskChoice,
};
pub use order::epoch_order;
pub use predict_rows::{Chunk, RowReader};
pub use prepare::{Evaluation, Prepared, prepare, prepare_for, read_for};
pub use preprocess::{FitOptions, ImagePreprocessing, Preprocessing, TablePreprocessing};
pub use read::{Contents, read};
pub use schema::{Roles, Task};
pub use source::{Opened, Source};
pub use split::{Split, split};
pub use table::{Column, ColumnKind, DEFAULT_MISSING, MissingMarkers, Table};
pub use target::Target;
