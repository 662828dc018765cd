//! How a layer learns, apart from its kind: factors of the learning rate and of decay, freezing, first values.

use toml::{Table, Value};

use crate::nn::init::Init;
use crate::spec::unknown;
use crate::{Error, Result};

/// How the numbers of one part of a tensor learn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Group {
    /// Factor of the learning rate, above 0.
    pub rate: f64,
    /// Factor of decay and penalties, at least 0.
    pub decay: f64,
    /// Whether they stay as they are.
    pub frozen: bool,
    /// Whether decay and penalties are for them; of matrices, and of all where the run says so, if nothing is said.
    pub decays: Option<bool>,
}

impl Default for Group {
    fn default() -> Group {
        Group { rate: 1.0, decay: 1.0, frozen: false, decays: None }
    }
}

/// What a tensor begins with, where a description says so.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum First {
    /// Drawn by a scheme.
    Drawn(Init),
    /// One number everywhere.
    Filled(f32),
}

/// What is said of a layer, or of one of its tensors; the rest is as usual.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Options {
    rate: Option<f64>,
    decay: Option<f64>,
    frozen: Option<bool>,
    decays: Option<bool>,
    init: Option<First>,
}

/// How a layer learns: what is said of all its tensors, and of some by their names, such as `bias`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Learning {
    whole: Options,
    parts: Vec<(String, Options)>,
}

/// What the options are called in a description.
const KEYS: [&str; 5] = ["lr", "decay", "frozen", "decays", "init"];

impl Options {
    /// These, or the others where these say nothing.
    fn or(self, others: Options) -> Options {
        Options {
            rate: self.rate.or(others.rate),
            decay: self.decay.or(others.decay),
            frozen: self.frozen.or(others.frozen),
            decays: self.decays.or(others.decays),
            init: self.init.or(others.init),
        }
    }

    /// These without what the others say.
    fn without(self, others: Options) -> Options {
        Options {
            rate: self.rate.filter(|_| others.rate.is_none()),
            decay: self.decay.filter(|_| others.decay.is_none()),
            frozen: self.frozen.filter(|_| others.frozen.is_none()),
            decays: self.decays.filter(|_| others.decays.is_none()),
            init: self.init.filter(|_| others.init.is_none()),
        }
    }

