//! Commands that the user may type next, in shell syntax.

use std::path::Path;

use gradlane::data::DataOptions;
use gradlane::path_text::to_text;

/// The line that says how to predict on the data with the model of a run.
pub fn predict_with(run: &Path, data: &DataOptions) -> String {
    let skip = match data.skip_lines {
        lines if lines.is_none() => String::new(),
        lines => format!(" --skip-lines {lines}"),
    };
    let (run, data) = (quoted_path(&to_text(run)), quoted_path(&data.data.as_written()));
    format!("predict with: gradlane predict {run} {data}{skip}\n")
}

/// A word in shell syntax.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./:=@%+,".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// A path in shell syntax, which is not taken for a flag; `-` is standard input.
pub fn quoted_path(path: &str) -> String {
    if path.starts_with('-') && path != "-" { quoted(&format!("./{path}")) } else { quoted(path) }
}
