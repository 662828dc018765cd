//! Reads the reference results of the `fixture` tests.

#![allow(dead_code, reason = "each test binary uses a part of it")]

pub mod network;
pub mod step;
pub mod trajectory;

use std::path::PathBuf;

use serde_json::Value;

/// The file `name` in the folder of the fixtures: `GRADLANE_FIXTURES`, or `tests/fixtures` of this crate.
pub fn fixture(name: &str) -> Value {
    let folder = std::env::var_os("GRADLANE_FIXTURES")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures"), PathBuf::from);
    let path = folder.join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let value: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    assert_eq!(value["format"], "gradlane-fixtures/1", "{}", path.display());
    value
}

/// The entries of a list; panics if it is missing or empty.
pub fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    let list = value[key].as_array().unwrap_or_else(|| panic!("no list {key:?} in {value:.200}"));
    assert!(!list.is_empty(), "{key:?} is empty");
    list
}

/// A number. NaN and the infinities are written as strings.
pub fn number(value: &Value) -> f64 {
    match value {
        Value::Number(n) => n.as_f64().expect("a finite number"),
        Value::String(s) if s == "NaN" => f64::NAN,
        Value::String(s) if s == "Infinity" => f64::INFINITY,
        Value::String(s) if s == "-Infinity" => f64::NEG_INFINITY,
        other => panic!("expected a number, found {other}"),
    }
}

/// A flat list of numbers.
pub fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap_or_else(|| panic!("expected a list, found {value}")).iter().map(number).collect()
}

/// A flat list of numbers; `None` if it is null or missing.
pub fn optional_numbers(value: &Value) -> Option<Vec<f64>> {
    (!value.is_null()).then(|| numbers(value))
}

/// A flat list of counts or row numbers.
pub fn indices(value: &Value) -> Vec<usize> {
    let list = value.as_array().unwrap_or_else(|| panic!("expected a list, found {value}"));
    list.iter().map(|v| v.as_u64().unwrap_or_else(|| panic!("expected an index, found {v}")) as usize).collect()
}

/// A count.
pub fn count(value: &Value) -> usize {
    value.as_u64().unwrap_or_else(|| panic!("expected a count, found {value}")) as usize
}

/// A text.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("expected a text, found {value}"))
}

/// Whether `got` equals `want` up to `relative · |want| + absolute`. Equal infinities agree, and so do two NaNs.
pub fn close(got: f64, want: f64, relative: f64, absolute: f64) -> bool {
    got == want || (got.is_nan() && want.is_nan()) || (got - want).abs() <= relative * want.abs() + absolute
}

/// Fails with `what` and the position unless the lists agree to `1e-10` relative or `1e-13` absolute.
pub fn assert_all_close(got: &[f64], want: &[f64], what: &str) {
    assert_eq!(got.len(), want.len(), "{what}: lengths");
    for (i, (&g, &w)) in got.iter().zip(want).enumerate() {
        assert!(close(g, w, 1e-10, 1e-13), "{what}[{i}]: got {g:e}, expected {w:e}");
    }
}
