//! The network of a configuration, and what its layers want to know of the inputs: which hold numbers, and which belong together.

use crate::config::{ModelOptions, TrainConfig};
use crate::data::{Encoding, Features, Prepared, Preprocessing, Scaling, Targets};
use crate::layer::Sizes;
use crate::layer::description::Description;
use crate::layer::{Fit, Goals, Layer, fit};
use crate::model::Architecture;
use crate::model::inputs::{InputSpan, numbers};
use crate::model::recipe::{Extras, Recipe};
use crate::option_text::setting;
use crate::{Error, Result};

/// Refuses a network that does not fit into memory.
pub(super) fn refuse_giant(architecture: &Architecture) -> Result<()> {
    if architecture.fits_into_memory() {
        return Ok(());
    }
    let (count, option) =
        (architecture.linear_parameters(), if architecture.chain.is_some() { "network" } else { "hidden" });
    let message = format!("a network of {count} parameters does not fit into memory: use fewer units");
    Err(Error::Memory(message).of(option))
}

/// Refuses a network file that looks up codes in numbers that are scaled.
pub(super) fn refuse_scaled_codes(config: &TrainConfig) -> Result<()> {
    let looks_up = config.model.network.as_ref().is_some_and(Description::looks_up);
    if !looks_up || config.data.scale == Some(Scaling::None) {
        return Ok(());
    }
    let message =
        format!("its lookup reads numbers as codes, and numbers are scaled: add {}", setting("scale", "none"));
    Err(Error::Usage(message).of("network"))
}

/// The network of a configuration, fitted to the training rows.
pub(super) fn architecture(config: &TrainConfig, sizes: Sizes, prepared: &Prepared) -> Result<Architecture> {
    let built = built(&config.model, prepared)?;
    let described = config.model.network.as_ref().or(built.as_ref());
    let layers = described.map(|network| network.layers(sizes)).transpose();
    let mut architecture = Architecture {
        inputs: sizes.inputs,
        hidden: config.model.hidden.clone(),
        outputs: sizes.outputs,
        activations: config.model.activations.clone(),
        output_activation: config.model.output_activation,
        norm: config.model.norm,
        residual: config.model.residual,
        dropout: config.model.dropout,
        chain: layers.map_err(|e| Error::Mismatch(e.to_string()).of("network"))?,
    };
    if let Some(chain) = &mut architecture.chain {
        fit_layers(chain, prepared);
    }
    if let Some(what) = architecture.contradiction() {
        return Err(Error::Mismatch(what).of("network"));
    }
    Ok(architecture)
}

/// The inputs that a preprocessing gives, as spans that belong together.
fn spans(preprocessing: &Preprocessing) -> Vec<InputSpan> {
    let Preprocessing::Table(table) = preprocessing else { return vec![InputSpan::Number; preprocessing.inputs()] };
    let mut spans = Vec::new();
    for feature in &table.features {
        match (feature.levels(), &feature.encoding) {
            (Some(levels), _) => spans.push(InputSpan::Level(levels)),
            (None, Encoding::Category { .. }) => spans.push(InputSpan::Plain(feature.width())),
            (None, Encoding::Number { .. } | Encoding::Date { .. }) => {
                spans.push(InputSpan::Number);
                // A mark of missing values and the waves of a date are no numbers of their own.
                spans.extend(vec![InputSpan::Plain(1); feature.width() - 1]);
            }
        }
    }
    spans
}

/// The layers that options of tabular networks stand for, if any are given.
///
/// # Errors
/// [`crate::Error::Mismatch`] for data that were prepared for other options.
fn built(model: &ModelOptions, prepared: &Prepared) -> Result<Option<Description>> {
    let spans = spans(&prepared.preprocessing);
    let by_number = spans.iter().any(|span| matches!(span, InputSpan::Level(_)));
    if (model.network.is_some() || model.extras == Extras::default()) && !by_number {
        return Ok(None);
    }
    let recipe = Recipe {
        hidden: &model.hidden,
        activations: &model.activations,
        output_activation: model.output_activation,
        norm: model.norm,
        dropout: model.dropout,
        extras: model.extras,
        scheme_given: model.init.is_some(),
    };
    recipe.describe(&spans).map(Some)
}

/// Lets layers look at the training rows.
fn fit_layers(chain: &mut [Layer], prepared: &Prepared) {
    let numbers = numbers(&spans(&prepared.preprocessing));
    let features = &prepared.train.features;
    let column = |input: usize| match features {
        Features::F32 { values, cols } => values.iter().skip(input).step_by(*cols).copied().collect(),
        Features::U8 { values, cols, scale } => {
            values.iter().skip(input).step_by(*cols).map(|byte| f32::from(*byte) * scale).collect()
        }
        Features::Blocks(blocks) => blocks.column(input),
    };
    let targets = match &prepared.train.targets {
        Targets::Classes { labels, classes } => Goals::Classes { labels, classes: *classes },
        Targets::Values { values, cols, .. } => Goals::Values { values, cols: *cols },
    };
    fit(chain, &Fit { numbers: &numbers, column: &column, targets });
}
