//! `gradlane data stats`: what a table contains, and what is doubtful about it.

use clap::{Arg, ArgAction, ArgMatches, Command};
use gradlane::config::{STATS_KEYS, TableConfig};
use gradlane::data::{Examination, Source, examine};
use gradlane::{Error, warning};

use crate::cli::exit::Outcome;
use crate::cli::inspect::readable;
use crate::cli::output::{print, print_json, refuse};
use crate::cli::{args, message, table};

/// The most columns whose information is shown.
const MOST_COLUMNS: usize = 30;

/// The command line.
pub fn command() -> Command {
    let against = Arg::new("against")
        .long("against")
        .value_name("FILE")
        .help("Rows of later: how they differ from those of DATA")
        .help_heading("Data");
    let json = Arg::new("json").long("json").help("Print one JSON object").help_heading("Output");
    Command::new("stats")
        .about("Show what a table holds, what its columns tell of the label, and what is doubtful about it")
        .after_help(
            "The information of a column is its mutual information with the label in bits, and as a share of the label's entropy. Numbers \
             are put into 16 bins of equally many rows; no value is a value of its own. The correction of Miller and Madow for few \
             rows is applied.\n\
             Warnings: columns of one value, row numbers and identifiers, columns that give the label away, rows that repeat others.\n\
             For example:  gradlane data stats train.csv --against new.csv",
        )
        .arg(args::data().required(true))
        .arg(args::of_paths(against))
        .args(STATS_KEYS.map(args::flag_of))
        .arg(json.action(ArgAction::SetTrue))
        .arg(args::verbose())
        .args(args::applying_flags().filter(|arg| arg.get_id() != "isa"))
        .args(["na", "dates"].map(args::flag_of))
}

/// Runs it.
pub fn run(matches: &ArgMatches) -> Outcome {
    let config = TableConfig::new(args::settings(matches)?, &STATS_KEYS)?;
    args::limit_pool(config.engine.threads);
    let against = matches.get_one::<String>("against").map(|file| file.parse::<Source>()).transpose()?;
    let found = examine(&config.data, against.as_ref())?;
    let json = matches.get_flag("json");
    if !json {
        found.description.notes.iter().for_each(|note| message::note(note));
    }
    message::warn(&found.description.warnings);
    refuse(&found.description.warnings, config.data.strict, |message| Error::data(config.data.data.name(), message))?;
    if json { print_json(&found) } else { print(&text(&found, against.as_ref())) }
}

fn text(found: &Examination, against: Option<&Source>) -> String {
    let mut text = readable(&found.description);
    let header = ["information".to_owned(), "bits".to_owned(), format!("of {}", found.label)];
    let shown = &found.information[..found.information.len().min(MOST_COLUMNS)];
    let rows: Vec<Vec<String>> = shown
        .iter()
        .map(|told| vec![told.column.clone(), format!("{:.4}", told.bits), format!("{:.1} %", 100.0 * told.share)])
        .collect();
    text += &format!("\n{}", table::plain(&header, &rows));
    if found.information.len() > shown.len() {
        text += &format!("… and {} more columns (--json has all)\n", found.information.len() - shown.len());
    }
    let (label, entropy) = (&found.label, found.label_entropy);
    text += &format!("\nlabel {label}: {}, entropy {entropy:.4} bits\n", found.task);
    text += &format!("rows that repeat an earlier one: {}", found.duplicates);
    text += &format!("; with the inputs of an earlier one and another label: {}\n", found.contradictions);
    if let (Some(drift), Some(file)) = (&found.drift, against) {
        text += &format!("\n{} against {}: {}\n", file.as_written(), found.description.path, differences(drift.len()));
        warning::sorted(drift).into_iter().for_each(|warning| text += &format!("  {}\n", warning.message));
    }
    text
}

fn differences(count: usize) -> String {
    match count {
        0 => "no difference found".to_owned(),
        1 => "1 difference".to_owned(),
        count => format!("{count} differences"),
    }
}
