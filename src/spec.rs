//! Specifications `name:key=value,key=value`, in which flags and configuration files name an activation, a loss or an
//! optimizer together with its options.

use crate::nearest::nearest;
use crate::{Error, Result};

/// A parsed specification. The caller reads the options one by one; [`Spec::finish`] rejects those that were not read.
#[derive(Debug)]
pub struct Spec<'a> {
    subject: &'static str,
    /// The text before the colon.
    pub name: &'a str,
    given: Vec<(&'a str, &'a str)>,
    known: Vec<&'static str>,
}

impl<'a> Spec<'a> {
    /// Parses `text`. `subject` is the noun in error messages, such as `optimizer`.
    ///
    /// # Errors
    /// [`Error::Usage`] if an option is not of the form `key=value`, or is given twice.
    pub fn parse(subject: &'static str, text: &'a str) -> Result<Self> {
        let (name, options) = text.trim().split_once(':').unwrap_or((text.trim(), ""));
        let mut given: Vec<(&str, &str)> = Vec::new();
        for option in options.split(',').filter(|o| !o.trim().is_empty()) {
            let (key, value) = option.split_once('=').ok_or_else(|| {
                Error::Usage(format!("{subject} \"{text}\": expected key=value after the colon, found \"{option}\""))
            })?;
            let (key, value) = (key.trim(), value.trim());
            if given.iter().any(|(k, _)| *k == key) {
                return Err(Error::Usage(format!("{subject} \"{text}\": {key} is given twice")));
            }
            given.push((key, value));
        }
        Ok(Spec { subject, name: name.trim(), given, known: Vec::new() })
    }

    /// The options that were not read yet, in the given order.
    pub fn remaining(&self) -> &[(&'a str, &'a str)] {
        &self.given
    }

    /// Reads the number under `key`, if it is given. `allowed` describes in words what `holds` checks.
    ///
    /// # Errors
    /// [`Error::Usage`] if the value is not a number or is out of range.
    pub fn number(
        &mut self,
        key: &'static str,
        allowed: &'static str,
        holds: impl Fn(f64) -> bool,
    ) -> Result<Option<f64>> {
        let Some(text) = self.take(key) else { return Ok(None) };
        match text.parse::<f64>() {
            Ok(value) if holds(value) => Ok(Some(value)),
            _ => Err(self.wrong(key, allowed, text)),
        }
    }

    /// Reads the switch under `key`, `true` or `false`, if it is given.
    ///
    /// # Errors
    /// [`Error::Usage`] if the value is neither.
    pub fn switch(&mut self, key: &'static str) -> Result<Option<bool>> {
        match self.take(key) {
            None => Ok(None),
            Some("false") => Ok(Some(false)),
            Some("true") => Ok(Some(true)),
            Some(text) => Err(self.wrong(key, "true or false", text)),
        }
    }

    /// Reads the list of numbers under `key`, separated by `/`, if it is given. `allowed` describes in words what
    /// `holds` checks.
    ///
    /// # Errors
    /// [`Error::Usage`] if one of them is not a number or is out of range.
    pub fn numbers(
        &mut self,
        key: &'static str,
        allowed: &'static str,
        holds: impl Fn(f64) -> bool,
    ) -> Result<Option<Vec<f64>>> {
        let Some(text) = self.take(key) else { return Ok(None) };
        let values = text.split('/').map(|part| part.trim().parse::<f64>().ok().filter(|&v| holds(v)));
        match values.collect() {
            Some(values) => Ok(Some(values)),
            None => Err(self.wrong(key, allowed, text)),
        }
    }

