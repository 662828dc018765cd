//! Every option of training in one table, which flags, help and the checks of configuration files are made from.

use OptionGroup::{Data, Decisions, Engine, Model, Optimizer, Run, Stopping};

use super::key::{
    COMMON, COMPARE, COMPARISON, DATA, Key, OptionGroup, READING, SEARCH, SWEEP, TUNE, key, list, switch,
};

/// All options of training, in the order of the help.
pub const KEYS: &[Key] = &[
    list(
        "label",
        "NAME|INDEX",
        Data,
        "Label column; repeat for several targets or labels [last column]",
        SEARCH | COMPARE | DATA | COMMON,
    ),
    key(
        "task",
        "TASK",
        Data,
        "auto, regression, binary, multiclass or multilabel [auto]",
        SEARCH | COMPARE | DATA | COMMON,
    ),
    key("valid", "FILE|FRACTION|none", Data, "Validation part [0.1]", SEARCH | COMPARE | DATA | COMMON),
    key(
        "test",
        "FILE|FRACTION|none",
        Data,
        "Test part [none; a folder's own test set]",
        TUNE | COMPARE | DATA | COMMON,
    ),
    key(
        "cv",
        "K[xR]",
        Data,
        "Judge the settings on K folds first, which take the place of --valid; 5x3 deals three times",
        TUNE | COMMON,
    ),
    key(
        "split",
        "MODE",
        Data,
        "How rows are dealt: stratified, random, group:COLUMN or time:COLUMN [stratified]",
        SEARCH | COMPARE | DATA,
    ),
    key(
        "scale",
        "SCALE",
        Data,
        "Scaling of numbers: standard, minmax, robust, robust_clip, quantile or none [standard; images: 1/255]",
        SEARCH | COMPARE | DATA,
    ),
    switch("no_scale_target", Data, "Train on a regression's targets in their own units", SEARCH | COMPARE),
    key(
        "impute",
        "HOW",
        Data,
        "What stands in for a missing number: median, mean, most_frequent or zero [median]",
        SEARCH | COMPARE | DATA,
    ),
    key(
        "one_hot",
        "N",
        Data,
        "Levels of a one-hot category with an input at most; rarer ones share one [64]",
        SEARCH | COMPARE | DATA,
    ),
    switch(
        "binary_column",
        Data,
        "Make a category of two levels one input, -1 or 1, in place of two",
        SEARCH | COMPARE | DATA,
    ),
    switch(
        "clamp",
        Data,
        "Keep a regression's predictions within the range of the training targets",
        SEARCH | COMPARE | DATA,
    ),
    list("categorical", "COLUMNS", Data, "Number columns that are categories", SEARCH | COMPARE | DATA),
    list("ignore", "COLUMNS", Data, "Columns to leave out", SEARCH | COMPARE | DATA | COMMON),
    list(
        "keep_column",
        "COLUMNS",
        Data,
        "Columns to keep that would be left out, or are warned about",
        SEARCH | COMPARE | DATA,
    ),
    list(
        "na",
        "TEXTS",
        Data,
        "Texts that mean a missing value; +TEXT adds to the defaults [NA,NaN,?,…]",
        SEARCH | COMPARE | READING,
    ),
    key("weight_col", "COLUMN", Data, "Column with a weight for each row", SEARCH | COMPARE | DATA),
    key("class_weight", "WEIGHTS", Data, "balanced, or weights of classes: A=2,B=1", SEARCH | COMPARE | DATA),
    key(
        "balance",
        "HOW",
        Data,
        "Resampling of the training part: none, over, under or smote [none]",
        SEARCH | COMPARE | DATA,
    ),
    key(
        "augment",
        "LIST",
        Data,
        "Change training rows anew in each epoch: noise=0.1,mixup=0.2 for tables, shift=2,flip for images [none]",
        TUNE,
    ),
    key("positive", "CLASS", Data, "The positive class of a binary task [the second]", SEARCH | COMPARE | DATA),
    key(
        "format",
        "FORMAT",
        Data,
        "auto, csv, tsv, jsonl, parquet, npy, npz, pack, libsvm or idx [auto]",
        SEARCH | COMPARE | READING,
    ),
    key(
        "delimiter",
        "CHAR",
        Data,
        "Delimiter of columns: a character, tab, comma, semicolon, pipe, space [found]",
        SEARCH | COMPARE | READING,
    ),
    key("header", "YES|NO|auto", Data, "Whether the first line names the columns [auto]", SEARCH | COMPARE | READING),
    key(
        "quote",
        "CHAR|none",
        Data,
        "What encloses cells that contain the delimiter [\"; found]",
        SEARCH | COMPARE | READING,
    ),
    key("comment", "CHAR", Data, "What begins lines that are left out [found]", SEARCH | COMPARE | READING),
    key(
        "encoding",
        "NAME",
        Data,
        "Encoding of the text, e.g. latin1, windows-1251, utf-16le [utf-8; found]",
        SEARCH | COMPARE | READING,
    ),
    key("decimal", ".|,|auto", Data, "What stands before the decimals [auto]", SEARCH | COMPARE | READING),
    key("thousands", "CHAR", Data, "What parts the thousands of a number [found]", SEARCH | COMPARE | READING),
    list(
        "dates",
        "COLUMN=FORMAT",
        Data,
        "How dates are written: day=%d/%m/%Y, day=auto, or day=text for no dates [auto]",
        SEARCH | COMPARE | READING,
    ),
    switch("strict", Data, "Take warnings about the data for errors", SEARCH | COMPARE | READING),
    key(
        "shuffle",
        "rows|blocks",
        Data,
        "Shuffle all rows, or blocks of them, which are read from the disk as they are needed [rows]",
        SEARCH | DATA,
    ),
    switch("no_shuffle", Data, "Go through the rows in the order of the file", SEARCH),
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
        "With --preset best: the presets that it trains, in this order, however long they take",
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

/// The option with this key.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// Names of the options for some uses, in the order of the table.
pub fn names_for(uses: u8) -> Vec<&'static str> {
    KEYS.iter().filter(|key| key.is_for(uses)).map(|key| key.name).collect()
}

