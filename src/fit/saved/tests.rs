//! A fit that is stopped at any step and continues from its saved state ends with the same bits as one that was never stopped.

use std::sync::atomic::{AtomicUsize, Ordering};

use rand::RngExt;

use super::*;
use crate::data::{Dataset, Features, Target, Targets, Task};
use crate::fit::{Attendance, EpochRecord, Every, FitData, FitOptions, FitOutcome, Patience, Stopped, fit};
use crate::kernel::Isa;
use crate::layer::{
    Activate, Adapter, Bins, Categories, Dropout, Embedded, Expand, Factors, Layer, Linear, Lookup, Norm, Pbld, Ple,
    Skip,
};
use crate::model::recipe::Biases;
use crate::model::{Architecture, Parameters};
use crate::nn::{Activation, Loss, NormKind, Objective};
use crate::optim::catalogue::CATALOGUE;
use crate::optim::clip::NormType;
use crate::optim::{Dialect, OptimizerSpec};
use crate::rng::{Purpose, stream};
use crate::score::Scorer;
use crate::train::{DataPass, Largest, StepSettings};

const ROWS: usize = 52;
const INPUTS: usize = 5;
const CLASSES: usize = 3;

/// What is trained and on what terms.
struct Case {
    name: String,
    dropout: f64,
    settings: StepSettings,
    options: FitOptions,
    validated: bool,
    /// The layers, where they are given one by one; their weights begin by a look at the rows.
    chain: Option<Vec<Layer>>,
}

impl Case {
    fn new(text: &str, dialect: Option<Dialect>) -> Case {
        let optimizer = OptimizerSpec::parse(text, dialect).unwrap();
        let plain = StepSettings::plain(Objective::new(Loss::CrossEntropy, 0.0).unwrap(), optimizer);
        let algorithm = optimizer.algorithm;
        let full = algorithm.needs_full_batch();
        let options = FitOptions {
            epochs: 4,
            last_epoch: None,
            last_step: None,
            steps: None,
            deadline: None,
            limit: None,
            batch: if full { ROWS } else { 16 },
            shuffle: !full,
            augment: None,
            seed: 5,
            lr: optimizer.lr,
            schedule: if algorithm.follows_schedule() { "cosine:warmup=0.2" } else { "const" }.parse().unwrap(),
            target: None,
            monitor: "val_loss".parse().unwrap(),
            patience: Patience::Never,
            min_delta: 0.0,
            tol_loss: None,
            tol_grad: None,
            log_steps: Some(1),
            save_every: None,
        };
        let name = format!("{text} {dialect:?}");
        let settings = StepSettings { seed: 9, ..plain };
        Case { name, dropout: 0.0, settings, options, validated: true, chain: None }
    }

    /// Everything that optimizers of batches may have beside them.
    fn with_all(mut self) -> Case {
        self.name += " with all";
        self.dropout = 0.3;
        self.settings.l2 = 1e-3;
        self.settings.weight_decay = 1e-2;
        self.settings.clip_norm = Some((0.5, NormType::L2));
        self.settings.clip_layer = Some(0.4);
        self.settings.mean_of_means = (self.settings.optimizer.dialect == Some(Dialect::Keras)).then_some(8);
        if self.settings.optimizer.algorithm.evaluated_between().is_none() {
            self.settings.ema = Some(0.8);
        }
        self.options.schedule = "plateau:factor=0.5,patience=0,threshold=0.5".parse().unwrap();
        self
    }

    /// A network of members over embedded inputs.
    fn of_members(self) -> Case {
        Case { name: self.name.clone() + " of members", chain: Some(members()), ..self }
    }

