//! The names of the metrics in flags, events and summaries.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::data::Task;
use crate::spec::unknown;
use crate::{Error, Result};

/// A metric by name. The order is that of tables and of JSON objects.
///
/// Plain `f1`, `precision` and `recall` are those of the positive class for two classes, and the macro average otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricName {
    /// The objective of training.
    Loss,
    /// Share of rows with the right class; for several labels, the share of right labels.
    Accuracy,
    /// Mean recall of the classes that occur.
    BalancedAccuracy,
    /// `2 P R / (P + R)`, see [`super::fscore`].
    F1,
    /// Plain mean of the classes' F1.
    F1Macro,
    /// Mean of the classes' F1, weighted by their frequency.
    F1Weighted,
    /// Share of right rows among those predicted as a class.
    Precision,
    /// Plain mean of the classes' precision.
    PrecisionMacro,
    /// Mean of the classes' precision, weighted by their frequency.
    PrecisionWeighted,
    /// Share of right rows among those of a class.
    Recall,
    /// Plain mean of the classes' recall.
    RecallMacro,
    /// Mean of the classes' recall, weighted by their frequency.
    RecallWeighted,
    /// Area under the ROC curve; for several classes the plain mean of each against the rest.
    Auroc,
    /// Average precision; for several classes the plain mean of each against the rest.
    Auprc,
    /// Mean of `−ln p` of the true class.
    LogLoss,
    /// Mean squared error of the probabilities.
    Brier,
    /// Matthews correlation coefficient.
    Mcc,
    /// Root of the mean squared error, in the target's units.
    Rmse,
    /// Mean absolute error, in the target's units.
    Mae,
    /// Share of the variance that is explained, `1 − Σe² / Σ(t − t̄)²`.
    R2,
    /// Mean absolute error relative to the target, a fraction.
    Mape,
}

use MetricName::*;

impl MetricName {
    /// Every metric.
    pub const ALL: [MetricName; 21] = [
        Loss,
        Accuracy,
        BalancedAccuracy,
        F1,
        F1Macro,
        F1Weighted,
        Precision,
        PrecisionMacro,
        PrecisionWeighted,
        Recall,
        RecallMacro,
        RecallWeighted,
        Auroc,
        Auprc,
        LogLoss,
        Brier,
        Mcc,
        Rmse,
        Mae,
        R2,
        Mape,
    ];

    /// The name without `train_`, `val_` or `test_`.
    pub fn name(self) -> &'static str {
        match self {
            Loss => "loss",
            Accuracy => "accuracy",
            BalancedAccuracy => "balanced_accuracy",
            F1 => "f1",
            F1Macro => "f1_macro",
            F1Weighted => "f1_weighted",
            Precision => "precision",
            PrecisionMacro => "precision_macro",
            PrecisionWeighted => "precision_weighted",
            Recall => "recall",
            RecallMacro => "recall_macro",
            RecallWeighted => "recall_weighted",
            Auroc => "auroc",
            Auprc => "auprc",
            LogLoss => "log_loss",
            Brier => "brier",
            Mcc => "mcc",
            Rmse => "rmse",
            Mae => "mae",
            R2 => "r2",
            Mape => "mape",
        }
    }

    /// Whether it needs the rows sorted by their predictions, so that running figures leave it out.
    pub fn needs_ranking(self) -> bool {
        matches!(self, Auroc | Auprc)
    }

    /// Whether a larger value is better.
    pub fn higher_is_better(self) -> bool {
        !matches!(self, Loss | LogLoss | Brier | Rmse | Mae | Mape)
    }

    /// Whether the metric exists for predictions of this kind.
    pub fn applies_to(self, task: Task) -> bool {
        match self {
            Loss => true,
            Rmse | Mae | R2 | Mape => task == Task::Regression,
            _ => task != Task::Regression,
        }
    }
}

impl fmt::Display for MetricName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for MetricName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = MetricName::ALL.into_iter().find(|m| m.name() == text);
        found.ok_or_else(|| unknown("metric", text, &MetricName::ALL.map(MetricName::name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_written_and_ordered_alike() {
        assert!(MetricName::ALL.is_sorted());
        for metric in MetricName::ALL {
            assert_eq!(metric.name().parse::<MetricName>().unwrap(), metric);
            assert_eq!(serde_json::to_value(metric).unwrap(), metric.name());
        }
        for task in Task::ALL {
            assert_eq!(task.name().parse::<Task>().unwrap(), task);
            assert_eq!(serde_json::to_value(task).unwrap(), task.name());
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        let message = "acuracy".parse::<MetricName>().unwrap_err().to_string();
        assert!(message.contains("unknown metric \"acuracy\": did you mean \"accuracy\"?"), "{message}");
        let message = "multi-class".parse::<Task>().unwrap_err().to_string();
        assert!(message.contains("did you mean \"multiclass\"?"), "{message}");
    }
}
