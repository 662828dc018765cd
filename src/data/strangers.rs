//! Labelled rows of classes that did not occur in training.

use super::dataset::{Dataset, Features};
use super::preprocess::TablePreprocessing;
use super::table::{Column, MISSING, Table};
use super::target::Target;
use crate::{Result, Warning, WarningKind};

/// Rows whose class the model does not know. Every prediction for them is wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Strangers {
    /// Their inputs.
    pub features: Features,
    /// Their weights; `None` if all are 1.
    pub weights: Option<Vec<f32>>,
    /// Index of each row's class in `classes`.
    pub labels: Vec<u32>,
    /// The unknown classes, most frequent first. If there are more than twenty, the last one stands for all others.
    pub classes: Vec<String>,
}

/// Number of unknown classes that keep their names.
const MOST_NAMES: usize = 20;
/// Name for the others.
const OTHERS: &str = "(other unknown classes)";

/// Rows prepared by a saved preprocessing, with rows of known and unknown classes separated.
pub(super) struct Apart {
    pub dataset: Dataset,
    /// Row numbers of `dataset`.
    pub rows: Vec<u32>,
    pub strangers: Option<Strangers>,
    pub warning: Option<Warning>,
}

impl Apart {
    /// Prepares `rows`, all of which must have a target.
    ///
    /// # Errors
    /// Those of preparing rows.
    pub(super) fn new(preprocessing: &TablePreprocessing, table: &Table, rows: Vec<u32>) -> Result<Apart> {
        let weights = preprocessing.weights(table, &rows)?;
        let mut found = FoundRows::new(&preprocessing.target, table, &rows);
        let of = |places: &[usize]| -> (Vec<u32>, Option<Vec<f32>>) {
            let weights = weights.as_ref().map(|weights| places.iter().map(|at| weights[*at]).collect());
            (places.iter().map(|at| rows[*at]).collect(), weights)
        };
        let (known, known_weights) = of(&found.known);
        let (unknown, unknown_weights) = of(&found.unknown);
        let dataset = Dataset {
            features: preprocessing.features(table, Some(&known))?,
            targets: preprocessing.targets(table, &known)?,
            weights: known_weights,
        };
        if unknown.is_empty() {
            return Ok(Apart { dataset, rows: known, strangers: None, warning: None });
        }
        let warning = found.warning(&preprocessing.target, table, rows.len());
        found.join_rare();
        let strangers = Strangers {
            features: preprocessing.features(table, Some(&unknown))?,
            weights: unknown_weights,
            labels: found.labels,
            classes: found.classes.into_iter().map(|(name, _)| name).collect(),
        };
        Ok(Apart { dataset, rows: known, strangers: Some(strangers), warning: Some(warning) })
    }
}

/// Rows of known and of unknown classes.
struct FoundRows {
    /// Positions, among the examined rows, of those with a known class, and of the others.
    known: Vec<usize>,
    unknown: Vec<usize>,
    /// Class of each row with an unknown class.
    labels: Vec<u32>,
    /// The unknown classes with their numbers of rows, most frequent first.
    classes: Vec<(String, usize)>,
}

impl FoundRows {
    fn new(target: &Target, table: &Table, rows: &[u32]) -> FoundRows {
        let all = || FoundRows { known: (0..rows.len()).collect(), unknown: vec![], labels: vec![], classes: vec![] };
        let Some(column) = table.column(&target.columns[0]).filter(|_| !target.classes.is_empty()) else {
            return all();
        };
        let text = column.as_text();
        let Column::Text { codes, levels } = text.as_ref() else { unreachable!("the column is text") };
        let is_known: Vec<bool> = target.classes_of(levels).iter().map(Option::is_some).collect();
        let code = |at: &usize| codes[rows[*at] as usize];
        let (known, unknown): (Vec<usize>, Vec<usize>) =
            (0..rows.len()).partition(|at| code(at) == MISSING || is_known[code(at) as usize]);
        let mut counts = vec![0usize; levels.len()];
        unknown.iter().for_each(|at| counts[code(at) as usize] += 1);
        let mut order: Vec<usize> = (0..levels.len()).filter(|level| counts[*level] > 0).collect();
        order.sort_by_key(|level| std::cmp::Reverse(counts[*level]));
        let mut place = vec![0u32; levels.len()];
        order.iter().enumerate().for_each(|(at, level)| place[*level] = at as u32);
        FoundRows {
            labels: unknown.iter().map(|at| place[code(at) as usize]).collect(),
            classes: order.into_iter().map(|level| (levels[level].clone(), counts[level])).collect(),
            known,
            unknown,
        }
    }

