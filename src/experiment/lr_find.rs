//! The learning-rate range test: a training run in which the learning rate grows until the loss diverges.
//!
//! L. N. Smith 2017, "Cyclical Learning Rates for Training Neural Networks", section 3.3,
//! <https://arxiv.org/abs/1506.01186>.

use std::sync::Arc;

use serde::Serialize;

use super::quasi_random::log_uniform;
use super::side_by_side::{share_threads, side_by_side};
use crate::config::TrainConfig;
use crate::data::Prepared;
use crate::option_text::{option, setting};
use crate::run::Plan;
use crate::train::team::available_threads;
use crate::train::{EpochPlan, Halt};
use crate::{Error, Result};

/// The learning rates of a range test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sweep {
    /// Learning rate of the first step.
    pub from: f64,
    /// Learning rate of the last step.
    pub to: f64,
    /// Steps.
    pub steps: usize,
    /// Number of networks. Their seeds are consecutive, beginning with that of the configuration.
    pub seeds: usize,
}

/// The result of a range test.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LrFind {
    /// The recommended learning rate; `None` if the loss did not fall.
    pub recommended: Option<f64>,
    /// The recommendation from each seed alone; `None` if its loss did not fall.
    pub by_seed: Vec<Option<f64>>,
    /// The range of usable learning rates; `None` if the loss did not fall.
    pub band: Option<Band>,
    /// The learning rates that were used.
    pub sweep: Sweep,
    /// Batch size.
    pub batch: usize,
    /// Learning rate of each step.
    pub rates: Vec<f64>,
    /// Median over the seeds of the smoothed losses; `None` from the step at which half of the seeds or more have diverged.
    pub loss: Vec<Option<f64>>,
    /// Smoothed losses of each seed, up to the step at which it diverged.
    pub losses: Vec<Vec<f64>>,
}

/// A range of learning rates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Band {
    /// The rate at which the loss has fallen by 5 % of its total fall.
    pub low: f64,
    /// The rate with the lowest loss, before the loss rises.
    pub high: f64,
}

/// The loss has begun to fall once it has fallen by this share of its total fall.
const BEGUN: f64 = 0.05;
/// A fall counts only if it is larger than this share of the first loss, and larger than this many standard errors of the
/// smoothed losses.
const NO_FALL: f64 = 0.01;
const STANDARD_ERRORS: f64 = 4.0;
/// The recommended rate as a share of the rate with the lowest loss: low enough for a whole run to stay below the rise.
/// Measured on iris, digits, credit, diabetes, breast cancer, wine and MNIST, with Adam and with momentum, against eight
/// rates from 1e-4 to 0.3 (2 to 40 epochs, 2 seeds, 1 for MNIST). The validation loss plus 0.01 was 1.26 times that of the
/// best of the eight in geometric mean, and 2.9 times at worst. With a tenth it was 1.41 and 7.0 times, at the steepest
/// descent 2.7 and 22 times, and with the optimizer's default rate 1.5 and 10 times.
const OF_LOWEST: f64 = 0.25;
/// The loss counts as risen when it exceeds the first loss by more than this share.
const RISEN: f64 = 0.5;
/// Seeds disagree if their recommended rates differ by more than this factor.
const FAR: f64 = 10.0;
/// Half-width of the moving average over the losses, in decades of the learning rate.
const WINDOW: f64 = 0.15;

impl LrFind {
    /// The smallest and the largest recommendation of a single seed; `None` if no loss fell.
    pub fn range(&self) -> Option<(f64, f64)> {
        let rates = || self.by_seed.iter().flatten().copied();
        rates().reduce(f64::min).zip(rates().reduce(f64::max))
    }

    /// Whether the seeds disagree: their recommendations differ by more than a factor of 10, or the loss falls only for some
    /// of them.
    pub fn seeds_disagree(&self) -> bool {
        let far = self.range().is_some_and(|(least, greatest)| greatest > FAR * least);
        far || (self.recommended.is_some() && self.by_seed.iter().any(Option::is_none))
    }
}

impl Sweep {
    /// The learning rate of a step, counted from 0.
    pub fn rate(&self, step: usize) -> f64 {
        log_uniform(step as f64 / (self.steps.max(2) - 1) as f64, self.from, self.to)
    }

    /// Half-width of the moving average in steps.
    fn window(&self) -> usize {
        let decades = libm::log10(self.to / self.from);
        (WINDOW * self.steps as f64 / decades).round() as usize
    }
}

/// Trains one network for each seed with a learning rate that grows from step to step; small networks run in parallel. The
/// result depends only on configuration, data and sweep.
///
/// # Errors
/// If options do not fit the data; [`Error::Option`] for an optimizer that chooses its own step sizes; [`Error::NoStep`] if
/// the loss of every seed was not finite at the first step.
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
        let (from, scale) = (option("from"), setting("scale", "standard"));
        let message = format!("the loss is not finite at the first step: try a smaller {from}, or {scale}");
        return Err(Error::NoStep(message));
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

