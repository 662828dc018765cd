//! Help texts of a comparison that differ from those of training.

/// Help texts that differ from those of training.
pub const HELP: &[(&str, &str)] = &[
    ("valid", "Validation part, on which settings are chosen [0.15]"),
    ("test", "Test part, on which they are reported [0.15; a folder's own test set]"),
    ("epochs", "Steps of every run, in passes over the training part"),
    ("steps", "Steps of every run [2000]"),
    ("threads", "Runs at a time, each on one thread [auto: the CPUs that may be used]"),
    ("seed", "Seed of the points that are tried and of all runs [0]"),
    ("out", "Where the comparison is written [runs/compare-<date-time>]"),
    ("overwrite", "Replace a comparison that is there"),
    ("quiet", "No progress, no notes, and no warnings about the comparison"),
    ("json", "Print summary.json instead of tables"),
    ("dry_run", "Print problems, spaces, runs and the expected time; run nothing"),
];
