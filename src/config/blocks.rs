//! Options that cannot be combined with rows that are read by blocks.

use super::TrainConfig;
use super::optimizer::BatchSize;
use crate::data::Shuffle;
use crate::layer::MemberRows;
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
            () if self.cv.is_some() => "--cv deals all rows anew for each fold".to_owned(),
            () if !self.augment.is_none() => format!("--augment {} changes all rows for each epoch", self.augment),
            () if algorithm.needs_full_batch() => format!("{} needs all rows in each step", algorithm.name()),
            () if own => "--member-rows own takes rows from everywhere in each step".to_owned(),
            () if full => "--batch full needs all rows in each step".to_owned(),
            () => return Ok(()),
        };
        let message = format!("it holds some rows in memory at a time, and {why}: leave one of them out");
        Err(Error::Usage(message).of_value("shuffle", "blocks"))
    }
}
