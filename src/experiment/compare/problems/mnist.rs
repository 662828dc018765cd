//! 10,000 images of MNIST, where its files are at hand.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::parts::{loss_of, network, plain_steps};
use super::{Initial, Problem};
use crate::data::{DataOptions, PartFrom, prepare};
use crate::metrics::MetricName;
use crate::nn::Activation;
use crate::train::score::Scorer;
use crate::{Error, Result};

/// Rows of the training part; validation and test part have a fifth of it each.
const ROWS: u32 = 10_000;
/// Rows of MNIST's own training part.
const ALL: f64 = 60_000.0;

/// Where its folder may be, seen from the working directory.
const PLACES: [&str; 4] = ["datasets/mnist", "mnist", "../datasets/mnist", "../mnist"];

/// The folder of MNIST's four files in the working directory or beside it.
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
    let fifth = ROWS / 5;
    let options = DataOptions { valid: PartFrom::Fraction(f64::from(fifth) / ALL), ..DataOptions::new(folder) };
    let prepared = prepare(&options, 0)?;
    let few = || Error::data(folder, format!("expected MNIST, found fewer than {ROWS} images for training"));
    let (Some(val), Some(test)) = (prepared.val, prepared.test) else { return Err(few()) };
    if prepared.train.rows() < ROWS as usize || test.rows() < ROWS as usize {
        return Err(few());
    }
    let preprocessing = prepared.preprocessing;
    let loss = loss_of(preprocessing.task());
    Ok(Problem {
        name: name.to_owned(),
        description: "10,000 handwritten digits of 28 by 28 pixels, ten classes".to_owned(),
        train: prepared.train.subset(&(0..ROWS).collect::<Vec<_>>()),
        val,
        // The later half of the test part is easier than the first, so rows are taken from all over it.
        test: test.subset(&(0..ROWS).step_by(5).collect::<Vec<_>>()),
        architecture: network(preprocessing.inputs(), &[128], preprocessing.outputs(), Activation::Relu),
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
