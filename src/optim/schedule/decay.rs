//! Rates that only fall: at given steps, or along a curve.

use super::RateCurve;
use super::span::ScheduleSpan;
use crate::optim::field::{Field, Range};

/// `const`: always the base rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Const;

/// `step:every=0.3,gamma=0.1`: `base · gamma^⌊t / every⌋`, PyTorch's `StepLR`.
#[derive(Debug, Clone, PartialEq)]
pub struct StepDecay {
    /// Steps between two reductions.
    pub every: ScheduleSpan,
    /// Factor of a reduction.
    pub gamma: f64,
}

/// `multistep:at=0.5/0.75,gamma=0.1`: `base · gamma^n` with `n` milestones at or before `t`, PyTorch's `MultiStepLR`;
/// a milestone named twice counts twice. The defaults are those of He et al. 2016, section 4.2,
/// <https://arxiv.org/abs/1512.03385>.
#[derive(Debug, Clone, PartialEq)]
pub struct MultiStep {
    /// The milestones: first steps with a lower rate.
    pub at: Vec<ScheduleSpan>,
    /// Factor at each milestone.
    pub gamma: f64,
}

/// `piecewise:at=100/300,factors=1/0.5/0.1`: `base · factors[n]` with `n` boundaries at or before `t`. Keras'
/// `PiecewiseConstantDecay` changes one step later: its boundary still has the previous rate.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Piecewise {
    /// The boundaries in ascending order: first steps with another rate.
    pub at: Vec<ScheduleSpan>,
    /// The factors, one more than there are boundaries.
    pub factors: Vec<f64>,
}

/// `exponential:gamma=0.999`: `base · gamma^(t / steps)`. With `steps` of one step it is PyTorch's `ExponentialLR`, otherwise
/// Keras' `ExponentialDecay`. `exponential:gamma=0.1,steps=0.5` falls to a hundredth over the run.
#[derive(Debug, Clone, PartialEq)]
pub struct Exponential {
    /// Factor over `steps`.
    pub gamma: f64,
    /// Number of steps in which the rate falls by `gamma`.
    pub steps: ScheduleSpan,
    /// Whether the exponent is rounded down.
    pub staircase: bool,
}

/// `inverse_time:rate=0.01`: `base / (1 + rate · t / steps)`, Keras' `InverseTimeDecay`; Robbins & Monro 1951,
/// <https://doi.org/10.1214/aoms/1177729586>.
#[derive(Debug, Clone, PartialEq)]
pub struct InverseTime {
    /// Speed of the decay: after `steps / rate` the rate is halved.
    pub rate: f64,
    /// The unit of time.
    pub steps: ScheduleSpan,
    /// Whether `t / steps` is rounded down.
    pub staircase: bool,
}

/// `linear:start=1,end=0`: `base · (start + (end − start) · min(t, steps) / steps)`, PyTorch's `LinearLR`.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearDecay {
    /// First factor.
    pub start: f64,
    /// Last factor.
    pub end: f64,
    /// Length of the decay; all steps by default.
    pub steps: Option<ScheduleSpan>,
}

/// `polynomial:power=1,min=0`: `min + (base − min) · (1 − min(t, steps) / steps)^power`, PyTorch's `PolynomialLR` and
/// Keras' `PolynomialDecay`.
#[derive(Debug, Clone, PartialEq)]
pub struct Polynomial {
    /// The exponent.
    pub power: f64,
    /// The final rate.
    pub min: f64,
    /// Length of the decay; all steps by default.
    pub steps: Option<ScheduleSpan>,
}

/// The number of `milestones` at or before step `t`.
fn passed(milestones: &[ScheduleSpan], t: u64, total: u64) -> usize {
    milestones.iter().filter(|at| at.steps(total) <= t).count()
}

/// The fraction of the decay that is over at step `t`, from 0 to 1.
pub(super) fn progress(t: u64, steps: Option<ScheduleSpan>, total: u64) -> f64 {
    let steps = steps.map_or(total, |steps| steps.steps(total));
    t.min(steps) as f64 / steps as f64
}

/// `t / steps`, rounded down for a staircase.
fn elapsed(t: u64, steps: ScheduleSpan, staircase: bool, total: u64) -> f64 {
    let steps = steps.steps(total);
    if staircase { (t / steps) as f64 } else { t as f64 / steps as f64 }
}

