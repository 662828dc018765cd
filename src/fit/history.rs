//! The epochs that a run keeps records of: all in most runs, evenly spaced ones in a very long run.

use serde::{Deserialize, Serialize};

use super::events::EpochRecord;

/// Once there are this many epochs, at least this many are kept, and at most twice as many.
const FEWEST: usize = 500;

/// Records of epochs in bounded memory: evenly spaced ones, the first, the best so far and the last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct History {
    every: usize,
    spread: Vec<EpochRecord>,
    best: Option<EpochRecord>,
    last: Option<EpochRecord>,
    epochs: usize,
}

impl History {
    /// A history without epochs.
    pub fn new() -> History {
        History { every: 1, spread: Vec::new(), best: None, last: None, epochs: 0 }
    }

    /// Adds the next epoch.
    pub fn push(&mut self, record: EpochRecord) {
        self.epochs += 1;
        if record.best {
            self.best = Some(record.clone());
        }
        if record.epoch == 1 || record.epoch.is_multiple_of(self.every) {
            self.spread.push(record.clone());
        }
        if self.spread.len() > 2 * FEWEST {
            self.every *= 2;
            let every = self.every;
            self.spread.retain(|record| record.epoch == 1 || record.epoch.is_multiple_of(every));
        }
        self.last = Some(record);
    }

    /// The number of epochs so far.
    pub fn epochs(&self) -> usize {
        self.epochs
    }

    /// The last epoch.
    pub fn last(&self) -> Option<&EpochRecord> {
        self.last.as_ref()
    }

    /// The kept records, in order.
    pub fn records(&self) -> Vec<&EpochRecord> {
        let mut records: Vec<&EpochRecord> = self.spread.iter().chain(&self.best).chain(&self.last).collect();
        records.sort_by_key(|record| record.epoch);
        records.dedup_by_key(|record| record.epoch);
        records
    }
}

impl Default for History {
    fn default() -> History {
        History::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(epochs: usize, best: usize) -> Vec<usize> {
        let mut history = History::new();
        for epoch in 1..=epochs {
            history.push(EpochRecord {
                epoch,
                step: 0,
                train: Default::default(),
                val: None,
                confusion: None,
                lr: 0.1,
                best: epoch == best,
                seconds: 0.0,
                samples_per_s: 0.0,
            });
        }
        assert_eq!(history.epochs(), epochs);
        history.records().iter().map(|record| record.epoch).collect()
    }

    #[test]
    fn a_usual_run_is_remembered_whole() {
        assert_eq!(of(1000, 7), (1..=1000).collect::<Vec<_>>());
    }

    #[test]
    fn a_long_run_keeps_the_first_the_best_and_the_last() {
        let kept = of(1_000_001, 777_777);
        assert!((500..=1003).contains(&kept.len()), "{}", kept.len());
        assert!([1, 777_777, 1_000_001].iter().all(|epoch| kept.contains(epoch)));
        assert!(kept.windows(2).all(|pair| pair[1] - pair[0] <= 2048));
    }
}
