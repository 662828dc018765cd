//! `--optimizer help`: every optimizer with its options.

use gradlane::Result;
use gradlane::config::{Settings, dialect_of};
use gradlane::optim::catalogue::CATALOGUE;
use gradlane::optim::{Dialect, OptimizerSpec};

/// Widest line of options.
const WIDEST: usize = 96;
/// Room for a name and what follows it.
const INDENT: usize = 14;

/// The table of optimizers in the dialect that the settings name, if `--optimizer help` asks for it.
///
/// # Errors
/// If there is no such dialect.
pub fn asked(settings: &Settings) -> Result<Option<String>> {
    match settings.text("optimizer").as_deref() {
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
        text.push_str(&format!("\n{:<INDENT$}{}\n", entry.name, entry.source));
        // A name for another optimizer with certain options has the options of that one.
        let options =
            if spec.algorithm.name() == entry.name { spec.options() } else { vec![format!("stands for {spec}")] };
        for line in wrapped(&options) {
            text.push_str(&format!("{:<INDENT$}{line}\n", ""));
        }
        text.push_str(&format!("{:<INDENT$}in {dialects}\n", ""));
    }
    text
}

/// Options in lines.
fn wrapped(options: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for option in options {
        match lines.last_mut() {
            Some(line) if line.len() + 2 + option.len() <= WIDEST - INDENT => {
                line.push_str("  ");
                line.push_str(option);
            }
            _ => lines.push(option.clone()),
        }
    }
    lines
}
