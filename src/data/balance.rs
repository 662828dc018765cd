//! Imbalanced classes: class weights, and resampling of the training part.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::cell::{nearest, parse_number};
use super::choice::choices;
use super::order::{below, shuffle};
use crate::rng::{Purpose, stream};
use crate::{Error, Result};

choices! {
    /// Resampling of the training part.
    Balance {
        /// The rows are unchanged.
        None = "none",
        /// Oversampling: rows of smaller classes are repeated up to the size of the largest class.
        Over = "over",
        /// Undersampling: rows of larger classes are dropped down to the size of the smallest class.
        Under = "under",
        /// SMOTE, for tables: smaller classes grow to the size of the largest by rows interpolated between their rows.
        Smote = "smote",
    }
}

/// Weights of classes: `balanced`, or `A=2,B=1` (a class that is not named has weight 1; a class may hold commas).
#[derive(Debug, Clone, PartialEq)]
pub enum ClassWeight {
    /// `n / (classes · n_class)`, counted on the training part; 1 for a class without rows: G. King, L. Zeng 2001, as
    /// in scikit-learn.
    Balanced,
    /// The weight of each named class.
    Named(Vec<(String, f64)>),
}

impl FromStr for ClassWeight {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        if text == "balanced" {
            return Ok(Self::Balanced);
        }
        let wrong = |item: &str| {
            let message = format!("expected balanced, or CLASS=WEIGHT,… with weights of at least 0, found \"{item}\"");
            Error::Usage(message)
        };
        let pair = |item: &str| {
            let (class, weight) = item.rsplit_once('=')?;
            let weight: f64 = weight.trim().parse().ok()?;
            (weight.is_finite() && weight >= 0.0).then(|| (class.trim().to_owned(), weight))
        };
        let mut named: Vec<(String, f64)> = Vec::new();
        let mut begun = String::new(); // a class with commas, up to here
        for item in text.split(',') {
            let item = if begun.is_empty() { item.to_owned() } else { format!("{begun},{item}") };
            match pair(&item) {
                Some(of_class) => named.push(of_class),
                None if item.is_empty() || item.contains('=') => return Err(wrong(&item)),
                None => {
                    begun = item;
                    continue;
                }
            }
            begun.clear();
        }
        if !begun.is_empty() {
            return Err(wrong(&begun));
        }
        let earlier = |place: usize| named[..place].iter().any(|(class, _)| *class == named[place].0);
        match (0..named.len()).find(|place| earlier(*place)) {
            Some(place) => Err(Error::Usage(format!("class \"{}\" is given twice", named[place].0))),
            None => Ok(Self::Named(named)),
        }
    }
}

impl fmt::Display for ClassWeight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Balanced => f.write_str("balanced"),
            Self::Named(named) => {
                let items: Vec<String> = named.iter().map(|(class, weight)| format!("{class}={weight}")).collect();
                f.write_str(&items.join(","))
            }
        }
    }
}

