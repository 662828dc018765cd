//! Networks and batches to time: eight named ones, and any other.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::data::Dataset;
use crate::data::synthetic::{self, WorkloadTask};
use crate::kernel::has_room;
use crate::model::Architecture;
use crate::nn::{Activation, Loss};
use crate::option_text::setting;
use crate::{Error, Result, spec};

/// The task of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BenchTask {
    /// A class for each row: cross-entropy.
    Classify,
    /// Numbers for each row: mean squared error.
    Regress,
}

/// Widths of a network, its inputs first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Widths(pub Vec<usize>);

/// A network with ReLU between its layers, the batch size and the rows of an epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Workload {
    /// Its name; `custom` if the user made it.
    pub name: String,
    /// Inputs, hidden widths, outputs.
    pub layers: Vec<usize>,
    /// Rows of a step.
    pub batch: usize,
    /// Rows of an epoch.
    pub rows: usize,
    /// The task.
    pub task: BenchTask,
}

/// A workload with a name.
type WorkloadByName = (&'static str, &'static [usize], usize, usize, BenchTask);

/// The named workloads, from the least work in a step to the most.
const NAMED: [WorkloadByName; 8] = [
    ("iris", &[4, 16, 3], 16, 4096, BenchTask::Classify),
    ("digits", &[64, 128, 64, 10], 32, 8192, BenchTask::Classify),
    ("mnist", &[784, 128, 10], 32, 16384, BenchTask::Classify),
    ("mnist-128", &[784, 256, 128, 10], 128, 16384, BenchTask::Classify),
    ("wide", &[784, 1024, 1024, 10], 256, 8192, BenchTask::Classify),
    ("tabular", &[28, 512, 512, 512, 1], 512, 32768, BenchTask::Regress),
    ("deep", &[64, 256, 256, 256, 256, 256, 256, 10], 256, 16384, BenchTask::Classify),
    ("huge", &[784, 2048, 2048, 2048, 10], 1024, 4096, BenchTask::Classify),
];

impl Workload {
    /// All named workloads.
    pub fn all() -> Vec<Workload> {
        NAMED.iter().map(Workload::of).collect()
    }

    /// Names of all named workloads.
    pub fn names() -> Vec<&'static str> {
        NAMED.iter().map(|(name, ..)| *name).collect()
    }

    /// The workload with this name.
    ///
    /// # Errors
    /// [`Error::Usage`] for an unknown name, with the nearest one as a suggestion.
    pub fn named(name: &str) -> Result<Workload> {
        let found = NAMED.iter().find(|(known, ..)| *known == name);
        found.map(Workload::of).ok_or_else(|| spec::unknown("workload", name, &Self::names()))
    }

    fn of((name, layers, batch, rows, task): &WorkloadByName) -> Workload {
        Workload { name: (*name).to_owned(), layers: layers.to_vec(), batch: *batch, rows: *rows, task: *task }
    }

    /// A workload with the name `custom`.
    ///
    /// # Errors
    /// [`Error::Option`] if there are fewer rows than a batch has, if there are fewer than two classes, or if there is no memory
    /// for the network or the rows.
    pub fn custom(widths: Widths, batch: usize, rows: usize, task: BenchTask) -> Result<Workload> {
        let wrong = |option, message: String| Err(Error::Usage(message).of(option));
        if batch > rows {
            return wrong("rows", format!("expected at least one batch of {batch} rows, found {rows}"));
        }
        if task == BenchTask::Classify && widths.0.last() < Some(&2) {
            return wrong(
                "layers",
                format!("classes need at least two outputs; {} takes one", setting("task", "regress")),
            );
        }
        let workload = Workload { name: "custom".to_owned(), layers: widths.0, batch, rows, task };
        let architecture = workload.architecture();
        if !architecture.fits_into_memory() {
            let count = architecture.linear_parameters();
            let message = format!("a network of {count} parameters does not fit into memory: use fewer units");
            return wrong("layers", message);
        }
        let (inputs, outputs) = (architecture.inputs, architecture.outputs);
        // Outputs twice: the targets, and the network's outputs.
        if !has_room(rows.saturating_mul(inputs.saturating_add(outputs.saturating_mul(2)))) {
            let row = format!("{inputs} inputs and {outputs} outputs");
            return wrong("rows", format!("{rows} rows of {row} do not fit into memory: use fewer"));
        }
        Ok(workload)
    }

    fn outputs(&self) -> usize {
        self.layers[self.layers.len() - 1]
    }

    /// The network.
    pub fn architecture(&self) -> Architecture {
        let hidden = &self.layers[1..self.layers.len() - 1];
        Architecture::mlp(self.layers[0], hidden, self.outputs(), Activation::Relu)
    }

    /// The loss of its task.
    pub fn loss(&self) -> Loss {
        match self.task {
            BenchTask::Classify => Loss::CrossEntropy,
            BenchTask::Regress => Loss::Mse,
        }
    }

    /// Its rows, which are always the same: uniform inputs, random targets.
    pub fn data(&self) -> Dataset {
        let task = match self.task {
            BenchTask::Classify => WorkloadTask::Classify(self.outputs()),
            BenchTask::Regress => WorkloadTask::Regress(self.outputs()),
        };
        synthetic::workload(self.rows, self.layers[0], task, 1)
    }

    /// Optimizer steps of an epoch; the last may have fewer rows.
    pub fn steps(&self) -> usize {
        self.rows.div_ceil(self.batch)
    }
}

