//! Reads the trajectories of PyTorch, Keras, optax and scikit-learn: their optimizers, rows and clipping.

use gradlane::optim::clip::NormType;
use gradlane::optim::{Dialect, OptimizerSpec};
use serde_json::Value;

use super::*;

/// The libraries with trajectories.
pub const LIBRARIES: [&str; 4] = ["torch", "keras", "optax", "sklearn"];

/// The setup of a case.
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    /// The optimizer in the library's dialect; there is none for optax.
    pub spec: OptimizerSpec,
    /// scikit-learn's `alpha`: a penalty of `alpha / (2 n) Σ w²`.
    pub l2: f64,
}

/// Calls `run` with case, task and setup for each run of a library, except informational ones.
pub fn for_each_case(library: &str, mut run: impl FnMut(&Value, &Value, Setup)) {
    let tasks = fixture("tasks.json");
    let trajectories = fixture(&format!("trajectories_{library}.json"));
    let mut runs = 0;
    for case in list(&trajectories, "cases") {
        assert_eq!(case["library"], library, "{}", case["name"]);
        if case["informational"] == true {
            continue;
        }
        run(case, task(&tasks, case), setup(case));
        runs += 1;
    }
    assert!(runs > 0, "no case of {library}");
}

/// The optimizer of a case, read from the text that a user would write.
fn setup(case: &Value) -> Setup {
    let library = text(&case["library"]);
    let dialect = if library == "optax" { None } else { Some(library.parse().unwrap_or_else(|e| panic!("{e}"))) };
    let name = text(&case["optimizer"]).to_lowercase();
    let (mut options, mut l2) = (Vec::new(), 0.0);
    for (key, value) in case["options"].as_object().unwrap() {
        match (library, &key[..]) {
            ("keras", _) if value.is_null() => {}
            ("torch", "betas") => options.push(format!("beta1={},beta2={}", value[0], value[1])),
            ("torch", "etas") => options.push(format!("eta_minus={},eta_plus={}", value[0], value[1])),
            ("torch", "step_sizes") => options.push(format!("step_min={},step_max={}", value[0], value[1])),
            ("keras", "rho") if name == "rmsprop" => options.push(format!("alpha={value}")),
            ("torch", "ns_coefficients") => options.push(format!("a={},b={},c={}", value[0], value[1], value[2])),
            ("torch", "adjust_lr_fn") if value.is_null() => {}
            ("torch", "adjust_lr_fn") => options.push(format!("adjust_lr={}", text(value))),
            ("torch", "bias_adamw") => options.extend(adamw_of_biases(value, number(&case["options"]["lr"]))),
            ("keras", "epsilon") if name == "muon" => options.push(format!("adam_eps={value}")),
            ("sklearn", "alpha") => l2 = number(value),
            ("sklearn", "power_t") => {}
            ("sklearn", "learning_rate") => {
                assert_eq!(value == "constant", case["lr_per_step"].is_null(), "{}", case["name"]);
            }
            (_, other) => options.push(format!("{}={value}", own_key(library, other))),
        }
    }
    let spec = OptimizerSpec::parse(&format!("{name}:{}", options.join(",")), dialect);
    Setup { spec: spec.unwrap_or_else(|e| panic!("{}: {e}", case["name"])), l2 }
}

/// PyTorch's options of AdamW for tensors that are not matrices, as options of Muon; `lr` is the learning rate of the
/// matrices.
fn adamw_of_biases(adamw: &Value, lr: f64) -> Vec<String> {
    let option = |(key, value): (&String, &Value)| match &key[..] {
        "betas" => format!("adam_beta1={},adam_beta2={}", value[0], value[1]),
        "lr" => format!("adam_lr_ratio={}", number(value) / lr),
        same => format!("adam_{same}={value}"),
    };
    adamw.as_object().unwrap().iter().map(option).collect()
}

