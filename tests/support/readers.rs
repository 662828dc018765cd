//! Every reader of external data, called as in the program. The fuzzer (`tests/fuzz`) and the test of `tests/data/hostile`
//! use the same functions.
//!
//! No reader may panic, hang or use too much memory, whatever the input is. The result of reading does not matter here.

use std::path::Path;
use std::sync::Arc;

use gradlane::config::{SettingOrigin, Settings, TrainConfig};
use gradlane::data::{self, DataOptions, Features, Format, Part, Preprocessing, RowReader, Shuffle, Source};
use gradlane::experiment::compare::{RUNS_FILE, analyse, read_records, summary_tables};
use gradlane::experiment::tune::{Space, TrialJournal, TuneProtocol};
use gradlane::fit::{FitState, SavedState};
use gradlane::kernel::Isa;
use gradlane::layer::Sizes;
use gradlane::layer::description::{Description, check, check_fitted};
use gradlane::metrics::MetricName;
use gradlane::model::file::read_tensors;
use gradlane::model::{Architecture, Model};
use gradlane::nn::Activation;
use gradlane::predict::{Answers, PredictionTable, Predictor, write_predictions};
use gradlane::report::report_html;
use gradlane::run::{Plan, RunDirectory};
use gradlane::train::Trainer;
use sha2::{Digest, Sha256};

/// A reader and the name of its file.
pub struct Reader {
    pub name: &'static str,
    file: &'static str,
    read: fn(&Path, &[u8]),
}

pub const READERS: [Reader; 16] = [
    Reader { name: "csv", file: "x.csv", read: |file, _| table(file, Format::Auto) },
    Reader { name: "tsv", file: "x.tsv", read: |file, _| table(file, Format::Tsv) },
    Reader { name: "jsonl", file: "x.jsonl", read: |file, _| table(file, Format::Jsonl) },
    Reader { name: "parquet", file: "x.parquet", read: |file, _| table(file, Format::Parquet) },
    Reader { name: "npy", file: "x.npy", read: |file, _| table(file, Format::Npy) },
    Reader { name: "npz", file: "x.npz", read: |file, _| table(file, Format::Npz) },
    Reader { name: "pack", file: "x.pack", read: packs },
    Reader { name: "libsvm", file: "x.svm", read: |file, _| table(file, Format::Libsvm) },
    Reader { name: "idx", file: "x.idx", read: |file, _| table(file, Format::Idx) },
    Reader { name: "packed", file: "x", read: |file, _| table(file, Format::Auto) },
    Reader { name: "model", file: "model.safetensors", read: models },
    Reader { name: "checkpoint", file: "checkpoint", read: checkpoint },
    Reader { name: "config", file: "config.toml", read: |file, _| config(file) },
    Reader { name: "network", file: "network.toml", read: |_, bytes| network(&String::from_utf8_lossy(bytes)) },
    Reader { name: "search", file: "trials.jsonl", read: |file, _| search(file) },
    Reader { name: "comparison", file: RUNS_FILE, read: |file, _| comparison(file) },
];

impl Reader {
    /// Writes the bytes to a file in `folder`, which is not used otherwise, and calls the reader.
    pub fn read(&self, folder: &Path, bytes: &[u8]) {
        let file = folder.join(self.file);
        std::fs::write(&file, bytes).expect("a folder that can be written");
        (self.read)(&file, bytes);
    }
}

/// Reads a table or images as `inspect`, `train`, `evaluate` and `predict` do.
fn table(file: &Path, format: Format) {
    let source = Source::new(file);
    let options = DataOptions { format, ..DataOptions::new(file) };
    let read = options.read_options();
    let _ = data::describe(&source, &read);
    let Ok(prepared) = data::prepare(&options, 1) else { return };
    let _ = data::prepare_for(&prepared.preprocessing, &source, &read, Part::Test, None);
    let Ok(mut rows) = RowReader::open(&prepared.preprocessing, &source, &read, Part::Test, &[]) else { return };
    while let Ok(Some(_)) = rows.next_rows(1000) {}
}

/// Replaces the first eight bytes, the length of the header, by its actual length: that of the printable text up to its last
/// brace and the blanks after it. So an input with a changed header is not refused only for its length.
fn with_length(bytes: &[u8]) -> Vec<u8> {
    let rest = bytes.get(8..).unwrap_or_default();
    let text = &rest[..rest.iter().take_while(|byte| (b' '..=b'~').contains(byte)).count()];
    let end = text.iter().rposition(|byte| *byte == b'}').map_or(0, |last| last + 1);
    let length = end + text[end..].iter().take_while(|byte| **byte == b' ').count();
    [&(length as u64).to_le_bytes()[..], rest].concat()
}

/// Reads a pack unchanged, and with the correct length of its header, by rows and by blocks.
fn packs(file: &Path, bytes: &[u8]) {
    let read = || {
        table(file, Format::Pack);
        let options = DataOptions { shuffle: Shuffle::Blocks, format: Format::Pack, ..DataOptions::new(file) };
        if let Ok(prepared) = data::prepare(&options, 1) {
            let _ = prepared.train.subset(&[0]);
        }
    };
    read();
    std::fs::write(file, with_length(bytes)).expect("a folder that can be written");
    read();
}

/// Reads a model unchanged, and with the correct length of its header.
fn models(file: &Path, bytes: &[u8]) {
    model(file);
    std::fs::write(file, with_length(bytes)).expect("a folder that can be written");
    model(file);
}

