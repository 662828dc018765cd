//! The first difference between a run and its repetition.

use std::fmt;

use serde::Serialize;
use serde_json::{Value, json};

use crate::model::Parameters;

/// A value that differs between a run and its repetition.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// The place: `epoch 3`, `tensor layers.0.weight`, `summary.json`.
    pub place: String,
    /// The name of the value.
    pub what: String,
    /// What the run recorded.
    pub recorded: Value,
    /// What its repetition gave, or what is there now.
    pub found: Value,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} was {}, is {}", self.place, self.what, self.recorded, self.found)
    }
}

/// Fields that depend on the clock, the threads or the program rather than on the run; and the notes on reading the table, whose
/// decisions a repetition finds in its configuration.
const FREE: [&str; 4] = ["seconds", "samples_per_s", "version", "reading"];

/// The first field in which two JSON values differ, as its keys joined by dots.
pub(super) fn first_of_values(place: &str, recorded: &Value, found: &Value) -> Option<Difference> {
    let (path, recorded, found) = unequal(recorded, found)?;
    let what = if path.is_empty() { "content".to_owned() } else { path };
    Some(Difference { place: place.to_owned(), what, recorded, found })
}

fn unequal(recorded: &Value, found: &Value) -> Option<(String, Value, Value)> {
    let within = |key: &str, a: &Value, b: &Value| {
        let (path, a, b) = unequal(a, b)?;
        let path = if path.is_empty() { key.to_owned() } else { format!("{key}.{path}") };
        Some((path, a, b))
    };
    match (recorded, found) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            let mut keys = keys.filter(|key| !FREE.contains(&key.as_str()));
            let of = |all: &serde_json::Map<String, Value>, key: &str| all.get(key).cloned().unwrap_or(Value::Null);
            keys.find_map(|key| within(key, &of(a, key), &of(b, key)))
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().find_map(|(at, (a, b))| within(&at.to_string(), a, b))
        }
        (Value::Array(a), Value::Array(b)) => Some(("length".to_owned(), a.len().into(), b.len().into())),
        _ => (recorded != found).then(|| (String::new(), recorded.clone(), found.clone())),
    }
}

/// The first tensor, in the order of the layers, in which two sets of weights of one form differ, with the first value that
/// differs.
pub(super) fn first_of_weights(prefix: &str, recorded: &Parameters, found: &Parameters) -> Option<Difference> {
    recorded.names().iter().zip(found.names()).find_map(|(was, is)| {
        let place = format!("tensor {prefix}{}", was.name);
        if (&was.name, &was.shape) != (&is.name, &is.shape) {
            let (recorded, found) = (json!([was.name, was.shape]), json!([is.name, is.shape]));
            return Some(Difference { place, what: "name and shape".to_owned(), recorded, found });
        }
        let (a, b) = (recorded.values(was), found.values(&is));
        let mut unequal = (0..a.len()).filter(|at| a[*at].to_bits() != b[*at].to_bits());
        let at = unequal.next()?;
        let count = 1 + unequal.count();
        let what = format!("value {at}, the first of {count} of {} that differ,", a.len());
        Some(Difference { place, what, recorded: a[at].into(), found: b[at].into() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_part_that_differs_is_named_by_its_keys() {
        let was = json!({"seconds": 1, "a": {"b": [1, {"c": 2.5}]}, "d": null});
        assert_eq!(first_of_values("here", &was, &json!({"seconds": 2, "a": {"b": [1, {"c": 2.5}]}})), None);
        let is = json!({"a": {"b": [1, {"c": 2.25}]}, "d": null});
        let difference = first_of_values("here", &was, &is).unwrap();
        assert_eq!(difference.to_string(), "here: a.b.1.c was 2.5, is 2.25");
        let longer = first_of_values("here", &was, &json!({"a": {"b": [1]}})).unwrap();
        assert_eq!(longer.to_string(), "here: a.b.length was 2, is 1");
        let more = first_of_values("here", &json!({}), &json!({"e": 1})).unwrap();
        assert_eq!(more.to_string(), "here: e was null, is 1");
    }
}
