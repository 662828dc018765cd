//! One training run of a comparison.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::problems::Problem;
use super::protocol::Setting;
use super::records::Point;
use crate::Result;
use crate::data::epoch_order;
use crate::kernel::{Isa, Line};
use crate::metrics::Detail;
use crate::optim::OptimizerSpec;
use crate::optim::schedule::Schedule;
use crate::score::ScoredRows;
use crate::train::{EpochPlan, Halt, Trainer};

/// The outcome of a run; see [`super::records::Run`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunOutcome {
    /// Whether loss or gradient stopped being finite.
    pub diverged: bool,
    /// Losses at the points of the problem.
    pub curve: Vec<Point>,
    /// The step of the point with the lowest validation loss; the first of equal ones.
    pub best_step: Option<u64>,
    /// Validation loss at that step.
    pub val_loss: Option<f64>,
    /// Test loss at that step.
    pub test_loss: Option<f64>,
    /// The problem's score on the test part at that step.
    pub test_score: Option<f64>,
    /// Test loss at the end.
    pub last_test_loss: Option<f64>,
    /// Seconds, including evaluations.
    pub seconds: f64,
}

/// The training rows in order: shuffled epochs that follow each other without a gap, so every step has the same number of
/// rows. The order depends only on the seed.
pub(super) struct RowStream {
    rows: usize,
    seed: u64,
    epoch: u64,
    order: Vec<u32>,
    at: usize,
}

impl RowStream {
    pub(super) fn new(rows: usize, seed: u64) -> RowStream {
        RowStream { rows, seed, epoch: 0, order: Vec::new(), at: 0 }
    }

    /// Writes the next `count` rows to `out`.
    pub(super) fn take(&mut self, count: usize, out: &mut Vec<u32>) {
        out.clear();
        while out.len() < count {
            if self.at == self.order.len() {
                epoch_order(self.rows, self.seed, self.epoch, true, &mut self.order);
                (self.epoch, self.at) = (self.epoch + 1, 0);
            }
            let next = (self.at + count - out.len()).min(self.order.len());
            out.extend_from_slice(&self.order[self.at..next]);
            self.at = next;
        }
    }
}

/// Trains one network on one thread, with the initial weights and the order of rows of `seed`; `None` if a signal was
/// received before the end.
///
/// # Errors
/// [`crate::Error::Usage`] if the optimizer or the schedule cannot be read.
pub fn train_once(
    problem: &Problem,
    setting: &Setting,
    seed: u64,
    isa: Isa,
    signal: &AtomicUsize,
) -> Result<Option<RunOutcome>> {
    let began = Instant::now();
    let optimizer: OptimizerSpec = setting.spec.parse()?;
    let schedule: Schedule = setting.schedule.parse()?;
    let mut trainer = problem.trainer(optimizer, seed, isa, problem.most_rows());
    let Some(course) = course(problem, &mut trainer, (&schedule, optimizer.lr), seed, signal) else { return Ok(None) };
    let Course { curve, mut best, diverged } = course;
    if diverged {
        return Ok(Some(RunOutcome {
            diverged,
            curve,
            seconds: began.elapsed().as_secs_f64(),
            ..RunOutcome::default()
        }));
    }
    let Tested { loss: test_loss, score: test_score, last_loss: last_test_loss } = best.tested(problem, &mut trainer);
    let (best_step, val_loss, seconds) = (best.step, best.val_loss, began.elapsed().as_secs_f64());
    Ok(Some(RunOutcome { diverged, curve, best_step, val_loss, test_loss, test_score, last_test_loss, seconds }))
}

/// What happened during training.
struct Course {
    curve: Vec<Point>,
    best: Best,
    diverged: bool,
}

/// Trains until the last point of the problem or until the loss is not finite, and evaluates at each point; `None` if a signal
/// was received.
fn course(
    problem: &Problem,
    trainer: &mut Trainer,
    (schedule, base): (&Schedule, f64),
    seed: u64,
    signal: &AtomicUsize,
) -> Option<Course> {
    let rate = |t| schedule.rate(base, t - 1, problem.steps);
    let momentum = |t| schedule.momentum(t - 1, problem.steps);
    let mut stream = RowStream::new(problem.train.rows(), seed);
    let mut order = Vec::with_capacity(problem.most_rows());
    let (mut curve, mut best, mut diverged) = (Vec::new(), Best::default(), false);
    for (number, point) in problem.points().into_iter().enumerate() {
        stream.take((point - trainer.steps()) as usize * problem.batch, &mut order);
        let outcome = trainer.epoch(&EpochPlan {
            data: &problem.train,
            order: &order,
            own_orders: &[],
            epoch: number as u64,
            batch: problem.batch,
            lr: &rate,
            momentum: &momentum,
            stop: &|_| signal.load(Ordering::Relaxed) != 0,
            tol_grad: None,
            log_steps: None,
        });
        if signal.load(Ordering::Relaxed) != 0 {
            return None;
        }
        diverged = matches!(outcome.halt, Some(Halt::Diverged(_)));
        if !diverged {
            let val_loss = finite(trainer.evaluate(&problem.val).loss);
            curve.push(Point { step: point, train_loss: finite(outcome.loss), val_loss });
            best.observe(point, val_loss, trainer);
            diverged = val_loss.is_none();
        }
        if diverged {
            break;
        }
    }
    Some(Course { curve, best, diverged })
}