impl FromStr for Widths {
    type Err = Error;

    /// Reads `784,128,10`.
    fn from_str(text: &str) -> Result<Widths> {
        let widths: Option<Vec<usize>> = text.split(',').map(|w| w.trim().parse().ok().filter(|w| *w > 0)).collect();
        match widths {
            Some(widths) if widths.len() >= 2 => Ok(Widths(widths)),
            _ => {
                Err(Error::Usage(format!("expected at least two widths above 0, such as 784,128,10, found \"{text}\"")))
            }
        }
    }
}

impl FromStr for BenchTask {
    type Err = Error;

    fn from_str(text: &str) -> Result<BenchTask> {
        match text {
            "classify" => Ok(BenchTask::Classify),
            "regress" => Ok(BenchTask::Regress),
            _ => Err(Error::Usage(format!("expected classify or regress, found \"{text}\""))),
        }
    }
}

impl fmt::Display for Workload {
    /// `784-128-10 b32`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths: Vec<String> = self.layers.iter().map(usize::to_string).collect();
        write!(f, "{} b{}", widths.join("-"), self.batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_named_ones_are_whole_batches() {
        for workload in Workload::all() {
            assert_eq!(workload.rows % workload.batch, 0, "{workload}");
            assert_eq!(Workload::named(&workload.name).unwrap(), workload);
        }
        let message = Workload::named("minst").unwrap_err().to_string();
        assert!(message.contains("did you mean \"mnist\"?"), "{message}");
    }

    #[test]
    fn wrong_networks_are_refused() {
        for text in ["", "4", "4,0,3", "4,x", "4,,3", "4,-1"] {
            assert!(text.parse::<Widths>().is_err(), "{text}");
        }
        let widths = || "4,8,1".parse::<Widths>().unwrap();
        assert!(Workload::custom(widths(), 8, 16, BenchTask::Classify).is_err(), "one class");
        assert!(Workload::custom(widths(), 17, 16, BenchTask::Regress).is_err(), "no whole batch");
        for (giant, rows) in [
            ("18446744073709551615,2", 16),
            ("9999999999,9999999999", 16),
            ("1000000,2", 4_000_000_000),
            ("2,1000000", 4_000_000_000),
        ] {
            assert!(
                Workload::custom(giant.parse().unwrap(), 8, rows, BenchTask::Classify).is_err(),
                "{giant}, {rows} rows"
            );
        }
        assert_eq!(Workload::custom(widths(), 5, 16, BenchTask::Regress).unwrap().steps(), 4);
    }
}
