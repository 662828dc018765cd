//! Portfolios: several configurations trained on the same folds, one after the other, within a time limit.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::cross_validation::{end_of_networks, fold_config};
use super::side_by_side::{Sharing, share_of_time, share_threads, side_by_side};
use super::training::NetworkTraining;
use crate::config::TrainConfig;
use crate::data::{Dataset, Folds};
use crate::fit::{Patience, Stopped};
use crate::model::Architecture;
use crate::predict::Predictor;
use crate::run::{Configured, EnsembleMember, Finished, LeftOut, Plan, PlannedEntry, TrainedPortfolio};
use crate::train::team::available_threads;
use crate::{Error, Result};

/// The callbacks with which the networks of a portfolio are trained.
pub struct PortfolioTraining<'a> {
    /// How each network is trained.
    pub each: NetworkTraining<'a>,
    /// Called when a network is finished.
    pub over: &'a (dyn Fn(&EnsembleMember) + Sync),
    /// Called when a configuration counts.
    pub counts: &'a (dyn Fn(&Configured) + Sync),
    /// Called when a configuration is left out.
    pub leaves_out: &'a LeavesOut<'a>,
}

/// A callback for a configuration that is left out. It receives the range of the numbers of its networks, and the names of
/// the configurations that remain.
pub type LeavesOut<'a> = dyn Fn(&LeftOut, Range<usize>, &[&'static str]) -> Result<()> + Sync + 'a;

/// Typical number of epochs of a network with early stopping: the median of the best epochs on 46 public tables, plus the
/// patience.
const USUAL_EPOCHS: usize = 64;

/// A configuration is begun if its estimated time is at most this many times the time left. The estimate is too high for
/// most configurations: the speed is measured on RealMLP, which comes first and whose periodic embeddings take time but few
/// multiplications, so others are up to three times as fast as estimated. A configuration that does turn out to be too slow
/// is given up after its first networks.
const DOUBT: f64 = 2.0;

/// Trains the configurations of a plan, each on all folds; small networks run in parallel. The first configuration always
/// counts: a time limit is divided between its networks. Any other counts only if all its networks finish in time. It is not
/// begun if the speed of the earlier ones shows that it would not finish, and is given up if the speed of its own first
/// networks shows this.
///
/// # Errors
/// If options do not fit the data.
///
/// # Panics
/// If the plan has no portfolio.
pub fn train_portfolio(whole: &Plan, folds: &Folds, training: &PortfolioTraining<'_>) -> Result<TrainedPortfolio> {
    let portfolio = whole.portfolio.as_ref().expect("a portfolio is planned");
    let mut names: Vec<&'static str> = portfolio.entries.iter().map(|entry| entry.name).collect();
    let (mut trained, mut pace) = (TrainedPortfolio::default(), Pace::default());
    for entry in &portfolio.entries {
        let position = trained.done.len();
        let one = One { entry, folds, training, first_network: position * folds.len(), is_first: position == 0 };
        // After a signal, a configuration still counts if all its networks were trained before an interruption.
        let all_begun = || (0..folds.len()).all(|fold| (training.each.begun)(one.first_network + fold));
        if training.each.was_interrupted() && !one.is_first && !all_begun() {
            break;
        }
        match one.trained(&mut pace)? {
            ConfigurationOutcome::Counts(configured) => {
                (training.counts)(&configured);
                trained.done.push(configured);
            }
            ConfigurationOutcome::Interrupted(None) => break,
            ConfigurationOutcome::Interrupted(Some(configured)) => trained.done.push(configured),
            // No network of the first configuration made a step in time; no other would.
            ConfigurationOutcome::LeftOut(_) if one.is_first => break,
            ConfigurationOutcome::LeftOut(left_out) => {
                names.retain(|name| *name != entry.name);
                (training.leaves_out)(&left_out, one.first_network..one.first_network + folds.len(), &names)?;
                trained.left_out.push(left_out);
            }
        }
    }
    Ok(trained)
}

/// The outcome of a configuration.
enum ConfigurationOutcome {
    Counts(Configured),
    /// A signal was received. Holds the networks trained so far if this is the first configuration.
    Interrupted(Option<Configured>),
    LeftOut(LeftOut),
}

/// The speed of training so far.
#[derive(Default)]
struct Pace {
    flops: f64,
    seconds: f64,
}

impl Pace {
    /// Estimated time for this much work; zero before the first measurement.
    fn time_for(&self, flops: f64) -> Duration {
        Duration::try_from_secs_f64(flops * self.seconds / self.flops).unwrap_or_default()
    }
}

/// A configuration to be trained.
struct One<'a> {
    entry: &'a PlannedEntry,
    folds: &'a Folds,
    training: &'a PortfolioTraining<'a>,
    /// Number of its first network.
    first_network: usize,
    /// Whether it is the first. The first counts even if it runs out of time or a network diverges.
    is_first: bool,
}

/// The network of one fold.
struct TrainedNetwork {
    member: EnsembleMember,
    finished: Finished,
    outputs: Vec<f32>,
}

