//! Training without hidden layers compared with exact solutions: least squares and ridge by the normal equations, logistic
//! regression by Newton's method, both in `f64`. Also the smallest and the largest batch.

mod support;

use gradlane::data::{Dataset, Features, Targets};
use gradlane::kernel::Isa;
use gradlane::model::{Architecture, Parameters};
use gradlane::nn::{Activation, Loss, Objective};
use gradlane::rng::{Purpose, stream};
use gradlane::train::{EpochPlan, Largest, StepSettings, Trainer};
use rand::RngExt;

/// Two blocks of 1,024 rows and a part of a third, whose last panel is not full.
const ROWS: usize = 2_500;
const INPUTS: usize = 3;

/// A network without hidden layers.
fn regression() -> Architecture {
    Architecture::mlp(INPUTS, &[], 1, Activation::Identity)
}

/// Inputs within ±1; the last is correlated with the first.
fn inputs() -> Vec<f32> {
    let mut rng = stream(11, Purpose::Synthetic, 0, 0);
    (0..ROWS)
        .flat_map(|_| {
            let x: [f32; INPUTS] = std::array::from_fn(|_| 2.0 * rng.random::<f32>() - 1.0);
            [x[0], x[1], 0.5 * x[0] + 0.5 * x[2]]
        })
        .collect()
}

/// `1.5 x₀ − 2 x₁ + 0.5 x₂ + 0.7` for each row, plus noise within `±noise`.
fn noisy_plane(x: &[f32], noise: f32) -> Vec<f32> {
    let mut rng = stream(11, Purpose::Synthetic, 1, 0);
    let plane = |x: &[f32]| 1.5 * x[0] - 2.0 * x[1] + 0.5 * x[2] + 0.7;
    x.chunks_exact(INPUTS).map(|x| plane(x) + noise * (2.0 * rng.random::<f32>() - 1.0)).collect()
}

fn linear_data() -> Dataset {
    let x = inputs();
    let targets = Targets::Values { values: noisy_plane(&x, 1.0), units: None, cols: 1 };
    Dataset { features: Features::F32 { values: x, cols: INPUTS }, targets, weights: None }
}

/// Classes drawn with the logistic of the plane as probability, so that they overlap.
fn logistic_data() -> Dataset {
    let x = inputs();
    let mut rng = stream(11, Purpose::Synthetic, 2, 0);
    let draw = |z: f32| u32::from(rng.random::<f32>() < 1.0 / (1.0 + (-z).exp()));
    let labels = noisy_plane(&x, 0.0).into_iter().map(draw).collect();
    let targets = Targets::Classes { labels, classes: 2 };
    Dataset { features: Features::F32 { values: x, cols: INPUTS }, targets, weights: None }
}

/// Each row, with a 1 appended for the bias, and its target.
fn rows(data: &Dataset) -> Vec<([f64; INPUTS + 1], f64)> {
    let Features::F32 { values, .. } = &data.features else { unreachable!() };
    let target = |row: usize| match &data.targets {
        Targets::Values { values, .. } => f64::from(values[row]),
        Targets::Classes { labels, .. } => f64::from(labels[row]),
    };
    let with_one = |x: &[f32]| [x[0].into(), x[1].into(), x[2].into(), 1.0];
    values.chunks_exact(INPUTS).enumerate().map(|(row, x)| (with_one(x), target(row))).collect()
}

type Vector = [f64; INPUTS + 1];
type Matrix = [Vector; INPUTS + 1];

/// Solves `A x = b` by Gaussian elimination with partial pivoting.
fn solve(mut a: Matrix, mut b: Vector) -> Vector {
    let n = b.len();
    for col in 0..n {
        let pivot = (col..n).max_by(|i, j| a[*i][col].abs().total_cmp(&a[*j][col].abs())).unwrap();
        a.swap(col, pivot);
        b.swap(col, pivot);
        for row in col + 1..n {
            let factor = a[row][col] / a[col][col];
            let above = a[col];
            a[row].iter_mut().zip(above).for_each(|(a, above)| *a -= factor * above);
            b[row] -= factor * b[col];
        }
    }
    for row in (0..n).rev() {
        b[row] = (b[row] - (row + 1..n).map(|k| a[row][k] * b[k]).sum::<f64>()) / a[row][row];
    }
    b
}

/// Adds `factor · x xᵀ`.
fn add_outer(a: &mut Matrix, factor: f64, x: &Vector) {
    for (row, xi) in a.iter_mut().zip(x) {
        row.iter_mut().zip(x).for_each(|(a, xj)| *a += factor * xi * xj);
    }
}

/// The minimum of `mean (w·x + b − y)² + ½ λ |w|²`, from `(2/n XᵀX + λ I) θ = 2/n Xᵀy`; the bias is not penalised.
fn normal_equations(data: &Dataset, l2: f64) -> Vector {
    let (mut a, mut b) = (Matrix::default(), Vector::default());
    let factor = 2.0 / ROWS as f64;
    for (x, y) in rows(data) {
        add_outer(&mut a, factor, &x);
        b.iter_mut().zip(x).for_each(|(b, x)| *b += factor * x * y);
    }
    (0..INPUTS).for_each(|i| a[i][i] += l2);
    solve(a, b)
}

