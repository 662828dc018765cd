//! The weights that a run begins with, if a file gives them.

use std::path::Path;

use crate::data::Preprocessing;
use crate::model::file::{Model, read_tensors};
use crate::model::{Architecture, Parameters};
use crate::option_text::setting;
use crate::{Error, Result};

/// The weights of a file for a network.
///
/// # Errors
/// [`Error::Option`] if the file has other tensors.
pub(super) fn weights_of(path: &Path, architecture: &Architecture) -> Result<Parameters> {
    let tensors = read_tensors(path)?;
    let listed = tensors.iter().any(|tensor| tensor.name.starts_with("network."));
    let hint = if listed && architecture.chain.is_none() {
        let same = setting("preset", "realmlp");
        format!(": its layers come from a preset or a list: give the same, such as {same}")
    } else {
        String::new()
    };
    Parameters::from_named(architecture, &tensors)
        .map_err(|e| Error::Mismatch(format!("{e}{hint}")).of_value("init_from", path.display()))
}

/// Compares the names of inputs and classes of a model with those of the data. Weights belong to inputs and classes by place, so the
/// same names in another order would mix them up. Returns a note if the names differ, as where a network learns a new task.
///
/// # Errors
/// [`Error::Option`] for the same names in another order.
pub(super) fn note_of_places(path: &Path, data: &Preprocessing) -> Result<Option<String>> {
    // A file without a description of inputs is used as it is.
    let Ok(model) = Model::load(path) else { return Ok(None) };
    let known = &model.card.preprocessing;
    let inputs = |preprocessing: &Preprocessing| match preprocessing {
        Preprocessing::Table(table) => table.input_names(),
        Preprocessing::Images(_) => Vec::new(),
    };
    let classes = |preprocessing: &Preprocessing| preprocessing.target().classes.clone();
    let of_inputs = differing(path, "input", &inputs(known), &inputs(data))?;
    let of_classes = differing(path, "class", &classes(known), &classes(data))?;
    let targets = |preprocessing: &Preprocessing| preprocessing.target().columns.clone();
    let of_targets = if known.target().columns.len() > 1 {
        differing(path, "target", &targets(known), &targets(data))?
    } else {
        None
    };
    Ok(of_inputs.or(of_classes).or(of_targets))
}

fn differing(path: &Path, what: &str, known: &[String], found: &[String]) -> Result<Option<String>> {
    let Some(at) = (0..known.len().min(found.len())).find(|at| known[*at] != found[*at]) else { return Ok(None) };
    let sorted = |names: &[String]| {
        let mut names = names.to_vec();
        names.sort_unstable();
        names
    };
    let (place, before, here) = (at + 1, &known[at], &found[at]);
    if sorted(known) == sorted(found) {
        let message = format!(
            "its weights go by place, and {what} {place} is \"{before}\" there and \"{here}\" in the data: give them the same order"
        );
        return Err(Error::Mismatch(message).of_value("init_from", path.display()));
    }
    let file = path.display();
    Ok(Some(format!("weights of {file} go by place: {what} {place} is \"{before}\" there and \"{here}\" here")))
}
