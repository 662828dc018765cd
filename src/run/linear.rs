//! The baselines of a run: the constant one, and a linear model trained beside it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::baseline::{Baseline, ConstantBaseline};
use super::plan::Plan;
use super::summary::RunSummary;
use crate::Result;
use crate::data::{Dataset, Features, OneHot, Preprocessing, Strangers, Task, epoch_order};
use crate::kernel::Line;
use crate::layer::MemberRows;
use crate::metrics::MetricSet;
use crate::model::{Architecture, Parameters};
use crate::nn::{Loss, Objective};
use crate::optim::OptimizerSpec;
use crate::room::available;
use crate::score::Judged;
use crate::score::Scorer;
use crate::train::{EpochPlan, Halt, Largest, StepSettings, Trainer};

/// The most rows that a linear model learns from.
const MOST_ROWS: usize = 50_000;
/// The fewest rows, if the training part has more.
const LEAST_ROWS: usize = 500;
/// The most steps, and the number of passes over the rows that they take.
const STEPS: u64 = 50;
const PASSES: f64 = 70.0;
/// Fraction of the run's operations, and of its time, that it may take.
const SHARE: f64 = 0.05;
/// Operations, and time, that are negligible and allowed beside any run.
const SMALL_FLOPS: f64 = 2e8;
const SMALL_TIME: Duration = Duration::from_millis(100);
/// Fraction of the available memory that one-hot inputs of the judged rows may take.
const SHARE_OF_MEMORY: f64 = 0.5;
/// Gradient norm at which training ends.
const TOL_GRAD: f64 = 1e-4;

impl Plan {
    /// The baselines of a finished run, on the rows that its summary describes. The linear model is trained by L-BFGS with the
    /// penalty `½ λ Σ w²` and λ = 1 / rows, scikit-learn's default for logistic regression. The number of rows it learns from
    /// follows from counted operations, so it does not depend on the machine. The clock only ends a training that exceeds its
    /// time.
    ///
    /// # Errors
    /// None for a plan that has been trained.
    pub fn baseline(&self, summary: &RunSummary, signal: &AtomicUsize) -> Result<Baseline> {
        let (on, strangers) = self.judged_part();
        let scorer = Scorer::new(self.prepared.preprocessing.target(), self.loss);
        let mut baseline =
            Baseline::of_constant(ConstantBaseline::new(&scorer, self.prepared.judged_train(), on, strangers));
        let one_hot = self.one_hot();
        let linear = match self.linear_rows(summary, &one_hot) {
            Ok(rows) => self.linear((rows, &one_hot), self.linear_time(summary), signal)?,
            Err(reason) => Err(reason),
        };
        match linear {
            Ok(figures) => baseline.linear = Some(figures),
            Err(reason) => baseline.no_linear = Some(reason),
        }
        Ok(baseline)
    }

    /// Removes a linear model that would be judged on its own training rows, beside out-of-fold figures.
    pub(super) fn without_rows_of_its_own(&self, baseline: &mut Baseline) {
        if self.portfolio.is_some() && self.prepared.test.is_none() {
            baseline.linear = None;
            baseline.no_linear = Some("there is no part that it has not learnt from");
        }
    }

    /// The part that confusion, classes and baselines refer to: test, else validation, else training.
    pub fn judged_part(&self) -> (&Dataset, Option<&Strangers>) {
        let prepared = &*self.prepared;
        match (&prepared.test, &prepared.val) {
            (Some(test), _) => (test, prepared.test_strangers.as_ref()),
            (None, Some(val)) => (val, prepared.val_strangers.as_ref()),
            (None, None) => (prepared.judged_train(), None),
        }
    }

    /// The one-hot inputs of the linear model, where the network uses numbers of levels.
    fn one_hot(&self) -> OneHot {
        let level_inputs = match &self.prepared.preprocessing {
            Preprocessing::Table(table) => table.level_inputs(),
            Preprocessing::Images(_) => Vec::new(),
        };
        OneHot::fit(&self.prepared.judged_train().features, &level_inputs)
    }

    fn linear_network(&self, one_hot: &OneHot) -> Architecture {
        let inputs = one_hot.width(self.architecture.inputs);
        Architecture::mlp(inputs, &[], self.architecture.outputs, crate::nn::Activation::Identity)
    }

    fn linear_loss(&self, task: Task) -> Loss {
        match task {
            Task::Regression if self.loss == Loss::Poisson => Loss::Poisson,
            Task::Regression => Loss::Mse,
            Task::Binary | Task::Multilabel => Loss::Bce,
            Task::Multiclass => Loss::CrossEntropy,
        }
    }

