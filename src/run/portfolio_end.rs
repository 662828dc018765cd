//! The end of a run of several configurations: the weight of each, one model, and its figures.

use super::configuration::{Configuration, LeftOut};
use super::decide::{HeldOutParts, Smoothing};
use super::directory::RunDirectory;
use super::ensemble::stopped;
use super::execution::Finished;
use super::files::CONFIG_FILE;
use super::interrupt::Interrupt;
use super::member::EnsembleMember;
use super::networks::Networks;
use super::plan::Plan;
use super::summary::{JudgedPart, RunSummary};
use crate::data::{Prepared, Way};
use crate::fit::Stopped;
use crate::model::{Calibration, Model, NetworkForm};
use crate::option_text::{option, setting};
use crate::predict::{Predictor, mean_outputs};
use crate::score::{HeldOut, Scorer};
use crate::statistics::{Candidates, greedy_selection};
use crate::{Result, Warning, WarningKind};

/// A configuration whose networks are trained.
pub struct Configured {
    /// Its preset.
    pub name: &'static str,
    /// Whether it was trained with smoothed labels.
    pub smoothed: bool,
    /// How its inputs are prepared.
    pub way: Way,
    /// Its networks, one for each fold.
    pub networks: Vec<(EnsembleMember, Finished)>,
    /// The outputs for each row by the network that did not learn from it, in the order of the training rows; `None` if a
    /// network is missing.
    pub outputs: Option<Vec<f32>>,
    /// Seconds of training.
    pub seconds: f64,
}

/// The results of the configurations of a portfolio.
#[derive(Default)]
pub struct TrainedPortfolio {
    /// Those that are used.
    pub done: Vec<Configured>,
    /// The others.
    pub left_out: Vec<LeftOut>,
}

/// Rounds of the greedy selection.
const ROUNDS: usize = 40;

/// The weight of a configuration, and its basis.
struct ConfigurationWeight {
    /// How often the selection took it.
    taken: usize,
    /// Its temperature.
    calibration: Option<Calibration>,
    /// The cost of its out-of-fold predictions.
    cost: Option<f64>,
}

/// The weights of the configurations.
struct Selection {
    /// The weight of each.
    verdicts: Vec<ConfigurationWeight>,
    /// The outputs of their mean for rows that its networks did not learn from; `None` if a network is missing.
    outputs: Option<Vec<f32>>,
}

/// One model of the configurations with a weight, on data with its inputs.
struct Mixed {
    model: Model,
    prepared: Prepared,
    members: Vec<EnsembleMember>,
    configurations: Vec<Configuration>,
    outputs: Option<Vec<f32>>,
    undecided: Option<Warning>,
}

