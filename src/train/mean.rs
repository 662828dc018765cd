//! What each row counts in the mean of a step.

use super::settings::StepSettings;
use crate::data::Dataset;
use crate::optim::Dialect;

/// How the losses of a step's rows become one number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mean {
    /// What the step counts in the mean of its epoch: the sum of its rows' weights, in Keras' dialect their number.
    pub(super) weight: f64,
    rows: usize,
    /// Rows of the batches whose means are averaged.
    part: Option<usize>,
}

impl Mean {
    pub(super) fn new(settings: &StepSettings, data: &Dataset, rows: &[u32]) -> Mean {
        let weight = match settings.optimizer.dialect {
            Some(Dialect::Keras) => rows.len() as f64,
            _ => rows.iter().map(|row| data.weight(*row)).sum(),
        };
        Mean { weight, rows: rows.len(), part: settings.mean_of_means.filter(|part| *part < rows.len()) }
    }

    /// Factor of the loss of the row at a position of the step, for the row's weight.
    pub(super) fn share(&self, position: usize, weight: f64) -> f64 {
        let Some(part) = self.part else { return weight / self.weight };
        let rows_of_part = part.min(self.rows - position / part * part);
        weight / (rows_of_part * self.rows.div_ceil(part)) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_a_mean_of_means_counts_the_same() {
        let mean = Mean { weight: 8.0, rows: 8, part: Some(5) };
        let shares: Vec<f64> = (0..8).map(|position| mean.share(position, 1.0)).collect();
        assert_eq!(shares[..5], [0.1; 5]);
        assert_eq!(shares[5..], [1.0 / 6.0; 3]);
        assert_eq!(Mean { part: None, ..mean }.share(7, 2.0), 0.25);
    }
}
