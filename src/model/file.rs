//! A model's file: tensors with the names and layout of PyTorch, and all that prediction on raw rows needs, as JSON text in the
//! metadata of a safetensors file.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, Metadata, SafeTensors, TensorInfo, TensorView};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::header::{self, prefix};
use super::{Architecture, Decision, NamedTensor, NetworkForm, Parameters, TensorName};
use crate::atomic::AtomicFile;
use crate::data::{Preprocessing, begins_pack};
use crate::nn::Loss;
use crate::option_text::option;
use crate::{Error, Result};

/// Key of the metadata.
const KEY: &str = "gradlane";
/// Key of the hash of the weights in the metadata; older models have none.
const HASH: &str = "weights_sha256";
/// Version of the metadata that this program writes, and the newest that it reads.
///
/// Every older version stays readable. A field that is added to [`Card`], or within it, has `#[serde(default)]`, with a default
/// that means what programs did without the field. Unknown fields are ignored. The version is raised only if an older program
/// would predict wrongly by ignoring the addition; it then refuses the file and asks for a newer program. A field whose meaning
/// changes gets a new name, and [`Model::load`] converts the old one according to `version`. A new version gets a folder of
/// models in `tests/data/models`, whose predictions are tested.
///
/// 1: a network, its preprocessing and history. 2: also a temperature, a threshold, bent or differently coded inputs,
/// predictions within a range, or several networks. 3: also inputs that hold the number of a level. 4: also networks of several
/// forms.
const VERSION: u32 = 4;
/// Bytes at the start of a file that identify its format.
const HEAD: usize = 64;
/// The model's file in a run directory.
pub const MODEL_FILE: &str = "model.safetensors";

/// Everything about a model except its weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// Version of this format.
    pub version: u32,
    /// The structure of the network.
    pub architecture: Architecture,
    /// The loss it was trained with, which defines the meaning of the outputs.
    pub loss: Loss,
    /// Label smoothing of the loss.
    pub label_smoothing: f64,
    /// From raw rows to inputs, from outputs to units.
    pub preprocessing: Preprocessing,
    /// Temperature, threshold and residuals.
    #[serde(default, skip_serializing_if = "Decision::is_plain")]
    pub decision: Decision,
    /// Number of networks whose probabilities or values are averaged.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub members: usize,
    /// The forms of its networks, if there are several; `architecture` is then that of the first network.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forms: Vec<NetworkForm>,
    /// Figures of the epochs it was trained for, as in `events.jsonl`.
    pub history: Vec<Value>,
}

fn one() -> usize {
    1
}

fn is_one(members: &usize) -> bool {
    *members == 1
}

impl Card {
    /// What is wrong with a card whose fields contradict each other.
    fn contradiction(&self) -> Option<String> {
        let (network, rows) = (&self.architecture, &self.preprocessing);
        if self.members == 0 {
            return Some("there is no network".to_owned());
        }
        let networks = || match self.forms.as_slice() {
            [] if rows.repeats_a_column() => Some("a column is there twice".to_owned()),
            [] if network.inputs != rows.inputs() || network.outputs != rows.outputs() => {
                Some("network and columns do not fit together".to_owned())
            }
            [] => network.contradiction(),
            forms => NetworkForm::contradiction(forms, (network, self.members), rows),
        };
        let decision = || self.decision.contradiction(network.outputs).map(str::to_owned);
        rows.contradiction().map(str::to_owned).or_else(networks).or_else(decision)
    }

    /// The architecture of each form, and its number of networks.
    pub(super) fn groups(&self) -> Vec<(&Architecture, usize)> {
        match self.forms.as_slice() {
            [] => vec![(&self.architecture, self.members)],
            forms => forms.iter().map(|form| (&form.architecture, form.members)).collect(),
        }
    }

    /// The oldest version that can express all of it; programs of that version predict the same.
    fn least_version(&self) -> u32 {
        let newer = self.members > 1 || self.decision.changes_predictions();
        let own = match (self.forms.is_empty(), newer) {
            (false, _) => 4,
            (true, true) => 2,
            (true, false) => 1,
        };
        self.preprocessing.least_version().max(own)
    }
}

/// A trained model.
#[derive(Debug, Clone)]
pub struct Model {
    /// Everything except the weights.
    pub card: Card,
    /// The weights of the first network.
    pub parameters: Parameters,
    /// The weights of the other networks of an ensemble; all of one form have the same layout.
    pub others: Vec<Parameters>,
}

impl Model {
    /// A model without a decision; the version of its card is set when it is saved.
    pub fn new(
        architecture: Architecture,
        (loss, label_smoothing): (Loss, f64),
        preprocessing: Preprocessing,
        history: Vec<Value>,
        parameters: Parameters,
    ) -> Model {
        let decision = Decision::default();
        let (version, members, forms) = (1, 1, Vec::new());
        let card =
            Card { version, architecture, loss, label_smoothing, preprocessing, decision, members, forms, history };
        Model { card, parameters, others: Vec::new() }
    }