/// Reads a model, describes it, and predicts two rows with its columns.
fn model(file: &Path) {
    let _ = read_tensors(file);
    let Ok(model) = Model::load(file) else { return };
    let _ = model.describe();
    let preprocessing = &model.card.preprocessing;
    let Ok(mut predictor) = Predictor::new(&model, Isa::detect(), 1) else { return };
    let table = match preprocessing {
        Preprocessing::Table(table) => table,
        Preprocessing::Images(images) => {
            let cols = preprocessing.inputs();
            predictor.predict(&Features::U8 { values: vec![1; 2 * cols], cols, scale: images.scale });
            return;
        }
    };
    let line = |cell: &dyn Fn(&str) -> String| {
        let cells: Vec<String> = table.columns.iter().map(|name| cell(name)).collect();
        cells.join(",") + "\n"
    };
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let rows = file.with_file_name("rows.csv");
    let text = line(&quoted) + &line(&|_| "1".to_owned()) + &line(&|_| String::new());
    std::fs::write(&rows, text).expect("a folder that can be written");
    let read = DataOptions::default().read_options();
    let Ok(mut reader) = RowReader::open(preprocessing, &Source::new(rows), &read, Part::Test, &[]) else { return };
    let answers = Answers::new(preprocessing.target(), true).with_threshold(model.card.decision.threshold());
    let (table, mut out) = (PredictionTable { answers, header: true }, Vec::new());
    let to = (&mut out as &mut dyn std::io::Write, Path::new("out"));
    let _ = write_predictions(&mut predictor, &mut reader, preprocessing.inputs(), &table, to);
}

thread_local! {
    /// The trainer of a run with three features and two classes, into which checkpoints are restored.
    static TRAINER: std::cell::RefCell<Trainer> = std::cell::RefCell::new(trainer());
}

fn trainer() -> Trainer {
    let mut settings = Settings::new();
    for (name, value) in [("data", "x.csv"), ("hidden", "3"), ("preset", "plain")] {
        settings.set(name, value.into(), SettingOrigin::Flag);
    }
    let config = TrainConfig::new(settings).expect("a configuration");
    let rows: String = (0..20).map(|n| format!("{},{},{},{}\n", n, n * n % 7, n % 3, ["a", "b"][n % 2])).collect();
    let text: &'static str = Box::leak(format!("x,y,z,label\n{rows}").into_boxed_str());
    let prepared = data::prepare_bytes(text.as_bytes(), &config.data, 1).expect("a table");
    let plan = Plan::over(config, Arc::new(prepared)).expect("a plan");
    plan.trainer(16).expect("a trainer")
}

/// Reads a checkpoint as `resume` does: unchanged, and with the correct hash at its end, so that the content is read too.
fn checkpoint(file: &Path, bytes: &[u8]) {
    let folder = file.parent().expect("a file in a folder");
    let _ = RunDirectory::reopen(folder);
    let content = with_length(&bytes[..bytes.len().saturating_sub(32)]);
    let whole = [&content[..], &Sha256::digest(&content)[..]].concat();
    std::fs::write(file, &whole).expect("a folder that can be written");
    let _ = RunDirectory::reopen(folder);
    if let Ok(saved) = SavedState::read(&whole) {
        let _ = (saved.epochs(), saved.last_rate());
        TRAINER.with_borrow_mut(|trainer| {
            let _ = saved.restore(trainer, &mut FitState::default());
        });
    }
}

/// Reads the file as a configuration of `train` and as a space of `tune`.
fn config(file: &Path) {
    let _ = Space::read(file);
    let mut settings = Settings::new();
    if settings.add_file(file).is_ok() {
        let _ = TrainConfig::new(settings);
    }
}

/// Reads the file of `--network`, for a network of three inputs and two outputs.
fn network(text: &str) {
    let sizes = Sizes { inputs: 3, outputs: 2 };
    let Ok(chain) = Description::parse(text).and_then(|description| description.layers(sizes)) else { return };
    if check(&chain, sizes).is_err() || check_fitted(&chain).is_err() {
        return;
    }
    let architecture = Architecture {
        inputs: sizes.inputs,
        hidden: Vec::new(),
        outputs: sizes.outputs,
        activations: Vec::new(),
        output_activation: Activation::Identity,
        norm: None,
        residual: false,
        dropout: 0.0,
        chain: Some(chain),
    };
    if architecture.fits_into_memory() {
        let network = architecture.network();
        let _ = (network.tensors(), network.program(true), network.program(false));
    }
}

/// Reads the file as the journal of `tune` and as its `tune.toml`.
fn search(file: &Path) {
    if let Ok(journal) = TrialJournal::open(file) {
        let _ = (journal.ranked(MetricName::Loss), journal.ranked(MetricName::Accuracy), journal.find(1, 1));
    }
    let folder = file.parent().expect("a file in a folder");
    std::fs::rename(file, folder.join("tune.toml")).expect("a folder that can be written");
    if let Ok((protocol, _)) = TuneProtocol::read(folder) {
        let _ = (protocol.space(folder), protocol.metric(), TrainConfig::new(protocol.settings(folder)));
    }
}

/// Reads the runs of a comparison and reports on them, as `compare --from` does.
fn comparison(file: &Path) {
    let folder = file.parent().expect("a file in a folder");
    let Ok(records) = read_records(folder) else { return };
    if let Ok(summary) = analyse(&records) {
        let _ = (summary_tables(&summary), report_html(&records, &summary));
    }
}
