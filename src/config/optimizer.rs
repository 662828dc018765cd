//! The options of the optimizer and its gradient.

use super::reader::{Reader, not_negative, positive};
use super::settings::Settings;
use crate::layer::MemberRows;
use crate::optim::clip::NormType;
use crate::optim::schedule::Schedule;
use crate::optim::{Algorithm, Decay, Dialect, OptimizerSpec};
use crate::option_text::{option, setting};
use crate::{Error, Result};

/// The optimizer and its gradient.
#[derive(Debug, Clone)]
pub struct OptimizerOptions {
    /// The optimizer, including its learning rate.
    pub spec: OptimizerSpec,
    /// The schedule of the learning rate.
    pub schedule: Schedule,
    /// The schedule of the factor of dropout.
    pub dropout_schedule: Option<Schedule>,
    /// The schedule of the factor of decay and penalties.
    pub decay_schedule: Option<Schedule>,
    /// The batch size.
    pub batch: BatchSize,
    /// Mini-batches combined into one step.
    pub accumulate: usize,
    /// `λ Σ|w|`.
    pub l1: f64,
    /// `½ λ Σ w²`.
    pub l2: f64,
    /// Decoupled decay.
    pub weight_decay: f64,
    /// Whether penalties and decay cover biases and norms.
    pub decay_bias: bool,
    /// Bound of the gradient's norm.
    pub clip_norm: Option<(f64, NormType)>,
    /// Bound of each element.
    pub clip_value: Option<f64>,
    /// Bound of each tensor's norm.
    pub clip_layer: Option<f64>,
    /// Label smoothing.
    pub label_smoothing: f64,
    /// Whether the members of the network train on the same rows.
    pub member_rows: MemberRows,
    /// Decay of the moving average of the weights.
    pub ema: Option<f64>,
}

impl OptimizerOptions {
    /// Reads the options; `drops` is the option that asks for dropout.
    ///
    /// # Errors
    /// [`Error::Option`] for wrong values, and for options that cannot be combined.
    pub(super) fn read(reader: &Reader, drops: Option<&str>) -> Result<OptimizerOptions> {
        let mut spec = optimizer(reader)?;
        if let Some(lr) = reader.number("lr", "a number above 0", positive)? {
            spec.lr = lr;
        }
        let share = |x: f64| (0.0..1.0).contains(&x);
        let l2 = if spec.dialect == Some(Dialect::Sklearn) { SKLEARN_L2 } else { 0.0 };
        let options = OptimizerOptions {
            spec,
            schedule: schedule(reader, &spec)?,
            dropout_schedule: factor(reader, "dropout_schedule")?,
            decay_schedule: factor(reader, "decay_schedule")?,
            batch: batch(reader, &spec)?,
            accumulate: reader.count("accumulate", 1, &[])?.unwrap_or(1) as usize,
            l1: reader.number("l1", "a number of at least 0", not_negative)?.unwrap_or(0.0),
            l2: reader.number("l2", "a number of at least 0", not_negative)?.unwrap_or(l2),
            weight_decay: reader.number("weight_decay", "a number of at least 0", not_negative)?.unwrap_or(0.0),
            decay_bias: reader.switch("decay_bias")?,
            clip_norm: reader.with("clip_norm", norm_bound)?,
            clip_value: reader.number("clip_value", "a number above 0", positive)?,
            clip_layer: reader.number("clip_layer", "a number above 0", positive)?,
            label_smoothing: reader.number("label_smoothing", "at least 0 and below 1", share)?.unwrap_or(0.0),
            member_rows: reader.parse("member_rows")?.unwrap_or_default(),
            ema: reader.number("ema", "a decay of at least 0 and below 1", share)?,
        };
        check_company(&options, drops)?;
        check_factors(&options, drops)?;
        Ok(options)
    }
}

