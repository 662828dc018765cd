//! PyTorch's trajectories, read: which optimizer, which rows, which clipping.

use gradlane::optim::OptimizerSpec;
use gradlane::optim::clip::NormType;
use serde_json::Value;

use super::*;

/// PyTorch's optimizers of another part of the program.
const OTHER_OPTIMIZERS: [&str; 7] = ["Adadelta", "Adagrad", "Adamax", "Muon", "NAdam", "RAdam", "Rprop"];

/// The options whose keys are the program's own.
const SAME_KEYS: [&str; 9] =
    ["lr", "momentum", "dampening", "nesterov", "alpha", "centered", "amsgrad", "weight_decay", "eps"];

/// The optimizer of a case as a user would type it; `None` if it is of another part, or the case is not a target.
pub fn spec_of(case: &Value) -> Option<OptimizerSpec> {
    let name = text(&case["optimizer"]);
    if OTHER_OPTIMIZERS.contains(&name) {
        return None;
    }
    assert_eq!(case["library"], "torch", "{}", case["name"]);
    if case["informational"] == true {
        return None;
    }
    assert!(["SGD", "RMSprop", "Adam", "AdamW"].contains(&name), "unknown optimizer {name}");
    let mut options = Vec::new();
    for (key, value) in case["options"].as_object().unwrap() {
        match &key[..] {
            "betas" => options.push(format!("beta1={},beta2={}", value[0], value[1])),
            same if SAME_KEYS.contains(&same) => options.push(format!("{same}={value}")),
            other => panic!("{}: unknown option {other}", case["name"]),
        }
    }
    let spec = format!("{}:{}", name.to_lowercase(), options.join(","));
    Some(spec.parse().unwrap_or_else(|e| panic!("{e}")))
}

/// The task of a case.
pub fn task<'a>(tasks: &'a Value, case: &Value) -> &'a Value {
    let task = list(tasks, "tasks").iter().find(|t| t["name"] == case["task"]);
    task.unwrap_or_else(|| panic!("{}: unknown task {}", case["name"], case["task"]))
}

/// Rows whose mean loss is a part of a step's.
pub struct MicroBatch {
    /// Row numbers of the task.
    pub rows: Vec<usize>,
    /// Factor of their mean.
    pub share: f64,
}

/// What step `t` (from 0) of a case is made of: one batch, or micro-batches whose gradients are combined.
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

/// The norm that the clip rule `torch_norm` measures.
pub fn norm_type(rule: &Value) -> NormType {
    match number(&rule["norm_type"]) {
        1.0 => NormType::L1,
        2.0 => NormType::L2,
        f64::INFINITY => NormType::Inf,
        other => panic!("unknown norm {other}"),
    }
}