/// The program's key for a key of a library. The optimizer's parser refuses keys that are unknown here.
fn own_key<'a>(library: &str, key: &'a str) -> &'a str {
    match (library, key) {
        ("keras" | "optax", "learning_rate") | ("sklearn", "learning_rate_init") => "lr",
        ("keras" | "sklearn", "beta_1") | ("optax", "b1") => "beta1",
        ("keras" | "sklearn", "beta_2") | ("optax", "b2") => "beta2",
        ("keras" | "sklearn", "epsilon") => "eps",
        ("keras", "adam_beta_1") => "adam_beta1",
        ("keras", "adam_beta_2") => "adam_beta2",
        ("keras", "muon_a") => "a",
        ("keras", "muon_b") => "b",
        ("keras", "muon_c") => "c",
        ("sklearn", "nesterovs_momentum") => "nesterov",
        (_, same) => same,
    }
}

/// The task of a case.
pub fn task<'a>(tasks: &'a Value, case: &Value) -> &'a Value {
    let task = list(tasks, "tasks").iter().find(|t| t["name"] == case["task"]);
    task.unwrap_or_else(|| panic!("{}: unknown task {}", case["name"], case["task"]))
}

/// A micro-batch: rows whose mean loss is a part of a step's loss.
pub struct MicroBatch {
    /// Row numbers in the task.
    pub rows: Vec<usize>,
    /// Factor of their mean in the step.
    pub share: f64,
}

impl MicroBatch {
    /// The divisor of the sum over its rows: their number in Keras, the sum of their weights elsewhere.
    pub fn divisor(&self, spec: &OptimizerSpec, weight: impl Fn(usize) -> f64) -> f64 {
        match spec.dialect {
            Some(Dialect::Keras) => self.rows.len() as f64,
            _ => self.rows.iter().map(|row| weight(*row)).sum(),
        }
    }
}

/// The parts of step `t` (from 0) of a case: one batch, or micro-batches whose gradients are combined.
pub fn micro_batches(case: &Value, task: &Value, t: usize) -> Vec<MicroBatch> {
    let accumulation = &case["accumulation"];
    if accumulation.is_null() {
        return vec![MicroBatch { rows: indices(&task["batches"][t]), share: 1.0 }];
    }
    let parts: Vec<Vec<usize>> = accumulation["micro_batches"][t].as_array().unwrap().iter().map(indices).collect();
    let (count, all) = (parts.len() as f64, parts.iter().map(Vec::len).sum::<usize>() as f64);
    let share = |rows: &[usize]| match text(&accumulation["combine"]) {
        "mean_of_means" => 1.0 / count,
        "by_rows" => rows.len() as f64 / all,
        other => panic!("unknown way to combine micro-batches: {other}"),
    };
    parts.into_iter().map(|rows| MicroBatch { share: share(&rows), rows }).collect()
}

/// A clipping rule.
#[derive(Debug, Clone, Copy)]
pub enum Clip {
    /// No clipping.
    None,
    /// Bound for each element.
    Value(f64),
    /// Bound for the norm of the whole gradient.
    Global(f64, NormType),
    /// Bound for the norm of each tensor.
    EachTensor(f64),
}

/// The clipping rule of a case.
pub fn clip_rule(case: &Value) -> Clip {
    let rule = &case["clip"];
    match rule["rule"].as_str() {
        None if rule.is_null() => Clip::None,
        Some("torch_value" | "keras_clipvalue") => Clip::Value(number(&rule["clip_value"])),
        Some("torch_norm") => Clip::Global(number(&rule["max_norm"]), norm_type(rule)),
        Some("keras_global_clipnorm") => Clip::Global(number(&rule["clip_norm"]), NormType::L2),
        Some("keras_clipnorm") => Clip::EachTensor(number(&rule["clip_norm"])),
        _ => panic!("unknown clip rule {rule}"),
    }
}

fn norm_type(rule: &Value) -> NormType {
    match number(&rule["norm_type"]) {
        1.0 => NormType::L1,
        2.0 => NormType::L2,
        f64::INFINITY => NormType::Inf,
        other => panic!("unknown norm {other}"),
    }
}
