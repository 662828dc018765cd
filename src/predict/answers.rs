//! From probabilities and numbers to the columns of a prediction table: class names, labels, numbers.

use std::fmt::Write;

use crate::data::{Target, Task};
use crate::metrics::scores::{HALF, class_of_two};

/// Name of the column of predictions if there is only one.
const PREDICTION: &str = "prediction";
/// Prefix of a class or label, for the column of its probability.
const PROBABILITY: &str = "proba_";
/// Names of an interval's bounds; with several targets they are prefixes of the target's name.
const BOUNDS: [&str; 2] = ["lower", "upper"];

/// Writes predictions as text.
#[derive(Debug, Clone)]
pub struct Answers<'a> {
    target: &'a Target,
    probabilities: bool,
    threshold: f64,
    /// Half the width of each target's interval, if intervals are asked for.
    half_widths: Option<Vec<f64>>,
    /// The smallest number that a target can have.
    least: f64,
}

impl<'a> Answers<'a> {
    /// Answers for a target; with `probabilities`, also the probabilities of its classes or labels, if it has any.
    pub fn new(target: &'a Target, probabilities: bool) -> Self {
        let probabilities = probabilities && target.task != Task::Regression;
        Answers { target, probabilities, threshold: HALF, half_widths: None, least: f64::NEG_INFINITY }
    }

    /// With another threshold of a binary decision.
    #[must_use]
    pub fn with_threshold(self, threshold: f64) -> Self {
        Answers { threshold, ..self }
    }

    /// With an interval around each number of a regression; bounds are never below `least`.
    #[must_use]
    pub fn with_intervals(self, half_widths: Vec<f64>, least: f64) -> Self {
        Answers { half_widths: Some(half_widths), least, ..self }
    }

    /// Names of the columns: `prediction`, or the names of several targets or labels; then `proba_…`, or `lower` and `upper`
    /// (with several targets `lower_…` and `upper_…`, target by target).
    pub fn columns(&self) -> Vec<String> {
        let Target { task, columns, classes, .. } = self.target;
        let several = *task == Task::Multilabel || columns.len() > 1;
        let mut names = if several { columns.clone() } else { vec![PREDICTION.to_owned()] };
        if self.probabilities {
            let of = if classes.is_empty() { columns } else { classes };
            names.extend(of.iter().map(|name| format!("{PROBABILITY}{name}")));
        }
        if self.half_widths.is_some() {
            let bounds = |name: &String| BOUNDS.map(|b| if several { format!("{b}_{name}") } else { b.to_owned() });
            names.extend(columns.iter().flat_map(bounds));
        }
        names
    }

    /// Passes the cells of one row to `cell`, in the order of [`Answers::columns`]. `values` are the row's of
    /// [`super::Predicted`]. Numbers are written as the shortest decimals that are read back as the same 64-bit float.
    ///
    /// # Errors
    /// Those of `cell`.
    pub fn row<E>(&self, values: &[f64], mut cell: impl FnMut(&str) -> Result<(), E>) -> Result<(), E> {
        match self.target.task {
            Task::Binary => cell(&self.target.classes[class_of_two([values[0], values[1]], self.threshold)])?,
            Task::Multiclass => cell(&self.target.classes[most_probable(values)])?,
            Task::Multilabel => values.iter().try_for_each(|p| cell(if *p > 0.5 { "1" } else { "0" }))?,
            Task::Regression => {}
        }
        if !self.probabilities && self.target.task != Task::Regression {
            return Ok(());
        }
        let mut digits = String::new();
        let mut number = |value: f64| {
            digits.clear();
            write_shortest(&mut digits, value);
            cell(&digits)
        };
        values.iter().try_for_each(|value| number(*value))?;
        for (value, half) in values.iter().zip(self.half_widths.iter().flatten()) {
            number((value - half).max(self.least))?;
            number(value + half)?;
        }
        Ok(())
    }
}

/// Writes plain digits unless they are many more than the number has; then an exponent, so that `1e39` does not take 40 digits.
fn write_shortest(digits: &mut String, value: f64) {
    let plain = value == 0.0 || !value.is_finite() || (1e-7..1e17).contains(&value.abs());
    // Writing to a String cannot fail.
    let _ = if plain { write!(digits, "{value}") } else { write!(digits, "{value:e}") };
}