/// The minimum of the mean binary cross-entropy `+ ½ λ |w|²`, by Newton's method.
fn newton(data: &Dataset, l2: f64) -> Vector {
    let mut theta = Vector::default();
    for _ in 0..50 {
        let (mut hessian, mut gradient) = (Matrix::default(), Vector::default());
        for (x, t) in rows(data) {
            let z: f64 = theta.iter().zip(x).map(|(w, x)| w * x).sum();
            let p = 1.0 / (1.0 + (-z).exp());
            add_outer(&mut hessian, p * (1.0 - p) / ROWS as f64, &x);
            gradient.iter_mut().zip(x).for_each(|(g, x)| *g += (p - t) * x / ROWS as f64);
        }
        for i in 0..INPUTS {
            hessian[i][i] += l2;
            gradient[i] += l2 * theta[i];
        }
        let change = solve(hessian, gradient);
        theta.iter_mut().zip(change).for_each(|(t, c)| *t -= c);
        if change.iter().all(|c| c.abs() < 1e-13) {
            return theta;
        }
    }
    panic!("Newton's method did not converge");
}

fn settings(loss: Loss, optimizer: &str) -> StepSettings {
    StepSettings::plain(Objective::new(loss, 0.0).unwrap(), optimizer.parse().unwrap())
}

/// Weights and bias after `epochs` epochs, starting from zero.
fn train(
    data: &Dataset,
    settings: &StepSettings,
    batch: usize,
    epochs: u64,
    lr: &(dyn Fn(u64) -> f64 + Sync),
) -> Vec<f32> {
    let network = regression();
    let machine = (Isa::detect(), 2);
    let mut trainer = Trainer::new(
        &network,
        Parameters::zeros(&network),
        settings.clone(),
        machine,
        Largest { batch, epoch: data.rows() },
    );
    let order: Vec<u32> = (0..data.rows() as u32).collect();
    for epoch in 0..epochs {
        let plan = EpochPlan::new(data, &order, (epoch, batch), lr);
        let outcome = trainer.epoch(&plan);
        assert!(outcome.halt.is_none(), "{outcome:?}");
    }
    trainer.parameters().named().into_iter().flat_map(|tensor| tensor.values).collect()
}

/// Full-batch descent ends with a gradient of a few f32 rounding errors, about 1e-7. Divided by the smallest curvature of
/// these problems, about 0.03, this is an error of the weights of about 1e-5.
const TOLERANCE: f64 = 2e-5;

#[test]
fn linear_regression_agrees_with_the_normal_equations() {
    let data = linear_data();
    let got = train(&data, &settings(Loss::Mse, "nesterov"), ROWS, 600, &|_| 0.1);
    support::step::assert_near(&got, &normal_equations(&data, 0.0), TOLERANCE, "least squares");
}

#[test]
fn ridge_regression_agrees_with_the_normal_equations() {
    let data = linear_data();
    let mut ridge = settings(Loss::Mse, "nesterov");
    ridge.l2 = 0.3;
    let got = train(&data, &ridge, ROWS, 600, &|_| 0.1);
    let want = normal_equations(&data, 0.3);
    support::step::assert_near(&got, &want, TOLERANCE, "ridge");
    let shrunk = (want[0] - normal_equations(&data, 0.0)[0]).abs();
    assert!(shrunk > 0.1, "the penalty must matter here, found {shrunk}");
}

#[test]
fn logistic_regression_agrees_with_newtons_method() {
    let data = logistic_data();
    for l2 in [0.0, 0.05] {
        let mut penalised = settings(Loss::Bce, "nesterov");
        penalised.l2 = l2;
        let got = train(&data, &penalised, ROWS, 1500, &|_| 0.5);
        support::step::assert_near(&got, &newton(&data, l2), TOLERANCE, "logistic regression");
    }
}

#[test]
fn batches_of_one_row_reach_the_normal_equations() {
    let data = linear_data();
    // Robbins & Monro's falling learning rates. At the last one, 5e-4, the weights fluctuate about the minimum with a
    // standard deviation of √(rate · noise variance) = √(5e-4 / 3) = 0.013; the tolerance is three of these.
    let got = train(&data, &settings(Loss::Mse, "sgd"), 1, 20, &|step| 0.05 / (1.0 + step as f64 / 500.0));
    support::step::assert_near(&got, &normal_equations(&data, 0.0), 4e-2, "one row a step");
}

#[test]
fn a_batch_of_several_blocks_is_the_mean_over_all_its_rows() {
    let data = linear_data();
    // One step from zero with rate ½ gives minus half the gradient: mean (x y) and mean y.
    let got = train(&data, &settings(Loss::Mse, "sgd"), ROWS, 1, &|_| 0.5);
    let mut want = Vector::default();
    for (x, y) in rows(&data) {
        want.iter_mut().zip(x).for_each(|(w, x)| *w += x * y / ROWS as f64);
    }
    // One chain of 2,500 products: its rounding errors are a random walk of √2500 half ulps, 3e-6 for a sum below 1.
    support::step::assert_near(&got, &want, 3e-6, "a step");
}

#[test]
fn a_batch_of_several_blocks_has_the_same_bits_on_any_number_of_threads() {
    let data = logistic_data();
    let network =
        Architecture { hidden: vec![20, 9], activations: vec![Activation::Relu, Activation::Tanh], ..regression() };
    let mut settings = settings(Loss::Bce, "adam");
    settings.clip_norm = Some((0.1, "2".parse().unwrap()));
    let order: Vec<u32> = (0..ROWS as u32).rev().collect();
    let bits = |threads: usize| -> Vec<u32> {
        let parameters = Parameters::init(&network, None, 5);
        let machine = (Isa::detect(), threads);
        let mut trainer = Trainer::new(&network, parameters, settings.clone(), machine, Largest::of_one_batch(ROWS));
        for _ in 0..3 {
            support::step::step(&mut trainer, &data, &order, 0.01);
        }
        let weights = trainer.parameters().named().into_iter().flat_map(|t| t.values);
        weights.chain(trainer.running_outputs(ROWS).iter().copied()).map(f32::to_bits).collect()
    };
    let one = bits(1);
    for threads in [2, 3, 8] {
        assert!(bits(threads) == one, "{threads} threads");
    }
}
