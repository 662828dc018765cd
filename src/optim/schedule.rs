//! Schedules of the learning rate.
//!
//! Steps count from 0. `t` is the number of a step and `T` the number of all steps, both counted from the end of the warm-up. A
//! length below 1 is a fraction of those `T` steps, otherwise it is a whole number of steps.

mod cosine;
mod cycle;
mod decay;
mod plateau;
mod span;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use cosine::{CosLog, Cosine, FlatCos, Restarts};
pub use cycle::{Anneal, Cyclic, CyclicMode, OneCycle};
pub use decay::{Const, Exponential, InverseTime, LinearDecay, MultiStep, Piecewise, Polynomial, StepDecay};
pub use plateau::{Plateau, PlateauRule, ThresholdMode};
pub use span::ScheduleSpan;

use super::field::{Field, Range};
use crate::spec::Spec;
use crate::{Error, Result};

/// A schedule, as `--schedule` names it: `cosine`, `step:every=0.3,gamma=0.1`, `cosine:warmup=0.05,min=1e-5`.
///
/// Any schedule may begin with a warm-up of W steps (Goyal et al. 2017, section 2.2, <https://arxiv.org/abs/1706.02677>), which
/// is linear up to the first rate after it. Step `t < W` has the factor `(t + 1) / W`, or with `warmup_from=f` the factor `f +
/// (1 − f) t / W`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Schedule {
    /// W; a fraction refers to all steps of the run.
    pub warmup: ScheduleSpan,
    /// The factor of the first step; `1 / W` by default.
    pub warmup_from: Option<f64>,
    /// What follows the warm-up.
    pub shape: RateShape,
}

/// The shape of the rate after the warm-up.
#[derive(Debug, Clone, PartialEq)]
pub enum RateShape {
    /// See [`Const`].
    Const(Const),
    /// See [`StepDecay`].
    Step(StepDecay),
    /// See [`MultiStep`].
    MultiStep(MultiStep),
    /// See [`Piecewise`].
    Piecewise(Piecewise),
    /// See [`Exponential`].
    Exponential(Exponential),
    /// See [`InverseTime`].
    InverseTime(InverseTime),
    /// See [`LinearDecay`].
    Linear(LinearDecay),
    /// See [`Polynomial`].
    Polynomial(Polynomial),
    /// See [`Cosine`].
    Cosine(Cosine),
    /// See [`Restarts`].
    Restarts(Restarts),
    /// See [`CosLog`].
    CosLog(CosLog),
    /// See [`FlatCos`].
    FlatCos(FlatCos),
    /// See [`OneCycle`].
    OneCycle(OneCycle),
    /// See [`Cyclic`].
    Cyclic(Cyclic),
    /// See [`PlateauRule`]; a [`Plateau`] keeps the current rate.
    Plateau(PlateauRule),
}

/// The common interface of the shapes.
trait RateCurve {
    /// The rate of step `t` of `total`, both counted from the end of the warm-up.
    fn rate(&self, base: f64, t: u64, total: u64) -> f64;

    /// The momentum of that step, if the schedule changes it.
    fn momentum(&self, _t: u64, _total: u64) -> Option<f64> {
        None
    }

    /// The final rate, if it is given as a rate and not as a factor.
    fn lowest(&self) -> Option<f64> {
        None
    }

    /// The options.
    fn fields(&mut self) -> Vec<Field<'_>>;

    /// A contradiction among options that are each valid.
    fn conflict(&self) -> Option<String> {
        None
    }
}

/// Borrows the curve of a shape, shared or mutable like `$shape`.
macro_rules! each {
    ($shape:expr) => {
        match $shape {
            RateShape::Const(curve) => curve,
            RateShape::Step(curve) => curve,
            RateShape::MultiStep(curve) => curve,
            RateShape::Piecewise(curve) => curve,
            RateShape::Exponential(curve) => curve,
            RateShape::InverseTime(curve) => curve,
            RateShape::Linear(curve) => curve,
            RateShape::Polynomial(curve) => curve,
            RateShape::Cosine(curve) => curve,
            RateShape::Restarts(curve) => curve,
            RateShape::CosLog(curve) => curve,
            RateShape::FlatCos(curve) => curve,
            RateShape::OneCycle(curve) => curve,
            RateShape::Cyclic(curve) => curve,
            RateShape::Plateau(curve) => curve,
        }
    };
}

