//! A temporary folder for each test, in which the program runs.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use assert_cmd::cargo::cargo_bin;
use serde_json::Value;
use tempfile::TempDir;

/// A temporary folder in which the program runs. It is removed after the test.
pub struct Place(TempDir);

/// Flags for a small network that trains quickly.
pub const SMALL: [&str; 5] = ["--hidden", "8", "--epochs", "3", "--quiet"];

impl Place {
    pub fn new() -> Place {
        Place(tempfile::tempdir().expect("a temporary folder"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).expect("a file in the temporary folder");
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    pub fn json(&self, name: &str) -> Value {
        json(&self.read(name))
    }

    /// Copies a shipped data set here and returns its text.
    pub fn shipped(&self, name: &str) -> String {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets").join(name);
        let text = std::fs::read_to_string(&from).unwrap_or_else(|e| panic!("{}: {e}", from.display()));
        self.write(name, &text);
        text
    }

    /// The program, without environment variables that configure it.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(cargo_bin!("gradlane"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("GRADLANE_")) {
            command.env_remove(name);
        }
        command.env_remove("RAYON_NUM_THREADS").env("COLUMNS", "100").env("NO_COLOR", "1");
        command.args(args).current_dir(self.0.path()).stdin(Stdio::null());
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("the program starts")
    }

    /// Runs the program, which must succeed. Returns standard output.
    pub fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert_eq!(code(&output), 0, "{args:?}: {}", error(&output));
        out(&output)
    }

    /// Runs the program, which must succeed. Returns standard error.
    pub fn err(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert_eq!(code(&output), 0, "{args:?}: {}", error(&output));
        error(&output)
    }

    /// Runs the program, which must end with exit code `expected` and without a panic. Returns standard error.
    pub fn fails(&self, expected: i32, args: &[&str]) -> String {
        let output = self.run(args);
        let message = error(&output);
        assert_eq!(code(&output), expected, "{args:?}: {message}");
        assert!(!message.contains("panicked"), "{args:?}: {message}");
        message
    }

    /// Trains on `data` into `run`, with a small network and few epochs unless `more` overrides them. Returns the summary.
    pub fn train(&self, data: &str, run: &str, more: &[&str]) -> Value {
        let args = [&["train", data, "-o", run, "--json", "--quiet"], more].concat();
        let small = [("GRADLANE_HIDDEN", "8"), ("GRADLANE_EPOCHS", "3")];
        let output = self.command(&args).envs(small).output().expect("the program starts");
        assert_eq!(code(&output), 0, "{args:?}: {}", error(&output));
        json(&out(&output))
    }
}

pub fn code(output: &Output) -> i32 {
    output.status.code().expect("an exit code")
}

pub fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

pub fn error(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Parses a text that must be exactly one JSON value.
pub fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e} in {text:.300}"))
}

/// The cells of each line of a CSV text whose cells have no commas.
pub fn cells(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split(',').collect()).collect()
}
