//! What `config.toml` keeps of a run that was prolonged at another rate or schedule than it was begun with.

use toml::Table;

/// Begins each line that says with what a part of the run was made.
const BEGUN_WITH: &str = "# begun with ";
/// Options whose change makes the whole another run than one from the beginning.
const SHAPING: [&str; 2] = ["lr", "schedule"];
/// Options that follow the number of all steps, so that more epochs change them.
const BY_LENGTH: [&str; 2] = ["dropout_schedule", "decay_schedule"];

/// Whether a configuration is of such a run: one run from the beginning does not repeat it.
pub(super) fn is_another_run(config: &str) -> bool {
    config.lines().any(|line| line.starts_with(BEGUN_WITH))
}

/// The configuration of a prolonged run: `newer`, below comments that keep what `older` was begun with where that matters.
pub(super) fn config(older: &str, newer: String) -> String {
    let parsed = |text: &str| text.parse::<Table>().unwrap_or_default();
    let (was, is) = (parsed(older), parsed(&newer));
    let mut lines: Vec<String> = older.lines().filter(|line| line.starts_with(BEGUN_WITH)).map(str::to_owned).collect();
    let changed = SHAPING.iter().any(|name| was.get(*name) != is.get(*name));
    if changed || BY_LENGTH.iter().any(|name| was.contains_key(*name)) {
        let kept = ["epochs"].iter().chain(&SHAPING).chain(&BY_LENGTH);
        let kept: Vec<String> = kept.filter_map(|name| Some(format!("{name} = {}", was.get(*name)?))).collect();
        lines.push(format!("{BEGUN_WITH}{}; prolonged by what follows", kept.join(", ")));
    }
    lines.push(newer);
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_run_was_begun_with_is_kept_each_time_that_it_changes() {
        let older = "epochs = 5\nlr = 0.001\nschedule = \"cosine\"\n";
        let same = "epochs = 7\nlr = 0.001\nschedule = \"cosine\"\n";
        assert_eq!(config(older, same.to_owned()), same);
        let first = config(older, "epochs = 7\nlr = 0.5\nschedule = \"const\"\n".to_owned());
        let comment = "# begun with epochs = 5, lr = 0.001, schedule = \"cosine\"; prolonged by what follows";
        assert_eq!(first.lines().next(), Some(comment));
        assert!(is_another_run(&first) && !is_another_run(older));
        let second = config(&first, "epochs = 9\nlr = 0.25\nschedule = \"const\"\n".to_owned());
        assert_eq!(second.lines().filter(|line| line.starts_with(BEGUN_WITH)).count(), 2);
        assert_eq!(second.parse::<Table>().unwrap()["epochs"].as_integer(), Some(9));
    }
}
