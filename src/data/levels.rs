//! Levels of a category: which have an input or a number of their own, and the values of the inputs.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::cell::parse_number;
use super::credibility::rows_needed;
use super::shape::Counted;
use super::table::MISSING;
use super::targets::Targets;

/// Default limit of the one-hot inputs of a text column. Rarer levels share an input.
pub const MOST_LEVELS: usize = 64;
/// If levels are numbers, a level beyond the [`MOST_LEVELS`] most frequent has its own number if it has at least this
/// many training rows. The targets may require more.
const FEWEST_ROWS: f64 = 2.0;
/// The largest number of a level, which is also the limit of levels in a lookup layer.
pub(super) const MOST_NUMBER: usize = 1 << 20;

/// Which categories become the number of their level, for networks that learn a vector for each level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LevelNumbers {
    /// Categories with up to this many levels stay one-hot. Missing counts as a level.
    pub above: usize,
    /// Upper limit of the levels with a number of their own; rarer ones share a number.
    pub most: usize,
}

/// The inputs of a category.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coding {
    /// One input for each level: 1 in the rows that have the level, otherwise 0.
    #[default]
    ZerosAndOnes,
    /// One input for each level: its value in the rows without and with the level.
    Values(Vec<[f64; 2]>),
    /// One input for two levels: its value for the first level, for neither (missing, or not seen in training), and for
    /// the second.
    Single([f64; 3]),
    /// One input, the number of the level: 1 for the first level and so on, then `other`, then missing; 0 for a level
    /// without a number.
    Number,
}

impl Coding {
    pub(super) fn is_zeros_and_ones(&self) -> bool {
        *self == Coding::ZerosAndOnes
    }

    /// Writes the inputs of a row, which must be 0. `place` is the position of its level, if it has one.
    pub(super) fn write(&self, place: Option<usize>, inputs: &mut [f32]) {
        match self {
            Coding::ZerosAndOnes => {
                if let Some(place) = place {
                    inputs[place] = 1.0;
                }
            }
            Coding::Values(values) => {
                for (at, (input, [without, with])) in inputs.iter_mut().zip(values).enumerate() {
                    *input = if place == Some(at) { *with } else { *without } as f32;
                }
            }
            Coding::Single([first, neither, second]) => {
                inputs[0] = match place {
                    Some(0) => *first,
                    Some(1) => *second,
                    _ => *neither,
                } as f32;
            }
            Coding::Number => inputs[0] = place.map_or(0, |place| place + 1) as f32,
        }
    }
}

/// How levels become inputs.
#[derive(Debug, Clone, Copy)]
pub(super) struct LevelOptions<'a> {
    /// Whether levels are numbers in the file.
    pub(super) numeric: bool,
    /// Upper limit of the levels with an input of their own, if they are one-hot.
    pub(super) most: usize,
    /// If levels may be coded as numbers, the limits for that.
    pub(super) numbers: Option<LevelNumbers>,
    /// Targets of the training rows, if they determine how many rows a level needs for a number of its own.
    pub(super) targets: Option<&'a Targets>,
    /// Whether two levels share one input.
    pub(super) single: bool,
    /// Whether the inputs are scaled and clipped like numbers.
    pub(super) clipped: bool,
}

/// The result of fitting a category.
pub(super) struct Levels {
    /// Levels with an input or a number of their own. Numbers are sorted by value, text by bytes.
    pub(super) own: Vec<String>,
    /// Whether all other levels share an input or number.
    pub(super) other: bool,
    /// Whether missing is a level.
    pub(super) missing: bool,
    /// The values of the inputs.
    pub(super) coding: Coding,
}

impl Levels {
    /// Fits a text column to its training rows. If it is one-hot, the `most` most frequent levels have an input; of
    /// equally frequent levels the first in sort order is preferred. If levels are coded as numbers, the 64 most
    /// frequent have a number, and also others with at least two rows and at least as many as [`rows_needed`] requires.
    pub(super) fn fit(codes: &[u32], levels: &[String], rows: &[u32], how: LevelOptions<'_>) -> Self {
        let LevelOptions { numeric, single, clipped, .. } = how;
        let mut counts = vec![0usize; levels.len()];
        let mut missing = false;
        for &row in rows {
            match codes[row as usize] {
                MISSING => missing = true,
                code => counts[code as usize] += 1,
            }
        }
        let count_of: HashMap<&str, usize> = levels.iter().map(String::as_str).zip(counts).collect();
        let seen = levels.iter().filter(|level| count_of[level.as_str()] > 0).cloned().collect();
        let mut kept = sorted_levels(seen, numeric);
        kept.sort_by_key(|level| std::cmp::Reverse(count_of[level.as_str()])); // stable: ties stay in order
        let numbers = how.numbers.filter(|numbers| kept.len() + usize::from(missing) > numbers.above);
        let most = match numbers {
            None => how.most,
            Some(numbers) => {
                let of_rows: Vec<u32> = rows.iter().map(|row| codes[*row as usize]).collect();
                let needed = how.targets.map_or(0.0, |targets| rows_needed(&of_rows, targets));
                let enough = |level: &&String| count_of[level.as_str()] as f64 >= needed.max(FEWEST_ROWS);
                let frequent = kept.iter().take_while(enough).count();
                frequent.max(MOST_LEVELS).min(numbers.most)
            }
        };
        let other = kept.len() > most;
        kept.truncate(most);
        let kept = sorted_levels(kept, numeric);
        let own: Vec<usize> = kept.iter().map(|level| count_of[level.as_str()]).collect();
        let present: usize = count_of.values().sum();
        let absent = rows.len() - present;
        let coding = match own[..] {
            [first, second] if single && !other => {
                let values = Counted([(-1.0, first), (0.0, absent), (1.0, second)]);
                Coding::Single(if clipped { values.clipped() } else { values.0.map(|(value, _)| value) })
            }
            _ if numbers.is_some() => Coding::Number,
            _ if clipped => {
                let rest = present - own.iter().sum::<usize>();
                let special = other.then_some(rest).into_iter().chain(missing.then_some(absent));
                let input = |rows_of: usize| Counted([(0.0, rows.len() - rows_of), (1.0, rows_of)]).clipped();
                Coding::Values(own.into_iter().chain(special).map(input).collect())
            }
            _ => Coding::ZerosAndOnes,
        };
        Self { own: kept, other, missing, coding }
    }
}

