//! Schedule-Free AdamW and L-BFGS compared with their own packages, by trajectories that `trajectories/make.py` computed.
//! Once in `f64` by the definition of the network, and once with the `f32` step, whose tolerance is ten times the error of
//! the packages' own `f32` results plus 1e-6.

mod support;

use std::path::Path;

use gradlane::model::Parameters;
use gradlane::optim::lbfgs::Minimizer;
use gradlane::optim::rule::{between, step};
use gradlane::optim::schedule_free::Averaged;
use gradlane::optim::{Algorithm, Carried, ElementWise, Lbfgs, Optimizer, OptimizerSpec, Rule, ScheduleFree};
use gradlane::train::{Largest, StepSettings, Trainer};
use serde_json::Value;
use support::network::Defined;
use support::*;

/// Reads a file of `tests/trajectories`.
fn trajectories(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trajectories").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The optimizer of a case, read from the text that a user would write.
fn spec_of(case: &Value) -> OptimizerSpec {
    let name = match text(&case["optimizer"]) {
        "AdamWScheduleFree" => "schedulefree",
        "LBFGS" => "lbfgs",
        other => panic!("unknown optimizer {other}"),
    };
    let option = |(key, value): (&String, &Value)| match &key[..] {
        "betas" => format!("beta1={},beta2={}", value[0], value[1]),
        key => format!("{key}={value}"),
    };
    let options: Vec<String> = case["options"].as_object().unwrap().iter().map(option).collect();
    format!("{name}:{}", options.join(",")).parse().unwrap_or_else(|e| panic!("{e}"))
}

fn rate(case: &Value, spec: &OptimizerSpec, t: usize) -> f64 {
    if case["lr_per_step"].is_null() { spec.lr } else { number(&case["lr_per_step"][t - 1]) }
}

/// Rows of step `t`, counted from 1.
fn rows(case: &Value, task: &Value, t: usize) -> Vec<usize> {
    if case["optimizer"] == "LBFGS" { (0..count(&task["rows"])).collect() } else { indices(&task["batches"][t - 1]) }
}

fn set_parameters(network: &mut Defined, values: &[f64]) {
    let mut values = values.iter();
    network.tensors.iter_mut().flatten().for_each(|p| *p = *values.next().unwrap());
}

/// The numbers of the listed layers, concatenated.
fn listed(layers: &Value) -> Vec<f64> {
    network::tensors(layers).concat()
}

/// The state after one step: the loss before it, the parameters, and the parameters to be evaluated if these differ.
struct Step {
    loss: f64,
    parameters: Vec<f64>,
    evaluated: Option<Vec<f64>>,
}

fn assert_case(case: &Value, steps: &[Step]) {
    let (name, expected) = (text(&case["name"]), &case["f64"]);
    let losses: Vec<f64> = steps.iter().map(|step| step.loss).collect();
    assert_all_close(&losses, &numbers(&expected["loss"]), &format!("{name} loss"));
    for checkpoint in list(expected, "checkpoints") {
        let t = count(&checkpoint["step"]);
        let (step, what) = (&steps[t - 1], format!("{name} step {t}"));
        assert_all_close(&step.parameters, &listed(&checkpoint["layers"]), &what);
        assert_eq!(step.evaluated.is_none(), checkpoint["eval_layers"].is_null(), "{what}");
        if let Some(evaluated) = &step.evaluated {
            assert_all_close(evaluated, &listed(&checkpoint["eval_layers"]), &format!("{what}, evaluated"));
        }
    }
}

fn run_schedule_free(case: &Value, task: &Value, spec: &OptimizerSpec, options: ScheduleFree) -> Vec<Step> {
    let mut network = network::network(task, "init");
    let mut y = network.tensors.concat();
    let mut state = vec![[0.0; 2]; y.len()];
    let mut carried = Carried::default();
    let run = (1..=list(task, "batches").len()).map(|t| {
        let pass = network.pass_of_task(task, &rows(case, task, t), false);
        let lr = rate(case, spec, t);
        let scalars = Averaged(options).at_step(t as u64, lr, &mut carried);
        let decay = spec.own_decay(true, lr);
        for ((y, g), state) in y.iter_mut().zip(pass.gradients.concat()).zip(&mut state) {
            *y = step::<2, Averaged, f64>(&scalars, &decay, *y, g, state);
        }
        set_parameters(&mut network, &y);
        let x = y.iter().zip(&state).map(|(y, [z, _])| between(options.evaluated_between().unwrap(), *y, *z)).collect();
        Step { loss: pass.loss, parameters: y.clone(), evaluated: Some(x) }
    });
    run.collect()
}

fn run_lbfgs(case: &Value, task: &Value, spec: &OptimizerSpec, options: Lbfgs) -> Vec<Step> {
    let mut network = network::network(task, "init");
    let mut x = network.tensors.concat();
    let mut minimizer = Minimizer::new(options, x.len());
    let all: Vec<usize> = rows(case, task, 1);
    let mut evaluations = 0;
    let mut loss_at = |x: &[f64], g: &mut [f64]| {
        set_parameters(&mut network, x);
        let pass = network.pass_of_task(task, &all, false);
        g.copy_from_slice(&pass.gradients.concat());
        pass.loss
    };
    let run = (0..count(&case["steps"])).map(|t| {
        let mut g = vec![0.0; x.len()];
        let loss = loss_at(&x, &mut g);
        let progress = minimizer.step(spec.lr, &mut x, (loss, &g), &mut loss_at);
        evaluations += 1 + progress.evaluations;
        assert_eq!(evaluations, indices(&case["f64"]["evaluations"])[t], "{}: losses by step {t}", case["name"]);
        Step { loss, parameters: x.clone(), evaluated: None }
    });
    run.collect()
}

/// Runs a case with the trainer's `f32` step.
fn assert_f32_case(case: &Value, task: &Value, spec: OptimizerSpec, machine: (gradlane::kernel::Isa, usize)) {
    let name = format!("{} {} {} threads", text(&case["name"]), machine.0.name(), machine.1);
    let tolerance = |deviation: &Value| 10.0 * number(deviation) + 1e-6;
    let (expected, deviation) = (&case["f64"], &case["f32_deviation"]);
    let data = step::dataset(task);
    let architecture = step::architecture(task, "init");
    let settings = StepSettings::plain(network::objective(task), spec);
    let initial = step::parameters(&architecture, &task["init"]);
    let mut trainer = Trainer::new(&architecture, initial, settings, machine, Largest::of_one_batch(data.rows()));
    let mut checkpoints = list(expected, "checkpoints").iter().zip(deviation["params"].as_array().unwrap()).peekable();
    for (t, want) in (1..).zip(numbers(&expected["loss"])) {
        let rows: Vec<u32> = rows(case, task, t).into_iter().map(|row| row as u32).collect();
        let loss = step::step(&mut trainer, &data, &rows, rate(case, &spec, t)).loss;
        assert!(close(loss, want, 0.0, tolerance(&deviation["loss"])), "{name} step {t}: loss {loss}, expected {want}");
        if let Some((checkpoint, off)) = checkpoints.next_if(|(c, _)| count(&c["step"]) == t) {
            let what = format!("{name} step {t}");
            step::assert_tensors(trainer.parameters(), &checkpoint["layers"], tolerance(off), &what);
            if !checkpoint["eval_layers"].is_null() {
                let mut evaluated: Parameters = trainer.parameters().clone();
                evaluated.lines.copy_from_slice(trainer.evaluated_parameters());
                let what = format!("{what}, evaluated");
                step::assert_tensors(&evaluated, &checkpoint["eval_layers"], tolerance(off), &what);
            }
        }
    }
    assert!(checkpoints.next().is_none(), "{name}: a checkpoint was not reached");
}

fn assert_file(file: &str) {
    let tasks = fixture("tasks.json");
    for case in list(&trajectories(file), "cases") {
        let (task, spec) = (trajectory::task(&tasks, case), spec_of(case));
        let steps = match spec.algorithm {
            Algorithm::ElementWise(ElementWise::ScheduleFree(options)) => run_schedule_free(case, task, &spec, options),
            Algorithm::WholeNetwork(options) => run_lbfgs(case, task, &spec, options),
            other => panic!("{other:?} is of another test"),
        };
        assert_case(case, &steps);
        for machine in step::machines() {
            assert_f32_case(case, task, spec, machine);
        }
    }
}

#[test]
fn schedule_free_agrees_with_its_authors_package() {
    assert_file("schedulefree.json");
}

#[test]
fn lbfgs_agrees_with_pytorch() {
    assert_file("lbfgs.json");
}