/// The index of the largest value; the first of equal ones.
fn most_probable(values: &[f64]) -> usize {
    (1..values.len()).fold(0, |best, at| if values[at] > values[best] { at } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(task: Task, columns: &[&str], classes: &[&str], values: &[f64]) -> (Vec<String>, Vec<String>) {
        let owned = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        let target = Target {
            task,
            columns: owned(columns),
            classes: owned(classes),
            numeric: false,
            mean: Vec::new(),
            sd: Vec::new(),
            range: Vec::new(),
            forms: Vec::new(),
        };
        let answers = Answers::new(&target, true);
        let mut cells = Vec::new();
        answers
            .row::<()>(values, |cell| {
                cells.push(cell.to_owned());
                Ok(())
            })
            .unwrap();
        (answers.columns(), cells)
    }

    #[test]
    fn every_task_has_its_columns() {
        let (columns, cells) = said(Task::Binary, &["y"], &["no", "yes"], &[0.25, 0.75]);
        assert_eq!(columns, ["prediction", "proba_no", "proba_yes"]);
        assert_eq!(cells, ["yes", "0.25", "0.75"]);
        assert_eq!(said(Task::Binary, &["y"], &["no", "yes"], &[0.5, 0.5]).1[0], "no", "a tie is the first class's");
        let (columns, cells) = said(Task::Multiclass, &["y"], &["a", "b", "c"], &[0.2, 0.4, 0.4]);
        assert_eq!(columns, ["prediction", "proba_a", "proba_b", "proba_c"]);
        assert_eq!(cells, ["b", "0.2", "0.4", "0.4"]);
        let (columns, cells) = said(Task::Multilabel, &["p", "q"], &[], &[0.75, 0.25]);
        assert_eq!(columns, ["p", "q", "proba_p", "proba_q"]);
        assert_eq!(cells, ["1", "0", "0.75", "0.25"]);
        assert_eq!(said(Task::Regression, &["y"], &[], &[1.5]), (vec!["prediction".into()], vec!["1.5".into()]));
        let (_, cells) = said(Task::Regression, &["u", "v", "w"], &[], &[1_700_000_050.25, 6.5e38, -2.5e-9]);
        assert_eq!(cells, ["1700000050.25", "6.5e38", "-2.5e-9"]);
        assert_eq!(said(Task::Regression, &["u", "v"], &[], &[1.0, -2.5]).0, ["u", "v"]);
    }

    #[test]
    fn thresholds_and_intervals_change_what_is_said() {
        let mut target = Target {
            task: Task::Binary,
            columns: vec!["y".to_owned()],
            classes: vec!["no".to_owned(), "yes".to_owned()],
            numeric: false,
            mean: Vec::new(),
            sd: Vec::new(),
            range: Vec::new(),
            forms: Vec::new(),
        };
        let cells = |answers: &Answers<'_>, values: &[f64]| {
            let mut cells = Vec::new();
            answers
                .row::<()>(values, |cell| {
                    cells.push(cell.to_owned());
                    Ok(())
                })
                .unwrap();
            cells
        };
        let answers = Answers::new(&target, false).with_threshold(0.25);
        assert_eq!([cells(&answers, &[0.75, 0.25]), cells(&answers, &[0.74, 0.26])], [["no"], ["yes"]]);
        (target.task, target.classes) = (Task::Regression, Vec::new());
        let one = Answers::new(&target, false).with_intervals(vec![0.5], f64::NEG_INFINITY);
        assert_eq!(one.columns(), ["prediction", "lower", "upper"]);
        assert_eq!(cells(&one, &[0.25]), ["0.25", "-0.25", "0.75"]);
        let counts = Answers::new(&target, false).with_intervals(vec![0.5], 0.0);
        assert_eq!(cells(&counts, &[0.25]), ["0.25", "0", "0.75"]);
        target.columns = vec!["u".to_owned(), "v".to_owned()];
        let two = Answers::new(&target, false).with_intervals(vec![0.5, 2.0], f64::NEG_INFINITY);
        assert_eq!(two.columns(), ["u", "v", "lower_u", "upper_u", "lower_v", "upper_v"]);
        assert_eq!(cells(&two, &[1.0, 3.0]), ["1", "3", "0.5", "1.5", "1", "5"]);
    }
}
