//! The optimizer and its gradient, and when training ends.

use OptionGroup::{Optimizer, Stopping};

use super::super::key::{COMMON, COMPARE, Key, OptionGroup, SEARCH, TUNE, key, switch};

/// In the order of the help.
pub(super) const KEYS: &[Key] = &[
    key(
        "optimizer",
        "SPEC",
        Optimizer,
        "E.g. sgd, nesterov, rmsprop, lion, adam:beta2=0.95,eps=1e-8; help lists them all [adam]",
        SEARCH | COMMON,
    ),
    key(
        "dialect",
        "LIBRARY",
        Optimizer,
        "Equations and defaults of a library: torch, keras or sklearn [torch's equations, our initial weights]",
        SEARCH,
    ),
    key("lr", "RATE", Optimizer, "Learning rate [the optimizer's own]", TUNE | COMMON),
    key(
        "schedule",
        "SPEC",
        Optimizer,
        "E.g. const, step:…, cosine:warmup=0.05, onecycle, plateau:… [cosine]",
        TUNE | COMMON,
    ),
    key(
        "dropout_schedule",
        "SPEC",
        Optimizer,
        "Factor of dropout from step to step, in the words of --schedule",
        SEARCH,
    ),
    key("decay_schedule", "SPEC", Optimizer, "Factor of decay and penalties, in the words of --schedule", SEARCH),
    key(
        "batch",
        "N|full|auto",
        Optimizer,
        "Rows of a mini-batch [auto: 128, halved to 16 for few rows]",
        SEARCH | COMPARE | COMMON,
    ),
    key("accumulate", "N", Optimizer, "Mini-batches combined into one step [1]", SEARCH),
    key("l1", "λ", Optimizer, "Penalty λ Σ|w| on the weights [0]", SEARCH | COMPARE),
    key("l2", "λ", Optimizer, "Penalty ½ λ Σ w² on the weights; a dialect scales it its own way [0]", SEARCH | COMPARE),
    key("weight_decay", "λ", Optimizer, "Decoupled weight decay, for any optimizer [0]", SEARCH | COMPARE),
    switch("decay_bias", Optimizer, "Penalties and decay cover biases and norms too", SEARCH | COMPARE),
    key("clip_norm", "X[:1|2|inf]", Optimizer, "Bound of the whole gradient's norm", SEARCH | COMPARE),
    key("clip_value", "X", Optimizer, "Bound of each element of the gradient", SEARCH | COMPARE),
    key("clip_layer", "X", Optimizer, "Bound of the norm of each tensor's gradient", SEARCH | COMPARE),
    key(
        "label_smoothing",
        "ε",
        Optimizer,
        "Draw the targets of classes to (1 − ε) t + ε / classes [0]",
        SEARCH | COMPARE,
    ),
    key(
        "member_rows",
        "HOW",
        Optimizer,
        "Rows of the members of a network in a step: shared, or own in orders of their own [shared]",
        SEARCH,
    ),
    key("ema", "DECAY", Optimizer, "Evaluate and keep a moving average of the weights", TUNE),
    key(
        "epochs",
        "N|auto",
        Stopping,
        "Passes over the training part [auto: 20, or 4,000 steps, at most 500]",
        TUNE | COMPARE | COMMON,
    ),
    key("steps", "N", Stopping, "Stop after so many optimizer steps", SEARCH | COMPARE),
    key(
        "time_limit",
        "TIME",
        Stopping,
        "Stop when the command has taken 90s, 10m or 2h, reading included",
        TUNE | COMMON,
    ),
    key("target", "GOAL", Stopping, "Stop when reached, e.g. 'val_loss<=0.05'", 0),
    key(
        "monitor",
        "METRIC",
        Stopping,
        "Decides the best weights and patience [val_accuracy, or val_loss where a class has few rows]",
        0,
    ),
    key(
        "patience",
        "N|auto|none",
        Stopping,
        "Stop after so many epochs without a better value [auto: none, but where --epochs is auto early]",
        TUNE | COMMON,
    ),
    key("min_delta", "X", Stopping, "How much better counts as better [0]", TUNE),
    key("tol_loss", "X", Stopping, "Converged when train_loss changes by less than this from epoch to epoch", TUNE),
    key("tol_grad", "X", Stopping, "Converged when the gradient norm falls to this", TUNE),
    key("fail_under", "GOAL", Stopping, "Exit with code 11 unless reached, e.g. 'test_accuracy=0.98'", 0),
];
