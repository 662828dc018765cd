//! The network, its first values and its loss.

use OptionGroup::Model;

use super::super::key::{COMMON, COMPARE, Key, OptionGroup, SEARCH, SWEEP, key, list, switch};

/// In the order of the help.
pub(super) const KEYS: &[Key] = &[
    key(
        "preset",
        "NAME",
        Model,
        "Recipe: plain, realmlp, best, …, or help [train on tables: realmlp]",
        SEARCH | COMMON,
    ),
    list(
        "portfolio",
        "PRESETS",
        Model,
        "With --preset best: the presets that it trains, in this order; all of them without --time-limit",
        0,
    ),
    key("hidden", "WIDTHS|none", Model, "Widths of the hidden layers [256,128]", SEARCH | COMPARE | COMMON),
    key("activation", "NAMES", Model, "Activation of the hidden layers: one, or one for each [relu]", SEARCH | COMPARE),
    key("output_activation", "NAME", Model, "Activation of the outputs [identity]", SEARCH | COMPARE),
    key(
        "ensemble",
        "N",
        Model,
        "Train N networks of different seeds, or the folds of --cv, and average what they say [1]",
        COMMON,
    ),
    key("dropout", "RATE", Model, "Share of hidden units dropped in training [0]", SEARCH | COMPARE | COMMON),
    key("norm", "NORM", Model, "Normalisation in hidden layers: none, layer or rms [none]", SEARCH | COMPARE),
    switch("residual", Model, "Add each hidden layer's input to its output", SEARCH | COMPARE),
    key(
        "embed",
        "EMBEDDING",
        Model,
        "Features of each number: none, pbld, or ple:bins=48,dim=16,by=quantiles|tree [none]",
        SEARCH | COMPARE,
    ),
    key(
        "category_embedding",
        "DIM|none",
        Model,
        "Learn so many features for each level of categories with many levels [none: one-hot inputs]",
        SEARCH | COMPARE,
    ),
    key(
        "embed_above",
        "N",
        Model,
        "With --category-embedding: categories of up to so many levels stay one-hot [8]",
        SEARCH | COMPARE,
    ),
    key(
        "embed_levels",
        "N",
        Model,
        "With --category-embedding: levels of a category with a vector at most; rarer ones share one [10000]",
        SEARCH | COMPARE,
    ),
    key(
        "members",
        "HOW:N",
        Model,
        "An ensemble in one network: none, tabm:32, tabm-mini:32 or packed:8 [none]",
        SEARCH | COMPARE,
    ),
    key(
        "input_scale",
        "FACTOR",
        Model,
        "Learn a gain for each input, at so many times the rate [none]",
        SEARCH | COMPARE,
    ),
    key(
        "parametric_activation",
        "FACTOR",
        Model,
        "Learn the strength of each unit's activation, at so many times the rate [none]",
        SEARCH | COMPARE,
    ),
    key("bias_lr", "FACTOR", Model, "Factor of the learning rate of biases [1]", SEARCH | COMPARE),
    switch("ntk", Model, "Let weights learn as in the NTK parametrisation", SEARCH | COMPARE),
    switch("zero_output", Model, "Let the output layer begin at 0", SEARCH | COMPARE),
    key(
        "network",
        "FILE.toml",
        Model,
        "A list of layers from a file, in place of all these (docs/networks.md)",
        SEARCH | COMPARE,
    ),
    key(
        "init",
        "SCHEME",
        Model,
        "Initial weights [he_normal for relu-like, glorot_uniform otherwise]",
        SEARCH | COMPARE,
    ),
    key("bias_init", "HOW", Model, "Initial biases: scheme, normal, or he+5 by the training rows [scheme: 0]", SEARCH),
    list("freeze", "LAYERS", Model, "Layers or tensors that stay as --init-from gives them, e.g. layers.0", SEARCH),
    key(
        "loss",
        "LOSS",
        Model,
        "auto, or e.g. mse, mae, huber:delta=1, logcosh, poisson, focal:gamma=2 [auto]",
        SEARCH | COMPARE,
    ),
    key("init_from", "FILE", Model, "Start from the weights of a .safetensors file", SWEEP),
];
