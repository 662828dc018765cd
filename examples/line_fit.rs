//! Fits lines through noisy points of `y = 3x` and `y = 2x` with a network of one weight and one bias, trained by full-batch
//! gradient descent, and compares them with the closed-form least-squares line.

use gradlane::data::synthetic;
use gradlane::data::{Dataset, Features, Targets};
use gradlane::kernel::Isa;
use gradlane::model::{Architecture, Parameters};
use gradlane::nn::{Activation, Loss, Objective};
use gradlane::train::{EpochPlan, Largest, StepSettings, Trainer};

const ROWS: usize = 200;

/// Slope and intercept of least squares: `Σ (x − x̄)(y − ȳ) / Σ (x − x̄)²` and `ȳ − slope · x̄`.
fn least_squares(data: &Dataset) -> (f64, f64) {
    let (Features::F32 { values: x, .. }, Targets::Values { values: y, .. }) = (&data.features, &data.targets) else {
        unreachable!("a line is made of numbers")
    };
    let mean = |v: &[f32]| v.iter().map(|v| f64::from(*v)).sum::<f64>() / v.len() as f64;
    let (x_mean, y_mean) = (mean(x), mean(y));
    let (mut covariance, mut variance) = (0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        covariance += (f64::from(*x) - x_mean) * (f64::from(*y) - y_mean);
        variance += (f64::from(*x) - x_mean).powi(2);
    }
    let slope = covariance / variance;
    (slope, y_mean - slope * x_mean)
}

/// Slope and intercept by 300 steps of gradient descent from zero.
fn gradient_descent(data: &Dataset) -> (f64, f64) {
    let line = Architecture::mlp(1, &[], 1, Activation::Identity);
    let settings = StepSettings::plain(
        Objective::new(Loss::Mse, 0.0).expect("no label smoothing"),
        "sgd".parse().expect("a name of an optimizer"),
    );
    let mut trainer =
        Trainer::new(&line, Parameters::zeros(&line), settings, (Isa::detect(), 1), Largest::of_one_batch(ROWS));
    let order: Vec<u32> = (0..ROWS as u32).collect();
    for epoch in 0..300 {
        let outcome = trainer.epoch(&EpochPlan::new(data, &order, (epoch, ROWS), &|_| 0.3));
        if [0, 1, 3, 9, 29, 99, 299].contains(&epoch) {
            println!("  step {:>3}: mean squared error {:.6}", epoch + 1, outcome.loss);
        }
    }
    let tensors = trainer.parameters().named();
    (tensors[0].values[0].into(), tensors[1].values[0].into())
}

/// Fits both lines with both methods and compares the results.
pub fn main() {
    for true_slope in [3.0, 2.0] {
        println!("y = {true_slope} x + noise, {ROWS} rows");
        let data = synthetic::line(ROWS, true_slope, 0.0, 0.1, 42);
        let (slope, intercept) = gradient_descent(&data);
        let (exact_slope, exact_intercept) = least_squares(&data);
        println!("  gradient descent: y = {slope:.6} x {intercept:+.6}");
        println!("  closed form:      y = {exact_slope:.6} x {exact_intercept:+.6}\n");
        // f32 has seven digits; the fixed point of the descent is a few rounding errors away from the exact one.
        assert!((slope - exact_slope).abs() < 2e-6 && (intercept - exact_intercept).abs() < 2e-6);
        // With noise of 0.1 the standard error of the slope is 0.1 / √(200 / 3) = 0.012; the tolerance is four of these.
        assert!((slope - f64::from(true_slope)).abs() < 0.05);
    }
}
