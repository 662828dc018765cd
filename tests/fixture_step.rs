//! The real `f32` step, with its threads, kernels and optimizers, compared with the libraries: thirty steps of each
//! optimizer, and one gradient of each network. The tolerance is always ten times the difference between a library's own
//! `f32` and `f64` results, plus `1e-6`.

mod support;

use gradlane::data::Dataset;
use gradlane::model::Parameters;
use gradlane::optim::OptimizerSpec;
use gradlane::train::{Largest, StepSettings, Trainer};
use serde_json::Value;
use support::trajectory::{Clip, Setup};
use support::*;

/// The tolerance if the library's `f32` results differ by `deviation` from its `f64` results.
fn tolerance(deviation: f64) -> f64 {
    10.0 * deviation + 1e-6
}

/// Largest difference between the lists `key` of a library's `f32` and `f64` runs.
fn deviation(case: &Value, key: &str) -> f64 {
    largest_difference(&numbers(&case["f32"][key]), &numbers(&case["f64"][key]))
}

fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// The optimizer, clipping and average of a case as settings of the step.
fn settings(case: &Value, task: &Value, Setup { spec: mut optimizer, l2 }: Setup) -> StepSettings {
    let mut weight_decay = 0.0;
    if !case["bias_weight_decay"].is_null() {
        weight_decay = split_decay(case, &mut optimizer);
    }
    let mut settings = StepSettings::plain(network::objective(task), optimizer);
    settings.weight_decay = weight_decay;
    settings.l2 = l2;
    match trajectory::clip_rule(case) {
        Clip::None => {}
        Clip::Value(limit) => settings.clip_value = Some(limit),
        Clip::Global(most, norm_type) => settings.clip_norm = Some((most, norm_type)),
        Clip::EachTensor(most) => settings.clip_layer = Some(most),
    }
    settings.ema = (!case["ema"].is_null()).then(|| number(&case["ema"]["decay"]));
    settings.mean_of_means = regular_parts(case);
    settings
}

/// Rows of each micro-batch, if the step itself can average their means: all have the same size except for a shorter last
/// one, and no weights.
fn regular_parts(case: &Value) -> Option<usize> {
    let accumulation = &case["accumulation"];
    if accumulation["combine"] != "mean_of_means" || case["uses_sample_weight"] == true {
        return None;
    }
    let steps: Vec<Vec<usize>> = list(accumulation, "micro_batches")
        .iter()
        .map(|parts| parts.as_array().unwrap().iter().map(|part| indices(part).len()).collect())
        .collect();
    let first = steps[0][0];
    let regular = |parts: &Vec<usize>| {
        let (last, others) = parts.split_last().unwrap();
        others.iter().all(|rows| *rows == first) && *last <= first
    };
    steps.iter().all(regular).then_some(first)
}

/// Handles different decays of weights and biases. The optimizer's own rule applies the decay of the biases to both. The
/// returned decoupled decay of the step adds the rest for the weights: `(1 − lr λ_b)(1 − lr λ) = 1 − lr λ_w`.
fn split_decay(case: &Value, optimizer: &mut OptimizerSpec) -> f64 {
    assert_eq!(optimizer.decay(1.0, 1.0).coupled, 0.0, "{}: two coupled decays", case["name"]);
    let (lr, of_weights, of_biases) = (optimizer.lr, optimizer.weight_decay, number(&case["bias_weight_decay"]));
    assert!(of_biases == 0.0 || case["lr_per_step"].is_null(), "{}: λ would change with lr", case["name"]);
    optimizer.weight_decay = of_biases;
    (of_weights - of_biases) / (1.0 - lr * of_biases)
}

