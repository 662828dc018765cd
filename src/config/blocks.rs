//! Options that cannot be combined with rows that are read by blocks.

use super::optimizer::BatchSize;
use super::train::TrainConfig;
use crate::data::Shuffle;
use crate::layer::MemberRows;
use crate::option_text::{option, setting};
use crate::{Error, Result};

impl TrainConfig {
    /// If rows are read by blocks, refuses options that need all rows in memory.
    pub(super) fn check_blocks(&self) -> Result<()> {
        if self.data.shuffle != Shuffle::Blocks {
            return Ok(());
        }
        let algorithm = self.optimizer.spec.algorithm;
        let full = self.optimizer.batch == BatchSize::Full;
        let own = self.optimizer.member_rows == MemberRows::Own;
        let why = match () {
            () if self.cv.is_some() => format!("{} deals all rows anew for each fold", option("cv")),
            () if !self.augment.is_none() => {
                format!("{} changes all rows for each epoch", setting("augment", &self.augment))
            }
            () if algorithm.needs_full_batch() => format!("{} needs all rows in each step", algorithm.name()),
            () if own => format!("{} takes rows from everywhere in each step", setting("member_rows", "own")),
            () if full => format!("{} needs all rows in each step", setting("batch", "full")),
            () => return Ok(()),
        };
        let message = format!("it holds some rows in memory at a time, and {why}: leave one of them out");
        Err(Error::Usage(message).of_value("shuffle", "blocks"))
    }
}
