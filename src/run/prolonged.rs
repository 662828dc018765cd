//! Records in `config.toml` how a run began that was prolonged with another learning rate or schedule.

use toml::Table;

/// Prefix of each line that records an original option.
const BEGUN_WITH: &str = "# begun with ";
/// Options whose change makes the result differ from a run from the beginning.
const SHAPING: [&str; 2] = ["lr", "schedule"];
/// Options that depend on the number of all steps, so that more epochs change their effect.
const BY_LENGTH: [&str; 2] = ["dropout_schedule", "decay_schedule"];

/// Whether a configuration is that of such a run, which a run from the beginning does not repeat.
pub fn is_another_run(config: &str) -> bool {
    config.lines().any(|line| line.starts_with(BEGUN_WITH))
}

/// The configuration of a prolonged run: `newer`, below comments with the options of `older` that matter.
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
