//! Why training diverged, as far as it can be determined, and which change would have helped.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::{Serialize, Serializer};

use super::plan::Plan;
use super::row_pass::{inputs, row_pass};
use crate::Result;
use crate::data::{Dataset, Targets};
use crate::fit::Divergence;
use crate::kernel::Line;
use crate::model::Parameters;
use crate::optim::clip::NormType;
use crate::option_text::{flag, setting};
use crate::train::{EpochPlan, StepStats, Trainer};

/// The result of an autopsy.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Autopsy {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Step, from 1.
    pub step: u64,
    /// Loss of its batch; null if it is not finite, or if the update broke the weights.
    pub loss: Option<f64>,
    /// Norm of its gradient; null in the same cases.
    pub grad_norm: Option<f64>,
    /// The first layer in the forward pass whose values overflow single precision.
    pub layer: Option<String>,
    /// The largest gradient of a row by a tensor, if no value overflows.
    pub largest_gradient: Option<LargestGradient>,
    /// The tensor with the largest absolute value.
    pub tensor: String,
    /// That absolute value.
    pub largest: f64,
    /// Rows of the batch, at most 20, as numbers of data rows from 0.
    pub rows: Vec<u32>,
    /// Number of rows of the batch.
    pub rows_of_batch: usize,
    /// Loss and gradient norm of the steps before, the latest last.
    pub before: Vec<Before>,
    /// Likely causes, the most likely first.
    pub causes: Vec<String>,
    /// Changes that were tried, from the weights of the last good epoch.
    pub tried: Vec<TriedChange>,
}

/// The largest element of a gradient.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LargestGradient {
    /// The tensor.
    pub tensor: String,
    /// Its absolute value.
    pub size: f64,
    /// The data row that it comes from, from 0.
    pub row: u32,
}

/// A step before the divergence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Before {
    /// Loss of its batch.
    pub loss: f64,
    /// Norm of its gradient.
    pub grad_norm: f64,
}

/// A change that was tried.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TriedChange {
    /// The change; in JSON, as its flag.
    #[serde(serialize_with = "as_flag")]
    pub change: OptionChange,
    /// Steps made with it.
    pub steps: u64,
    /// Loss on the training part before these steps.
    pub loss_before: f64,
    /// Loss after these steps; null if they diverged too.
    pub loss_after: Option<f64>,
    /// Whether the loss fell.
    pub helped: bool,
}

/// A change of options that an autopsy may try.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OptionChange {
    /// A lower learning rate.
    Rate(f64),
    /// A bound of the whole gradient's norm.
    Clip(f64),
}

impl fmt::Display for OptionChange {
    /// The option with its new value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, value) = self.option();
        setting(name, value).fmt(f)
    }
}

impl OptionChange {
    fn option(&self) -> (&'static str, String) {
        match self {
            OptionChange::Rate(rate) => ("lr", readable(*rate)),
            OptionChange::Clip(norm) => ("clip_norm", norm.to_string()),
        }
    }
}

/// The most rows that are listed.
const NAMED_ROWS: usize = 20;
/// The most multiplications for finding the first layer.
const MOST_WORK: usize = 1 << 28;
/// The fewest steps of a trial.
const FEWEST_STEPS: u64 = 20;
const MOST_STEPS: u64 = 300;
/// The most learning rates that are tried, each a tenth of the one before.
const MOST_RATES: usize = 8;
/// The bound of the gradient's norm that is tried.
const CLIP: f64 = 1.0;
/// Inputs with a larger absolute value are badly scaled.
const LARGE_INPUT: f64 = 50.0;
/// A gradient norm that is this many times the previous one comes from a few rows.
const JUMP: f64 = 100.0;

fn as_flag<S: Serializer>(change: &OptionChange, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    let (name, value) = change.option();
    serializer.collect_str(&format_args!("{} {value}", flag(name)))
}

impl Autopsy {
    /// The change that helped most.
    pub fn best_change(&self) -> Option<OptionChange> {
        let helped = self.tried.iter().filter(|tried| tried.helped).filter_map(|t| Some((t.change, t.loss_after?)));
        helped.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(change, _)| change)
    }
}

