//! Assigns rows to the training, validation and test parts.

use serde::{Deserialize, Serialize};

use super::options::DataOptions;
use super::order::shuffle;
use super::schema::Roles;
use super::table::{Column, Table};
use super::value::EXACT;
use super::written::SplitMode;
use crate::option_text::{option, quoted};
use crate::rng::{Purpose, stream};
use crate::{Error, Result};

/// Streams of [`Purpose::Split`] for folds. Stream 0 is for parts.
const FOLDS: u64 = 1;
/// Stream of [`Purpose::Split`] for the order of groups.
const GROUPS: u64 = 2;

/// Row numbers of each part, in ascending order. Rows count from 0 in their own file. Rows without a target are in no
/// part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// Training rows.
    pub train: Vec<u32>,
    /// Validation rows, which choose the best epoch.
    pub val: Vec<u32>,
    /// Test rows, which influence nothing.
    pub test: Vec<u32>,
}

/// Assigns `rows` to the three parts. `val` and `test` are fractions of all rows. The test part is taken first.
///
/// With `classes`, which has a class for each of `rows`, the split is stratified: each part has each class in its
/// proportion, to within one row, and has the same size as without classes. Shares are rounded by largest remainder. At
/// least one row of each class stays in training. Without classes, rows are assigned at random. The result depends on
/// `seed` and the classes of the rows alone.
pub fn split(rows: &[u32], classes: Option<&[u32]>, val: f64, test: f64, seed: u64) -> Split {
    let mut groups = by_class(rows, classes);
    for (class, group) in groups.iter_mut().enumerate() {
        shuffle(group, &mut stream(seed, Purpose::Split, class as u64, 0));
    }
    let sizes: Vec<usize> = groups.iter().map(Vec::len).collect();
    let room: Vec<usize> = sizes.iter().map(|&size| size.saturating_sub(1)).collect();
    let count = |fraction: f64| (rows.len() as f64 * fraction).round() as usize;
    let test = shares(count(test), &sizes, &room);
    let room: Vec<usize> = room.iter().zip(&test).map(|(room, taken)| room - taken).collect();
    let val = shares(count(val), &sizes, &room);

    let mut parts = Split::default();
    for ((group, test), val) in groups.iter().zip(test).zip(val) {
        parts.test.extend(&group[..test]);
        parts.val.extend(&group[test..test + val]);
        parts.train.extend(&group[test + val..]);
    }
    for part in [&mut parts.train, &mut parts.val, &mut parts.test] {
        part.sort_unstable();
    }
    parts
}

/// The rows of each class; all rows together if there are no classes.
fn by_class(rows: &[u32], classes: Option<&[u32]>) -> Vec<Vec<u32>> {
    let mut groups: Vec<Vec<u32>> = Vec::new();
    match classes {
        Some(classes) => {
            groups.resize(classes.iter().max().map_or(0, |&max| max as usize + 1), Vec::new());
            rows.iter().zip(classes).for_each(|(&row, &class)| groups[class as usize].push(row));
        }
        None => groups.push(rows.to_vec()),
    }
    groups
}

/// Assigns `rows` to `count` folds whose sizes differ by at most one row, each in ascending order. With `classes`,
/// which has a class for each of `rows`, the numbers of rows of a class also differ by at most one.
pub(super) fn deal_folds(rows: &[u32], classes: Option<&[u32]>, count: usize, seed: u64) -> Vec<Vec<u32>> {
    let mut groups = by_class(rows, classes);
    for (class, group) in groups.iter_mut().enumerate() {
        shuffle(group, &mut stream(seed, Purpose::Split, class as u64, FOLDS));
    }
    let mut folds = vec![Vec::new(); count];
    for (place, row) in groups.into_iter().flatten().enumerate() {
        folds[place % count].push(row);
    }
    folds.iter_mut().for_each(|fold| fold.sort_unstable());
    folds
}

/// The keys that determine the parts of rows, if a column does so; one entry for each usable row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum SplitKeys {
    /// Groups. Rows of a group stay together.
    Groups(Vec<u32>),
    /// Times. Earlier rows are never predicted by a model of later ones.
    Times(Vec<f64>),
}

