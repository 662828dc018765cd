//! Coverage-guided fuzzing of one reader, which the environment variable `READER` names; `.ci/fuzz` runs it.
//!
//! A panic that reaches the caller, or memory use above [`MOST`], ends the program, and libFuzzer keeps the input. libFuzzer
//! itself limits the time.

#![no_main]

#[path = "../../support/counted.rs"]
mod counted;
#[path = "../../support/readers.rs"]
mod readers;

use std::backtrace::Backtrace;
use std::panic::{set_hook, take_hook};
use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use libfuzzer_sys::fuzz_target;
use readers::{READERS, Reader};

/// Upper limit of the memory of a reader in bytes, for inputs of at most about 100 kB.
const MOST: usize = 512 << 20;

/// Aborts the program with a backtrace if too much memory is allocated.
const TOO_MUCH: fn(usize) = |bytes| {
    static ONCE: AtomicBool = AtomicBool::new(false);
    if bytes > MOST && !ONCE.swap(true, Relaxed) {
        eprintln!("{} MB were taken at once\n{}", bytes >> 20, Backtrace::force_capture());
        std::process::abort();
    }
};

#[global_allocator]
static ALLOCATOR: counted::Counted = counted::Counted;

static READER: LazyLock<&Reader> = LazyLock::new(|| {
    let name = std::env::var("READER").unwrap_or_default();
    READERS.iter().find(|reader| reader.name == name).unwrap_or_else(|| {
        let names: Vec<&str> = READERS.iter().map(|reader| reader.name).collect();
        eprintln!("READER: expected one of {}, found \"{name}\"", names.join(", "));
        std::process::exit(2)
    })
});

/// A folder for this process, under `TMPDIR`.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for temporary files");
    folder
});

fuzz_target!(
    init: {
        // libFuzzer's hook aborts on every panic, but the program catches panics of the parquet crate. So the hook is
        // removed, and only panics that reach the caller count.
        drop(take_hook());
        set_hook(Box::new(|panic| eprintln!("{panic}\n{}", Backtrace::force_capture())));
    },
    |bytes: &[u8]| READER.read(&FOLDER, bytes)
);
