//! From the runs of a comparison to its summary, report and tables.

use std::path::Path;

use gradlane::experiment::compare::{
    FILES, Journal, RUNS_FILE, Summary, analyse, pairs_on_one_problem, read_records, summary_tables,
};
use gradlane::report::report_html;
use gradlane::{Error, atomic};

use super::super::exit::Outcome;
use super::super::message;
use super::super::output::{of_stdout, print, print_exactly};
use super::super::table::with_text;

/// How the conclusion is printed.
#[derive(Debug, Clone, Copy)]
pub struct Printed {
    /// As JSON.
    pub json: bool,
    /// Without warnings.
    pub quiet: bool,
}

/// Makes summary and report of the runs in `from`, writes them to `to`, and prints the result.
///
/// # Errors
/// If the runs cannot be read, or files cannot be written.
pub fn conclude(from: &Path, to: &Path, printed: Printed) -> Outcome {
    let records = read_records(from)?;
    let summary = analyse(&records)?;
    let text = serde_json::to_string(&summary).map_err(|e| of_stdout(e.into()))? + "\n";
    let [_, summary_file, report_file] = FILES.map(|file| to.join(file));
    atomic::write(&summary_file, text.as_bytes())?;
    let report = report_html(&records, &summary)?;
    atomic::write(&report_file, report.as_bytes())?;
    if !printed.quiet {
        summary.warnings.iter().for_each(|warning| message::caution(warning));
    }
    if printed.json { print_exactly(&text) } else { print(&readable(&summary, &report_file)) }
}

/// Makes summary and report of an earlier comparison again, in its directory, or in another one with a copy of the runs.
///
/// # Errors
/// As [`conclude`], and [`Error::Usage`] if the other directory already holds a comparison.
pub fn rebuild(from: &Path, to: Option<&Path>, overwrite: bool, printed: Printed) -> Outcome {
    let Some(to) = to.filter(|to| *to != from) else {
        Journal::refuse_while_written(from)?;
        return conclude(from, from, printed);
    };
    Journal::check(to, overwrite)?;
    let runs = from.join(RUNS_FILE);
    let text = std::fs::read(&runs).map_err(|e| Error::io(&runs, e))?;
    std::fs::create_dir_all(to).map_err(|e| Error::io(to, e))?;
    atomic::write(&to.join(RUNS_FILE), &text)?;
    conclude(from, to, printed)
}

/// The verdict, its limits, and the tables.
fn readable(summary: &Summary, report: &Path) -> String {
    let mut text = String::new();
    for table in summary_tables(summary).into_iter().chain(pairs_on_one_problem(summary)) {
        text += &format!("\n{}\n{}", table.title, with_text(&table.header, &table.rows, &table.words));
    }
    let caveats: String = summary.caveats.iter().map(|caveat| filled("- ", caveat)).collect();
    let verdict: String = summary.verdict.lines().map(|sentence| filled("", sentence)).collect();
    format!("{text}\n{verdict}\n{caveats}\nreport  {}\n", report.display())
}

/// Width of a paragraph, in columns.
const WIDTH: usize = 100;

/// A paragraph in lines of whole words, after a mark.
fn filled(mark: &str, text: &str) -> String {
    let indent = " ".repeat(mark.len());
    let (mut lines, mut line) = (String::new(), mark.to_owned());
    for word in text.split_whitespace() {
        let begun = line.len() > indent.len();
        if begun && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines += &format!("{line}\n");
            line = format!("{indent}{word}");
        } else {
            line += &format!("{}{word}", if begun { " " } else { "" });
        }
    }
    lines + &line + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_keep_their_words_and_width() {
        let text = "one difference after the other, ".repeat(20);
        let lines = filled("- ", &text);
        assert!(lines.lines().count() > 5 && lines.lines().all(|line| line.len() <= WIDTH), "{lines}");
        assert!(lines.starts_with("- one") && lines.lines().skip(1).all(|line| line.starts_with("  ")), "{lines}");
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(&lines)[1..], words(&text));
        assert_eq!(filled("", "few words"), "few words\n");
    }
}