impl SplitKeys {
    /// The keys of `rows`, as the options require.
    ///
    /// # Errors
    /// [`Error::Data`] for a missing time, [`Error::Option`] if times are text.
    pub(super) fn of(table: &Table, roles: &Roles, rows: &[u32], options: &DataOptions) -> Result<Option<Self>> {
        let Some(column) = roles.split else { return Ok(None) };
        let name = &table.names[column];
        match (&options.split, &table.columns[column]) {
            (SplitMode::Time(_), Column::Numbers(values)) => {
                if let Some(row) = rows.iter().find(|row| values[**row as usize].is_nan()) {
                    let message =
                        "expected a time in every row, found no value: leave out such rows, or split otherwise";
                    return Err(table.error_at(*row as usize, name, message));
                }
                Ok(Some(Self::Times(rows.iter().map(|row| values[*row as usize]).collect())))
            }
            (SplitMode::Time(_), Column::Text { .. }) => {
                let message =
                    format!("expected numbers or dates, found text: {} gives the form of dates", option("dates"));
                Err(Error::data_at(&table.path, None, Some(name), message).of_value("split", "time"))
            }
            (_, Column::Numbers(values)) if rows.iter().any(|row| values[*row as usize].abs() >= EXACT) => {
                let message = format!(
                    "its groups are whole numbers of more than 15 digits, which are told apart only as text: add {}",
                    quoted("categorical", name)
                );
                Err(Error::data_at(&table.path, None, Some(name), message).of_value("split", &options.split))
            }
            (_, column) => {
                let text = column.as_text();
                let Column::Text { codes, .. } = text.as_ref() else { unreachable!("the column is text") };
                // Rows without a group form one group, because they may belong together.
                Ok(Some(Self::Groups(rows.iter().map(|row| codes[*row as usize]).collect())))
            }
        }
    }

    /// Assigns `rows` to the three parts: whole groups at random; or by time, with the latest rows as the test part and
    /// those before them as the validation part. Rows of the same time stay together.
    pub(super) fn split(&self, rows: &[u32], val: f64, test: f64, seed: u64) -> Split {
        let count = |fraction: f64| (rows.len() as f64 * fraction).round() as usize;
        let mut left = self.units(rows, seed);
        let mut parts = Split::default();
        for (part, wanted) in [(&mut parts.test, count(test)), (&mut parts.val, count(val))] {
            self.take(&mut left, part, wanted);
        }
        parts.train = left.concat();
        for part in [&mut parts.train, &mut parts.val, &mut parts.test] {
            part.sort_unstable();
        }
        parts
    }

    /// Moves units to a part until it has about `wanted` rows; each move must bring it closer to this size. One unit is
    /// left for training. Times are taken in their order, and the latest one always. A group that is too large is
    /// skipped; if all are too large, the smallest one is taken.
    fn take(&self, left: &mut Vec<Vec<u32>>, part: &mut Vec<u32>, wanted: usize) {
        let in_order = matches!(self, Self::Times(_));
        let (mut units, mut more) = (left.len(), true);
        left.retain_mut(|unit| {
            let closer = part.len() < wanted && 2 * (wanted - part.len()) >= unit.len();
            let taken = more && units > 1 && wanted > part.len() && (closer || (in_order && part.is_empty()));
            if taken {
                part.append(unit);
                units -= 1;
            }
            more &= taken || !in_order;
            !taken
        });
        if part.is_empty() && wanted > 0 && left.len() > 1 {
            let smallest = (0..left.len()).min_by_key(|at| left[*at].len()).expect("there are units");
            part.append(&mut left.remove(smallest));
        }
    }

    /// Rows that stay together: groups in random order, or times from latest to earliest.
    fn units(&self, rows: &[u32], seed: u64) -> Vec<Vec<u32>> {
        match self {
            Self::Groups(groups) => {
                let mut units: indexmap::IndexMap<u32, Vec<u32>> = indexmap::IndexMap::new();
                rows.iter().zip(groups).for_each(|(row, group)| units.entry(*group).or_default().push(*row));
                let mut order: Vec<u32> = (0..units.len() as u32).collect();
                shuffle(&mut order, &mut stream(seed, Purpose::Split, 0, GROUPS));
                order.into_iter().map(|at| units[at as usize].clone()).collect()
            }
            Self::Times(times) => {
                let mut dated: Vec<(f64, u32)> = times.iter().copied().zip(rows.iter().copied()).collect();
                dated.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
                dated.chunk_by(|a, b| a.0 == b.0).map(|same| same.iter().map(|(_, row)| *row).collect()).collect()
            }
        }
    }

