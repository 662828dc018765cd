//! `-h`: the most common options of training and all options specific to the verb, on one screen. `--help` shows all.

use std::ffi::OsString;

use clap::Command;
use gradlane::config::COMMON;
use gradlane::config::find;

/// Number of options that exceed a screen.
const MANY: usize = 30;

/// Whether the short help may be asked for. `-h` may also be a value of an option; then no help is shown.
pub fn is_asked(words: &[OsString]) -> bool {
    words.iter().take_while(|word| *word != "--").any(|word| {
        let text = word.to_string_lossy();
        text.starts_with('-') && !text.starts_with("--") && text.ends_with('h')
    })
}

/// The command line with the less common options hidden.
pub fn command(whole: Command) -> Command {
    whole.mut_subcommands(|verb| {
        if verb.get_arguments().count() < MANY {
            return verb;
        }
        let is_rare = |id: &str| find(id).is_some_and(|key| !key.is_for(COMMON));
        let rare = verb.get_arguments().filter(|arg| is_rare(arg.get_id().as_str())).count();
        let name = verb.get_name().to_owned();
        verb.mut_args(|arg| if is_rare(arg.get_id().as_str()) { arg.hide(true) } else { arg })
            .after_help(format!("gradlane {name} --help has {rare} more options, and says more."))
    })
}
