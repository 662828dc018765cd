//! What is shown while several networks are trained.

use std::sync::{Mutex, MutexGuard};

use gradlane::run::Plan;
use gradlane::train::events::Event;
use serde_json::Value;

use super::super::message;
use super::super::progress::{Progress, Style};

/// Shows the epochs of the first network of an ensemble, the end of each, and a bar for all of them; as JSON the events of all.
pub struct Watch {
    style: Style,
    /// How events name a network, and the number of the first.
    name: (&'static str, usize),
    shown: Mutex<Shown>,
}

struct Shown {
    progress: Option<Progress>,
    /// The last epoch of each network; the most there may be, where it is over.
    epochs: Vec<usize>,
    most: usize,
    over: usize,
}

impl Watch {
    /// For the networks of a plan, of which there are so many.
    pub fn new(style: Style, plan: &Plan, networks: usize) -> Watch {
        let of_folds = plan.config.cv.is_some();
        let progress = Progress::of_networks(style, plan, networks);
        progress.start(plan);
        if !of_folds {
            progress.note(&format!("epochs of the first of {networks} networks:"));
        }
        let shown = Shown { progress: Some(progress), epochs: vec![0; networks], most: plan.epochs, over: 0 };
        let name = if of_folds { ("fold", 1) } else { ("member", 0) };
        Watch { style, name, shown: Mutex::new(shown) }
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Shows what happens to network `number`, counted from 0.
    pub fn observe(&self, number: usize, event: &Event<'_>) {
        match self.style {
            Style::None => {}
            Style::Json => message::event(&self.named(number, event)),
            Style::Bar | Style::Plain => {
                let mut shown = self.shown();
                let Event::Epoch(record) = event else { return };
                shown.epochs[number] = record.epoch;
                if let Some(progress) = shown.progress.as_mut().filter(|_| number == 0 && self.name.0 == "member") {
                    progress.observe(event);
                }
                shown.move_bar();
            }
        }
    }

    /// The event as `events.jsonl` has it, with the number of its network.
    pub fn named(&self, number: usize, event: &Event<'_>) -> Value {
        let mut value = event.to_json();
        if let Some(fields) = value.as_object_mut() {
            fields.shift_insert(1, self.name.0.to_owned(), (self.name.1 + number).into());
        }
        value
    }

    /// Shows that a network is over: its event, or what `told` says of it with how many are over, and of how many.
    pub fn is_over(&self, event: &Value, told: impl FnOnce(usize, usize) -> String) {
        let mut shown = self.shown();
        shown.over += 1;
        let number = event[self.name.0].as_u64().map_or(0, |number| number as usize - self.name.1);
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

    /// Takes the bar away, and shows the event of the end.
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
