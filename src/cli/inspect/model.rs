//! The description of a model as tables.

use std::path::Path;

use gradlane::data::{Coding, DateUnit, Encoding, Feature, Preprocessing, Shape, Target, Task};
use gradlane::model::{FormDescription, LayerLine, ModelDescription, NetworkDescription};
use serde_json::Value;

use crate::cli::decided;
use crate::cli::progress::thousands;
use crate::cli::table;

/// The most classes and levels that are listed by name.
const MOST_NAMES: usize = 12;
/// The most epochs of the history that are shown.
const EPOCHS: usize = 10;
/// The most columns that are shown one by one.
const MOST_COLUMNS: usize = 200;

/// The description of a model for people.
pub fn readable(path: &Path, model: &ModelDescription, summary: Option<&Value>) -> String {
    let target = model.preprocessing.target();
    let mut text = facts(path, model, summary);
    text += "\n";
    if !model.forms.is_empty() {
        text += &format!("{}\nof the first form\n", forms(&model.forms));
    }
    text += &model.network.as_ref().map_or_else(|| layers(model), network);
    text += &match &model.preprocessing {
        Preprocessing::Table(rows) => format!("\n{}", columns(&rows.features)),
        Preprocessing::Images(images) => {
            format!("\nimages of {}, bytes times {:.6}\n", joined(&images.shape, " × "), images.scale)
        }
    };
    if target.task == Task::Regression {
        text += &format!("\n{}", targets(target));
    }
    if !model.history.is_empty() {
        text += &format!("\n{}", history(&model.history));
    }
    text
}

fn joined(numbers: &[usize], between: &str) -> String {
    numbers.iter().map(usize::to_string).collect::<Vec<_>>().join(between)
}

