//! The state of a run as bytes: a safetensors file whose metadata are JSON. The last tensor is a hash of all that precedes it.

use std::collections::HashMap;
use std::fmt::Display;
use std::io::{self, Write};

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::kept::Kept;
use super::state::{FitProgress, FitState, RunState};
use crate::Error;
use crate::kernel::{LANES, Line, zeroed};
use crate::optim::Carried;
use crate::optim::lbfgs::Remembered;
use crate::train::{RunningEpoch, Trainer};

/// Key of the metadata.
const KEY: &str = "gradlane-state";
/// Version of this format. States of other versions are refused, since what a run remembers may have changed.
const VERSION: u32 = 1;
/// Name of the last tensor.
const HASH: &str = "sha256";
/// Bytes of the hash.
const HASH_BYTES: usize = 32;

/// Everything in a state except its tensors.
#[derive(Debug, Serialize, Deserialize)]
struct StateCard {
    /// Version of this format.
    version: u32,
    /// The caller's description of the state.
    about: Value,
    /// Names and shapes of the network's tensors.
    network: Vec<(String, Vec<usize>)>,
    steps: u64,
    carried: Carried,
    minimizer: Option<Remembered>,
    epoch: RunningEpoch,
    progress: FitProgress,
    /// The epoch of the kept weights, and that of the unproven ones.
    kept: Option<(usize, usize)>,
}

/// Numbers of a state, as lines or single floats.
enum TensorNumbers<'a> {
    Lines(&'a mut [Line]),
    Floats(&'a mut [f32]),
}

impl TensorNumbers<'_> {
    fn len(&self) -> usize {
        match self {
            TensorNumbers::Lines(lines) => lines.len() * LANES,
            TensorNumbers::Floats(floats) => floats.len(),
        }
    }

    fn write(&self, to: &mut impl Write) -> io::Result<()> {
        match self {
            TensorNumbers::Lines(lines) => lines.iter().try_for_each(|line| write_floats(&line.0, to)),
            TensorNumbers::Floats(floats) => write_floats(floats, to),
        }
    }

    fn fill(&mut self, bytes: &[u8]) {
        match self {
            TensorNumbers::Lines(lines) => {
                lines.iter_mut().zip(bytes.chunks(4 * LANES)).for_each(|(line, bytes)| read_floats(bytes, &mut line.0));
            }
            TensorNumbers::Floats(floats) => read_floats(bytes, floats),
        }
    }
}

fn write_floats(floats: &[f32], to: &mut impl Write) -> io::Result<()> {
    floats.chunks(LANES).try_for_each(|some| {
        let mut bytes = [0; 4 * LANES];
        bytes.chunks_mut(4).zip(some).for_each(|(bytes, x)| bytes.copy_from_slice(&x.to_le_bytes()));
        to.write_all(&bytes[..4 * some.len()])
    })
}

fn read_floats(bytes: &[u8], floats: &mut [f32]) {
    let (fours, _) = bytes.as_chunks::<4>();
    floats.iter_mut().zip(fours).for_each(|(x, bytes)| *x = f32::from_le_bytes(*bytes));
}

impl RunState<'_> {
    /// Writes the state. `about` is the caller's own description; [`SavedState::about`] returns it.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(&mut self, about: &Value, to: &mut impl Write) -> io::Result<()> {
        let card = serde_json::to_string(&self.card(about))?;
        let mut to = Hashing { to, hash: Sha256::new() };
        let tensors = self.tensors();
        let mut end = 0;
        let mut place = |bytes: usize| {
            let start = end;
            end += bytes;
            (start, end)
        };
        let float = |(name, numbers): &(String, TensorNumbers<'_>)| {
            let (dtype, shape) = (Dtype::F32, vec![numbers.len()]);
            (name.clone(), TensorInfo { dtype, shape, data_offsets: place(4 * numbers.len()) })
        };
        let mut information: Vec<(String, TensorInfo)> = tensors.iter().map(float).collect();
        let hash = TensorInfo { dtype: Dtype::U8, shape: vec![HASH_BYTES], data_offsets: place(HASH_BYTES) };
        information.push((HASH.to_owned(), hash));
        let metadata = HashMap::from([(KEY.to_owned(), card)]);
        let metadata = Metadata::new(Some(metadata), information).map_err(io::Error::other)?;
        let mut header = serde_json::to_vec(&metadata)?;
        header.resize(header.len().next_multiple_of(8), b' ');
        to.write_all(&(header.len() as u64).to_le_bytes())?;
        to.write_all(&header)?;
        for (_, numbers) in &tensors {
            numbers.write(&mut to)?;
        }
        let Hashing { to, hash } = to;
        to.write_all(&hash.finalize())?;
        to.flush()
    }

    fn card(&self, about: &Value) -> StateCard {
        let names = self.train.parameters.names().into_iter();
        StateCard {
            version: VERSION,
            about: about.clone(),
            network: names.map(|tensor| (tensor.name, tensor.shape)).collect(),
            steps: self.train.optimizer.steps,
            carried: self.train.optimizer.carried,
            minimizer: self.train.optimizer.minimizer.as_ref().map(|minimizer| minimizer.remembered()),
            epoch: self.train.epoch,
            progress: self.fit.progress.clone(),
            kept: self.fit.kept.as_ref().map(|kept| (kept.epoch, kept.unproven_epoch)),
        }
    }

    /// All tensors by name, in the order in which they are written.
    fn tensors(&mut self) -> Vec<(String, TensorNumbers<'_>)> {
        let mut tensors = vec![("parameters".to_owned(), TensorNumbers::Lines(&mut self.train.parameters.lines))];
        let optimizer = &mut self.train.optimizer;
        let state = optimizer.tensors.iter_mut();
        tensors.extend(state.map(|t| (format!("optimizer.{}", t.name), TensorNumbers::Lines(&mut t.lines))));
        let vectors = optimizer.minimizer.iter_mut().flat_map(|minimizer| minimizer.vectors_mut());
        tensors.extend(vectors.map(|(name, values)| (format!("optimizer.{name}"), TensorNumbers::Floats(values))));
        tensors.extend(self.train.average.iter_mut().map(|lines| ("average".to_owned(), TensorNumbers::Lines(lines))));
        if let Some(kept) = &mut self.fit.kept {
            tensors.push(("kept".to_owned(), TensorNumbers::Lines(&mut kept.lines)));
            if kept.unproven_epoch > 0 {
                tensors.push(("unproven".to_owned(), TensorNumbers::Lines(&mut kept.unproven)));
            }
        }
        let seen = self.train.width * self.train.epoch.rows;
        tensors.push(("outputs".to_owned(), TensorNumbers::Floats(&mut self.train.outputs[..seen])));
        tensors
    }
}

