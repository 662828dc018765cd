//! Small unusual files with their correct readings, which are in `tests/data/odd/readings.json`.

use std::collections::BTreeMap;
use std::path::Path;

use gradlane::data::{ColumnKind, Contents, DataOptions, Source, Table, describe, read};
use serde_json::Value;

/// The correct reading of a file.
#[derive(Debug, serde::Deserialize)]
struct Reading {
    /// Options in the form of a configuration file.
    #[serde(default)]
    options: String,
    /// Part of the error message, if the file is to be refused.
    error: Option<String>,
    rows: Option<usize>,
    /// Name and kind of each column.
    columns: Option<Vec<(String, String)>>,
    /// Cells of the first row; `null` for missing values.
    first: Option<Vec<Option<String>>>,
    /// The kinds of all warnings.
    #[serde(default)]
    warnings: Vec<String>,
    /// Part of a note that is printed.
    note: Option<String>,
}

fn kind(kind: &ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Number(_) => "number",
        ColumnKind::Date(_) => "date",
        ColumnKind::Text => "text",
    }
}

fn first_row(table: &Table) -> Vec<Option<String>> {
    table.columns.iter().map(|column| column.cell(0).map(|cell| cell.into_owned())).collect()
}

/// A message if a file is not read correctly.
fn fault(path: &Path, reading: &Reading) -> Option<String> {
    let mut options: DataOptions = toml::from_str(&reading.options).expect("options are right");
    options.data = Source::new(path);
    let (source, options) = (options.data.clone(), options.read_options());
    let table = match (read(&source, &options), &reading.error) {
        (Err(error), Some(part)) if error.to_string().contains(part) => return None,
        (Err(error), _) => return Some(format!("refused: {error}")),
        (Ok(_), Some(part)) => return Some(format!("read, and should be refused: {part}")),
        (Ok(Contents::Images(_)), _) => return Some("taken for images".to_owned()),
        (Ok(Contents::Table(table)), None) => table,
    };
    let described = describe(&source, &options).expect("what is read can be described");
    let columns: Vec<(String, String)> =
        table.names.iter().zip(&table.kinds).map(|(name, k)| (name.clone(), kind(k).to_owned())).collect();
    let warnings: Vec<Value> = described.warnings.iter().map(|w| serde_json::json!(w)["kind"].clone()).collect();
    let checks = [
        (reading.rows == Some(table.rows()), format!("{} rows", table.rows())),
        (reading.columns.as_ref() == Some(&columns), format!("columns {columns:?}")),
        (
            reading.first.as_ref().is_none_or(|first| *first == first_row(&table)),
            format!("first {:?}", first_row(&table)),
        ),
        (warnings == reading.warnings, format!("warnings {:?}", described.warnings)),
        (
            reading.note.as_ref().is_none_or(|part| described.notes.iter().any(|note| note.contains(part))),
            format!("notes {:?}", described.notes),
        ),
    ];
    let wrong: Vec<String> = checks.into_iter().filter(|(right, _)| !right).map(|(_, found)| found).collect();
    (!wrong.is_empty()).then(|| wrong.join("; "))
}

#[test]
fn odd_files_are_read_correctly() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/odd");
    let text = std::fs::read_to_string(folder.join("readings.json")).unwrap();
    let readings: BTreeMap<String, Reading> = serde_json::from_str(&text).unwrap();
    assert!(readings.len() >= 60, "{} files", readings.len());
    let wrong: Vec<String> = readings
        .iter()
        .filter_map(|(name, reading)| Some(format!("{name}: {}", fault(&folder.join(name), reading)?)))
        .collect();
    assert!(wrong.is_empty(), "{} of {} files:\n{}", wrong.len(), readings.len(), wrong.join("\n"));
    let files = std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(files, readings.len() + 1, "every file has a reading");
}