impl RateShape {
    fn with_defaults(name: &str) -> Option<Self> {
        Some(match name {
            "const" | "constant" => RateShape::Const(Const),
            "step" => RateShape::Step(StepDecay::default()),
            "multistep" => RateShape::MultiStep(MultiStep::default()),
            "piecewise" => RateShape::Piecewise(Piecewise::default()),
            "exponential" => RateShape::Exponential(Exponential::default()),
            "inverse_time" => RateShape::InverseTime(InverseTime::default()),
            "linear" => RateShape::Linear(LinearDecay::default()),
            "polynomial" => RateShape::Polynomial(Polynomial::default()),
            "cosine" => RateShape::Cosine(Cosine::default()),
            "restarts" => RateShape::Restarts(Restarts::default()),
            "coslog" | "coslog4" => RateShape::CosLog(CosLog::default()),
            "flat_cos" => RateShape::FlatCos(FlatCos),
            "onecycle" => RateShape::OneCycle(OneCycle::default()),
            "cyclic" => RateShape::Cyclic(Cyclic::default()),
            "plateau" => RateShape::Plateau(PlateauRule::default()),
            _ => return None,
        })
    }

    fn name(&self) -> &'static str {
        match self {
            RateShape::Const(_) => "const",
            RateShape::Step(_) => "step",
            RateShape::MultiStep(_) => "multistep",
            RateShape::Piecewise(_) => "piecewise",
            RateShape::Exponential(_) => "exponential",
            RateShape::InverseTime(_) => "inverse_time",
            RateShape::Linear(_) => "linear",
            RateShape::Polynomial(_) => "polynomial",
            RateShape::Cosine(_) => "cosine",
            RateShape::Restarts(_) => "restarts",
            RateShape::CosLog(_) => "coslog",
            RateShape::FlatCos(_) => "flat_cos",
            RateShape::OneCycle(_) => "onecycle",
            RateShape::Cyclic(_) => "cyclic",
            RateShape::Plateau(_) => "plateau",
        }
    }

    /// The formula of the rate at step t, as text.
    fn formula(&self) -> &'static str {
        match self {
            RateShape::Const(_) => "lr throughout",
            RateShape::Step(_) => "lr · gamma^⌊t / every⌋",
            RateShape::MultiStep(_) => "lr · gamma^n, n milestones passed",
            RateShape::Piecewise(_) => "lr · factors[n], n boundaries passed",
            RateShape::Exponential(_) => "lr · gamma^(t / steps)",
            RateShape::InverseTime(_) => "lr / (1 + rate · t / steps)",
            RateShape::Linear(_) => "lr · (start + (end − start) · t / steps)",
            RateShape::Polynomial(_) => "min + (lr − min) · (1 − t / steps)^power",
            RateShape::Cosine(_) => "min + (lr − min) (1 + cos(π t / steps)) / 2",
            RateShape::Restarts(_) => "the cosine in periods of period · multⁱ steps",
            RateShape::CosLog(_) => "lr (1 − cos(2π log₂(1 + (2^cycles − 1) t / T))) / 2, T all steps",
            RateShape::FlatCos(_) => "lr for half of the steps, then down to 0 along a cosine",
            RateShape::OneCycle(_) => {
                "from lr / div up to lr over rise of the steps, then down to lr / div / final_div"
            }
            RateShape::Cyclic(_) => "straight from min up to lr and down again, repeated",
            RateShape::Plateau(_) => "lr · factor whenever the monitored figure has not improved for patience epochs",
        }
    }

    fn curve(&self) -> &dyn RateCurve {
        each!(self)
    }

    fn curve_mut(&mut self) -> &mut dyn RateCurve {
        each!(self)
    }
}

impl Schedule {
    /// Every name with its formula, and its options with their defaults; options without a default are listed by key alone.
    pub fn formulas() -> impl Iterator<Item = (&'static str, &'static str, Vec<String>)> {
        Self::NAMES.into_iter().filter_map(|name| {
            let mut shape = RateShape::with_defaults(name)?;
            let formula = shape.formula();
            let options = shape.curve_mut().fields().iter().map(Field::help).collect();
            Some((name, formula, options))
        })
    }

    /// Every name.
    pub const NAMES: [&'static str; 15] = [
        "const",
        "step",
        "multistep",
        "piecewise",
        "exponential",
        "inverse_time",
        "linear",
        "polynomial",
        "cosine",
        "restarts",
        "coslog",
        "flat_cos",
        "onecycle",
        "cyclic",
        "plateau",
    ];