    /// Merges all classes beyond the twenty most frequent into one.
    fn join_rare(&mut self) {
        if self.classes.len() > MOST_NAMES {
            let rest = self.classes.split_off(MOST_NAMES).iter().map(|(_, count)| count).sum();
            self.classes.push((OTHERS.to_owned(), rest));
            self.labels.iter_mut().for_each(|label| *label = (*label).min(MOST_NAMES as u32));
        }
    }

    fn warning(&self, target: &Target, table: &Table, rows: usize) -> Warning {
        let (path, name, count) = (table.path.display(), &target.columns[0], self.unknown.len());
        let shown = self.classes.iter().take(3).map(|(class, rows)| format!("\"{class}\" ({rows})"));
        let mut classes = shown.collect::<Vec<_>>().join(", ");
        if self.classes.len() > 3 {
            classes += &format!(" and {} more", self.classes.len() - 3);
        }
        let reasons = self.classes.iter().filter_map(|(class, _)| slip(class, &target.classes));
        let reason = reasons.into_iter().next().map_or(String::new(), |reason| format!("; {reason}"));
        let message = format!(
            "{path}: column \"{name}\": {count} of {rows} rows are of classes that training did not have: {classes}{reason}. \
             They count as errors; loss, log_loss, brier and areas are over the other rows"
        );
        Warning::new(WarningKind::UnknownClass, message).column(name).count(count)
    }
}

/// A function that removes differences of one type.
type Simplify = fn(&str) -> String;

fn without_dot(text: &str) -> String {
    text.trim().trim_end_matches('.').trim_end().to_owned()
}

fn without_blanks(text: &str) -> String {
    text.split_whitespace().collect()
}

/// Characters that are not seen: spaces of no width, soft hyphens, marks of byte order and direction.
const INVISIBLE: [char; 7] = ['\u{200b}', '\u{200c}', '\u{200d}', '\u{ad}', '\u{feff}', '\u{200e}', '\u{200f}'];

/// A text without differences of case, blanks, a dot at the end or characters that are not seen.
pub(super) fn simplest(text: &str) -> String {
    without_blanks(&without_dot(text)).to_lowercase().replace(INVISIBLE, "")
}

/// The likely reason for an unknown class that differs only slightly from a known one.
pub(super) fn slip(unknown: &str, known: &[String]) -> Option<String> {
    let forms: [(&str, Simplify); 4] = [
        ("blanks", without_blanks),
        ("a dot at the end", without_dot),
        ("case", |text| without_blanks(text).to_lowercase()),
        ("case, blanks or a dot at the end, or characters that are not seen", simplest),
    ];
    forms.iter().find_map(|(what, form)| {
        let class = known.iter().find(|class| form(class) == form(unknown))?;
        Some(format!("\"{unknown}\" differs from \"{class}\" only by {what}: mend the file"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_named() {
        let known = ["<=50K".to_owned(), "high income".to_owned()];
        let said = |unknown| slip(unknown, &known);
        assert!(said("<=50K.").unwrap().contains("differs from \"<=50K\" only by a dot at the end"));
        assert!(said("High Income").unwrap().contains("only by case"));
        assert!(said("highincome").unwrap().contains("only by blanks"));
        assert!(said("High  income.").unwrap().contains("case, blanks or a dot"));
        assert_eq!(said("low income"), None);
    }
}
