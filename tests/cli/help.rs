use std::path::Path;

use crate::place::{Place, code, error, out};

/// Compares with `tests/golden/NAME`; `UPDATE_GOLDEN=1` writes it instead.
fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    assert_eq!(text, expected, "{name} differs: UPDATE_GOLDEN=1 cargo test writes it anew");
}

#[test]
fn every_verb_explains_itself() {
    let place = Place::new();
    golden("help.txt", &place.ok(&["--help"]));
    for verb in ["train", "predict", "evaluate", "inspect", "lr-find", "tune", "compare", "bench", "completions", "man"]
    {
        let text = place.ok(&[verb, "--help"]);
        assert_eq!(place.ok(&[verb, "-h"]), text, "{verb}: the short help is the help");
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{verb}: a line is wider than the terminal");
        golden(&format!("help_{verb}.txt"), &text);
    }
}

#[test]
fn alone_it_shows_the_help() {
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
fn slips_of_the_pen_are_answered_with_the_nearest_name() {
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
    for verb in ["train", "predict", "evaluate", "inspect", "lr-find", "tune", "compare", "bench", "completions", "man"]
    {
        let page = place.ok(&["man", verb]);
        assert!(page.contains(&format!("gradlane\\-{}", verb.replace('-', "\\-"))), "{page}");
    }
    assert!(place.ok(&["man", "train"]).contains("clip\\-norm"));
}