    /// The number of rows that a linear model may learn from, or why there is none.
    fn linear_rows(&self, summary: &RunSummary, one_hot: &OneHot) -> std::result::Result<usize, &'static str> {
        if matches!(summary.stopped, "signal" | "diverged") {
            return Err("the run did not come to its end");
        }
        if self.architecture.chain.is_none() && self.architecture.hidden.is_empty() {
            return Err("the network itself is linear");
        }
        let spent = self.flops_per_step() * summary.steps as f64;
        let allowed = (SHARE * spent).max(SMALL_FLOPS);
        let network = self.linear_network(one_hot);
        let judged = self.judged_part().0.rows() as f64;
        let room = available().unwrap_or(f64::INFINITY);
        if network.inputs > self.architecture.inputs && 4.0 * judged * network.inputs as f64 > SHARE_OF_MEMORY * room {
            return Err("its inputs would take more than half of the memory at hand");
        }
        let level_inputs =
            matches!(&self.prepared.preprocessing, Preprocessing::Table(t) if !t.level_inputs().is_empty());
        if matches!(self.prepared.judged_train().features, Features::Blocks(_)) && level_inputs {
            return Err("rows are read by blocks, and some inputs are numbers of levels");
        }
        let rows = allowed / (PASSES * network.flops_per_sample(MemberRows::Shared));
        let all = self.prepared.judged_train().rows().min(MOST_ROWS);
        let rows = (rows as usize).min(all);
        if rows < all.min(LEAST_ROWS) { Err("it would take more than 5 % of the run") } else { Ok(rows) }
    }

    /// Its time limit.
    fn linear_time(&self, summary: &RunSummary) -> Duration {
        let share = Duration::from_secs_f64(SHARE * summary.seconds).max(SMALL_TIME);
        let trained = Duration::from_secs_f64(summary.seconds);
        self.config.stopping.time_limit.map_or(share, |limit| share.min(limit.saturating_sub(trained)))
    }

    fn linear(
        &self,
        (rows, one_hot): (usize, &OneHot),
        time: Duration,
        signal: &AtomicUsize,
    ) -> Result<std::result::Result<MetricSet, &'static str>> {
        let began = Instant::now();
        let train = self.prepared.judged_train();
        let chosen = (rows < train.rows() || matches!(train.features, Features::Blocks(_))).then(|| {
            let step = train.rows() as f64 / rows as f64;
            train.subset(&(0..rows).map(|row| (row as f64 * step) as u32).collect::<Vec<u32>>())
        });
        let train = &*one_hot.view(chosen.as_ref().unwrap_or(train));
        let task = self.prepared.preprocessing.task();
        let loss = self.linear_loss(task);
        let network = self.linear_network(one_hot);
        let optimizer = OptimizerSpec::parse("lbfgs", None)?;
        let l2 = 1.0 / rows as f64;
        let settings = StepSettings { l2, ..StepSettings::plain(Objective::new(loss, 0.0)?, optimizer) };
        let initial = Parameters::initial(&network, None, task == Task::Regression, self.config.seed);
        let engine = (self.config.threads.isa, self.threads);
        let mut trainer = Trainer::new(&network, initial, settings, engine, Largest::of_one_batch(rows));
        let mut order = Vec::new();
        epoch_order(rows, self.config.seed, 0, false, &mut order);
        while trainer.steps() < STEPS {
            let outcome = trainer.epoch(&EpochPlan {
                data: train,
                order: &order,
                own_orders: &[],
                epoch: trainer.steps(),
                batch: rows,
                lr: &|_| optimizer.lr,
                momentum: &|_| None,
                stop: &|_| began.elapsed() >= time || signal.load(Ordering::Relaxed) != 0,
                tol_grad: Some(TOL_GRAD),
                log_steps: None,
            });
            match outcome.halt {
                Some(Halt::Converged) => break,
                Some(Halt::Diverged(_)) => return Ok(Err("it diverged")),
                Some(Halt::Asked) if trainer.steps() < STEPS => return Ok(Err("the time for it was up")),
                _ => {}
            }
        }
        let mut kept = trainer.evaluated_parameters().to_vec();
        let scorer = Scorer::new(self.prepared.preprocessing.target(), loss);
        let (data, strangers) = self.judged_part();
        let strangers = strangers.map(|s| Strangers { features: one_hot.apply(&s.features), ..s.clone() });
        let judged = self.judge(&mut trainer, &scorer, &mut kept, (&*one_hot.view(data), strangers.as_ref()));
        Ok(Ok(judged.figures_without_loss()))
    }

    /// Evaluates weights on a part.
    pub(super) fn judge(
        &self,
        trainer: &mut Trainer,
        scorer: &Scorer,
        parameters: &mut [Line],
        (data, strangers): (&Dataset, Option<&Strangers>),
    ) -> Judged {
        let unknown = strangers.map(|strangers| trainer.outputs_with(parameters, &strangers.features, scorer.link()));
        let evaluation = trainer.evaluate_with(parameters, data);
        scorer.judge(&evaluation, data, strangers.zip(unknown.as_deref()))
    }
}
