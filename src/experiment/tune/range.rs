//! Ranges of search parameters.

use toml::Value;

use crate::experiment::quasi_random::log_uniform;
use crate::spec::unknown;

/// The values that a parameter may take.
#[derive(Debug, Clone, PartialEq)]
pub enum SearchRange {
    /// One of these values, with equal probability: `[16, 32, 64]`.
    Choices(Vec<Value>),
    /// A uniformly distributed number: `{ linear = [0, 0.5] }`.
    Linear(f64, f64),
    /// A log-uniformly distributed number: `{ log = [1e-4, 1e-1] }`.
    Log(f64, f64),
    /// An integer, both ends included: `{ int = [1, 4] }`.
    Int(i64, i64),
    /// A log-uniformly distributed integer, both ends included: `{ log_int = [16, 512] }`.
    LogInt(i64, i64),
}

/// Rounds to three significant digits, so that the tried value equals the written one.
pub(super) fn three_digits(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

impl SearchRange {
    /// Reads a range. An error is a sentence that says what is wrong.
    pub(super) fn parse(value: &Value) -> std::result::Result<SearchRange, String> {
        match value {
            Value::Array(choices) if !choices.is_empty() => Ok(SearchRange::Choices(choices.clone())),
            Value::Table(table) if table.len() == 1 => {
                let (kind, ends) = table.iter().next().expect("it has one entry");
                SearchRange::between(kind, ends)
            }
            _ => Err("expected choices such as [16, 32], or a range such as { log = [1e-4, 0.1] }".to_owned()),
        }
    }

    fn between(kind: &str, ends: &Value) -> std::result::Result<SearchRange, String> {
        let ends: &[Value] = ends.as_array().map_or(&[], Vec::as_slice);
        let number =
            |value: &Value| value.as_float().or(value.as_integer().map(|n| n as f64)).filter(|x| x.is_finite());
        let numbers: Option<Vec<f64>> = ends.iter().map(number).collect();
        let integers: Option<Vec<i64>> = ends.iter().map(Value::as_integer).collect();
        match (kind, numbers.as_deref(), integers.as_deref()) {
            ("linear", Some(&[low, high]), _) if low < high => Ok(SearchRange::Linear(low, high)),
            ("log", Some(&[low, high]), _) if 0.0 < low && low < high => Ok(SearchRange::Log(low, high)),
            ("int", _, Some(&[low, high])) if low < high => Ok(SearchRange::Int(low, high)),
            ("log_int", _, Some(&[low, high])) if 0 < low && low < high => Ok(SearchRange::LogInt(low, high)),
            ("linear", ..) => Err("linear: expected two numbers [LOW, HIGH]".to_owned()),
            ("log", ..) => Err("log: expected two numbers above 0, [LOW, HIGH]".to_owned()),
            ("int", ..) => Err("int: expected two whole numbers [LOW, HIGH]".to_owned()),
            ("log_int", ..) => Err("log_int: expected two whole numbers above 0, [LOW, HIGH]".to_owned()),
            _ => Err(unknown("range", kind, &["linear", "log", "int", "log_int"]).to_string()),
        }
    }

    /// The value at `u` in `[0, 1)`.
    pub(super) fn at(&self, u: f64) -> Value {
        let whole = |x: f64, low: i64, high: i64| Value::Integer((x.floor() as i64).clamp(low, high));
        match self {
            SearchRange::Choices(choices) => {
                choices[((u * choices.len() as f64) as usize).min(choices.len() - 1)].clone()
            }
            SearchRange::Linear(low, high) => Value::Float(three_digits(low + u * (high - low))),
            SearchRange::Log(low, high) => Value::Float(three_digits(log_uniform(u, *low, *high))),
            SearchRange::Int(low, high) => whole(*low as f64 + u * (high - low + 1) as f64, *low, *high),
            SearchRange::LogInt(low, high) => whole(log_uniform(u, *low as f64, *high as f64 + 1.0), *low, *high),
        }
    }

    /// The largest integer of the range; `None` if it has no integers.
    pub(super) fn highest(&self) -> Option<i64> {
        match self {
            SearchRange::Choices(choices) => choices.iter().filter_map(Value::as_integer).max(),
            SearchRange::Int(_, high) | SearchRange::LogInt(_, high) => Some(*high),
            SearchRange::Linear(..) | SearchRange::Log(..) => None,
        }
    }

    /// The range as written in a file.
    pub(super) fn to_value(&self) -> Value {
        let between = |kind: &str, ends: [Value; 2]| {
            Value::Table([(kind.to_owned(), Value::Array(ends.to_vec()))].into_iter().collect())
        };
        match self {
            SearchRange::Choices(choices) => Value::Array(choices.clone()),
            SearchRange::Linear(low, high) => between("linear", [low, high].map(|x| Value::Float(*x))),
            SearchRange::Log(low, high) => between("log", [low, high].map(|x| Value::Float(*x))),
            SearchRange::Int(low, high) => between("int", [low, high].map(|n| Value::Integer(*n))),
            SearchRange::LogInt(low, high) => between("log_int", [low, high].map(|n| Value::Integer(*n))),
        }
    }
}