impl Plan {
    /// Determines why training diverged: examines the batch and the weights before its step, and tries common remedies.
    ///
    /// # Errors
    /// Options that contradict each other.
    pub(super) fn autopsy(
        &self,
        trainer: &Trainer,
        (kept, divergence): ((&[Line], usize), &Divergence),
        signal: &AtomicUsize,
    ) -> Result<Autopsy> {
        let finite = |stats: Option<StepStats>, of: fn(StepStats) -> f64| stats.map(of).filter(|x| x.is_finite());
        let (layer, largest_gradient) = self.first_of_batch(trainer.parameters(), &divergence.rows)?;
        let layer_is_sound = layer.is_none();
        let (tensor, largest) = largest_weight(trainer.parameters());
        let before: Vec<Before> =
            divergence.recent.iter().map(|stats| Before { loss: stats.loss, grad_norm: stats.grad_norm }).collect();
        let rows = divergence.rows.iter().take(NAMED_ROWS).map(|row| self.data_row(*row)).collect();
        let tried = self.tried((kept, divergence.step), signal)?;
        Ok(Autopsy {
            epoch: divergence.epoch,
            step: divergence.step,
            loss: finite(divergence.stats, |stats| stats.loss),
            grad_norm: finite(divergence.stats, |stats| stats.grad_norm),
            layer,
            largest_gradient: largest_gradient.filter(|_| layer_is_sound),
            tensor,
            largest,
            rows,
            rows_of_batch: divergence.rows.len(),
            causes: self.causes(divergence),
            before,
            tried,
        })
    }

    /// The plan with a change, on the same data.
    ///
    /// # Errors
    /// Options that contradict each other.
    pub fn changed(&self, change: OptionChange) -> Result<Plan> {
        let mut config = self.config.clone();
        match change {
            OptionChange::Rate(rate) => config.optimizer.spec.lr = rate,
            OptionChange::Clip(norm) => config.optimizer.clip_norm = Some((norm, NormType::L2)),
        }
        Plan::over(config, Arc::clone(&self.prepared))
    }

    /// The data row of a row of the training part.
    fn data_row(&self, row: u32) -> u32 {
        let train = &self.prepared.split.train;
        let as_dealt = train.len() == self.prepared.train.rows();
        train.get(row as usize).copied().filter(|_| as_dealt).unwrap_or(row)
    }

    /// The first layer whose values overflow, otherwise the largest gradient; of as many rows as the limit of work allows.
    fn first_of_batch(
        &self,
        parameters: &Parameters,
        rows: &[u32],
    ) -> Result<(Option<String>, Option<LargestGradient>)> {
        let work = 3 * self.parameters.layout.parameters();
        let names: Vec<String> = parameters.named().into_iter().map(|tensor| tensor.name).collect();
        let mut layer: Option<(usize, String)> = None;
        let mut largest: Option<LargestGradient> = None;
        for row in rows.iter().take((MOST_WORK / work.max(1)).max(1)) {
            let (_, pass) = row_pass(self, parameters, *row as usize)?;
            let first = pass.steps.iter().position(|step| !step.y.iter().all(holds));
            if let Some(first) = first.filter(|first| layer.as_ref().is_none_or(|(n, _)| *first < *n)) {
                layer = Some((first, pass.steps[first].name.clone()));
            }
            for (tensor, gradient) in names.iter().zip(&pass.tensors) {
                let size = gradient.iter().map(|g| g.abs()).fold(0.0, f64::max);
                if largest.as_ref().is_none_or(|largest| size > largest.size) {
                    largest = Some(LargestGradient { tensor: tensor.clone(), size, row: self.data_row(*row) });
                }
            }
        }
        Ok((layer.map(|(_, name)| name), largest))
    }

