//! Matches the columns of a file to those of a model, by name or by position.

use std::collections::{HashMap, HashSet};

use super::cell::{parse_number, shortened};
use super::feature::Feature;
use super::known::normal_form;
use super::number::NumberForm;
use super::options::ReadOptions;
use super::outline::Outline;
use super::preprocess::TablePreprocessing;
use super::table::ColumnKind;
use super::wanted::Wanted;
use crate::option_text::setting;
use crate::{Error, Result, Warning, WarningKind};

impl TablePreprocessing {
    /// The columns of a file to read, with their kinds: the features, constant columns, and label and weight columns if
    /// they are present. Also returns warnings about how they were found.
    ///
    /// Columns are matched by name. If no name is equal, one that differs only in case and blanks is accepted. Columns
    /// are matched by position if the file or the training data have no names, unless the file has all names that were
    /// generated for the training data. The file must then have all columns of the training file, or all except the
    /// labels (and weights).
    ///
    /// # Errors
    /// [`Error::Mismatch`] that lists the missing columns, or states both numbers of columns.
    pub fn wanted(
        &self,
        outline: &Outline,
        path: &std::path::Path,
        options: &ReadOptions,
    ) -> Result<(Vec<Wanted>, Vec<Warning>)> {
        let (names, by_place) = self.names_for(outline, path)?;
        let mut warnings: Vec<Warning> = by_place.into_iter().collect();
        let (places, spelled) = (places(&names), Spellings::of(&names, &self.columns));
        let find = |name: &str| places.get(name).copied().or_else(|| spelled.place(name));
        let absent: Vec<String> =
            self.features.iter().map(|feature| feature.column.clone()).filter(|name| find(name).is_none()).collect();
        if !absent.is_empty() {
            let (path, absent, found) = (path.display(), shortened(&absent), shortened(&names));
            let hint = if outline.named && outline.delimited {
                let (no, skip) = (setting("header", "no"), setting("skip_lines", "N"));
                format!("; {no} if its first line is data, {skip} if other lines stand above the table")
            } else {
                String::new()
            };
            return Err(Error::Mismatch(format!(
                "{path}: the model needs the columns {absent}; the file has {found}{hint}"
            )));
        }
        let features = self.features.iter().map(|f| (f.column.as_str(), as_stated(f.kind(), options), f.lenient));
        let constants = self.constants.iter().map(|c| (c.column.as_str(), ColumnKind::Text, false));
        let of_features: HashSet<&str> = self.features.iter().map(|feature| feature.column.as_str()).collect();
        let constants = constants.filter(|(name, ..)| !of_features.contains(name));
        let labels = self.target.columns.iter().enumerate();
        let labels = labels.map(|(at, name)| (name.as_str(), as_stated(self.target.kind(at), options), false));
        let weight = self.weight.iter().map(|name| (name.as_str(), ColumnKind::Number(NumberForm::default()), false));
        let placed = features.chain(constants).chain(labels).chain(weight);
        let wanted = |(name, kind, lenient): (&str, ColumnKind, bool)| {
            Some(Wanted { index: find(name)?, name: name.to_owned(), kind, lenient })
        };
        let wanted: Vec<Wanted> = placed.filter_map(wanted).collect();
        for Wanted { index, name, .. } in wanted.iter().filter(|wanted| names[wanted.index] != wanted.name) {
            let message = format!("{}: column \"{}\" is taken for \"{name}\"", path.display(), names[*index]);
            warnings.push(Warning::new(WarningKind::ColumnSpelling, message).column(name));
        }
        Ok((wanted, warnings))
    }