/// The choice of the batch size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchSize {
    /// This number of rows.
    Rows(usize),
    /// The whole training part.
    Full,
    /// Chosen by the number of rows.
    Auto,
    /// Chosen by the number of rows as the authors of TabM do.
    ByRows,
}

impl BatchSize {
    /// Whether the number of rows decides the batch size.
    pub fn follows_rows(self) -> bool {
        matches!(self, BatchSize::Auto | BatchSize::ByRows)
    }
}

/// The default optimizer.
const DEFAULT: &str = "adam";

/// The default `alpha` of scikit-learn's networks.
const SKLEARN_L2: f64 = 1e-4;

/// The dialect in the settings, if there is one.
///
/// # Errors
/// [`Error::Option`] if there is no such dialect.
pub fn dialect_of(settings: Settings) -> Result<Option<Dialect>> {
    dialect(&Reader::new(settings))
}

/// The dialect, if one is given.
pub(super) fn dialect(reader: &Reader) -> Result<Option<Dialect>> {
    match reader.text("dialect").as_deref() {
        None | Some("none") => Ok(None),
        Some(_) => reader.parse("dialect"),
    }
}

/// The optimizer in its dialect.
pub(super) fn optimizer(reader: &Reader) -> Result<OptimizerSpec> {
    let dialect = dialect(reader)?;
    let read = |text: &str| OptimizerSpec::parse(text, dialect).map_err(|e| e.to_string());
    reader.with("optimizer", read)?.map_or_else(|| OptimizerSpec::parse(DEFAULT, dialect), Ok)
}

/// Refuses options that cannot be combined with the optimizer.
fn check_company(options: &OptimizerOptions, drops: Option<&str>) -> Result<()> {
    let clips = options.clip_norm.is_some() || options.clip_value.is_some() || options.clip_layer.is_some();
    let clip = || format!("{}, {} or {}", option("clip_norm"), option("clip_value"), option("clip_layer"));
    let said = |name| option(name).to_string();
    let searches = || "searches along a line for a lower loss, and its gradient must belong to that loss".to_owned();
    let refused = match options.spec.algorithm {
        Algorithm::WholeNetwork(_) => vec![
            (clips, clip(), searches()),
            (drops.is_some(), drops.unwrap_or_default().to_owned(), searches()),
            (options.l1 > 0.0, said("l1"), format!("wants a loss without kinks; use {}", option("l2"))),
            (
                options.weight_decay > 0.0,
                said("weight_decay"),
                format!("takes decay only as part of the loss; use {}", option("l2")),
            ),
            (options.decay_schedule.is_some(), said("decay_schedule"), searches()),
            (options.ema.is_some(), said("ema"), "makes no noise that an average would take out".to_owned()),
        ],
        algorithm if algorithm.evaluated_between().is_some() => {
            vec![(options.ema.is_some(), said("ema"), "evaluates an average of its own".to_owned())]
        }
        _ => Vec::new(),
    };
    match refused.into_iter().find(|(given, ..)| *given) {
        None => Ok(()),
        Some((_, refused, reason)) => {
            let name = options.spec.algorithm.name();
            Err(Error::Usage(format!("{refused} with {}: {name} {reason}", setting("optimizer", name))))
        }
    }
}

/// A schedule of a factor, whose base value is 1.
fn factor(reader: &Reader, name: &str) -> Result<Option<Schedule>> {
    let Some(schedule) = reader.parse::<Schedule>(name)? else { return Ok(None) };
    if schedule.plateau().is_some() {
        return Err(reader.wrong(name, "plateau follows a monitor, and only the learning rate does that"));
    }
    if schedule.momentum(0, 100).is_some() {
        return Err(reader.wrong(name, "there is no momentum to move: leave out momentum="));
    }
    schedule.check(1.0).map_err(|_| reader.wrong(name, "min= is a factor here: give at most 1"))?;
    Ok(Some(schedule))
}