    /// Reads two numbers `low/high` under `key`, if they are given; `high` must not be below `low`. `allowed` describes
    /// in words what `holds` checks.
    ///
    /// # Errors
    /// [`Error::Usage`] if the value is anything else.
    pub fn pair(
        &mut self,
        key: &'static str,
        allowed: &'static str,
        holds: impl Fn(f64) -> bool,
    ) -> Result<Option<[f64; 2]>> {
        let Some(text) = self.take(key) else { return Ok(None) };
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|&v| holds(v));
        match text.split_once('/').map(|(low, high)| (number(low), number(high))) {
            Some((Some(low), Some(high))) if low <= high => Ok(Some([low, high])),
            _ => Err(self.wrong(key, &format!("two numbers low/high, each {allowed}"), text)),
        }
    }

    /// Reads the word under `key`, if it is given, and returns its position in `words`.
    ///
    /// # Errors
    /// [`Error::Usage`] if it is not one of them.
    pub fn word(&mut self, key: &'static str, words: &[&str]) -> Result<Option<usize>> {
        let Some(text) = self.take(key) else { return Ok(None) };
        match words.iter().position(|&word| word == text) {
            Some(at) => Ok(Some(at)),
            None => Err(self.wrong(key, &words.join(" or "), text)),
        }
    }

    /// Finishes reading.
    ///
    /// # Errors
    /// [`Error::Usage`] if an option was not read. The message suggests the most similar known option.
    pub fn finish(self) -> Result<()> {
        match self.given.first() {
            None => Ok(()),
            Some((key, _)) if self.known.is_empty() => {
                Err(Error::Usage(format!("{} \"{}\" has no options, found \"{key}\"", self.subject, self.name)))
            }
            Some((key, _)) => {
                let subject = format!("option of {} \"{}\"", self.subject, self.name);
                Err(unknown(&subject, key, &self.known))
            }
        }
    }

    /// The error for a missing option that is required.
    pub fn needs(&self, key: &str) -> Error {
        Error::Usage(format!("{} \"{}\" needs {key}=…", self.subject, self.name))
    }

    /// The error for a name that is not in `names`.
    pub fn unknown_name(&self, names: &[&str]) -> Error {
        unknown(self.subject, self.name, names)
    }

    fn take(&mut self, key: &'static str) -> Option<&'a str> {
        self.known.push(key);
        let at = self.given.iter().position(|(k, _)| *k == key)?;
        Some(self.given.remove(at).1)
    }

    fn wrong(&self, key: &str, allowed: &str, found: &str) -> Error {
        Error::Usage(format!("{} \"{}\": {key} must be {allowed}, found \"{found}\"", self.subject, self.name))
    }
}

/// The error for an unknown name. It suggests the most similar name of `known`, if one is similar, and lists all of
/// them.
pub fn unknown(subject: &str, name: &str, known: &[&str]) -> Error {
    let hint = nearest(name, known).map_or(".".to_owned(), |known| format!(": did you mean \"{known}\"?"));
    Error::Usage(format!("unknown {subject} \"{name}\"{hint} Known: {}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_key_names_the_nearest() {
        let mut spec = Spec::parse("optimizer", "adam:beta3=0.9").unwrap();
        assert_eq!(spec.number("beta2", "in 0..1", |_| true).unwrap(), None);
        assert_eq!(spec.number("eps", "positive", |_| true).unwrap(), None);
        let message = spec.finish().unwrap_err().to_string();
        assert!(message.contains("unknown option of optimizer \"adam\" \"beta3\""), "{message}");
        assert!(message.contains("did you mean \"beta2\"?"), "{message}");
    }

    #[test]
    fn an_unknown_name_is_met_with_all_that_are_known() {
        let message = unknown("optimizer", "nosuch", &["sgd", "adam"]).to_string();
        assert_eq!(message, "unknown optimizer \"nosuch\". Known: sgd, adam");
    }

    #[test]
    fn lists_and_words_are_read() {
        let mut spec = Spec::parse("schedule", "multistep:at=0.5/ 30,mode=rel").unwrap();
        assert_eq!(spec.remaining(), [("at", "0.5/ 30"), ("mode", "rel")]);
        assert_eq!(spec.numbers("at", "above 0", |v| v > 0.0).unwrap(), Some(vec![0.5, 30.0]));
        assert_eq!(spec.word("mode", &["abs", "rel"]).unwrap(), Some(1));
        assert_eq!(spec.numbers("factors", "above 0", |v| v > 0.0).unwrap(), None);
        for text in ["multistep:at=3/x,mode=no", "multistep:at=3/,mode=", "multistep:at=3/-1,mode=ab"] {
            let mut spec = Spec::parse("schedule", text).unwrap();
            assert!(spec.numbers("at", "above 0", |v| v > 0.0).is_err(), "{text}");
            assert!(spec.word("mode", &["abs", "rel"]).is_err(), "{text}");
        }
    }

    #[test]
    fn wrong_forms_are_errors() {
        assert!(Spec::parse("loss", "huber:delta").is_err());
        assert!(Spec::parse("loss", "huber:delta=1,delta=2").is_err());
        let mut spec = Spec::parse("loss", "huber:delta=-1").unwrap();
        assert!(spec.number("delta", "above 0", |d| d > 0.0).is_err());
        let mut spec = Spec::parse("optimizer", "sgd:nesterov=yes").unwrap();
        assert!(spec.switch("nesterov").is_err());
        let mut spec = Spec::parse("loss", "huber:delta=x").unwrap();
        assert!(spec.number("delta", "above 0", |d| d > 0.0).is_err());
    }
}
