//! The configuration of a table if the user does not choose the network: its preset, a shorter form of it, or the plain one.

use super::memory::SHARE_OF_PRESET;
use crate::config::TrainConfig;
use crate::data::Sketch;
use crate::option_text::setting;
use crate::room::available;
use crate::train::team::available_threads;

/// The budget of multiplications of a training: a constant, and an addition for each row.
const BUDGET: f64 = 1.5e11;
const BUDGET_OF_ROW: f64 = 3.7e7;
/// The largest budget.
const MOST: f64 = 7.5e12;
/// The budget for several networks, which are worth more time than more epochs of one network.
const BUDGET_OF_NETWORKS: f64 = 1.5e11;
const BUDGET_OF_ROW_OF_NETWORKS: f64 = 1.5e8;
/// The most networks; more gain little.
const NETWORKS: f64 = 4.0;
/// Number of weights that fit into the cache of a core, with their gradients and the optimizer's state.
const IN_CACHE: f64 = 2e6;
/// The fewest epochs for which the preset is worth its time.
const FEWEST_EPOCHS: f64 = 16.0;
/// Estimated inputs for each number, and the most for each category.
const OF_NUMBER: f64 = 4.0;
const OF_CATEGORY: f64 = 8.0;
/// Copies of the parameters: initial ones, those in training, gradients, state of the optimizer, kept ones.
const COPIES: f64 = 7.0;
/// Approximate floating-point operations of a core in a second of training, for each instruction set.
const SPEED: [(&str, f64); 2] = [("avx512", 6e10), ("avx2", 3.5e10)];
const OTHER_SPEED: f64 = 8e9;

/// The configuration for data of some size, and the note about it.
pub(super) fn chosen(mut config: TrainConfig, data: &Sketch) -> (TrainConfig, Option<String>) {
    let Some(of_tables) = config.of_tables.take().filter(|_| data.is_table) else {
        return (config.for_task(data.task), None);
    };
    let mut table = of_tables.config.for_task(data.task);
    let name = table.preset.take().unwrap_or_default();
    let weights = weights(&table, data);
    let of_epoch = weights * (data.rows as f64 + steps_of_epoch(data.rows) * of_update(weights));
    let asked = table.stopping.epochs.unwrap_or(1);
    if of_tables.epochs_open {
        let affordable = (BUDGET + BUDGET_OF_ROW * data.rows as f64).min(MOST) / of_epoch;
        if affordable < FEWEST_EPOCHS {
            let note = format!(
                "preset: plain; {name} would take about {} ({} takes it nevertheless)",
                said(&table, of_epoch * asked as f64),
                setting("preset", name)
            );
            return (config.for_task(data.task), Some(note));
        }
        table.stopping.epochs = Some(asked.min(affordable as usize));
    }
    let held = available().map_or(f64::INFINITY, |room| SHARE_OF_PRESET * room / (weights * 4.0 * COPIES));
    if held < 1.0 {
        let note = format!("preset: plain; {name} would take more than half of the memory at hand");
        return (config.for_task(data.task), Some(note));
    }
    let epochs = table.stopping.epochs.unwrap_or(asked);
    let steps = if table.stopping.steps.is_some() { " at most" } else { "" };
    if of_tables.networks_open {
        let budget = (BUDGET_OF_NETWORKS + BUDGET_OF_ROW_OF_NETWORKS * data.rows as f64).min(MOST);
        let affordable = budget / (of_epoch * epochs as f64);
        let members = affordable.min(held).clamp(1.0, NETWORKS) as usize;
        // On two cores, three networks take as long as four.
        table.members = if members == 3 { 2 } else { members };
    }
    let plain = setting("preset", "plain");
    let (networks, quicker) = match table.members {
        1 => (String::new(), format!("{plain} is quicker")),
        members => (format!("{members} networks of "), format!("{} and {plain} are quicker", setting("ensemble", 1))),
    };
    let note = format!(
        "preset: {name}, {networks}{epochs} epochs{steps}, about {} ({quicker}; {})",
        said(&table, of_epoch * epochs as f64),
        setting("preset", "help")
    );
    (table, Some(note))
}

/// The number of epochs that is worth its time for a network on some rows: as many as the preset of tables would get, but no
/// fewer than the preset needs to be worth its time.
pub(super) fn affordable_epochs(config: &TrainConfig, data: &Sketch) -> usize {
    let weights = weights(config, data);
    let of_epoch = weights * (data.rows as f64 + steps_of_epoch(data.rows) * of_update(weights));
    ((BUDGET + BUDGET_OF_ROW * data.rows as f64).min(MOST) / of_epoch).max(FEWEST_EPOCHS) as usize
}

/// Approximate steps of an epoch with the preset's batch.
fn steps_of_epoch(rows: usize) -> f64 {
    rows.div_ceil(256) as f64
}

/// The cost of one update of the weights, in rows of a step; it is small if the weights stay in the cache.
fn of_update(weights: f64) -> f64 {
    if weights > IN_CACHE { 200.0 } else { 0.0 }
}

