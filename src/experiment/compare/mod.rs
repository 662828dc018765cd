//! Optimizers side by side on the same problems, by one protocol.
//!
//! Each optimizer gets the same number of tuning runs on each problem, from a log-uniform space of its own, and the
//! setting with the lowest final validation loss is run again with fresh seeds, beside the optimizer's own defaults. Runs
//! of one number share initial weights and the order of rows, whatever the optimizer. After MLCommons AlgoPerf (Dahl et
//! al. 2023, <https://arxiv.org/abs/2306.07179>) and Choi et al. 2019, <https://arxiv.org/abs/1910.05446>.

mod analysis;
mod checked;
mod contestant;
mod figure;
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

pub use analysis::{Grouped, analyse, target};
pub use contestant::Contestant;
pub use figure::{count, figure, p_value};
pub use journal::{FILES, Journal, RUNS_FILE, read_records};
pub use problems::{Initial, Problem, QUICK, find_mnist, names, problem};
pub use protocol::{Purpose, Setting, Terms};
pub use runner::{Comparison, Observe, Progress};
pub use step_cost::{Effort, StepCosts};
pub use summary::{ALPHA, LEVEL, Summary, TAU_MAX};
pub use summary_rows::{SummaryTable, summary_tables};
pub use train_once::{Outcome, train_once};
