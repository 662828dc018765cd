//! Runs the commands of the documents in order in an empty folder, and compares what they print with the documents.
//!
//! In a document a line `…` stands for any number of lines. Times, speeds, dates and numbers of threads may differ.
#![cfg(unix)]

use std::path::Path;
use std::process::Command;

use assert_cmd::cargo::cargo_bin;
use gradlane::kernel::Isa;

/// A command in a document and the output shown below it.
struct Shown {
    line: usize,
    command: String,
    output: Vec<String>,
}

/// The commands in the `console` blocks of a document.
fn commands(text: &str) -> Vec<Shown> {
    let mut shown: Vec<Shown> = Vec::new();
    let mut inside = false;
    for (at, line) in text.lines().enumerate() {
        match line.strip_prefix("$ ") {
            _ if line.starts_with("```") => inside = line == "```console",
            _ if !inside => {}
            Some(command) => shown.push(Shown { line: at + 1, command: command.to_owned(), output: Vec::new() }),
            None => shown.last_mut().expect("a command before its output").output.push(line.trim_end().to_owned()),
        }
    }
    shown
}

/// The words of a line, with `#` in place of those that differ from run to run.
fn words(line: &str) -> Vec<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let at = |place: usize| words.get(place).copied().unwrap_or_default();
    let is_volatile = |place: usize| {
        let before = place.checked_sub(1).map_or("", at);
        let (number, after) = (at(place).trim_end_matches(',').parse::<f64>().is_ok(), at(place + 1));
        let is_date = at(place).starts_with("runs/");
        let is_seconds = number && before == "in" && after.starts_with('s');
        let is_expected = matches!(before, "about") || place > 1 && at(place - 2) == "about";
        let is_threads = number && before == "on" && after.starts_with("thread");
        is_date || is_seconds || is_expected || is_threads || after.starts_with("rows/s")
    };
    let mut said: Vec<String> = (0..words.len())
        .map(|place| if is_volatile(place) { "#" } else { words[place] })
        .map(|word| word.replace("threads", "thread"))
        .collect();
    // In a row of the table of epochs, the seventh column is the time.
    if said.len() >= 7 && said[..7].iter().all(|word| word.parse::<f64>().is_ok()) {
        said[6] = "#".to_owned();
    }
    said
}

/// The first expected line that was not found, or a note if there are more lines than expected; `None` if the output
/// matches.
fn missing<'a>(expected: &'a [String], found: &[&str]) -> Option<&'a str> {
    let (mut rest, mut skip) = (found.iter(), false);
    for line in expected {
        if line.trim() == "…" {
            skip = true;
            continue;
        }
        let wanted = words(line);
        let same = |line: &&&str| words(line) == wanted;
        let is_there = if skip { rest.any(|line| same(&line)) } else { rest.next().as_ref().is_some_and(same) };
        if !is_there {
            return Some(line);
        }
        skip = false;
    }
    (!skip).then(|| rest.next()).flatten().map(|_| "(nothing more)")
}

/// Runs the commands of a document and compares what they print.
fn check(document: &str) {
    if Isa::detect().name() == "portable" {
        println!("left out: the documents were made with vector instructions");
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let place = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(root.join("datasets"), place.path().join("datasets")).expect("a link");
    std::fs::copy(root.join(".gitignore"), place.path().join(".gitignore")).expect("a copy");
    let program = cargo_bin!("gradlane");
    let folders = [program.parent().expect("its folder").to_owned()].into_iter();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(folders.chain(std::env::split_paths(&path))).expect("a path");
    let text = std::fs::read_to_string(root.join(document)).expect("the document");
    let mut differences = String::new();
    for shown in commands(&text).iter().filter(|shown| !shown.command.starts_with("cargo test")) {
        let command = shown.command.replace("cargo run --release -- ", "gradlane ");
        let script = format!("set -o pipefail; {{ {command}; }} 2>&1");
        let mut bash = Command::new("bash");
        let bash = bash.args(["-c", &script]).current_dir(place.path()).env("PATH", &path);
        let output = bash.env("COLUMNS", "140").env("NO_COLOR", "1").output().expect("bash");
        let text = String::from_utf8_lossy(&output.stdout);
        let found: Vec<&str> = text.lines().map(str::trim_end).collect();
        assert!(output.status.success(), "{document}:{}: {command}: {}\n{text}", shown.line, output.status);
        // The figures of a run that a time limit ends are not the same each time.
        if !command.starts_with("gradlane train datasets/digits.csv --time-limit")
            && let Some(line) = missing(&shown.output, &found)
        {
            differences += &format!("\n{document}:{}: $ {command}\nwithout this line: {line}\n{text}", shown.line);
        }
    }
    assert!(differences.is_empty(), "{differences}");
    assert_eq!(untracked_files(place.path()), "", "what the commands write is not in .gitignore");
}

/// Untracked files that git would show in a clone of the repository in `place`; empty if git is not available.
fn untracked_files(place: &Path) -> String {
    let git = |args: &[&str]| Command::new("git").args(args).current_dir(place).output();
    if git(&["init", "-q"]).is_err() || git(&["add", "datasets", ".gitignore"]).is_err() {
        return String::new();
    }
    let output = git(&["ls-files", "--others", "--exclude-standard"]).expect("git");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_readme_shows_what_its_commands_print() {
    check("README.md");
}

#[test]
fn the_tour_shows_what_its_commands_print() {
    check("docs/tour.md");
}

#[test]
fn figures_are_compared_and_times_are_not() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let expected = lines("a 1\n…\nloss 0.5\n3 steps in 0.10 s, 56,073 rows/s on 1 thread; x\nmodel runs/2026/m");
    let found = ["a 1", "b", "c", "loss 0.5", "3 steps in 7 s, 1 rows/s on 2 threads; x", "model runs/2027/m"];
    assert_eq!(missing(&expected, &found), None);
    let other = found.map(|line| if line == "loss 0.5" { "loss 0.6" } else { line });
    assert_eq!(missing(&expected, &other), Some("loss 0.5"));
    assert_eq!(missing(&expected[..1], &found), Some("(nothing more)"));
    let epoch = lines("1 2 0.5 0.5 0.5 0.5 0.42 *");
    assert_eq!(missing(&epoch, &["1 2 0.5 0.5 0.5 0.5 0.99 *"]), None);
    assert!(missing(&epoch, &["1 2 0.5 0.5 0.5 0.6 0.42 *"]).is_some());
}
