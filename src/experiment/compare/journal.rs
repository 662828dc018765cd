//! `runs.jsonl`: written line by line as runs end, and read again.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::checked::Checker;
use super::protocol::Stage;
use super::records::Record;
use crate::option_text::option;
use crate::run::lock;
use crate::{Error, Result};

/// What is locked, in messages.
const COMPARISON: &str = "comparison";
/// Name of the file with every run.
pub const RUNS_FILE: &str = "runs.jsonl";
/// Names of all files of a comparison.
pub const FILES: [&str; 3] = [RUNS_FILE, "summary.json", "report.html"];

/// The directory of a comparison that is being written.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    /// The open file, locked so that no other process writes it.
    runs: File,
    /// Records that are in the file already and will be passed to `write` again.
    there: HashSet<RecordKey>,
}

/// The identity of a record: problem and optimizer, and for a run its study, stage, trial and repeat.
#[derive(Debug, PartialEq, Eq, Hash)]
enum RecordKey {
    Protocol,
    StepCost(String, String),
    Run(String, String, (usize, Stage, usize, usize)),
}

impl RecordKey {
    fn of(record: &Record) -> RecordKey {
        match record {
            Record::Protocol(_) => RecordKey::Protocol,
            Record::StepCost(cost) => RecordKey::StepCost(cost.problem.clone(), cost.optimizer.clone()),
            Record::Run(run) => {
                let place = (run.study, run.stage, run.trial, run.repeat);
                RecordKey::Run(run.problem.clone(), run.optimizer.clone(), place)
            }
        }
    }
}

impl Journal {
    /// Returns an error if the directory holds a comparison and `overwrite` is false. Creates nothing.
    ///
    /// # Errors
    /// [`Error::Option`] for an existing comparison, [`Error::Io`] if `path` is a file.
    pub fn check(path: &Path, overwrite: bool) -> Result<()> {
        if path.exists() && !path.is_dir() {
            return Err(Error::io(path, std::io::Error::from(std::io::ErrorKind::NotADirectory)));
        }
        match FILES.iter().find(|file| path.join(file).exists()) {
            Some(file) if !overwrite => {
                let replace = option("overwrite");
                let message = format!("a comparison is there already ({file}): choose another directory, or {replace}");
                Err(Error::Usage(message).of_value("out", path.display()))
            }
            _ => Ok(()),
        }
    }

    /// Returns an error if another process is writing a comparison in the directory.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn refuse_while_written(path: &Path) -> Result<()> {
        File::open(path.join(RUNS_FILE)).map_or(Ok(()), |runs| lock(&runs, path, COMPARISON))
    }

    /// Creates the directory and an empty `runs.jsonl`.
    ///
    /// # Errors
    /// As [`Journal::check`], and [`Error::Io`].
    pub fn create(path: &Path, overwrite: bool) -> Result<Journal> {
        Self::check(path, overwrite)?;
        fs::create_dir_all(path).map_err(|e| Error::io(path, e))?;
        // Do not replace a comparison that another process is writing.
        Self::refuse_while_written(path)?;
        // Remove the files of an older comparison, so that its report is not taken for one of these runs.
        for old in FILES.iter().map(|file| path.join(file)).filter(|file| file.exists()) {
            fs::remove_file(&old).map_err(|e| Error::io(&old, e))?;
        }
        let runs = path.join(RUNS_FILE);
        let file = File::create(&runs).map_err(|e| Error::io(&runs, e))?;
        lock(&file, path, COMPARISON)?;
        Ok(Journal { path: path.to_path_buf(), runs: file, there: HashSet::new() })
    }

    /// Opens the `runs.jsonl` of an interrupted comparison, and returns its records. When the comparison is resumed, all
    /// records are passed to [`Journal::write`] again from the beginning; those already in the file are not written again.
    /// An incomplete last line is removed.
    ///
    /// # Errors
    /// As [`read_records`]; [`Error::Io`] if another process is writing the comparison.
    pub fn reopen(path: &Path) -> Result<(Journal, Vec<Record>)> {
        let file = path.join(RUNS_FILE);
        let failed = |e| Error::io(&file, e);
        let runs = File::options().read(true).append(true).open(&file).map_err(failed)?;
        lock(&runs, path, COMPARISON)?;
        let records = read_records(path)?;
        let whole = fs::read(&file).map_err(failed)?;
        let end = whole.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        runs.set_len(end as u64).map_err(failed)?;
        let there = records.iter().map(RecordKey::of).collect();
        Ok((Journal { path: path.to_path_buf(), runs, there }, records))
    }

    /// Appends a record as one line in a single write, unless it is in the file already.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&mut self, record: &Record) -> Result<()> {
        if self.there.remove(&RecordKey::of(record)) {
            return Ok(());
        }
        let path = || self.path.join(RUNS_FILE);
        let line = serde_json::to_string(record).map_err(|e| Error::io(path(), e.into()))? + "\n";
        self.runs.write_all(line.as_bytes()).map_err(|e| Error::io(path(), e))
    }
}

