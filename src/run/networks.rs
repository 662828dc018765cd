//! The networks of a run of several during their training: a folder for each, with its events and its checkpoint.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::checkpoint::Checkpoint;
use super::directory::RunDirectory;
use super::execution::{Finished, too_late};
use super::fingerprint::fingerprint;
use super::interrupt::Interrupt;
use super::keeper::Keeper;
use super::plan::Plan;
use crate::fit::{Attendance, Event, Every, RunState};
use crate::{Error, Result};

/// Trains the networks of a run, each from its checkpoint if it has one, and writes what is needed to continue them.
///
/// Their folders exist until the run ends. Then their events are added to those of the run, one network after the other.
pub struct Networks<'a> {
    folder: PathBuf,
    /// Name and number of the first network in events.
    first: (&'static str, usize),
    /// Hash of the data, if it is the same for all networks.
    data: Option<String>,
    every: Option<Every>,
    interrupt: &'a Interrupt,
    began: Instant,
    /// The time of the run before it was interrupted.
    before: Duration,
    failure: Mutex<Option<Error>>,
}

impl<'a> Networks<'a> {
    /// The networks of a run that is about to train them or to continue them.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be created, [`Error::Data`] if a checkpoint in it is damaged.
    pub fn open(plan: &Plan, directory: &RunDirectory, interrupt: &'a Interrupt) -> Result<Networks<'a>> {
        let folder = directory.networks();
        let spent = time_spent(&folder)?;
        fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, e))?;
        Ok(Networks {
            folder,
            first: plan.first_network(),
            data: plan.config.cv.is_none().then(|| fingerprint(&plan.prepared)),
            every: plan.config.output.checkpoint_every,
            interrupt,
            began: Instant::now(),
            before: spent,
            failure: Mutex::new(None),
        })
    }

    /// Whether there is a network to continue.
    pub fn go_on(&self) -> bool {
        numbers(&self.folder).into_iter().any(|number| self.begun(number))
    }

    /// Whether a network has a checkpoint from which it can be continued.
    pub fn begun(&self, number: usize) -> bool {
        RunDirectory::has_checkpoint(&self.folder.join(number.to_string()))
    }

    /// The end of a run none of whose networks made a step: earlier networks stay, so that it can be resumed.
    pub(super) fn without_a_step(&self, directory: RunDirectory) -> Error {
        if self.go_on() {
            directory.leave();
        } else {
            directory.withdraw();
        }
        match self.interrupt.number().load(std::sync::atomic::Ordering::Relaxed) {
            0 => too_late(),
            number => Error::Interrupted(number),
        }
    }

    /// Trains network `number`, counted from 0, or continues it from its checkpoint.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if its data or the kind of kernels differ from before; options that contradict each other.
    pub fn train(&self, number: usize, plan: &Plan, observe: &mut dyn FnMut(&Event<'_>)) -> Result<Finished> {
        let data = self.data.clone().unwrap_or_else(|| fingerprint(&plan.prepared));
        let (mut directory, checkpoint) = self.opened(number)?;
        if let Some(checkpoint) = &checkpoint {
            checkpoint.check(plan, &data)?;
            directory.cut_events(checkpoint.events())?;
        }
        let name = (self.first.0, self.first.1 + number);
        let seconds = || self.seconds();
        let keeper = Keeper::new(plan, &mut directory, data).of_network(name, &seconds);
        let keeper = std::cell::RefCell::new(keeper);
        let mut observe = |event: &Event<'_>| {
            keeper.borrow_mut().event(event);
            observe(event);
        };
        let mut save = |state: &mut RunState<'_>| keeper.borrow_mut().save(state);
        let attendance = Attendance { signal: self.interrupt.number(), observe: &mut observe, save: &mut save };
        let finished = plan.train_from(checkpoint.as_ref(), self.every, attendance)?;
        if let Some(failure) = keeper.into_inner().into_failure() {
            self.first_failure().get_or_insert(failure);
        }
        Ok(finished)
    }

    /// The folder of a network, with its checkpoint; emptied if there is none.
    fn opened(&self, number: usize) -> Result<(RunDirectory, Option<Checkpoint>)> {
        let folder = self.folder.join(number.to_string());
        if RunDirectory::has_checkpoint(&folder) {
            let (directory, checkpoint) = RunDirectory::reopen(&folder)?;
            return Ok((directory, checkpoint));
        }
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|e| Error::io(&folder, e))?;
        }
        Ok((RunDirectory::create(&folder, false)?, None))
    }

    /// Seconds since the run began, without interruptions.
    pub(super) fn seconds(&self) -> f64 {
        (self.before + self.began.elapsed()).as_secs_f64()
    }

    /// Removes the folders of some networks.
    ///
    /// # Errors
    /// [`Error::Io`] if a folder cannot be removed.
    pub fn forget(&self, numbers: std::ops::Range<usize>) -> Result<()> {
        for folder in numbers.map(|number| self.folder.join(number.to_string())).filter(|folder| folder.exists()) {
            fs::remove_dir_all(&folder).map_err(|e| Error::io(&folder, e))?;
        }
        Ok(())
    }

    /// Adds the events of the networks to those of the run, one network after the other.
    pub(super) fn tell(&self, directory: &mut RunDirectory) -> Result<()> {
        self.tell_of(numbers(&self.folder), directory)
    }

    /// The same for some of the networks.
    pub(super) fn tell_of(&self, networks: Vec<usize>, directory: &mut RunDirectory) -> Result<()> {
        networks
            .into_iter()
            .filter(|number| self.folder.join(number.to_string()).exists())
            .try_for_each(|number| directory.take_events(&self.folder.join(number.to_string())))
    }

    fn first_failure(&self) -> MutexGuard<'_, Option<Error>> {
        self.failure.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// The first failure while events and checkpoints were written; training continued.
    pub(super) fn into_failure(self) -> Option<Error> {
        self.failure.into_inner().unwrap_or_else(|e| e.into_inner())
    }
}

