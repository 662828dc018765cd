//! A run as its directory records it, for comparison with its repetition.

use std::fs::File;
use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Value, json};

use super::checkpoint::Checkpoint;
use super::difference::{Difference, first_of_values, first_of_weights};
use super::execution::Finished;
use super::files::{CONFIG_FILE, EVENTS_FILE, SPLIT_FILE, SUMMARY_FILE, read_summary};
use super::fingerprint::fingerprint;
use super::plan::Plan;
use super::prolonged::is_another_run;
use super::start::{changed_initial, first_event};
use crate::fit::Event;
use crate::model::Model;
use crate::model::file::MODEL_FILE;
use crate::option_text::setting;
use crate::{Error, Result};

/// The record of a run in its directory.
pub struct Recorded {
    path: PathBuf,
    summary: Value,
    /// The first event.
    start: Value,
    /// Hash of the data, if the run recorded it.
    data: Option<String>,
    model: Model,
}

/// Fields of the summary that a repetition must reproduce to the bit.
const FIGURES: [&str; 9] =
    ["epochs", "steps", "best_epoch", "parameters", "decision", "train", "val", "test", "weights_sha256"];

impl Recorded {
    /// Reads a run that ended, or that time or a signal ended.
    ///
    /// # Errors
    /// [`Error::Io`] if a file cannot be read, [`Error::Data`] if the run has no summary or a file is damaged.
    pub fn read(path: &Path) -> Result<Recorded> {
        std::fs::metadata(path).map_err(|e| Error::io(path, e))?;
        let summary = read_summary(path)?.ok_or_else(|| {
            let remedy = "one that was killed goes on with gradlane resume RUNDIR, and can be verified then";
            Error::data(path, format!("expected a run with a {SUMMARY_FILE}, found none: {remedy}"))
        })?;
        let model = Model::load_as_it_is(&path.join(MODEL_FILE))?;
        let start = first_event(&path.join(EVENTS_FILE))?;
        if start["event"] != "start" {
            let message = "expected the event of the start in the first line, found something else";
            return Err(Error::data(path.join(EVENTS_FILE), message));
        }
        let in_checkpoint = || Checkpoint::read(path).ok().map(|checkpoint| checkpoint.data().to_owned());
        let data = start["data_sha256"].as_str().map(str::to_owned).or_else(in_checkpoint);
        Ok(Recorded { path: path.to_path_buf(), summary, start, data, model })
    }

    /// The configuration of the run.
    pub fn config(&self) -> PathBuf {
        self.path.join(CONFIG_FILE)
    }

    /// The step after which time or a signal ended the run.
    pub fn cut_short_at(&self) -> Option<u64> {
        let cut_short = matches!(self.summary["stopped"].as_str(), Some("time" | "signal"));
        self.summary["steps"].as_u64().filter(|_| cut_short)
    }

    /// Refuses a run that a single run from the beginning does not repeat.
    ///
    /// # Errors
    /// [`Error::Mismatch`].
    pub fn check(&self, plan: &Plan) -> Result<()> {
        let text = std::fs::read_to_string(self.config()).map_err(|e| Error::io(self.config(), e))?;
        if is_another_run(&text) {
            let message = "the run was prolonged at another rate or schedule than it was begun with (config.toml says which), so \
                           one run from the beginning does not repeat it";
            return Err(Error::Mismatch(message.to_owned()));
        }
        if plan.config.cv.is_some() && self.cut_short_at().is_some() {
            let message = "the run was ended by time or a signal, and the folds of a cross-validation decide by whole runs: go on \
                           with gradlane resume RUNDIR, and verify it then";
            return Err(Error::Mismatch(message.to_owned()));
        }
        let folds = self.summary["cv"]["folds"].as_array().into_iter().flatten();
        if folds.into_iter().any(|fold| matches!(fold["stopped"].as_str(), Some("time" | "signal"))) {
            let message = "time ended folds of the run, and when it did decides the epochs of its network: no run repeats it; train it \
                           with more time, and verify that";
            return Err(Error::Mismatch(message.to_owned()));
        }
        Ok(())
    }

