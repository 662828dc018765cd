//! Progress of training several networks.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard};

use gradlane::fit::Event;
use gradlane::run::Plan;
use serde_json::Value;

use super::super::message;
use super::super::progress::{RunProgress, Style};

/// Shows the epochs of the first network of an ensemble, the end of each network, and a bar for all; in JSON, the events of
/// all.
pub struct Watch {
    style: Style,
    /// Name and number of the first network in events.
    first: (&'static str, usize),
    shown: Mutex<Shown>,
}

struct Shown {
    progress: Option<RunProgress>,
    /// The last epoch of each network; once it is finished, the largest possible number.
    epochs: Vec<usize>,
    most: usize,
    over: usize,
}

impl Watch {
    /// For this number of networks of a plan.
    pub fn new(style: Style, plan: &Plan, networks: usize) -> Watch {
        let progress = RunProgress::of_networks(style, plan, networks);
        progress.start(plan);
        if plan.config.cv.is_none() {
            progress.note(&format!("epochs of the first of {networks} networks:"));
        }
        let shown = Shown { progress: Some(progress), epochs: vec![0; networks], most: plan.epochs, over: 0 };
        Watch { style, first: plan.first_network(), shown: Mutex::new(shown) }
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Shows an event of network `number`, counted from 0.
    pub fn observe(&self, number: usize, event: &Event<'_>) {
        match self.style {
            Style::None => {}
            Style::Json => message::event(&self.named(number, event)),
            Style::Bar | Style::Plain => {
                let mut shown = self.shown();
                let Event::Epoch(record) = event else { return };
                shown.epochs[number] = record.epoch.min(shown.most);
                if let Some(progress) = shown.progress.as_mut().filter(|_| (self.first.0, number) == ("member", 0)) {
                    progress.observe(event);
                }
                shown.move_bar();
            }
        }
    }

    /// The event in the form of `events.jsonl`, with the number of its network.
    pub fn named(&self, number: usize, event: &Event<'_>) -> Value {
        event.of_network((self.first.0, self.first.1 + number))
    }

    /// Shows that a network is finished: its event, or the text that `told` returns for the number of finished networks and of
    /// all.
    pub fn is_over(&self, event: &Value, told: impl FnOnce(usize, usize) -> String) {
        let mut shown = self.shown();
        shown.over += 1;
        let number = event[self.first.0].as_u64().map_or(0, |number| number as usize - self.first.1);
        shown.epochs[number] = shown.most;
        match self.style {
            Style::None => {}
            Style::Json => message::event(event),
            Style::Bar | Style::Plain => {
                let line = told(shown.over, shown.epochs.len());
                if let Some(progress) = shown.progress.as_mut().filter(|_| number == 0) {
                    progress.end_table();
                }
                shown.progress.iter().for_each(|progress| progress.note(&line));
                shown.move_bar();
            }
        }
    }

    /// Prints a line above the bar, if epochs are shown.
    pub fn tell(&self, line: &str) {
        self.shown().progress.iter().for_each(|progress| progress.note(line));
    }

    /// Removes networks that do not count after all.
    pub fn take_back(&self, numbers: Range<usize>) {
        let mut shown = self.shown();
        shown.epochs[numbers].fill(0);
        shown.move_bar();
    }

    /// Removes the bar and shows the last event.
    pub fn finish(&self, end: Option<Value>) {
        if let Some(progress) = self.shown().progress.take() {
            progress.finish(end);
        }
    }
}

impl Shown {
    fn move_bar(&self) {
        let made: usize = self.epochs.iter().sum();
        self.progress.iter().for_each(|progress| progress.move_bar(made));
    }
}
