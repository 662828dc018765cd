//! The constant model, which uses no column and predicts the same for every row.

use super::scorer::Scorer;
use crate::data::{Dataset, Targets, Task};
use crate::nn::Link;

/// The fewest rows that a class counts as, so that its probability is not 0.
const LEAST_ROWS: f64 = 0.5;

/// The outputs of the best constant model for the rows of `data`, in the form that `scorer` turns into predictions: weighted
/// shares of the classes or labels, or weighted means of the targets.
pub fn constant_outputs(scorer: &Scorer, data: &Dataset) -> Vec<f32> {
    let weights: Vec<f64> = (0..data.rows() as u32).map(|row| data.weight(row)).collect();
    let total: f64 = weights.iter().sum();
    match &data.targets {
        Targets::Classes { labels, classes } => {
            let mut of_class = vec![0.0; *classes];
            labels.iter().zip(&weights).for_each(|(label, weight)| of_class[*label as usize] += weight);
            let shares: Vec<f64> = of_class.iter().map(|weight| weight.max(LEAST_ROWS) / total).collect();
            class_outputs(scorer, &shares)
        }
        Targets::Values { values, cols, .. } => {
            let sum = |col: usize| {
                let column = values.iter().skip(col).step_by(*cols).zip(&weights);
                column.map(|(value, weight)| f64::from(*value) * weight).sum::<f64>()
            };
            let labels = scorer.task() == Task::Multilabel;
            let least = if labels { LEAST_ROWS } else { f64::NEG_INFINITY };
            let mean = |col: usize| sum(col).max(least).min(if labels { total - least } else { f64::INFINITY }) / total;
            (0..*cols).map(|col| value_output(scorer.link(), mean(col))).collect()
        }
    }
}

fn class_outputs(scorer: &Scorer, shares: &[f64]) -> Vec<f32> {
    if scorer.task() == Task::Binary {
        return match scorer.link() {
            Link::Sigmoid => vec![(shares[1] / shares[0]).ln() as f32],
            _ => vec![(shares[1] / (shares[0] + shares[1])) as f32],
        };
    }
    let output = |share: &f64| if scorer.link() == Link::Softmax { share.ln() } else { *share };
    shares.iter().map(|share| output(share) as f32).collect()
}

fn value_output(link: Link, mean: f64) -> f32 {
    match link {
        Link::Sigmoid => (mean / (1.0 - mean)).ln() as f32,
        Link::Exp => mean.max(f64::MIN_POSITIVE).ln() as f32,
        _ => mean as f32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Features, Target};
    use crate::nn::Loss;

    fn of(task: Task, outputs: usize, loss: Loss, targets: Targets, weights: Option<Vec<f32>>) -> Vec<f64> {
        let names = |count: usize| (0..count).map(|i| i.to_string()).collect::<Vec<_>>();
        let classes = if matches!(task, Task::Binary | Task::Multiclass) { names(outputs) } else { Vec::new() };
        let columns = if classes.is_empty() { names(outputs) } else { names(1) };
        let (mean, sd, forms) = (Vec::new(), Vec::new(), Vec::new());
        let target = Target { task, columns, classes, numeric: false, mean, sd, range: Vec::new(), forms };
        let scorer = Scorer::new(&target, loss);
        let features = Features::F32 { values: vec![0.0; 4], cols: 1 };
        scorer.predictions(&constant_outputs(&scorer, &Dataset { features, targets, weights }))
    }

    fn assert_near(found: &[f64], expected: &[f64]) {
        // Outputs are f32.
        let near = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(found.len() == expected.len() && near, "{found:?}, not {expected:?}");
    }

    #[test]
    fn shares_and_means_are_said() {
        let classes = |labels: Vec<u32>, classes| Targets::Classes { labels, classes };
        let two = classes(vec![0, 0, 0, 1], 2);
        assert_near(&of(Task::Binary, 2, Loss::Bce, two.clone(), None), &[0.75, 0.25]);
        assert_near(&of(Task::Binary, 2, Loss::Mse, two.clone(), None), &[0.75, 0.25]);
        let weights = Some(vec![1.0, 0.0, 0.0, 3.0]);
        assert_near(&of(Task::Binary, 2, Loss::Bce, two, weights), &[0.25, 0.75]);
        let three = classes(vec![2, 0, 1, 2], 3);
        assert_near(&of(Task::Multiclass, 3, Loss::CrossEntropy, three, None), &[0.25, 0.25, 0.5]);
        let numbers = |values, cols| Targets::Values { values, units: None, cols };
        let counts = numbers(vec![0.0, 1.0, 2.0, 9.0], 1);
        assert_near(&of(Task::Regression, 1, Loss::Poisson, counts.clone(), None), &[3.0]);
        assert_near(&of(Task::Regression, 1, Loss::Mse, counts, None), &[3.0]);
        let labels = numbers(vec![1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], 2);
        assert_near(&of(Task::Multilabel, 2, Loss::Bce, labels, None), &[0.25, 0.125]);
    }
}
