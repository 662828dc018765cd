//! The learning-rate range test: one training run in which the rate grows until the loss does.
//!
//! L. N. Smith 2017, "Cyclical Learning Rates for Training Neural Networks", section 3.3,
//! <https://arxiv.org/abs/1506.01186>.

use std::sync::Arc;

use serde::Serialize;

use super::quasi_random::log_uniform;
use super::side_by_side::{share_threads, side_by_side};
use crate::config::TrainConfig;
use crate::data::Prepared;
use crate::run::Plan;
use crate::train::team::available_threads;
use crate::train::{EpochPlan, Halt};
use crate::{Error, Result};

/// How the rate grows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sweep {
    /// Rate of the first step.
    pub from: f64,
    /// Rate of the last step.
    pub to: f64,
    /// Steps.
    pub steps: usize,
    /// Networks, of as many seeds from that of the configuration on.
    pub seeds: usize,
}

/// What a range test found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LrFind {
    /// The rate to train with, where the loss fell at all.
    pub recommended: Option<f64>,
    /// What each seed alone would recommend, where its loss fell.
    pub by_seed: Vec<Option<f64>>,
    /// Rates that work.
    pub band: Option<Band>,
    /// How the rate grew.
    pub sweep: Sweep,
    /// Rows of a step.
    pub batch: usize,
    /// The rate of each step.
    pub rates: Vec<f64>,
    /// Median over the seeds of the smoothed losses; `None` from where half of them diverged.
    pub loss: Vec<Option<f64>>,
    /// Smoothed loss of each seed, shorter where it diverged.
    pub losses: Vec<Vec<f64>>,
}

/// A range of learning rates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Band {
    /// Where the loss begins to fall: by a twentieth of all that it falls.
    pub low: f64,
    /// Where it is lowest, just before it rises.
    pub high: f64,
}

/// Share of the whole fall by which the loss has begun to fall.
const BEGUN: f64 = 0.05;
/// A fall below this share of the first loss is none, nor is one below so many standard errors of the smoothed losses.
const NO_FALL: f64 = 0.01;
const STANDARD_ERRORS: f64 = 4.0;
/// What is recommended, as a share of the rate where the loss is lowest: far enough from the rise for a whole run, and no
/// further. Tried on iris, digits, credit, diabetes, breast cancer, wine and MNIST, with Adam and with momentum, against eight
/// rates from 1e-4 to 0.3 (2 to 40 epochs, 2 seeds, 1 for MNIST): the validation loss plus 0.01 was 1.26 times that of the best
/// of the eight in geometric mean, 2.9 times at worst; with a tenth 1.41 and 7.0 times, at the steepest descent 2.7 and 22 times,
/// with the optimizer's own rate 1.5 and 10 times.
const OF_LOWEST: f64 = 0.25;
/// The loss has risen when it is above the first by this share of it.
const RISEN: f64 = 0.5;
/// Seeds disagree if their rates are apart by more than this factor.
const FAR: f64 = 10.0;
/// Decades of the rate on either side over which losses are averaged.
const WINDOW: f64 = 0.15;

impl LrFind {
    /// The least and the greatest rate that a seed alone would recommend; none where no loss fell.
    pub fn range(&self) -> Option<(f64, f64)> {
        let rates = || self.by_seed.iter().flatten().copied();
        rates().reduce(f64::min).zip(rates().reduce(f64::max))
    }

    /// Whether the seeds say different things: rates more than tenfold apart, or a loss that falls for some only.
    pub fn seeds_disagree(&self) -> bool {
        let far = self.range().is_some_and(|(least, greatest)| greatest > FAR * least);
        far || (self.recommended.is_some() && self.by_seed.iter().any(Option::is_none))
    }
}

impl Sweep {
    /// The rate of a step, from 0.
    pub fn rate(&self, step: usize) -> f64 {
        log_uniform(step as f64 / (self.steps.max(2) - 1) as f64, self.from, self.to)
    }

    /// Steps on either side over which losses are averaged.
    fn window(&self) -> usize {
        let decades = libm::log10(self.to / self.from);
        (WINDOW * self.steps as f64 / decades).round() as usize
    }
}