    /// Assigns `rows`, a subset of the rows of the keys, to folds. Groups are assigned whole, the largest first, each
    /// to the smallest fold. Times are divided into blocks; each block is validated by a model trained on all earlier
    /// blocks.
    ///
    /// # Errors
    /// [`Error::Option`] if there are too few groups or times.
    pub(super) fn folds(
        &self,
        rows: &[u32],
        all: &[u32],
        count: usize,
        seed: u64,
    ) -> Result<Vec<(Vec<u32>, Vec<u32>)>> {
        let key_of = |row: &u32| all.binary_search(row).expect("a row of the file");
        let own = match self {
            Self::Groups(groups) => Self::Groups(rows.iter().map(|row| groups[key_of(row)]).collect()),
            Self::Times(times) => Self::Times(rows.iter().map(|row| times[key_of(row)]).collect()),
        };
        let mut units = own.units(rows, seed);
        let (what, needed) = if matches!(self, Self::Groups(_)) { ("groups", count) } else { ("times", count + 1) };
        if units.len() < needed {
            let found = units.len();
            let message = format!("expected {needed} {what} at least, found {found}");
            return Err(Error::Mismatch(message).of_value("cv", count));
        }
        let sorted = |mut rows: Vec<u32>| {
            rows.sort_unstable();
            rows
        };
        if matches!(self, Self::Times(_)) {
            units.reverse();
            let blocks = time_blocks(&units, rows.len(), needed);
            let fold = |at: usize| (sorted(blocks[..at].concat()), sorted(blocks[at].clone()));
            return Ok((1..needed).map(fold).collect());
        }
        units.sort_by_key(|unit| std::cmp::Reverse(unit.len())); // stable: equal ones stay in random order
        let mut folds: Vec<Vec<u32>> = vec![Vec::new(); count];
        for unit in units {
            let smallest = (0..count).min_by_key(|fold| folds[*fold].len()).expect("there are folds");
            folds[smallest].extend(unit);
        }
        let others =
            |at: usize| folds.iter().enumerate().filter(|(o, _)| *o != at).flat_map(|(_, f)| f.clone()).collect();
        Ok((0..count).map(|at| (sorted(others(at)), sorted(folds[at].clone()))).collect())
    }
}

/// Divides times, in order, into `count` blocks with about the same number of rows. No block is empty.
fn time_blocks(units: &[Vec<u32>], rows: usize, count: usize) -> Vec<Vec<u32>> {
    let mut blocks: Vec<Vec<u32>> = vec![Vec::new(); count];
    let (mut block, mut taken) = (0, 0);
    for (at, unit) in units.iter().enumerate() {
        let full = taken * count >= (block + 1) * rows;
        let must = units.len() - at == count - 1 - block; // one unit must be left for each remaining block
        if block + 1 < count && !blocks[block].is_empty() && (full || must) {
            block += 1;
        }
        blocks[block].extend(unit);
        taken += unit.len();
    }
    blocks
}

