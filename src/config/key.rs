//! The description of an option of training: its name, its help, and the verbs that take it.

/// The heading of an option in the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionGroup {
    /// What is read, and how it is prepared.
    Data,
    /// The network.
    Model,
    /// The optimizer and its gradient.
    Optimizer,
    /// When training ends.
    Stopping,
    /// What is done with the outputs.
    Decisions,
    /// Threads, instructions, seed.
    Engine,
    /// Files and messages.
    Run,
}

impl OptionGroup {
    /// The heading.
    pub fn title(self) -> &'static str {
        match self {
            OptionGroup::Data => "Data",
            OptionGroup::Model => "Model",
            OptionGroup::Optimizer => "Optimizer",
            OptionGroup::Stopping => "Stopping",
            OptionGroup::Decisions => "Decisions",
            OptionGroup::Engine => "Engine",
            OptionGroup::Run => "Run",
        }
    }
}

/// An option. Its key in a configuration file is `name`; its flag is `--name` with `-` for `_`.
#[derive(Debug)]
pub struct Key {
    /// The key.
    pub name: &'static str,
    /// The placeholder of the value in the help; `None` for a switch.
    pub value: Option<&'static str>,
    /// Heading.
    pub group: OptionGroup,
    /// One line of help, with the default in brackets.
    pub help: &'static str,
    /// Whether the flag may be given several times.
    pub repeated: bool,
    /// Its uses beside `train`, which takes every option: [`TUNE`] and the other flags, added up.
    pub uses: u8,
}

/// `tune` takes the option.
pub const TUNE: u8 = 1;
/// `lr-find` takes it.
pub const SWEEP: u8 = 2;
/// `compare` takes it for the user's own data.
pub const COMPARE: u8 = 4;
/// Every comparison takes it.
pub const COMPARISON: u8 = 8;
/// It is a field of `DataOptions`: it decides how data are prepared.
pub const DATA: u8 = 16;
/// It decides how a file is read or how warnings are treated. `predict`, `evaluate` and `inspect` take it too.
pub const READ: u8 = 32;
/// `-h` shows it.
pub const COMMON: u8 = 64;

pub(super) const SEARCH: u8 = TUNE | SWEEP;
pub(super) const READING: u8 = DATA | READ;

impl Key {
    /// Whether it has all of these uses.
    pub fn is_for(&self, uses: u8) -> bool {
        self.uses & uses == uses
    }
}

/// An option with a value.
pub(super) const fn key(
    name: &'static str,
    value: &'static str,
    group: OptionGroup,
    help: &'static str,
    uses: u8,
) -> Key {
    Key { name, value: Some(value), group, help, repeated: false, uses }
}

/// The same, whose flag may be given several times.
pub(super) const fn list(
    name: &'static str,
    values: &'static str,
    group: OptionGroup,
    help: &'static str,
    uses: u8,
) -> Key {
    Key { repeated: true, ..key(name, values, group, help, uses) }
}

/// An option without a value.
pub(super) const fn switch(name: &'static str, group: OptionGroup, help: &'static str, uses: u8) -> Key {
    Key { value: None, ..key(name, "", group, help, uses) }
}