    /// Takes the option `key`; false for another key.
    fn take(&mut self, key: &str, value: &Value) -> std::result::Result<bool, String> {
        let number = value.as_float().or(value.as_integer().map(|n| n as f64)).filter(|x| x.is_finite());
        let wrong = |expected: &str| format!("expected {expected}, found {value}");
        match key {
            "lr" => self.rate = Some(number.filter(|x| *x > 0.0).ok_or_else(|| wrong("a factor above 0"))?),
            "decay" => self.decay = Some(number.filter(|x| *x >= 0.0).ok_or_else(|| wrong("a factor of at least 0"))?),
            "frozen" => self.frozen = Some(value.as_bool().ok_or_else(|| wrong("true or false"))?),
            "decays" => self.decays = Some(value.as_bool().ok_or_else(|| wrong("true or false"))?),
            "init" => {
                self.init = Some(match (value, number) {
                    (Value::String(scheme), _) => First::Drawn(scheme.parse().map_err(|e: Error| e.to_string())?),
                    (_, Some(number)) if (number as f32).is_finite() => First::Filled(number as f32),
                    _ => return Err(wrong("a scheme such as \"orthogonal\", or a number")),
                });
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn write(&self, table: &mut Table) {
        let first = self.init.map(|init| match init {
            First::Drawn(scheme) => Value::String(scheme.to_string()),
            First::Filled(number) => Value::Float(f64::from(number)),
        });
        let values = [
            self.rate.map(Value::Float),
            self.decay.map(Value::Float),
            self.frozen.map(Value::Boolean),
            self.decays.map(Value::Boolean),
            first,
        ];
        for (key, value) in KEYS.iter().zip(values) {
            table.extend(value.map(|value| ((*key).to_owned(), value)));
        }
    }
}

impl Learning {
    /// Reads the table of a layer whose tensors have these names.
    ///
    /// # Errors
    /// [`Error::Usage`] with the path of what is wrong.
    pub(super) fn read(value: &Value, path: &str, tensors: &[&str]) -> Result<Learning> {
        let wrong = |path: String, why: String| Error::Usage(format!("{path}: {why}"));
        let Value::Table(table) = value else {
            return Err(wrong(path.to_owned(), format!("expected a table such as {{ lr = 0.1 }}, found {value}")));
        };
        let mut learning = Learning::default();
        for (key, value) in table {
            let at = format!("{path}.{key}");
            if learning.whole.take(key, value).map_err(|why| wrong(at.clone(), why))? {
                continue;
            }
            let (true, Value::Table(part)) = (tensors.contains(&key.as_str()), value) else {
                let keys: Vec<&str> = KEYS.into_iter().chain(tensors.iter().copied()).collect();
                return Err(wrong(path.to_owned(), unknown("option", key, &keys).to_string()));
            };
            let mut options = Options::default();
            for (key, value) in part {
                if !options.take(key, value).map_err(|why| wrong(format!("{at}.{key}"), why))? {
                    return Err(wrong(at, unknown("option", key, &KEYS).to_string()));
                }
            }
            learning.parts.push((key.clone(), options));
        }
        Ok(learning)
    }

    /// What of it is for a layer with these tensors; `true` where one is a matrix, which a scheme can draw.
    ///
    /// # Errors
    /// [`Error::Usage`] where a scheme is to draw something else.
    pub(super) fn of_tensors(mut self, path: &str, tensors: &[(String, bool)]) -> Result<Learning> {
        self.parts.retain(|(part, _)| tensors.iter().any(|(name, _)| name == part));
        for (n, (name, is_matrix)) in tensors.iter().enumerate() {
            if let (false, Some(First::Drawn(scheme))) = (is_matrix, self.first(name, n == 0)) {
                return Err(Error::Usage(format!(
                    "{path}: {name} is no matrix that {scheme} could draw: give a number"
                )));
            }
        }
        Ok(self)
    }

    /// This, or what the other says where this says nothing: what is said of the whole layer here counts more than what is said of
    /// a tensor there. The layer's `first` tensor has the first values that are said of the whole.
    pub(super) fn or(mut self, other: &Learning, first: &str) -> Learning {
        let own = self.whole;
        self.whole = own.or(other.whole);
        for (name, options) in &other.parts {
            let init = own.init.filter(|_| name == first);
            let options = &options.without(Options { init, ..own });
            match self.parts.iter_mut().find(|(part, _)| part == name) {
                Some((_, own)) => *own = own.or(*options),
                None => self.parts.push((name.clone(), *options)),
            }
        }
        self
    }

    /// The table that [`Learning::read`] reads.
    pub(super) fn table(&self) -> Table {
        let mut table = Table::new();
        self.whole.write(&mut table);
        for (name, options) in &self.parts {
            let mut part = Table::new();
            options.write(&mut part);
            table.insert(name.clone(), Value::Table(part));
        }
        table
    }

    fn part(&self, name: &str) -> Options {
        self.parts.iter().find(|(part, _)| part == name).map(|(_, options)| *options).unwrap_or_default()
    }

    /// What the tensor of this name begins with; what is said of the whole layer is said of its `first` tensor.
    pub fn first(&self, name: &str, first: bool) -> Option<First> {
        self.part(name).init.or(self.whole.init.filter(|_| first))
    }

    /// How the tensor of this name learns; its kind's own factors are `usual`, which these multiply.
    pub fn group(&self, name: &str, usual: Group) -> Group {
        let options = self.part(name).or(self.whole);
        Group {
            rate: usual.rate * options.rate.unwrap_or(1.0),
            decay: usual.decay * options.decay.unwrap_or(1.0),
            frozen: options.frozen.unwrap_or(usual.frozen),
            decays: options.decays.or(usual.decays),
        }
    }
}
