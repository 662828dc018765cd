//! What is done with the outputs; threads and seed; files and messages.

use OptionGroup::{Decisions, Engine, Run};

use super::super::key::{COMMON, COMPARISON, Key, OptionGroup, SEARCH, TUNE, key, switch};

/// In the order of the help.
pub(super) const KEYS: &[Key] = &[
    key(
        "calibrate",
        "auto|none",
        Decisions,
        "Temperature of the logits, from 500 validation rows for several classes, 3,000 for two [auto]",
        TUNE,
    ),
    key(
        "threshold",
        "P|auto|metric=M",
        Decisions,
        "Say the positive class above this probability; auto and metric=f1 choose it on validation rows [0.5]",
        TUNE,
    ),
    key("threads", "N|auto", Engine, "Threads at most [auto: the CPUs that may be used]", SEARCH | COMPARISON | COMMON),
    switch("exact_threads", Engine, "Use exactly that many threads", SEARCH),
    key("seed", "N", Engine, "Seed of everything random [0]", SEARCH | COMPARISON | COMMON),
    key("isa", "ISA", Engine, "Kernels: auto, portable, avx2 or avx512 [auto]", SEARCH | COMPARISON),
    key("out", "RUNDIR", Run, "Where the run is written [runs/<date-time>]", COMPARISON | COMMON),
    switch("overwrite", Run, "Replace a run that is there", TUNE | COMPARISON | COMMON),
    key(
        "checkpoint_every",
        "EVERY",
        Run,
        "Save what gradlane resume needs: every 500steps, every 30s, or none [30s]",
        0,
    ),
    key(
        "on_divergence",
        "HOW",
        Run,
        "Where loss or weights stop being finite: stop, or retry with the change that helped [stop]",
        0,
    ),
    key("log_steps", "N", Run, "Record every so many steps in events.jsonl", 0),
    key("progress", "HOW", Run, "auto, bar, plain, json or none [auto]", TUNE | COMPARISON),
    switch("quiet", Run, "No progress and no notes", SEARCH | COMPARISON | COMMON),
    switch("verbose", Run, "More notes: rows of each part, network, optimizer, threads", 0),
    switch("json", Run, "Print the summary as one JSON object", SEARCH | COMPARISON | COMMON),
    switch(
        "dry_run",
        Run,
        "Read and check everything, print the plan with its time and memory, do not train",
        TUNE | COMPARISON | COMMON,
    ),
    switch("overfit_batch", Run, "Check the set-up: can the network learn one batch by heart?", 0),
    switch("trace", Run, "Print one forward and backward pass of a small network, every number named", 0),
];
