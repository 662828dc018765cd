//! The end of a run of several networks: one model, and its figures.

use super::decide::{HeldOutParts, Smoothing};
use super::directory::RunDirectory;
use super::execution::Finished;
use super::interrupt::Interrupt;
use super::member::EnsembleMember;
use super::networks::Networks;
use super::plan::Plan;
use super::summary::{JudgedPart, RunSummary};
use crate::Result;
use crate::data::{Dataset, Prepared, Strangers};
use crate::fit::Stopped;
use crate::model::Model;
use crate::path_text::to_text;
use crate::predict::Predictor;
use crate::score::Judged;

impl EnsembleMember {
    /// The record of a trained network.
    pub fn new(member: usize, fold: Option<usize>, finished: &Finished) -> EnsembleMember {
        let summary = &finished.summary;
        EnsembleMember {
            member,
            network: None,
            configuration: None,
            seed: summary.seed,
            fold,
            stopped: summary.stopped,
            epochs: summary.epochs,
            steps: summary.steps,
            best_epoch: summary.best_epoch,
            val: summary.val.clone(),
            seconds: summary.seconds,
            weights_sha256: summary.weights_sha256.clone(),
        }
    }
}

impl Plan {
    /// Makes one model of trained networks, then decides, saves and evaluates it, in a run directory that has been
    /// [begun](Plan::begin).
    ///
    /// # Errors
    /// As [`Plan::run`]; [`NoStep`](crate::Error::NoStep) or [`Interrupted`](crate::Error::Interrupted) if no network made a step.
    pub fn run_ensemble(
        &self,
        mut directory: RunDirectory,
        (networks, trained): (Networks<'_>, Vec<(EnsembleMember, Finished)>),
        interrupt: &Interrupt,
    ) -> Result<Finished> {
        let seconds = networks.seconds();
        let number = interrupt.number().load(std::sync::atomic::Ordering::Relaxed);
        let trained: Vec<(EnsembleMember, Finished)> =
            trained.into_iter().filter(|(member, _)| member.steps > 0).collect();
        if trained.is_empty() {
            return Err(networks.without_a_step(directory));
        }
        networks.tell(&mut directory)?;
        self.tell_of_folds(&mut directory)?;
        for (member, _) in &trained {
            directory.event(&member.event())?;
        }
        let (members, trained): (Vec<EnsembleMember>, Vec<Finished>) = trained.into_iter().unzip();
        let stopped = if number == 0 { stopped(&trained) } else { Stopped::Signal(number) };
        if matches!(stopped, Stopped::Diverged { .. }) && directory.replaces() {
            let mut model = self.average(trained);
            self.decide_ensemble(&mut model)?;
            let summary = self.ensemble_summary(&model, members, (stopped, seconds))?;
            return Ok(Finished { summary, model, stopped, curve: Vec::new(), saved: false });
        }
        let mut model = self.average(trained);
        if interrupt.came() {
            // What the held-out parts decide may take long.
            directory.keep(&model, interrupt)?;
        }
        let undecided = self.decide_ensemble(&mut model)?;
        let summarise = |model: &Model| {
            let mut summary = self.ensemble_summary(model, members, (stopped, seconds))?;
            summary.warnings.extend(undecided);
            Ok(summary)
        };
        self.conclude(directory, (networks, interrupt), (model, stopped), summarise)
    }

    /// Saves the model of several networks, evaluates it, and writes the remaining files of the run directory.
    pub(super) fn conclude(
        &self,
        mut directory: RunDirectory,
        (networks, interrupt): (Networks<'_>, &Interrupt),
        (model, stopped): (Model, Stopped),
        summarise: impl FnOnce(&Model) -> Result<RunSummary>,
    ) -> Result<Finished> {
        let removed = directory.keep(&model, interrupt)?;
        let mut summary = summarise(&model)?;
        self.compare_with_baseline(&mut summary, interrupt.number())?;
        summary.run_dir = Some(to_text(directory.path()));
        directory.write_json("summary.json", &summary)?;
        directory.event(&summary.end_event())?;
        interrupt.note_saved(None);
        if !stopped.leaves_off() {
            directory.remove_networks()?;
        }
        directory.point_latest();
        let finished = Finished { summary, model, stopped, curve: Vec::new(), saved: true };
        removed.or(networks.into_failure()).map_or(Ok(finished), Err)
    }

    /// Makes and evaluates one model of trained networks, without files or baseline, for the repetition of a run.
    ///
    /// # Errors
    /// Options that contradict each other.
    pub fn repeat_ensemble(&self, trained: Vec<(EnsembleMember, Finished)>) -> Result<Finished> {
        let trained = trained.into_iter().filter(|(member, _)| member.steps > 0);
        let (members, networks): (Vec<EnsembleMember>, Vec<Finished>) = trained.unzip();
        let stopped = stopped(&networks);
        let mut model = self.average(networks);
        self.decide_ensemble(&mut model)?;
        let summary = self.ensemble_summary(&model, members, (stopped, 0.0))?;
        Ok(Finished { summary, model, stopped, curve: Vec::new(), saved: false })
    }

    /// One model of trained networks, without a decision.
    fn average(&self, networks: Vec<Finished>) -> Model {
        let mut model = Model::ensemble(networks.into_iter().map(|finished| finished.model).collect());
        model.card.preprocessing = self.prepared.preprocessing.clone();
        model
    }

    /// Decides for the averaged outputs. The outputs of a fold come from one network, whose logits have another temperature
    /// than an average, so they are not used for calibration.
    fn decide_ensemble(&self, model: &mut Model) -> Result<Option<crate::Warning>> {
        let mut predictor = Predictor::new(model, self.config.threads.isa, self.threads)?;
        let mut held_out = |part: &Option<Dataset>| part.as_ref().map(|data| predictor.held_out(data));
        let (val, test) = (held_out(&self.prepared.val), held_out(&self.prepared.test));
        let of_folds = self.cv.as_ref().and_then(|cv| cv.held_out.as_ref());
        let parts = HeldOutParts { choosing: val.as_ref().or(of_folds), test: test.as_ref() };
        let (decision, warning) = self.decision(&parts, val.is_some().then(|| Smoothing::of(&self.config.optimizer)));
        model.card.decision = decision;
        Ok(warning)
    }

    fn ensemble_summary(&self, model: &Model, members: Vec<EnsembleMember>, end: (Stopped, f64)) -> Result<RunSummary> {
        self.summary_on(&self.prepared, model, members, end)
    }

    /// The summary of a model of several networks on data with its inputs.
    pub(super) fn summary_on(
        &self,
        prepared: &Prepared,
        model: &Model,
        members: Vec<EnsembleMember>,
        (stopped, seconds): (Stopped, f64),
    ) -> Result<RunSummary> {
        let mut predictor = Predictor::new(model, self.config.threads.isa, self.threads)?;
        let mut judge = |data: &Dataset, strangers: Option<&Strangers>| predictor.judge(data, strangers);
        let (train, val) = self.judged_parts(prepared, &mut judge);
        let test = prepared.test.as_ref().map(|test| judge(test, prepared.test_strangers.as_ref()));
        let figures = |judged: &Judged| judged.figures.clone();
        let [of_train, of_val, of_test] = [&train, &val, &test].map(|judged| judged.as_ref().map(figures));
        let of_part = |part, judged: Option<Judged>| judged.map(|judged| JudgedPart { part, judged });
        let judged = of_part("test", test).or(of_part("val", val)).or(of_part("train", train));
        let steps = members.iter().map(|member| member.steps).sum();
        let rows = steps as f64 * self.rows_per_step() as f64;
        Ok(RunSummary {
            run_dir: None,
            label: prepared.preprocessing.target().columns.clone(),
            task: prepared.preprocessing.task(),
            stopped: stopped.name(),
            epochs: members.iter().map(|member| member.epochs).max().unwrap_or(0),
            steps,
            best_epoch: members[0].best_epoch,
            parameters: model.networks().map(|network| network.layout.parameters()).sum(),
            train: of_train,
            val: of_val,
            test: of_test,
            val_chose: self.chosen_by_validation(&model.card.decision),
            decision: model.card.decision.clone(),
            judged: judged.expect("one part is evaluated"),
            baseline: None,
            warnings: prepared.warnings.iter().cloned().chain(self.folds_cut_short()).collect(),
            seconds,
            samples_per_s: rows / seconds.max(1e-9),
            threads: self.threads_asked,
            threads_asked: self.threads_asked,
            isa: self.config.threads.isa.name(),
            seed: self.config.seed,
            cv: self.cv.clone(),
            members,
            configurations: Vec::new(),
            divergence: None,
            weights_sha256: model.sha256(),
        })
    }
}

/// Why training ended: the reason why a network ended early, if one did, divergence first.
pub(super) fn stopped<'a>(networks: impl IntoIterator<Item = &'a Finished> + Clone) -> Stopped {
    let all = || networks.clone().into_iter();
    let diverged = all().find(|finished| matches!(finished.stopped, Stopped::Diverged { .. }));
    let timed = all().find(|finished| matches!(finished.stopped, Stopped::Time | Stopped::Signal(_)));
    diverged.or(timed).or(all().next()).expect("there is a network").stopped
}