/// A writer that hashes what it writes.
struct Hashing<W> {
    to: W,
    hash: Sha256,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// A state that was read and is complete; [`SavedState::restore`] puts it in place.
pub struct SavedState<'a> {
    card: StateCard,
    tensors: SafeTensors<'a>,
}

impl<'a> SavedState<'a> {
    /// Reads what [`RunState::write`] wrote.
    ///
    /// # Errors
    /// A sentence that says what is wrong: not a saved state, damaged, or of another version of the program.
    pub fn read(bytes: &'a [u8]) -> Result<SavedState<'a>, String> {
        let (content, hash) = bytes.split_at(bytes.len().saturating_sub(HASH_BYTES));
        if Sha256::digest(content)[..] != *hash {
            let message = "expected the saved state of a run, found one that is damaged, or something else";
            return Err(format!("{message}: its hash is not that of its content"));
        }
        let no_state = |e: &dyn Display| format!("expected the saved state of a run, found something else ({e})");
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| no_state(&e))?;
        let card = header.metadata().as_ref().and_then(|metadata| metadata.get(KEY));
        let card: Result<Value, &str> =
            card.ok_or("no description").and_then(|card| serde_json::from_str(card).map_err(|_| "no JSON"));
        let card = card.map_err(|e| no_state(&e))?;
        let version = card.get("version").and_then(Value::as_u64).ok_or_else(|| no_state(&"no version"))?;
        if version != u64::from(VERSION) {
            let found = format!("expected the saved state of a run in version {VERSION}, found version {version}");
            return Err(format!("{found}: go on with the program that saved it"));
        }
        let tensors = SafeTensors::deserialize(bytes).map_err(|e| no_state(&e))?;
        let card = serde_json::from_value(card).map_err(|e| no_state(&e))?;
        Ok(SavedState { card, tensors })
    }

    /// The description that was saved with the state.
    pub fn about(&self) -> &Value {
        &self.card.about
    }

    /// Completed epochs.
    pub fn epochs(&self) -> usize {
        self.card.epoch.number
    }

    /// Learning rate of the last epoch's last step.
    pub fn last_rate(&self) -> Option<f64> {
        self.card.progress.history.last().map(|record| record.lr)
    }

    /// Seconds of training before it was saved.
    pub fn seconds(&self) -> f64 {
        self.card.progress.seconds
    }

    /// Replaces the states of a trainer and a fit of the same configuration and data by the saved one. The number of threads
    /// may differ.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if it is of another network, optimizer or number of rows. Trainer and fit must not be used
    /// afterwards.
    pub fn restore(&self, trainer: &mut Trainer, fit: &mut FitState) -> Result<(), Error> {
        let mut state = RunState { train: &mut trainer.state, fit };
        let card = &self.card;
        if state.card(&Value::Null).network != card.network {
            return Err(Error::Mismatch("the saved state is of another network".to_owned()));
        }
        let too_many =
            card.epoch.rows.checked_mul(state.train.width).is_none_or(|outputs| outputs > state.train.outputs.len());
        if too_many {
            return Err(Error::Mismatch("the saved state is of a training part with more rows".to_owned()));
        }
        let lines = state.train.parameters.lines.len();
        state.fit.kept = card.kept.map(|(epoch, unproven_epoch)| Kept {
            lines: zeroed(lines),
            epoch,
            unproven: if unproven_epoch > 0 { zeroed(lines) } else { Vec::new() },
            unproven_epoch,
        });
        (state.train.optimizer.steps, state.train.optimizer.carried) = (card.steps, card.carried);
        (state.train.epoch, state.fit.progress) = (card.epoch, card.progress.clone());
        let other_optimizer = || Error::Mismatch("the saved state is of another optimizer or its options".to_owned());
        let recalled = match (&mut state.train.optimizer.minimizer, &card.minimizer) {
            (None, None) => true,
            (Some(minimizer), Some(remembered)) => minimizer.recall(remembered),
            _ => false,
        };
        let mut tensors = state.tensors();
        if !recalled || tensors.len() + 1 != self.tensors.len() {
            return Err(other_optimizer());
        }
        for (name, numbers) in &mut tensors {
            let found = self.tensors.tensor(name).map_err(|_| other_optimizer())?;
            if found.dtype() != Dtype::F32 || found.data().len() != 4 * numbers.len() {
                return Err(other_optimizer());
            }
            numbers.fill(found.data());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
