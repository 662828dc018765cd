//! Problems from the small data sets that are compiled into the program.

use super::parts::{loss_of, plain_steps, target};
use super::{Initial, Problem};
use crate::data::{DataOptions, Dataset, Features, PartFrom, Prepared, Targets, Task, prepare_bytes};
use crate::experiment::compare::records::Family;
use crate::metrics::MetricName;
use crate::model::Architecture;
use crate::nn::{Activation, Loss};
use crate::score::Scorer;
use crate::{Error, Result};

macro_rules! shipped {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/datasets/", $name, ".csv"))
    };
}

const BREAST_CANCER: &[u8] = shipped!("breast_cancer");
const CREDIT: &[u8] = shipped!("credit");
const DIABETES: &[u8] = shipped!("diabetes");
const DIGITS: &[u8] = shipped!("digits");

/// Shares of the validation and of the test part. They are larger than the defaults of training, because results on small
/// parts are noisy.
const SHARE: f64 = 0.2;

/// The properties of a table's problem, without its rows.
struct ShippedForm {
    family: Family,
    description: &'static str,
    hidden: &'static [usize],
    batch: usize,
    steps: u64,
    score: MetricName,
}

pub fn breast_cancer(name: &'static str) -> Result<Problem> {
    let form = ShippedForm {
        family: Family::SmallData,
        description: "Malignant or benign, from 30 measurements of cell nuclei: few rows, soon learnt by heart",
        hidden: &[64, 32],
        batch: 32,
        steps: 1_500,
        score: MetricName::Accuracy,
    };
    table(name, BREAST_CANCER, form)
}

pub fn credit(name: &'static str) -> Result<Problem> {
    let form = ShippedForm {
        family: Family::Noise,
        description: "Good or bad credit, from numbers and categories with gaps: much of it is chance",
        hidden: &[64, 32],
        batch: 64,
        steps: 2_000,
        score: MetricName::Auroc,
    };
    table(name, CREDIT, form)
}

pub fn diabetes(name: &'static str) -> Result<Problem> {
    let form = ShippedForm {
        family: Family::SmallData,
        description: "Progression of diabetes from ten measurements: a small, noisy regression",
        hidden: &[32, 16],
        batch: 32,
        steps: 2_000,
        score: MetricName::Rmse,
    };
    table(name, DIABETES, form)
}

pub fn digits(name: &'static str) -> Result<Problem> {
    let form = ShippedForm {
        family: Family::SmallData,
        description: "Handwritten digits of 8 by 8 pixels, ten classes",
        hidden: &[128, 64],
        batch: 32,
        steps: 3_000,
        score: MetricName::Accuracy,
    };
    table(name, DIGITS, form)
}

/// An autoencoder of the digits with a bottleneck of 16 units.
pub fn digits_autoencoder(name: &'static str) -> Result<Problem> {
    let prepared = prepared(name, DIGITS)?;
    let [train, val, test] = parts(name, prepared)?.map(|data| itself(&data));
    let inputs = train.features.cols();
    Ok(Problem {
        name: name.to_owned(),
        description: "Handwritten digits through a bottleneck of 16 units and back: long, curved valleys".to_owned(),
        family: Family::Optimization,
        train,
        val,
        test,
        architecture: Architecture::mlp(inputs, &[64, 16, 64], inputs, Activation::Tanh),
        initial: Initial { scheme: None, regression: true },
        step: plain_steps(Loss::Mse),
        batch: 32,
        steps: 8_000,
        scorer: Scorer::new(&target(Task::Regression, inputs), Loss::Mse),
        score: MetricName::Rmse,
        target: None,
        target_source: String::new(),
    })
}

fn table(name: &str, bytes: &'static [u8], form: ShippedForm) -> Result<Problem> {
    let prepared = prepared(name, bytes)?;
    let preprocessing = prepared.preprocessing.clone();
    let task = preprocessing.task();
    let loss = loss_of(task);
    let [train, val, test] = parts(name, prepared)?;
    Ok(Problem {
        name: name.to_owned(),
        description: form.description.to_owned(),
        family: form.family,
        train,
        val,
        test,
        architecture: Architecture::mlp(preprocessing.inputs(), form.hidden, preprocessing.outputs(), Activation::Relu),
        initial: Initial { scheme: None, regression: task == Task::Regression },
        step: plain_steps(loss),
        batch: form.batch,
        steps: form.steps,
        scorer: Scorer::new(preprocessing.target(), loss),
        score: form.score,
        target: None,
        target_source: String::new(),
    })
}

/// Prepares a table. The split into parts is the same for every run.
fn prepared(name: &str, bytes: &'static [u8]) -> Result<Prepared> {
    let options = DataOptions {
        valid: PartFrom::Fraction(SHARE),
        test: Some(PartFrom::Fraction(SHARE)),
        ..DataOptions::new(format!("{name}.csv"))
    };
    prepare_bytes(bytes, &options, 0)
}

fn parts(name: &str, prepared: Prepared) -> Result<[Dataset; 3]> {
    match (prepared.val, prepared.test) {
        (Some(val), Some(test)) => Ok([prepared.train, val, test]),
        _ => Err(Error::Mismatch(format!("{name}: a part of the data is empty"))),
    }
}

/// The same rows with their inputs as targets.
fn itself(data: &Dataset) -> Dataset {
    let targets = match &data.features {
        Features::F32 { values, cols } => Targets::Values { values: values.clone(), units: None, cols: *cols },
        Features::U8 { values, cols, scale } => Targets::Values {
            values: values.iter().map(|byte| f32::from(*byte) * scale).collect(),
            units: None,
            cols: *cols,
        },
        Features::Blocks(_) => unreachable!("data of problems are read whole"),
    };
    Dataset { features: data.features.clone(), targets, weights: data.weights.clone() }
}
