//! Learning options of a layer, independent of its kind: factors of the learning rate and of decay, freezing, initial
//! values.

use toml::{Table, Value};

use crate::nn::init::Init;
use crate::spec::unknown;
use crate::{Error, Result};

/// Learning options of one part of a tensor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Group {
    /// Factor of the learning rate, above 0.
    pub rate: f64,
    /// Factor of decay and penalties, at least 0.
    pub decay: f64,
    /// Whether these numbers are frozen.
    pub frozen: bool,
    /// Whether decay and penalties apply. If `None`, they apply to matrices, and to everything else only if the run says so.
    pub decays: Option<bool>,
}

impl Default for Group {
    fn default() -> Group {
        Group { rate: 1.0, decay: 1.0, frozen: false, decays: None }
    }
}

/// Initial values of a tensor, as given in a description.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum First {
    /// Drawn by an initialisation scheme.
    Drawn(Init),
    /// This number in every element.
    Filled(f32),
}

/// The options given for a layer, or for one of its tensors; an option that is not given is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Options {
    rate: Option<f64>,
    decay: Option<f64>,
    frozen: Option<bool>,
    decays: Option<bool>,
    init: Option<First>,
}

/// The learning options given for a layer: for all its tensors, and for single ones by their names, such as `bias`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Learning {
    whole: Options,
    parts: Vec<(String, Options)>,
}

/// Names of the options in a description.
const KEYS: [&str; 5] = ["lr", "decay", "frozen", "decays", "init"];

impl Options {
    /// These options, with missing ones taken from `others`.
    fn or(self, others: Options) -> Options {
        Options {
            rate: self.rate.or(others.rate),
            decay: self.decay.or(others.decay),
            frozen: self.frozen.or(others.frozen),
            decays: self.decays.or(others.decays),
            init: self.init.or(others.init),
        }
    }

    /// These options without those that are given in `others`.
    fn without(self, others: Options) -> Options {
        Options {
            rate: self.rate.filter(|_| others.rate.is_none()),
            decay: self.decay.filter(|_| others.decay.is_none()),
            frozen: self.frozen.filter(|_| others.frozen.is_none()),
            decays: self.decays.filter(|_| others.decays.is_none()),
            init: self.init.filter(|_| others.init.is_none()),
        }
    }

    /// Sets the option `key`; false if there is no such option.
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
    /// Reads the options of a layer whose tensors have these names.
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

    /// Keeps the options that apply to a layer with these tensors; `true` marks a matrix, which a scheme can initialise.
    ///
    /// # Errors
    /// [`Error::Usage`] if a scheme is given for a tensor that is not a matrix.
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

    /// These options, with missing ones taken from `other`. An option given here for the whole layer overrides one given in
    /// `other` for a single tensor. Initial values given for the whole layer apply to the tensor called `first`.
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

    /// The options as a table that [`Learning::read`] reads.
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

    /// The initial values given for the tensor called `name`. Those given for the whole layer apply only to its `first`
    /// tensor.
    pub fn first(&self, name: &str, first: bool) -> Option<First> {
        self.part(name).init.or(self.whole.init.filter(|_| first))
    }

    /// The learning options of the tensor called `name`. Its factors multiply those of its kind, `usual`.
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