/// Trains one network for each seed with a rate that grows from step to step, small ones side by side. What is found depends
/// on configuration, data and sweep alone.
///
/// # Errors
/// Options that do not fit the data, [`Error::Usage`] for an optimizer that finds its own step sizes, and [`Error::NoStep`]
/// where no seed came through its first step.
pub fn lr_find(config: &TrainConfig, prepared: &Arc<Prepared>, sweep: Sweep) -> Result<LrFind> {
    check_sweeps(config)?;
    let plan_of = |seed: u64| {
        let config = TrainConfig { seed: config.seed.wrapping_add(seed), ..config.clone() };
        Plan::over(config, Arc::clone(prepared))
    };
    let first = plan_of(0)?;
    let threads = first.threads_asked.min(available_threads());
    let sharing = share_threads(first.flops_per_step(), sweep.seeds, threads);
    let exact = config.threads.exact;
    let seeds: Vec<u64> = (0..sweep.seeds as u64).collect();
    let losses = side_by_side(if exact { 1 } else { sharing.at_once }, &seeds, |seed| {
        let mut plan = plan_of(*seed)?;
        if !exact {
            plan.threads = sharing.threads;
        }
        one_sweep(&plan, sweep)
    });
    let losses: Vec<Vec<f64>> = losses.into_iter().collect::<Result<_>>()?;
    if losses.iter().all(Vec::is_empty) {
        let message = "the loss is not finite at the first step: try a smaller --from, or --scale standard";
        return Err(Error::NoStep(message.to_owned()));
    }
    let noises: Vec<f64> = losses.iter().map(|l| standard_error(l, sweep.window())).collect();
    let losses: Vec<Vec<f64>> = losses.iter().map(|l| smoothed(l, sweep.window())).collect();
    let rates: Vec<f64> = (0..sweep.steps).map(|step| sweep.rate(step)).collect();
    let loss = median(&losses, sweep.steps);
    let alone = |(losses, noise): (&Vec<f64>, &f64)| {
        let losses: Vec<Option<f64>> = (0..sweep.steps).map(|step| losses.get(step).copied()).collect();
        judge(&rates, &losses, *noise).map(|(rate, _)| rate)
    };
    let by_seed = losses.iter().zip(&noises).map(alone).collect();
    let judged = judge(&rates, &loss, noises.iter().copied().fold(f64::INFINITY, f64::min));
    let (recommended, band) = judged.unzip();
    Ok(LrFind { recommended, by_seed, band, sweep, batch: first.rows_per_step(), rates, loss, losses })
}

/// Refuses an optimizer whose steps no learning rate scales.
///
/// # Errors
/// [`Error::Usage`].
pub fn check_sweeps(config: &TrainConfig) -> Result<()> {
    let algorithm = config.optimizer.spec.algorithm;
    if algorithm.follows_schedule() {
        return Ok(());
    }
    let name = algorithm.name();
    let message = format!("{name} finds its own step sizes, so there is no rate to find");
    Err(Error::Usage(message).of_value("optimizer", name))
}

/// The loss of each step's batch before its update, up to the step that was not finite.
fn one_sweep(plan: &Plan, sweep: Sweep) -> Result<Vec<f64>> {
    let mut trainer = plan.trainer(plan.rows_per_step())?;
    let data = &plan.prepared.train;
    let (mut losses, mut order) = (Vec::with_capacity(sweep.steps), Vec::new());
    for epoch in 0.. {
        data.order(plan.config.seed, epoch, plan.config.shuffle, &mut order);
        let outcome = trainer.epoch(&EpochPlan {
            data,
            order: &order,
            epoch,
            batch: plan.rows_per_step(),
            lr: &|t| sweep.rate(t as usize - 1),
            momentum: &|_| None,
            stop: &|made| made >= sweep.steps as u64,
            tol_grad: None,
            log_steps: Some(1),
        });
        losses.extend(outcome.records.iter().map(|record| record.stats.loss));
        if matches!(outcome.halt, Some(Halt::Diverged(_))) || losses.len() >= sweep.steps {
            break;
        }
    }
    Ok(losses)
}

/// Means over `window` steps on either side, as far as there are such.
fn smoothed(losses: &[f64], window: usize) -> Vec<f64> {
    let mean = |at: usize| {
        let near = &losses[at.saturating_sub(window)..(at + window + 1).min(losses.len())];
        near.iter().sum::<f64>() / near.len() as f64
    };
    (0..losses.len()).map(mean).collect()
}

