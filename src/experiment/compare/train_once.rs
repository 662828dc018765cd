//! One training run of a comparison.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::problems::Problem;
use super::protocol::Setting;
use super::records::Point;
use crate::Result;
use crate::data::epoch_order;
use crate::kernel::Isa;
use crate::metrics::Detail;
use crate::optim::OptimizerSpec;
use crate::optim::schedule::Schedule;
use crate::train::score::Rows;
use crate::train::{EpochPlan, Halt, Trainer};

/// What came of a run; see [`super::records::Run`].
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Whether loss or gradient stopped being finite.
    pub diverged: bool,
    /// Losses at the points of the problem.
    pub curve: Vec<Point>,
    /// Validation loss at the end.
    pub val_loss: Option<f64>,
    /// Test loss at the end.
    pub test_loss: Option<f64>,
    /// The problem's score on the test part at the end.
    pub test_score: Option<f64>,
    /// Seconds, evaluation included.
    pub seconds: f64,
}

/// Rows in the order of training: one shuffled epoch after the other, without a gap, so that every step has the same
/// number of rows. The order depends on the seed alone.
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

/// Trains one network on one thread, from the initial weights and in the order of rows of `seed`; `None` where `signal`
/// came before its end.
///
/// # Errors
/// [`crate::Error::Usage`] if optimizer or schedule cannot be read.
pub fn train_once(
    problem: &Problem,
    setting: &Setting,
    seed: u64,
    isa: Isa,
    signal: &AtomicUsize,
) -> Result<Option<Outcome>> {
    let began = Instant::now();
    let optimizer: OptimizerSpec = setting.spec.parse()?;
    let schedule: Schedule = setting.schedule.parse()?;
    let base = optimizer.lr;
    let points = problem.points();
    let most_steps = points.iter().scan(0, |last, point| Some(point - std::mem::replace(last, *point))).max();
    let most_rows = most_steps.unwrap_or(0) as usize * problem.batch;
    let mut trainer = problem.trainer(optimizer, seed, isa, most_rows);
    let mut stream = RowStream::new(problem.train.rows(), seed);
    let (mut order, mut curve, mut diverged) = (Vec::with_capacity(most_rows), Vec::new(), false);
    for (number, point) in points.into_iter().enumerate() {
        stream.take((point - trainer.steps()) as usize * problem.batch, &mut order);
        let outcome = trainer.epoch(&EpochPlan {
            data: &problem.train,
            order: &order,
            epoch: number as u64,
            batch: problem.batch,
            lr: &|t| schedule.rate(base, t - 1, problem.steps),
            momentum: &|t| schedule.momentum(t - 1, problem.steps),
            stop: &|_| signal.load(Ordering::Relaxed) != 0,
            tol_grad: None,
            log_steps: None,
        });
        if signal.load(Ordering::Relaxed) != 0 {
            return Ok(None);
        }
        if matches!(outcome.halt, Some(Halt::Diverged(_))) {
            diverged = true;
            break;
        }
        let val_loss = finite(trainer.evaluate(&problem.val).loss);
        curve.push(Point { step: point, train_loss: finite(outcome.loss), val_loss });
    }
    let val_loss = curve.last().and_then(|point: &Point| point.val_loss).filter(|_| !diverged);
    let (test_loss, test_score) = if val_loss.is_some() { tested(problem, &mut trainer) } else { (None, None) };
    let diverged = diverged || val_loss.is_none();
    Ok(Some(Outcome { diverged, curve, val_loss, test_loss, test_score, seconds: began.elapsed().as_secs_f64() }))
}

fn finite(loss: f64) -> Option<f64> {
    Some(loss).filter(|loss| loss.is_finite())
}

/// Loss and score on the test part.
fn tested(problem: &Problem, trainer: &mut Trainer) -> (Option<f64>, Option<f64>) {
    let evaluation = trainer.evaluate(&problem.test);
    let figures = problem.scorer.figures(&evaluation.outputs, &problem.test, Rows::All, evaluation.loss, Detail::Full);
    (finite(evaluation.loss), figures.get(problem.score))
}

#[cfg(test)]
mod tests {
    use super::super::problems::problem;
    use super::super::protocol::Terms;
    use super::*;

    fn short(name: &str, steps: u64) -> Problem {
        Problem { steps, ..problem(name, None).unwrap() }
    }

    fn run(problem: &Problem, spec: &str, seed: u64) -> Outcome {
        let setting = Setting { spec: spec.to_owned(), ..Terms::untuned(&"sgd".parse().unwrap()) };
        let outcome = train_once(problem, &setting, seed, Isa::detect(), &AtomicUsize::new(0)).unwrap();
        Outcome { seconds: 0.0, ..outcome.unwrap() }
    }

    #[test]
    fn rows_come_epoch_after_epoch() {
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
        assert!(losses[19] < losses[0], "{losses:?}");
        assert_eq!(outcome.val_loss, outcome.curve[19].val_loss);
        assert!(outcome.test_loss.is_some() && outcome.test_score.unwrap() > 10.0, "in the target's units");
    }

    #[test]
    fn a_run_that_breaks_says_so() {
        let outcome = run(&short("ill_conditioned", 400), "sgd:lr=1e3", 1);
        assert!(outcome.diverged && outcome.curve.len() < 20, "{outcome:?}");
        assert_eq!((outcome.val_loss, outcome.test_loss, outcome.test_score), (None, None, None));
    }

    #[test]
    fn a_signal_ends_a_run_without_an_outcome() {
        let setting = Terms::untuned(&"sgd".parse().unwrap());
        let outcome = train_once(&short("diabetes", 100), &setting, 0, Isa::detect(), &AtomicUsize::new(2));
        assert_eq!(outcome.unwrap(), None);
    }
}
