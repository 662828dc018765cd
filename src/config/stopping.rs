//! The options that decide when training ends.

use std::time::{Duration, Instant};

use super::lengths::duration;
use super::reader::{Reader, not_negative, positive};
use super::settings::Settings;
use crate::fit::{DataPart, Goal, Patience, Watched};
use crate::{Error, Result};

/// When training ends.
#[derive(Debug, Clone)]
pub struct StoppingOptions {
    /// Epochs; `None` to choose them by the steps of an epoch.
    pub epochs: Option<usize>,
    /// The most steps.
    pub steps: Option<u64>,
    /// Time limit of the whole command.
    pub time_limit: Option<Duration>,
    /// The end of the time limit.
    pub deadline: Option<Instant>,
    /// The goal that ends training.
    pub target: Option<Goal>,
    /// The metric that decides the best weights; `None` for that of the task.
    pub monitor: Option<Watched>,
    /// How long training continues without a better value; `None` to decide by whether the number of epochs is chosen.
    pub patience: Option<Patience>,
    /// A value is better only if it improves by more than this.
    pub min_delta: f64,
    /// Tolerance of the loss.
    pub tol_loss: Option<f64>,
    /// Tolerance of the gradient norm.
    pub tol_grad: Option<f64>,
    /// The goal that must be met at the end.
    pub fail_under: Option<Goal>,
}

impl StoppingOptions {
    /// Reads the options.
    ///
    /// # Errors
    /// [`Error::Option`] for wrong values, and for metrics that cannot be followed.
    pub(super) fn read(reader: &Reader) -> Result<StoppingOptions> {
        let time_limit = reader.with("time_limit", duration)?;
        let options = StoppingOptions {
            epochs: reader.count("epochs", 1, &["auto"])?.map(|n| n as usize),
            steps: reader.count("steps", 1, &[])?,
            time_limit,
            deadline: time_limit.and_then(|limit| reader.began().checked_add(limit)),
            target: reader.parse("target")?,
            monitor: reader.parse("monitor")?,
            patience: patience(reader)?,
            min_delta: reader.number("min_delta", "a number of at least 0", not_negative)?.unwrap_or(0.0),
            tol_loss: reader.number("tol_loss", "a number above 0", positive)?,
            tol_grad: reader.number("tol_grad", "a number above 0", positive)?,
            fail_under: reader.parse("fail_under")?,
        };
        let watched = [("target", options.target.map(|g| g.watched)), ("monitor", options.monitor)];
        for (name, watched) in watched {
            if let Some(watched) = watched.filter(|w| w.part == DataPart::Test) {
                let message = format!("the test part is looked at only after training; use val_{}", watched.metric);
                return Err(Error::Usage(message).of_value(name, watched));
            }
            if let Some(watched) = watched.filter(|w| w.part == DataPart::Train && w.metric.needs_ranking()) {
                let message = format!("it is not followed on the training part; use val_{}", watched.metric);
                return Err(Error::Usage(message).of_value(name, watched));
            }
        }
        Ok(options)
    }

    /// Subtracts the time before an interruption from the time limit.
    ///
    /// # Errors
    /// [`Error::Option`] if no time is left.
    pub fn spend(&mut self, spent: Duration) -> Result<()> {
        let (Some(limit), Some(deadline)) = (self.time_limit, self.deadline) else { return Ok(()) };
        self.deadline = deadline.checked_sub(spent).filter(|_| limit > spent);
        if self.deadline.is_none_or(|deadline| deadline <= Instant::now()) {
            let (limit, spent) = (limit.as_secs_f64(), spent.as_secs_f64());
            let message = format!("the run has taken {spent:.1} s already: allow more");
            return Err(Error::NoStep(message).of_value("time_limit", format_args!("{limit}s")));
        }
        Ok(())
    }
}

/// The time when `--time-limit` ends a command, if settings have one.
///
/// # Errors
/// [`Error::Option`], or [`Error::Usage`] that names a variable or a file, if it is not a duration.
pub fn deadline(settings: &Settings) -> Result<Option<Instant>> {
    let reader = Reader::new(settings.clone());
    Ok(reader.with("time_limit", duration)?.and_then(|limit| reader.began().checked_add(limit)))
}

/// `none`, a number of epochs, or `auto`, which is the default.
fn patience(reader: &Reader) -> Result<Option<Patience>> {
    if reader.text("patience").as_deref() == Some("none") {
        return Ok(Some(Patience::Never));
    }
    Ok(reader.count("patience", 1, &["auto", "none"])?.map(|epochs| Patience::After(epochs as usize)))
}
