//! Networks of TabM, its embeddings and RealMLP, compared with results of the reference packages: see `tabular/make.py`.

use gradlane::data::{Dataset, Features, Targets};
use gradlane::kernel::Isa;
use gradlane::layer::Sizes;
use gradlane::layer::description::Description;
use gradlane::model::{Architecture, NamedTensor, Parameters};
use gradlane::nn::{Activation, Loss, Objective, RowTarget};
use gradlane::train::{EpochPlan, Largest, StepSettings, Trainer};
use serde_json::Value;

const OUTPUTS: usize = 3;

fn fixtures() -> Value {
    serde_json::from_str(include_str!("tabular/recipes.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn count(value: &Value) -> usize {
    value.as_u64().unwrap() as usize
}

/// The network of a case as an [`Architecture`].
fn architecture(case: &Value, inputs: usize) -> Architecture {
    let chain: toml::Value = serde_json::from_value(case["chain"].clone()).unwrap();
    let table = toml::Table::from_iter([("chain".to_owned(), chain)]);
    let layers = Description::new(table).and_then(|d| d.layers(Sizes { inputs, outputs: OUTPUTS })).unwrap();
    Architecture {
        inputs,
        hidden: vec![],
        outputs: OUTPUTS,
        activations: vec![],
        output_activation: Activation::Identity,
        norm: None,
        residual: false,
        dropout: 0.0,
        chain: Some(layers),
    }
}

/// The tensors of a part of the case, by name.
fn tensors(case: &Value, part: &str) -> Vec<NamedTensor> {
    let tensor = |(name, tensor): (&String, &Value)| NamedTensor {
        name: name.clone(),
        shape: tensor["shape"].as_array().unwrap().iter().map(count).collect(),
        values: numbers(&tensor["values"]).into_iter().map(|x| x as f32).collect(),
    };
    case[part].as_object().unwrap().iter().map(tensor).collect()
}

fn assert_close(found: &[f64], expected: &[f64], most: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= most * (1.0 + expected.abs()), "{what} {i}: {found}, expected {expected}");
    }
}

#[test]
fn outputs_and_gradients_agree_with_the_packages() {
    let all = fixtures();
    let (rows, inputs) = (count(&all["rows"]), count(&all["inputs"]));
    for case in all["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let architecture = architecture(case, inputs);
        let (network, parameters) = (architecture.network(), Parameters::zeros(&architecture));
        let names: Vec<String> = parameters.names().into_iter().map(|tensor| tensor.name).collect();
        let of = |part: &str| -> Vec<Vec<f64>> {
            names.iter().map(|name| numbers(&case[part][name.as_str()]["values"])).collect()
        };
        let (init, x, y) = (of("init"), numbers(&case["x"]), numbers(&case["y"]));
        let objective = Objective::new(Loss::CrossEntropy, 0.0).unwrap();
        let mut gradients: Vec<Vec<f64>> = init.iter().map(|t| vec![0.0; t.len()]).collect();
        let mut outputs = Vec::new();
        for (x, y) in x.chunks(inputs).zip(&y) {
            let (_, pass) = network.define_loss(x, &init, (&objective, &RowTarget::Class(*y)), 1.0 / rows as f64);
            outputs.extend(pass.y);
            gradients.iter_mut().flatten().zip(pass.tensors.iter().flatten()).for_each(|(sum, g)| *sum += g);
        }
        // In RealMLP's case, weights that are not exact in single precision differ by rounding in the last bit.
        assert_close(&outputs, &numbers(&case["outputs"]), 1e-9, name);
        for ((found, expected), tensor) in gradients.iter().zip(of("gradients")).zip(&names) {
            assert_close(found, &expected, 1e-9, &format!("{name}: {tensor}"));
        }
    }
}

#[test]
fn ten_steps_agree_with_the_packages() {
    let all = fixtures();
    let (rows, inputs) = (count(&all["rows"]), count(&all["inputs"]));
    for case in all["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let architecture = architecture(case, inputs);
        let labels = numbers(&case["y"]).into_iter().map(|y| y as u32).collect();
        let x = numbers(&case["x"]).into_iter().map(|x| x as f32).collect();
        let data = Dataset {
            features: Features::F32 { values: x, cols: inputs },
            targets: Targets::Classes { labels, classes: OUTPUTS },
            weights: None,
        };
        let objective = Objective::new(Loss::CrossEntropy, 0.0).unwrap();
        let optimizer = case["optimizer"].as_str().unwrap().parse().unwrap();
        let weight_decay = case["weight_decay"].as_f64().unwrap();
        let settings = StepSettings { weight_decay, ..StepSettings::plain(objective, optimizer) };
        let initial = Parameters::from_named(&architecture, &tensors(case, "init")).unwrap();
        let lr = case["lr"].as_f64().unwrap();
        for machine in Isa::available().into_iter().flat_map(|isa| [(isa, 1), (isa, 3)]) {
            let mut trainer =
                Trainer::new(&architecture, initial.clone(), settings.clone(), machine, Largest::of_one_batch(rows));
            let order: Vec<u32> = (0..rows as u32).collect();
            for (epoch, expected) in numbers(&case["losses"]).into_iter().enumerate() {
                let rate = |_| lr;
                let plan = EpochPlan::new(&data, &order, (epoch as u64, rows), &rate);
                let loss = trainer.epoch(&plan).loss;
                assert_close(&[loss], &[expected], 2e-6, &format!("{name}: loss of step {epoch}"));
            }
            // Adam divides small gradients by their size, so a single-precision error may become 1e-3 of a step.
            for (found, expected) in trainer.parameters().named().iter().zip(trainer.parameters().names()) {
                let found: Vec<f64> = found.values.iter().map(|x| f64::from(*x)).collect();
                let wanted = numbers(&case["end"][expected.name.as_str()]["values"]);
                assert_close(&found, &wanted, 5e-5, &format!("{name}: {} at the end", expected.name));
            }
        }
    }
}
