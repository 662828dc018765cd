//! `tune.toml`: the protocol of a search, which is needed to resume it after an interruption.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use toml::{Table, Value};

use super::space::Space;
use crate::config::{OptionGroup, SettingOrigin, Settings, duration, find};
use crate::fit::Watched;
use crate::kernel::Isa;
use crate::layer::description::Description;
use crate::run::check_kernels;
use crate::{Error, Result, atomic};

/// Name of the file.
const FILE: &str = "tune.toml";
/// Key of the hash of the data.
const DATA: &str = "data_sha256";
/// Key of the kind of kernels.
const FUSED: &str = "fused";

/// The size of a search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Budget {
    /// A number of settings.
    Trials(usize),
    /// A time.
    Time(Duration),
}

impl Default for Budget {
    /// 27 settings. With two promotions of a third, they take the epochs of nine full runs.
    fn default() -> Budget {
        Budget::Trials(27)
    }
}

/// Upper limit of the trials of a search, since all are kept in memory.
const MOST_TRIALS: usize = 1_000_000;

impl FromStr for Budget {
    type Err = Error;

    fn from_str(text: &str) -> Result<Budget> {
        let wrong =
            || Error::Usage(format!("expected a number of trials such as 27, or a time such as 10m, found \"{text}\""));
        match text.replace('_', "").parse::<usize>() {
            Ok(0) => Err(wrong()),
            Ok(trials) if trials > MOST_TRIALS => {
                Err(Error::Usage(format!("expected {MOST_TRIALS} trials at most, found \"{text}\"")))
            }
            Ok(trials) => Ok(Budget::Trials(trials)),
            Err(_) if text.ends_with(['s', 'm', 'h']) => duration(text).map(Budget::Time).map_err(|_| wrong()),
            Err(_) => Err(wrong()),
        }
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Budget::Trials(trials) => write!(f, "{trials}"),
            Budget::Time(time) => f.write_str(&written(*time)),
        }
    }
}

/// A time as the command line writes it.
fn written(time: Duration) -> String {
    format!("{}s", time.as_secs_f64())
}

/// Everything that determines the results of the trials.
#[derive(Debug, Clone, PartialEq)]
pub struct TuneProtocol {
    settings: Table,
    space: Table,
    metric: String,
    epochs: usize,
    /// Hash of the data; `None` if an older version wrote the file.
    data: Option<String>,
    /// Whether the kernels of the trials fuse multiply-adds, which decides their bits; `None` if it was not recorded.
    fused: Option<bool>,
}

impl TuneProtocol {
    /// The protocol of a search. Threads, a time limit and options of output are left out, so they may differ when a search
    /// is resumed, and so are kernels, as long as they give the same bits.
    pub(super) fn new(settings: &Settings, space: &Space, metric: Watched, epochs: usize) -> TuneProtocol {
        let decides = |name: &str| match find(name) {
            Some(key) => {
                name == "seed" || !(matches!(key.group, OptionGroup::Engine | OptionGroup::Run) || name == "time_limit")
            }
            None => name == "data",
        };
        let mut given = settings.table();
        given.retain(|name, _| decides(name));
        TuneProtocol {
            settings: given,
            space: space.to_table(),
            metric: metric.to_string(),
            epochs,
            data: None,
            fused: None,
        }
    }

    /// The same with the layers of the network in place of the path of their file, since that file may change.
    pub(super) fn with_network(mut self, network: Option<&Description>) -> TuneProtocol {
        if let Some(network) = network {
            self.settings.insert("network".to_owned(), Value::Table(network.table().clone()));
        }
        self
    }

    /// The same with the hash of the data.
    pub(super) fn over(mut self, data: String) -> TuneProtocol {
        self.data = Some(data);
        self
    }

    /// The same with the kernels of the trials.
    pub(super) fn with_kernels(mut self, isa: Isa) -> TuneProtocol {
        self.fused = Some(isa.fuses());
        self
    }

    /// The settings of the recorded search, as if read from a file, so that flags override them.
    pub fn settings(&self, directory: &Path) -> Settings {
        let mut settings = Settings::new();
        for (name, value) in &self.settings {
            settings.set(name, value.clone(), SettingOrigin::File(directory.join(FILE)));
        }
        settings
    }

    /// The search space.
    ///
    /// # Errors
    /// [`Error::Usage`] if the file holds an invalid one.
    pub fn space(&self, directory: &Path) -> Result<Space> {
        Space::from_table(&self.space, &directory.join(FILE).display().to_string())
    }

    /// The metric by which trials are compared.
    ///
    /// # Errors
    /// [`Error::Usage`] if the file holds an invalid one.
    pub fn metric(&self) -> Result<Watched> {
        self.metric.parse()
    }

