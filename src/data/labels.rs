//! Class labels as written in the file.

use std::collections::HashMap;

use super::cell::{parse_number, same_truth_value};
use super::raw_table::RawTable;
use super::table::{Column, DEFAULT_MISSING, MISSING, MissingMarkers};
use crate::option_text::quoted;
use crate::warning::are;
use crate::{Result, Warning, WarningKind};

/// Number of merged classes that a note lists, and of other spellings that it lists for each.
const LISTED: usize = 3;
/// Number of digits up to which a double distinguishes all numbers.
const EXACT_DIGITS: usize = 15;

/// A label column as text.
#[derive(Debug, Clone)]
pub(super) struct LabelText {
    /// The texts. Cells that equal a missing marker are missing.
    pub(super) column: Column,
    /// Missing markers that occur, with their numbers of cells.
    pub(super) markers: Vec<(String, usize)>,
    /// Spellings that were merged into one class: its name, and the other spellings.
    pub(super) joined: Vec<(String, Vec<String>)>,
    /// Whether a label is a number with leading zeros, which is a code and not a quantity.
    pub(super) has_codes: bool,
}

/// Whether a text is a number with an unambiguous spelling: no leading zeros, no exponent, at most 15 digits.
pub(super) fn is_plain_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, decimals) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    all_digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && decimals.is_none_or(all_digits)
        && digits.bytes().filter(u8::is_ascii_digit).count() <= EXACT_DIGITS
}

/// Whether all classes are plain numbers. Then they are sorted by value, and `1.0` is class `1`.
pub(super) fn are_numbers(classes: &[String]) -> bool {
    !classes.is_empty() && classes.iter().all(|class| is_plain_number(class))
}

/// The meaning that several spellings of a label may share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Meaning {
    /// The bits of a double.
    Number(u64),
    /// `true` or `false`, in any case.
    Truth(bool),
}

impl Meaning {
    /// The meaning of a label: a number if all labels are plain numbers (`plain`), or a truth value.
    fn of(level: &str, plain: bool) -> Option<Self> {
        let number = parse_number(level).filter(|_| plain).map(|value| Self::Number((value + 0.0).to_bits()));
        let truth = || [true, false].into_iter().find(|truth| same_truth_value(level, &truth.to_string()));
        number.or_else(|| truth().map(Self::Truth))
    }
}

/// Whether `true` or `false` occurs in two spellings among the labels.
pub(super) fn has_two_cases(levels: &[String]) -> bool {
    let spellings = |truth: &str| levels.iter().filter(|level| same_truth_value(level, truth)).count();
    spellings("true") > 1 || spellings("false") > 1
}

/// Reads a label column as written. Spellings with one meaning are one class, named by the most frequent of them: `True`
/// and `true` always, `1` and `1.0` if all labels are plain numbers.
pub(super) fn label_text(file: &RawTable, column: usize, missing: &MissingMarkers) -> Result<LabelText> {
    let texts = file.texts(&[column], &MissingMarkers::none())?;
    let Some(Column::Text { mut codes, levels }) = texts.into_iter().next() else {
        unreachable!("a column that is read as text is text")
    };
    let mut counts = vec![0usize; levels.len()];
    codes.iter().filter(|code| **code != MISSING).for_each(|code| counts[*code as usize] += 1);
    let is_missing: Vec<bool> = levels.iter().map(|level| missing.matches(level)).collect();
    let present = || levels.iter().enumerate().filter(|(place, _)| !is_missing[*place]);
    let has_codes = present().any(|(_, level)| {
        let digits = level.strip_prefix('-').unwrap_or(level).as_bytes();
        digits.len() > 1 && digits[0] == b'0' && digits[1].is_ascii_digit()
    });
    let plain = present().all(|(_, level)| is_plain_number(level));

    let mut names: Vec<String> = Vec::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut place_of: HashMap<Meaning, usize> = HashMap::new();
    let mut new_code = vec![MISSING; levels.len()];
    for (place, level) in present() {
        let meaning = Meaning::of(level, plain);
        let group = meaning.map_or(groups.len(), |meaning| *place_of.entry(meaning).or_insert(groups.len()));
        if group == groups.len() {
            groups.push(Vec::new());
        }
        groups[group].push(place);
        new_code[place] = group as u32;
    }
    let mut joined = Vec::new();
    for group in &groups {
        // Of equally frequent spellings the first in the file is chosen.
        let best = group.iter().rev().max_by_key(|place| counts[**place]).expect("a group has a spelling");
        names.push(levels[*best].clone());
        if group.len() > 1 {
            let others = group.iter().filter(|place| *place != best).map(|place| levels[*place].clone());
            joined.push((levels[*best].clone(), others.collect()));
        }
    }
    let markers = levels.iter().zip(&counts).zip(&is_missing).filter(|(_, missing)| **missing);
    let markers = markers.map(|((level, count), _)| (level.clone(), *count)).collect();
    codes.iter_mut().filter(|code| **code != MISSING).for_each(|code| *code = new_code[*code as usize]);
    Ok(LabelText { column: Column::Text { codes, levels: names }, markers, joined, has_codes })
}

impl LabelText {
    /// The classes.
    pub(super) fn levels(&self) -> &[String] {
        if let Column::Text { levels, .. } = &self.column { levels } else { &[] }
    }

    /// The warning about cells that count as missing by the default markers.
    pub(super) fn marker_warning(&self, name: &str) -> Option<Warning> {
        let count: usize = self.markers.iter().map(|(_, count)| count).sum();
        let cells: Vec<String> = self.markers.iter().map(|(text, count)| format!("\"{text}\" ({count})")).collect();
        let mut others = ["NA", "?", "null"].iter().chain(DEFAULT_MISSING);
        let other = *others.find(|other| self.markers.iter().all(|(text, _)| text != **other))?;
        (count > 0).then(|| {
            let message = format!(
                "label \"{name}\": {} read as missing: {}; {} makes a class of such cells",
                are(count, "cell"),
                cells.join(", "),
                quoted("na", other)
            );
            Warning::new(WarningKind::MissingMarkerInLabel, message).column(name).count(count)
        })
    }

    /// The note about spellings that were merged.
    pub(super) fn joined_note(&self, name: &str) -> Option<String> {
        let shown: Vec<String> = self
            .joined
            .iter()
            .take(LISTED)
            .map(|(class, others)| {
                format!("{} as {class}", others.iter().take(LISTED).cloned().collect::<Vec<_>>().join(", "))
            })
            .collect();
        let what = if self.joined.iter().any(|(class, _)| parse_number(class).is_some()) {
            "equal numbers are one class"
        } else {
            "true and false in any case are one class each"
        };
        (!shown.is_empty()).then(|| format!("label {name}: {what} ({})", shown.join("; ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_numbers_have_one_meaning() {
        for text in ["0", "7", "-12", "1.0", "0.50", "123456789012345"] {
            assert!(is_plain_number(text), "{text}");
        }
        for text in ["01", "1e3", "5E1", "", "-", "1.", ".5", "+1", "1234567890123456", "00", "1,5", "a"] {
            assert!(!is_plain_number(text), "{text}");
        }
    }
}