    fn trainer(&self, threads: usize) -> Trainer {
        let network = Architecture {
            inputs: INPUTS,
            hidden: vec![9, 20],
            outputs: CLASSES,
            activations: vec![Activation::Tanh, Activation::Silu],
            output_activation: Activation::Identity,
            norm: Some(NormKind::Layer),
            residual: true,
            dropout: self.dropout,
            chain: self.chain.clone(),
        };
        let mut parameters = Parameters::init(&network, None, 3);
        // All ISAs with fused multiply-add give the same bits.
        let fused: Vec<Isa> = Isa::available().into_iter().filter(|isa| isa.name() != "portable").collect();
        let isa = fused.get(threads % fused.len().max(1)).copied().unwrap_or(Isa::detect());
        if self.chain.is_some() {
            let pass = DataPass { init: Some("std".parse().unwrap()), biases: Biases::Mixture, seed: 3 };
            pass.apply(&network, isa, &data(ROWS, 1).features, &mut parameters);
        }
        Trainer::new(
            &network,
            parameters,
            self.settings.clone(),
            (isa, threads),
            Largest { batch: self.options.batch, epoch: ROWS },
        )
    }

    /// Fits from the states of trainer and fit; `save` may ask for the end by the signal.
    fn fit(
        &self,
        (trainer, state): (&mut Trainer, FitState),
        every: Option<Every>,
        save: impl FnMut(&mut RunState<'_>, &AtomicUsize),
    ) -> FitEnd {
        let (train, val) = (data(ROWS, 1), data(20, 2));
        let names = |prefix: &str, count: usize| (0..count).map(|n| format!("{prefix}{n}")).collect::<Vec<_>>();
        let target = Target {
            task: Task::Multiclass,
            columns: names("label", 1),
            classes: names("class", CLASSES),
            numeric: false,
            mean: Vec::new(),
            sd: Vec::new(),
            range: Vec::new(),
            forms: Vec::new(),
        };
        let scorer = Scorer::new(&target, Loss::CrossEntropy);
        let fit_data = FitData { train: &train, val: self.validated.then_some(&val), scorer: &scorer };
        let options = FitOptions { save_every: every, ..self.options.clone() };
        let (signal, mut save, mut events) = (AtomicUsize::new(0), save, Vec::new());
        let attendance = Attendance {
            signal: &signal,
            observe: &mut |event| events.push(timeless(event.to_json())),
            save: &mut |state| save(state, &signal),
        };
        let outcome = fit(trainer, state, (fit_data, &options), attendance);
        FitEnd { last: bits(&trainer.parameters().lines), kept: bits(&outcome.parameters), outcome, events }
    }
}

/// Numbers in pieces and in waves, the number of a level and the parts of a category, side by side; then members with dropout.
fn members() -> Vec<Layer> {
    let embedded = |input: usize| Embedded { inputs: Some([input].into()) };
    let edges = Bins::Edges(vec![vec![-0.5, 0.1, 0.6]].into());
    let ple = Ple { embedded: embedded(0), dim: 3, bins: edges };
    let pbld = Pbld { embedded: embedded(1), dim: 2, frequencies: 4, sigma: 0.5 };
    let own = Linear { members: true, ..Linear::new(CLASSES) };
    let inner = vec![
        Layer::new("network.6.0", Norm { norm: NormKind::Rms }),
        Layer::new("network.6.1", Linear::new(9)),
        Layer::new("network.6.2", Dropout { rate: 0.3 }),
    ];
    vec![
        Layer::new("network.lookup", Lookup { columns: [(2, 3)].into(), dim: 2, mask: 0.3 }),
        Layer::new("network.0", Categories { runs: [(4, 2)].into(), dim: 2, mask: 0.3 }),
        Layer::new("network.1", pbld),
        Layer::new("network.2", ple),
        Layer::new("network.3", Expand { members: 3 }),
        Layer::new("network.4", Adapter { shift: Some(0.5), ..Adapter::new(Factors::Signs, None) }),
        Layer::new("network.5", Linear::new(20)),
        Layer::new("network.6", Skip { inner }),
        Layer::new("network.7", Activate { function: Activation::Silu }),
        Layer::new("network.8", own),
    ]
}

/// What came of a fit.
struct FitEnd {
    last: Vec<u32>,
    kept: Vec<u32>,
    outcome: FitOutcome,
    events: Vec<Value>,
}

impl FitEnd {
    /// Fails unless this fit, which went on, ends as the whole one.
    fn assert_is_end_of(&self, whole: &FitEnd, what: &str) {
        assert!(self.last == whole.last, "{what}: last weights");
        assert!(self.kept == whole.kept, "{what}: kept weights");
        let end = |fitted: &FitEnd| {
            let outcome = &fitted.outcome;
            (outcome.stopped, outcome.best_epoch, outcome.rows, outcome.monitor_undefined)
        };
        assert_eq!(end(self), end(whole), "{what}");
        let records = |fitted: &FitEnd| {
            let records = fitted.outcome.history.records().into_iter();
            records.map(|record| EpochRecord { seconds: 0.0, samples_per_s: 0.0, ..record.clone() }).collect::<Vec<_>>()
        };
        assert_eq!(records(self), records(whole), "{what}");
        assert!(whole.events.ends_with(&self.events), "{what}: {:?} after {:?}", self.events, whole.events);
    }
}

fn bits(lines: &[Line]) -> Vec<u32> {
    lines.iter().flat_map(|line| line.0.map(f32::to_bits)).collect()
}

/// An event without the figures that depend on the clock.
fn timeless(mut event: Value) -> Value {
    let event_map = event.as_object_mut().unwrap();
    event_map.shift_remove("seconds");
    event_map.shift_remove("samples_per_s");
    event
}

fn data(rows: usize, seed: u64) -> Dataset {
    let mut rng = stream(seed, Purpose::Synthetic, 0, 0);
    let values = (0..rows * INPUTS).map(|_| rng.random::<f32>() * 2.0 - 1.0).collect();
    let labels = (0..rows).map(|_| rng.random_range(0..CLASSES as u32)).collect();
    let weights = Some((0..rows).map(|_| rng.random::<f32>() + 0.1).collect());
    let features = Features::F32 { values, cols: INPUTS };
    Dataset { features, targets: Targets::Classes { labels, classes: CLASSES }, weights }
}

fn saved(state: &mut RunState<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    state.write(&Value::Null, &mut bytes).unwrap();
    bytes
}

/// Saves after every step of a whole fit, and continues from each of these states with one, two or three threads.
fn check(case: &Case) {
    let whole = case.fit((&mut case.trainer(1), FitState::default()), None, |_, _| {});
    let mut states = Vec::new();
    let watched = case
        .fit((&mut case.trainer(2), FitState::default()), Some(Every::Steps(1)), |state, _| states.push(saved(state)));
    watched.assert_is_end_of(&whole, &format!("{}: saved after every step", case.name));
    for (number, bytes) in states.iter().enumerate() {
        let mut trainer = case.trainer(number % 3 + 1);
        let mut state = FitState::default();
        SavedState::read(bytes).unwrap().restore(&mut trainer, &mut state).unwrap();
        let again = saved(&mut RunState { train: &mut trainer.state, fit: &mut state });
        assert!(again == *bytes, "{}: state {number} changes when it is read", case.name);
        let rest = case.fit((&mut trainer, state), None, |_, _| {});
        rest.assert_is_end_of(&whole, &format!("{}: state {number} of {}", case.name, states.len()));
    }
    // A signal in the middle: what is then saved is from before the judgement of a part of an epoch.
    let (mut last, mut left) = (Vec::new(), states.len() / 2);
    let stopped = case.fit((&mut case.trainer(3), FitState::default()), Some(Every::Steps(1)), |state, signal| {
        last = saved(state);
        left = left.saturating_sub(1);
        signal.store(if left == 0 { 15 } else { 0 }, Ordering::Relaxed);
    });
    if stopped.outcome.stopped == Stopped::Signal(15) {
        let mut trainer = case.trainer(1);
        let mut state = FitState::default();
        SavedState::read(&last).unwrap().restore(&mut trainer, &mut state).unwrap();
        let rest = case.fit((&mut trainer, state), None, |_, _| {});
        rest.assert_is_end_of(&whole, &format!("{}: after a signal", case.name));
    }
}

#[test]
fn every_optimizer_of_every_dialect_goes_on_to_the_same_bits() {
    let dialects = [None, Some(Dialect::Torch), Some(Dialect::Keras), Some(Dialect::Sklearn)];
    for (entry, dialect) in CATALOGUE.iter().flat_map(|entry| dialects.map(|dialect| (entry, dialect))) {
        if OptimizerSpec::defaults(entry, dialect).is_none() {
            continue;
        }
        let case = || Case::new(entry.name, dialect);
        check(&case());
        if !case().settings.optimizer.algorithm.needs_full_batch() {
            check(&case().with_all());
        }
    }
    for text in [
        "rmsprop:centered=true,momentum=0.9",
        "muon:adam_amsgrad=true",
        "lbfgs:history_size=2",
        "schedulefree:warmup_steps=5,r=0.5",
    ] {
        let mut case = Case::new(text, None);
        case.options.epochs = 8;
        check(&case);
    }
}

#[test]
fn members_over_embedded_inputs_go_on_to_the_same_bits() {
    for entry in CATALOGUE {
        let case = || Case::new(entry.name, None).of_members();
        if case().settings.optimizer.algorithm.needs_full_batch() {
            check(&case());
        } else {
            check(&case().with_all());
        }
    }
}

#[test]
fn what_a_fit_keeps_and_why_it_ends_survive() {
    let case = || Case::new("adam:lr=0.05", None).with_all();
    let mut unproven = Case { validated: false, ..case() };
    unproven.options.monitor = "train_loss".parse().unwrap();
    check(&unproven);
    let mut patient = case();
    (patient.options.epochs, patient.options.patience, patient.options.min_delta) = (30, Patience::After(1), 0.05);
    check(&patient);
    let mut short = case();
    short.options.steps = Some(6);
    check(&short);
    let mut settled = case();
    (settled.options.epochs, settled.options.tol_loss) = (30, Some(0.05));
    check(&settled);
    let mut one_cycle = Case::new("adam", None);
    one_cycle.options.schedule = "onecycle".parse().unwrap();
    check(&one_cycle);
}

#[test]
fn damaged_and_foreign_states_are_refused() {
    let case = Case::new("adam", None).with_all();
    let mut trainer = case.trainer(1);
    let mut bytes = Vec::new();
    case.fit((&mut trainer, FitState::default()), Some(Every::Steps(3)), |state, _| bytes = saved(state));
    let refusal = |bytes: &[u8]| SavedState::read(bytes).map(|_| ()).unwrap_err();
    for at in [0, 8, 9, 40, bytes.len() / 2, bytes.len() - 33, bytes.len() - 1] {
        let mut damaged = bytes.clone();
        damaged[at] ^= 4;
        refusal(&damaged);
    }
    for length in [0, 7, 8, 100, bytes.len() / 2, bytes.len() - 1] {
        refusal(&bytes[..length]);
    }
    let (last, others) = bytes.split_last().unwrap();
    assert!(refusal(&[others, &[last ^ 1]].concat()).contains("damaged"));
    let restored =
        |case: &Case| SavedState::read(&bytes).unwrap().restore(&mut case.trainer(1), &mut FitState::default());
    assert!(restored(&case).is_ok());
    for other in ["amsgrad", "sgd", "lbfgs"] {
        let message = restored(&Case::new(other, None)).unwrap_err().to_string();
        assert_eq!(message, "the saved state is of another optimizer or its options");
    }
}

/// Accepts this number of bytes, then fails as a full disk does.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        if taken == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(taken) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_disk_that_is_full_at_any_byte_is_an_error_and_the_state_stays() {
    let case = Case::new("adam", None).with_all();
    let mut trainer = case.trainer(1);
    let mut state = None;
    case.fit((&mut trainer, FitState::default()), Some(Every::Steps(3)), |saved, _| {
        state.get_or_insert_with(|| (saved.train.clone(), saved.fit.clone()));
    });
    let (mut train, mut fit) = state.unwrap();
    let mut state = RunState { train: &mut train, fit: &mut fit };
    let whole = saved(&mut state);
    for room in (0..whole.len()).step_by(97).chain([whole.len() - 1]) {
        assert_eq!(state.write(&Value::Null, &mut Full(room)).unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
    assert!(saved(&mut state) == whole);
}
