//! The levels of a category: which have an input or a number of their own, and what the inputs are.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::cell::parse_number;
use super::credibility::rows_needed;
use super::dataset::Targets;
use super::shape::Counted;
use super::table::MISSING;

/// A text column has at most so many one-hot inputs of its own; rarer levels share one.
pub const MOST_LEVELS: usize = 64;
/// Where levels are numbers, those beyond the first [`MOST_LEVELS`] have one of their own from so many training rows on, or more where the
/// target asks for more.
const FEWEST_ROWS: f64 = 2.0;
/// The largest number of a level: as many levels as a layer may look up.
pub(super) const MOST_NUMBER: usize = 1 << 20;

/// Which categories become the number of their level, for a network that learns a vector for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LevelNumbers {
    /// Categories of up to so many levels, a missing one among them, stay one-hot.
    pub above: usize,
    /// Levels with a number of their own at most; rarer ones share one.
    pub most: usize,
}

/// The numbers that stand for levels.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coding {
    /// 1 in the rows that have the level, else 0.
    #[default]
    ZerosAndOnes,
    /// Of each input the number in the rows that do not have the level, and in those that have it.
    Values(Vec<[f64; 2]>),
    /// One input for two levels: the number of the first, of neither (missing, or not seen in training), and of the second.
    Single([f64; 3]),
    /// One input, the number of the level: from 1 for the first, then `other`, then missing; 0 for one that has none.
    Number,
}

impl Coding {
    pub(super) fn is_zeros_and_ones(&self) -> bool {
        *self == Coding::ZerosAndOnes
    }

    /// Writes the inputs of a row over zeros; `place` is that of its level among the inputs, where it has one.
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
    /// Whether they are numbers.
    pub(super) numeric: bool,
    /// How many have an input of their own at most, where they are one-hot.
    pub(super) most: usize,
    /// Whether they may be numbers, and how many then.
    pub(super) numbers: Option<LevelNumbers>,
    /// What is to be learnt of the training rows, where it says how many rows a level needs for a number.
    pub(super) targets: Option<&'a Targets>,
    /// Whether two levels share one input.
    pub(super) single: bool,
    /// Whether the inputs are scaled and clipped as numbers are.
    pub(super) clipped: bool,
}

/// What came of fitting a category.
pub(super) struct Levels {
    /// Levels with an input, or a number, of their own: numbers sorted by value, text by bytes.
    pub(super) own: Vec<String>,
    /// Whether one is shared by all other levels.
    pub(super) other: bool,
    /// Whether missing is a level.
    pub(super) missing: bool,
    /// What the inputs are.
    pub(super) coding: Coding,
}

impl Levels {
    /// Fits a text column to its training rows. One-hot are the `most` most frequent levels, of equally frequent ones the first in
    /// their order. Where levels are numbers, the 64 most frequent have one, and others of at least two rows, and of as many as [`rows_needed`] says.
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

/// Levels in their order: numbers by value, text by bytes.
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

    /// Levels `a0`, `a1`, …, each with so many rows; the last rows are missing.
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
        // All of few rows, as one-hot inputs would have it.
        let few = fitted(&[1; 64], 0, NUMBERS);
        assert_eq!((few.own.len(), few.other), (64, false));
        let few = fitted(&[1; 65], 0, NUMBERS);
        assert_eq!((few.own.len(), few.other), (64, true));
        // 100 levels of enough rows, 50 that have not.
        let counts: Vec<usize> = (0..150).map(|n| if n % 3 == 0 { 1 } else { 2 }).collect();
        let many = fitted(&counts, 4, NUMBERS);
        assert_eq!((many.own.len(), many.other, many.missing), (100, true, true));
        assert!(!many.own.contains(&"a0003".to_owned()) && many.own.contains(&"a0004".to_owned()));
        // Of more than there may be, the most frequent.
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
