//! `--schedule help` and similar: the values of an option, with formulas and defaults.

use gradlane::config::Settings;
use gradlane::config::{BEST, PORTFOLIO, PRESETS};
use gradlane::nn::init::Init;
use gradlane::nn::{Activation, Loss};
use gradlane::optim::schedule::Schedule;
use gradlane::{Error, Result};

use super::optimizers;

/// The table for an option with the value `help`, if there is one.
///
/// # Errors
/// If JSON is asked for, or a dialect that does not exist.
pub fn asked(settings: &Settings) -> Result<Option<String>> {
    for name in
        ["preset", "schedule", "dropout_schedule", "decay_schedule", "loss", "init", "activation", "output_activation"]
    {
        if settings.text(name).as_deref() != Some("help") {
            continue;
        }
        if settings.switch("json")? {
            let flag = name.replace('_', "-");
            return Err(Error::Usage(format!("--{flag} help prints a table: leave out --json")));
        }
        return Ok(Some(match name {
            "schedule" | "dropout_schedule" | "decay_schedule" => schedules(),
            "preset" => presets(),
            "loss" => losses(),
            "init" => initialisations(),
            _ => activations(),
        }));
    }
    optimizers::asked(settings)
}

fn line(name: &str, formula: &str) -> String {
    format!("{name:<24}{formula}\n")
}

fn schedules() -> String {
    let mut text = "Schedules of the learning rate; t counts steps from 0, steps are all of the run unless given.\n\
                    Lengths are steps, or parts of the run below 1. warmup=N or warmup=0.05 goes with each.\n\
                    What shows =… must be given.\n\
                    For example --schedule step:every=0.3,gamma=0.1\n\n"
        .to_owned();
    for (name, formula, options) in Schedule::formulas() {
        text += &line(name, formula);
        if !options.is_empty() {
            text += &line("", &format!("[{}]", options.join(", ")));
        }
    }
    text
}

fn presets() -> String {
    let mut text =
        "Presets: lists of options. Any of them may be given beside the preset and then counts.\n\n".to_owned();
    text += &line(
        BEST,
        "Several of these on the same folds, as many as time allows, averaged by weights that out-of-fold predictions",
    );
    text += &line("", "choose: Caruana et al. 2004, https://doi.org/10.1145/1015330.1015432");
    text += &line("", &format!("--portfolio {}", PORTFOLIO.join(",")));
    for preset in &PRESETS {
        text += &line(preset.name, preset.about);
        for (task, options) in [("", preset.options), ("classes: ", preset.classes), ("numbers: ", preset.numbers)] {
            for (name, value) in options {
                let flag = name.replace('_', "-");
                let value = if *value == "true" { String::new() } else { format!(" {value}") };
                text += &line("", &format!("{task}--{flag}{value}"));
            }
        }
    }
    text
}

fn losses() -> String {
    let mut text = "Losses; z are outputs, t targets. For example --loss huber:delta=0.5\n\n".to_owned();
    Loss::ALL.into_iter().for_each(|loss| text += &line(loss.name(), loss.formula()));
    text
}

fn initialisations() -> String {
    let mut text = "Initial weights; n_in and n_out are a layer's inputs and outputs. For example \
                    --init glorot_uniform:gain=1.5\n\n"
        .to_owned();
    Init::formulas().for_each(|(name, formula)| text += &line(name, formula));
    text
}

fn activations() -> String {
    let mut text = "Activations. For example --activation leaky_relu:slope=0.2\n\n".to_owned();
    Activation::ALL.into_iter().for_each(|activation| text += &line(activation.name(), activation.formula()));
    text
}
