//! The weight of each row in the mean loss of a step.

use super::rows::StepRows;
use super::settings::StepSettings;
use crate::data::Dataset;
use crate::optim::Dialect;

/// How the losses of a step's rows are averaged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mean {
    /// The weight of the step in the mean of its epoch: the sum of its rows' weights, or in Keras' dialect their number.
    pub(super) weight: f64,
    /// The factor of every row, if all rows count the same.
    equal: Option<f64>,
    /// Whether `weight` is the sum of the rows' weights.
    by_weights: bool,
    rows: usize,
    /// Rows of the batches whose means are averaged.
    micro_batch: Option<usize>,
}

impl Mean {
    pub(super) fn new(settings: &StepSettings, data: &Dataset, rows: StepRows<'_>) -> Mean {
        let has_weights = data.weights.is_some();
        let counts_rows = !has_weights || settings.optimizer.dialect == Some(Dialect::Keras);
        let owners = rows.owners();
        let of_all = || (0..owners).map(|m| weight_of(data, rows, m)).sum::<f64>();
        let weight = if counts_rows { rows.len() as f64 } else { of_all() / owners as f64 };
        let micro_batch = settings.mean_of_means.filter(|size| *size < rows.len());
        let equal = (!has_weights && micro_batch.is_none()).then(|| 1.0 / weight);
        Mean { weight, equal, by_weights: !counts_rows, rows: rows.len(), micro_batch }
    }

    /// The same for a member of the network: its losses are divided by the weights of its own rows.
    pub(super) fn of_member(self, data: &Dataset, rows: StepRows<'_>, member: usize) -> Mean {
        if rows.owners() == 1 || !self.by_weights {
            self
        } else {
            Mean { weight: weight_of(data, rows, member), ..self }
        }
    }

    /// Writes the factors of the losses of `rows`, which start at `position` in the step. `members` share each factor equally.
    pub(super) fn fill(&self, factors: &mut [f32], (rows, position): (&[u32], usize), data: &Dataset, members: usize) {
        if let Some(factor) = self.equal {
            factors.fill((factor / members as f64) as f32);
            return;
        }
        for (number, (factor, row)) in factors.iter_mut().zip(rows).enumerate() {
            *factor = (self.factor(position + number, data.weight(*row)) / members as f64) as f32;
        }
    }

    /// The factor of the loss of the row at `position` in the step, where the row has `weight`.
    fn factor(&self, position: usize, weight: f64) -> f64 {
        // A step of which all rows have the weight 0 has no loss.
        let Some(size) = self.micro_batch else { return if weight == 0.0 { 0.0 } else { weight / self.weight } };
        let own_rows = size.min(self.rows - position / size * size);
        weight / (own_rows * self.rows.div_ceil(size)) as f64
    }
}

/// The sum of the weights of a member's rows.
fn weight_of(data: &Dataset, rows: StepRows<'_>, member: usize) -> f64 {
    rows.of(member, 0..rows.len()).iter().map(|row| data.weight(*row)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_micro_batch_of_a_mean_of_means_counts_the_same() {
        let mean = Mean { weight: 8.0, equal: None, by_weights: true, rows: 8, micro_batch: Some(5) };
        let found: Vec<f64> = (0..8).map(|position| mean.factor(position, 1.0)).collect();
        assert_eq!(found[..5], [0.1; 5]);
        assert_eq!(found[5..], [1.0 / 6.0; 3]);
        assert_eq!(Mean { micro_batch: None, ..mean }.factor(7, 2.0), 0.25);
    }
}