fn names(all: &[String]) -> String {
    let mut text = all.iter().take(MOST_NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
    if all.len() > MOST_NAMES {
        text += &format!(", … ({} more)", all.len() - MOST_NAMES);
    }
    text
}

fn facts(path: &Path, model: &ModelDescription, summary: Option<&Value>) -> String {
    let smoothing = match model.label_smoothing {
        0.0 => String::new(),
        amount => format!(", label smoothing {amount}"),
    };
    let mut facts = vec![
        ("model", path.display().to_string()),
        ("task", model.task.to_string()),
        ("label", names(&model.labels)),
        ("classes", names(&model.classes)),
        ("loss", format!("{}{smoothing}", model.loss)),
        ("ensemble", if model.members > 1 { format!("{} networks, averaged", model.members) } else { String::new() }),
        ("parameters", thousands(model.parameters as f64)),
    ];
    if let Preprocessing::Table(rows) = &model.preprocessing {
        facts.push(("weights by", rows.weight.clone().unwrap_or_default()));
        facts.extend(rows.reading.iter().map(|how| ("read with", how.clone())));
    }
    facts.extend(decided::facts(&model.decision, model.preprocessing.target()));
    if let Some(summary) = summary {
        let (epochs, steps) = (&summary["epochs"], &summary["steps"]);
        let stopped = summary["stopped"].as_str().unwrap_or("?");
        let kept = table::kept_weights_of(summary);
        facts.push(("run", format!("{epochs} epochs, {steps} steps, stopped: {stopped}, {kept} kept")));
    }
    facts.push(("weights", model.weights_sha256.clone()));
    let line = |(name, value): &(&str, String)| format!("{name:<12}{value}\n");
    facts.iter().filter(|(_, value)| !value.is_empty()).map(line).collect()
}

/// The forms of the networks.
fn forms(forms: &[FormDescription]) -> String {
    let header = ["form", "networks", "weight", "temperature", "inputs", "parameters"].map(str::to_owned);
    let row = |form: &FormDescription| {
        let numbers = [form.members, form.inputs, form.parameters].map(|number| thousands(number as f64));
        let [members, inputs, parameters] = numbers;
        let (weight, temperature) = (format!("{:.3}", form.weight), table::figure(Some(form.temperature)));
        vec![form.name.clone(), members, weight, temperature, inputs, parameters]
    };
    table::plain(&header, &forms.iter().map(row).collect::<Vec<_>>())
}

fn layers(model: &ModelDescription) -> String {
    let header =
        ["layer", "inputs", "outputs", "norm", "activation", "residual", "dropout", "parameters"].map(str::to_owned);
    let row = |layer: &gradlane::model::LayerDescription| {
        let or_none = |word: Option<&str>| word.unwrap_or("–").to_owned();
        vec![
            layer.name.clone(),
            layer.inputs.to_string(),
            layer.outputs.to_string(),
            or_none(layer.norm.as_deref()),
            layer.activation.clone(),
            or_none(layer.residual),
            if layer.dropout == 0.0 { "–".to_owned() } else { layer.dropout.to_string() },
            thousands(layer.parameters as f64),
        ]
    };
    table::with_text(&header, &model.layers.iter().map(row).collect::<Vec<_>>(), &[3, 4, 5])
}

/// Layers that a file described; layers within a layer come before it.
fn network(network: &NetworkDescription) -> String {
    let header = ["layer", "inputs", "outputs", "parameters", "what"].map(str::to_owned);
    let row = |line: &LayerLine| {
        let numbers = [line.inputs, line.outputs].map(|n| n.to_string());
        let [inputs, outputs] = numbers;
        vec![line.name.clone(), inputs, outputs, thousands(line.parameters as f64), line.what.clone()]
    };
    table::with_text(&header, &network.lines.iter().map(row).collect::<Vec<_>>(), &[4])
}

fn columns(features: &[Feature]) -> String {
    let header = ["column", "inputs", "missing becomes", "inputs are"].map(str::to_owned);
    let shown = features.iter().take(MOST_COLUMNS);
    let row = |feature: &Feature| {
        let (missing, inputs) = encoding(&feature.encoding);
        vec![feature.column.clone(), feature.width().to_string(), missing, inputs]
    };
    let mut text = table::with_text(&header, &shown.map(row).collect::<Vec<_>>(), &[2, 3]);
    if features.len() > MOST_COLUMNS {
        text += &format!("… and {} more columns (--json has all)\n", features.len() - MOST_COLUMNS);
    }
    text
}

/// The replacement of a missing value, and the inputs of a column.
fn encoding(encoding: &Encoding) -> (String, String) {
    match encoding {
        Encoding::Number { fill, indicator, center, scale, shape } => {
            let indicated = if *indicator { " and an indicator" } else { "" };
            (format!("{}{indicated}", table::short(*fill)), bent("x", (*center, *scale), shape))
        }
        Encoding::Date { form, cycles, fill, indicator, center, scale, shape } => {
            let indicated = if *indicator { " and an indicator" } else { "" };
            let cycles: String = cycles.iter().map(|cycle| format!(", sin and cos of {}", cycle.name())).collect();
            let unit = match form.unit {
                DateUnit::Days => "days",
                DateUnit::Seconds | DateUnit::Clock => "seconds",
            };
            (format!("{}{indicated}", form.written(*fill)), format!("{}{cycles}", bent(unit, (*center, *scale), shape)))
        }
        Encoding::Category { levels, coding: Coding::Single([first, neither, second]), .. } => {
            let level = |at: usize, value: &f64| format!("{} for {}", table::short(*value), levels[at]);
            (table::short(*neither), format!("{}, {}", level(0, first), level(1, second)))
        }
        Encoding::Category { levels, other, missing, coding, .. } => {
            let missing = match (missing, other, coding) {
                (true, ..) => "a level",
                (false, true, _) => "other",
                (false, false, Coding::Number) => "unknown",
                (false, false, _) => "all 0",
            };
            let other = if *other { ", other" } else { "" };
            let (before, after) = match coding {
                Coding::Number => (format!("the number of one of {} levels: ", levels.len()), ""),
                Coding::Values(_) => (String::new(), "; scaled, smooth clip"),
                Coding::ZerosAndOnes | Coding::Single(_) => (String::new(), ""),
            };
            (missing.to_owned(), format!("{before}{}{other}{after}", names(levels)))
        }
    }
}

/// A number that is centred, scaled and transformed.
fn bent(what: &str, (center, scale): (f64, f64), shape: &Shape) -> String {
    let scaled = || format!("({what} − {}) / {}", table::short(center), table::short(scale));
    match shape {
        Shape::Line => scaled(),
        Shape::SmoothClip => format!("{}, smooth clip to ±3", scaled()),
        Shape::Normal(quantiles) => format!("normal by {} quantiles of {what}", quantiles.len()),
    }
}

fn targets(target: &Target) -> String {
    let mut header = vec!["target", "mean", "sd"];
    if !target.range.is_empty() {
        header.extend(["least", "most"]);
    }
    let row = |(at, name): (usize, &String)| {
        let range = target.range.get(at).into_iter().flatten().copied();
        let figures = [target.mean[at], target.sd[at]].into_iter().chain(range);
        std::iter::once(name.clone()).chain(figures.map(table::short)).collect::<Vec<_>>()
    };
    let header: Vec<String> = header.into_iter().map(str::to_owned).collect();
    table::plain(&header, &target.columns.iter().enumerate().map(row).collect::<Vec<_>>())
}

/// Some evenly spaced epochs, including the best and the last.
fn history(epochs: &[Value]) -> String {
    let every = epochs.len().div_ceil(EPOCHS);
    let best = epochs.iter().rposition(|epoch| epoch["best"] == true);
    let shown = |at: &usize| at.is_multiple_of(every) || *at + 1 == epochs.len() || Some(*at) == best;
    let figures = ["train_loss", "train_accuracy", "train_rmse", "val_loss", "val_accuracy", "val_rmse", "lr"];
    let there: Vec<&str> = figures.into_iter().filter(|name| epochs[0].get(name).is_some()).collect();
    let header = ["epoch"].iter().chain(&there).map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let row = |at: usize| {
        let mark = if Some(at) == best { " *" } else { "" };
        let figures = there.iter().map(|name| table::figure(epochs[at][*name].as_f64()));
        std::iter::once(format!("{}{mark}", epochs[at]["epoch"])).chain(figures).collect::<Vec<_>>()
    };
    table::plain(&header, &(0..epochs.len()).filter(shown).map(row).collect::<Vec<_>>())
}
