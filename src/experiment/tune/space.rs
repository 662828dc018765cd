//! The search space: parameters with their ranges, as read from a TOML file.

use std::path::Path;

use toml::{Table, Value};

use super::range::{SearchRange, three_digits};
use crate::config::{Key, OptionGroup, STACK_KEYS, SettingOrigin, Settings, TUNE, TrainConfig, dialect_of, find, keys};
use crate::optim::OptimizerSpec;
use crate::option_text::option;
use crate::spec::unknown;
use crate::{Error, Result};

/// The default space.
pub const STANDARD: &str = include_str!("space.toml");

/// Parameters that are not options of `train` but determine one: `hidden` has `width` units in each of `depth` layers, and
/// `lr` is `lr_factor` times the optimizer's default learning rate.
const DERIVED: [(&str, &str); 3] = [("width", "hidden"), ("depth", "hidden"), ("lr_factor", "lr")];
/// The value of `width` or `depth` if only the other one is searched.
const WIDTH: i64 = 256;
const DEPTH: i64 = 2;

/// Options of the network and its optimizer that cannot be searched. The first two change the meaning of the loss. The third
/// names a file for one network shape. The others change how the data are prepared, which happens only once.
const REFUSED: [&str; 7] =
    ["loss", "label_smoothing", "init_from", "category_embedding", "embed_above", "embed_levels", "preset"];

/// A parameter of the search.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Key of an option of `train`, or `width`, `depth` or `lr_factor`.
    pub name: String,
    /// Its values.
    pub range: SearchRange,
}

/// The parameters of a search.
#[derive(Debug, Clone, PartialEq)]
pub struct Space {
    /// Sorted by name; this is the order of the dimensions of a point.
    pub parameters: Vec<Parameter>,
    /// Name of the file for messages, or its replacement.
    origin: String,
}

/// Upper limit of the hidden layers of a searched network.
const MOST_LAYERS: i64 = 1000;

impl Space {
    /// The default space without the parameters that `settings` fix and those that the given optimizer does not support.
    /// L-BFGS, for example, has no mini-batches and no dropout.
    pub fn standard(settings: &Settings) -> Space {
        let mut space = Space::parse(STANDARD, "the default space").expect("the default space is a space");
        space.parameters.retain(|p| !settings.has(option_of(&p.name)));
        if settings.has("network") {
            space.parameters.retain(|p| !STACK_KEYS.contains(&option_of(&p.name)));
        }
        if settings.text("hidden").as_deref() == Some("none") {
            space.parameters.retain(|p| !["activation", "dropout"].contains(&p.name.as_str()));
        }
        // Settings that are invalid on their own are reported as such elsewhere, not because of the space.
        if settings.has("optimizer") && TrainConfig::new(settings.clone()).is_ok() {
            space.parameters.retain(|p| suits(p, settings));
        }
        space
    }

