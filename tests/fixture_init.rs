//! Initial weights compared with the bounds and standard deviations of PyTorch, Keras and scikit-learn.

mod support;

use gradlane::nn::init::Distribution;
use gradlane::nn::{Activation, Init};
use serde_json::Value;
use support::*;

/// Minimum of the numbers drawn for each case.
const DRAWS: usize = 100_000;

/// The initialisation of a case and its activation.
fn init_of(case: &Value) -> (Init, Activation) {
    let scheme = text(&case["scheme"]);
    let name = match (text(&case["library"]), scheme) {
        ("torch", "torch_linear_default_weight" | "torch_linear_default_bias") => "torch_default",
        ("sklearn", "sklearn_default_weight_and_bias") => "sklearn",
        ("torch" | "keras", scheme) => scheme,
        other => panic!("unknown scheme {other:?}"),
    };
    let mut options = Vec::new();
    let has_own_gain = ["relu", "leaky_relu"].map(Value::from).contains(&case["gain_for"]);
    if !case["gain"].is_null() && !has_own_gain {
        options.push(format!("gain={}", case["gain"]));
    }
    match case["mode"].as_str() {
        None | Some("fan_in") => {}
        Some("fan_out") => options.push("fan_out=true".to_owned()),
        Some(other) => panic!("unknown mode {other}"),
    }
    if case["distribution"] == "truncated_normal" {
        options.push("truncated=true".to_owned());
    }
    let spec = if options.is_empty() { name.to_owned() } else { format!("{name}:{}", options.join(",")) };
    let activation = match (case["activation"].as_str(), case["gain_for"].as_str()) {
        (Some("logistic"), _) => Activation::Sigmoid,
        (None, Some("leaky_relu")) => Activation::LeakyRelu { slope: number(&case["negative_slope"]) },
        (Some("relu"), _) | (None, Some("linear" | "tanh" | "relu")) | (None, None) => Activation::Relu,
        other => panic!("unknown activation {other:?}"),
    };
    (spec.parse().unwrap_or_else(|e| panic!("{e}")), activation)
}

/// Checks that the mean is near 0, that the standard deviation is within five standard errors, and that no number exceeds
/// the bound.
fn assert_drawn(distribution: &Distribution, rows: usize, cols: usize, std: f64, what: &str) {
    let tensors = DRAWS.div_ceil(rows * cols) as u64;
    let values: Vec<f64> =
        (0..tensors).flat_map(|tensor| distribution.fill(1, tensor, rows, cols)).map(f64::from).collect();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let found = (values.iter().map(|v| v * v).sum::<f64>() / n).sqrt();
    assert!(mean.abs() < 5.0 * std / n.sqrt(), "{what}: mean {mean}");
    assert!((found / std - 1.0).abs() < 5.0 / (2.0 * n).sqrt(), "{what}: deviation {found}, expected {std}");
    let largest = values.iter().fold(0.0, |max: f64, v| max.max(v.abs()));
    assert!(largest <= f64::from(distribution.bound() as f32), "{what}: {largest} is beyond the bound");
    assert!(!distribution.bound().is_finite() || largest > 0.99 * distribution.bound(), "{what}: largest is {largest}");
}

/// Checks that rows (or columns, if there are more rows) are orthogonal and have the expected length.
fn assert_orthogonal(case: &Value, distribution: &Distribution, rows: usize, cols: usize) {
    let (size, length) = (count(&case["gram_size"]), number(&case["gram_diagonal"]));
    let w: Vec<f64> = distribution.fill(1, 0, rows, cols).into_iter().map(f64::from).collect();
    let (of_rows, depth) = match text(&case["gram"]) {
        "w w^T" => (true, cols),
        "w^T w" => (false, rows),
        other => panic!("unknown Gram matrix {other}"),
    };
    let at = |i: usize, k: usize| if of_rows { w[i * cols + k] } else { w[k * cols + i] };
    for i in 0..size {
        for j in 0..size {
            let got: f64 = (0..depth).map(|k| at(i, k) * at(j, k)).sum();
            let want = if i == j { length } else { 0.0 };
            // weights are f32
            assert!((got - want).abs() < 1e-6, "{} {rows}x{cols} gram ({i}, {j}): {got}", case["scheme"]);
        }
    }
}

#[test]
fn fixture_init() {
    for case in list(&fixture("init.json"), "cases") {
        let (init, activation) = init_of(case);
        let (rows, cols) = (count(&case["shape"][0]), count(&case["shape"][1]));
        assert_eq!((rows, cols), (count(&case["fan_out"]), count(&case["fan_in"])));
        let what = format!("{init} for {activation} of {rows}x{cols}");
        let is_bias = case["scheme"] == "torch_linear_default_bias";
        let distribution =
            if is_bias { init.biases(rows, cols, activation) } else { init.weights(rows, cols, activation) };
        let std = &case["std"];
        match (text(&case["distribution"]), distribution) {
            ("uniform", Distribution::Uniform { bound }) => {
                assert_all_close(&[bound, bound / 3f64.sqrt()], &[number(&case["bound"]), number(std)], &what);
            }
            ("normal", Distribution::Normal { std: ours }) => assert_all_close(&[ours], &[number(std)], &what),
            ("truncated_normal", Distribution::TruncatedNormal { std: ours }) => {
                let underlying = distribution.bound() / 2.0;
                let expected = ["std", "bound", "underlying_std"].map(|key| number(&case[key]));
                assert_all_close(&[ours, distribution.bound(), underlying], &expected, &what);
            }
            ("orthogonal", Distribution::Orthogonal { .. }) => {
                assert_orthogonal(case, &distribution, rows, cols);
                continue;
            }
            (expected, got) => panic!("{what}: expected {expected}, got {got:?}"),
        }
        assert_drawn(&distribution, rows, cols, number(std), &what);
    }
}
