//! Metrics of a part of the data, and goals for them.

use std::fmt;
use std::str::FromStr;

use crate::metrics::{MetricName, MetricSet};
use crate::{Error, Result};

/// A part of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataPart {
    /// The rows to learn from.
    Train,
    /// The rows that decide when to stop and which weights are best.
    Val,
    /// The rows that are evaluated once, at the end.
    Test,
}

impl DataPart {
    /// All parts.
    pub const ALL: [DataPart; 3] = [DataPart::Train, DataPart::Val, DataPart::Test];

    /// The prefix of its metrics, without the underscore.
    pub fn name(self) -> &'static str {
        match self {
            DataPart::Train => "train",
            DataPart::Val => "val",
            DataPart::Test => "test",
        }
    }
}

/// A metric of a part: `val_accuracy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watched {
    /// The part.
    pub part: DataPart,
    /// The metric.
    pub metric: MetricName,
}

impl fmt::Display for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.part.name(), self.metric)
    }
}

impl FromStr for Watched {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let of_part = |part: DataPart| text.strip_prefix(part.name())?.strip_prefix('_').map(|rest| (part, rest));
        let Some((part, metric)) = DataPart::ALL.into_iter().find_map(of_part) else {
            let message = format!("expected a metric with train_, val_ or test_ before it, found \"{text}\"");
            return Err(Error::Usage(message));
        };
        Ok(Watched { part, metric: metric.parse()? })
    }
}

/// A bound that a metric must reach: `val_loss<=0.05`, `test_accuracy=0.98`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Goal {
    /// The metric.
    pub watched: Watched,
    /// How the metric is compared with the value.
    comparison: Relation,
    /// The value.
    pub value: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    AtMost,
    Below,
    AtLeast,
    Above,
    /// At most for metrics where lower is better, at least for the others.
    AsGood,
}

const COMPARISONS: [(&str, Relation); 5] = [
    ("<=", Relation::AtMost),
    (">=", Relation::AtLeast),
    ("<", Relation::Below),
    (">", Relation::Above),
    ("=", Relation::AsGood),
];

impl Goal {
    /// Whether the figures reach the goal; false if the metric is undefined.
    pub fn is_met(&self, figures: &MetricSet) -> bool {
        let Some(found) = figures.get(self.watched.metric) else { return false };
        match self.comparison {
            Relation::AtMost => found <= self.value,
            Relation::Below => found < self.value,
            Relation::AtLeast => found >= self.value,
            Relation::Above => found > self.value,
            Relation::AsGood if self.watched.metric.higher_is_better() => found >= self.value,
            Relation::AsGood => found <= self.value,
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = COMPARISONS.iter().find(|(_, c)| *c == self.comparison).map_or("=", |(sign, _)| sign);
        write!(f, "{}{sign}{}", self.watched, self.value)
    }
}

impl FromStr for Goal {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found =
            COMPARISONS.iter().find_map(|(sign, c)| text.split_once(sign).map(|(left, right)| (left, *c, right)));
        let Some((name, comparison, value)) = found else {
            let message = format!("expected METRIC<=X, METRIC>=X or METRIC=X, found \"{text}\"");
            return Err(Error::Usage(message));
        };
        let watched = name.trim().parse()?;
        let wrong = || Error::Usage(format!("expected a number after {name}, found \"{}\"", value.trim()));
        let value = value.trim().parse().ok().filter(|v: &f64| v.is_finite()).ok_or_else(wrong)?;
        Ok(Goal { watched, comparison, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality_means_at_least_as_good() {
        let figures: MetricSet = [(MetricName::Accuracy, 0.9), (MetricName::Loss, 0.2)].into_iter().collect();
        let met = |goal: &str| goal.parse::<Goal>().unwrap().is_met(&figures);
        assert!(met("val_accuracy=0.9") && met("val_accuracy=0.8") && !met("val_accuracy=0.95"));
        assert!(met("val_loss=0.2") && met("val_loss=0.3") && !met("val_loss=0.1"));
        assert!(met("val_loss<=0.2") && !met("val_loss<0.2") && met("val_loss > 0.1") && !met("val_auroc>=0"));
    }

    #[test]
    fn goals_are_written_as_they_are_read() {
        for text in ["val_loss<=0.05", "test_accuracy=0.98", "train_rmse<3", "val_f1_macro>=0.5"] {
            assert_eq!(text.parse::<Goal>().unwrap().to_string(), text);
        }
        for (text, part) in [("accuracy=1", "train_, val_ or test_"), ("val_los=1", "loss"), ("val_loss=x", "number")] {
            let message = text.parse::<Goal>().unwrap_err().to_string();
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}
