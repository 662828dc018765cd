//! The options of training that a comparison takes.

/// Options of training that shape a problem of the user's data.
pub const DATA_FLAGS: &[&str] = &[
    "label",
    "task",
    "valid",
    "test",
    "split",
    "scale",
    "no_scale_target",
    "impute",
    "categorical",
    "ignore",
    "na",
    "weight_col",
    "class_weight",
    "balance",
    "positive",
    "format",
    "delimiter",
    "header",
    "hidden",
    "activation",
    "output_activation",
    "dropout",
    "norm",
    "residual",
    "init",
    "loss",
    "batch",
    "l1",
    "l2",
    "weight_decay",
    "decay_bias",
    "clip_norm",
    "clip_value",
    "clip_layer",
    "label_smoothing",
    "epochs",
    "steps",
];
/// Options that any comparison takes.
pub const COMMON_FLAGS: &[&str] =
    &["threads", "seed", "isa", "out", "overwrite", "progress", "quiet", "json", "dry_run"];

/// Help that differs from that of training.
pub const HELP: &[(&str, &str)] = &[
    ("valid", "Validation part, on which settings are chosen [0.15]"),
    ("test", "Test part, on which they are reported [0.15; a folder's own test set]"),
    ("epochs", "Steps of every run, in passes over the training part"),
    ("steps", "Steps of every run [2000]"),
    ("threads", "Runs at a time, each on one thread [auto: the CPUs that may be used]"),
    ("seed", "Seed of the points that are tried and of all runs [0]"),
    ("out", "Where the comparison is written [runs/compare-<date-time>]"),
    ("overwrite", "Replace a comparison that is there"),
    ("quiet", "No progress, no notes and no warnings"),
    ("json", "Print summary.json instead of tables"),
    ("dry_run", "Print problems, spaces, runs and the expected time; run nothing"),
];
