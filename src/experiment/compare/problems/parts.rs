//! Common parts of the built-in problems.

use crate::data::{Dataset, Target, Task};
use crate::nn::{Loss, Objective};
use crate::train::StepSettings;

/// The loss of a task.
pub fn loss_of(task: Task) -> Loss {
    match task {
        Task::Regression => Loss::Mse,
        Task::Binary | Task::Multilabel => Loss::Bce,
        Task::Multiclass => Loss::CrossEntropy,
    }
}

/// Settings with only a loss: no penalties, no clipping. Each run replaces optimizer and seed.
pub fn plain_steps(loss: Loss) -> StepSettings {
    let objective = Objective::new(loss, 0.0).expect("any loss goes without label smoothing");
    StepSettings::plain(objective, "sgd".parse().expect("a name of an optimizer"))
}

/// A target of classes `0, 1, …`, or of numbers that are not scaled.
pub fn target(task: Task, outputs: usize) -> Target {
    let classes = match task {
        Task::Binary => 2,
        Task::Multiclass => outputs,
        Task::Regression | Task::Multilabel => 0,
    };
    let numbers = if task == Task::Regression { outputs } else { 0 };
    Target {
        forms: Vec::new(),
        task,
        columns: (0..outputs).map(|output| format!("y{output}")).collect(),
        classes: (0..classes).map(|class| class.to_string()).collect(),
        numeric: true,
        mean: vec![0.0; numbers],
        sd: vec![1.0; numbers],
        range: Vec::new(),
    }
}

/// Splits rows in order: the first `sizes[0]`, the next `sizes[1]`, and the next `sizes[2]`.
pub fn cut(data: &Dataset, sizes: [usize; 3]) -> [Dataset; 3] {
    let mut from = 0;
    sizes.map(|size| {
        let rows: Vec<u32> = (from..from + size as u32).collect();
        from += size as u32;
        data.subset(&rows)
    })
}
