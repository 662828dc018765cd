//! `--optimizer help`: every optimizer with its options.

use gradlane::config::{Settings, dialect_of};
use gradlane::optim::catalogue::CATALOGUE;
use gradlane::optim::{Dialect, OptimizerSpec};
use gradlane::{Error, Result};

/// Width of the widest line.
const WIDEST: usize = 80;
/// Columns of a name and the gap after it.
const INDENT: usize = 14;

/// The table of optimizers in the dialect of the settings, if `--optimizer help` asks for it.
///
/// # Errors
/// If there is no such dialect, or JSON is asked for.
pub fn asked(settings: &Settings) -> Result<Option<String>> {
    match settings.text("optimizer").as_deref() {
        Some("help") if settings.switch("json")? => {
            Err(Error::Usage("--optimizer help prints a table: leave out --json".to_owned()))
        }
        Some("help") => dialect_of(settings.clone()).map(|dialect| Some(table(dialect))),
        _ => Ok(None),
    }
}

/// Names, options with their defaults, dialects and sources.
fn table(dialect: Option<Dialect>) -> String {
    let whose = dialect.map_or("without a dialect", |dialect| dialect.library());
    let mut text = format!(
        "Optimizers, their options and defaults: {whose}.\n\
         Set options as in --optimizer adam:beta2=0.95,eps=1e-7; --lr wins over lr.\n\
         --dialect torch, keras or sklearn shows a library's own.\n"
    );
    for entry in CATALOGUE {
        let Some(spec) = OptimizerSpec::defaults(entry, dialect) else { continue };
        let dialects: Vec<&str> = entry.dialects().map(|dialect| dialect.name()).collect();
        let dialects = if dialects.is_empty() { "no dialect".to_owned() } else { dialects.join(", ") };
        let source = wrapped(entry.source.split(' '), " ");
        text.push_str(&format!("\n{:<INDENT$}{}\n", entry.name, source.join(&format!("\n{:<INDENT$}", ""))));
        // A name for another optimizer with certain options shares that optimizer's options.
        let options =
            if spec.algorithm.name() == entry.name { spec.options() } else { vec![format!("stands for {spec}")] };
        for line in wrapped(options.iter().map(String::as_str), "  ") {
            text.push_str(&format!("{:<INDENT$}{line}\n", ""));
        }
        text.push_str(&format!("{:<INDENT$}in {dialects}\n", ""));
    }
    text
}

/// Words in lines, separated by `gap`.
fn wrapped<'a>(words: impl Iterator<Item = &'a str>, gap: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.chars().count() + gap.len() + word.chars().count() <= WIDEST - INDENT => {
                line.push_str(gap);
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
