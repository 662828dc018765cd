//! Models written by older versions, in `tests/data/models`: they can be read and give the same predictions.

use std::path::{Path, PathBuf};

use crate::place::Place;

/// The folders of all cases of all versions, which `make.py` wrote.
fn cases() -> Vec<PathBuf> {
    let folders = |path: &Path| {
        let entries = std::fs::read_dir(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(|p| p.is_dir()).collect();
        folders.sort();
        folders
    };
    let versions = folders(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/models"));
    versions.iter().flat_map(|version| folders(version)).collect()
}

/// Whether two cells agree: equal text, or numbers that differ by at most two units in the last place of a 32-bit float.
/// Version 0.1 computed probabilities and units from the network's outputs in 32 bits, later versions in 64; the network's
/// outputs have the same bits.
fn same(now: &str, then: &str) -> bool {
    let close = |a: f64, b: f64| (a - b).abs() <= 2.0 * f64::from(f32::EPSILON) * b.abs().max(1.0);
    let fraction = |cell: &str| cell.contains('.').then(|| cell.parse::<f64>().ok()).flatten();
    now == then || fraction(now).zip(fraction(then)).is_some_and(|(now, then)| close(now, then))
}

#[test]
fn models_of_older_versions_predict_the_same() {
    if !gradlane::kernel::Isa::available().iter().any(|isa| isa.name() == "avx2") {
        return; // the predictions were made with fused multiply-adds
    }
    let (place, cases) = (Place::new(), cases());
    assert!(cases.len() >= 10, "found {cases:?}");
    for case in cases {
        let file = |name: &str| case.join(name).to_string_lossy().into_owned();
        let data = if case.join("data").is_dir() { file("data") } else { file("data.csv") };
        let now = place.ok(&["predict", &file("model.safetensors"), &data, "--proba", "--isa", "avx2"]);
        let then = std::fs::read_to_string(case.join("predictions.csv")).unwrap();
        assert_eq!(now.lines().next(), then.lines().next(), "{}", case.display());
        assert_eq!(now.lines().count(), then.lines().count(), "{}", case.display());
        for (line, (now, then)) in now.lines().zip(then.lines()).enumerate() {
            assert_eq!(now.split(',').count(), then.split(',').count(), "{}, line {line}", case.display());
            let pairs: Vec<(&str, &str)> = now.split(',').zip(then.split(',')).collect();
            assert!(pairs.iter().all(|(a, b)| same(a, b)), "{}, line {line}: {now} for {then}", case.display());
        }
    }
}
