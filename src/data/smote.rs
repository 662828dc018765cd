//! SMOTE: enlarges smaller classes by interpolation between rows.

use rand::RngExt;
use rayon::prelude::*;

use super::dataset::{Dataset, Features};
use super::order::{below, shuffle};
use super::targets::Targets;
use crate::rng::{Purpose, stream};

/// Number of nearest neighbours of a row that are used for interpolation.
const NEIGHBOURS: usize = 5;
/// Upper limit of the rows of a class that are considered as neighbours.
const MOST_CANDIDATES: usize = 2000;

/// Adds rows to each smaller class until it is as large as the largest one: SMOTE, Chawla et al. 2002,
/// <https://doi.org/10.1613/jair.953>. A new row is at a random position between a random row of its class and one of
/// this row's five nearest neighbours in the class, measured by the network's inputs. It has the weight of the first
/// row. Neighbours are chosen among up to 2,000 rows of the class. One-hot inputs are treated as numbers, so a new row
/// may be between two levels. `level_inputs`, in ascending order, hold numbers of levels: a new row has the level of
/// the first row, and the distance of two different levels is that of their one-hot inputs. The row of a class with a
/// single row is repeated. The random numbers of a new row depend on the seed, its class and its number alone.
pub(super) fn smote(train: &mut Dataset, classes: usize, level_inputs: &[usize], seed: u64) {
    let (Features::F32 { values, cols }, Targets::Classes { labels, .. }) = (&mut train.features, &mut train.targets)
    else {
        unreachable!("tables of classes were checked for")
    };
    let mut of_class: Vec<Vec<u32>> = vec![Vec::new(); classes];
    labels.iter().enumerate().for_each(|(row, label)| of_class[*label as usize].push(row as u32));
    let are_levels: Vec<bool> = (0..*cols).map(|input| level_inputs.binary_search(&input).is_ok()).collect();
    let largest = of_class.iter().map(Vec::len).max().unwrap_or(0);
    for (class, rows) in of_class.iter().enumerate().filter(|(_, rows)| !rows.is_empty()) {
        let mut candidates = rows.clone();
        if rows.len() > MOST_CANDIDATES {
            shuffle(&mut candidates, &mut stream(seed, Purpose::Smote, class as u64, u64::MAX));
            candidates.truncate(MOST_CANDIDATES);
        }
        let between = |number: usize| {
            let mut rng = stream(seed, Purpose::Smote, class as u64, number as u64);
            let base = rows[below(&mut rng, rows.len() as u32) as usize];
            let near = neighbours((values, *cols), &are_levels, base, &candidates);
            let other = if near.is_empty() { base } else { near[below(&mut rng, near.len() as u32) as usize] };
            let share: f32 = rng.random();
            let row = |row: u32| &values[row as usize * *cols..][..*cols];
            let mut inputs: Vec<f32> = row(base).iter().zip(row(other)).map(|(a, b)| a + share * (b - a)).collect();
            level_inputs.iter().for_each(|input| inputs[*input] = row(base)[*input]);
            (base, inputs)
        };
        let new: Vec<(u32, Vec<f32>)> = (0..largest - rows.len()).into_par_iter().map(between).collect();
        for (base, inputs) in new {
            values.extend(inputs);
            labels.push(class as u32);
            if let Some(weights) = &mut train.weights {
                weights.push(weights[base as usize]);
            }
        }
    }
}

