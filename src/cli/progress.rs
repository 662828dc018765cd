//! Progress of training: a bar on a terminal, plain lines elsewhere, JSON, or nothing.

use std::io::IsTerminal;
use std::time::Duration;

use gradlane::fit::{DataPart, EpochRecord, Event, Watched};
use gradlane::metrics::MetricName;
use gradlane::run::Plan;
use gradlane::{Error, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use serde_json::Value;

use super::table::figure;
use super::{message, width};

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// A bar below the table of epochs.
    Bar,
    /// The table of epochs.
    Plain,
    /// One JSON object for each event.
    Json,
    /// Nothing.
    None,
}

impl Style {
    /// The style with this name; `auto` is a bar on a terminal and plain lines elsewhere.
    ///
    /// # Errors
    /// [`Error::Usage`] for another word.
    pub fn of(word: Option<&str>) -> Result<Style> {
        let terminal = std::io::stderr().is_terminal();
        match word {
            None | Some("auto") => Ok(if terminal { Style::Bar } else { Style::Plain }),
            Some("bar") => Ok(Style::Bar),
            Some("plain") => Ok(Style::Plain),
            Some("json") => Ok(Style::Json),
            Some("none") => Ok(Style::None),
            Some(other) => {
                let message = format!("--progress: expected auto, bar, plain, json or none, found \"{other}\"");
                Err(Error::Usage(message))
            }
        }
    }
}

/// Shows the progress of one run.
pub struct RunProgress {
    style: Style,
    bar: Option<ProgressBar>,
    /// Figures that are shown, each with its width in columns.
    columns: Vec<(Watched, usize)>,
    /// Epochs from one shown line to the next.
    every: usize,
    shown_header: bool,
    /// The line of the last epoch, if it was not shown.
    held_back: Option<String>,
    /// Number and line of the best epoch so far, if it was not shown.
    best: Option<(usize, String)>,
    epoch: usize,
}

/// Width of a figure if there is enough space.
const WIDE: usize = 15;
/// Width of a figure with a short name if there is little space.
const NARROW: usize = 11;
/// Width of the epoch, the step, the seconds and the mark of the best epoch.
const OTHERS: usize = 25;

/// Chooses the figures that fit a terminal, and their widths: always the losses and the watched figure, the others while there
/// is space.
fn fit(figures: Vec<Watched>, monitor: Watched, terminal: Option<usize>) -> Vec<(Watched, usize)> {
    let room = terminal.unwrap_or(usize::MAX).saturating_sub(OTHERS);
    let mut fitted: Vec<(Watched, usize)> = figures.into_iter().map(|figure| (figure, WIDE)).collect();
    let used = |figures: &[(Watched, usize)]| figures.iter().map(|(_, width)| width).sum::<usize>();
    if used(&fitted) > room {
        fitted.iter_mut().for_each(|(figure, width)| *width = NARROW.max(figure.to_string().len() + 1));
    }
    for part in [DataPart::Train, DataPart::Val] {
        if used(&fitted) > room {
            fitted.retain(|(f, _)| f.part != part || f.metric == MetricName::Loss || *f == monitor);
        }
    }
    fitted
}

/// Approximate maximum of lines in the table of epochs.
const LINES: usize = 40;

impl RunProgress {
    /// For a run that is about to start.
    pub fn new(style: Style, plan: &Plan) -> RunProgress {
        RunProgress::of_networks(style, plan, 1)
    }