/// Shares of `total` in proportion to `sizes`, limited by `room`, by the largest remainder method (Hamilton). Of equal
/// remainders, the earlier one is preferred. The sum is `total`, unless `room` is smaller.
fn shares(total: usize, sizes: &[usize], room: &[usize]) -> Vec<usize> {
    let all: usize = sizes.iter().sum();
    let quota = |group: usize| (total as u128 * sizes[group] as u128, all.max(1) as u128);
    let mut shares: Vec<usize> = (0..sizes.len())
        .map(|group| {
            let (numerator, denominator) = quota(group);
            ((numerator / denominator) as usize).min(room[group])
        })
        .collect();
    let mut by_remainder: Vec<usize> = (0..sizes.len()).collect();
    by_remainder.sort_by_key(|&group| {
        let (numerator, denominator) = quota(group);
        std::cmp::Reverse(numerator % denominator)
    });
    let mut left = total - shares.iter().sum::<usize>();
    while left > 0 {
        let before = left;
        for &group in &by_remainder {
            if left > 0 && shares[group] < room[group] {
                shares[group] += 1;
                left -= 1;
            }
        }
        if left == before {
            break;
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shares_have_the_right_total() {
        assert_eq!(shares(10, &[50, 50, 50], &[49; 3]), [4, 3, 3]);
        assert_eq!(shares(3, &[1, 1, 10], &[0, 0, 9]), [0, 0, 3]);
        assert_eq!(shares(5, &[2, 2], &[1, 1]), [1, 1]);
        assert_eq!(shares(0, &[], &[]), [0usize; 0]);
    }

    #[test]
    fn a_split_never_changes() {
        let parts = split(&(0..12).collect::<Vec<_>>(), None, 0.25, 0.25, 0);
        // Computed by an independent ChaCha8 in Python.
        assert_eq!((parts.test, parts.val), (vec![7, 9, 10], vec![4, 5, 8]));
    }

    #[test]
    fn a_split_is_written_as_three_lists() {
        let parts = Split { train: vec![0, 2], val: vec![1], test: vec![] };
        assert_eq!(serde_json::to_string(&parts).unwrap(), r#"{"train":[0,2],"val":[1],"test":[]}"#);
    }

    proptest! {
        #[test]
        fn folds_are_disjoint_complete_and_in_proportion(
            classes in prop::collection::vec(0u32..4, 7..200), count in 2usize..7, seed: u64, stratified: bool,
        ) {
            let rows: Vec<u32> = (0..classes.len() as u32).map(|i| i * 3 + 1).collect();
            let folds = deal_folds(&rows, stratified.then_some(classes.as_slice()), count, seed);
            prop_assert_eq!(folds.len(), count);
            let mut all = folds.concat();
            all.sort_unstable();
            prop_assert_eq!(&all, &rows, "each row is in exactly one fold");
            let spread = |size: &dyn Fn(&Vec<u32>) -> usize| {
                let sizes: Vec<usize> = folds.iter().map(size).collect();
                sizes.iter().max().unwrap() - sizes.iter().min().unwrap()
            };
            prop_assert!(spread(&Vec::len) <= 1);
            for class in (0..4).filter(|_| stratified) {
                let of_class = |fold: &Vec<u32>| fold.iter().filter(|row| classes[(**row / 3) as usize] == class).count();
                prop_assert!(spread(&of_class) <= 1, "class {}", class);
            }
        }

        #[test]
        fn parts_are_disjoint_complete_and_in_proportion(
            classes in prop::collection::vec(0u32..5, 1..300), val in 0.0..0.5f64, test in 0.0..0.49f64, seed: u64,
            stratified: bool,
        ) {
            let rows: Vec<u32> = (0..classes.len() as u32).map(|i| i * 3 + 1).collect();
            let parts = split(&rows, stratified.then_some(classes.as_slice()), val, test, seed);
            prop_assert_eq!(&parts, &split(&rows, stratified.then_some(classes.as_slice()), val, test, seed));
            let mut all = [parts.train.clone(), parts.val.clone(), parts.test.clone()].concat();
            all.sort_unstable();
            prop_assert_eq!(&all, &rows, "each row is in exactly one part");
            let class_of = |row: &u32| classes[(row / 3) as usize];
            for class in 0..5u32 {
                let count = |part: &[u32]| part.iter().filter(|row| class_of(row) == class).count() as f64;
                let whole = count(&rows);
                if stratified && whole > 0.0 {
                    prop_assert!(count(&parts.train) >= 1.0, "class {} is not learnt", class);
                }
                if stratified && whole >= 20.0 && classes.len() as f64 - whole >= 20.0 * 4.0 {
                    let n = rows.len() as f64;
                    // If almost no row is left for training, each class keeps one from the other parts.
                    let off = if n * (1.0 - val - test) < 10.0 { 2.0 } else { 1.0 };
                    prop_assert!((count(&parts.test) - whole / n * (n * test).round()).abs() <= off + 1e-9);
                    prop_assert!((count(&parts.val) - whole / n * (n * val).round()).abs() <= off + 1e-9);
                }
            }
            if !stratified && parts.train.len() > 1 {
                prop_assert_eq!(parts.test.len(), (rows.len() as f64 * test).round() as usize);
                prop_assert_eq!(parts.val.len(), (rows.len() as f64 * val).round() as usize);
            }
        }
    }
}
