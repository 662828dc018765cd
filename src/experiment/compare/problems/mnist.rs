//! MNIST, if its files are available.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::parts::{loss_of, plain_steps};
use super::{Initial, Problem};
use crate::data::{DataOptions, PartFrom, prepare};
use crate::experiment::compare::records::Family;
use crate::metrics::MetricName;
use crate::model::Architecture;
use crate::nn::Activation;
use crate::score::Scorer;
use crate::{Error, Result};

/// Rows of MNIST's own training and test parts. A tenth of the former becomes the validation part.
const ROWS: [usize; 2] = [60_000, 10_000];
const VALIDATION: f64 = 0.1;

/// Folders that are searched, relative to the working directory.
const PLACES: [&str; 4] = ["datasets/mnist", "mnist", "../datasets/mnist", "../mnist"];

/// The folder with MNIST's files, searched for in the working directory and its parent; recognised by the file of training
/// images.
pub fn find_mnist() -> Option<PathBuf> {
    let has_images =
        |folder: &&Path| ["", ".gz"].iter().any(|end| folder.join(format!("train-images-idx3-ubyte{end}")).is_file());
    PLACES.iter().map(Path::new).find(has_images).map(Path::to_path_buf)
}

pub(super) fn problem(name: &str, folder: Option<&Path>) -> Result<Problem> {
    let Some(folder) = folder else {
        let message = format!("MNIST's files are not at hand; looked for the folders {}", PLACES.join(", "));
        return Err(Error::io(name, std::io::Error::new(ErrorKind::NotFound, message)));
    };
    let options = DataOptions { valid: PartFrom::Fraction(VALIDATION), ..DataOptions::new(folder) };
    let prepared = prepare(&options, 0)?;
    let few = || Error::data(folder, format!("expected MNIST with its {} + {} images, found fewer", ROWS[0], ROWS[1]));
    let (Some(val), Some(test)) = (prepared.val, prepared.test) else { return Err(few()) };
    if prepared.train.rows() + val.rows() < ROWS[0] || test.rows() < ROWS[1] {
        return Err(few());
    }
    let preprocessing = prepared.preprocessing;
    let loss = loss_of(preprocessing.task());
    Ok(Problem {
        name: name.to_owned(),
        description: "Handwritten digits of 28 by 28 pixels, ten classes: MNIST whole".to_owned(),
        family: Family::Optimization,
        train: prepared.train,
        val,
        test,
        architecture: Architecture::mlp(preprocessing.inputs(), &[128], preprocessing.outputs(), Activation::Relu),
        initial: Initial { scheme: None, regression: false },
        step: plain_steps(loss),
        batch: 64,
        steps: 2_000,
        scorer: Scorer::new(preprocessing.target(), loss),
        score: MetricName::Accuracy,
        target: None,
        target_source: String::new(),
    })
}
