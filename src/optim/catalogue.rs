//! Every optimizer by name: the one table for parsing and help. Each entry is defined in its optimizer's file.

use super::algorithm::Algorithm;
use super::entry::Entry;
use super::{
    adadelta, adagrad, adam, adamax, adamw, lamb, lbfgs, lion, muon, nadam, radam, rmsprop, rprop, schedule_free, sgd,
};

/// Converts entries with different option types to entries of [`Algorithm`].
macro_rules! listed {
    ($($entry:path),* $(,)?) => {
        &[$(Entry {
            name: $entry.name,
            source: $entry.source,
            options: |dialect| ($entry.options)(dialect).into(),
            own: $entry.own,
            by_dialect: $entry.by_dialect,
        }),*]
    };
}

/// All optimizers, in the order of the help.
pub const CATALOGUE: &[Entry<Algorithm>] = listed![
    sgd::SGD,
    sgd::MOMENTUM,
    sgd::NESTEROV,
    rmsprop::RMSPROP,
    adam::ADAM,
    adam::AMSGRAD,
    adamw::ADAMW,
    nadam::NADAM,
    radam::RADAM,
    adamax::ADAMAX,
    adagrad::ADAGRAD,
    adadelta::ADADELTA,
    rprop::RPROP,
    lion::LION,
    schedule_free::SCHEDULE_FREE,
    lamb::LAMB,
    muon::MUON,
    lbfgs::LBFGS,
];

/// The optimizer of this name.
pub fn find(name: &str) -> Option<&'static Entry<Algorithm>> {
    CATALOGUE.iter().find(|entry| entry.name == name)
}

/// Every name.
pub fn names() -> Vec<&'static str> {
    CATALOGUE.iter().map(|entry| entry.name).collect()
}