    /// Makes the plan of network `number` of an ensemble end where the run's network did; returns false if the run has no such
    /// network.
    pub fn limit(&self, number: usize, plan: &mut Plan) -> bool {
        let Some(members) = self.summary["members"].as_array() else { return true };
        let Some(member) = members.iter().find(|member| member["member"] == number) else { return false };
        let cut_short = matches!(member["stopped"].as_str(), Some("time" | "signal"));
        plan.last_step = member["steps"].as_u64().filter(|_| cut_short);
        true
    }

    /// Reasons why bits may differ although nothing is wrong.
    pub fn doubts(&self, plan: &Plan) -> Vec<String> {
        let mut doubts = Vec::new();
        let (wrote, reads) = (self.start["version"].as_str().unwrap_or("unknown"), env!("CARGO_PKG_VERSION"));
        if wrote != reads {
            doubts.push(format!(
                "the run was made by version {wrote}, and this is {reads}: another version may give other bits"
            ));
        }
        let isa = self.start["isa"].as_str().unwrap_or("unknown");
        let now = plan.config.threads.isa;
        if (isa != "portable") != now.fuses() {
            let now = now.name();
            let isa = setting("isa", isa);
            doubts.push(format!("the run was made with {isa}, and this is {now}: their bits differ"));
        }
        if self.data.is_none() {
            doubts
                .push("the run has not recorded a hash of its data: whether they have changed is not known".to_owned());
        }
        doubts
    }

    /// Whether the data, as the network sees them, have changed; checked before anything is repeated.
    pub fn changed_data(&self, plan: &Plan) -> Option<Difference> {
        let recorded = self.data.as_ref()?;
        let found = fingerprint(&plan.prepared);
        (*recorded != found).then(|| Difference {
            place: plan.config.data.data.as_written(),
            what: "sha256 of the prepared data".to_owned(),
            recorded: recorded.as_str().into(),
            found: found.into(),
        })
    }

    /// Whether the file that gave the first weights has others now.
    pub fn changed_initial(&self, plan: &Plan) -> Option<Difference> {
        changed_initial(&self.start, plan)
    }

    /// Whether the recorded rows of each part are not those of the run.
    pub fn changed_split(&self, plan: &Plan) -> Option<Difference> {
        let recorded = std::fs::read(self.path.join(SPLIT_FILE)).ok();
        let recorded: Option<Value> = recorded.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        match recorded {
            Some(recorded) => first_of_values(SPLIT_FILE, &recorded, &json!(plan.prepared.split)),
            None => Some(Difference {
                place: SPLIT_FILE.to_owned(),
                what: "the file".to_owned(),
                recorded: "written".into(),
                found: "missing or damaged".into(),
            }),
        }
    }

    /// Starts the comparison of a repetition's events with the recorded ones.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn events(&self) -> Result<RecordedEvents> {
        Ok(RecordedEvents { path: self.path.join(EVENTS_FILE), lines: lines(&self.path)?, first: Ok(None) })
    }

    /// The differences between the model and figures of a repetition and those of the run: the first tensor, the first field of
    /// the model's metadata, and each figure.
    pub fn differences(&self, finished: &Finished) -> Vec<Difference> {
        let mut all: Vec<Difference> = self.first_tensor(&finished.model).into_iter().collect();
        let cards = [&self.model, &finished.model].map(|model| in_text(&model.card));
        all.extend(first_of_values("model.safetensors", &cards[0], &cards[1]));
        let in_file = self.model.sha256();
        if self.summary["weights_sha256"] != in_file {
            all.push(Difference {
                place: format!("{MODEL_FILE} (changed after the run)"),
                what: "weights_sha256".to_owned(),
                recorded: self.summary["weights_sha256"].clone(),
                found: in_file.into(),
            });
        }
        let repeated = in_text(&finished.summary);
        let parts = |summary: &Value| {
            let hashes = |list: &Value| {
                let each = list.as_array().into_iter().flatten().map(|network| network["weights_sha256"].clone());
                each.collect::<Vec<Value>>()
            };
            let mut parts: serde_json::Map<String, Value> =
                FIGURES.iter().map(|name| ((*name).to_owned(), summary[*name].clone())).collect();
            parts.insert("members".to_owned(), hashes(&summary["members"]).into());
            parts.insert("cv".to_owned(), json!({"folds": hashes(&summary["cv"]["folds"])}));
            parts
        };
        let (was, is) = (parts(&self.summary), parts(&repeated));
        all.extend(
            was.iter()
                // A time limit may have left no time for the figures of the training part.
                .filter(|(name, was)| !(was.is_null() && *name == "train"))
                .filter_map(|(name, was)| first_of_values(SUMMARY_FILE, &json!({name: was}), &json!({name: is[name]}))),
        );
        all
    }

    fn first_tensor(&self, repeated: &Model) -> Option<Difference> {
        let members = self.model.card.members;
        let mut pairs = self.model.networks().zip(repeated.networks()).enumerate();
        pairs.find_map(|(member, (was, is))| {
            let prefix = if members > 1 { format!("ensemble.{member}.") } else { String::new() };
            first_of_weights(&prefix, was, is)
        })
    }
}