impl RateCurve for Const {
    fn rate(&self, base: f64, _t: u64, _total: u64) -> f64 {
        base
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        Vec::new()
    }
}

impl Default for StepDecay {
    fn default() -> Self {
        StepDecay { every: ScheduleSpan(0.3), gamma: 0.1 }
    }
}

impl RateCurve for StepDecay {
    fn rate(&self, base: f64, t: u64, total: u64) -> f64 {
        base * libm::pow(self.gamma, (t / self.every.steps(total)) as f64)
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        vec![Field::new("every", &mut self.every, Range::SPAN), Field::new("gamma", &mut self.gamma, Range::INNER)]
    }
}

impl Default for MultiStep {
    fn default() -> Self {
        MultiStep { at: vec![ScheduleSpan(0.5), ScheduleSpan(0.75)], gamma: 0.1 }
    }
}

impl RateCurve for MultiStep {
    fn rate(&self, base: f64, t: u64, total: u64) -> f64 {
        base * libm::pow(self.gamma, passed(&self.at, t, total) as f64)
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        vec![Field::new("at", &mut self.at, Range::SPAN), Field::new("gamma", &mut self.gamma, Range::INNER)]
    }
}

impl RateCurve for Piecewise {
    fn rate(&self, base: f64, t: u64, total: u64) -> f64 {
        base * self.factors[passed(&self.at, t, total)]
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        vec![Field::new("at", &mut self.at, Range::SPAN), Field::new("factors", &mut self.factors, Range::NOT_NEGATIVE)]
    }

    fn conflict(&self) -> Option<String> {
        let (boundaries, factors) = (self.at.len(), self.factors.len());
        if factors != boundaries + 1 {
            Some(format!("{boundaries} boundaries need {} factors, found {factors}", boundaries + 1))
        } else if !self.at.is_sorted_by(|a, b| a.0 < b.0) {
            Some("the boundaries must rise".to_owned())
        } else {
            None
        }
    }
}

impl Default for Exponential {
    fn default() -> Self {
        Exponential { gamma: f64::NAN, steps: ScheduleSpan(1.0), staircase: false }
    }
}

impl RateCurve for Exponential {
    fn rate(&self, base: f64, t: u64, total: u64) -> f64 {
        base * libm::pow(self.gamma, elapsed(t, self.steps, self.staircase, total))
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        vec![
            Field::new("gamma", &mut self.gamma, Range::INNER),
            Field::new("steps", &mut self.steps, Range::SPAN),
            Field::switch("staircase", &mut self.staircase),
        ]
    }
}

impl Default for InverseTime {
    fn default() -> Self {
        InverseTime { rate: f64::NAN, steps: ScheduleSpan(1.0), staircase: false }
    }
}

impl RateCurve for InverseTime {
    fn rate(&self, base: f64, t: u64, total: u64) -> f64 {
        base / (1.0 + self.rate * elapsed(t, self.steps, self.staircase, total))
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        vec![
            Field::new("rate", &mut self.rate, Range::POSITIVE),
            Field::new("steps", &mut self.steps, Range::SPAN),
            Field::switch("staircase", &mut self.staircase),
        ]
    }
}

impl Default for LinearDecay {
    fn default() -> Self {
        LinearDecay { start: 1.0, end: 0.0, steps: None }
    }
}

impl RateCurve for LinearDecay {
    fn rate(&self, base: f64, t: u64, total: u64) -> f64 {
        let x = progress(t, self.steps, total);
        base * (self.start * (1.0 - x) + self.end * x)
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        vec![
            Field::new("start", &mut self.start, Range::NOT_NEGATIVE),
            Field::new("end", &mut self.end, Range::NOT_NEGATIVE),
            Field::new("steps", &mut self.steps, Range::SPAN),
        ]
    }
}

impl Default for Polynomial {
    fn default() -> Self {
        Polynomial { power: 1.0, min: 0.0, steps: None }
    }
}

impl RateCurve for Polynomial {
    fn rate(&self, base: f64, t: u64, total: u64) -> f64 {
        self.min + (base - self.min) * libm::pow(1.0 - progress(t, self.steps, total), self.power)
    }

    fn lowest(&self) -> Option<f64> {
        Some(self.min)
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        vec![
            Field::new("power", &mut self.power, Range::POSITIVE),
            Field::new("min", &mut self.min, Range::NOT_NEGATIVE),
            Field::new("steps", &mut self.steps, Range::SPAN),
        ]
    }
}
