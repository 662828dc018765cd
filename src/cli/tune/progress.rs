//! Progress of a search: the trial that ended, the best so far, the remaining time.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use gradlane::experiment::tune::TuneProgress;
use gradlane::fit::Watched;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use super::super::message;
use super::super::progress::Style;
use super::super::table::figure;

/// Shows the progress of one search.
pub struct SearchProgress {
    style: Style,
    metric: Watched,
    began: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    bar: Option<ProgressBar>,
    header: bool,
    /// Epochs that were made before this search was continued.
    before: Option<usize>,
}

impl SearchProgress {
    /// For a search that is about to start.
    pub fn new(style: Style, metric: Watched) -> SearchProgress {
        SearchProgress { style, metric, began: Instant::now(), state: Mutex::default() }
    }

    /// Shows that a trial ended.
    pub fn observe(&self, progress: TuneProgress<'_>) {
        let mut state = self.state.lock().unwrap_or_else(|e| e.into_inner());
        let (ended, all) = progress.epochs;
        let own = progress.trial.epochs * progress.trial.best_epochs.len();
        let before = *state.before.get_or_insert(ended - own);
        let left = all.map(|all| {
            let each = self.began.elapsed().as_secs_f64() / (ended - before).max(1) as f64;
            Duration::from_secs_f64(each * all.saturating_sub(ended) as f64)
        });
        match self.style {
            Style::None => {}
            Style::Json => message::line(
                &json!({"event": "trial", "done": progress.done, "of": progress.of, "trial": progress.trial})
                    .to_string(),
            ),
            Style::Plain => self.line(&mut state, progress, left),
            Style::Bar => {
                let bar = state.bar.get_or_insert_with(|| bar(all));
                bar.set_position(ended as u64);
                let of = progress.of.map_or(String::new(), |of| format!(" of {of}"));
                let (metric, best) = (self.metric, progress.best);
                let value = figure(best.value);
                bar.set_message(format!(
                    "trial {}{of}, best {metric} {value} (number {}){}",
                    progress.done,
                    best.trial,
                    to_go(left)
                ));
            }
        }
    }

    fn line(&self, state: &mut State, progress: TuneProgress<'_>, left: Option<Duration>) {
        if !state.header {
            state.header = true;
            let metric = self.metric.to_string();
            message::line(&format!(
                "{:>9} {:>6} {:>7} {metric:>15} {:>15} {:>8}",
                "done", "trial", "epochs", "best", "seconds"
            ));
        }
        let of = progress.of.map_or(String::new(), |of| format!("/{of}"));
        let TuneProgress { trial, best, done, .. } = progress;
        let how = if trial.stopped == "diverged" { "  diverged" } else { "" };
        message::line(&format!(
            "{:>9} {:>6} {:>7} {:>15} {:>15} {:>8.2}{}{how}",
            format!("{done}{of}"),
            trial.trial,
            trial.epochs,
            figure(trial.value),
            figure(best.value),
            self.began.elapsed().as_secs_f64(),
            to_go(left)
        ));
    }

    /// Removes the bar.
    pub fn finish(self) {
        let state = self.state.into_inner().unwrap_or_else(|e| e.into_inner());
        state.bar.iter().for_each(ProgressBar::finish_and_clear);
    }
}

fn to_go(left: Option<Duration>) -> String {
    left.filter(|left| left.as_secs() > 0).map_or(String::new(), |left| format!(", {} s to go", left.as_secs()))
}

fn bar(epochs: Option<usize>) -> ProgressBar {
    let template =
        if epochs.is_some() { "{bar:32} {msg}  {elapsed} so far" } else { "{spinner} {msg}  {elapsed} so far" };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let draw = ProgressDrawTarget::stderr();
    let bar = ProgressBar::with_draw_target(epochs.map(|n| n as u64), draw).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
