//! The real `f32` step for a fixture. `tasks.json` and `gradients.json` describe networks and rows in the same way.

use gradlane::data::{Dataset, Features, Targets};
use gradlane::kernel::Isa;
use gradlane::model::{Architecture, NamedTensor, Parameters};
use gradlane::nn::Activation;
use gradlane::train::{EpochOutcome, EpochPlan, Trainer};
use serde_json::Value;

use super::*;

/// Every instruction set of this CPU, with one and with three threads.
pub fn machines() -> Vec<(Isa, usize)> {
    Isa::available().into_iter().flat_map(|isa| [(isa, 1), (isa, 3)]).collect()
}

/// The network of `case`, whose layers are listed under `layers_key`.
///
/// If an `Architecture` cannot describe it: all hidden layers must have the same norm or none, with the default `eps`.
pub fn architecture(case: &Value, layers_key: &str) -> Architecture {
    let sizes = indices(&case["layer_sizes"]);
    let mut activations: Vec<Activation> =
        list(case, "activations").iter().map(|a| text(a).parse().unwrap_or_else(|e| panic!("{e}"))).collect();
    let output_activation = activations.pop().unwrap();
    let norm = (!case["norm"].is_null()).then(|| network::norm(&case["norm"]));
    for (l, layer) in list(case, layers_key).iter().enumerate() {
        let expected = norm.is_some() && l + 2 < sizes.len();
        assert_eq!(!layer["norm_weight"].is_null(), expected, "{}: norm of layer {l}", case["name"]);
    }
    let (inputs, outputs) = (sizes[0], sizes[sizes.len() - 1]);
    let hidden = sizes[1..sizes.len() - 1].to_vec();
    Architecture {
        inputs,
        hidden,
        outputs,
        activations,
        output_activation,
        norm,
        residual: false,
        dropout: 0.0,
        chain: None,
    }
}

/// The tensors of the listed layers, by their names in a model; null ones are left out.
pub fn tensors(layers: &Value) -> Vec<(String, Vec<f64>)> {
    let keys = [("w", "layers", "weight"), ("b", "layers", "bias")];
    let keys = keys.into_iter().chain([("norm_weight", "norms", "weight"), ("norm_bias", "norms", "bias")]);
    let layers = layers.as_array().unwrap_or_else(|| panic!("expected layers, found {layers}"));
    layers
        .iter()
        .enumerate()
        .flat_map(|(l, layer)| keys.clone().map(move |(key, of, what)| (format!("{of}.{l}.{what}"), &layer[key])))
        .filter_map(|(name, values)| optional_numbers(values).map(|values| (name, values)))
        .collect()
}

/// The parameters of the listed layers. A layer without a bias gets a bias of 0, which changes nothing before the first
/// update.
pub fn parameters(architecture: &Architecture, layers: &Value) -> Parameters {
    let mut named = Parameters::zeros(architecture).named();
    let given = tensors(layers);
    for NamedTensor { name, values, .. } in &mut named {
        match given.iter().find(|(given, _)| given == name) {
            Some((_, numbers)) => *values = to_f32(numbers),
            None => assert!(name.starts_with("layers") && name.ends_with("bias"), "{name} is missing"),
        }
    }
    assert!(given.iter().all(|(name, _)| named.iter().any(|t| t.name == *name)), "a tensor too many");
    Parameters::from_named(architecture, &named).unwrap_or_else(|e| panic!("{e}"))
}

/// Numbers rounded to `f32`.
pub fn to_f32(values: &[f64]) -> Vec<f32> {
    values.iter().map(|v| *v as f32).collect()
}

/// The rows of a case or task, all with weight 1.
pub fn dataset(case: &Value) -> Dataset {
    let sizes = indices(&case["layer_sizes"]);
    let (inputs, outputs) = (sizes[0], sizes[sizes.len() - 1]);
    let targets = match text(&case["y_kind"]) {
        "class_index" => {
            let labels = indices(&case["y"]).into_iter().map(|label| label as u32).collect();
            Targets::Classes { labels, classes: outputs.max(2) }
        }
        "dense" => Targets::Values { values: to_f32(&numbers(&case["y"])), units: None, cols: outputs },
        other => panic!("unknown kind of targets {other}"),
    };
    let features = Features::F32 { values: to_f32(&numbers(&case["x"])), cols: inputs };
    Dataset { features, targets, weights: None }
}

/// One step on the rows `rows` of `data`.
pub fn step(trainer: &mut Trainer, data: &Dataset, rows: &[u32], lr: f64) -> EpochOutcome {
    let plan = EpochPlan {
        data,
        order: rows,
        own_orders: &[],
        epoch: 0,
        batch: rows.len(),
        lr: &|_| lr,
        stop: &|_| false,
        momentum: &|_| None,
        tol_grad: None,
        log_steps: Some(1),
    };
    let outcome = trainer.epoch(&plan);
    assert!(outcome.halt.is_none() && outcome.rows == rows.len(), "{outcome:?}");
    outcome
}

/// Fails with `what` unless the tensors of `got` agree with those of the listed layers up to `absolute`.
pub fn assert_tensors(got: &Parameters, layers: &Value, absolute: f64, what: &str) {
    let named = got.named();
    let want = tensors(layers);
    assert_eq!(named.len(), want.len(), "{what}: tensors");
    for (name, want) in want {
        let tensor = named.iter().find(|t| t.name == name).unwrap_or_else(|| panic!("{what}: no {name}"));
        assert_near(&tensor.values, &want, absolute, &format!("{what} {name}"));
    }
}

/// Fails with `what` and the position unless the lists agree up to `absolute`.
pub fn assert_near(got: &[f32], want: &[f64], absolute: f64, what: &str) {
    assert_eq!(got.len(), want.len(), "{what}: lengths");
    for (i, (&got, &want)) in got.iter().zip(want).enumerate() {
        assert!(close(got.into(), want, 0.0, absolute), "{what}[{i}]: got {got:e}, expected {want:e} ± {absolute:e}");
    }
}
