//! Converts numbers of levels to one-hot inputs, for models that need plain numbers.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::ops::Range;

use super::dataset::{Dataset, Features};
use super::levels::MOST_LEVELS;

/// Converts each input that holds the number of a level to one-hot inputs: one for each of the 64 most frequent levels,
/// and one for all others if there are more. All are 0 for number 0, which means no level. Other inputs are unchanged.
#[derive(Debug, Clone, PartialEq)]
pub struct OneHot {
    columns: Vec<LevelInput>,
}

/// An input that holds the number of a level.
#[derive(Debug, Clone, PartialEq)]
struct LevelInput {
    /// Position of the input.
    input: usize,
    /// For each level from 1, its position among the one-hot inputs. Levels beyond the list get the last position.
    places: Vec<usize>,
    width: usize,
}

impl LevelInput {
    /// Fits one input. Of equally frequent levels the first are preferred.
    fn fit(values: &[f32], cols: usize, input: usize) -> LevelInput {
        let numbers = || values.iter().skip(input).step_by(cols).map(|number| *number as usize);
        let levels = numbers().max().unwrap_or(0);
        let mut counts = vec![0usize; levels + 1];
        numbers().for_each(|number| counts[number] += 1);
        let mut frequent: Vec<usize> = (1..=levels).collect();
        frequent.sort_by_key(|level| Reverse(counts[*level])); // stable
        frequent.truncate(MOST_LEVELS);
        frequent.sort_unstable();
        let place = |level: usize| frequent.binary_search(&level).unwrap_or(frequent.len());
        let width = frequent.len() + usize::from(levels > frequent.len());
        LevelInput { input, places: (1..=levels).map(place).collect(), width }
    }

    fn write(&self, number: f32, to: &mut [f32]) {
        let Some(level) = (number as usize).checked_sub(1) else { return };
        let place = self.places.get(level).copied().unwrap_or(self.width - 1);
        to[place] = 1.0;
    }
}

impl OneHot {
    /// Fits to the levels of these rows. `level_inputs` are the inputs that hold numbers of levels, in ascending order.
    pub fn fit(features: &Features, level_inputs: &[usize]) -> OneHot {
        let Features::F32 { values, cols } = features else { return OneHot { columns: Vec::new() } };
        OneHot { columns: level_inputs.iter().map(|input| LevelInput::fit(values, *cols, *input)).collect() }
    }

    /// Number of inputs after the conversion of `inputs` inputs.
    pub fn width(&self, inputs: usize) -> usize {
        inputs - self.columns.len() + self.columns.iter().map(|column| column.width).sum::<usize>()
    }

    /// The converted data set; borrowed if no input changes.
    pub fn view<'a>(&self, data: &'a Dataset) -> Cow<'a, Dataset> {
        if self.columns.is_empty() {
            return Cow::Borrowed(data);
        }
        let (targets, weights) = (data.targets.clone(), data.weights.clone());
        Cow::Owned(Dataset { features: self.apply(&data.features), targets, weights })
    }

    /// Converts the inputs of rows.
    pub fn apply(&self, features: &Features) -> Features {
        let Features::F32 { values, cols } = features else { return features.clone() };
        let width = self.width(*cols);
        let mut inputs = vec![0.0; values.len() / (*cols).max(1) * width];
        for (row, to) in values.chunks_exact(*cols).zip(inputs.chunks_exact_mut(width)) {
            let (mut next, mut at) = (0, 0);
            let copy = |upto: Range<usize>, to: &mut [f32]| to[..upto.len()].copy_from_slice(&row[upto]);
            for column in &self.columns {
                copy(next..column.input, &mut to[at..]);
                at += column.input - next;
                column.write(row[column.input], &mut to[at..at + column.width]);
                (next, at) = (column.input + 1, at + column.width);
            }
            copy(next..*cols, &mut to[at..]);
        }
        Features::F32 { values: inputs, cols: width }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_levels_become_zeros_and_ones_and_others_stay() {
        let rows = [[0.5, 2.0, 9.0, 1.0], [1.5, 0.0, 8.0, 1.0], [2.5, 3.0, 7.0, 2.0]];
        let features = Features::F32 { values: rows.concat(), cols: 4 };
        let one_hot = OneHot::fit(&features, &[1, 3]);
        assert_eq!(one_hot.width(4), 7);
        let Features::F32 { values, cols: 7 } = one_hot.apply(&features) else { panic!("seven inputs") };
        let expected = [
            [0.5, 0.0, 1.0, 0.0, 9.0, 1.0, 0.0],
            [1.5, 0.0, 0.0, 0.0, 8.0, 1.0, 0.0],
            [2.5, 0.0, 0.0, 1.0, 7.0, 0.0, 1.0],
        ];
        assert_eq!(values, expected.concat());
        let unseen = Features::F32 { values: vec![0.0, 77.0, 0.0, 0.0], cols: 4 };
        let Features::F32 { values, .. } = one_hot.apply(&unseen) else { panic!("a table") };
        assert_eq!(values, [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0], "as the last level, where no other is shared");
        assert_eq!(OneHot::fit(&features, &[]).apply(&features), features);
    }

    #[test]
    fn rare_levels_share_an_input() {
        // Level n of 1 … 100 has n rows.
        let numbers: Vec<f32> = (1..=100).flat_map(|n| vec![n as f32; n]).collect();
        let features = Features::F32 { values: numbers, cols: 1 };
        let one_hot = OneHot::fit(&features, &[0]);
        assert_eq!(one_hot.width(1), 65);
        let of = |level: f32| {
            let Features::F32 { values, .. } = one_hot.apply(&Features::F32 { values: vec![level], cols: 1 }) else {
                panic!("a table")
            };
            values.iter().position(|x| *x == 1.0)
        };
        assert_eq!([1.0, 36.0, 37.0, 100.0, 0.0].map(of), [Some(64), Some(64), Some(0), Some(63), None]);
    }
}
