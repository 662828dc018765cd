//! From probabilities and numbers to what a user reads: class names, labels, numbers, each in its column.

use std::fmt::Write;

use crate::data::{Target, Task};

/// Name of the column of predictions where there is one.
const PREDICTION: &str = "prediction";
/// Before the name of a class or label, for its probability.
const PROBABILITY: &str = "proba_";

/// Writes predictions in words and digits.
#[derive(Debug, Clone)]
pub struct Answers<'a> {
    target: &'a Target,
    probabilities: bool,
}

impl<'a> Answers<'a> {
    /// For predictions of a target, with the probabilities of its classes or labels where `probabilities` asks for them
    /// and the target has any.
    pub fn new(target: &'a Target, probabilities: bool) -> Self {
        Answers { target, probabilities: probabilities && target.task != Task::Regression }
    }

    /// Names of the columns: `prediction`, or the names of several targets or labels; then `proba_…`.
    pub fn columns(&self) -> Vec<String> {
        let Target { task, columns, classes, .. } = self.target;
        let several = *task == Task::Multilabel || columns.len() > 1;
        let mut names = if several { columns.clone() } else { vec![PREDICTION.to_owned()] };
        if self.probabilities {
            let of = if classes.is_empty() { columns } else { classes };
            names.extend(of.iter().map(|name| format!("{PROBABILITY}{name}")));
        }
        names
    }

    /// Hands over the cells of one row, in the order of [`Answers::columns`]. `values` are the row's of
    /// [`super::Predicted`]; numbers are the shortest decimals that are read back as the same 64-bit float.
    ///
    /// # Errors
    /// What `cell` returns.
    pub fn row<E>(&self, values: &[f64], mut cell: impl FnMut(&str) -> Result<(), E>) -> Result<(), E> {
        match self.target.task {
            Task::Binary | Task::Multiclass => cell(&self.target.classes[most_probable(values)])?,
            Task::Multilabel => values.iter().try_for_each(|p| cell(if *p > 0.5 { "1" } else { "0" }))?,
            Task::Regression => {}
        }
        if !self.probabilities && self.target.task != Task::Regression {
            return Ok(());
        }
        let mut digits = String::new();
        values.iter().try_for_each(|value| {
            digits.clear();
            write_shortest(&mut digits, *value);
            cell(&digits)
        })
    }
}

/// Plain digits where they are not many more than the number has, else with an exponent: `1e39` is not 40 digits long.
fn write_shortest(digits: &mut String, value: f64) {
    let plain = value == 0.0 || !value.is_finite() || (1e-7..1e17).contains(&value.abs());
    // A String takes everything.
    let _ = if plain { write!(digits, "{value}") } else { write!(digits, "{value:e}") };
}

/// The first of the largest values.
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
}