/// The rows of step `t`; sets their weights in `data`. Micro-batches that the step does not average itself become one batch.
/// A row's weight in it is its weight in the combined mean, `share · w_r / divisor` of its micro-batch, times the number of
/// all rows.
fn step_rows(case: &Value, task: &Value, data: &mut Dataset, t: usize, settings: &StepSettings) -> Vec<u32> {
    let sample = (case["uses_sample_weight"] == true).then(|| numbers(&task["sample_weight"]));
    let weight = |row: usize| sample.as_ref().map_or(1.0, |w| w[row]);
    let parts = trajectory::micro_batches(case, task, t);
    let rows: Vec<u32> = parts.iter().flat_map(|part| &part.rows).map(|row| *row as u32).collect();
    if parts.len() == 1 || settings.mean_of_means.is_some() {
        data.weights = sample.as_ref().map(|w| step::to_f32(w));
        return rows;
    }
    let mut weights = vec![f32::NAN; data.rows()];
    for part in &parts {
        let divisor = part.divisor(&settings.optimizer, weight);
        for &row in &part.rows {
            assert!(weights[row].is_nan(), "{} step {t}: row {row} comes twice", case["name"]);
            weights[row] = (rows.len() as f64 * part.share * weight(row) / divisor) as f32;
        }
    }
    data.weights = Some(weights);
    rows
}

/// The average after step `t`, in the form of the fixture. The step initialises it with the first update, `E₁ = p₁`. An
/// average that begins with the initial weights is `E′ₜ = Eₜ + decayᵗ (p₀ − p₁)`, since both follow the same recurrence.
fn average(case: &Value, trainer: &Trainer, before_and_after_first: &[Parameters; 2], t: usize) -> Parameters {
    let mut average = trainer.parameters().clone();
    average.lines.copy_from_slice(trainer.evaluated_parameters());
    match text(&case["ema"]["start"]) {
        "copy_first_update" => {}
        "initial_weights" => {
            let factor = number(&case["ema"]["decay"]).powi(t as i32) as f32;
            let [before, after] = before_and_after_first;
            for ((line, p0), p1) in average.lines.iter_mut().zip(&before.lines).zip(&after.lines) {
                for lane in 0..line.0.len() {
                    line.0[lane] += factor * (p0.0[lane] - p1.0[lane]);
                }
            }
        }
        other => panic!("unknown start of an average: {other}"),
    }
    average
}

/// Runs the steps of a case and compares after each step.
fn run_trajectory(case: &Value, task: &Value, setup: Setup, machine: (gradlane::kernel::Isa, usize)) {
    let name = format!("{} {} {} threads", text(&case["name"]), machine.0.name(), machine.1);
    let (expected, off) = (&case["f64"], &case["f32_deviation"]);
    // If a library reports a different loss from the one whose gradient it uses, the step gives the latter.
    let followed = if expected["objective"].is_null() { "loss" } else { "objective" };
    let (losses, norms) = (numbers(&expected[followed]), numbers(&expected["grad_norm"]));
    let (loss_off, norm_off) = (tolerance(number(&off["loss"])), tolerance(deviation(case, "grad_norm")));
    let mut data = step::dataset(task);
    let architecture = step::architecture(task, "init");
    let initial = step::parameters(&architecture, &task["init"]);
    let mut around_first = [initial.clone(), initial.clone()];
    let all = data.rows();
    let settings = settings(case, task, setup);
    let mut trainer = Trainer::new(&architecture, initial, settings.clone(), machine, Largest::of_one_batch(all));
    let mut checkpoints = list(expected, "checkpoints").iter().zip(numbers(&off["params"])).peekable();
    for t in 1..=losses.len() {
        let rows = step_rows(case, task, &mut data, t - 1, &settings);
        let lr = if case["lr_per_step"].is_null() { setup.spec.lr } else { number(&case["lr_per_step"][t - 1]) };
        let outcome = step::step(&mut trainer, &data, &rows, lr);
        if t == 1 {
            around_first[1] = trainer.parameters().clone();
        }
        let (loss, norm) = (outcome.loss, outcome.records[0].stats.grad_norm);
        let (want_loss, want_norm) = (losses[t - 1], norms[t - 1]);
        assert!(close(loss, want_loss, 0.0, loss_off), "{name} step {t}: loss {loss}, expected {want_loss}");
        assert!(close(norm, want_norm, 0.0, norm_off), "{name} step {t}: norm {norm}, expected {want_norm}");
        if let Some((checkpoint, off)) = checkpoints.next_if(|(c, _)| count(&c["step"]) == t) {
            let what = format!("{name} step {t}");
            step::assert_tensors(trainer.parameters(), &checkpoint["layers"], tolerance(off), &what);
            assert_eq!(case["ema"].is_null(), checkpoint["ema_layers"].is_null(), "{what}: average");
            if !case["ema"].is_null() {
                let average = average(case, &trainer, &around_first, t);
                step::assert_tensors(&average, &checkpoint["ema_layers"], tolerance(off), &format!("{what} average"));
            }
        }
    }
    assert!(checkpoints.next().is_none(), "{name}: a checkpoint was not reached");
}

