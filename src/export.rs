//! Models in other forms: ONNX, C, NumPy's archive, JSON.

mod c;
mod json;
mod npz;
mod onnx;
mod plan;

use std::fmt;
use std::io::Write;
use std::path::Path;
use std::str::FromStr;

use plan::ExportPlan;

use crate::model::Model;
use crate::spec::unknown;
use crate::{Error, Result};

/// The form that a model is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportForm {
    /// ONNX: the whole model, from raw columns.
    Onnx,
    /// One file of C99: the whole model, from raw columns.
    C,
    /// An archive of NumPy arrays: the weights.
    Npz,
    /// JSON: the weights and everything else that prediction needs.
    Json,
}

impl ExportForm {
    /// All of them.
    pub const ALL: [ExportForm; 4] = [ExportForm::Onnx, ExportForm::C, ExportForm::Npz, ExportForm::Json];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            ExportForm::Onnx => "onnx",
            ExportForm::C => "c",
            ExportForm::Npz => "npz",
            ExportForm::Json => "json",
        }
    }
}

impl fmt::Display for ExportForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ExportForm {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let found = ExportForm::ALL.into_iter().find(|form| form.name() == text);
        found.ok_or_else(|| unknown("form", text, &ExportForm::ALL.map(ExportForm::name)))
    }
}

/// Writes a model in another form and returns notes for the user. `place` names the output in messages.
///
/// # Errors
/// [`Error::Mismatch`] for what the form cannot hold, [`Error::Io`] if the output cannot be written.
pub fn export(model: &Model, form: ExportForm, (out, place): (&mut dyn Write, &Path)) -> Result<Vec<String>> {
    if !model.card.forms.is_empty() && form == ExportForm::Json {
        let message = "its layout is of networks of one form, and the model has several: try onnx, c or npz";
        return Err(Error::Mismatch(message.to_owned()).of_value("to", form.name()));
    }
    let written = match form {
        ExportForm::Onnx => {
            let (bytes, notes) = onnx::encode(&ExportPlan::of(model))?;
            out.write_all(&bytes).map(|()| notes)
        }
        ExportForm::C => {
            let (text, notes) = c::source(&ExportPlan::of(model), &model.sha256())?;
            out.write_all(text.as_bytes()).map(|()| notes)
        }
        ExportForm::Npz => npz::write(model, out).map(|()| Vec::new()),
        ExportForm::Json => json::write(model, out).map(|()| Vec::new()),
    };
    let notes = written.map_err(|e| Error::io(place, e))?;
    out.flush().map_err(|e| Error::io(place, e))?;
    Ok(notes)
}
