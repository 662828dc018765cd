//! Greedy selection of the weights of several models in their mean.

/// The outputs of the candidates, as parts that are averaged: part `r` of the mean is the mean of the candidates' parts `r`.
pub struct Candidates<'a> {
    /// The parts of each candidate; all have the same length.
    pub parts: &'a [Vec<f64>],
    /// Weight of each part; if `None`, all have the same weight.
    pub weights: Option<&'a [f64]>,
    /// The cost of one part of the mean.
    pub cost: fn(f64) -> f64,
}

/// Greedy selection with replacement. Each round adds the candidate that gives the mean of all added ones the lowest cost;
/// of equal ones, the earlier candidate. Returns how often each candidate was added up to the round with the lowest cost; of
/// equal ones, the earlier round. Caruana et al. 2004, <https://doi.org/10.1145/1015330.1015432>.
///
/// # Panics
/// If there is no candidate.
pub fn greedy_selection(candidates: &Candidates<'_>, rounds: usize) -> Vec<usize> {
    let count = candidates.parts.len();
    let mut sum = vec![0.0; candidates.parts[0].len()];
    let mut taken: Vec<usize> = Vec::with_capacity(rounds);
    let mut best = (f64::INFINITY, 1);
    for round in 1..=rounds {
        let cost = |candidate: usize| candidates.cost_of(&sum, candidate, round as f64);
        let (cost, next) = (0..count)
            .map(|candidate| (cost(candidate), candidate))
            .fold((f64::INFINITY, 0), |least, found| if found.0 < least.0 { found } else { least });
        taken.push(next);
        sum.iter_mut().zip(&candidates.parts[next]).for_each(|(sum, part)| *sum += part);
        if cost < best.0 {
            best = (cost, round);
        }
    }
    let mut counts = vec![0; count];
    taken[..best.1.min(rounds)].iter().for_each(|candidate| counts[*candidate] += 1);
    counts
}

impl Candidates<'_> {
    /// The mean cost of one candidate alone.
    pub fn cost_of_one(&self, candidate: usize) -> f64 {
        self.cost_of(&vec![0.0; self.parts[candidate].len()], candidate, 1.0)
    }

    /// The mean cost after a candidate is added to `sum`, the sum of the parts added so far; `taken` counts them including
    /// this candidate.
    fn cost_of(&self, sum: &[f64], candidate: usize, taken: f64) -> f64 {
        let costs = sum.iter().zip(&self.parts[candidate]).map(|(sum, part)| (self.cost)((sum + part) / taken));
        match self.weights {
            None => costs.sum::<f64>() / sum.len() as f64,
            Some(weights) => {
                costs.zip(weights).map(|(cost, weight)| cost * weight).sum::<f64>() / weights.iter().sum::<f64>()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, stream};
    use rand::RngExt;

    fn square(x: f64) -> f64 {
        x * x
    }

    /// The counts by the definition: each mean is computed again from the list of added candidates.
    fn by_definition(parts: &[Vec<f64>], weights: &[f64], cost: fn(f64) -> f64, rounds: usize) -> Vec<usize> {
        let cost_of = |taken: &[usize]| {
            let mean = |row: usize| taken.iter().map(|c| parts[*c][row]).sum::<f64>() / taken.len() as f64;
            let all: f64 = weights.iter().sum();
            weights.iter().enumerate().map(|(row, weight)| weight * cost(mean(row))).sum::<f64>() / all
        };
        let mut taken: Vec<usize> = Vec::new();
        let mut prefixes: Vec<(f64, Vec<usize>)> = Vec::new();
        for _ in 0..rounds {
            let options: Vec<Vec<usize>> = (0..parts.len()).map(|c| [taken.as_slice(), &[c]].concat()).collect();
            let costs: Vec<f64> = options.iter().map(|option| cost_of(option)).collect();
            let least = costs.iter().copied().fold(f64::INFINITY, f64::min);
            let first = costs.iter().position(|cost| *cost == least).unwrap();
            taken.clone_from(&options[first]);
            prefixes.push((least, taken.clone()));
        }
        let least = prefixes.iter().map(|(cost, _)| *cost).fold(f64::INFINITY, f64::min);
        let (_, taken) = prefixes.into_iter().find(|(cost, _)| *cost == least).unwrap();
        (0..parts.len()).map(|c| taken.iter().filter(|t| **t == c).count()).collect()
    }

    #[test]
    fn the_counts_are_those_of_the_definition() {
        for seed in 0..20 {
            let mut rng = stream(seed, Purpose::Permutation, 0, 0);
            let mut number = || f64::from(rng.random::<u32>()) / f64::from(u32::MAX);
            let parts: Vec<Vec<f64>> = (0..4).map(|_| (0..9).map(|_| 0.05 + 0.9 * number()).collect()).collect();
            let weights: Vec<f64> = (0..9).map(|_| 0.5 + number()).collect();
            for cost in [square as fn(f64) -> f64, |p| -libm::log(p)] {
                let candidates = Candidates { parts: &parts, weights: Some(&weights), cost };
                assert_eq!(greedy_selection(&candidates, 12), by_definition(&parts, &weights, cost, 12), "{seed}");
            }
        }
    }

    #[test]
    fn errors_that_cancel_get_equal_counts_and_ties_the_first_candidate() {
        let parts = vec![vec![1.0, 1.0], vec![-1.0, -1.0], vec![1.0, 1.0], vec![3.0, 3.0]];
        let select = |rounds| greedy_selection(&Candidates { parts: &parts, weights: None, cost: square }, rounds);
        assert_eq!(select(1), [1, 0, 0, 0]);
        assert_eq!(select(25), [1, 1, 0, 0], "later rounds are no better");
    }
}
