//! The user's data as a problem of a comparison.

use super::problems::{Initial, Problem};
use super::records::Family;

use crate::data::Task;
use crate::metrics::MetricName;
use crate::nn::Loss;
use crate::option_text::option;
use crate::run::Plan;
use crate::score::Scorer;
use crate::{Error, Result};

/// Default number of steps of a run: enough for most small networks, and at most about a second of work.
const STEPS: u64 = 2_000;

impl Problem {
    /// Makes a problem of a plan's data and network. Returns also notes on values that were chosen automatically, for
    /// display. The budget is `--steps` or `--epochs`, or 2,000 steps if neither is given.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if there is no validation or no test part, [`Error::Option`] for the Poisson loss.
    pub fn planned(plan: &Plan, name: String) -> Result<(Problem, Vec<String>)> {
        let step = plan.settings()?;
        if plan.loss == Loss::Poisson {
            let message = "a comparison looks at quotients of losses, and these may be negative; choose another loss";
            return Err(Error::Usage(message.to_owned()).of_value("loss", plan.loss));
        }
        let stopping = &plan.config.stopping;
        let of_epochs = stopping.epochs.map(|epochs| epochs as u64 * plan.steps_per_epoch());
        let steps = stopping.steps.into_iter().chain(of_epochs).min().unwrap_or(STEPS);
        let mut notes = plan.prepared.notes.clone();
        if plan.config.optimizer.batch.follows_rows() {
            notes.push(format!("batch: {} ({} changes it)", plan.batch, option("batch")));
        }
        if stopping.steps.is_none() && stopping.epochs.is_none() {
            notes.push(format!("steps of every run: {steps} ({} changes it)", option("steps")));
        }
        let preprocessing = &plan.prepared.preprocessing;
        let task = preprocessing.task();
        let missing = |part: &str, name_of_part: &str| {
            Error::Mismatch(format!(
                "{name}: settings are chosen on validation rows and reported on test rows, and there is no {part} part: \
                 see {}",
                option(name_of_part)
            ))
        };
        let problem = Problem {
            description: format!("{} of {}", task, plan.config.data.data.as_written()),
            family: Family::Yours,
            scorer: Scorer::new(preprocessing.target(), plan.loss),
            score: if MetricName::Accuracy.applies_to(task) { MetricName::Accuracy } else { MetricName::Rmse },
            initial: Initial { scheme: plan.config.model.init, regression: task == Task::Regression },
            train: plan.prepared.train.clone(),
            val: plan.prepared.val.clone().ok_or_else(|| missing("validation", "valid"))?,
            test: plan.prepared.test.clone().ok_or_else(|| missing("test", "test"))?,
            architecture: plan.architecture.clone(),
            step,
            batch: plan.batch,
            steps,
            target: None,
            target_source: String::new(),
            name,
        };
        Ok((problem, notes))
    }
}
