//! Estimates the memory of a run before it is allocated. If it will not suffice, the run is refused with advice.

use super::auto::batch_of;
use crate::config::TrainConfig;
use crate::data::{Dataset, Features, Prepared, Targets};
use crate::layer::MemberRows;
use crate::model::Architecture;
use crate::option_text::{option, setting};
use crate::room::{available, size};
use crate::train::team::available_threads;
use crate::train::{block_rows, evaluated_rows};
use crate::{Error, Result};

/// Below this number of bytes the available memory is not queried.
const NEGLIGIBLE: f64 = 1e8;
/// Copies of the outputs while figures are computed: the outputs, the predictions, and these sorted or combined with the truth.
const COPIES_OF_OUTPUTS: f64 = 3.0;
/// Buffers as wide as a layer, for each row of a block: the activation, the value before it, the error signal, and its
/// transpose.
const BUFFERS: f64 = 4.0;
/// Fraction of the available memory that a preset may take.
pub(super) const SHARE_OF_PRESET: f64 = 0.5;
/// Address space of a thread: its stack, and the pool of the allocator.
const OF_A_THREAD: f64 = 72e6;

/// Bytes that a run needs, by purpose.
pub(super) struct MemoryNeeds {
    /// Parameters: the initial ones, those in training, gradients, optimizer state, averages, the kept ones.
    parameters: f64,
    /// Activations and error signals of a batch.
    activations: f64,
    /// Inputs that are in memory at once, if they are read by blocks.
    inputs: f64,
    /// Outputs of all rows of a part, and what is computed from them.
    outputs: f64,
    /// The confusion matrix.
    confusion: f64,
    threads: f64,
    rows: usize,
    units: usize,
}

impl MemoryNeeds {
    /// The needs of a network on some data.
    pub(super) fn of(architecture: &Architecture, config: &TrainConfig, prepared: &Prepared) -> MemoryNeeds {
        let options = &config.optimizer;
        let batch = batch_of(options.batch, prepared.train.rows()).saturating_mul(options.accumulate);
        let threads = config.threads.threads.unwrap_or_else(available_threads);
        let (spec, averages) = (options.spec, usize::from(options.ema.is_some()));
        let kept = if prepared.val.is_some() { 1 } else { 2 };
        let copies = 3 + spec.algorithm.initial_state(spec.lr).len() + averages + kept;
        // Networks of an ensemble: this many are trained at once; the others are stored.
        let at_once = config.members.min(threads).max(1);
        let others = config.members - at_once.min(config.members);
        let width = architecture.total_width(options.member_rows);
        let members = architecture.network().members();
        let owners = if options.member_rows == MemberRows::Own { members } else { 1 };
        let block = batch.min(block_rows(members)) as f64 * BUFFERS;
        let evaluated = evaluated_rows(members) as f64;
        let parts = [prepared.val.as_ref(), prepared.test.as_ref()];
        let rows = |data: Option<&Dataset>| data.map_or(0, Dataset::rows);
        let most = parts.iter().map(|part| rows(*part)).fold(prepared.train.rows(), usize::max);
        let classes = match &prepared.train.targets {
            Targets::Classes { classes, .. } => *classes as f64,
            Targets::Values { .. } => 0.0,
        };
        let judged = parts.iter().any(|part| part.is_some());
        MemoryNeeds {
            parameters: 4.0 * architecture.linear_parameters() as f64 * (copies * at_once + others) as f64,
            inputs: 4.0 * inputs_at_once(&prepared.train) as f64 * at_once as f64,
            activations: 4.0 * width as f64 * (block + threads as f64 * evaluated),
            outputs: 4.0 * (architecture.outputs * owners) as f64 * most as f64 * COPIES_OF_OUTPUTS,
            confusion: if judged { 2.0 * 8.0 * classes * classes } else { 0.0 },
            threads: OF_A_THREAD * threads as f64,
            rows: most,
            units: architecture.outputs,
        }
    }

    fn bytes(&self) -> f64 {
        self.parameters + self.inputs + self.activations + self.outputs + self.confusion + self.threads
    }

    /// Refuses a run that needs more memory than is available, and a preset that needs more than half of it.
    ///
    /// # Errors
    /// [`Error::Memory`], which says what needs most and what to try.
    pub(super) fn check(&self, preset: Option<&str>) -> Result<()> {
        let needed = self.bytes();
        if needed - self.threads < NEGLIGIBLE {
            return Ok(());
        }
        match available() {
            Some(room) if room < needed => Err(Error::Memory(self.refusal(room.max(0.0)))),
            Some(room) if SHARE_OF_PRESET * room < needed => match preset {
                Some(name) => {
                    let (needed, room) = (size(needed), size(room));
                    let message = format!(
                        "training needs about {needed}, more than half of the {room} of memory that can be had: use plain"
                    );
                    Err(Error::Memory(message).of_value("preset", name))
                }
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn refusal(&self, room: f64) -> String {
        let by_outputs = self.outputs.max(self.confusion);
        let advice = if by_outputs >= self.parameters.max(self.activations) {
            let (rows, units) = (self.rows, self.units);
            format!(
                "most of it for {units} outputs of {rows} rows: is {} the right column? Else use fewer classes, {} for numbers, or \
                 fewer rows",
                option("label"),
                setting("task", "regression")
            )
        } else if self.parameters >= self.activations {
            let hidden = option("hidden");
            format!("most of it for the network and its optimizer's state: use fewer units ({hidden})")
        } else {
            let (batch, hidden) = (option("batch"), option("hidden"));
            format!("most of it for the activations of a batch: use a smaller {batch} or fewer units ({hidden})")
        };
        format!("training needs about {}, and {} of memory can be had; {advice}", size(self.bytes()), size(room))
    }
}

/// Inputs that are loaded at once for one network.
fn inputs_at_once(data: &Dataset) -> usize {
    match &data.features {
        Features::Blocks(blocks) => blocks.window().min(blocks.rows()) * blocks.cols(),
        Features::F32 { .. } | Features::U8 { .. } => 0,
    }
}
