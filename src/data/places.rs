//! The inputs that are set by the cells of a category, as plain data. Exports write them in another language.

use std::collections::HashMap;

use super::cell::parse_number;
use super::feature::{Encoding, Feature};
use super::known::normal_form;
use super::levels::Coding;

/// Maps the cells of a category to the position of an input. [`Places::count`] itself means no position.
#[derive(Debug, Clone, PartialEq)]
pub struct Places {
    /// The known cells.
    pub keys: Keys,
    /// Position for a cell that is not known.
    pub other: usize,
    /// Position for a missing cell.
    pub missing: usize,
    /// Number of positions.
    pub count: usize,
    /// Values of the inputs.
    pub inputs: Inputs,
}

/// Cells with a position of their own.
#[derive(Debug, Clone, PartialEq)]
pub enum Keys {
    /// Numbers.
    Numbers(Vec<(f64, usize)>),
    /// Texts as written in training, then normal forms, which different spellings of a level share: compared without
    /// case, and with single blanks.
    Texts {
        /// Compared first.
        exact: Vec<(String, usize)>,
        /// Compared next.
        normal: Vec<(String, usize)>,
    },
}

/// The values of the inputs for a position.
#[derive(Debug, Clone, PartialEq)]
pub enum Inputs {
    /// An input for each position: its value if another position is set, and if this one is set.
    Each(Vec<[f32; 2]>),
    /// One input: its value for each position, then for no position.
    One(Vec<f32>),
}

impl Feature {
    /// How the cells of a category determine inputs; `None` for other columns.
    pub fn places(&self) -> Option<Places> {
        let Encoding::Category { levels, other, missing, numeric, coding } = &self.encoding else { return None };
        let count = levels.len() + usize::from(*other) + usize::from(*missing);
        let other_at = if *other { levels.len() } else { count };
        let missing_at = if *missing { count - 1 } else { other_at };
        let placed = || levels.iter().enumerate().map(|(place, level)| (level, place));
        let keys = if *numeric {
            Keys::Numbers(placed().filter_map(|(level, place)| Some((parse_number(level)?, place))).collect())
        } else {
            let mut normal: Vec<(String, usize)> =
                self.known.as_ref().map(|known| known.spellings(levels)).unwrap_or_default().into_iter().collect();
            normal.sort_unstable();
            Keys::Texts { exact: placed().map(|(level, place)| (level.clone(), place)).collect(), normal }
        };
        let inputs = match coding {
            Coding::ZerosAndOnes => Inputs::Each(vec![[0.0, 1.0]; count]),
            Coding::Number => Inputs::One((1..=count).chain([0]).map(|number| number as f32).collect()),
            Coding::Values(values) => Inputs::Each(values.iter().map(|pair| pair.map(|v| v as f32)).collect()),
            Coding::Single([first, neither, second]) => {
                let of = |place| [*first as f32, *second as f32].get(place).copied().unwrap_or(*neither as f32);
                Inputs::One((0..=count).map(of).collect())
            }
        };
        Some(Places { keys, other: other_at, missing: missing_at, count, inputs })
    }
}

impl Places {
    /// A function that returns the position of a text that is not missing, for a category of texts.
    pub fn of_texts(&self) -> impl Fn(&str) -> usize {
        let (exact, normal): (&[_], &[_]) = match &self.keys {
            Keys::Texts { exact, normal } => (exact, normal),
            Keys::Numbers(_) => (&[], &[]),
        };
        let table = |keys: &'_ [(String, usize)]| keys.iter().cloned().collect::<HashMap<String, usize>>();
        let (exact, normal, other) = (table(exact), table(normal), self.other);
        move |cell| exact.get(cell).or_else(|| normal.get(&normal_form(cell))).copied().unwrap_or(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::table::Column;

    fn category(levels: &[&str], (other, missing): (bool, bool), coding: Coding) -> Feature {
        let levels: Vec<String> = levels.iter().map(|level| (*level).to_owned()).collect();
        let known = serde_json::from_str(r#"{"levels": {"missing": 0.0}}"#).unwrap();
        Feature {
            column: "c".to_owned(),
            encoding: Encoding::Category { levels, other, missing, numeric: false, coding },
            form: Default::default(),
            lenient: false,
            known: Some(known),
        }
    }

    /// The inputs for positions equal those of the column's plan.
    #[test]
    fn places_give_the_inputs_of_the_column() {
        let pairs = |n: usize| (0..n).map(|at| [at as f64 / 8.0, 1.0 + at as f64]).collect();
        for (flags, coding) in [
            ((false, false), Coding::ZerosAndOnes),
            ((true, false), Coding::ZerosAndOnes),
            ((true, true), Coding::Values(pairs(4))),
            ((false, true), Coding::Values(pairs(3))),
            ((true, true), Coding::Number),
            ((false, false), Coding::Number),
            ((false, false), Coding::Single([-0.5, 0.25, 2.0])),
            ((false, true), Coding::Single([-0.5, 0.25, 2.0])),
        ] {
            let feature = category(&["Red", "dark blue"], flags, coding);
            let places = feature.places().unwrap();
            let cells = ["Red", "RED", "Dark  blue", "green", ""];
            let levels: Vec<String> = cells[..4].iter().map(|cell| (*cell).to_owned()).collect();
            let column = Column::Text { codes: vec![0, 1, 2, 3, u32::MAX], levels };
            let plan = crate::data::feature::ColumnPlan::new(&feature, &column).unwrap();
            for (row, cell) in cells.iter().enumerate() {
                let mut expected = vec![0.0; feature.width()];
                plan.write(&mut expected, (0, feature.width()), |_| row);
                let place = if cell.is_empty() { places.missing } else { places.of_texts()(cell) };
                let found: Vec<f32> = match &places.inputs {
                    Inputs::One(values) => vec![values[place]],
                    Inputs::Each(pairs) => {
                        pairs.iter().enumerate().map(|(at, pair)| pair[usize::from(at == place)]).collect()
                    }
                };
                assert_eq!(found, expected, "\"{cell}\" of {places:?}");
            }
        }
    }
}
