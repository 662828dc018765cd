//! Names of options in messages: keys of the configuration file in the library, flags in the program.
//!
//! All messages name options through this module, so no text needs to be changed afterwards.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

static AS_FLAGS: AtomicBool = AtomicBool::new(false);

/// Makes all messages of this process name options as flags. The program calls this before anything else.
pub fn say_flags() {
    AS_FLAGS.store(true, Ordering::Relaxed);
}

/// The flag of an option: `--weight-col` for `weight_col`.
pub fn flag(name: &str) -> String {
    format!("--{}", name.replace('_', "-"))
}

/// The name of an option at the start of a message: `weight_col`, or its flag.
pub fn name(name: &str) -> String {
    if AS_FLAGS.load(Ordering::Relaxed) { flag(name) } else { name.to_owned() }
}

/// An option in a sentence.
pub fn option(name: &str) -> OptionText<'_, &'static str> {
    OptionText { name, value: None }
}

/// An option with a value, in a sentence.
pub fn setting<V: fmt::Display>(name: &str, value: V) -> OptionText<'_, V> {
    OptionText { name, value: Some(value) }
}

/// An option with a value in quotes, such as the name of a column, in a sentence.
pub fn quoted<V: fmt::Display>(name: &str, value: V) -> OptionText<'_, Quoted<V>> {
    setting(name, Quoted(value))
}

/// An option in a sentence, with or without a value: `` `weight_col` `` and `` `header = no` ``, or `--weight-col` and
/// `--header no`.
#[derive(Debug, Clone, Copy)]
pub struct OptionText<'a, V> {
    name: &'a str,
    value: Option<V>,
}

/// A value in quotes, as a shell takes it.
#[derive(Debug, Clone, Copy)]
pub struct Quoted<V>(V);

impl<V: fmt::Display> fmt::Display for Quoted<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        if text.contains(['"', '$', '`', '\\', '!']) {
            write!(f, "'{}'", text.replace('\'', r"'\''"))
        } else {
            write!(f, "\"{text}\"")
        }
    }
}

impl<V: fmt::Display> OptionText<'_, V> {
    fn write(&self, f: &mut fmt::Formatter<'_>, as_flag: bool) -> fmt::Result {
        match (as_flag, &self.value) {
            (true, None) => f.write_str(&flag(self.name)),
            (true, Some(value)) => write!(f, "{} {value}", flag(self.name)),
            (false, None) => write!(f, "`{}`", self.name),
            (false, Some(value)) => write!(f, "`{} = {value}`", self.name),
        }
    }
}

impl<V: fmt::Display> fmt::Display for OptionText<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, AS_FLAGS.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct AsFlag<'a, V>(OptionText<'a, V>);

    impl<V: fmt::Display> fmt::Display for AsFlag<'_, V> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.write(f, true)
        }
    }

    #[test]
    fn the_library_says_keys_and_the_program_flags() {
        assert_eq!(name("weight_col"), "weight_col");
        assert_eq!(option("weight_col").to_string(), "`weight_col`");
        assert_eq!(setting("clip_norm", 1).to_string(), "`clip_norm = 1`");
        assert_eq!(quoted("keep_column", "a b").to_string(), "`keep_column = \"a b\"`");
        assert_eq!(AsFlag(option("weight_col")).to_string(), "--weight-col");
        assert_eq!(AsFlag(setting("clip_norm", 1)).to_string(), "--clip-norm 1");
        assert_eq!(AsFlag(quoted("keep_column", "a b")).to_string(), "--keep-column \"a b\"");
    }
}