/// Refuses schedules of values that are not in use.
fn check_factors(options: &OptimizerOptions, drops: Option<&str>) -> Result<()> {
    let decays = options.l1 > 0.0
        || options.l2 > 0.0
        || options.weight_decay > 0.0
        || [true, false].iter().any(|of_weights| options.spec.own_decay(*of_weights, options.spec.lr) != Decay::NONE);
    if options.dropout_schedule.is_some() && drops.is_none() {
        let (rate, preset) = (setting("dropout", "RATE"), setting("preset", "realmlp"));
        let message =
            format!("expected dropout, which follows it: give {rate}, or a preset that has dropout, such as {preset}");
        return Err(Error::Usage(message).of("dropout_schedule"));
    }
    if options.decay_schedule.is_some() && !decays {
        let (decay, penalty, preset) = (option("weight_decay"), option("l2"), setting("preset", "realmlp"));
        let message = format!(
            "expected a decay, which follows it: give {decay} or {penalty}, or a preset that has decay, such as {preset}"
        );
        return Err(Error::Usage(message).of("decay_schedule"));
    }
    Ok(())
}

/// The schedule; refused if it does not suit the learning rate or the optimizer.
fn schedule(reader: &Reader, spec: &OptimizerSpec) -> Result<Schedule> {
    let given: Option<Schedule> = reader.parse("schedule")?;
    let name = spec.algorithm.name();
    if !spec.algorithm.follows_schedule() {
        let constant: Schedule = "const".parse()?;
        return match given {
            Some(schedule) if schedule != constant => {
                let message = format!("{name} finds its own step sizes and follows none: leave it out");
                Err(Error::Usage(message).of_value("schedule", schedule))
            }
            _ => Ok(constant),
        };
    }
    let schedule = match given {
        Some(schedule) => schedule,
        None if spec.algorithm.prefers_constant_rate() => "const".parse()?,
        None => Schedule::default(),
    };
    schedule.check(spec.lr)?;
    if schedule.momentum(0, 100).is_some() && !spec.algorithm.has_momentum() {
        let takes_one = spec.options().iter().any(|option| option.starts_with("momentum="));
        let other = setting("optimizer", format!("{name}:momentum=0.9"));
        let remedy = if takes_one { format!("use {other}, or ") } else { String::new() };
        let message = format!("{name} has no momentum to move: {remedy}leave out momentum=");
        return Err(Error::Usage(message).of_value("schedule", schedule));
    }
    Ok(schedule)
}

/// The batch size; an optimizer that needs all rows accepts only the whole part.
fn batch(reader: &Reader, spec: &OptimizerSpec) -> Result<BatchSize> {
    let name = spec.algorithm.name();
    match reader.text("batch").as_deref() {
        None | Some("auto") if spec.algorithm.needs_full_batch() => Ok(BatchSize::Full),
        None | Some("auto") => Ok(BatchSize::Auto),
        Some("full") => Ok(BatchSize::Full),
        Some("by-rows") if !spec.algorithm.needs_full_batch() => Ok(BatchSize::ByRows),
        Some(text) if spec.algorithm.needs_full_batch() => {
            let message = format!(
                "{name} compares gradients of different steps, which must see the same rows: use full, or leave it out"
            );
            Err(Error::Usage(message).of_value("batch", text))
        }
        Some(_) => Ok(BatchSize::Rows(reader.count("batch", 1, &["full", "auto", "by-rows"])?.unwrap_or(1) as usize)),
    }
}

/// `1.0`, `1.0:2`, `0.5:inf`.
pub(super) fn norm_bound(text: &str) -> std::result::Result<(f64, NormType), String> {
    let (bound, norm) = text.split_once(':').unwrap_or((text, "2"));
    let norm = norm.parse().map_err(|e: Error| e.to_string())?;
    match bound.parse() {
        Ok(bound) if positive(bound) => Ok((bound, norm)),
        _ => Err(format!("expected a bound above 0 such as 1 or 1:inf, found \"{text}\"")),
    }
}
