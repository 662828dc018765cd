//! Writes files of a run during training: events as they happen, and the checkpoint.

use super::checkpoint::About;
use super::directory::RunDirectory;
use super::plan::Plan;
use crate::fit::{Event, RunState};
use crate::{Error, Result};

/// Writes events and checkpoints into a run directory. After the first failure it writes nothing more. Training continues, so
/// that its model is not lost, and the failure is reported at the end.
pub(super) struct Keeper<'a> {
    plan: &'a Plan,
    directory: &'a mut RunDirectory,
    /// Hash of the data.
    data: String,
    /// For one of several networks: its name and number in events, and the clock of the whole run.
    network: Option<(&'static str, usize, &'a dyn Fn() -> f64)>,
    failure: Option<Error>,
}

impl<'a> Keeper<'a> {
    /// A keeper for a run of a plan on data with this hash.
    pub(super) fn new(plan: &'a Plan, directory: &'a mut RunDirectory, data: String) -> Keeper<'a> {
        Keeper { plan, directory, data, network: None, failure: None }
    }

    /// A keeper for one of several networks: events contain its number under this name, checkpoints the seconds of the run by
    /// this clock.
    pub(super) fn of_network(self, (name, number): (&'static str, usize), clock: &'a dyn Fn() -> f64) -> Keeper<'a> {
        Keeper { network: Some((name, number, clock)), ..self }
    }

    /// Adds an event.
    pub(super) fn event(&mut self, event: &Event<'_>) {
        if self.failure.is_none() {
            let event = match self.network {
                Some((name, number, _)) => event.of_network((name, number)),
                None => event.to_json(),
            };
            self.failure = self.directory.event(&event).err();
        }
    }

    /// Saves the state.
    pub(super) fn save(&mut self, state: &mut RunState<'_>) {
        if self.failure.is_none() {
            self.failure = self.write(state).err();
        }
    }

    fn write(&mut self, state: &mut RunState<'_>) -> Result<()> {
        let data = self.data.clone();
        let fused = self.plan.config.threads.isa.fuses();
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let elapsed = self.network.map(|(.., clock)| clock());
        let about = About { version, data, fused, events: self.directory.events_length(), elapsed };
        self.directory.save_checkpoint(&about, state)
    }

    /// The first failure.
    pub(super) fn into_failure(self) -> Option<Error> {
        self.failure
    }
}