impl One<'_> {
    fn trained(&self, pace: &mut Pace) -> Result<ConfigurationOutcome> {
        let deadline = self.entry.config.stopping.deadline.filter(|_| !self.is_first);
        if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return Ok(self.left_out("no time was left".to_owned()));
        }
        let whole = match self.folds.prepare_all_with(&self.entry.way.preprocessing) {
            Ok(prepared) => Plan::over(self.entry.config.clone(), Arc::new(prepared)),
            Err(error) => return Err(error),
        };
        let whole = match whole {
            Err(error) if !self.is_first && matches!(error.kind(), Error::Memory(_)) => {
                return Ok(self.left_out(error.kind().to_string()));
            }
            whole => whole?,
        };
        let work = work(&whole, self.folds.len());
        if let Some(left) = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
            && pace.time_for(work) > left.mul_f64(DOUBT)
        {
            return Ok(self.left_out(too_long(pace.time_for(work), left)));
        }
        let began = Instant::now();
        let sharing = self.sharing(&whole);
        let end = if self.is_first { end_of_networks(&whole, self.folds.len())? } else { None };
        let (networks, given_up) = self.networks(&whole, (sharing, began, end.or(deadline)))?;
        let all: Vec<&TrainedNetwork> = networks.iter().flatten().collect();
        pace.flops += all.iter().map(|one| one.member.steps as f64).sum::<f64>() * whole.flops_per_step();
        pace.seconds += all.iter().map(|one| one.member.seconds).sum::<f64>() / sharing.at_once as f64;
        let seconds = began.elapsed().as_secs_f64();
        Ok(self.outcome(&whole, networks, given_up, seconds))
    }

    fn left_out(&self, why: String) -> ConfigurationOutcome {
        ConfigurationOutcome::LeftOut(LeftOut { name: self.entry.name, why })
    }

    fn sharing(&self, whole: &Plan) -> Sharing {
        let threads = whole.threads_asked.min(available_threads());
        let sharing = share_threads(whole.flops_per_step(), self.folds.len(), threads);
        if whole.config.threads.exact { Sharing { at_once: 1, threads: whole.threads } } else { sharing }
    }

    /// Trains the networks of all folds. Returns those that were trained, and the reason if the others were given up.
    fn networks(
        &self,
        whole: &Plan,
        (sharing, began, deadline): (Sharing, Instant, Option<Instant>),
    ) -> Result<(Vec<Option<TrainedNetwork>>, Option<String>)> {
        let count = self.folds.len();
        let (ended, over) = (AtomicUsize::new(0), AtomicBool::new(false));
        let given_up: std::sync::Mutex<Option<String>> = std::sync::Mutex::default();
        let numbers: Vec<usize> = (0..count).collect();
        let turns = count.div_ceil(sharing.at_once);
        let done = side_by_side(sharing.at_once, &numbers, |fold| {
            let may_begin =
                !self.training.each.was_interrupted() || (self.training.each.begun)(self.first_network + fold);
            if !may_begin || over.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let mut config = fold_config(whole);
            if self.is_first {
                let turn = (fold / sharing.at_once + 1, turns);
                config.stopping.deadline = deadline.map(|end| share_of_time(began, end, turn));
            }
            let trained = self.network(&whole.architecture, config, *fold, sharing)?;
            let Some(trained) = trained else { return Ok(None) };
            let cut = matches!(trained.finished.stopped, Stopped::Time) && !self.is_first;
            let ended = ended.fetch_add(1, Ordering::Relaxed) + 1;
            let needed = began.elapsed().mul_f64(turns as f64 / ended.div_ceil(sharing.at_once) as f64);
            let late = deadline.filter(|deadline| !self.is_first && ended < count && began + needed > *deadline);
            if cut || late.is_some() || matches!(trained.finished.stopped, Stopped::Diverged { .. }) {
                over.store(true, Ordering::Relaxed);
                if let Some(deadline) = late {
                    let left = deadline.saturating_duration_since(began);
                    given_up.lock().unwrap_or_else(|e| e.into_inner()).get_or_insert(too_long(needed, left));
                }
            }
            Ok(Some(trained))
        });
        let networks = done.into_iter().collect::<Result<Vec<Option<TrainedNetwork>>>>()?;
        Ok((networks, given_up.into_inner().unwrap_or_else(|e| e.into_inner())))
    }

    /// Trains the network that leaves out `fold`, and computes its outputs on that fold.
    fn network(
        &self,
        form: &Architecture,
        config: TrainConfig,
        fold: usize,
        sharing: Sharing,
    ) -> Result<Option<TrainedNetwork>> {
        let prepared = Arc::new(self.folds.prepare_with(fold, &self.entry.way.preprocessing)?);
        let exact = config.threads.exact;
        let mut plan = Plan::over_as(form, config, prepared)?;
        if !exact {
            plan.threads = sharing.threads;
        }
        let network = self.first_network + fold;
        let Some(finished) = (self.training.each.train)(network, &mut plan)? else { return Ok(None) };
        if finished.summary.steps == 0 {
            return Ok(None);
        }
        let mut predictor = Predictor::new(&finished.model, plan.config.threads.isa, plan.threads)?;
        let outputs = |val: &Dataset| predictor.raw_outputs(&val.features);
        let outputs = plan.prepared.val.as_ref().map(outputs).unwrap_or_default();
        let mut member = EnsembleMember::new(network, Some(fold + 1), &finished);
        (member.network, member.configuration) = (Some(network), Some(self.entry.name));
        (self.training.over)(&member);
        Ok(Some(TrainedNetwork { member, finished, outputs }))
    }

    /// The outcome of the configuration, given its networks.
    fn outcome(
        &self,
        whole: &Plan,
        networks: Vec<Option<TrainedNetwork>>,
        given_up: Option<String>,
        seconds: f64,
    ) -> ConfigurationOutcome {
        let complete = networks.iter().all(Option::is_some);
        let any = |of: fn(&Stopped) -> bool| networks.iter().flatten().any(|one| of(&one.finished.stopped));
        let [diverged, timed, signalled] = [
            any(|stopped| matches!(stopped, Stopped::Diverged { .. })),
            any(|stopped| matches!(stopped, Stopped::Time)),
            any(|stopped| matches!(stopped, Stopped::Signal(_))),
        ];
        let interrupted = signalled || (!complete && self.training.each.was_interrupted());
        let why = match given_up {
            _ if diverged => "a network diverged".to_owned(),
            Some(why) => why,
            None => "the time was up".to_owned(),
        };
        let good = complete && !diverged && !timed;
        if networks.iter().all(Option::is_none) || !(self.is_first || good || interrupted) {
            return if interrupted { ConfigurationOutcome::Interrupted(None) } else { self.left_out(why) };
        }
        let outputs = complete.then(|| self.in_order(whole, &networks));
        let configured = Configured {
            name: self.entry.name,
            smoothed: whole.config.optimizer.label_smoothing > 0.0,
            way: self.entry.way.clone(),
            networks: networks.into_iter().flatten().map(|one| (one.member, one.finished)).collect(),
            outputs,
            seconds,
        };
        if interrupted {
            ConfigurationOutcome::Interrupted(Some(configured).filter(|_| self.is_first))
        } else {
            ConfigurationOutcome::Counts(configured)
        }
    }

    /// The outputs of all folds, in the order of the training rows.
    fn in_order(&self, whole: &Plan, networks: &[Option<TrainedNetwork>]) -> Vec<f32> {
        let width = whole.architecture.outputs;
        let rows: usize = networks.iter().flatten().map(|one| one.outputs.len()).sum::<usize>() / width;
        let mut all = vec![0.0; rows * width];
        for (fold, one) in networks.iter().enumerate() {
            let Some(one) = one else { continue };
            for (place, outputs) in self.folds.places(fold).into_iter().zip(one.outputs.chunks_exact(width)) {
                all[place * width..][..width].copy_from_slice(outputs);
            }
        }
        all
    }
}

