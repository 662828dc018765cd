//! Randomly generated problems, each with one particular difficulty.
//!
//! Each row has its own random stream, and values shared by all rows have another. So the rows are always the same.

use std::f64::consts::TAU;

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use super::parts::{cut, loss_of, plain_steps, target};
use super::{Initial, Problem};
use crate::Result;
use crate::data::{Dataset, Features, Targets, Task};
use crate::experiment::compare::records::Family;
use crate::metrics::MetricName;
use crate::model::Architecture;
use crate::nn::Activation;
use crate::nn::norm::NormKind;
use crate::rng::{Purpose, stream};
use crate::score::Scorer;

/// Number of the random stream of each problem.
#[derive(Clone, Copy)]
#[repr(u64)]
pub(super) enum ProblemStream {
    IllConditioned = 101,
    Spirals = 102,
    NoisyLabels = 103,
    Sparse = 104,
    Imbalance = 105,
    BadlyScaled = 106,
    Residual = 107,
    Wide = 108,
    Deep = 109,
    Normalised = 110,
    LargeTable = 111,
}

/// The random stream of one row.
pub(super) fn of_row(draw: ProblemStream, row: usize) -> impl Rng {
    stream(draw as u64, Purpose::Synthetic, row as u64, 0)
}

/// The random stream of values shared by all rows.
pub(super) fn shared(draw: ProblemStream) -> impl Rng {
    stream(draw as u64, Purpose::Synthetic, 0, 1)
}

