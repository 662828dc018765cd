//! Comparison of optimizers on the same problems by one protocol.
//!
//! The unit is a *study*: one complete search for one optimizer on one problem. A study tries the optimizer's defaults and
//! points of that optimizer's log-uniform search space, repeats the best of them with further seeds, chooses one setting,
//! and trains it with fresh seeds. Studies are independent of each other, so the tests account for the luck of a search.
//! After MLCommons AlgoPerf (Dahl et al. 2023, <https://arxiv.org/abs/2306.07179>) and Choi et al. 2019,
//! <https://arxiv.org/abs/1910.05446>.

#[cfg(test)]
mod against_itself;
mod analysis;
mod checked;
mod contestant;
mod figure;
mod in_order;
mod jobs;
mod journal;
mod planned;
mod problems;
mod protocol;
pub mod records;
mod runner;
#[cfg(test)]
pub(crate) mod simulated;
mod space;
mod step_cost;
pub mod summary;
mod summary_rows;
mod train_once;

pub use analysis::{Grouped, StudyRuns, analyse, studies_for, target};
pub use contestant::Contestant;
pub use figure::{count, figure, p_value};
pub use in_order::{Observe, Progress};
pub use journal::{FILES, Journal, RUNS_FILE, read_records};
pub use problems::{Initial, Problem, QUICK, default_names, find_mnist, names, problem};
pub use protocol::{Setting, Stage, StudySeeds, Terms, defaults, settings};
pub use runner::Comparison;
pub use step_cost::{Effort, StepCosts};
pub use summary::{ALPHA, LEVEL, Level, Summary, TAU_MAX};
pub use summary_rows::{SummaryTable, interval, pair_on_problems, pairs_on_one_problem, summary_tables, verdict_text};
pub use train_once::{RunOutcome, train_once};
