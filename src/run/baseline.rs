//! Baselines of a model: the majority class or the mean, and a linear model.

use serde_json::{Map, Value, json};

use crate::data::{Dataset, Strangers, Task};
use crate::metrics::{Detail, MetricName, MetricSet};
use crate::option_text::{option, setting};
use crate::score::Judged;
use crate::score::constant_outputs;
use crate::score::{ScoredRows, Scorer};
use crate::{Warning, WarningKind};

/// The figures of simple models, on the same rows as the model's.
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    /// The constant model.
    pub constant: ConstantBaseline,
    /// A linear model trained on the training part, if there is one.
    pub linear: Option<MetricSet>,
    /// Why there is no linear model.
    pub no_linear: Option<&'static str>,
}

/// The constant model, which predicts the same for every row.
#[derive(Debug, Clone, PartialEq)]
pub struct ConstantBaseline {
    /// `majority` or `mean`.
    pub name: &'static str,
    /// The class that it predicts, if there are classes.
    pub class: Option<String>,
    /// Its figures.
    pub figures: MetricSet,
}

impl ConstantBaseline {
    /// The constant model of the rows `of`, evaluated on `on` and on rows of unknown classes.
    pub fn new(scorer: &Scorer, of: &Dataset, on: &Dataset, strangers: Option<&Strangers>) -> ConstantBaseline {
        let row = constant_outputs(scorer, of);
        let many = |rows: usize| row.iter().copied().cycle().take(rows * row.len()).collect::<Vec<f32>>();
        let unknown = strangers.map(|strangers| many(strangers.labels.len()));
        let strangers = strangers.zip(unknown.as_deref());
        let report = scorer.report(&many(on.rows()), on, ScoredRows::All, strangers, Detail::Full);
        let name = if scorer.task() == Task::Regression { "mean" } else { "majority" };
        ConstantBaseline { name, class: scorer.class_of(&row), figures: report.figures }
    }
}

impl Baseline {
    /// A baseline with the constant model only.
    pub fn of_constant(constant: ConstantBaseline) -> Baseline {
        Baseline { constant, linear: None, no_linear: None }
    }

    /// As a JSON object: the constant model's figures under its name, and those of the linear model.
    pub fn to_json(&self) -> Value {
        let mut constant = Map::new();
        if let Some(class) = &self.constant.class {
            constant.insert("class".to_owned(), json!(class));
        }
        constant.extend(self.constant.figures.iter().map(|(name, value)| (name.to_string(), json!(value))));
        let mut all = Map::new();
        all.insert(self.constant.name.to_owned(), Value::Object(constant));
        if self.linear.is_some() || self.no_linear.is_some() {
            all.insert("linear".to_owned(), json!(self.linear));
        }
        if let Some(reason) = self.no_linear {
            all.insert("no_linear".to_owned(), json!(reason));
        }
        Value::Object(all)
    }
}

/// The fewest rows for a warning that a model is no better than its baseline; with fewer it may be chance.
const ENOUGH_ROWS: usize = 10;

/// From this share of the baseline's error on, a model hardly tells more than the mean, such as one number for all rows.
const HARDLY_LESS: f64 = 0.999;

/// Warnings from the comparison with the baseline: one class for all rows, or no better by any figure. `part` names the rows in
/// the sentence.
pub fn doubts(judged: &Judged, constant: &ConstantBaseline, part: &str) -> Vec<Warning> {
    if let Some(doubt) = one_class(judged, part) {
        return vec![doubt];
    }
    let higher = |name| Some((judged.figures.get(name)?, constant.figures.get(name)?));
    let no_better = match judged.task {
        Task::Regression => {
            let no_less = |name| higher(name).is_some_and(|(model, mean)| model >= HARDLY_LESS * mean);
            no_less(MetricName::Rmse) && no_less(MetricName::Mae)
        }
        _ => {
            let accurate = [MetricName::Accuracy, MetricName::BalancedAccuracy, MetricName::F1Macro];
            accurate.iter().all(|name| higher(*name).is_some_and(|(model, same)| model <= same))
                && higher(MetricName::LogLoss).is_none_or(|(model, same)| model >= same)
                && judged.figures.get(MetricName::Auroc).is_none_or(|auroc| auroc < 0.6)
        }
    };
    if !no_better || judged.rows < ENOUGH_ROWS {
        return Vec::new();
    }
    vec![no_better_than(judged, constant, part)]
}

fn no_better_than(judged: &Judged, constant: &ConstantBaseline, part: &str) -> Warning {
    let (what, figure, metric) = match judged.task {
        Task::Regression => ("the mean of the target", "rmse", MetricName::Rmse),
        _ => ("the majority class", "accuracy", MetricName::Accuracy),
    };
    let number = |set: &MetricSet| set.get(metric).map_or("undefined".to_owned(), |v| format!("{v:.4}"));
    let (model, same) = (number(&judged.figures), number(&constant.figures));
    let message = format!(
        "on {part} the model is no better than {what} alone ({figure} {model}, there {same}): try more {}, another \
             {} (lr-find finds one), or look whether the columns say anything about the label",
        option("epochs"),
        option("lr")
    );
    Warning::new(WarningKind::NoBetterThanBaseline, message)
}

fn one_class(judged: &Judged, part: &str) -> Option<Warning> {
    let matrix = judged.confusion.as_ref()?;
    let classes = 0..matrix.classes();
    let said: Vec<usize> = classes.clone().filter(|class| matrix.predicted(*class) > 0.0).collect();
    let [only] = said[..] else { return None };
    if classes.filter(|class| matrix.support(*class) > 0.0).count() < 2 {
        return None;
    }
    let (class, rows) = (&judged.names[only], judged.rows - judged.unknown_rows);
    let share = matrix.support(only) / matrix.total();
    let message = format!(
        "the model predicts \"{class}\" for all {rows} rows of {part}, {:.1} % of which are: no other class is found, as by a \
         baseline that looks at nothing; try \
         {}, {}, or more {}",
        100.0 * share,
        setting("class_weight", "balanced"),
        setting("monitor", "val_f1_macro"),
        option("epochs")
    );
    Some(Warning::new(WarningKind::OneClassPredicted, message).count(rows))
}