/// Estimated floating-point operations to train the networks of all folds.
fn work(whole: &Plan, folds: usize) -> f64 {
    let epochs = match whole.patience() {
        Patience::Never => whole.epochs,
        Patience::After(_) | Patience::Early => whole.epochs.min(USUAL_EPOCHS),
    };
    whole.flops_per_step() * (whole.steps_per_epoch() * epochs as u64) as f64 * (folds as f64 - 1.0)
}

fn too_long(needed: Duration, left: Duration) -> String {
    format!("it needs about {:.0} s, and {:.0} s were left", needed.as_secs_f64(), left.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{SettingOrigin, Settings};

    #[test]
    fn no_other_configuration_is_tried_if_the_first_makes_no_step() {
        let iris = concat!(env!("CARGO_MANIFEST_DIR"), "/datasets/iris.csv");
        let mut settings = Settings::new();
        for (name, value) in [("data", iris), ("preset", "best"), ("portfolio", "realmlp,mlp-ple"), ("cv", "3")] {
            settings.set(name, value.into(), SettingOrigin::Flag);
        }
        let (plan, folds) = Plan::with_folds(TrainConfig::new(settings).unwrap()).unwrap();
        let (signal, begun) = (AtomicUsize::new(0), AtomicUsize::new(0));
        // As for a network that has no time for a step.
        let train = |_: usize, _: &mut Plan| {
            begun.fetch_add(1, Ordering::Relaxed);
            Ok(None)
        };
        let leaves_out = |left_out: &LeftOut, _: Range<usize>, _: &[&'static str]| panic!("{} left out", left_out.name);
        let training = PortfolioTraining {
            each: NetworkTraining { signal: &signal, train: &train, begun: &|_| false },
            over: &|_| (),
            counts: &|_| (),
            leaves_out: &leaves_out,
        };
        let trained = train_portfolio(&plan, &folds.unwrap(), &training).unwrap();
        assert!(trained.done.is_empty());
        assert_eq!(begun.into_inner(), 3, "one network for each fold");
    }
}
