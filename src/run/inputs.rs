//! What layers want to know of the inputs: which hold numbers, and which belong together.

use crate::Result;
use crate::config::ModelOptions;
use crate::data::{Encoding, Features, Prepared, Preprocessing, Targets};
use crate::layer::description::Description;
use crate::layer::{Fit, Goals, Layer, fit};
use crate::model::recipe::{Extras, Recipe};

/// The inputs that hold numbers, and how many inputs each run of them has that belongs together: a number, or a category.
pub(super) struct Inputs {
    pub(super) numbers: Vec<usize>,
    pub(super) runs: Vec<usize>,
}

impl Inputs {
    /// The inputs that a preprocessing gives.
    pub(super) fn of(preprocessing: &Preprocessing) -> Inputs {
        let Preprocessing::Table(table) = preprocessing else {
            let count = preprocessing.inputs();
            return Inputs { numbers: (0..count).collect(), runs: vec![1; count] };
        };
        let (mut numbers, mut runs, mut first) = (Vec::new(), Vec::new(), 0);
        for feature in &table.features {
            let width = feature.width();
            if matches!(feature.encoding, Encoding::Category { .. }) {
                runs.push(width);
            } else {
                // A mark of missing values and the waves of a date are no numbers of their own.
                numbers.push(first);
                runs.extend(vec![1; width]);
            }
            first += width;
        }
        Inputs { numbers, runs }
    }
}

/// The layers that options of tabular networks stand for, if any are given.
///
/// # Errors
/// None that options allow.
pub(super) fn built(model: &ModelOptions, prepared: &Prepared) -> Result<Option<Description>> {
    if model.network.is_some() || model.extras == Extras::default() {
        return Ok(None);
    }
    let inputs = Inputs::of(&prepared.preprocessing);
    let recipe = Recipe {
        hidden: &model.hidden,
        activations: &model.activations,
        output_activation: model.output_activation,
        norm: model.norm,
        dropout: model.dropout,
        extras: model.extras,
        scheme_given: model.init.is_some(),
    };
    recipe.describe(&inputs.numbers, &inputs.runs).map(Some)
}

/// Lets layers look at the training rows.
pub(super) fn fit_layers(chain: &mut [Layer], prepared: &Prepared) {
    let inputs = Inputs::of(&prepared.preprocessing);
    let features = &prepared.train.features;
    let column = |input: usize| match features {
        Features::F32 { values, cols } => values.iter().skip(input).step_by(*cols).copied().collect(),
        Features::U8 { values, cols, scale } => {
            values.iter().skip(input).step_by(*cols).map(|byte| f32::from(*byte) * scale).collect()
        }
    };
    let targets = match &prepared.train.targets {
        Targets::Classes { labels, classes } => Goals::Classes { labels, classes: *classes },
        Targets::Values { values, cols, .. } => Goals::Values { values, cols: *cols },
    };
    fit(chain, &Fit { numbers: &inputs.numbers, column: &column, targets });
}