    /// The same, with a bar for the epochs of several networks.
    pub fn of_networks(style: Style, plan: &Plan, networks: usize) -> RunProgress {
        let parts = [(DataPart::Train, true), (DataPart::Val, plan.prepared.val.is_some())];
        let task = plan.prepared.preprocessing.task();
        let second = if MetricName::Accuracy.applies_to(task) { MetricName::Accuracy } else { MetricName::Rmse };
        let mut columns = Vec::new();
        for (part, _) in parts.into_iter().filter(|(_, there)| *there) {
            columns.extend([MetricName::Loss, second].map(|metric| Watched { part, metric }));
        }
        let monitor = plan.monitor();
        if !columns.contains(&monitor) {
            columns.push(monitor);
        }
        let columns = fit(columns, monitor, width::of_messages());
        let epochs = plan.last_epoch.unwrap_or(plan.epochs);
        let bar = (style == Style::Bar).then(|| bar((epochs * networks) as u64));
        RunProgress {
            style,
            bar,
            columns,
            every: epochs.div_ceil(LINES),
            shown_header: false,
            held_back: None,
            best: None,
            epoch: 0,
        }
    }

    /// Shows an event.
    pub fn observe(&mut self, event: &Event<'_>) {
        match (self.style, event) {
            (Style::None, _) => {}
            (Style::Json, event) => message::event(&event.to_json()),
            (_, Event::Epoch(record)) => self.epoch(record),
            (_, Event::Step { .. }) => {}
        }
    }

    /// Moves the bar to this number of epochs.
    pub fn move_bar(&self, epochs: usize) {
        self.bar.iter().for_each(|bar| bar.set_position(epochs as u64));
    }

    /// Prints a line above the bar, if epochs are shown.
    pub fn note(&self, text: &str) {
        if matches!(self.style, Style::Bar | Style::Plain) {
            self.line(text);
        }
    }

    fn line(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| message::line(line)),
            None => message::line(line),
        }
    }

    fn epoch(&mut self, record: &EpochRecord) {
        if let Some(bar) = &self.bar {
            bar.set_position(record.epoch as u64);
            bar.set_message(format!("{} rows/s", thousands(record.samples_per_s)));
        }
        if !self.shown_header {
            self.shown_header = true;
            let names: String =
                self.columns.iter().map(|(figure, width)| format!("{:>width$}", figure.to_string())).collect();
            self.line(&format!("{:>5} {:>8}{names} {:>8}", "epoch", "step", "seconds"));
        }
        let value = |c: &Watched| match c.part {
            DataPart::Train => record.train.get(c.metric),
            _ => record.val.as_ref().and_then(|v| v.get(c.metric)),
        };
        let figures: String =
            self.columns.iter().map(|(watched, width)| format!("{:>width$}", figure(value(watched)))).collect();
        let mark = if record.best && record.val.is_some() { " *" } else { "" };
        let line = format!("{:>5} {:>8}{figures} {:>8.2}{mark}", record.epoch, record.step, record.seconds);
        self.epoch = record.epoch;
        let shown = record.epoch == 1 || record.epoch.is_multiple_of(self.every);
        if record.best {
            self.best = (!shown).then(|| (record.epoch, line.clone()));
        }
        if shown {
            self.held_back = None;
            self.line(&line);
        } else {
            self.held_back = Some(line);
        }
    }

    /// Prints the start of training, if events are shown.
    pub fn start(&self, plan: &Plan) {
        if self.style == Style::Json {
            message::event(&plan.start_event());
        }
    }

    /// Prints the best and the last line of the table, if they were not shown.
    pub fn end_table(&mut self) {
        let best = self.best.take().filter(|(epoch, _)| *epoch < self.epoch).map(|(_, line)| line);
        best.into_iter().chain(self.held_back.take()).for_each(|line| self.line(&line));
    }

    /// Removes the bar and prints the best and the last line of the table; if events are shown, prints the last event.
    pub fn finish(mut self, end: Option<Value>) {
        self.end_table();
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        if let Some(end) = end.filter(|_| self.style == Style::Json) {
            message::event(&end);
        }
    }
}

fn bar(epochs: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:32} epoch {pos}/{len}  {msg}  {elapsed} so far, {eta} to go")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::with_draw_target(Some(epochs), ProgressDrawTarget::stderr()).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// A number with commas between thousands.
pub fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let grouped: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|c| std::str::from_utf8(c).ok()).collect();
    grouped.join(",")
}