/// A uniform number in `[0, 1)`.
pub(super) fn uniform(rng: &mut impl Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

pub(super) fn normal(rng: &mut impl Rng) -> f64 {
    StandardNormal.sample(rng)
}

pub(super) fn normals(count: usize, rng: &mut impl Rng) -> Vec<f64> {
    (0..count).map(|_| normal(rng)).collect()
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The properties of a generated problem, without its rows.
pub(super) struct GeneratedForm {
    pub family: Family,
    pub description: &'static str,
    pub task: Task,
    pub network: Architecture,
    pub sizes: [usize; 3],
    pub batch: usize,
    pub steps: u64,
    pub score: MetricName,
}

/// Generates a problem. `row` returns the inputs of a row, and its label or target.
pub(super) fn problem(name: &str, form: GeneratedForm, row: impl Fn(usize) -> (Vec<f64>, f64)) -> Problem {
    let (mut values, mut labels, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..form.sizes.iter().sum() {
        let (inputs, answer) = row(number);
        values.extend(inputs.iter().map(|x| *x as f32));
        match form.task {
            Task::Regression => numbers.push(answer as f32),
            _ => labels.push(answer as u32),
        }
    }
    let features = Features::F32 { values, cols: form.network.inputs };
    let targets = match form.task {
        Task::Regression => Targets::Values { values: numbers, units: None, cols: 1 },
        _ => Targets::Classes { labels, classes: form.network.outputs.max(2) },
    };
    let [train, val, test] = cut(&Dataset { features, targets, weights: None }, form.sizes);
    let loss = loss_of(form.task);
    Problem {
        name: name.to_owned(),
        description: form.description.to_owned(),
        family: form.family,
        train,
        val,
        test,
        scorer: Scorer::new(&target(form.task, form.network.outputs), loss),
        architecture: form.network,
        initial: Initial { scheme: None, regression: form.task == Task::Regression },
        step: plain_steps(loss),
        batch: form.batch,
        steps: form.steps,
        score: form.score,
        target: None,
        target_source: String::new(),
    }
}

/// Ill-conditioned linear regression: the loss is a valley with condition number 10⁴. The inputs are `x = Q·(aₖ zₖ)ₖ` with
/// normal z, `aₖ` from 1 down to 0.01, and a random orthogonal matrix Q, so scaling single coordinates does not help. Each
/// direction contributes equally to the target, `y = Σ sₖ zₖ / √n + 0.1·N(0, 1)` with random signs `sₖ`.
pub fn ill_conditioned(name: &'static str) -> Result<Problem> {
    const INPUTS: usize = 32;
    let rng = &mut shared(ProblemStream::IllConditioned);
    // Q is the product of three Householder reflections, x − 2 (v·x) v for a unit vector v.
    let mirrors: Vec<Vec<f64>> = (0..3).map(|_| unit(normals(INPUTS, rng))).collect();
    let signs: Vec<f64> = normals(INPUTS, rng).into_iter().map(f64::signum).collect();
    let amplitude = |k: usize| libm::pow(10.0, -2.0 * k as f64 / (INPUTS - 1) as f64);
    let form = GeneratedForm {
        family: Family::Optimization,
        description: "Linear regression in a rotated valley of condition number 10,000",
        task: Task::Regression,
        network: Architecture::mlp(INPUTS, &[], 1, Activation::Identity),
        sizes: [4_000, 500, 1_000],
        batch: 32,
        steps: 30_000,
        score: MetricName::Rmse,
    };
    Ok(problem(name, form, |row| {
        let rng = &mut of_row(ProblemStream::IllConditioned, row);
        let z = normals(INPUTS, rng);
        let y = dot(&signs, &z) / (INPUTS as f64).sqrt() + 0.1 * normal(rng);
        let mut x: Vec<f64> = z.iter().enumerate().map(|(k, z)| amplitude(k) * z).collect();
        for mirror in &mirrors {
            let along = 2.0 * dot(mirror, &x);
            x.iter_mut().zip(mirror).for_each(|(x, v)| *x -= along * v);
        }
        (x, y)
    }))
}

fn unit(v: Vec<f64>) -> Vec<f64> {
    let length = dot(&v, &v).sqrt();
    v.into_iter().map(|x| x / length).collect()
}

/// A regression on inputs that are not standardised, with scales from 0.01 to 10: `x = (10^(3k/23 − 2) zₖ)ₖ` with normal z,
/// and `y = Σⱼ vⱼ tanh(2 wⱼ·z) / 2 + 0.05·N(0, 1)` for a random network of eight units. The first layer must learn weights
/// of very different sizes.
pub fn badly_scaled(name: &'static str) -> Result<Problem> {
    const INPUTS: usize = 24;
    const UNITS: usize = 8;
    let rng = &mut shared(ProblemStream::BadlyScaled);
    let hidden: Vec<Vec<f64>> = (0..UNITS).map(|_| unit(normals(INPUTS, rng))).collect();
    let outputs = normals(UNITS, rng);
    let size = |k: usize| libm::pow(10.0, 3.0 * k as f64 / (INPUTS - 1) as f64 - 2.0);
    let form = GeneratedForm {
        family: Family::Optimization,
        description: "A regression on 24 inputs of sizes from 0.01 to 10, not standardised",
        task: Task::Regression,
        network: Architecture::mlp(INPUTS, &[32, 16], 1, Activation::Tanh),
        sizes: [6_000, 1_000, 1_500],
        batch: 32,
        steps: 16_000,
        score: MetricName::Rmse,
    };
    Ok(problem(name, form, |row| {
        let rng = &mut of_row(ProblemStream::BadlyScaled, row);
        let z = normals(INPUTS, rng);
        let units: Vec<f64> = hidden.iter().map(|w| libm::tanh(2.0 * dot(w, &z))).collect();
        let y = dot(&outputs, &units) / 2.0 + 0.05 * normal(rng);
        (z.iter().enumerate().map(|(k, z)| size(k) * z).collect(), y)
    }))
}

/// Classes from a random network, without noise, learnt by residual layers with layer norms.
pub fn residual(name: &'static str) -> Result<Problem> {
    const INPUTS: usize = 12;
    let form = GeneratedForm {
        family: Family::Optimization,
        description: "Four classes by the rules of a random network, through six residual layers with layer norms",
        task: Task::Multiclass,
        network: Architecture {
            norm: Some(NormKind::Layer),
            residual: true,
            ..Architecture::mlp(INPUTS, &[24; 6], 4, Activation::Relu)
        },
        sizes: [8_000, 1_000, 1_500],
        batch: 32,
        steps: 6_000,
        score: MetricName::Accuracy,
    };
    Ok(problem(name, form, teacher(ProblemStream::Residual, [INPUTS, 10, 4])))
}

/// A generator of rows with normal inputs, whose class is the largest output of a random network of the given widths.
pub(super) fn teacher(draw: ProblemStream, [inputs, units, classes]: [usize; 3]) -> impl Fn(usize) -> (Vec<f64>, f64) {
    let rng = &mut shared(draw);
    let hidden: Vec<Vec<f64>> = (0..units).map(|_| unit(normals(inputs, rng))).collect();
    let outputs: Vec<Vec<f64>> = (0..classes).map(|_| normals(units, rng)).collect();
    move |row| {
        let x = normals(inputs, &mut of_row(draw, row));
        let class = class_of(&hidden, &outputs, &x, 2.0);
        (x, class as f64)
    }
}

/// The index of the largest output of a network with one hidden layer, `outputs · tanh(slope · hidden · x)`.
pub(super) fn class_of(hidden: &[Vec<f64>], outputs: &[Vec<f64>], x: &[f64], slope: f64) -> usize {
    let units: Vec<f64> = hidden.iter().map(|w| libm::tanh(slope * dot(w, x))).collect();
    let scores: Vec<f64> = outputs.iter().map(|w| dot(w, &units)).collect();
    (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap_or(0)
}

/// Three spiral arms with noise in the angle, so that they overlap a little, classified by eight hidden layers of ten units.
/// Each arm makes 1.35 turns.
pub fn deep_narrow(name: &'static str) -> Result<Problem> {
    const ARMS: usize = 3;
    let form = GeneratedForm {
        family: Family::Optimization,
        description: "Three spiral arms through eight hidden layers of ten units: gradients fade on a long way",
        task: Task::Multiclass,
        network: Architecture::mlp(2, &[10; 8], ARMS, Activation::Tanh),
        sizes: [1_500, 900, 900],
        batch: 32,
        steps: 20_000,
        score: MetricName::Accuracy,
    };
    Ok(problem(name, form, |row| {
        let rng = &mut of_row(ProblemStream::Spirals, row);
        let arm = row % ARMS;
        let radius = 0.1 + 0.9 * uniform(rng);
        let angle = TAU * (arm as f64 / ARMS as f64 + 1.5 * radius) + 0.5 * normal(rng);
        (vec![2.0 * radius * libm::cos(angle), 2.0 * radius * libm::sin(angle)], arm as f64)
    }))
}

/// Classes from a random network. Of the training labels, 30 % are replaced by random ones.
pub fn noisy_labels(name: &'static str) -> Result<Problem> {
    const INPUTS: usize = 16;
    const UNITS: usize = 12;
    const CLASSES: usize = 5;
    const NOISE: f64 = 0.3;
    let sizes = [8_000, 1_000, 2_000];
    let rng = &mut shared(ProblemStream::NoisyLabels);
    let hidden: Vec<Vec<f64>> = (0..UNITS).map(|_| normals(INPUTS, rng)).collect();
    let outputs: Vec<Vec<f64>> = (0..CLASSES).map(|_| normals(UNITS, rng)).collect();
    let form = GeneratedForm {
        family: Family::Noise,
        description: "Five classes, three in ten labels of the training part wrong or by chance right, the others clean",
        task: Task::Multiclass,
        network: Architecture::mlp(INPUTS, &[64, 64], CLASSES, Activation::Relu),
        sizes,
        batch: 64,
        steps: 4_000,
        score: MetricName::Accuracy,
    };
    Ok(problem(name, form, |row| {
        let rng = &mut of_row(ProblemStream::NoisyLabels, row);
        let x = normals(INPUTS, rng);
        let best = class_of(&hidden, &outputs, &x, 0.5);
        let random = (uniform(rng) * CLASSES as f64) as usize;
        let noisy = row < sizes[0] && uniform(rng) < NOISE;
        (x, if noisy { random } else { best } as f64)
    }))
}

/// Sparse inputs, like the words of a text: input `k` is 1 with probability `4 / (k + 8)`, otherwise 0. Rare inputs say more
/// about the label, but seldom have a gradient.
pub fn sparse(name: &'static str) -> Result<Problem> {
    const INPUTS: usize = 400;
    let rng = &mut shared(ProblemStream::Sparse);
    let often = |k: usize| 4.0 / (k + 8) as f64;
    // Each input contributes the same variance to the label's score, so a rare one has a larger weight.
    let weights: Vec<f64> = (0..INPUTS).map(|k| 0.3 * normal(rng) / (often(k) * (1.0 - often(k))).sqrt()).collect();
    let mean: f64 = weights.iter().enumerate().map(|(k, w)| w * often(k)).sum();
    let form = GeneratedForm {
        family: Family::Noise,
        description: "Two classes from 400 inputs that are mostly 0, the rare ones telling most",
        task: Task::Binary,
        network: Architecture::mlp(INPUTS, &[32], 1, Activation::Relu),
        sizes: [16_000, 1_000, 2_000],
        batch: 32,
        steps: 3_000,
        score: MetricName::Auroc,
    };
    Ok(problem(name, form, |row| {
        let rng = &mut of_row(ProblemStream::Sparse, row);
        let x: Vec<f64> = (0..INPUTS).map(|k| f64::from(uniform(rng) < often(k))).collect();
        let score = dot(&weights, &x) - mean;
        let positive = uniform(rng) < 1.0 / (1.0 + libm::exp(-2.0 * score));
        (x, f64::from(positive))
    }))
}

/// Imbalanced classes: 4 % of the rows are of the rare class, which forms three small clusters within the wide distribution
/// of the other class.
pub fn imbalance(name: &'static str) -> Result<Problem> {
    const INPUTS: usize = 12;
    const RARE: f64 = 0.04;
    let rng = &mut shared(ProblemStream::Imbalance);
    let centres: Vec<Vec<f64>> = (0..3).map(|_| unit(normals(INPUTS, rng))).collect();
    let form = GeneratedForm {
        family: Family::Noise,
        description: "Two classes of which one has 4 % of the rows",
        task: Task::Binary,
        network: Architecture::mlp(INPUTS, &[32, 32], 1, Activation::Relu),
        sizes: [12_000, 2_000, 3_000],
        batch: 64,
        steps: 6_000,
        score: MetricName::Auprc,
    };
    Ok(problem(name, form, |row| {
        let rng = &mut of_row(ProblemStream::Imbalance, row);
        let rare = uniform(rng) < RARE;
        let centre = &centres[row % centres.len()];
        let (reach, spread) = if rare { (2.5, 0.7) } else { (0.0, 1.0) };
        let x = centre.iter().map(|c| reach * c + spread * normal(rng)).collect();
        (x, f64::from(rare))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(data: &Dataset) -> &[u32] {
        let Targets::Classes { labels, .. } = &data.targets else { panic!("there are classes") };
        labels
    }

    fn inputs(data: &Dataset) -> &[f32] {
        let Features::F32 { values, .. } = &data.features else { panic!("generated inputs are numbers") };
        values
    }

    #[test]
    fn the_ill_conditioned_inputs_have_the_stated_scale() {
        let problem = ill_conditioned("v").unwrap();
        let (x, n) = (inputs(&problem.train), problem.train.rows() as f64);
        // Q preserves lengths: E|x|² = Σ aₖ². The target has variance 1 + 0.01.
        let expected: f64 = (0..32).map(|k| libm::pow(10.0, -4.0 * f64::from(k) / 31.0)).sum();
        let squares: f64 = x.iter().map(|x| f64::from(x * x)).sum::<f64>() / n;
        assert!((squares / expected - 1.0).abs() < 0.1, "{squares} for {expected}");
        let Targets::Values { values, .. } = &problem.train.targets else { panic!("a regression") };
        let variance = values.iter().map(|y| f64::from(y * y)).sum::<f64>() / n;
        assert!((variance - 1.01).abs() < 0.16, "five standard errors: {variance}");
    }

    #[test]
    fn classes_have_the_stated_frequencies() {
        let share = |data: &Dataset| labels(data).iter().filter(|l| **l == 1).count() as f64 / data.rows() as f64;
        let rare = imbalance("i").unwrap();
        assert!((share(&rare.train) - 0.04).abs() < 0.016, "five standard errors: {}", share(&rare.train));
        let words = sparse("s").unwrap();
        assert!((0.35..0.65).contains(&share(&words.train)), "{}", share(&words.train));
        let ones = inputs(&words.train).iter().sum::<f32>() / words.train.rows() as f32;
        assert!((10.0..20.0).contains(&ones), "{ones} of 400 inputs are 1");
        let noisy = noisy_labels("n").unwrap();
        assert!((0..5).all(|class| labels(&noisy.test).iter().filter(|l| **l == class).count() > 50));
    }

    #[test]
    fn rows_never_change() {
        let first = |problem: Result<Problem>| inputs(&problem.unwrap().train)[0];
        let found = [ill_conditioned("a"), deep_narrow("b"), noisy_labels("c"), imbalance("d")].map(first);
        assert_eq!(found, [-0.25784793, 0.597_507_83, 0.003592013, 0.44872645]);
    }
}
