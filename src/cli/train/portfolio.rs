//! `train --preset best`: several configurations on the same folds, one model.

use std::ops::Range;

use gradlane::Result;
use gradlane::data::Folds;
use gradlane::experiment::{NetworkTraining, PortfolioTraining, train_portfolio};
use gradlane::run::{
    CONFIG_FILE, Configuration, Configured, EnsembleMember, Interrupt, LeftOut, Networks, Plan, RunDirectory,
    TrainedPortfolio,
};

use super::super::exit::Outcome;
use super::super::message;
use super::super::progress::Style;
use super::super::table::{self, counted};
use super::several::say_how_to_go_on;
use super::watch::Watch;
use super::{folds, told};

/// Trains the configurations in a directory that has been begun, from the checkpoints of their networks if there are some, and
/// prints the report.
///
/// # Errors
/// Those of training, and the signal that ended it.
pub fn run(
    plan: Plan,
    of_folds: &Folds,
    directory: RunDirectory,
    interrupt: &Interrupt,
    (style, json): (Style, bool),
) -> Outcome {
    let path = directory.path().to_path_buf();
    let networks = Networks::open(&plan, &directory, interrupt)?;
    let goes_on = networks.go_on();
    let watch = Watch::new(style, &plan, most_networks(&plan, of_folds));
    let train = |number: usize, plan: &mut Plan| {
        networks.train(number, plan, &mut |event| watch.observe(number, event)).map(Some)
    };
    let leaves_out = |numbers: Range<usize>, left: &[&'static str]| {
        networks.forget(numbers)?;
        // A resumed run need not make this decision again.
        if left.is_empty() { Ok(()) } else { directory.write(CONFIG_FILE, &plan.portfolio_toml(left, true)) }
    };
    let each = NetworkTraining { signal: interrupt.number(), train: &train, begun: &|number| networks.begun(number) };
    let trained = match trained(&plan, of_folds, each, &watch, &leaves_out) {
        Ok(trained) => trained,
        Err(error) => {
            watch.finish(None);
            if goes_on {
                directory.leave();
            } else {
                directory.withdraw();
            }
            return Err(error.into());
        }
    };
    let finished = plan.run_portfolio(directory, (networks, trained), interrupt);
    watch.finish(finished.as_ref().ok().map(|finished| finished.summary.end_event()));
    let finished = finished.inspect_err(|error| say_how_to_go_on(error, goes_on, &path))?;
    if matches!(style, Style::Bar | Style::Plain) {
        table(&finished.summary.configurations).lines().for_each(message::line);
    }
    told(&plan, &finished, &path, json)
}

/// The most networks that are trained.
fn most_networks(plan: &Plan, of_folds: &Folds) -> usize {
    plan.portfolio.as_ref().map_or(0, |portfolio| portfolio.entries.len()) * of_folds.len()
}

/// Called with the networks that do not count, and with the configurations that are left.
pub type Forgets<'a> = dyn Fn(Range<usize>, &[&'static str]) -> Result<()> + Sync + 'a;

/// Trains the configurations of a plan; `leaves_out` is called with the networks that do not count, and with the configurations
/// that are left.
///
/// # Errors
/// Options that do not fit the data.
pub fn trained(
    plan: &Plan,
    of_folds: &Folds,
    each: NetworkTraining<'_>,
    watch: &Watch,
    leaves_out: &Forgets<'_>,
) -> Result<TrainedPortfolio> {
    let over = |member: &EnsembleMember| watch.is_over(&member.event(), |_, _| ended(member, of_folds.len()));
    let counts = |configured: &Configured| {
        let networks = counted(configured.networks.len() as u64, "network");
        watch.tell(&format!("{}: {networks} in {:.1} s", configured.name, configured.seconds));
    };
    let leaves_out = |left_out: &LeftOut, numbers: Range<usize>, names: &[&'static str]| {
        watch.tell(&format!("{}: left out, {}", left_out.name, left_out.why));
        watch.take_back(numbers.clone());
        leaves_out(numbers, names)
    };
    let training = PortfolioTraining { each, over: &over, counts: &counts, leaves_out: &leaves_out };
    train_portfolio(plan, of_folds, &training)
}

fn ended(member: &EnsembleMember, of: usize) -> String {
    let (how, name) = (folds::cut_short(member.stopped), member.configuration.unwrap_or_default());
    let fold = member.fold.unwrap_or(0);
    format!("{name}: fold {fold} of {of} is over: best epoch {}{how}", member.best_epoch)
}

/// The table of the configurations.
fn table(configurations: &[Configuration]) -> String {
    let header = ["configuration", "networks", "out of fold", "temperature", "weight", "seconds"].map(str::to_owned);
    let row = |one: &Configuration| {
        let temperature = one.calibration.as_ref().map_or("–".to_owned(), |of| table::figure(Some(of.temperature)));
        vec![
            one.configuration.to_owned(),
            one.networks.to_string(),
            table::figure(one.out_of_fold),
            temperature,
            format!("{:.3}", one.weight),
            format!("{:.1}", one.seconds),
        ]
    };
    let rows: Vec<Vec<String>> = configurations.iter().filter(|one| one.left_out.is_none()).map(row).collect();
    format!(
        "\n{}out of fold: log-loss, or RMSE in standard deviations of the target, of rows that a network did not learn from\n",
        table::plain(&header, &rows)
    )
}
