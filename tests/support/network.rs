//! The textbook network of a fixture: `tasks.json` and `gradients.json` describe it alike.

use gradlane::nn::textbook::{Layer, Network, Parameters, Skip, Targets};
use gradlane::nn::{Norm, NormKind, Objective};
use serde_json::Value;

use super::*;

/// The loss by the fixtures' name.
pub fn objective(case: &Value) -> Objective {
    let spec = match text(&case["loss"]) {
        "softmax_cross_entropy" => "cross_entropy".to_owned(),
        "bce_with_logits" => "bce".to_owned(),
        "mse" => "mse".to_owned(),
        "half_squared_error_sum" => "half_squared_error_sum".to_owned(),
        "huber" => format!("huber:delta={}", case["loss_params"]["delta"]),
        other => panic!("unknown loss {other}"),
    };
    Objective::new(spec.parse().unwrap_or_else(|e| panic!("{e}")), 0.0).unwrap()
}

/// Weights, biases and norms of one layer, as the fixtures list them.
pub fn parameters(layer: &Value) -> Parameters<f64> {
    Parameters {
        weight: numbers(&layer["w"]),
        bias: optional_numbers(&layer["b"]),
        gain: optional_numbers(&layer["norm_weight"]),
        shift: optional_numbers(&layer["norm_bias"]),
        projection: None,
    }
}

/// The network of `case`, whose layers are listed under `layers_key`.
pub fn network(case: &Value, layers_key: &str) -> Network<f64> {
    let sizes = indices(&case["layer_sizes"]);
    let activations = list(case, "activations");
    let layers = list(case, layers_key).iter().enumerate().map(|(l, layer)| {
        let parameters = parameters(layer);
        Layer {
            fan_in: sizes[l],
            fan_out: sizes[l + 1],
            norm: parameters.gain.is_some().then(|| norm(&case["norm"])),
            activation: text(&activations[l]).parse().unwrap_or_else(|e| panic!("{e}")),
            skip: Skip::None,
            parameters,
        }
    });
    Network { layers: layers.collect(), objective: objective(case) }
}

fn norm(norm: &Value) -> Norm {
    let kind = match text(&norm["kind"]) {
        "layer_norm" => NormKind::Layer,
        "rms_norm" => NormKind::Rms,
        other => panic!("unknown norm {other}"),
    };
    Norm { kind, eps: number(&norm["eps"]) }
}

/// Targets of the kind that `case` says.
pub fn targets<'a>(case: &Value, y: &'a [f64]) -> Targets<'a, f64> {
    match text(&case["y_kind"]) {
        "class_index" => Targets::Classes(y),
        "dense" => Targets::Values(y),
        other => panic!("unknown kind of targets {other}"),
    }
}
