//! The effective configuration, as a file that repeats the run.

use toml::{Table, Value};

use super::model::ModelOptions;
use super::optimizer::{BatchSize, OptimizerOptions};
use super::stopping::StoppingOptions;
use super::tabular;
use super::train::{OutputOptions, TrainConfig};
use crate::data::DataOptions;
use crate::fit::{Every, Patience};
use crate::kernel::Isa;
use crate::layer::MemberRows;
use crate::path_text;

impl TrainConfig {
    /// The configuration as a file that repeats the run; `batch` and `epochs` are the values used.
    pub fn to_toml(&self, batch: usize, epochs: usize) -> String {
        let mut table = entries_of_data(&self.data);
        let mut put = |name: &str, value: Value| table.insert(name.to_owned(), value);
        put("no_shuffle", (!self.shuffle).into());
        if let Some(folds) = self.cv {
            put("cv", if folds.repeats > 1 { folds.to_string().into() } else { (folds.folds as i64).into() });
        }
        put("seed", i64::try_from(self.seed).map_or_else(|_| self.seed.to_string().into(), Value::Integer));
        if let Some(portfolio) = &self.portfolio {
            portfolio.write(self, &mut table);
            return table.to_string();
        }
        let mut put = |name: &str, value: Value| table.insert(name.to_owned(), value);
        if !self.augment.is_none() {
            put("augment", self.augment.to_string().into());
        }
        if self.members > 1 {
            put("ensemble", (self.members as i64).into());
        }
        for (name, value) in self.model.entries().into_iter().chain(self.optimizer.entries(batch)) {
            put(name, value);
        }
        for (name, value) in self.stopping.entries(epochs) {
            put(name, value);
        }
        for (name, value) in self.decision.entries() {
            put(name, value);
        }
        if let Some(threads) = self.threads.threads {
            put("threads", (threads as i64).into());
        }
        put("exact_threads", self.threads.exact.into());
        // Another CPU may lack the fastest instruction set of this one, and must be able to repeat the run.
        let isa = if self.threads.isa == Isa::detect() { "auto" } else { self.threads.isa.name() };
        put("isa", isa.into());
        for (name, value) in self.output.entries() {
            put(name, value);
        }
        table.to_string()
    }
}

/// The options of the data that are not empty.
fn entries_of_data(data: &DataOptions) -> Table {
    let mut table = Table::try_from(data).unwrap_or_default();
    if !data.scale_target && table.remove("scale_target").is_some() {
        table.insert("no_scale_target".into(), true.into());
    }
    table.remove("scale_target");
    table.retain(|_, value| !matches!(value, Value::Array(items) if items.is_empty()));
    table
}

impl ModelOptions {
    fn entries(&self) -> Vec<(&'static str, Value)> {
        let mut entries = match &self.network {
            Some(network) => vec![("network", Value::Table(network.table().clone()))],
            None => self.stack(),
        };
        entries.push(("loss", self.loss.map_or("auto".to_owned(), |l| l.to_string()).into()));
        if self.bias_init != Default::default() {
            entries.push(("bias_init", self.bias_init.name().into()));
        }
        entries.extend(self.init.as_ref().map(|init| ("init", init.to_string().into())));
        entries.extend(self.init_from.as_ref().map(|path| ("init_from", path_text::to_text(path).into())));
        if !self.freeze.is_empty() {
            entries.push(("freeze", Value::Array(self.freeze.iter().map(|name| name.as_str().into()).collect())));
        }
        entries
    }

    /// The options of the layers.
    fn stack(&self) -> Vec<(&'static str, Value)> {
        let widths = match self.hidden.as_slice() {
            [] => "none".into(),
            widths => Value::Array(widths.iter().map(|w| Value::Integer(*w as i64)).collect()),
        };
        let mut entries = vec![
            ("hidden", widths),
            ("output_activation", self.output_activation.to_string().into()),
            ("dropout", self.dropout.into()),
            ("norm", self.norm.map_or("none".to_owned(), |n| n.to_string()).into()),
            ("residual", self.residual.into()),
        ];
        if !self.activations.is_empty() {
            let names: Vec<String> = self.activations.iter().map(ToString::to_string).collect();
            entries.push(("activation", names.join(",").into()));
        }
        entries.extend(tabular::entries(&self.extras));
        entries
    }
}

