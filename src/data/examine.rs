//! Examines a table: statistics, the information of columns about the label, and doubts.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};

use rayon::prelude::*;
use serde::Serialize;

use super::describe::{FileDescription, describe};
use super::input::Input;
use super::options::DataOptions;
use super::prepare::{Loaded, LoadedContents};
use super::source::Source;
use super::statistics::NumberSummary;
use super::table::{Column, Table};
use crate::option_text::quoted;
use crate::statistics::mutual_information;
use crate::warning::of as counted;
use crate::{Error, Result, Warning, WarningKind};

/// Upper limit of the bins for numbers; all bins have about the same number of rows.
const BINS: usize = 16;
/// A column with at least this share of the label's entropy reveals the label.
const LEAK: f64 = 0.99;
/// With fewer rows, that may be a coincidence.
const ROWS_OF_A_LEAK: usize = 50;

/// A table, the information of its columns about the label, and warnings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Examination {
    /// Statistics of each column.
    #[serde(flatten)]
    pub description: FileDescription,
    /// Name of the label.
    pub label: String,
    /// The task.
    pub task: String,
    /// Entropy of the label in bits. The target of a regression is put into at most 16 bins.
    pub label_entropy: f64,
    /// Information of each column about the label, highest first.
    pub information: Vec<Told>,
    /// Number of rows that equal an earlier row in all columns.
    pub duplicates: usize,
    /// Number of rows whose inputs equal those of an earlier row, but whose label differs from all of these.
    pub contradictions: usize,
    /// How the rows of another file differ, if one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<Vec<Warning>>,
}

/// Information of a column about the label.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Told {
    /// The column.
    pub column: String,
    /// Mutual information in bits.
    pub bits: f64,
    /// Mutual information as a share of the label's entropy.
    pub share: f64,
}

/// Reads a table and examines it as training would. If `against` is given, also compares the rows of that file.
///
/// # Errors
/// Those of reading it for training; [`Error::Usage`] for standard input, [`Error::Option`] for several labels.
pub fn examine(options: &DataOptions, against: Option<&Source>) -> Result<Examination> {
    if options.data == Source::Stdin || against == Some(&Source::Stdin) {
        return Err(Error::Usage("data stats reads its file twice: write standard input to a file first".to_owned()));
    }
    let read = options.read_options();
    let mut description = describe(&options.data, &read)?;
    let Loaded(LoadedContents::Table(typed, _)) = Loaded::read(options)? else {
        let name = options.data.as_written();
        return Err(Error::Mismatch(format!("{name}: expected a table, found images: inspect shows what they are")));
    };
    let mut warnings = typed.warnings.clone();
    let fitted = typed.fit(&typed.rows, (options, 0), &mut warnings)?;
    let [label] = typed.roles.labels[..] else {
        return Err(Error::Usage("expected one label, to compare the columns with".to_owned()).of("label"));
    };
    let table = &typed.table;
    let answers = coded(&table.columns[label], &typed.rows);
    let of_label = mutual_information(&answers, &answers).of;
    let told: Vec<(Told, bool)> =
        typed.roles.features.par_iter().map(|c| told(table, *c, &typed.rows, &answers)).collect();
    let leaks = told
        .iter()
        .filter(|(told, gives_away)| *gives_away && told.share >= LEAK && typed.rows.len() >= ROWS_OF_A_LEAK);
    warnings.extend(leaks.map(|(told, _)| leak(told, &table.names[label])));
    let mut information: Vec<Told> = told.into_iter().map(|(told, _)| told).collect();
    information.sort_by(|a, b| b.bits.total_cmp(&a.bits));
    let (duplicates, contradictions) = repeated(table, label);
    warnings.extend(of_repeated(duplicates, contradictions));
    let drift = against.map(|file| Ok(Input::open(file)?.refuse_misfits(&read)?.rows(&fitted, &read)?.warnings));
    description.notes.clone_from(&typed.notes);
    description.warnings = warnings;
    Ok(Examination {
        description,
        label: table.names[label].clone(),
        task: typed.target.task.to_string(),
        label_entropy: of_label,
        information,
        duplicates,
        contradictions,
        drift: drift.transpose()?,
    })
}