    /// The rate of step `step`, from 0, of a run of `total_steps`. `base_lr` is the run's learning rate; for `plateau` it is
    /// the current rate of its [`Plateau`]. Beyond `total_steps` a decay keeps its final rate.
    pub fn rate(&self, base_lr: f64, step: u64, total_steps: u64) -> f64 {
        let (warmup, rest) = self.parts(total_steps);
        match step.checked_sub(warmup) {
            Some(t) => self.shape.curve().rate(base_lr, t, rest),
            None => self.warmup_factor(step, warmup) * self.shape.curve().rate(base_lr, 0, rest),
        }
    }

    /// The momentum of a step, if `onecycle` or `cyclic` change it (`momentum=low/high`); for Adam it is β₁.
    pub fn momentum(&self, step: u64, total_steps: u64) -> Option<f64> {
        let (warmup, rest) = self.parts(total_steps);
        self.shape.curve().momentum(step.saturating_sub(warmup), rest)
    }

    /// The rule by which a [`Plateau`] reduces the rate, if that is the schedule.
    pub fn plateau(&self) -> Option<PlateauRule> {
        match self.shape {
            RateShape::Plateau(rule) => Some(rule),
            _ => None,
        }
    }

    /// Checks the schedule against the run's learning rate.
    ///
    /// # Errors
    /// [`Error::Usage`] if the final rate is above `base_lr`.
    pub fn check(&self, base_lr: f64) -> Result<()> {
        match self.shape.curve().lowest() {
            Some(min) if min > base_lr => Err(Error::Usage(format!(
                "schedule \"{self}\": min={min} is above the learning rate {base_lr}: try a smaller one, or a larger rate"
            ))),
            _ => Ok(()),
        }
    }

    /// Steps of the warm-up and steps after it.
    fn parts(&self, total_steps: u64) -> (u64, u64) {
        let warmup = self.warmup.steps(total_steps);
        (warmup, total_steps.saturating_sub(warmup).max(1))
    }

    fn warmup_factor(&self, step: u64, warmup: u64) -> f64 {
        match self.warmup_from {
            None => (step + 1) as f64 / warmup as f64,
            Some(from) => from + (1.0 - from) * (step as f64 / warmup as f64),
        }
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        let mut fields = self.shape.curve_mut().fields();
        fields.push(Field::new("warmup", &mut self.warmup, Range::SPAN_OR_ZERO));
        fields.push(Field::new("warmup_from", &mut self.warmup_from, Range::SHARE));
        fields
    }

    /// The options that have values, as `key=value`.
    fn options(&self) -> Vec<String> {
        self.clone().fields().iter().filter_map(Field::text).collect()
    }
}

impl From<RateShape> for Schedule {
    /// The shape without a warm-up.
    fn from(shape: RateShape) -> Self {
        Schedule { warmup: ScheduleSpan(0.0), warmup_from: None, shape }
    }
}

impl Default for Schedule {
    /// From the base rate to 0 along a cosine, without a warm-up.
    fn default() -> Self {
        RateShape::Cosine(Cosine::default()).into()
    }
}

impl FromStr for Schedule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut spec = Spec::parse("schedule", text)?;
        let shape = RateShape::with_defaults(spec.name).ok_or_else(|| spec.unknown_name(&Self::NAMES))?;
        let mut schedule = Schedule::from(shape);
        for field in schedule.fields() {
            field.read(&mut spec)?;
        }
        let conflict = schedule.shape.curve().conflict();
        let needless = schedule.warmup.0 == 0.0 && schedule.warmup_from.is_some();
        let conflict = conflict.or_else(|| needless.then(|| "warmup_from needs warmup=…".to_owned()));
        spec.finish()?;
        match conflict {
            Some(conflict) => Err(Error::Usage(format!("schedule \"{text}\": {conflict}"))),
            None => Ok(schedule),
        }
    }
}

impl fmt::Display for Schedule {
    /// The name, and the options that differ from the defaults.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let defaults = RateShape::with_defaults(self.shape.name()).map(Schedule::from).unwrap_or_default().options();
        let options: Vec<String> = self.options().into_iter().filter(|option| !defaults.contains(option)).collect();
        f.write_str(self.shape.name())?;
        if options.is_empty() { Ok(()) } else { write!(f, ":{}", options.join(",")) }
    }
}

impl TryFrom<String> for Schedule {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Schedule> for String {
    fn from(schedule: Schedule) -> String {
        schedule.to_string()
    }
}

#[cfg(test)]
mod tests;
