//! Standard error: notes, warnings and errors, a line each; with `--progress json` a JSON object each.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use gradlane::{Warning, warning};
use serde_json::{Value, json};

/// Warnings that are printed one by one.
const MOST_WARNINGS: usize = 8;

static AS_JSON: AtomicBool = AtomicBool::new(false);
static IN_FULL: AtomicBool = AtomicBool::new(false);

/// Decides the form of messages before the command line is parsed, so that a mistake in it has that form too.
pub fn as_asked(words: &[impl AsRef<OsStr>], variable: Option<&OsStr>) {
    let words: Vec<&OsStr> = words.iter().map(AsRef::as_ref).take_while(|word| *word != "--").collect();
    let apart = words.windows(2).filter(|pair| pair[0] == "--progress").map(|pair| pair[1]);
    let joined = words.iter().filter_map(|word| word.to_str()?.strip_prefix("--progress=")).map(OsStr::new);
    set_json(apart.chain(joined).next_back().or(variable).is_some_and(|how| how == "json"));
}

/// Makes every message a JSON object, or a line of text.
pub fn set_json(json: bool) {
    AS_JSON.store(json, Ordering::Relaxed);
}

/// Lets [`warn`] print every warning whole, where it would else name the worst columns of a kind.
pub fn set_full(full: bool) {
    IN_FULL.store(full, Ordering::Relaxed);
}

/// Whether messages are JSON objects.
pub fn is_json() -> bool {
    AS_JSON.load(Ordering::Relaxed)
}

/// Writes a line of text; nothing can be done where that fails.
pub fn line(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Writes an event of the progress.
pub fn event(value: &Value) {
    line(&value.to_string());
}

/// Says what was decided, or how far it has come.
pub fn note(text: &str) {
    if is_json() { event(&json!({"event": "note", "message": text})) } else { line(text) }
}

/// Says what may make a result wrong, where no warning of the library stands for it.
pub fn caution(text: &str) {
    if is_json() { event(&json!({"event": "warning", "message": text})) } else { line(&format!("warning: {text}")) }
}

/// Says why the program ends with a code.
pub fn error(code: u8, text: &str) {
    if is_json() {
        event(&json!({"event": "error", "code": code, "message": text}));
    } else {
        line(&format!("gradlane: {text}"));
    }
}

/// Says what is wrong with the command line.
pub fn usage(error: &clap::Error) {
    if is_json() {
        let text = error.to_string();
        event(&json!({"event": "error", "code": 2, "message": text.trim_start_matches("error: ").trim_end()}));
    } else {
        let _ = error.print();
    }
}

/// Writes warnings, worst first: at most eight lines, one a kind, then how many are left. In JSON, and in full, there is one
/// for each.
pub fn warn(warnings: &[Warning]) {
    if is_json() {
        return warnings.iter().for_each(|warning| event(&as_event(warning)));
    }
    if IN_FULL.load(Ordering::Relaxed) {
        return warning::sorted(warnings).into_iter().for_each(|warning| caution(&warning.message));
    }
    let lines = warning::lines(warnings);
    lines.iter().take(MOST_WARNINGS).for_each(|line| caution(line));
    if lines.len() > MOST_WARNINGS {
        caution(&format!("{} more of these; -v and --json list them all", lines.len() - MOST_WARNINGS));
    }
}

fn as_event(warning: &Warning) -> Value {
    let mut value = json!({"event": "warning"});
    if let (Some(all), Ok(Value::Object(fields))) = (value.as_object_mut(), serde_json::to_value(warning)) {
        all.extend(fields);
    }
    value
}
