//! Standard error: notes, warnings and errors, each on a line; with `--progress json`, each as a JSON object.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use gradlane::{Warning, warning};
use serde_json::{Value, json};

/// The most warnings that are printed one by one.
const MOST_WARNINGS: usize = 8;

static AS_JSON: AtomicBool = AtomicBool::new(false);
static IN_FULL: AtomicBool = AtomicBool::new(false);

/// Decides the form of messages before the command line is parsed, so that errors in it have this form too.
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

/// Makes [`warn`] print every warning in full instead of naming the worst columns of each kind.
pub fn set_full(full: bool) {
    IN_FULL.store(full, Ordering::Relaxed);
}

/// Whether messages are JSON objects.
pub fn is_json() -> bool {
    AS_JSON.load(Ordering::Relaxed)
}

/// Writes a line of text; failures are ignored, since there is nowhere to report them.
pub fn line(text: &str) {
    write(&harmless(text));
}

fn write(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// A text without characters that control a terminal, which names in a file may contain.
pub fn harmless(text: &str) -> Cow<'_, str> {
    let controls = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if text.contains(controls) { text.replace(controls, "\u{fffd}").into() } else { text.into() }
}

/// Writes a progress event.
pub fn event(value: &Value) {
    write(&value.to_string());
}

/// Writes a note about a decision or about progress.
pub fn note(text: &str) {
    if is_json() { event(&json!({"event": "note", "message": text})) } else { line(text) }
}

/// Writes a warning that is not a warning of the library.
pub fn caution(text: &str) {
    if is_json() { event(&json!({"event": "warning", "message": text})) } else { line(&format!("warning: {text}")) }
}

/// Writes an error with the exit code of the program.
pub fn error(code: u8, text: &str) {
    if is_json() {
        event(&json!({"event": "error", "code": code, "message": text}));
    } else {
        line(&format!("gradlane: {text}"));
    }
}

/// Writes an error in the command line.
pub fn usage(error: &clap::Error) {
    if is_json() {
        let text = error.to_string();
        event(&json!({"event": "error", "code": 2, "message": text.trim_start_matches("error: ").trim_end()}));
    } else {
        let _ = error.print();
    }
}

/// Writes warnings, the worst first: at most eight lines, one for each kind, then the number of the remaining ones. In JSON,
/// and in full, each warning is written.
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
