//! Options of tabular networks: what they add to a stack of layers.

use toml::Value;

use super::reader::{Reader, positive};
use crate::Result;
use crate::data::LevelNumbers;
use crate::model::recipe::{Biases, CategoryEmbedding, Extras, Members};
use crate::option_text::option;

/// The default number of one-hot inputs up to which a category is not embedded.
const ONE_HOT: u64 = 8;
/// The default number of levels of a category that have vectors, at most.
const LEVELS: u64 = 10_000;
/// The most features of an embedded category.
const MOST_DIM: u64 = 1024;
/// The most levels of an embedded category, not counting `other` and missing values.
const MOST_EMBEDDED: usize = 1_000_000;

/// Reads the options.
///
/// # Errors
/// [`crate::Error::Option`] for wrong values.
pub(super) fn extras(reader: &Reader) -> Result<Extras> {
    let factor = |name| reader.number(name, "a factor above 0", positive);
    let factor_or_none = |name| if reader.text(name).as_deref() == Some("none") { Ok(None) } else { factor(name) };
    Ok(Extras {
        embed: reader.parse("embed")?.unwrap_or_default(),
        categories: categories(reader)?,
        members: reader.parse("members")?.unwrap_or_default(),
        input_scale: factor_or_none("input_scale")?,
        parametric: factor_or_none("parametric_activation")?,
        bias_lr: factor("bias_lr")?,
        ntk: reader.switch("ntk")?,
        zero_output: reader.switch("zero_output")?,
    })
}

/// Which categories are embedded as learnt vectors.
fn categories(reader: &Reader) -> Result<Option<CategoryEmbedding>> {
    let dim = reader.count("category_embedding", 1, &["none"])?;
    let (above, most) = (reader.count("embed_above", 1, &[])?, reader.count("embed_levels", 1, &[])?);
    let Some(dim) = dim else {
        let given = [("embed_above", above), ("embed_levels", most)].into_iter().find(|(_, given)| given.is_some());
        return given.map_or(Ok(None), |(name, _)| {
            let remedy = option("category_embedding");
            Err(reader.wrong(name, &format!("all categories are one-hot inputs: give {remedy}, such as 8")))
        });
    };
    if dim > MOST_DIM {
        return Err(reader.wrong("category_embedding", &format!("expected at most {MOST_DIM} features")));
    }
    let (above, most) = (above.unwrap_or(ONE_HOT) as usize, most.unwrap_or(LEVELS) as usize);
    if most > MOST_EMBEDDED {
        return Err(reader.wrong("embed_levels", &format!("expected at most {MOST_EMBEDDED} levels")));
    }
    Ok(Some(CategoryEmbedding { dim: dim as usize, levels: LevelNumbers { above, most } }))
}

/// The initialisation of biases. Those of members begin alike, whatever a preset says.
///
/// # Errors
/// [`crate::Error::Option`] for an unknown word, and for a flag beside members.
pub(super) fn biases(reader: &Reader, extras: &Extras) -> Result<Biases> {
    let named = |text: &str| {
        let found = Biases::NAMES.into_iter().find(|(name, _)| *name == text).map(|(_, biases)| biases);
        found.ok_or_else(|| format!("expected {}, found \"{text}\"", Biases::NAMES.map(|(name, _)| name).join(", ")))
    };
    let biases = reader.with("bias_init", named)?.unwrap_or_default();
    if extras.members == Members::None || biases == Biases::Scheme {
        return Ok(biases);
    }
    if reader.is_flag("bias_init") {
        let message = format!("the biases of {} begin alike: leave one of the two out", option("members"));
        return Err(reader.wrong("bias_init", &message));
    }
    Ok(Biases::Scheme)
}

/// Whether hidden layers add their input; those of a tabular network do not.
///
/// # Errors
/// [`crate::Error::Option`] if both are asked for.
pub(super) fn residual(reader: &Reader, extras: &Extras) -> Result<bool> {
    let residual = reader.switch("residual")?;
    if residual && *extras != Extras::default() {
        let others =
            ["embed", "category_embedding", "members", "input_scale", "parametric_activation", "bias_lr", "ntk"];
        let others = others.map(|name| option(name).to_string()).join(", ");
        let message = format!(
            "it does not go with {others} and {}: leave it out, or use {}",
            option("zero_output"),
            option("network")
        );
        return Err(reader.wrong("residual", &message));
    }
    Ok(residual)
}

/// The options that differ from their defaults, for the file that repeats a run.
pub(super) fn entries(extras: &Extras) -> Vec<(&'static str, Value)> {
    let usual = Extras::default();
    let mut entries: Vec<(&'static str, Value)> = Vec::new();
    if extras.embed != usual.embed {
        entries.push(("embed", extras.embed.to_string().into()));
    }
    if let Some(CategoryEmbedding { dim, levels: LevelNumbers { above, most } }) = extras.categories {
        let numbers = [("category_embedding", dim), ("embed_above", above), ("embed_levels", most)];
        entries.extend(numbers.map(|(name, number)| (name, Value::Integer(number as i64))));
    }
    if extras.members != usual.members {
        entries.push(("members", extras.members.to_string().into()));
    }
    let factors = [
        ("input_scale", extras.input_scale),
        ("parametric_activation", extras.parametric),
        ("bias_lr", extras.bias_lr),
    ];
    entries.extend(factors.into_iter().filter_map(|(name, factor)| Some((name, factor?.into()))));
    let switches = [("ntk", extras.ntk), ("zero_output", extras.zero_output)];
    entries.extend(switches.into_iter().filter(|(_, on)| *on).map(|(name, on)| (name, on.into())));
    entries
}