    /// Likely causes, the most likely first.
    fn causes(&self, divergence: &Divergence) -> Vec<String> {
        let mut causes = Vec::new();
        let data = &self.prepared.train;
        let large = divergence.rows.iter().filter_map(|row| {
            let x = inputs(&data.features, *row as usize);
            x.into_iter().enumerate().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs())).map(|(n, x)| (n, x, *row))
        });
        let large = large.max_by(|a, b| a.1.abs().total_cmp(&b.1.abs())).filter(|(_, x, _)| x.abs() > LARGE_INPUT);
        if let Some((n, x, row)) = large {
            let name = self.input_name(n);
            let row = self.data_row(row);
            let remedy = setting("scale", "standard");
            causes.push(format!("an input is large: {name} is {x:.4} in row {row}; {remedy} or robust_clip"));
        }
        if let Some(y) = largest_target(data, &divergence.rows).filter(|y| *y > LARGE_INPUT) {
            let remedy = setting("loss", "huber");
            causes.push(format!("a target is large, {y:.4} after scaling: look at the row, or try {remedy}"));
        }
        let norms: Vec<f64> = divergence.recent.iter().map(|stats| stats.grad_norm).collect();
        let last = divergence.stats.map(|stats| stats.grad_norm).filter(|norm| norm.is_finite());
        let norms: Vec<f64> = norms.into_iter().chain(last).collect();
        let jump = norms.windows(2).last().is_some_and(|pair| pair[1] > JUMP * pair[0]);
        let grows = norms.len() > 1 && norms.windows(2).all(|pair| pair[1] >= pair[0]);
        if jump && !grows {
            let remedy = setting("clip_norm", 1);
            causes.push(format!("the gradient jumped in one step: rows of this batch are unlike the others; {remedy}"));
        }
        let lr = readable(self.config.optimizer.spec.lr);
        causes.push(match (grows, divergence.step) {
            (true, _) => format!("the gradient grew from step to step: the learning rate {lr} is too high"),
            (false, 1) => "the first step already: inputs, targets or initial weights are too large".to_owned(),
            (false, _) => format!("the learning rate {lr} may be too high"),
        });
        causes
    }

    fn input_name(&self, input: usize) -> String {
        let names = match &self.prepared.preprocessing {
            crate::data::Preprocessing::Table(table) => table.input_names(),
            crate::data::Preprocessing::Images(_) => Vec::new(),
        };
        names.get(input).map_or_else(|| format!("input {input}"), |name| format!("\"{name}\""))
    }

    /// Tries lower and lower learning rates until one helps, then a bound of the gradient's norm.
    fn tried(&self, (kept, step): ((&[Line], usize), u64), signal: &AtomicUsize) -> Result<Vec<TriedChange>> {
        let good = kept.1 as u64 * self.steps_per_epoch();
        let steps = (2 * step.saturating_sub(good)).clamp(FEWEST_STEPS, MOST_STEPS);
        let interrupted = || signal.load(Ordering::Relaxed) != 0;
        let options = &self.config.optimizer;
        let (mut all, mut rate) = (Vec::new(), options.spec.lr);
        for _ in 0..MOST_RATES {
            rate = shortened(rate / 10.0);
            if interrupted() {
                return Ok(all);
            }
            let tried = self.trial(OptionChange::Rate(rate), kept, steps)?;
            let helped = tried.helped;
            all.push(tried);
            if helped {
                break;
            }
        }
        let clips = options.clip_norm.is_some_and(|(norm, _)| norm <= CLIP);
        if !clips && !options.spec.algorithm.needs_full_batch() && !interrupted() {
            all.push(self.trial(OptionChange::Clip(CLIP), kept, steps)?);
        }
        Ok(all)
    }

    /// Makes some steps with a change, from the kept weights of an epoch.
    fn trial(&self, change: OptionChange, (weights, epoch): (&[Line], usize), steps: u64) -> Result<TriedChange> {
        let mut plan = self.changed(change)?;
        plan.parameters.lines.copy_from_slice(weights);
        let mut trainer = plan.trainer(plan.rows_per_step())?;
        let data = &plan.prepared.train;
        let loss_before = trainer.evaluate(data).loss;
        let options = &plan.config.optimizer;
        let total = plan.steps_per_epoch().saturating_mul(plan.epochs as u64);
        let (mut epoch, mut sound) = (epoch as u64, true);
        while sound && trainer.steps() < steps {
            let orders = data.orders((plan.config.seed, epoch), plan.config.shuffle, trainer.owners());
            let made = trainer.steps();
            let outcome = trainer.epoch(&EpochPlan {
                data,
                order: &orders.shared,
                own_orders: &orders.own,
                epoch,
                batch: plan.rows_per_step(),
                lr: &|t| options.schedule.rate(options.spec.lr, t - 1, total),
                momentum: &|t| options.schedule.momentum(t - 1, total),
                stop: &|made| made >= steps,
                tol_grad: None,
                log_steps: None,
            });
            sound = !matches!(outcome.halt, Some(crate::train::Halt::Diverged(_))) && trainer.steps() > made;
            epoch += 1;
        }
        let loss_after = Some(trainer.evaluate(data).loss).filter(|loss| loss.is_finite() && trainer.is_finite());
        let loss_after = loss_after.filter(|_| sound);
        let helped = loss_after.is_some_and(|loss| loss < loss_before);
        Ok(TriedChange { change, steps: trainer.steps(), loss_before, loss_after, helped })
    }
}

/// A learning rate in short form.
fn readable(rate: f64) -> String {
    if (1e-4..1e6).contains(&rate) { rate.to_string() } else { format!("{rate:e}") }
}

/// A learning rate with two digits, as a user would write it.
fn shortened(rate: f64) -> f64 {
    format!("{rate:.1e}").parse().unwrap_or(rate)
}

/// Whether single precision can represent a number.
fn holds(x: &f64) -> bool {
    x.abs() <= f64::from(f32::MAX)
}

/// The tensor with the largest absolute value, or with one that is not finite.
fn largest_weight(parameters: &Parameters) -> (String, f64) {
    let size = |x: &f32| if x.is_finite() { f64::from(x.abs()) } else { f64::INFINITY };
    let largest = |values: &[f32]| values.iter().map(size).fold(0.0, f64::max);
    let tensors = parameters.named().into_iter().map(|tensor| (tensor.name, largest(&tensor.values)));
    tensors.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or_default()
}

/// The largest target of some rows, if targets are numbers.
fn largest_target(data: &Dataset, rows: &[u32]) -> Option<f64> {
    let Targets::Values { values, cols, .. } = &data.targets else { return None };
    let of_row = |row: &u32| values[*row as usize * cols..(*row as usize + 1) * cols].iter();
    rows.iter().flat_map(of_row).map(|y| f64::from(y.abs())).max_by(f64::total_cmp)
}