/// The standard error of smoothed losses at the ends, where the fewest are averaged: from the differences of neighbours, by
/// their median, which the steep end of the curve does not reach.
fn standard_error(losses: &[f64], window: usize) -> f64 {
    let mut differences: Vec<f64> = losses.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
    differences.sort_by(f64::total_cmp);
    // The median of |N(0, 2σ²)| is 0.6745 · √2 · σ.
    let sigma = differences.get(differences.len() / 2).copied().unwrap_or(0.0) / (0.6745 * std::f64::consts::SQRT_2);
    sigma / ((window + 1) as f64).sqrt()
}

/// The median of each step over the seeds, of two in the middle the greater; a seed that diverged counts as infinite.
fn median(losses: &[Vec<f64>], steps: usize) -> Vec<Option<f64>> {
    let at = |step: usize| {
        let mut values: Vec<f64> = losses.iter().map(|l| l.get(step).copied().unwrap_or(f64::INFINITY)).collect();
        values.sort_by(f64::total_cmp);
        Some(values[values.len() / 2]).filter(|value| value.is_finite())
    };
    (0..steps).map(at).collect()
}

/// The rate to recommend and the band, where the loss falls by more than `noise`, its standard error, explains.
fn judge(rates: &[f64], loss: &[Option<f64>], noise: f64) -> Option<(f64, Band)> {
    let first = loss.first().copied().flatten()?;
    // Beyond the rise a network may come to rest again, with all its units dead.
    let risen = loss.iter().position(|value| value.is_none_or(|value| value > first + RISEN * first.abs()));
    let defined = || loss[..risen.unwrap_or(loss.len())].iter().flatten().copied().enumerate();
    let (lowest_step, lowest) = defined().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let fall = first - lowest;
    if fall <= (NO_FALL * first.abs()).max(STANDARD_ERRORS * noise) {
        return None;
    }
    let (begun, _) = defined().find(|(_, value)| *value <= first - BEGUN * fall)?;
    let band = Band { low: rates[begun], high: rates[lowest_step] };
    Some(((band.high * OF_LOWEST).max(band.low), band))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Falls from 2 between 1e-3 and 1e-1, is lowest at 0.1, then rises.
    fn curve(sweep: &Sweep) -> Vec<Option<f64>> {
        let loss = |rate: f64| match libm::log10(rate) {
            decade if decade <= -3.0 => 2.0,
            decade if decade <= -1.0 => 2.0 - 0.75 * (decade + 3.0),
            decade => 0.5 + 3.0 * (decade + 1.0),
        };
        (0..sweep.steps).map(|step| Some(loss(sweep.rate(step))).filter(|loss| *loss < 3.0)).collect()
    }

    #[test]
    fn the_band_lies_between_the_fall_and_the_rise() {
        let sweep = Sweep { from: 1e-6, to: 10.0, steps: 701, seeds: 1 };
        let rates: Vec<f64> = (0..701).map(|step| sweep.rate(step)).collect();
        assert!((sweep.rate(0) - 1e-6).abs() < 1e-18 && (sweep.rate(700) - 10.0).abs() < 1e-12);
        let (rate, band) = judge(&rates, &curve(&sweep), 0.1).unwrap();
        // A twentieth of the fall of 1.5 is made a tenth of a decade after it began.
        assert!((libm::log10(band.low) + 2.9).abs() < 0.02, "{band:?}");
        assert!((libm::log10(band.high) + 1.0).abs() < 0.02, "{band:?}");
        assert!(band.low <= rate && rate <= band.high, "{rate}");
        assert!(judge(&rates, &vec![Some(1.0); 701], 0.0).is_none(), "nothing falls");
        assert!(judge(&rates, &curve(&sweep), 0.5).is_none(), "a fall of 1.5 is within four standard errors");
        assert!(judge(&rates, &vec![None; 701], 0.0).is_none(), "nothing is defined");
    }

    #[test]
    fn medians_are_over_seeds_and_divergence_is_infinite() {
        let losses = [vec![3.0, 1.0, 1.0], vec![1.0, 2.0], vec![2.0]];
        assert_eq!(median(&losses, 4), [Some(2.0), Some(2.0), None, None]);
        assert_eq!(smoothed(&[1.0, 2.0, 6.0, 3.0, 5.0], 1), [1.5, 3.0, 11.0 / 3.0, 14.0 / 3.0, 4.0]);
        assert!(smoothed(&[], 3).is_empty());
        // Differences of 2, 2 and 2 are 2 / (0.6745 √2) = 2.097 standard deviations of one, over √4 for means of four.
        assert!((standard_error(&[1.0, 3.0, 1.0, 3.0], 3) - 1.048).abs() < 1e-3);
    }
}
