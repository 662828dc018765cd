//! A bank of recorded runs of many settings, from which simulated studies are assembled.
//!
//! `examples/compare_bank.rs` records the runs. A simulated study draws settings from the bank. Everything after that is as
//! in a real comparison: which trials are repeated, which setting is chosen, which runs make its score. So the scores
//! include the luck of the search.

use std::io::Read;

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::experiment::compare::records::Terms;

/// Validation and test loss of a run at its best step; infinite if it diverged.
#[derive(Debug, Clone, Copy)]
struct Losses {
    val: f64,
    test: f64,
}

/// All recorded runs of an optimizer on a problem: those of its defaults, and those of each setting.
#[derive(Debug, Default)]
pub(super) struct BankedRuns {
    defaults: Vec<Losses>,
    settings: Vec<Vec<Losses>>,
}

/// The recorded runs of all optimizers on one problem.
#[derive(Debug)]
pub(super) struct ProblemBank {
    pub name: String,
    pub optimizers: Vec<(String, BankedRuns)>,
}

/// The scores of a study: the mean test loss of its final runs, and the test loss of the defaults.
#[derive(Debug, Clone, Copy)]
pub(super) struct StudyScores {
    pub tuned: f64,
    pub untuned: f64,
}

/// Reads the bank of the repository, problem by problem.
pub(super) fn bank() -> Vec<ProblemBank> {
    let packed = include_bytes!("../../../../tests/data/compare_bank.csv.gz");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut text).expect("the bank is text");
    let mut problems: Vec<ProblemBank> = Vec::new();
    for line in text.lines().skip(1) {
        let [problem, optimizer, setting, _, val, test] = line.split(',').collect::<Vec<&str>>()[..] else {
            panic!("six columns: {line}")
        };
        if problems.last().is_none_or(|last| last.name != problem) {
            problems.push(ProblemBank { name: problem.to_owned(), optimizers: Vec::new() });
        }
        let optimizers = &mut problems.last_mut().expect("there is one").optimizers;
        if optimizers.last().is_none_or(|(name, _)| name != optimizer) {
            optimizers.push((optimizer.to_owned(), BankedRuns::default()));
        }
        let recorded = &mut optimizers.last_mut().expect("there is one").1;
        let loss = |text: &str| if text.is_empty() { f64::INFINITY } else { text.parse().expect("a loss") };
        let losses = Losses { val: loss(val), test: loss(test) };
        match setting.parse::<usize>().expect("a number") {
            0 => recorded.defaults.push(losses),
            number => {
                recorded.settings.resize_with(recorded.settings.len().max(number), Vec::new);
                recorded.settings[number - 1].push(losses);
            }
        }
    }
    problems
}

impl BankedRuns {
    /// The scores of `count` studies. Settings are dealt without replacement, so no two studies share one, until too few are
    /// left; then all are dealt anew.
    pub fn studies(&self, count: usize, terms: &Terms, rng: &mut ChaCha8Rng) -> Vec<StudyScores> {
        let hand = terms.trials - 1;
        let mut deck: Vec<usize> = Vec::new();
        let mut deal = |rng: &mut ChaCha8Rng| {
            if deck.len() < hand {
                deck = (0..self.settings.len()).collect();
                deck.shuffle(rng);
            }
            deck.split_off(deck.len() - hand)
        };
        (0..count)
            .map(|_| {
                let settings = deal(rng);
                self.study(&settings, terms, rng)
            })
            .collect()
    }

    fn study(&self, settings: &[usize], terms: &Terms, rng: &mut ChaCha8Rng) -> StudyScores {
        // The runs of each tried setting, in the order of the stages: the trial, the repeats, the final runs. If a setting
        // has fewer recorded runs, they are used again. The worse settings have only one.
        let needed = 1 + terms.repeats + terms.seeds;
        let mut meet = |runs: &[Losses]| -> Vec<Losses> {
            let mut order: Vec<usize> = (0..runs.len()).collect();
            for at in 0..needed.min(runs.len()) {
                order.swap(at, rng.random_range(at..runs.len()));
            }
            (0..needed).map(|at| runs[order[at % runs.len()]]).collect()
        };
        let mut tried = vec![meet(&self.defaults)];
        tried.extend(settings.iter().map(|setting| meet(&self.settings[*setting])));
        let untuned = tried[0][0].test;
        let mut order: Vec<usize> = (0..tried.len()).collect();
        order.sort_by(|a, b| tried[*a][0].val.total_cmp(&tried[*b][0].val));
        order.truncate(terms.finalist_count().max(1));
        let mean = |runs: &[Losses], of: fn(&Losses) -> f64| runs.iter().map(of).sum::<f64>() / runs.len() as f64;
        let val = |number: &usize| mean(&tried[*number][..=terms.repeats], |run| run.val);
        let winner = order.into_iter().min_by(|a, b| val(a).total_cmp(&val(b))).expect("there is a trial");
        let tuned = mean(&tried[winner][1 + terms.repeats..], |run| run.test);
        // Two real studies never give the same bits, but two simulated ones that choose the same setting may. So each score
        // is perturbed.
        let mut apart = |loss: f64| loss * (1.0 + 1e-9 * rng.random::<f64>());
        StudyScores { tuned: apart(tuned), untuned: apart(untuned) }
    }
}