#[test]
fn fixture_trajectories_through_the_f32_step() {
    for library in trajectory::LIBRARIES {
        trajectory::for_each_case(library, |case, task, setup| {
            for machine in step::machines() {
                run_trajectory(case, task, setup, machine);
            }
        });
    }
}

/// A power of two, so multiplying a gradient by it is exact; large, so the parameters are small beside the product.
const LARGE_LR: f64 = 1024.0;

/// The gradient, computed from one step of plain SGD: `g = (p₀ − p₁) / lr`.
fn gradient(before: &Parameters, after: &Parameters) -> Parameters {
    let mut gradient = before.clone();
    for (line, after) in gradient.lines.iter_mut().zip(&after.lines) {
        for (p, after) in line.0.iter_mut().zip(&after.0) {
            *p = ((f64::from(*p) - f64::from(*after)) / LARGE_LR) as f32;
        }
    }
    gradient
}

#[test]
fn fixture_gradients_through_the_f32_step() {
    let fixture = fixture("gradients.json");
    for case in list(&fixture, "cases") {
        let architecture = step::architecture(case, "layers");
        let before = step::parameters(&architecture, &case["layers"]);
        let mut data = step::dataset(case);
        data.weights = optional_numbers(&case["sample_weight"]).map(|w| step::to_f32(&w));
        let order: Vec<u32> = (0..data.rows() as u32).collect();
        let settings = StepSettings::plain(network::objective(case), "sgd".parse().unwrap());
        let expected = &case["f64"];
        let outputs = list(expected, "a").len() - 1;
        let loss_off = tolerance((number(&case["f32"]["loss"]) - number(&expected["loss"])).abs());
        let outputs_f64 = numbers(&expected["a"][outputs]);
        let outputs_off = tolerance(largest_difference(&numbers(&case["f32"]["a"][outputs]), &outputs_f64));
        for machine in step::machines() {
            let what = format!("{} {} {} threads", text(&case["name"]), machine.0.name(), machine.1);
            let largest = Largest::of_one_batch(order.len());
            let mut trainer = Trainer::new(&architecture, before.clone(), settings.clone(), machine, largest);
            let outcome = step::step(&mut trainer, &data, &order, LARGE_LR);
            let want = number(&expected["loss"]);
            assert!(close(outcome.loss, want, 0.0, loss_off), "{what}: loss {}, expected {want}", outcome.loss);
            step::assert_near(trainer.running_outputs(order.len()), &outputs_f64, outputs_off, &what);
            let got = gradient(&before, trainer.parameters()).named();
            let (want, f32_run) = (step::tensors(&expected["grads"]), step::tensors(&case["f32"]["grads"]));
            // A layer without a bias got a bias of 0. The fixture has no gradient for it; only such gradients are left out.
            let biases_added = list(case, "layers").iter().filter(|layer| layer["b"].is_null()).count();
            assert_eq!(got.len(), want.len() + biases_added, "{what}");
            for ((name, want), (_, f32_run)) in want.iter().zip(&f32_run) {
                let tensor = got.iter().find(|t| t.name == *name).unwrap_or_else(|| panic!("{what}: no {name}"));
                let off = tolerance(largest_difference(f32_run, want));
                step::assert_near(&tensor.values, want, off, &format!("{what} {name}"));
            }
        }
    }
}
