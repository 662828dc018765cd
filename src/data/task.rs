//! Tasks: what a network predicts.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::spec::unknown;
use crate::{Error, Result};

/// What a network predicts. It determines the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// One or several numbers.
    Regression,
    /// One of two classes.
    Binary,
    /// One of three or more classes.
    Multiclass,
    /// Several labels at once, each of which is present or not.
    Multilabel,
}

impl Task {
    /// Every task.
    pub const ALL: [Task; 4] = [Task::Regression, Task::Binary, Task::Multiclass, Task::Multilabel];

    /// The name, as in the option `task`.
    pub fn name(self) -> &'static str {
        match self {
            Task::Regression => "regression",
            Task::Binary => "binary",
            Task::Multiclass => "multiclass",
            Task::Multilabel => "multilabel",
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Task {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Task::ALL.into_iter().find(|t| t.name() == text);
        found.ok_or_else(|| unknown("task", text, &Task::ALL.map(Task::name)))
    }
}
