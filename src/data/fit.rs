//! Fitting one column to the training rows.

use super::feature::Encoding;
use super::options::{Impute, Scale};
use super::table::{Column, MISSING, MissingMarkers, Table, parse_number};
use crate::{Error, Result, Warning, WarningKind};

/// How a preprocessing is fitted.
#[derive(Debug, Clone, PartialEq)]
pub struct FitOptions {
    /// Scaling of number columns.
    pub scale: Scale,
    /// What stands in for a missing number.
    pub impute: Impute,
    /// Whether targets of a regression are standardised.
    pub scale_target: bool,
    /// Texts that stand for a missing value.
    pub missing: MissingMarkers,
}

/// Fits one column; no encoding if it is left out, with a warning that says why.
pub(super) fn fit_column(
    table: &Table,
    index: usize,
    categorical: bool,
    rows: &[u32],
    options: &FitOptions,
) -> Result<(Option<Encoding>, Option<Warning>)> {
    let (name, column) = (&table.names[index], &table.columns[index]);
    if rows.iter().all(|&row| column.is_missing(row as usize)) {
        let message = format!("column \"{name}\" has no value in any training row: left out");
        return Ok((None, Some(Warning::new(WarningKind::EmptyColumn, message).column(name))));
    }
    match column {
        Column::Numbers(values) if !categorical => {
            let of_rows = rows.iter().map(|&row| values[row as usize]).collect();
            let encoding = Encoding::fit_numbers(of_rows, options.scale, options.impute);
            let Encoding::Number { fill, center, scale, .. } = encoding else { unreachable!("the column is numbers") };
            if [fill, center, scale].iter().all(|value| value.is_finite()) {
                return Ok((Some(encoding), None));
            }
            Err(Error::data_at(
                &table.path,
                None,
                Some(name),
                "the numbers are too large: their statistics are not finite",
            ))
        }
        _ => {
            let text = column.as_text();
            let Column::Text { codes, levels } = text.as_ref() else { unreachable!("the column is text") };
            let numeric = matches!(column, Column::Numbers(_));
            Ok(fit_text(name, codes, levels, rows, categorical, numeric))
        }
    }
}

fn fit_text(
    name: &str,
    codes: &[u32],
    levels: &[String],
    rows: &[u32],
    categorical: bool,
    numeric: bool,
) -> (Option<Encoding>, Option<Warning>) {
    let mut seen = vec![false; levels.len()];
    let mut present = 0;
    for code in rows.iter().map(|&row| codes[row as usize]).filter(|&code| code != MISSING) {
        seen[code as usize] = true;
        present += 1;
    }
    let distinct = seen.iter().filter(|&&seen| seen).count();
    if !categorical && 2 * distinct > present {
        let hint = stray_text(levels).map_or(String::new(), |stray| format!("; most are numbers, but not \"{stray}\""));
        let why = format!(
            "column \"{name}\" is text with {distinct} different values in {present} training rows: left out{hint}"
        );
        return (None, Some(Warning::new(WarningKind::ManyLevels, why).column(name).count(distinct)));
    }
    let warning = stray_text(levels).filter(|_| !categorical).map(|stray| {
        let message = format!("column \"{name}\" is read as categories, since \"{stray}\" is no number; --na \"+{stray}\" makes it a missing value");
        Warning::new(WarningKind::UnreadableNumbers, message).column(name)
    });
    (Some(Encoding::fit_levels(codes, levels, rows, numeric)), warning)
}

/// The first level that is no number in a column of which most are: a slip of the pen, or an unknown missing marker.
pub(super) fn stray_text(levels: &[String]) -> Option<&String> {
    let numbers = levels.iter().filter(|level| parse_number(level).is_some()).count();
    (numbers >= 3 && 2 * numbers > levels.len()).then(|| levels.iter().find(|level| parse_number(level).is_none()))?
}