/// A value as it is read back from a file.
fn in_text(value: &impl Serialize) -> Value {
    serde_json::to_string(value).ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

fn lines(folder: &Path) -> Result<Lines<BufReader<File>>> {
    let path = folder.join(EVENTS_FILE);
    File::open(&path).map(|file| BufReader::new(file).lines()).map_err(|e| Error::io(path, e))
}

/// The recorded steps and epochs, read one at a time.
pub struct RecordedEvents {
    path: PathBuf,
    lines: Lines<BufReader<File>>,
    first: Result<Option<Difference>>,
}

impl RecordedEvents {
    /// Compares the next event of the repetition with the recorded one.
    pub fn hold(&mut self, event: &Event<'_>) {
        self.hold_json(&event.to_json());
    }

    /// Compares the events of several networks, one network after the other, with the recorded ones, if these exist; older
    /// versions did not record them.
    ///
    /// # Errors
    /// [`Error::Io`] if the recorded events cannot be read.
    pub fn hold_networks(&mut self, events: impl Iterator<Item = Value>) -> Result<()> {
        let file = File::open(&self.path).map_err(|e| Error::io(&self.path, e))?;
        let first = BufReader::new(file).lines().map_while(std::result::Result::ok).nth(1);
        let first: Value = first.and_then(|line| serde_json::from_str(&line).ok()).unwrap_or_default();
        if first["event"] != "fold" && first["event"] != "member" {
            events.for_each(|event| self.hold_json(&event));
        }
        Ok(())
    }

    fn hold_json(&mut self, event: &Value) {
        if !matches!(self.first, Ok(None)) {
            return;
        }
        let found = in_text(event);
        self.first = self.next().map(|recorded| match recorded {
            Value::Null => Some(presence(&found, "missing", "made")),
            recorded => first_of_values(&place_of(&found), &recorded, &found),
        });
    }

    /// The first difference.
    ///
    /// # Errors
    /// [`Error::Io`] if the recorded events could not be read.
    pub fn first_difference(mut self) -> Result<Option<Difference>> {
        let first = std::mem::replace(&mut self.first, Ok(None))?;
        let more = if first.is_none() { self.next()? } else { Value::Null };
        Ok(if more.is_null() { first } else { Some(presence(&more, "made", "missing")) })
    }

    /// The next step or epoch; null after the last.
    fn next(&mut self) -> Result<Value> {
        for line in &mut self.lines {
            let line = line.map_err(|e| Error::io(&self.path, e))?;
            let event: Value = serde_json::from_str(&line).unwrap_or(Value::String(line));
            if event.is_string() || event["event"] == "step" || event["event"] == "epoch" {
                return Ok(event);
            }
        }
        Ok(Value::Null)
    }
}

/// `epoch 3`, `step 20`.
fn place_of(event: &Value) -> String {
    event["event"].as_str().map_or(EVENTS_FILE.to_owned(), |kind| format!("{kind} {}", event[kind]))
}

/// The difference for an event that only one side has.
fn presence(event: &Value, recorded: &str, found: &str) -> Difference {
    Difference { place: place_of(event), what: "event".to_owned(), recorded: recorded.into(), found: found.into() }
}