/// The nearest rows to `of` among `among`, nearest first, without `of` itself.
///
/// `are_levels` tells for each input whether it is the number of a level.
fn neighbours((values, cols): (&[f32], usize), are_levels: &[bool], of: u32, among: &[u32]) -> Vec<u32> {
    let row = |row: u32| &values[row as usize * cols..][..cols];
    let squared = |a: &f32, b: &f32| f64::from(a - b) * f64::from(a - b);
    let distance = |other: &u32| {
        let inputs = row(of).iter().zip(row(*other)).zip(are_levels);
        // One-hot inputs of two levels differ in two positions.
        let part = |((a, b), is_level): ((&f32, &f32), &bool)| if *is_level && a != b { 2.0 } else { squared(a, b) };
        inputs.map(part).sum::<f64>()
    };
    let mut all: Vec<(f64, u32)> = among.iter().filter(|row| **row != of).map(|row| (distance(row), *row)).collect();
    let order = |a: &(f64, u32), b: &(f64, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
    if all.len() > NEIGHBOURS {
        all.select_nth_unstable_by(NEIGHBOURS - 1, order);
        all.truncate(NEIGHBOURS);
    }
    all.sort_by(order);
    all.into_iter().map(|(_, row)| row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Class 0 on a line of 40 rows, class 1 on another of 8.
    fn two_lines() -> Dataset {
        let line = |class: u32, rows: usize| (0..rows).map(move |n| ([n as f32, 10.0 * class as f32], class));
        let rows: Vec<([f32; 2], u32)> = line(0, 40).chain(line(1, 8)).collect();
        Dataset {
            features: Features::F32 { values: rows.iter().flat_map(|(x, _)| *x).collect(), cols: 2 },
            targets: Targets::Classes { labels: rows.iter().map(|(_, class)| *class).collect(), classes: 2 },
            weights: Some((0..48).map(|n| n as f32 + 1.0).collect()),
        }
    }

    #[test]
    fn new_rows_lie_between_neighbours_of_their_class() {
        let (before, mut after) = (two_lines(), two_lines());
        smote(&mut after, 2, &[], 4);
        let (Features::F32 { values, .. }, Targets::Classes { labels, .. }) = (&after.features, &after.targets) else {
            panic!("a table of classes")
        };
        let Features::F32 { values: old, .. } = &before.features else { panic!("a table") };
        assert_eq!((labels.len(), labels.iter().filter(|l| **l == 1).count()), (80, 40));
        assert_eq!(values[..96], old[..], "the old rows stay as they are");
        let new: Vec<[f32; 2]> = values[96..].chunks(2).map(|x| [x[0], x[1]]).collect();
        assert!(new.iter().all(|x| x[1] == 10.0 && (0.0..=7.0).contains(&x[0])), "{new:?}");
        assert!(new.iter().filter(|x| x[0].fract() != 0.0).count() > 25, "they are not copies: {new:?}");
        assert_eq!(after.weights.as_ref().unwrap().len(), 80);
        let mut again = two_lines();
        smote(&mut again, 2, &[], 4);
        assert_eq!(again, after);
        let mut other = two_lines();
        smote(&mut other, 2, &[], 5);
        assert_ne!(other, after);
    }

    /// A new row has no level between two levels.
    #[test]
    fn new_rows_have_the_level_of_a_row() {
        let rows: Vec<f32> = (0..60).flat_map(|n| [n as f32, [4.0, 900.0, 17.0][n % 3]]).collect();
        let labels: Vec<u32> = (0..60).map(|n| u32::from(n < 12)).collect();
        let mut train = Dataset {
            features: Features::F32 { values: rows, cols: 2 },
            targets: Targets::Classes { labels, classes: 2 },
            weights: None,
        };
        smote(&mut train, 2, &[1], 4);
        let Features::F32 { values, .. } = &train.features else { panic!("a table") };
        assert_eq!(values.len(), 2 * 96);
        let new = values[120..].chunks(2);
        assert!(new.clone().all(|x| [4.0, 900.0, 17.0].contains(&x[1])), "{values:?}");
        assert!(new.filter(|x| x[0].fract() != 0.0).count() > 15);
        // For rows 0 to 3, the distance between 900 and 4 equals that between 17 and 4, so the order of the rows
        // decides.
        let values = [0.0, 4.0, 0.5, 900.0, 0.4, 17.0, 2.0, 4.0];
        assert_eq!(neighbours((&values, 2), &[false, true], 0, &[0, 1, 2, 3]), [2, 1, 3]);
    }

    #[test]
    fn the_nearest_come_first_and_the_row_itself_never() {
        let values: Vec<f32> = [0.0, 5.0, 1.0, 1.0, 9.0, -2.0, 20.0].to_vec();
        assert_eq!(neighbours((&values, 1), &[false], 0, &[0, 1, 2, 3, 4, 5, 6]), [2, 3, 5, 1, 4]);
        assert_eq!(neighbours((&values, 1), &[false], 0, &[0]), [0u32; 0]);
    }
}