impl Serialize for ClassWeight {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ClassWeight {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl ClassWeight {
    /// The weight of each class. `labels` are the classes of the training rows.
    ///
    /// # Errors
    /// [`Error::Option`] for a class that the data do not have.
    pub fn weights(&self, names: &[String], numeric: bool, labels: &[u32]) -> Result<Vec<f64>> {
        match self {
            Self::Balanced => {
                let counts = counts(labels, names.len());
                let share = |count: usize| labels.len() as f64 / (names.len() * count) as f64;
                Ok(counts.into_iter().map(|count| if count == 0 { 1.0 } else { share(count) }).collect())
            }
            Self::Named(named) => {
                let mut weights = vec![1.0; names.len()];
                for (class, weight) in named {
                    weights[class_index("class_weight", class, names, numeric)?] = *weight;
                }
                Ok(weights)
            }
        }
    }
}

/// Index of a class that is named in `option`. If classes are numbers, `1.0` names class `1`.
pub(super) fn class_index(option: &'static str, class: &str, names: &[String], numeric: bool) -> Result<usize> {
    let value = parse_number(class).filter(|_| numeric);
    let same = |name: &String| name == class || (value.is_some() && parse_number(name) == value);
    names.iter().position(same).ok_or_else(|| {
        let hint = nearest(class, names).map_or(String::new(), |name| format!("; did you mean \"{name}\"?"));
        let classes = super::cell::shortened(names);
        Error::Mismatch(format!("there is no class \"{class}\" among {classes}{hint}")).of(option)
    })
}

fn counts(labels: &[u32], classes: usize) -> Vec<usize> {
    let mut counts = vec![0; classes];
    labels.iter().for_each(|&label| counts[label as usize] += 1);
    counts
}

/// The training rows after resampling, in ascending order. `labels` are the classes of `rows`.
///
/// - `over`: all rows, and for each class that occurs, rows drawn with replacement until it is as large as the largest
/// - `under`: a random choice of rows of each class, as many as the smallest class that occurs has
///
/// The draws depend on `seed` and the rows of each class. `none` and `smote` return the rows as they are.
pub fn resample(rows: &[u32], labels: &[u32], classes: usize, balance: Balance, seed: u64) -> Vec<u32> {
    let mut groups = vec![Vec::new(); classes];
    rows.iter().zip(labels).for_each(|(&row, &label)| groups[label as usize].push(row));
    let sizes = || groups.iter().map(Vec::len).filter(|&size| size > 0);
    let (largest, smallest) = (sizes().max().unwrap_or(0), sizes().min().unwrap_or(0));
    let mut sampled = Vec::new();
    for (class, mut group) in groups.into_iter().enumerate().filter(|(_, group)| !group.is_empty()) {
        let mut rng = stream(seed, Purpose::Balance, class as u64, 0);
        match balance {
            Balance::None | Balance::Smote => {}
            Balance::Over => {
                let originals = group.len();
                for _ in originals..largest {
                    group.push(group[below(&mut rng, originals as u32) as usize]);
                }
            }
            Balance::Under => {
                shuffle(&mut group, &mut rng);
                group.truncate(smallest);
            }
        }
        sampled.extend(group);
    }
    sampled.sort_unstable();
    sampled
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn class_weights_are_written_as_they_are_read() {
        for text in ["balanced", "A=2,B=1", "x=y=0.5", "a, b=2,c,d,e=3"] {
            assert_eq!(text.parse::<ClassWeight>().unwrap().to_string(), text);
        }
        for text in ["", "A", "A=-1", "A=nan", "A=2,,B=1", "A=2,B", "A,B=x,C=1"] {
            let error = text.parse::<ClassWeight>().unwrap_err().to_string();
            assert!(error.contains("expected balanced, or CLASS=WEIGHT"), "{error}");
        }
        let error = "A=2,B=1,A=3".parse::<ClassWeight>().unwrap_err().to_string();
        assert!(error.contains("class \"A\" is given twice"), "{error}");
    }

    #[test]
    fn balanced_weights_make_classes_equal() {
        let names = ["a".to_owned(), "b".to_owned()];
        let weights = ClassWeight::Balanced.weights(&names, false, &[0, 0, 0, 1]).unwrap();
        assert_eq!(weights, [4.0 / 6.0, 2.0]);
        let error = "c=2".parse::<ClassWeight>().unwrap().weights(&names, false, &[]).unwrap_err();
        assert!(error.to_string().contains("there is no class \"c\" among a, b"), "{error}");
        let numbers = ["0".to_owned(), "1".to_owned()];
        assert_eq!("1.0=3".parse::<ClassWeight>().unwrap().weights(&numbers, true, &[]).unwrap(), [1.0, 3.0]);
    }

    proptest! {
        #[test]
        fn resampling_makes_classes_equal(labels in prop::collection::vec(0u32..4, 1..100), seed: u64) {
            let rows: Vec<u32> = (0..labels.len() as u32).map(|i| 2 * i).collect();
            let class_of = |row: u32| labels[(row / 2) as usize];
            let count = |rows: &[u32], class| rows.iter().filter(|&&row| class_of(row) == class).count();
            let present: Vec<u32> = (0..4).filter(|&class| count(&rows, class) > 0).collect();
            let over = resample(&rows, &labels, 4, Balance::Over, seed);
            let under = resample(&rows, &labels, 4, Balance::Under, seed);
            let largest = present.iter().map(|&class| count(&rows, class)).max().unwrap();
            let smallest = present.iter().map(|&class| count(&rows, class)).min().unwrap();
            for &class in &present {
                prop_assert_eq!(count(&over, class), largest);
                prop_assert_eq!(count(&under, class), smallest);
            }
            prop_assert!(rows.iter().all(|row| over.contains(row)), "over-sampling loses no row");
            prop_assert!(under.windows(2).all(|pair| pair[0] < pair[1]), "under-sampling repeats no row");
            prop_assert_eq!(resample(&rows, &labels, 4, Balance::None, seed), rows.clone());
            prop_assert_eq!(over, resample(&rows, &labels, 4, Balance::Over, seed));
        }
    }
}