    /// Reads a space from a file.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, [`Error::Usage`] for wrong TOML, unknown parameters and empty ranges.
    pub fn read(path: &Path) -> Result<Space> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
        Space::parse(&text, &path.display().to_string())
    }

    /// Reads a space from a string; `origin` is its name in messages.
    ///
    /// # Errors
    /// [`Error::Usage`], as [`Space::read`].
    pub fn parse(text: &str, origin: &str) -> Result<Space> {
        let table: Table = text.parse().map_err(|e: toml::de::Error| {
            let line = e.span().map_or(1, |span| text[..span.start].lines().count().max(1));
            Error::Usage(format!("{origin}:{line}: {}", e.message()))
        })?;
        Space::from_table(&table, origin)
    }

    /// The space that a table of parameters describes.
    ///
    /// # Errors
    /// [`Error::Usage`], as [`Space::read`].
    pub fn from_table(table: &Table, origin: &str) -> Result<Space> {
        let wrong = |name: &str, why: &str| Error::Usage(format!("{origin}: {name}: {why}"));
        let mut parameters: Vec<Parameter> = Vec::new();
        for (name, value) in table {
            check_name(name).map_err(|why| wrong(name, &why))?;
            let range = SearchRange::parse(value).map_err(|why| wrong(name, &why))?;
            if let Some(depth) = range.highest().filter(|depth| name == "depth" && *depth > MOST_LAYERS) {
                return Err(wrong(name, &format!("expected {MOST_LAYERS} hidden layers at most, found {depth}")));
            }
            parameters.push(Parameter { name: name.clone(), range });
        }
        // Writing a table does not keep its order, but dimensions must keep their numbers; so they are sorted.
        parameters.sort_by(|a, b| a.name.cmp(&b.name));
        for (derived, option) in DERIVED {
            if table.contains_key(derived) && table.contains_key(option) {
                return Err(wrong(derived, &format!("it decides {option}, which is searched too: leave one out")));
            }
        }
        Ok(Space { parameters, origin: origin.to_owned() })
    }

    /// Returns an error if `settings` fix a searched parameter, or if nothing is searched.
    ///
    /// # Errors
    /// [`Error::Usage`] naming the parameter.
    pub fn check_free(&self, settings: &Settings) -> Result<()> {
        if self.parameters.is_empty() {
            return Err(Error::Usage(format!(
                "{}: nothing is left to search: leave out some of the options that are given, or name others in {}",
                self.origin,
                option("space")
            )));
        }
        match self.parameters.iter().find(|p| settings.has(option_of(&p.name))) {
            Some(p) => Err(Error::Usage(format!(
                "{}: {}: {} is given, and would be searched: leave one out",
                self.origin,
                p.name,
                option(option_of(&p.name))
            ))),
            None => Ok(()),
        }
    }

    /// The space as a table.
    pub fn to_table(&self) -> Table {
        self.parameters.iter().map(|p| (p.name.clone(), p.range.to_value())).collect()
    }

    /// The options of `train` for a point in `[0, 1)^parameters`, given the other settings.
    ///
    /// # Errors
    /// [`Error::Usage`] for an unknown optimizer or dialect.
    pub fn options_at(&self, point: &[f64], settings: &Settings) -> Result<Table> {
        let chosen: Table = self.parameters.iter().zip(point).map(|(p, u)| (p.name.clone(), p.range.at(*u))).collect();
        let integer = |name: &str| chosen.get(name).and_then(Value::as_integer);
        let mut options = Table::new();
        for (name, value) in &chosen {
            match name.as_str() {
                "width" | "depth" => {
                    let (width, depth) = (integer("width").unwrap_or(WIDTH), integer("depth").unwrap_or(DEPTH));
                    let hidden = vec![Value::Integer(width); depth.max(0) as usize];
                    let none = Value::String("none".to_owned());
                    options.insert("hidden".to_owned(), if hidden.is_empty() { none } else { Value::Array(hidden) });
                }
                "lr_factor" => {
                    let name = chosen.get("optimizer").and_then(Value::as_str).map(str::to_owned);
                    let name = name.or_else(|| settings.text("optimizer"));
                    let dialect = dialect_of(self.with_options(settings, &options_of_dialect(&chosen)))?;
                    let spec = OptimizerSpec::parse(name.as_deref().unwrap_or("adam"), dialect)
                        .map_err(|e| Error::Usage(format!("{}: {e}", self.origin)))?;
                    let factor = value.as_float().or(value.as_integer().map(|n| n as f64)).unwrap_or(1.0);
                    options.insert("lr".to_owned(), Value::Float(three_digits(spec.lr * factor)));
                }
                _ => {
                    options.insert(name.clone(), value.clone());
                }
            }
        }
        Ok(options)
    }

    /// The settings together with the options of a point.
    pub fn with_options(&self, settings: &Settings, options: &Table) -> Settings {
        let mut settings = settings.clone();
        for (name, value) in options {
            settings.set(name, value.clone(), SettingOrigin::File(self.origin.clone().into()));
        }
        settings
    }

    /// A message for each parameter whose value at a point is near the end of a logarithmic range.
    pub fn edges(&self, point: &[f64]) -> Vec<String> {
        const EDGE: f64 = 0.05;
        let near = |(p, u): (&Parameter, &f64)| {
            let end = match p.range {
                SearchRange::Log(low, _) if *u < EDGE => format!("lower end {low}"),
                SearchRange::Log(_, high) if *u > 1.0 - EDGE => format!("upper end {high}"),
                SearchRange::LogInt(low, _) if *u < EDGE => format!("lower end {low}"),
                SearchRange::LogInt(_, high) if *u > 1.0 - EDGE => format!("upper end {high}"),
                _ => return None,
            };
            let (name, wider) = (&p.name, option("space"));
            Some(format!("the best {name} is near the {end} of its range: a wider {wider} may hold a better one"))
        };
        self.parameters.iter().zip(point).filter_map(near).collect()
    }
}

