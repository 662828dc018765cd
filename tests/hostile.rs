//! Inputs that once made a reader panic, hang or use too much memory, found by `.ci/fuzz` or written for this purpose. Each
//! file of `tests/data/hostile` is named after its reader: `csv-…`, `model-…`.

#[path = "support/counted.rs"]
mod counted;
#[path = "support/readers.rs"]
mod readers;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use readers::READERS;

/// Upper limit of the memory of a reader, in bytes.
const MOST: usize = 512 << 20;

const TOO_MUCH: fn(usize) = |_| {};

#[global_allocator]
static ALLOCATOR: counted::Counted = counted::Counted;

#[test]
fn hostile_files_are_read_or_refused_in_little_memory() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hostile");
    let mut names: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    let (mut wrong, trial) = (Vec::new(), tempfile::tempdir().unwrap());
    for name in names.iter().map(|name| name.to_str().unwrap()) {
        let of = name.split('-').next().unwrap_or_default();
        let reader = READERS.iter().find(|reader| reader.name == of).unwrap_or_else(|| panic!("{name}: no reader"));
        let bytes = std::fs::read(folder.join(name)).unwrap();
        let own = trial.path().join(name);
        std::fs::create_dir(&own).unwrap();
        counted::most_bytes();
        if catch_unwind(AssertUnwindSafe(|| reader.read(&own, &bytes))).is_err() {
            wrong.push(format!("{name}: panicked"));
        }
        let most = counted::most_bytes();
        if most > MOST {
            wrong.push(format!("{name}: took {} MB", most >> 20));
        }
    }
    assert!(names.len() > 1 && wrong.is_empty(), "{}", wrong.join("\n"));
}