/// Sorts levels: numbers by value, text by bytes.
fn sorted_levels(mut levels: Vec<String>, numeric: bool) -> Vec<String> {
    if numeric {
        let value = |level: &String| parse_number(level).unwrap_or(f64::INFINITY);
        levels.sort_by(|a, b| value(a).total_cmp(&value(b)));
    } else {
        levels.sort_unstable();
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fits levels `a0000`, `a0001`, … with these numbers of rows, followed by rows with a missing value.
    fn fitted(counts: &[usize], missing: usize, numbers: Option<LevelNumbers>) -> Levels {
        let names: Vec<String> = (0..counts.len()).map(|n| format!("a{n:04}")).collect();
        let codes = counts.iter().enumerate().flat_map(|(level, count)| vec![level as u32; *count]);
        let codes: Vec<u32> = codes.chain(vec![MISSING; missing]).collect();
        let rows: Vec<u32> = (0..codes.len() as u32).collect();
        let (numeric, targets) = (false, None);
        let how = LevelOptions { numeric, most: MOST_LEVELS, numbers, targets, single: true, clipped: true };
        Levels::fit(&codes, &names, &rows, how)
    }

    const NUMBERS: Option<LevelNumbers> = Some(LevelNumbers { above: 8, most: 500 });

    #[test]
    fn categories_of_many_levels_become_numbers_and_small_ones_stay_one_hot() {
        for (levels, missing, by_number) in [(8, 0, false), (8, 1, true), (9, 0, true), (7, 1, false), (2, 5, false)] {
            let fitted = fitted(&vec![3; levels], missing, NUMBERS);
            assert_eq!(fitted.coding == Coding::Number, by_number, "{levels} levels, {missing} missing");
            assert_eq!((fitted.own.len(), fitted.other, fitted.missing), (levels, false, missing > 0));
        }
        assert!(matches!(fitted(&[3; 9], 0, None).coding, Coding::Values(_)));
    }

    #[test]
    fn levels_of_few_rows_share_a_number_beyond_the_first_64() {
        // All levels have few rows, as with one-hot inputs.
        let few = fitted(&[1; 64], 0, NUMBERS);
        assert_eq!((few.own.len(), few.other), (64, false));
        let few = fitted(&[1; 65], 0, NUMBERS);
        assert_eq!((few.own.len(), few.other), (64, true));
        // 100 levels with enough rows, 50 with too few.
        let counts: Vec<usize> = (0..150).map(|n| if n % 3 == 0 { 1 } else { 2 }).collect();
        let many = fitted(&counts, 4, NUMBERS);
        assert_eq!((many.own.len(), many.other, many.missing), (100, true, true));
        assert!(!many.own.contains(&"a0003".to_owned()) && many.own.contains(&"a0004".to_owned()));
        // If there are more than allowed, the most frequent are kept.
        let counts: Vec<usize> = (0..600).map(|n| 2 + n % 2).collect();
        let most = fitted(&counts, 0, NUMBERS);
        assert_eq!((most.own.len(), most.other), (500, true));
        let frequent = most.own.iter().filter(|name| name.ends_with(['1', '3', '5', '7', '9'])).count();
        assert_eq!(frequent, 300, "all levels of more rows are among them");
        let one = fitted(&counts, 0, Some(LevelNumbers { above: 8, most: 1 }));
        assert_eq!((one.own.len(), one.other), (1, true));
    }

    #[test]
    fn a_number_counts_from_1_and_0_is_none() {
        let mut input = [9.0];
        for (place, number) in [(None, 0.0), (Some(0), 1.0), (Some(7), 8.0)] {
            Coding::Number.write(place, &mut input);
            assert_eq!(input, [number]);
        }
    }
}