impl Plan {
    /// Makes one model of the configurations of a portfolio, then decides, saves and evaluates it, in a run directory that has
    /// been [begun](Plan::begin). If all of them were completed, the saved configuration lists them, so that it repeats the
    /// run.
    ///
    /// # Errors
    /// As [`Plan::run`]; [`NoStep`](crate::Error::NoStep) or [`Interrupted`](crate::Error::Interrupted) if no network made a step.
    pub fn run_portfolio(
        &self,
        mut directory: RunDirectory,
        (networks, trained): (Networks<'_>, TrainedPortfolio),
        interrupt: &Interrupt,
    ) -> Result<Finished> {
        let seconds = networks.seconds();
        let number = interrupt.number().load(std::sync::atomic::Ordering::Relaxed);
        if trained.done.is_empty() {
            return Err(networks.without_a_step(directory));
        }
        let numbers = trained.members().filter_map(|member| member.network).collect();
        networks.tell_of(numbers, &mut directory)?;
        let ended = stopped(trained.finished().collect::<Vec<_>>());
        let stopped = if number == 0 { ended } else { Stopped::Signal(number) };
        let names: Vec<&str> = trained.done.iter().map(|done| done.name).collect();
        if !stopped.leaves_off() {
            directory.write(CONFIG_FILE, &self.portfolio_toml(&names, false))?;
        }
        let Mixed { model, prepared, members, configurations, outputs, undecided } = self.mixed(trained)?;
        for event in members.iter().map(EnsembleMember::event).chain(configurations.iter().map(Configuration::event)) {
            directory.event(&event)?;
        }
        let summarise = |model: &Model| {
            let mut summary = self.portfolio_summary((model, &prepared), members, outputs, (stopped, seconds))?;
            summary.warnings.extend(undecided);
            summary.configurations = configurations;
            Ok(summary)
        };
        if matches!(stopped, Stopped::Diverged { .. }) && directory.replaces() {
            let summary = summarise(&model)?;
            return Ok(Finished { summary, model, stopped, curve: Vec::new(), saved: false });
        }
        self.conclude(directory, (networks, interrupt), (model, stopped), summarise)
    }

    /// The same without files and baseline, for the repetition of a run.
    ///
    /// # Errors
    /// Options that contradict each other.
    pub fn repeat_portfolio(&self, trained: TrainedPortfolio) -> Result<Finished> {
        let stopped = stopped(trained.finished().collect::<Vec<_>>());
        let Mixed { model, prepared, members, outputs, .. } = self.mixed(trained)?;
        let summary = self.portfolio_summary((&model, &prepared), members, outputs, (stopped, 0.0))?;
        Ok(Finished { summary, model, stopped, curve: Vec::new(), saved: false })
    }

    /// Chooses the weights, and makes the model of all configurations with a weight.
    fn mixed(&self, trained: TrainedPortfolio) -> Result<Mixed> {
        let joint = &self.portfolio.as_ref().expect("a portfolio is planned").joint;
        let scorer = self.plain_scorer();
        let Selection { verdicts, outputs } = self.selected(&scorer, &trained.done);
        let total: usize = verdicts.iter().map(|verdict| verdict.taken).sum();
        let told = trained.done.iter().zip(&verdicts).map(|(done, verdict)| told(done, verdict, total));
        let configurations =
            told.chain(trained.left_out.iter().map(Configuration::left_out)).collect::<Vec<Configuration>>();
        let chosen: Vec<(Configured, ConfigurationWeight)> =
            trained.done.into_iter().zip(verdicts).filter(|(_, verdict)| verdict.taken > 0).collect();
        let (prepared, ways) = joint.of_ways(&chosen.iter().map(|(done, _)| &done.way).collect::<Vec<_>>());
        let (mut forms, mut members) = (Vec::new(), Vec::new());
        for ((done, verdict), way) in chosen.into_iter().zip(&ways) {
            let (own, finished): (Vec<EnsembleMember>, Vec<Finished>) = done.networks.into_iter().unzip();
            let networks: Vec<Model> = finished.into_iter().map(|finished| finished.model).collect();
            let form = NetworkForm {
                name: done.name.to_owned(),
                architecture: networks[0].card.architecture.clone(),
                first_input: way.inputs.start,
                members: networks.len(),
                weight: verdict.taken as f64 / total as f64,
                factor: verdict.calibration.map_or(1.0, |calibration| calibration.factor),
            };
            forms.push((form, networks));
            members.extend(own);
        }
        members.iter_mut().enumerate().for_each(|(number, member)| member.member = number);
        let mut model = Model::of_forms(forms, prepared.preprocessing.clone());
        let undecided = self.decide_portfolio(&mut model, &prepared, (&scorer, outputs.clone()))?;
        Ok(Mixed { model, prepared, members, configurations, outputs, undecided })
    }

    /// Weights the configurations by greedy selection, if each of them has out-of-fold outputs for all rows.
    fn selected(&self, scorer: &Scorer, done: &[Configured]) -> Selection {
        let data = self.prepared.judged_train();
        let out_of_fold: Option<Vec<&Vec<f32>>> = done.iter().map(|done| done.outputs.as_ref()).collect();
        let Some(out_of_fold) = out_of_fold else {
            let alike = |_: &Configured| ConfigurationWeight { taken: 1, calibration: None, cost: None };
            return Selection { verdicts: done.iter().map(alike).collect(), outputs: None };
        };
        let (mut calibrations, mut said) = (Vec::new(), Vec::new());
        for (configured, outputs) in done.iter().zip(out_of_fold) {
            let held_out = HeldOut::new(scorer, outputs.clone(), data);
            let calibrates = self.config.decision.calibrate;
            let calibration = calibrates.then(|| held_out.calibration(configured.smoothed)).flatten();
            let mut outputs = outputs.clone();
            let factor = calibration.as_ref().map_or(1.0, |calibration| calibration.factor);
            scorer.readout(factor).change(&mut outputs, scorer.outputs());
            calibrations.push(calibration);
            said.push(outputs);
        }
        let held_out: Vec<HeldOut> = said.iter().map(|outputs| HeldOut::new(scorer, outputs.clone(), data)).collect();
        let (weights, cost) = (held_out[0].weights_of_parts(), held_out[0].cost_of_parts());
        let parts: Vec<Vec<f64>> = held_out.iter().map(HeldOut::parts).collect();
        let candidates = Candidates { parts: &parts, weights: weights.as_deref(), cost };
        let counts = greedy_selection(&candidates, ROUNDS);
        let of_one = |at: usize| {
            let cost = candidates.cost_of_one(at);
            if scorer.has_classes_or_labels() { cost } else { cost.sqrt() }
        };
        let total: usize = counts.iter().sum();
        let shares: Vec<f64> = counts.iter().map(|taken| *taken as f64 / total as f64).collect();
        let outputs = mean_outputs(scorer, &said, Some(&shares));
        let verdict = |(at, (taken, calibration))| ConfigurationWeight { taken, calibration, cost: Some(of_one(at)) };
        let verdicts = counts.into_iter().zip(calibrations).enumerate().map(verdict).collect();
        Selection { verdicts, outputs: Some(outputs) }
    }

    /// Decides by the out-of-fold predictions; residuals come from the test part, which decides nothing.
    fn decide_portfolio(
        &self,
        model: &mut Model,
        prepared: &Prepared,
        (scorer, outputs): (&Scorer, Option<Vec<f32>>),
    ) -> Result<Option<Warning>> {
        let mut predictor = Predictor::new(model, self.config.threads.isa, self.threads_asked)?;
        let test = prepared.test.as_ref().map(|test| predictor.held_out(test));
        let choosing = outputs.map(|outputs| HeldOut::new(scorer, outputs, prepared.judged_train()));
        let parts = HeldOutParts { choosing: choosing.as_ref(), test: test.as_ref() };
        // The temperatures of the configurations correct for smoothing already.
        let (decision, warning) = self.decision(&parts, Some(Smoothing::None));
        model.card.decision = decision;
        Ok(warning)
    }

    fn portfolio_summary(
        &self,
        (model, prepared): (&Model, &Prepared),
        members: Vec<EnsembleMember>,
        outputs: Option<Vec<f32>>,
        end: (Stopped, f64),
    ) -> Result<RunSummary> {
        let mut summary = self.summary_on(prepared, model, members, end)?;
        if end.0 == Stopped::Time {
            let message = format!(
                "the time was up before the first configuration came to its end, so its networks are worse than they could be: \
                 allow more {}, or use {}",
                option("time_limit"),
                setting("preset", "realmlp")
            );
            summary.warnings.push(Warning::new(WarningKind::Other, message));
        }
        let Some(outputs) = outputs else { return Ok(summary) };
        let mut predictor = Predictor::new(model, self.config.threads.isa, self.threads_asked)?;
        let judged = predictor.judge_outputs(prepared.judged_train(), outputs);
        summary.val = Some(judged.figures.clone());
        let decision = &model.card.decision;
        let threshold = decision.threshold.as_ref().is_some_and(|threshold| threshold.metric.is_some());
        let temperature = decision.calibration.is_some() || model.card.forms.iter().any(|form| form.factor != 1.0);
        let chose = [("epoch", true), ("weights", true), ("temperature", temperature), ("threshold", threshold)];
        summary.val_chose = chose.into_iter().filter(|(_, chosen)| *chosen).map(|(name, _)| name).collect();
        if prepared.test.is_none() {
            summary.judged = JudgedPart { part: "out_of_fold", judged };
        }
        Ok(summary)
    }
}

/// The record of a configuration for the summary.
fn told(done: &Configured, verdict: &ConfigurationWeight, total: usize) -> Configuration {
    Configuration {
        configuration: done.name,
        networks: done.networks.len(),
        out_of_fold: verdict.cost,
        weight: verdict.taken as f64 / total as f64,
        calibration: verdict.calibration.clone(),
        seconds: done.seconds,
        left_out: None,
    }
}

impl TrainedPortfolio {
    fn members(&self) -> impl Iterator<Item = &EnsembleMember> {
        self.done.iter().flat_map(|done| done.networks.iter().map(|(member, _)| member))
    }

    fn finished(&self) -> impl Iterator<Item = &Finished> {
        self.done.iter().flat_map(|done| done.networks.iter().map(|(_, finished)| finished))
    }
}