/// Approximate number of weights; the inputs are known only after the preprocessing is fitted.
fn weights(config: &TrainConfig, data: &Sketch) -> f64 {
    let inputs = OF_NUMBER * data.numbers as f64 + OF_CATEGORY * data.categories as f64;
    let hidden = config.model.hidden.iter().map(|width| *width as f64);
    let widths: Vec<f64> = std::iter::once(inputs).chain(hidden).chain([data.outputs as f64]).collect();
    widths.windows(2).map(|pair| pair[0] * pair[1]).sum()
}

/// The time for this many multiplications of a forward pass, as text: a training step has three such passes, each with as many
/// additions.
fn said(config: &TrainConfig, multiplications: f64) -> String {
    let named = |(isa, _): &&(&str, f64)| *isa == config.threads.isa.name();
    let speed = SPEED.iter().find(named).map_or(OTHER_SPEED, |(_, speed)| *speed);
    let threads = config.threads.threads.unwrap_or_else(available_threads);
    let cores = threads.min(available_threads()) as f64;
    let networks = match config.cv {
        Some(count) if config.members == 1 => count.folds * count.repeats + 1,
        _ => config.members,
    } as f64;
    let seconds = 6.0 * multiplications * networks / (speed * cores);
    if seconds < 120.0 { format!("{:.0} s", seconds.max(1.0)) } else { format!("{:.0} min", seconds / 60.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{SettingOrigin, Settings};
    use crate::data::Task;

    fn chosen_for(rows: usize, numbers: usize, options: &[(&str, &str)]) -> (TrainConfig, String) {
        let mut settings = Settings::new();
        settings.set("data", "table.csv".into(), SettingOrigin::Flag);
        options.iter().for_each(|(name, value)| settings.set(name, (*value).into(), SettingOrigin::Flag));
        let data = Sketch { task: Task::Binary, is_table: true, rows, numbers, categories: 0, outputs: 2 };
        let (config, note) = chosen(TrainConfig::by_data(settings).unwrap(), &data);
        (config, note.unwrap_or_default())
    }

    #[test]
    fn epochs_follow_rows_and_columns_until_the_plain_network_is_left() {
        let epochs = |rows, numbers| chosen_for(rows, numbers, &[]).0.stopping.epochs;
        assert_eq!([(150, 4), (1_000, 20), (50_000, 20)].map(|(rows, numbers)| epochs(rows, numbers)), [Some(256); 3]);
        assert_eq!(epochs(1_000_000, 20), Some(49));
        assert_eq!(epochs(12, 60_000), None, "each of its steps would update 61 million weights");
        assert_eq!(epochs(10_000_000, 20), None, "plain decides by steps");
        assert!(chosen_for(10_000_000, 20, &[]).1.starts_with("preset: plain; realmlp would take about"));
        assert_eq!(chosen_for(10_000_000, 20, &[("epochs", "3")]).0.stopping.epochs, Some(3));
        assert_eq!(chosen_for(1_000, 20, &[("epochs", "auto")]).0.stopping.epochs, Some(256));
        assert_eq!(chosen_for(1_000_000, 20, &[("preset", "realmlp")]).0.stopping.epochs, Some(256), "as asked for");
    }

    #[test]
    fn several_networks_are_trained_while_time_allows_and_nothing_asks_for_one() {
        let networks = |rows, options: &[(&str, &str)]| chosen_for(rows, 20, options).0.members;
        let rows = [150, 1_000, 30_000, 50_000, 90_000, 200_000, 10_000_000];
        assert_eq!(rows.map(|rows| networks(rows, &[])), [4, 4, 2, 2, 2, 1, 1]);
        assert!(chosen_for(1_000, 20, &[]).1.starts_with("preset: realmlp, 4 networks of 256 epochs, about "));
        for (option, value) in
            [("ensemble", "1"), ("cv", "5"), ("epochs", "30"), ("target", "val_loss<=0.1"), ("preset", "realmlp")]
        {
            assert_eq!(networks(1_000, &[(option, value)]), 1, "{option}");
        }
        assert_eq!(networks(200_000, &[("ensemble", "3")]), 3);
    }

    #[test]
    fn a_task_of_numbers_has_its_own_options_also_those_of_the_data() {
        let mut settings = Settings::new();
        settings.set("data", "table.csv".into(), SettingOrigin::Flag);
        let data = Sketch { task: Task::Regression, is_table: true, rows: 500, numbers: 4, categories: 2, outputs: 1 };
        let config = TrainConfig::by_data(settings).unwrap();
        let (numbers, _) = chosen(config.clone(), &data);
        assert!(numbers.data.clamp && numbers.optimizer.spec.lr == 0.2);
        let (classes, _) = chosen(config.clone(), &Sketch { task: Task::Multiclass, ..data });
        assert!(!classes.data.clamp && classes.optimizer.spec.lr == 0.04);
        let (images, note) = chosen(config, &Sketch { is_table: false, ..data });
        assert!(note.is_none() && images.data.scale.is_none() && images.model.hidden == [256, 128]);
    }
}
