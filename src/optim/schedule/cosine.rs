//! Half a cosine down, once or repeatedly: Loshchilov & Hutter 2017, equation 5, <https://arxiv.org/abs/1608.03983>.

use std::f64::consts::PI;

use super::RateCurve;
use super::decay::progress;
use super::span::ScheduleSpan;
use crate::optim::field::{Field, Range};

/// `cosine:min=0`: `min + (base − min) (1 + cos(π t / steps)) / 2`. After `steps` it stays at `min`, as in Keras and optax;
/// with `rise=true` it rises again, as PyTorch's `CosineAnnealingLR` does.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cosine {
    /// The final rate.
    pub min: f64,
    /// Length of the descent; all steps by default.
    pub steps: Option<ScheduleSpan>,
    /// Whether the cosine continues after `steps`.
    pub rise: bool,
}

/// `restarts:period=0.25,mult=1,min=0`: the cosine in periods of `period · multⁱ` steps, i = 0, 1, …, each from the base
/// rate to `min`; PyTorch's `CosineAnnealingWarmRestarts`.
#[derive(Debug, Clone, PartialEq)]
pub struct Restarts {
    /// Length of the first period.
    pub period: ScheduleSpan,
    /// Ratio of a period's length to that of the previous one.
    pub mult: u64,
    /// The final rate of a period.
    pub min: f64,
}

/// `coslog:cycles=4`: `base · (1 − cos(2π log₂(1 + (2ᶜ − 1) t / T))) / 2`, which is c cycles from 0 to the base rate and back,
/// each twice as long as the previous one: Holzmüller et al. 2024, <https://arxiv.org/abs/2407.04491>.
#[derive(Debug, Clone, PartialEq)]
pub struct CosLog {
    /// Number of cycles, c.
    pub cycles: u64,
}

/// `flat_cos`: the base rate for the first half of the steps, then half a cosine down to 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlatCos;

impl Default for CosLog {
    fn default() -> Self {
        CosLog { cycles: 4 }
    }
}

impl RateCurve for CosLog {
    fn rate(&self, base: f64, t: u64, total: u64) -> f64 {
        let growth = libm::exp2(self.cycles as f64) - 1.0;
        half_wave(base, 0.0, 1.0 + 2.0 * libm::log2(1.0 + growth * progress(t, None, total)))
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        vec![Field::new("cycles", &mut self.cycles, Range::CYCLES)]
    }
}

impl RateCurve for FlatCos {
    fn rate(&self, base: f64, t: u64, total: u64) -> f64 {
        half_wave(base, 0.0, (2.0 * progress(t, None, total) - 1.0).max(0.0))
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        Vec::new()
    }
}

/// The rate after a fraction `x` of the descent.
fn half_wave(base: f64, min: f64, x: f64) -> f64 {
    min + (base - min) * (1.0 + libm::cos(PI * x)) / 2.0
}

impl RateCurve for Cosine {
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

    fn fields(&mut self) -> Vec<Field<'_>> {
        vec![
            Field::new("min", &mut self.min, Range::NOT_NEGATIVE),
            Field::new("steps", &mut self.steps, Range::SPAN),
            Field::switch("rise", &mut self.rise),
        ]
    }

    fn conflict(&self) -> Option<String> {
        (self.rise && self.steps.is_none()).then(|| "rise=true needs steps=…".to_owned())
    }
}

impl Default for Restarts {
    fn default() -> Self {
        Restarts { period: ScheduleSpan(0.25), mult: 1, min: 0.0 }
    }
}

impl RateCurve for Restarts {
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

    fn fields(&mut self) -> Vec<Field<'_>> {
        vec![
            Field::new("period", &mut self.period, Range::SPAN),
            Field::new("mult", &mut self.mult, Range::WHOLE_FROM_1),
            Field::new("min", &mut self.min, Range::NOT_NEGATIVE),
        ]
    }
}
