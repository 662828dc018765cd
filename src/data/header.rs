//! Names of columns, from a file or generated.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use csv::ByteRecord;

use crate::option_text::setting;
use crate::{Error, Warning, WarningKind};

/// Byte order mark.
pub(super) const BOM: &[u8] = b"\xef\xbb\xbf";
pub(super) fn text_of(cell: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(cell.trim_ascii())
}

/// The error for a first line that may be a header or data.
pub(super) fn ambiguous(path: &Path, line: u64, sample: &[ByteRecord]) -> Error {
    let shown = |record: &ByteRecord| record.iter().take(6).map(text_of).collect::<Vec<_>>().join(", ");
    let message = format!(
        "the first line may name the columns or be data: \"{}\" above \"{}\"; {} or {} says which",
        sample.first().map_or(String::new(), shown),
        sample.get(1).map_or(String::new(), shown),
        setting("header", "yes"),
        setting("header", "no")
    );
    Error::data_at(path, Some(line), None, message)
}

/// Generated names: c0, c1, …
pub(super) fn generated(count: usize) -> Vec<String> {
    (0..count).map(|index| format!("c{index}")).collect()
}

/// The names of columns from a header. An empty name becomes c and its position. Of equal names, the later ones get a
/// number, as in `a.1`, with a warning.
pub(super) fn names(path: &Path, record: &ByteRecord, warnings: &mut Vec<Warning>) -> Vec<String> {
    let given = record.iter().map(|cell| text_of(cell).trim().to_owned()).collect();
    distinct(path, given, &format!("{} if the first line is data", setting("header", "no")), warnings)
}

/// Makes names distinct, as described in [`names`]. `hint` is the advice at the end of the warning.
pub(super) fn distinct(path: &Path, given: Vec<String>, hint: &str, warnings: &mut Vec<Warning>) -> Vec<String> {
    let mut taken: HashSet<String> = given.iter().filter(|name| !name.is_empty()).cloned().collect();
    let mut seen: HashSet<String> = HashSet::new();
    let mut renamed: Vec<String> = Vec::new();
    // For each repeated name, the next number to try.
    let mut next: HashMap<String, usize> = HashMap::new();
    let mut names = Vec::with_capacity(given.len());
    for (index, name) in given.into_iter().enumerate() {
        let (stem, between) = if name.is_empty() { (format!("c{index}"), "_") } else { (name.clone(), ".") };
        let free = !name.is_empty() && !seen.contains(&name) || name.is_empty() && !taken.contains(&stem);
        let unique = if free {
            stem
        } else {
            let from = next.get(&stem).copied().unwrap_or(1);
            let numbered = (from..).map(|n| (n, format!("{stem}{between}{n}")));
            let (n, unique) =
                numbered.into_iter().find(|(_, name)| !taken.contains(name)).expect("some number is free");
            next.insert(stem, n + 1);
            renamed.push(format!("\"{name}\" (column {index}) is {unique}"));
            unique
        };
        taken.insert(unique.clone());
        seen.insert(unique.clone());
        names.push(unique);
    }
    if !renamed.is_empty() {
        let (path, list) = (path.display(), super::cell::shortened(&renamed));
        let message = format!("{path}: column names occur twice: {list}; {hint}");
        warnings.push(Warning::new(WarningKind::RepeatedName, message).count(renamed.len()));
    }
    names
}
