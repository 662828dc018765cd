//! Progress of a comparison: results so far, what is left, and the remaining time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use gradlane::experiment::compare::records::{Record, Run};
use gradlane::experiment::compare::{Comparison, Progress, Stage};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use super::super::message;
use super::super::progress::Style;
use super::super::table::figure;
use super::tables::{duration, stage_name};

/// Ticks of the bar.
const LENGTH: f64 = 1_000.0;

/// Shows the progress of a comparison.
pub struct ComparisonProgress {
    style: Style,
    bar: Option<ProgressBar>,
    /// Names in order, and the length of the longest problem's name.
    optimizers: Vec<String>,
    width: usize,
    /// Runs of each stage on one problem: trials, repeats, final runs.
    runs: [usize; 3],
    /// The start of the first run.
    began: Instant,
    done: usize,
    /// Validation losses of the runs of the current stage on the current problem, by optimizer.
    group: BTreeMap<String, Vec<f64>>,
}

impl ComparisonProgress {
    /// For a comparison that is about to start.
    pub fn new(style: Style, comparison: &Comparison) -> ComparisonProgress {
        let optimizers: Vec<String> = comparison.contestants.iter().map(|c| c.name.clone()).collect();
        ComparisonProgress {
            style,
            bar: (style == Style::Bar).then(bar),
            width: comparison.problems.iter().map(|problem| problem.name.len()).max().unwrap_or(0),
            runs: {
                let terms = comparison.terms;
                [terms.trials, terms.finalist_count() * terms.repeats, terms.seeds]
                    .map(|runs| runs * terms.studies * optimizers.len())
            },
            optimizers,
            began: Instant::now(),
            done: 0,
            group: BTreeMap::new(),
        }
    }

    /// Shows a record.
    pub fn observe(&mut self, record: &Record, at: Progress) {
        match record {
            Record::Protocol(_) => self.message("measuring what steps cost"),
            Record::StepCost(cost) => {
                self.message(&format!("measuring what steps cost: {}", cost.problem));
                self.began = Instant::now();
            }
            Record::Run(run) => self.run(run, at),
        }
    }

    fn message(&self, text: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(text.to_owned());
        }
    }

    fn run(&mut self, run: &Run, at: Progress) {
        self.done = at.done;
        if self.style == Style::Json {
            message::event(&event(run, at));
            return;
        }
        let left = left(self.began.elapsed(), at.share);
        if let Some(bar) = &self.bar {
            bar.set_position((at.share * LENGTH) as u64);
        }
        self.message(&format!(
            "{} {} {}, run {} of {}, about {left} to go",
            run.problem,
            stage_name(run.stage),
            run.optimizer,
            at.done,
            at.runs
        ));
        let loss = run.val_loss.filter(|_| !run.diverged).unwrap_or(f64::INFINITY);
        self.group.entry(run.optimizer.clone()).or_default().push(loss);
        let expected = self.runs[run.stage as usize];
        if self.group.values().map(Vec::len).sum::<usize>() == expected {
            let line = self.group_line(run);
            let left = if at.done < at.runs { format!(", about {left} to go") } else { String::new() };
            self.line(&format!("{line}   {:.0} %{left}", at.share * 100.0));
            self.group.clear();
        }
    }

    /// Best validation losses of the trials, or medians of final runs.
    fn group_line(&mut self, run: &Run) -> String {
        let name = |optimizer: &String| {
            let losses = self.group.get_mut(optimizer).map(std::mem::take).unwrap_or_default();
            format!("{optimizer} {}", figure(shown(losses, run.stage)))
        };
        let figures: Vec<String> = self.optimizers.iter().map(name).collect();
        let what = if run.stage == Stage::Trial { "best" } else { "median" };
        format!(
            "{:<width$}  {:<7}  {what} val_loss: {}",
            run.problem,
            stage_name(run.stage),
            figures.join(", "),
            width = self.width
        )
    }

    fn line(&self, line: &str) {
        match (&self.bar, self.style) {
            (_, Style::None) => {}
            (Some(bar), _) => bar.suspend(|| message::line(line)),
            (None, _) => message::line(line),
        }
    }

    /// Removes the bar and returns the number of finished runs.
    pub fn finish(self) -> usize {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
        self.done
    }
}

/// The lowest loss of trials, or the median of final runs (the upper one of an even number); `None` if that run diverged.
fn shown(mut losses: Vec<f64>, stage: Stage) -> Option<f64> {
    losses.sort_by(f64::total_cmp);
    let at = if stage == Stage::Trial { 0 } else { losses.len() / 2 };
    losses.get(at).copied().filter(|loss| loss.is_finite())
}

fn event(run: &Run, at: Progress) -> serde_json::Value {
    json!({
        "event": "run",
        "problem": run.problem,
        "optimizer": run.optimizer,
        "study": run.study,
        "stage": run.stage,
        "trial": run.trial,
        "val_loss": run.val_loss,
        "diverged": run.diverged,
        "done": at.done,
        "runs": at.runs,
        "share": at.share,
    })
}

/// The remaining time, from the fraction that is done.
fn left(elapsed: Duration, share: f64) -> String {
    duration(elapsed.as_secs_f64() * (1.0 - share) / share.max(1e-9))
}

fn bar() -> ProgressBar {
    let style =
        ProgressStyle::with_template("{bar:32} {percent:>3} %  {msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
    let target = ProgressDrawTarget::stderr();
    let bar = ProgressBar::with_draw_target(Some(LENGTH as u64), target).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diverged_runs_count_as_the_worst() {
        let inf = f64::INFINITY;
        assert_eq!(shown(vec![3.0, inf, 1.0], Stage::Trial), Some(1.0));
        assert_eq!(shown(vec![3.0, inf, 1.0], Stage::Final), Some(3.0));
        assert_eq!(shown(vec![inf, inf, 1.0], Stage::Repeat), None);
    }

    #[test]
    fn the_time_left_follows_the_share() {
        assert_eq!(left(Duration::from_secs(30), 0.25), "90 s");
        assert_eq!(left(Duration::from_secs(60), 0.1), "9 min");
    }
}