/// The weights with the lowest validation loss so far.
#[derive(Default)]
struct Best {
    step: Option<u64>,
    val_loss: Option<f64>,
    weights: Vec<Line>,
}

/// Results on the test part.
struct Tested {
    loss: Option<f64>,
    score: Option<f64>,
    last_loss: Option<f64>,
}

impl Best {
    /// Keeps the weights if their validation loss is lower than any before.
    fn observe(&mut self, step: u64, val_loss: Option<f64>, trainer: &Trainer) {
        if self.val_loss.is_none_or(|least| val_loss.is_some_and(|loss| loss < least)) {
            (self.step, self.val_loss) = (Some(step), val_loss);
            self.weights.clear();
            self.weights.extend_from_slice(trainer.evaluated_parameters());
        }
    }

    /// The test loss and score of the kept weights, and the test loss of the last weights.
    fn tested(&mut self, problem: &Problem, trainer: &mut Trainer) -> Tested {
        let last_loss = finite(trainer.evaluate(&problem.test).loss);
        let evaluation = trainer.evaluate_with(&mut self.weights, &problem.test);
        let scorer = &problem.scorer;
        let figures =
            scorer.figures(&evaluation.outputs, &problem.test, ScoredRows::All, evaluation.loss, Detail::Full);
        Tested { loss: finite(evaluation.loss), score: figures.get(problem.score), last_loss }
    }
}

fn finite(loss: f64) -> Option<f64> {
    Some(loss).filter(|loss| loss.is_finite())
}

#[cfg(test)]
mod tests {
    use super::super::problems::problem;
    use super::super::protocol::defaults;
    use super::*;

    fn short(name: &str, steps: u64) -> Problem {
        Problem { steps, ..problem(name, None).unwrap() }
    }

    fn run(problem: &Problem, spec: &str, seed: u64) -> RunOutcome {
        let setting = Setting { spec: spec.to_owned(), ..defaults(&"sgd".parse().unwrap()) };
        let outcome = train_once(problem, &setting, seed, Isa::detect(), &AtomicUsize::new(0)).unwrap();
        RunOutcome { seconds: 0.0, ..outcome.unwrap() }
    }

    #[test]
    fn rows_are_streamed_epoch_by_epoch() {
        let mut stream = RowStream::new(5, 1);
        let (mut rows, mut piece) = (Vec::new(), Vec::new());
        for count in [3, 1, 8, 3] {
            stream.take(count, &mut piece);
            assert_eq!(piece.len(), count);
            rows.extend_from_slice(&piece);
        }
        for epoch in rows.chunks(5) {
            let mut sorted = epoch.to_vec();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3, 4]);
        }
        assert_ne!(rows[..5], rows[5..10]);
    }

    #[test]
    fn a_run_learns_and_repeats() {
        let problem = short("diabetes", 100);
        let outcome = run(&problem, "adam:lr=0.01", 1);
        assert_eq!(outcome, run(&problem, "adam:lr=0.01", 1));
        assert_ne!(outcome.curve, run(&problem, "adam:lr=0.01", 2).curve);
        assert_eq!(outcome.curve.iter().map(|p| p.step).collect::<Vec<_>>(), problem.points());
        let losses: Vec<f64> = outcome.curve.iter().map(|p| p.val_loss.unwrap()).collect();
        assert!(losses[losses.len() - 1] < losses[0], "{losses:?}");
        assert_eq!(outcome.val_loss, losses.iter().copied().min_by(f64::total_cmp));
        let best = outcome.curve.iter().find(|point| point.val_loss == outcome.val_loss).unwrap();
        assert_eq!(outcome.best_step, Some(best.step));
        assert!(outcome.test_loss.is_some() && outcome.test_score.unwrap() > 10.0, "in the target's units");
    }

    #[test]
    fn the_best_point_is_reported_and_not_the_last() {
        // At this learning rate the network soon overfits diabetes.
        let outcome = run(&short("diabetes", 2_000), "adam:lr=0.02", 1);
        let last = outcome.curve.last().unwrap();
        assert!(outcome.best_step.unwrap() < last.step && outcome.val_loss < last.val_loss, "{outcome:?}");
        assert!(outcome.test_loss < outcome.last_test_loss, "{outcome:?}");
        // The best point is not the first one.
        let whole = outcome.curve.iter().position(|point| Some(point.step) == outcome.best_step).unwrap();
        assert!(whole > 0, "{outcome:?}");
    }

    #[test]
    fn a_run_that_diverges_has_no_results() {
        let outcome = run(&short("ill_conditioned", 400), "sgd:lr=1e3", 1);
        assert!(outcome.diverged && outcome.curve.len() < 28, "{outcome:?}");
        assert_eq!((outcome.val_loss, outcome.test_loss, outcome.test_score), (None, None, None));
    }

    #[test]
    fn a_signal_ends_a_run_without_an_outcome() {
        let setting = defaults(&"sgd".parse().unwrap());
        let outcome = train_once(&short("diabetes", 100), &setting, 0, Isa::detect(), &AtomicUsize::new(2));
        assert_eq!(outcome.unwrap(), None);
    }
}
