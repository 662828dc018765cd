use std::path::Path;

use crate::place::{Place, code, error, out};

/// Every verb.
const VERBS: [&str; 15] = [
    "config",
    "train",
    "resume",
    "verify",
    "predict",
    "evaluate",
    "inspect",
    "export",
    "data",
    "lr-find",
    "tune",
    "compare",
    "bench",
    "completions",
    "man",
];
/// The verbs of `data`.
const OF_DATA: [&str; 5] = ["convert", "pack", "split", "stats", "synth"];

/// Compares a text with `tests/golden/NAME`; `UPDATE_GOLDEN=1` writes the file instead.
fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    assert_eq!(text, expected, "{name} differs: UPDATE_GOLDEN=1 cargo test writes it anew");
}

#[test]
fn the_help_of_every_verb_is_the_golden_one() {
    let place = Place::new();
    golden("help.txt", &place.ok(&["--help"]));
    for verb in VERBS {
        let text = place.ok(&[verb, "--help"]);
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{verb}: a line is wider than the terminal");
        golden(&format!("help_{verb}.txt"), &text);
    }
    for verb in OF_DATA {
        golden(&format!("help_data_{verb}.txt"), &place.ok(&["data", verb, "--help"]));
    }
}

#[test]
fn the_short_help_is_a_part_of_the_help_on_one_screen() {
    let place = Place::new();
    for verb in VERBS {
        let (short, long) = (place.ok(&[verb, "-h"]), place.ok(&[verb, "--help"]));
        assert!(short.lines().count() <= 56, "{verb}: {} lines", short.lines().count());
        let flags = |text: &str| -> Vec<String> {
            let words = text.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 2);
            words.map(|word| word.trim_end_matches([',', '.', ';']).to_owned()).collect()
        };
        let all = flags(&long);
        assert!(flags(&short).iter().all(|flag| all.contains(flag)), "{verb}");
        assert_eq!(short.contains("more options"), short.lines().count() < long.lines().count(), "{verb}: {short}");
    }
    let short = place.ok(&["train", "-h"]);
    assert!(short.contains("--label") && short.contains("--epochs") && !short.contains("--tol-grad"), "{short}");
    assert_eq!(place.ok(&["train", "x.csv", "-qh"]), short, "behind other short flags too");
    // `-h` as a value does not ask for help, and options that the short help leaves out are accepted.
    let message = place.fails(5, &["train", "x.csv", "--label", "-h", "--tol-grad", "1"]);
    assert!(message.contains("x.csv"), "{message}");
}

#[test]
fn completions_know_the_values_of_options() {
    let place = Place::new();
    let bash = place.ok(&["completions", "bash"]);
    for words in ["multiclass multilabel", "nesterov", "cosine", "he_normal", "focal", "comma semicolon tab"] {
        assert!(bash.contains(words), "{words}");
    }
    let zsh = place.ok(&["completions", "zsh"]);
    assert!(zsh.contains("(stratified random)"));
    // Values that are not offered are accepted too.
    place.shipped("iris.csv");
    place.ok(&["train", "iris.csv", "--optimizer", "adam:beta2=0.95", "--epochs", "2", "--dry-run"]);
}

#[test]
fn without_arguments_the_help_is_shown() {
    let output = Place::new().run(&[]);
    assert_eq!(code(&output), 2);
    assert!(error(&output).contains("Commands:") && out(&output).is_empty());
}

#[test]
fn the_version_names_the_kernels() {
    let text = Place::new().ok(&["--version"]);
    assert!(text.starts_with(concat!("gradlane ", env!("CARGO_PKG_VERSION"), " (")), "{text}");
    assert!(["avx512", "avx2", "portable"].iter().any(|isa| text.contains(isa)), "{text}");
}

#[test]
fn typing_errors_are_answered_with_the_nearest_name() {
    let place = Place::new();
    let message = place.fails(2, &["trian", "x.csv"]);
    assert!(message.contains("'train'"), "{message}");
    let message = place.fails(2, &["train", "x.csv", "--epoch", "3"]);
    assert!(message.contains("'--epochs'"), "{message}");
    let message = place.fails(2, &["completions", "tcsh"]);
    assert!(message.contains("bash") && message.contains("fish"), "{message}");
    let message = place.fails(2, &["man", "nope"]);
    assert!(message.contains("predict"), "{message}");
}

#[test]
fn completions_and_pages_know_every_verb() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = place.ok(&["completions", shell]);
        for word in ["predict", "inspect", "clip-norm"] {
            assert!(script.contains(word), "{shell}: no {word}");
        }
    }
    let page = place.ok(&["man"]);
    assert!(page.contains(".TH gradlane 1") && page.contains("evaluate"), "{page}");
    for verb in VERBS {
        let page = place.ok(&["man", verb]);
        assert!(page.contains(&format!("gradlane\\-{}", verb.replace('-', "\\-"))), "{page}");
    }
    assert!(place.ok(&["man", "train"]).contains("clip\\-norm"));
}