impl OptimizerOptions {
    fn entries(&self, batch: usize) -> Vec<(&'static str, Value)> {
        let batch = match self.batch {
            BatchSize::Full => "full".into(),
            BatchSize::Rows(_) | BatchSize::Auto | BatchSize::ByRows => Value::Integer(batch as i64),
        };
        let mut entries = vec![
            ("optimizer", self.spec.to_string().into()),
            ("lr", self.spec.lr.into()),
            ("schedule", self.schedule.to_string().into()),
            ("batch", batch),
            ("accumulate", (self.accumulate as i64).into()),
            ("l1", self.l1.into()),
            ("l2", self.l2.into()),
            ("weight_decay", self.weight_decay.into()),
            ("decay_bias", self.decay_bias.into()),
            ("label_smoothing", self.label_smoothing.into()),
        ];
        if self.member_rows == MemberRows::Own {
            entries.push(("member_rows", "own".into()));
        }
        let schedules = [("dropout_schedule", &self.dropout_schedule), ("decay_schedule", &self.decay_schedule)];
        let given = schedules.into_iter().filter_map(|(name, schedule)| Some((name, schedule.as_ref()?)));
        entries.extend(given.map(|(name, schedule)| (name, schedule.to_string().into())));
        entries.extend(self.spec.dialect.map(|dialect| ("dialect", dialect.name().into())));
        entries.extend(self.clip_norm.map(|(x, norm)| ("clip_norm", format!("{x}:{norm}").into())));
        let optional = [("clip_value", self.clip_value), ("clip_layer", self.clip_layer), ("ema", self.ema)];
        entries.extend(optional.into_iter().filter_map(|(name, value)| Some((name, value?.into()))));
        entries
    }
}

impl StoppingOptions {
    fn entries(&self, epochs: usize) -> Vec<(&'static str, Value)> {
        // Early stopping applies only because the number of epochs was chosen by the program.
        let chosen = self.epochs.is_none() && self.steps.is_none();
        let epochs_entry = if chosen { "auto".into() } else { Value::Integer(epochs as i64) };
        let mut entries = vec![("epochs", epochs_entry), ("min_delta", self.min_delta.into())];
        entries.extend(self.steps.map(|n| ("steps", (n as i64).into())));
        entries.extend(self.time_limit.map(|t| ("time_limit", format!("{}s", t.as_secs_f64()).into())));
        entries.extend(self.target.map(|goal| ("target", goal.to_string().into())));
        entries.extend(self.monitor.map(|m| ("monitor", m.to_string().into())));
        entries.extend(self.patience.and_then(|patience| match patience {
            Patience::Never => Some(("patience", "none".into())),
            Patience::After(epochs) => Some(("patience", (epochs as i64).into())),
            Patience::Early => None,
        }));
        entries.extend(self.fail_under.map(|goal| ("fail_under", goal.to_string().into())));
        let numbers = [("tol_loss", self.tol_loss), ("tol_grad", self.tol_grad)];
        entries.extend(numbers.into_iter().filter_map(|(name, value)| Some((name, value?.into()))));
        entries
    }
}

impl OutputOptions {
    /// What decides the files of a repetition; not the directory.
    fn entries(&self) -> Vec<(&'static str, Value)> {
        let checkpoint_every = match self.checkpoint_every {
            None => "none".to_owned(),
            Some(Every::Steps(steps)) => format!("{steps}steps"),
            Some(Every::Seconds(seconds)) => format!("{seconds}s"),
        };
        let log_steps = self.log_steps.map(|steps| ("log_steps", (steps as i64).into()));
        let retry = self.retry.then(|| ("on_divergence", "retry".into()));
        log_steps.into_iter().chain([("checkpoint_every", checkpoint_every.into())]).chain(retry).collect()
    }
}