    /// The weights of each network.
    pub fn networks(&self) -> impl Iterator<Item = &Parameters> {
        std::iter::once(&self.parameters).chain(&self.others)
    }

    /// SHA-256 over the little-endian bytes of the saved tensors, in byte order of their names: equal weights have equal
    /// hashes.
    pub fn sha256(&self) -> String {
        hash_of(self.sorted_tensors().into_iter().map(|(_, network, tensor)| network.values(&tensor)))
    }

    /// The tensors in byte order of their names, as in the file: name, network, tensor.
    fn sorted_tensors(&self) -> Vec<(String, &Parameters, TensorName)> {
        let members = 1 + self.others.len();
        let of = |(member, network): (usize, &'_ Parameters)| {
            let named = move |tensor: TensorName| (format!("{}{}", prefix(member, members), tensor.name), tensor);
            network.names().into_iter().map(named).collect::<Vec<_>>()
        };
        let mut tensors = Vec::new();
        for (member, network) in self.networks().enumerate() {
            tensors.extend(of((member, network)).into_iter().map(|(name, tensor)| (name, network, tensor)));
        }
        tensors.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
        tensors
    }

    /// The tensors of all networks as they are saved: in byte order of their names, which begin with `ensemble.M.` if there are
    /// several networks.
    pub fn tensors(&self) -> impl Iterator<Item = NamedTensor> {
        let named = |(name, network, tensor): (String, &Parameters, TensorName)| NamedTensor {
            values: network.values(&tensor),
            name,
            shape: tensor.shape,
        };
        self.sorted_tensors().into_iter().map(named)
    }

    /// Saves the model under a temporary name and renames it; equal models give equal bytes. Tensors are written one by one, so
    /// memory holds a copy of only one.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let mut file = AtomicFile::create(path)?;
        self.write(&mut BufWriter::new(&mut file)).map_err(|e| Error::io(path, e))?;
        file.finish()
    }

    fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let tensors = self.sorted_tensors();
        let card = serde_json::to_string(&Card { version: self.card.least_version(), ..self.card.clone() })?;
        let mut end = 0;
        let information = tensors.iter().map(|(name, _, tensor)| {
            let start = end;
            end += 4 * tensor.shape.iter().product::<usize>();
            let shape = tensor.shape.clone();
            (name.clone(), TensorInfo { dtype: Dtype::F32, shape, data_offsets: (start, end) })
        });
        let metadata = Metadata::new(
            Some(HashMap::from([(KEY.to_owned(), card), (HASH.to_owned(), self.sha256())])),
            information.collect(),
        );
        let mut header = serde_json::to_value(metadata.map_err(io::Error::other)?)?;
        // Entries come in a random order; equal models are equal files.
        header.get_mut("__metadata__").and_then(Value::as_object_mut).into_iter().for_each(Map::sort_keys);
        let mut header = serde_json::to_vec(&header)?;
        header.resize(header.len().next_multiple_of(8), b' ');
        to.write_all(&(header.len() as u64).to_le_bytes())?;
        to.write_all(&header)?;
        for (_, network, tensor) in &tensors {
            network.values(tensor).iter().try_for_each(|value| to.write_all(&value.to_le_bytes()))?;
        }
        to.flush()
    }

    /// Reads a model: a `.safetensors` file or a run directory.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, [`Error::Data`] if it is not a model of this program, or if its weights are not those
    /// that were saved.
    pub fn load(path: &Path) -> Result<Model> {
        Model::read(path, true)
    }

    /// Reads a model, also if its weights are not those that were saved.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, [`Error::Data`] if it is not a model of this program.
    pub(crate) fn load_as_it_is(path: &Path) -> Result<Model> {
        Model::read(path, false)
    }

    fn read(path: &Path, checked: bool) -> Result<Model> {
        let path = if path.is_dir() { path.join(MODEL_FILE) } else { path.to_path_buf() };
        let bytes = std::fs::read(&path).map_err(|e| Error::io(&path, e))?;
        let wrong = |message: String| Error::data(&path, message);
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|e| not_safetensors(&path, &e))?;
        let text = header.metadata().as_ref().and_then(|m| m.get(KEY)).ok_or_else(|| {
            let remedy = option("init_from");
            wrong(format!("expected a model of gradlane, found tensors without its metadata: use them with {remedy}"))
        })?;
        let version = serde_json::from_str::<Value>(text).ok().and_then(|v| v.get("version")?.as_u64());
        if version.is_some_and(|v| v > u64::from(VERSION)) {
            let message = format!("the model has version {}, this program reads up to {VERSION}", version.unwrap_or(0));
            return Err(wrong(format!("{message}: use a newer gradlane")));
        }
        let card: Card = serde_json::from_str(text).map_err(|e| wrong(format!("wrong metadata: {e}")))?;
        if let Some(what) = card.contradiction() {
            return Err(wrong(format!("wrong metadata: {what}")));
        }
        if let Some(what) = header::contradiction(&card.groups(), &header) {
            return Err(wrong(what));
        }
        let networks = by_network(parse(&path, &bytes, checked)?, card.members).into_iter();
        let architectures = card.groups().into_iter().flat_map(|(form, members)| std::iter::repeat_n(form, members));
        let read = |(own, form): (Vec<NamedTensor>, _)| Parameters::from_named(form, &own);
        let mut networks: Vec<Parameters> =
            networks.zip(architectures).map(read).collect::<Result<_>>().map_err(|e| wrong(e.to_string()))?;
        let parameters = networks.remove(0);
        Ok(Model { card, parameters, others: networks })
    }
}

