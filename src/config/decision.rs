//! Decisions after training: whether to calibrate logits, and the threshold of a binary decision.

use std::fmt;
use std::str::FromStr;

use toml::Value;

use super::reader::Reader;
use crate::metrics::MetricName;
use crate::metrics::scores::HALF;
use crate::metrics::threshold::THRESHOLD_METRICS;
use crate::{Error, Result};

/// What is decided after training, on rows that the network did not learn from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DecisionOptions {
    /// Whether logits are calibrated if there are enough rows.
    pub calibrate: bool,
    /// The threshold of a binary decision.
    pub threshold: ThresholdChoice,
}

/// How the threshold of a binary decision is chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ThresholdChoice {
    /// The user gives it.
    Value(f64),
    /// By the metric of `--monitor` if it depends on a threshold; otherwise by `f1_macro`.
    Auto,
    /// By this metric.
    Metric(MetricName),
}

impl FromStr for ThresholdChoice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == "auto" {
            return Ok(ThresholdChoice::Auto);
        }
        if let Some(name) = text.strip_prefix("metric=") {
            let metric: MetricName = name.parse()?;
            if THRESHOLD_METRICS.contains(&metric) {
                return Ok(ThresholdChoice::Metric(metric));
            }
            let known = THRESHOLD_METRICS.map(MetricName::name).join(", ");
            return Err(Error::Usage(format!("a threshold is chosen by one of {known}, not by {metric}")));
        }
        match text.parse::<f64>() {
            Ok(value) if value > 0.0 && value < 1.0 => Ok(ThresholdChoice::Value(value)),
            _ => {
                let expected = "expected a probability between 0 and 1, auto, or metric=f1";
                Err(Error::Usage(format!("{expected}, found \"{text}\"")))
            }
        }
    }
}

impl fmt::Display for ThresholdChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ThresholdChoice::Value(value) => write!(f, "{value}"),
            ThresholdChoice::Auto => f.write_str("auto"),
            ThresholdChoice::Metric(metric) => write!(f, "metric={metric}"),
        }
    }
}

impl DecisionOptions {
    pub(super) fn read(reader: &Reader) -> Result<DecisionOptions> {
        let calibrate = reader.with("calibrate", |text| match text {
            "auto" => Ok(true),
            "none" => Ok(false),
            _ => Err(format!("expected auto or none, found \"{text}\"")),
        })?;
        let threshold = reader.parse("threshold")?.unwrap_or(ThresholdChoice::Value(HALF));
        Ok(DecisionOptions { calibrate: calibrate.unwrap_or(true), threshold })
    }

    pub(super) fn entries(&self) -> [(&'static str, Value); 2] {
        let threshold = match self.threshold {
            ThresholdChoice::Value(value) => value.into(),
            chosen => chosen.to_string().into(),
        };
        [("calibrate", if self.calibrate { "auto" } else { "none" }.into()), ("threshold", threshold)]
    }

    /// The given threshold; a half if it is chosen after training.
    pub fn given_threshold(&self) -> f64 {
        if let ThresholdChoice::Value(value) = self.threshold { value } else { HALF }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_is_read_as_it_is_written() {
        for text in ["0.5", "0.25", "auto", "metric=f1", "metric=balanced_accuracy"] {
            assert_eq!(text.parse::<ThresholdChoice>().unwrap().to_string(), text);
        }
        for (text, reason) in [
            ("1", "between 0 and 1"),
            ("NaN", "between"),
            ("metric=auroc", "not by auroc"),
            ("metric=f2", "did you mean"),
        ] {
            let message = text.parse::<ThresholdChoice>().unwrap_err().to_string();
            assert!(message.contains(reason), "{message}");
        }
    }
}