/// Reads the records of a comparison. An incomplete last line, left by a killed process, is ignored.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read; [`Error::Data`] with the line that is not a record, or that contradicts earlier
/// ones.
pub fn read_records(directory: &Path) -> Result<Vec<Record>> {
    let path = directory.join(RUNS_FILE);
    let text = fs::read_to_string(&path).map_err(|e| Error::io(&path, e))?;
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let (mut records, mut checker) = (Vec::new(), Checker::default());
    for (number, line) in whole.lines().enumerate() {
        let wrong = |e: serde_json::Error| {
            let message = match number == 0 && line.contains("\"protocol\"") && !line.contains("\"studies\"") {
                true => {
                    "these runs were made before comparisons had studies, and this version cannot judge them: run the \
                         command in this line anew, or use the version that it names"
                        .to_owned()
                }
                false => format!("expected a record of a comparison: {e}"),
            };
            Error::data_at(&path, Some(number as u64 + 1), None, message)
        };
        let record: Record = serde_json::from_str(line).map_err(wrong)?;
        if let Some(fault) = checker.fault(&record, number + 1) {
            return Err(Error::data_at(&path, Some(number as u64 + 1), None, fault));
        }
        records.push(record);
    }
    match records.first() {
        Some(Record::Protocol(_)) => Ok(records),
        _ => Err(Error::data_at(&path, Some(1), None, "expected the protocol of a comparison")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::records::{Family, OptimizerRecord, ProblemRecord, Protocol, StepCost, Terms};
    use super::*;

    fn records() -> Vec<Record> {
        let protocol = Protocol {
            version: "0".to_owned(),
            command: "gradlane compare".to_owned(),
            quick: true,
            terms: Terms { studies: 1, trials: 1, finalists: 1, repeats: 1, seeds: 1, seed: 0 },
            machine: "any".to_owned(),
            problems: vec![ProblemRecord {
                name: "p".to_owned(),
                description: "any".to_owned(),
                family: Family::Noise,
                rows: [1, 1, 1],
                layers: vec![1, 1],
                batch: 1,
                steps: 1,
                target: None,
                target_source: "none".to_owned(),
                score: "rmse".to_owned(),
                data: None,
            }],
            optimizers: vec![OptimizerRecord {
                name: "o".to_owned(),
                spec: "sgd".to_owned(),
                space: Vec::new(),
                schedules: Vec::new(),
            }],
        };
        let (problem, optimizer) = ("p".to_owned(), "o".to_owned());
        let cost = StepCost { problem, optimizer, median: 0.1 + 0.2, quartiles: [0.1, 1e300] };
        vec![Record::Protocol(protocol), Record::StepCost(cost)]
    }

    #[test]
    fn records_are_read_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        let mut journal = Journal::create(&path, false).unwrap();
        records().iter().for_each(|record| journal.write(record).unwrap());
        assert_eq!(read_records(&path).unwrap(), records());
        assert!(Journal::check(&path, false).unwrap_err().to_string().contains("`overwrite`"));
        Journal::check(&path, true).unwrap();
    }

    #[test]
    fn a_reopened_journal_continues_after_its_last_complete_record() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::create(folder.path(), false).unwrap();
        journal.write(&records()[0]).unwrap();
        assert!(Journal::reopen(folder.path()).unwrap_err().to_string().contains("another program is writing"));
        drop(journal);
        let file = folder.path().join(RUNS_FILE);
        let mut text = fs::read_to_string(&file).unwrap();
        text += "{\"kind\":\"step_cost\",\"pro";
        fs::write(&file, text).unwrap();
        let (mut journal, there) = Journal::reopen(folder.path()).unwrap();
        assert_eq!(there, records()[..1]);
        records().iter().for_each(|record| journal.write(record).unwrap());
        assert_eq!(read_records(folder.path()).unwrap(), records());
    }

    #[test]
    fn an_incomplete_last_line_is_ignored_and_a_wrong_line_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let lines: Vec<String> = records().iter().map(|r| serde_json::to_string(r).unwrap()).collect();
        let file = folder.path().join(RUNS_FILE);
        fs::write(&file, format!("{}\n{}", lines[0], &lines[1][..20])).unwrap();
        assert_eq!(read_records(folder.path()).unwrap(), records()[..1]);
        fs::write(&file, format!("{}\n{{}}\n{}\n", lines[0], lines[1])).unwrap();
        assert!(read_records(folder.path()).unwrap_err().to_string().contains("runs.jsonl:2"));
        fs::write(&file, format!("{}\n", lines[1])).unwrap();
        assert!(read_records(folder.path()).is_err(), "no protocol");
        assert!(matches!(read_records(&folder.path().join("none")), Err(Error::Io { .. })));
    }
}