    /// Reads the file: the protocol and the budget that was given last.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be read, [`Error::Data`] if it is not a protocol, [`Error::Usage`] for an invalid
    /// budget.
    pub fn read(directory: &Path) -> Result<(TuneProtocol, Budget)> {
        let path = directory.join(FILE);
        let text = std::fs::read_to_string(&path).map_err(|e| Error::io(&path, e))?;
        let wrong = |why: &str| Error::data(&path, format!("expected the file of a search: {why}"));
        let table: Table = text.parse().map_err(|e: toml::de::Error| wrong(e.message()))?;
        let part = |name: &str| table.get(name).ok_or_else(|| wrong(&format!("{name} is missing")));
        let text = |name: &str| part(name)?.as_str().map(str::to_owned).ok_or_else(|| wrong(name));
        let inner = |name: &str| part(name)?.as_table().cloned().ok_or_else(|| wrong(name));
        let epochs =
            part("epochs")?.as_integer().and_then(|n| usize::try_from(n).ok()).ok_or_else(|| wrong("epochs"))?;
        let budget = text("budget")?.parse()?;
        let data = table.get(DATA).and_then(Value::as_str).map(str::to_owned);
        let of_fused = |value: &Value| value.as_bool().ok_or_else(|| wrong(FUSED));
        let fused = table.get(FUSED).map(of_fused).transpose()?;
        let (settings, space, metric) = (inner("settings")?, inner("space")?, text("metric")?);
        Ok((TuneProtocol { settings, space, metric, epochs, data, fused }, budget))
    }

    /// The protocol to write when this search is resumed as `now`. Which kernels made its trials stays open if it was not
    /// recorded, since those of `now` make only the rest.
    pub(super) fn resumed_as(&self, now: &TuneProtocol) -> TuneProtocol {
        TuneProtocol { fused: self.fused, ..now.clone() }
    }

    /// Writes the file.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn write(&self, directory: &Path, budget: Budget) -> Result<()> {
        let mut table = Table::new();
        table.insert("budget".to_owned(), budget.to_string().into());
        table.insert("metric".to_owned(), self.metric.clone().into());
        table.insert("epochs".to_owned(), Value::Integer(self.epochs as i64));
        if let Some(data) = &self.data {
            table.insert(DATA.to_owned(), data.clone().into());
        }
        if let Some(fused) = self.fused {
            table.insert(FUSED.to_owned(), fused.into());
        }
        table.insert("settings".to_owned(), Value::Table(self.settings.clone()));
        table.insert("space".to_owned(), Value::Table(self.space.clone()));
        atomic::write(&directory.join(FILE), table.to_string().as_bytes())
    }

    /// Checks that `now` is the same search as this one.
    ///
    /// # Errors
    /// [`Error::Option`] naming the difference.
    pub(super) fn check_same(&self, now: &TuneProtocol, directory: &Path) -> Result<()> {
        let text = |value: Option<&Value>| value.map_or("nothing".to_owned(), ToString::to_string);
        let differs = |what: &str, before: String, now: String| {
            let message = format!("{what} was {before}, and is {now} now: begin another search");
            Err(Error::Usage(message).of_value("resume", directory.display()))
        };
        for (before, now) in [(&self.settings, &now.settings), (&self.space, &now.space)] {
            for name in before.keys().chain(now.keys()) {
                if before.get(name) != now.get(name) {
                    return differs(name, text(before.get(name)), text(now.get(name)));
                }
            }
        }
        if self.metric != now.metric {
            return differs("monitor", self.metric.clone(), now.metric.clone());
        }
        if matches!((&self.data, &now.data), (Some(before), Some(now)) if before != now) {
            let message = "the data have changed since its trials: begin another search".to_owned();
            return Err(Error::Mismatch(message).of_value("resume", directory.display()));
        }
        if let (Some(before), Some(now)) = (self.fused, now.fused) {
            check_kernels("search", before, now).map_err(|e| e.of_value("resume", directory.display()))?;
        }
        if self.epochs != now.epochs {
            return differs("the number of epochs", self.epochs.to_string(), now.epochs.to_string());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_are_trials_or_times() {
        assert_eq!("27".parse::<Budget>().unwrap(), Budget::Trials(27));
        assert_eq!("90s".parse::<Budget>().unwrap(), Budget::Time(Duration::from_secs(90)));
        assert_eq!("1.5m".parse::<Budget>().unwrap().to_string(), "90s");
        for wrong in ["0", "-1", "2.5", "x", "10d", ""] {
            assert!(wrong.parse::<Budget>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_search_is_resumed_only_with_the_same_protocol() {
        let folder = tempfile::tempdir().unwrap();
        let protocol = |lr: f64, seed: i64, threads: i64| {
            let mut settings = Settings::new();
            for (name, value) in [("lr", Value::Float(lr)), ("seed", seed.into()), ("threads", threads.into())] {
                settings.set(name, value, SettingOrigin::Flag);
            }
            let space = Space::parse("batch = [16, 32]", "x").unwrap();
            TuneProtocol::new(&settings, &space, "val_loss".parse().unwrap(), 30)
        };
        protocol(0.1, 1, 2).write(folder.path(), Budget::Trials(5)).unwrap();
        let (before, budget) = TuneProtocol::read(folder.path()).unwrap();
        assert_eq!(budget, Budget::Trials(5));
        before.check_same(&protocol(0.1, 1, 4), folder.path()).expect("threads decide nothing");
        let message = before.check_same(&protocol(0.1, 2, 2), folder.path()).unwrap_err().to_string();
        assert!(message.contains("seed was 1, and is 2 now"), "{message}");
        assert_eq!(before.space(folder.path()).unwrap().to_table(), protocol(0.1, 1, 2).space);
        assert!(before.settings(folder.path()).has("lr") && !before.settings(folder.path()).has("threads"));
    }
}
