//! Half a cosine down, once or again and again: Loshchilov & Hutter 2017, equation 5, <https://arxiv.org/abs/1608.03983>.

use std::f64::consts::PI;

use super::Curve;
use super::decay::progress;
use super::field::{COUNT_FROM_1, Field, Fields, NOT_NEGATIVE, SPAN, Span};

/// `cosine:min=0`: `min + (base − min) (1 + cos(π t / steps)) / 2`, held at `min` after `steps` as Keras and optax do;
/// with `rise=true` it rises again, as PyTorch's `CosineAnnealingLR`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cosine {
    /// The last rate.
    pub min: f64,
    /// How long the way down takes; all steps where nothing is said.
    pub steps: Option<Span>,
    /// Whether the cosine goes on after `steps`.
    pub rise: bool,
}

/// `restarts:period=0.25,mult=1,min=0`: the cosine in periods of `period · multⁱ` steps, i = 0, 1, …, each from the base
/// rate to `min`; PyTorch's `CosineAnnealingWarmRestarts`.
#[derive(Debug, Clone, PartialEq)]
pub struct Restarts {
    /// Length of the first period.
    pub period: Span,
    /// Each period is this many times as long as the one before.
    pub mult: u64,
    /// The last rate of a period.
    pub min: f64,
}

/// The rate after a part `x` of the way down.
fn half_wave(base: f64, min: f64, x: f64) -> f64 {
    min + (base - min) * (1.0 + libm::cos(PI * x)) / 2.0
}

impl Curve for Cosine {
    fn rate(&self, base: f64, t: u64, total: u64) -> f64 {
        let x = match self.steps {
            Some(steps) if self.rise => t as f64 / steps.steps(total) as f64,
            steps => progress(t, steps, total),
        };
        half_wave(base, self.min, x)
    }

    fn lowest(&self) -> Option<f64> {
        Some(self.min)
    }

    fn fields(&mut self) -> Fields<'_> {
        vec![
            ("min", Field::Number(&mut self.min, NOT_NEGATIVE)),
            ("steps", Field::OptionalSpan(&mut self.steps)),
            ("rise", Field::Switch(&mut self.rise)),
        ]
    }

    fn conflict(&self) -> Option<String> {
        (self.rise && self.steps.is_none()).then(|| "rise=true needs steps=…".to_owned())
    }
}

impl Default for Restarts {
    fn default() -> Self {
        Restarts { period: Span(0.25), mult: 1, min: 0.0 }
    }
}

impl Curve for Restarts {
    fn rate(&self, base: f64, t: u64, total: u64) -> f64 {
        let (mut t, mut period) = (t, self.period.steps(total));
        if self.mult == 1 {
            t %= period;
        }
        while t >= period {
            t -= period;
            period = period.saturating_mul(self.mult);
        }
        half_wave(base, self.min, t as f64 / period as f64)
    }

    fn lowest(&self) -> Option<f64> {
        Some(self.min)
    }

    fn fields(&mut self) -> Fields<'_> {
        vec![
            ("period", Field::Span(&mut self.period, SPAN)),
            ("mult", Field::Count(&mut self.mult, COUNT_FROM_1)),
            ("min", Field::Number(&mut self.min, NOT_NEGATIVE)),
        ]
    }
}