/// Information of a column about the label, and whether it has few enough distinct values, at most a quarter of the
/// rows, to tell it apart from a name for each row.
fn told(table: &Table, column: usize, rows: &[u32], answers: &[u32]) -> (Told, bool) {
    let codes = coded(&table.columns[column], rows);
    let found = mutual_information(&codes, answers);
    let share = if found.of > 0.0 { found.bits / found.of } else { 0.0 };
    let values = codes.iter().max().map_or(0, |max| *max as usize + 1);
    let column = table.names[column].clone();
    (Told { column, bits: found.bits, share }, 4 * values <= rows.len())
}

/// The cells of some rows as codes: levels of text, bins of numbers. Missing values have a code of their own.
fn coded(column: &Column, rows: &[u32]) -> Vec<u32> {
    match column {
        Column::Text { codes, levels } => {
            let none = levels.len() as u32;
            rows.iter().map(|row| codes[*row as usize].min(none)).collect()
        }
        Column::Numbers(values) => {
            let summary = NumberSummary::of(rows.iter().map(|row| values[*row as usize]).collect());
            let mut edges: Vec<f64> = summary.sorted().to_vec();
            edges.dedup();
            if edges.len() > BINS {
                edges = (1..=BINS).map(|bin| summary.quantile(bin as f64 / BINS as f64)).collect();
                edges.dedup();
            }
            let none = edges.len() as u32;
            let bin = |value: f64| {
                if value.is_nan() {
                    none
                } else {
                    edges.partition_point(|edge| *edge < value).min(edges.len() - 1) as u32
                }
            };
            rows.iter().map(|row| bin(values[*row as usize])).collect()
        }
    }
}

fn leak(told: &Told, label: &str) -> Warning {
    let Told { column, share, .. } = told;
    let message = format!(
        "column \"{column}\" alone tells {:.1} % of what \"{label}\" is: is it known before the label is? {} leaves it out of training",
        100.0 * share,
        quoted("ignore", column)
    );
    Warning::new(WarningKind::Leak, message).column(column)
}

fn of_repeated(duplicates: usize, contradictions: usize) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if duplicates > 0 {
        let message = format!(
            "{} an earlier row in all columns: a copy in the test part makes figures too good",
            counted(duplicates as u64, "row") + if duplicates == 1 { " repeats" } else { " repeat" }
        );
        warnings.push(Warning::new(WarningKind::Duplicates, message).count(duplicates));
    }
    if contradictions > 0 {
        let message = format!(
            "{} the inputs of an earlier row and another label: no model can tell them apart",
            counted(contradictions as u64, "row") + if contradictions == 1 { " has" } else { " have" }
        );
        warnings.push(Warning::new(WarningKind::Duplicates, message).count(contradictions));
    }
    warnings
}

/// Number of rows that repeat an earlier row, and of rows with the inputs of an earlier row but a new label.
fn repeated(table: &Table, label: usize) -> (usize, usize) {
    let hashes = [(); 2].map(|()| foldhash::quality::RandomState::default());
    let cell = |column: &Column, row: usize| match column {
        Column::Numbers(values) => (values[row] + 0.0).to_bits(),
        Column::Text { codes, .. } => u64::from(codes[row]),
    };
    // With two hashes of 64 bits, a collision of different rows is practically impossible.
    let key = |row: usize| -> (u64, u64) {
        let hash = |state: &foldhash::quality::RandomState| {
            let mut hasher = state.build_hasher();
            let inputs = table.columns.iter().enumerate().filter(|(column, _)| *column != label);
            inputs.for_each(|(_, column)| hasher.write_u64(cell(column, row)));
            hasher.finish()
        };
        (hash(&hashes[0]), hash(&hashes[1]))
    };
    let keys: Vec<(u64, u64)> = (0..table.rows()).into_par_iter().map(key).collect();
    let mut seen: HashMap<(u64, u64), Vec<u64>> = HashMap::new();
    let (mut duplicates, mut contradictions) = (0, 0);
    for (row, key) in keys.into_iter().enumerate() {
        let answer = cell(&table.columns[label], row);
        let answers = seen.entry(key).or_default();
        match answers.contains(&answer) {
            true => duplicates += 1,
            false => {
                contradictions += usize::from(!answers.is_empty());
                answers.push(answer);
            }
        }
    }
    (duplicates, contradictions)
}
