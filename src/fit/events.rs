//! Events of training, as observers receive them and as lines of `events.jsonl`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::goal::DataPart;
use crate::metrics::{ConfusionMatrix, MetricSet};
use crate::train::{LayerNorms, StepRecord};

/// A record of one epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Optimizer steps so far.
    pub step: u64,
    /// Running figures of the training part, computed in each batch before its update.
    pub train: MetricSet,
    /// Figures of the validation part after the epoch.
    pub val: Option<MetricSet>,
    /// Confusion matrix of the validation part: rows are true classes, columns predicted ones.
    #[serde(with = "crate::metrics::whole_matrix")]
    pub confusion: Option<ConfusionMatrix>,
    /// Learning rate of the last step.
    pub lr: f64,
    /// Whether this is the best epoch so far.
    pub best: bool,
    /// Seconds since training began.
    pub seconds: f64,
    /// Rows trained on in a second, in this epoch, without validation.
    pub samples_per_s: f64,
}

/// An event of training.
#[derive(Debug)]
pub enum Event<'a> {
    /// A recorded step; epochs count from 1.
    Step {
        /// The epoch.
        epoch: usize,
        /// The step.
        record: &'a StepRecord,
    },
    /// An epoch ended.
    Epoch(&'a EpochRecord),
}

impl Event<'_> {
    /// The event as one object of `events.jsonl`.
    pub fn to_json(&self) -> Value {
        match self {
            Event::Step { epoch, record } => step_json(*epoch, record),
            Event::Epoch(record) => epoch_json(record),
        }
    }

    /// The event of one of several networks, with the network's number under `name`.
    pub fn of_network(&self, (name, number): (&str, usize)) -> Value {
        let mut event = self.to_json();
        if let Some(fields) = event.as_object_mut() {
            fields.shift_insert(1, name.to_owned(), number.into());
        }
        event
    }
}

/// A value as an event with this kind.
pub fn event_of(kind: &str, value: &impl Serialize) -> Value {
    let mut event = json!(value);
    if let Some(fields) = event.as_object_mut() {
        fields.shift_insert(0, "event".to_owned(), kind.into());
    }
    event
}

fn step_json(epoch: usize, record: &StepRecord) -> Value {
    let of_layer = |norms: &LayerNorms| {
        let LayerNorms { layer, grad, weight } = norms;
        json!({"layer": **layer, "grad_norm": grad, "weight_norm": weight})
    };
    let layers: Vec<Value> = record.layers.iter().map(of_layer).collect();
    json!({
        "event": "step",
        "step": record.step,
        "epoch": epoch,
        "loss": record.stats.loss,
        "grad_norm": record.stats.grad_norm,
        "lr": record.lr,
        "layers": layers,
    })
}

/// The most classes of a confusion matrix in an event: it grows with their square and is written in every epoch.
const MOST_CONFUSED: usize = 20;

fn epoch_json(record: &EpochRecord) -> Value {
    let mut object = Map::new();
    object.insert("event".into(), "epoch".into());
    object.insert("epoch".into(), record.epoch.into());
    object.insert("step".into(), record.step.into());
    let parts = [(DataPart::Train, Some(&record.train)), (DataPart::Val, record.val.as_ref())];
    for (part, figures) in parts {
        for (name, value) in figures.into_iter().flat_map(MetricSet::iter) {
            object.insert(format!("{}_{name}", part.name()), value.into());
        }
    }
    let confusion = record.confusion.as_ref().map(ConfusionMatrix::nested);
    if let Some(confusion) = confusion.filter(|rows| rows.len() <= MOST_CONFUSED) {
        object.insert("val_confusion".into(), json!(confusion));
    }
    object.insert("lr".into(), record.lr.into());
    object.insert("best".into(), record.best.into());
    object.insert("seconds".into(), record.seconds.into());
    object.insert("samples_per_s".into(), record.samples_per_s.into());
    Value::Object(object)
}