/// Returns an error for an optimizer whose steps do not scale with a learning rate.
///
/// # Errors
/// [`Error::Option`].
pub fn check_sweeps(config: &TrainConfig) -> Result<()> {
    let algorithm = config.optimizer.spec.algorithm;
    if algorithm.follows_schedule() {
        return Ok(());
    }
    let name = algorithm.name();
    let message = format!("{name} finds its own step sizes, so there is no rate to find");
    Err(Error::Usage(message).of_value("optimizer", name))
}

/// The loss of each batch before its update, up to the first step at which it was not finite.
fn one_sweep(plan: &Plan, sweep: Sweep) -> Result<Vec<f64>> {
    let mut trainer = plan.trainer(plan.rows_per_step())?;
    let data = &plan.prepared.train;
    let mut losses = Vec::with_capacity(sweep.steps);
    for epoch in 0.. {
        let orders = data.orders((plan.config.seed, epoch), plan.config.shuffle, trainer.owners());
        let outcome = trainer.epoch(&EpochPlan {
            data,
            order: &orders.shared,
            own_orders: &orders.own,
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

/// Centred moving average over `window` steps on each side, with shorter windows at the ends.
fn smoothed(losses: &[f64], window: usize) -> Vec<f64> {
    let mean = |at: usize| {
        let near = &losses[at.saturating_sub(window)..(at + window + 1).min(losses.len())];
        near.iter().sum::<f64>() / near.len() as f64
    };
    (0..losses.len()).map(mean).collect()
}

/// The standard error of the smoothed losses at the ends, where the windows are shortest. It is estimated from the median
/// absolute difference of neighbouring losses, on which the steep rise at the end of the curve has no influence.
fn standard_error(losses: &[f64], window: usize) -> f64 {
    let mut differences: Vec<f64> = losses.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
    differences.sort_by(f64::total_cmp);
    // The median of |N(0, 2σ²)| is 0.6745 · √2 · σ.
    let sigma = differences.get(differences.len() / 2).copied().unwrap_or(0.0) / (0.6745 * std::f64::consts::SQRT_2);
    sigma / ((window + 1) as f64).sqrt()
}

/// The median over the seeds at each step; for an even number of seeds, the larger of the two middle values. A seed that
/// diverged counts as infinite.
fn median(losses: &[Vec<f64>], steps: usize) -> Vec<Option<f64>> {
    let at = |step: usize| {
        let mut values: Vec<f64> = losses.iter().map(|l| l.get(step).copied().unwrap_or(f64::INFINITY)).collect();
        values.sort_by(f64::total_cmp);
        Some(values[values.len() / 2]).filter(|value| value.is_finite())
    };
    (0..steps).map(at).collect()
}

/// The recommended rate and the band; `None` if the loss does not fall by more than its standard error `noise` explains.
fn judge(rates: &[f64], loss: &[Option<f64>], noise: f64) -> Option<(f64, Band)> {
    let first = loss.first().copied().flatten()?;
    // After the rise the loss may settle at a low value with all units dead, so that part is ignored.
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

    /// A loss that falls from 2 between rates of 1e-3 and 1e-1, is lowest at 0.1 and then rises.
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
        // The loss has fallen by 5 % of its fall of 1.5 a tenth of a decade after the fall began.
        assert!((libm::log10(band.low) + 2.9).abs() < 0.02, "{band:?}");
        assert!((libm::log10(band.high) + 1.0).abs() < 0.02, "{band:?}");
        assert!(band.low <= rate && rate <= band.high, "{rate}");
        assert!(judge(&rates, &vec![Some(1.0); 701], 0.0).is_none(), "nothing falls");
        assert!(judge(&rates, &curve(&sweep), 0.5).is_none(), "a fall of 1.5 is within four standard errors");
        assert!(judge(&rates, &vec![None; 701], 0.0).is_none(), "nothing is defined");
    }

    #[test]
    fn medians_are_over_seeds_and_count_divergence_as_infinite() {
        let losses = [vec![3.0, 1.0, 1.0], vec![1.0, 2.0], vec![2.0]];
        assert_eq!(median(&losses, 4), [Some(2.0), Some(2.0), None, None]);
        assert_eq!(smoothed(&[1.0, 2.0, 6.0, 3.0, 5.0], 1), [1.5, 3.0, 11.0 / 3.0, 14.0 / 3.0, 4.0]);
        assert!(smoothed(&[], 3).is_empty());
        // The median difference is 2, so the standard deviation is 2 / (0.6745 √2) = 2.097, divided by √4 for means of four.
        assert!((standard_error(&[1.0, 3.0, 1.0, 3.0], 3) - 1.048).abs() < 1e-3);
    }
}