    /// The model's names for the columns of a file, and a warning if the names of the file or of the model are ignored.
    fn names_for(&self, outline: &Outline, path: &std::path::Path) -> Result<(Vec<String>, Option<Warning>)> {
        let known = || {
            let places = places(&outline.names);
            self.features.iter().all(|feature| places.contains_key(feature.column.as_str()))
        };
        if outline.named && (self.named || known()) {
            return Ok((outline.names.clone(), None));
        }
        let names = self.names_by_place(outline.names.len(), path)?;
        let path = path.display();
        let message = match (self.named, outline.named) {
            (false, false) => return Ok((names, None)),
            (true, _) => {
                let hint = if outline.delimited {
                    format!("; {} if the first line names them", setting("header", "yes"))
                } else {
                    String::new()
                };
                let shown = shortened(&names);
                format!("{path}: no column names; the columns are taken in the order of training ({shown}){hint}")
            }
            (false, true) => {
                let shown = shortened(&outline.names);
                let hint = if outline.delimited {
                    format!("; {} if the first line is a row", setting("header", "no"))
                } else {
                    String::new()
                };
                format!(
                    "{path}: the training data had no column names; the columns ({shown}) are taken in their order, \
                     whatever their names{hint}"
                )
            }
        };
        Ok((names, Some(Warning::new(WarningKind::MatchedByPosition, message))))
    }

    /// The names of the columns of a file without names, given their number.
    fn names_by_place(&self, width: usize, path: &std::path::Path) -> Result<Vec<String>> {
        let labels: HashSet<&String> = self.target.columns.iter().collect();
        let is_label = |name: &&String| labels.contains(name);
        let bare: Vec<String> = self.columns.iter().filter(|name| !is_label(name)).cloned().collect();
        let unweighted: Vec<String> = bare.iter().filter(|name| Some(*name) != self.weight.as_ref()).cloned().collect();
        let (all, without) = (self.columns.len(), bare.len());
        let fitting = [self.columns.clone(), bare, unweighted].into_iter().find(|names| names.len() == width);
        fitting.ok_or_else(|| {
            let message = format!(
                "{}: without column names, expected {all} columns, or {without} without the label, found {width}",
                path.display()
            );
            Error::Mismatch(message)
        })
    }

    /// Matches a row by position, and returns how many cells of number and date features are values or missing, and the
    /// number of these features. `None` if there are no such features, or the row has another width.
    pub(super) fn values_by_place(&self, cells: &[String], path: &std::path::Path) -> Option<(usize, usize)> {
        let names = self.names_by_place(cells.len(), path).ok()?;
        let numeric: Vec<&Feature> = self.features.iter().filter(|f| f.kind() != ColumnKind::Text).collect();
        let places = places(&names);
        let is_value = |feature: &&&Feature| {
            let Some(place) = places.get(feature.column.as_str()) else { return false };
            let cell = cells[*place].trim();
            let number = match feature.kind() {
                ColumnKind::Number(form) => form.parse(cell).is_some() || parse_number(cell).is_some(),
                ColumnKind::Date(form) => form.parse_or_iso(cell).is_some(),
                ColumnKind::Text => true,
            };
            number || self.missing.matches(cell)
        };
        (!numeric.is_empty()).then(|| (numeric.iter().filter(is_value).count(), numeric.len()))
    }
}

/// Position of the first column with each name. It is a map because tables may have very many columns.
fn places(names: &[String]) -> HashMap<&str, usize> {
    names.iter().enumerate().rev().map(|(place, name)| (name.as_str(), place)).collect()
}

/// Names of columns, compared without case and blanks.
struct Spellings {
    /// The position of the only column with a normal form; `None` if several have it.
    places: HashMap<String, Option<usize>>,
    /// Number of the model's columns with a normal form.
    known: HashMap<String, usize>,
}

impl Spellings {
    fn of(names: &[String], known: &[String]) -> Self {
        let (mut places, mut counts) = (HashMap::new(), HashMap::new());
        for (place, name) in names.iter().enumerate() {
            places.entry(normal_form(name)).and_modify(|found| *found = None).or_insert(Some(place));
        }
        known.iter().for_each(|name| *counts.entry(normal_form(name)).or_default() += 1);
        Self { places, known: counts }
    }

    /// The only column that differs from `name` in spelling alone, if no other column of the model has this normal
    /// form.
    fn place(&self, name: &str) -> Option<usize> {
        let form = normal_form(name);
        let alone = self.known.get(&form) == Some(&1);
        self.places.get(&form).copied().flatten().filter(|_| alone)
    }
}

/// The kind of a column, adjusted to the number form that the user specified.
fn as_stated(kind: ColumnKind, options: &ReadOptions) -> ColumnKind {
    let ColumnKind::Number(form) = kind else { return kind };
    ColumnKind::Number(options.convention().adjusted(form))
}