#[cfg(test)]
mod tests {
    use toml::Value;

    use super::super::{SettingOrigin, Settings, TrainConfig};
    use super::*;

    /// Options whose default depends on the data, on other options or on the time; the help describes it in words.
    const IN_WORDS: [&str; 12] = [
        "label",
        "positive",
        "delimiter",
        "comment",
        "thousands",
        "na",
        "dates",
        "init",
        "dialect",
        "lr",
        "monitor",
        "preset",
    ];
    /// Options whose default is resolved only once the data are known; `tests/cli/config.rs` trains with these.
    const BY_THE_DATA: [&str; 6] = ["test", "scale", "impute", "one_hot", "encoding", "quote"];
    /// Options that have an effect only together with another option.
    const NEEDED: [(&str, (&str, &str)); 2] =
        [("embed_above", ("category_embedding", "4")), ("embed_levels", ("category_embedding", "4"))];

    fn configured(given: &[(&str, &str)]) -> String {
        let mut settings = Settings::new();
        settings.set("data", "x.csv".into(), SettingOrigin::Flag);
        for (name, value) in given {
            settings.set(name, Value::String((*value).to_owned()), SettingOrigin::Flag);
        }
        TrainConfig::new(settings).map(|config| format!("{config:?}")).unwrap_or_else(|e| e.to_string())
    }

    /// An option set to the default of its help must give the same configuration as no option.
    #[test]
    fn the_help_says_the_defaults_that_count() {
        let mut checked = 0;
        for key in KEYS.iter().filter(|key| ![&IN_WORDS[..], &BY_THE_DATA, &["out"]].concat().contains(&key.name)) {
            let Some((_, default)) = key.help.strip_suffix(']').and_then(|help| help.rsplit_once(" [")) else {
                continue;
            };
            let default = default.split([';', ':']).next().unwrap_or_default();
            let needed = NEEDED.iter().find(|(name, _)| *name == key.name).map(|(_, needed)| *needed);
            let without: Vec<_> = needed.into_iter().collect();
            let with = [&without[..], &[(key.name, default)]].concat();
            let (with, without) = (configured(&with), configured(&without));
            // The factor 1 is the default, but giving it lists the layers one by one.
            let with = if key.name == "bias_lr" { with.replace("bias_lr: Some(1.0)", "bias_lr: None") } else { with };
            assert_eq!(with, without, "--{} {default}", key.name);
            checked += 1;
        }
        assert!(checked > 35, "{checked}");
    }
}