/// The dialect of a point, if it is searched.
fn options_of_dialect(chosen: &Table) -> Table {
    chosen.iter().filter(|(name, _)| *name == "dialect").map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Whether training accepts values from the whole range of a parameter together with the settings.
fn suits(parameter: &Parameter, settings: &Settings) -> bool {
    let space = Space { parameters: vec![parameter.clone()], origin: String::new() };
    [0.0, 0.25, 0.5, 0.75, 0.999].into_iter().all(|u| {
        let options = space.options_at(&[u], settings);
        options.is_ok_and(|options| TrainConfig::new(space.with_options(settings, &options)).is_ok())
    })
}

/// The option that a parameter determines.
fn option_of(name: &str) -> &str {
    DERIVED.iter().find(|(derived, _)| *derived == name).map_or(name, |(_, option)| option)
}

fn check_name(name: &str) -> std::result::Result<(), String> {
    let of_networks =
        |key: &Key| matches!(key.group, OptionGroup::Model | OptionGroup::Optimizer) && !REFUSED.contains(&key.name);
    let searchable = |key: &Key| of_networks(key) && key.is_for(TUNE);
    let found = find(name);
    if DERIVED.iter().any(|(derived, _)| *derived == name) || found.is_some_and(searchable) {
        return Ok(());
    }
    if found.is_some_and(of_networks) {
        return Err("it cannot be searched: it is for gradlane train".to_owned());
    }
    if found.is_some() {
        return Err("it cannot be searched: only options of the network and its optimizer can, and none that changes \
                    what a loss means or how data are prepared"
            .to_owned());
    }
    let options = keys().filter(|key| searchable(key)).map(|key| key.name);
    let known: Vec<&str> = DERIVED.iter().map(|(derived, _)| *derived).chain(options).collect();
    Err(unknown("parameter", name, &known).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_covered_from_end_to_end() {
        let space = "lr = { log = [0.001, 0.1] }\ndropout = { linear = [0, 0.5] }\nwidth = { log_int = [8, 64] }\n\
                     depth = { int = [1, 3] }\nbatch = [16, 32]";
        let space = Space::parse(space, "x.toml").unwrap();
        let at = |u: f64| space.options_at(&[u; 5], &Settings::new()).unwrap().to_string();
        assert_eq!(at(0.0), "batch = 16\nhidden = [8]\ndropout = 0.0\nlr = 0.001\n");
        assert_eq!(at(0.5), "batch = 32\nhidden = [22, 22]\ndropout = 0.25\nlr = 0.01\n");
        assert_eq!(at(0.999_999), "batch = 32\nhidden = [64, 64, 64]\ndropout = 0.5\nlr = 0.1\n");
        let again = Space::from_table(&space.to_table(), "x.toml").unwrap();
        assert_eq!(again, space, "a space is written as it is read");
        assert_eq!(
            space.edges(&[0.99, 0.99, 0.01, 0.99, 0.99]).len(),
            2,
            "only logarithmic ranges have edges to tell of"
        );
    }

    #[test]
    fn the_searched_rate_scales_the_optimizers_own() {
        let space = Space::parse("optimizer = [\"adam\", \"sgd\"]\nlr_factor = { log = [0.1, 10] }", "x").unwrap();
        let rate = |u: f64| space.options_at(&[0.5, u], &Settings::new()).unwrap()["lr"].as_float().unwrap();
        assert_eq!((rate(0.0), rate(0.9)), (0.001, 0.01));
    }

    #[test]
    fn the_rate_is_that_of_the_dialect() {
        let space = Space::parse("lr_factor = { log = [1, 10] }", "x").unwrap();
        for (dialect, rate) in [("torch", 1.0), ("keras", 0.001)] {
            let mut settings = Settings::new();
            settings.set("optimizer", Value::String("adadelta".into()), SettingOrigin::Flag);
            settings.set("dialect", Value::String(dialect.into()), SettingOrigin::Flag);
            assert_eq!(space.options_at(&[0.0], &settings).unwrap()["lr"].as_float(), Some(rate), "{dialect}");
        }
        let space = Space::parse("optimizer = [\"sgd\"]\ndialect = [\"torch\"]\nlr_factor = [1]", "x").unwrap();
        assert_eq!(space.options_at(&[0.0; 3], &Settings::new()).unwrap()["lr"].as_float(), Some(0.001));
    }

    #[test]
    fn the_default_space_suits_the_optimizer() {
        let names = |optimizer: &str| {
            let mut settings = Settings::new();
            settings.set("data", Value::String("x.csv".into()), SettingOrigin::Flag);
            settings.set("optimizer", Value::String(optimizer.into()), SettingOrigin::Flag);
            let space = Space::standard(&settings);
            space.parameters.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names("adam"), "activation batch depth dropout lr_factor schedule weight_decay width");
        assert_eq!(names("rprop"), "activation depth dropout lr_factor weight_decay width");
        assert_eq!(names("lbfgs"), "activation depth lr_factor width");
        let mut settings = Settings::new();
        settings.set("hidden", Value::String("none".into()), SettingOrigin::Flag);
        let linear = Space::standard(&settings);
        assert!(!linear.parameters.iter().any(|p| p.name == "activation" || p.name == "dropout"));
    }

    #[test]
    fn given_settings_are_not_searched() {
        let mut settings = Settings::new();
        let all = Space::standard(&settings).parameters.len();
        settings.set("lr", Value::Float(0.1), SettingOrigin::Flag);
        settings.set("hidden", Value::String("8".into()), SettingOrigin::Flag);
        let rest = Space::standard(&settings);
        assert_eq!(rest.parameters.len(), all - 3, "lr_factor, width and depth are gone");
        let message = Space::parse("lr = [1, 2]", "x").unwrap().check_free(&settings).unwrap_err().to_string();
        assert!(message.contains("`lr` is given"), "{message}");
    }

    #[test]
    fn wrong_spaces_say_what_is_wrong() {
        for (text, part) in [
            ("lr = 0.1", "expected choices"),
            ("lr = []", "expected choices"),
            ("lr = { log = [0, 1] }", "above 0"),
            ("lr = { liner = [0, 1] }", "did you mean \"linear\""),
            ("depth = { int = [1, 2.5] }", "whole numbers"),
            ("lr_rate = [1]", "unknown parameter \"lr_rate\""),
            ("loss = [\"mse\"]", "cannot be searched"),
            ("seed = [1, 2]", "cannot be searched"),
            ("width = [8]\nhidden = [\"8\"]", "leave one out"),
            ("depth = { int = [1, 1000000000] }", "1000 hidden layers at most"),
            ("lr = [1", "x.toml:1"),
        ] {
            let message = Space::parse(text, "x.toml").unwrap_err().to_string();
            assert!(message.contains(part) && message.contains("x.toml"), "{text}: {message}");
        }
    }
}
