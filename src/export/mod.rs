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

use plan::Plan;

use crate::model::Model;
use crate::spec::unknown;
use crate::{Error, Result};

/// What a model is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// ONNX: the whole model, from raw columns.
    Onnx,
    /// One file of C99: the whole model, from raw columns.
    C,
    /// An archive of NumPy arrays: the weights.
    Npz,
    /// JSON: the weights and all that prediction needs besides.
    Json,
}

impl Form {
    /// All of them.
    pub const ALL: [Form; 4] = [Form::Onnx, Form::C, Form::Npz, Form::Json];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Form::Onnx => "onnx",
            Form::C => "c",
            Form::Npz => "npz",
            Form::Json => "json",
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Form {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let found = Form::ALL.into_iter().find(|form| form.name() == text);
        found.ok_or_else(|| unknown("form", text, &Form::ALL.map(Form::name)))
    }
}

/// Writes a model in another form; returns what a user should know of it. `place` names the output in messages.
///
/// # Errors
/// [`Error::Mismatch`] for what the form cannot hold, [`Error::Io`] if the output cannot be written.
pub fn export(model: &Model, form: Form, (out, place): (&mut dyn Write, &Path)) -> Result<Vec<String>> {
    if !model.card.forms.is_empty() && form == Form::Json {
        let message = "its layout is of networks of one form, and the model has several: try onnx, c or npz";
        return Err(Error::Mismatch(message.to_owned()).of_value("to", form.name()));
    }
    let written = match form {
        Form::Onnx => {
            let (bytes, notes) = onnx::encode(&Plan::of(model))?;
            out.write_all(&bytes).map(|()| notes)
        }
        Form::C => {
            let (text, notes) = c::source(&Plan::of(model), &model.sha256())?;
            out.write_all(text.as_bytes()).map(|()| notes)
        }
        Form::Npz => npz::write(model, out).map(|()| Vec::new()),
        Form::Json => json::write(model, out).map(|()| Vec::new()),
    };
    let notes = written.map_err(|e| Error::io(place, e))?;
    out.flush().map_err(|e| Error::io(place, e))?;
    Ok(notes)
}
