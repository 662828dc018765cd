//! A network described in a file, layer by layer.

use toml::Value;

use super::reader::Reader;
use crate::layer::description::Description;
use crate::option_text::option;
use crate::{Error, Result, path_text};

/// Options of the layers, which the description of a network replaces.
pub const STACK_KEYS: [&str; 16] = [
    "hidden",
    "activation",
    "output_activation",
    "norm",
    "residual",
    "dropout",
    "embed",
    "category_embedding",
    "embed_above",
    "embed_levels",
    "members",
    "input_scale",
    "parametric_activation",
    "bias_lr",
    "ntk",
    "zero_output",
];

/// The description in the option `network`: the path of a file, or in a configuration file a table.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read; [`Error::Option`] for a wrong description, and if other options of the network are
/// given too.
pub(super) fn description(reader: &Reader) -> Result<Option<Description>> {
    let Some(value) = reader.value("network") else { return Ok(None) };
    if let Some(other) = STACK_KEYS.into_iter().find(|key| reader.value(key).is_some()) {
        let message = format!("it gives all layers: leave out {}, or {}", option(other), option("network"));
        return Err(reader.wrong("network", &message));
    }
    let described = match value {
        Value::String(path) if path.is_empty() => Err("expected the path of a file, found nothing".to_owned()),
        Value::String(path) => {
            let path = path_text::to_path(path);
            let text = std::fs::read_to_string(&path).map_err(|e| Error::io(&path, e))?;
            Description::parse(&text).map_err(|e| format!("{}: {e}", path.display()))
        }
        Value::Table(table) => Description::new(table.clone()).map_err(|e| e.to_string()),
        other => Err(format!("expected the path of a file, or a table, found {other}")),
    };
    described.map(Some).map_err(|reason| reader.wrong("network", &reason))
}