impl Plan {
    /// Name and number of the first of several networks in events: fold 1 of a cross-validation, member 0 of an ensemble,
    /// network 0 of a portfolio.
    pub fn first_network(&self) -> (&'static str, usize) {
        match (&self.portfolio, self.config.cv) {
            (Some(_), _) => ("network", 0),
            (None, Some(_)) => ("fold", 1),
            (None, None) => ("member", 0),
        }
    }

    /// Trains the network on all rows after the folds of a cross-validation, as [`Plan::run`] does, from its checkpoint if it
    /// has one, in a directory that has been [begun](Plan::begin).
    ///
    /// # Errors
    /// As [`Plan::go_on`].
    pub fn run_after_folds(
        &self,
        mut directory: RunDirectory,
        (networks, checkpoint): (Networks<'_>, Option<&Checkpoint>),
        interrupt: &Interrupt,
        observe: &mut dyn FnMut(&Event<'_>),
    ) -> Result<Finished> {
        let data = fingerprint(&self.prepared);
        match checkpoint {
            Some(checkpoint) => {
                checkpoint.check(self, &data)?;
                directory.cut_events(checkpoint.events())?;
            }
            None => {
                networks.tell(&mut directory)?;
                self.tell_of_folds(&mut directory)?;
            }
        }
        let every = self.config.output.checkpoint_every;
        let finished = self.carry_out(directory, (checkpoint, data, every), interrupt, observe)?;
        networks.into_failure().map_or(Ok(finished), Err)
    }
}

/// The numbers of the networks that have a folder, in ascending order.
fn numbers(folder: &Path) -> Vec<usize> {
    let names = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let mut numbers: Vec<usize> = names.filter_map(|name| name.to_str()?.parse().ok()).collect();
    numbers.sort_unstable();
    numbers
}

impl RunDirectory {
    /// The time for which the networks of the run have been trained.
    ///
    /// # Errors
    /// [`Error::Io`] if a checkpoint cannot be read, [`Error::Data`] if it is damaged.
    pub fn time_of_networks(&self) -> Result<Duration> {
        time_spent(&self.networks())
    }
}

/// The time of a run up to the newest checkpoint of its networks.
fn time_spent(folder: &Path) -> Result<Duration> {
    let mut spent = 0.0f64;
    for number in numbers(folder) {
        let folder = folder.join(number.to_string());
        if RunDirectory::has_checkpoint(&folder) {
            spent = spent.max(Checkpoint::read(&folder)?.elapsed());
        }
    }
    Ok(Duration::try_from_secs_f64(spent).unwrap_or_default())
}