/// SHA-256 over the little-endian bytes of tensors in the order of their names.
impl Parameters {
    /// SHA-256 over the values of the tensors, in byte order of their names.
    pub fn sha256(&self) -> String {
        let mut names = self.names();
        names.sort_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
        hash_of(names.iter().map(|tensor| self.values(tensor)))
    }
}

fn hash_of<T: AsRef<[f32]>>(tensors: impl Iterator<Item = T>) -> String {
    let mut hash = Sha256::new();
    for tensor in tensors {
        for values in tensor.as_ref().chunks(1024) {
            hash.update(values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>());
        }
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The tensors of each network, without the prefix of their names. The header was checked: each belongs to some network.
fn by_network(tensors: Vec<NamedTensor>, members: usize) -> Vec<Vec<NamedTensor>> {
    if members == 1 {
        return vec![tensors];
    }
    let mut networks = vec![Vec::new(); members];
    for tensor in tensors {
        let mut parts = tensor.name.splitn(3, '.').skip(1);
        let member = parts.next().and_then(|number| number.parse::<usize>().ok());
        if let (Some(own), Some(name)) = (member.and_then(|member| networks.get_mut(member)), parts.next()) {
            own.push(NamedTensor { name: name.to_owned(), ..tensor });
        }
    }
    networks
}

/// The tensors of any safetensors file, as 32-bit floats.
///
/// # Errors
/// [`Error::Io`] if it cannot be read, [`Error::Data`] if it is not such a file, has tensors of another type, or is a model whose
/// weights are not those that were saved.
pub fn read_tensors(path: &Path) -> Result<Vec<NamedTensor>> {
    let path: PathBuf = if path.is_dir() { path.join(MODEL_FILE) } else { path.to_path_buf() };
    let bytes = std::fs::read(&path).map_err(|e| Error::io(&path, e))?;
    parse(&path, &bytes, true)
}

/// Whether a file begins like a safetensors file and not like a pack: the length of its header in 8 bytes, then the header, a
/// JSON object.
///
/// # Errors
/// [`Error::Io`] if it cannot be read.
pub fn is_model_file(path: &Path) -> Result<bool> {
    let io = |e| Error::io(path, e);
    let file = File::open(path).map_err(io)?;
    if !file.metadata().map_err(io)?.is_file() {
        return Ok(false); // looking into a pipe would take its bytes away
    }
    let mut head = Vec::with_capacity(HEAD);
    file.take(HEAD as u64).read_to_end(&mut head).map_err(io)?;
    // Text, read as a length, would give a longer header than any real one.
    Ok(head.len() > 8 && head[8] == b'{' && head[4..8] == [0; 4] && !begins_pack(&head))
}

fn not_safetensors(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::data(path, format!("expected a safetensors file: {error}"))
}

/// The tensors of a file; `checked`: whose hash must be the one in its metadata, if there is one.
fn parse(path: &Path, bytes: &[u8], checked: bool) -> Result<Vec<NamedTensor>> {
    let file = SafeTensors::deserialize(bytes).map_err(|e| not_safetensors(path, &e))?;
    let tensor = |(name, view): (String, TensorView<'_>)| {
        let values = floats(&view).ok_or_else(|| {
            Error::data(path, format!("tensor \"{name}\": expected F32 or F64, found {:?}", view.dtype()))
        })?;
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            let (value, remedy) = (values[at], "the file is damaged, or of a training that diverged");
            return Err(Error::data(path, format!("tensor \"{name}\": value {at} is {value}: {remedy}")));
        }
        Ok(NamedTensor { name, shape: view.shape().to_vec(), values })
    };
    let mut tensors: Vec<NamedTensor> = file.tensors().into_iter().map(tensor).collect::<Result<_>>()?;
    tensors.sort_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| not_safetensors(path, &e))?;
    let saved = header.metadata().as_ref().and_then(|entries| entries.get(HASH)).filter(|_| checked);
    if saved.is_some_and(|saved| *saved != hash_of(tensors.iter().map(|tensor| &tensor.values))) {
        let message = "the weights are not those that were saved: the file is damaged, or another program changed it";
        return Err(Error::data(
            path,
            format!("{message}; without \"{HASH}\" in its metadata it is taken as it stands"),
        ));
    }
    Ok(tensors)
}

fn floats(view: &TensorView<'_>) -> Option<Vec<f32>> {
    let data = view.data();
    match view.dtype() {
        Dtype::F32 => Some(data.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()),
        Dtype::F64 => Some(data.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect()),
        _ => None,
    }
}
