//! Activations, losses, norms and the textbook network against PyTorch's, Keras' and 60-digit figures.

mod support;

use gradlane::nn::Activation;
use support::*;

/// The activation of a fixture: its name up to a parameter written into it, and the parameters it lists.
fn activation_of(case: &serde_json::Value) -> Activation {
    let params = &case["params"];
    let name = text(&case["name"]);
    let spec = match name {
        "leaky_relu" => format!("leaky_relu:slope={}", params["negative_slope"]),
        _ if name.starts_with("elu") => format!("elu:alpha={}", params["alpha"]),
        _ => name.to_owned(),
    };
    spec.parse().unwrap_or_else(|e| panic!("{e}"))
}

/// `libm` and the formulas are good to a few ulp each; `1e-15` and `1e-7` are the fixtures' absolute tolerances.
#[test]
fn fixture_activations() {
    for case in list(&fixture("activations.json"), "activations") {
        let activation = activation_of(case);
        let columns =
            |precision: &str| ["x", "exact_value", "exact_derivative"].map(|key| numbers(&case[precision][key]));
        let check = |precision: &str, what: &str, x: f64, got: f64, want: f64, eps: f64, absolute: f64| {
            let ok = close(got, want, 4.0 * eps, absolute);
            assert!(ok, "{} {precision} {what} at {x:e}: got {got:e}, expected {want:e}", case["name"]);
        };
        let [x, value, derivative] = columns("f64");
        for ((&x, &value), &derivative) in x.iter().zip(&value).zip(&derivative) {
            let y = activation.value(x);
            check("f64", "value", x, y, value, f64::EPSILON, 1e-15);
            check("f64", "derivative", x, activation.derivative(x, y), derivative, f64::EPSILON, 1e-15);
        }
        let [x, value, derivative] = columns("f32");
        for ((&x, &value), &derivative) in x.iter().zip(&value).zip(&derivative) {
            let y = activation.value(x as f32);
            let eps = f64::from(f32::EPSILON);
            check("f32", "value", x, y.into(), value, eps, 1e-7);
            check("f32", "derivative", x, activation.derivative(x as f32, y).into(), derivative, eps, 1e-7);
        }
    }
}
