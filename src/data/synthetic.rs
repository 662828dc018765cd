//! Small synthetic data sets with known answers, for tests, examples and benchmarks.
//!
//! Each row has its own random stream, so its content depends on seed and row alone.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use super::dataset::{Dataset, Features};
use super::order::below;
use super::targets::Targets;
use crate::rng::{Purpose, stream};

/// A uniform random number in `[0, 1)` with 24 bits.
fn uniform(rng: &mut impl Rng) -> f32 {
    (rng.next_u32() >> 8) as f32 / (1 << 24) as f32
}

fn row_stream(seed: u64, row: usize) -> impl Rng {
    stream(seed, Purpose::Synthetic, row as u64, 0)
}

/// A line `y = slope · x + intercept + noise · N(0, 1)`, with x uniform in `[−1, 1)`.
pub fn line(rows: usize, slope: f32, intercept: f32, noise: f32, seed: u64) -> Dataset {
    let (mut xs, mut ys) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
    for row in 0..rows {
        let mut rng = row_stream(seed, row);
        let x = 2.0 * uniform(&mut rng) - 1.0;
        let error: f32 = StandardNormal.sample(&mut rng);
        xs.push(x);
        ys.push(slope * x + intercept + noise * error);
    }
    let features = Features::F32 { values: xs, cols: 1 };
    Dataset { features, targets: Targets::Values { values: ys, units: None, cols: 1 }, weights: None }
}

/// Classes as Gaussian clusters of standard deviation `spread` in `cols` dimensions. Row i is of class `i mod classes`.
/// At the centre of class k, coordinate `k mod cols` is `1 + k div cols`, and all others are 0.
///
/// # Panics
/// If `classes` or `cols` is 0.
pub fn blobs(rows: usize, cols: usize, classes: usize, spread: f32, seed: u64) -> Dataset {
    assert!(classes > 0 && cols > 0, "{classes} classes in {cols} dimensions");
    let mut values = Vec::with_capacity(rows * cols);
    let mut labels = Vec::with_capacity(rows);
    for row in 0..rows {
        let class = row % classes;
        let mut rng = row_stream(seed, row);
        for col in 0..cols {
            let center = if col == class % cols { (1 + class / cols) as f32 } else { 0.0 };
            let error: f32 = StandardNormal.sample(&mut rng);
            values.push(center + spread * error);
        }
        labels.push(class as u32);
    }
    Dataset { features: Features::F32 { values, cols }, targets: Targets::Classes { labels, classes }, weights: None }
}

/// The target of a [`workload`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkloadTask {
    /// This many classes, uniformly at random.
    Classify(usize),
    /// This many numbers, uniform in `[0, 1)`.
    Regress(usize),
}

/// Rows for timing training steps: inputs uniform in `[0, 1)`, random targets. The targets do not depend on the inputs.
///
/// # Panics
/// If there are no inputs, classes or outputs.
pub fn workload(rows: usize, cols: usize, task: WorkloadTask, seed: u64) -> Dataset {
    let (WorkloadTask::Classify(outputs) | WorkloadTask::Regress(outputs)) = task;
    assert!(cols > 0 && outputs > 0, "{cols} inputs, {outputs} outputs");
    let mut values = Vec::with_capacity(rows * cols);
    let (mut labels, mut numbers) = (Vec::new(), Vec::new());
    for row in 0..rows {
        let mut rng = row_stream(seed, row);
        values.extend((0..cols).map(|_| uniform(&mut rng)));
        match task {
            WorkloadTask::Classify(classes) => labels.push(below(&mut rng, classes as u32)),
            WorkloadTask::Regress(outputs) => numbers.extend((0..outputs).map(|_| uniform(&mut rng))),
        }
    }
    let targets = match task {
        WorkloadTask::Classify(classes) => Targets::Classes { labels, classes },
        WorkloadTask::Regress(cols) => Targets::Values { values: numbers, units: None, cols },
    };
    Dataset { features: Features::F32 { values, cols }, targets, weights: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(data: &Dataset) -> &[f32] {
        match &data.features {
            Features::F32 { values, .. } => values,
            Features::U8 { .. } | Features::Blocks(_) => panic!("generated inputs are numbers"),
        }
    }

    #[test]
    fn first_values_never_change() {
        // Uniform numbers computed by an independent ChaCha8 in Python; normal numbers as in the first version of
        // `rand_distr` 0.6.
        assert_eq!(inputs(&line(2, 3.0, 0.0, 0.1, 0)), [-0.7575793, -0.96684563]);
        assert_eq!(inputs(&blobs(1, 2, 2, 0.5, 0)), [1.126_156_7, -0.452_548_44]);
        let data = workload(1, 2, WorkloadTask::Classify(3), 0);
        assert_eq!(inputs(&data), [0.121_210_34, 0.940_838_16]);
        assert_eq!(data.targets, Targets::Classes { labels: vec![2], classes: 3 });
    }

    #[test]
    fn rows_do_not_depend_on_how_many_there_are() {
        let (few, many) = (workload(3, 4, WorkloadTask::Regress(2), 5), workload(9, 4, WorkloadTask::Regress(2), 5));
        assert_eq!(inputs(&few), &inputs(&many)[..12]);
        assert_ne!(inputs(&few), inputs(&workload(3, 4, WorkloadTask::Regress(2), 6)));
    }

    #[test]
    fn a_line_without_noise_is_a_line() {
        let data = line(20, 3.0, 0.5, 0.0, 1);
        let Targets::Values { values, .. } = &data.targets else { panic!("a line has numbers") };
        assert!(inputs(&data).iter().zip(values).all(|(x, y)| *y == 3.0 * x + 0.5));
        assert!(inputs(&data).iter().all(|x| (-1.0..1.0).contains(x)));
    }

    #[test]
    fn blobs_lie_around_their_centres() {
        let data = blobs(600, 2, 3, 0.1, 2);
        let mean = |class: usize, col: usize| -> f32 {
            (class..600).step_by(3).map(|row| inputs(&data)[row * 2 + col]).sum::<f32>() / 200.0
        };
        // Five standard errors: 5 · 0.1 / √200 = 0.035.
        for (class, center) in [[1.0, 0.0], [0.0, 1.0], [2.0, 0.0]].iter().enumerate() {
            assert!((mean(class, 0) - center[0]).abs() < 0.036 && (mean(class, 1) - center[1]).abs() < 0.036);
        }
    }
}
