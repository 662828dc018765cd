//! gradlane trains feed-forward networks on multicore CPUs. This is the library behind the program `gradlane`.
//!
//! For one seed the weights are the same, bit for bit, on any number of threads, with AVX2 and with AVX-512.
//!
//! # Map
//!
//! | to | begin at |
//! |---|---|
//! | train on arrays | [`train::Trainer`]: one epoch at a time; [`fit::fit()`]: validation, best weights, stopping |
//! | train as the program does, from a file to a run directory | [`run::Plan`] |
//! | predict | [`model::Model`], [`data::RowReader`], [`predict::Predictor`] |
//! | turn outputs into predictions and figures | [`score::Scorer`] |
//! | read tables | [`data::describe`], [`data::prepare`] |
//! | choose an optimizer, a schedule | [`optim::OptimizerSpec`], [`optim::schedule::Schedule`] |
//! | build a network from layers | [`model::Architecture`], [`layer::Network`] |
//! | compare optimizers | [`experiment::compare`] |
//! | time training steps beside the peaks of the machine | [`machine::bench()`] |
//! | export a model | [`export`] |
//!
//! `ARCHITECTURE.md` describes the order of the modules. `config::Settings` merges flags, files and environment
//! variables for the program; users of the library fill in the typed structures instead.
//!
//! # Train on arrays
//!
//! ```
//! use gradlane::data::{Dataset, Features, Targets, epoch_order};
//! use gradlane::kernel::Isa;
//! use gradlane::model::{Architecture, Parameters};
//! use gradlane::nn::{Activation, Loss, Objective};
//! use gradlane::train::{EpochPlan, Largest, StepSettings, Trainer};
//!
//! // Exclusive or: four rows of two inputs, row-major, and the class of each row.
//! let features = Features::F32 { values: vec![0., 0., 0., 1., 1., 0., 1., 1.], cols: 2 };
//! let targets = Targets::Classes { labels: vec![0, 1, 1, 0], classes: 2 };
//! let data = Dataset { features, targets, weights: None };
//!
//! // Two classes have one logit.
//! let network = Architecture::mlp(2, &[8], 1, Activation::Tanh);
//! let first = Parameters::init(&network, None, 7);
//! let settings = StepSettings::plain(Objective::new(Loss::Bce, 0.0)?, "adam".parse()?);
//! let (threads, batch) = (2, 4);
//! let largest = Largest { batch, epoch: data.rows() };
//! let mut trainer = Trainer::new(&network, first, settings, (Isa::detect(), threads), largest);
//! let mut order = Vec::new();
//! for epoch in 0..300 {
//!     epoch_order(data.rows(), 7, epoch, true, &mut order);
//!     trainer.epoch(&EpochPlan::new(&data, &order, (epoch, batch), &|_| 0.05));
//! }
//! let evaluation = trainer.evaluate(&data);
//! let is_one: Vec<bool> = evaluation.outputs.iter().map(|logit| *logit > 0.0).collect();
//! assert_eq!(is_one, [false, true, true, false]);
//! assert!(evaluation.loss < 0.1);
//! # Ok::<(), gradlane::Error>(())
//! ```
//!
//! # Predict from a file
//!
//! ```
//! use gradlane::data::{Part, ReadOptions, RowReader, Source};
//! use gradlane::kernel::Isa;
//! use gradlane::model::Model;
//! use gradlane::predict::Predictor;
//!
//! let folder = std::path::Path::new("tests/data/models/v1/mixed");
//! let model = Model::load(folder)?;
//! let rows = Source::new(folder.join("data.csv"));
//! let mut rows = RowReader::open(&model.card.preprocessing, &rows, &ReadOptions::default(), Part::Test, &[])?;
//! let mut predictor = Predictor::new(&model, Isa::detect(), 1)?;
//! let chunk = rows.next_rows(1000)?.expect("the file has rows");
//! let said = predictor.predict(&chunk.features);
//! let [no, yes] = said.values[..said.width] else { panic!("two classes") };
//! assert!((no + yes - 1.0).abs() < 1e-6);
//! # Ok::<(), gradlane::Error>(())
//! ```
//!
//! # Compare two optimizers
//!
//! Both start from the same weights and see the same rows. A single run says little:
//! [`experiment::compare::Comparison`] repeats whole searches and tests which claims the results support.
//!
//! ```
//! use std::sync::atomic::AtomicUsize;
//! use gradlane::experiment::compare::{Contestant, defaults, problem, train_once};
//! use gradlane::kernel::Isa;
//!
//! let problem = problem("breast_cancer", None)?;
//! let never = AtomicUsize::new(0);
//! let loss_of = |name: &str| -> gradlane::Result<f64> {
//!     let contestant: Contestant = name.parse()?;
//!     let outcome = train_once(&problem, &defaults(&contestant), 1, Isa::detect(), &never)?;
//!     Ok(outcome.and_then(|outcome| outcome.test_loss).expect("the run ends, and its loss is finite"))
//! };
//! assert!(loss_of("adam")? < loss_of("sgd:lr=1e-6")?);
//! # Ok::<(), gradlane::Error>(())
//! ```

pub mod atomic;
pub mod config;
pub mod data;
mod error;
pub mod experiment;
pub mod export;
pub mod fit;
pub mod kernel;
pub mod layer;
pub mod machine;
pub mod metrics;
pub mod model;
mod nearest;
pub mod nn;
pub mod optim;
pub mod option_text;
pub mod path_text;
pub mod predict;
pub mod report;
pub mod rng;
mod room;
pub mod run;
pub mod score;
pub mod spec;
pub mod statistics;
pub mod train;
pub mod warning;

pub use error::{Error, Result, Unit};
pub use warning::{Warning, WarningKind};
