//! Statistical power of the verdicts over all problems, by simulation.

use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use super::pairs::{ScoreTable, numbers, problem_test};
use crate::experiment::compare::summary::{Level, Power};
use crate::rng::{Purpose, stream};
use crate::statistics::{Stratum, critical_statistic, normal_cdf, smallest_p, statistic_of, student_p};

/// Number of simulated reports for each effect size.
const REPORTS: u64 = 1_000;
/// The power: the share of reports in which the effect must be found.
const FOUND: f64 = 0.8;
/// Largest simulated distance of two optimizers, in standard deviations; beyond it there is no overlap.
const FURTHEST: f64 = 6.0;
/// Number of bisection steps.
const HALVINGS: usize = 9;

/// The power of the verdicts over all problems, for the numbers of studies in `scores`.
pub(super) fn power(scores: &ScoreTable, optimizers: usize) -> Power {
    let studies = scores.iter().flatten().map(Vec::len).min().unwrap_or(0);
    power_of(numbers(optimizers).len(), scores.len(), studies)
}

/// The power of `pairs` verdicts on `problems` problems with `studies` studies.
pub(super) fn power_of(pairs: usize, problems: usize, studies: usize) -> Power {
    let sizes = if studies > 1 { vec![(studies, studies); problems] } else { Vec::new() };
    let tests = pairs.max(1) as f64;
    let smallest_p = (tests * smallest_p(&sizes)).min(1.0);
    let alpha = Level::Overall.alpha();
    let detectable_effect =
        if smallest_p <= alpha { detectable(Design { problems, studies, alpha: alpha / tests }) } else { None };
    Power { studies, smallest_p, detectable_effect }
}

/// The size of the test of one pair of optimizers.
#[derive(Debug, Clone, Copy)]
struct Design {
    problems: usize,
    studies: usize,
    /// Significance level of one verdict.
    alpha: f64,
}

/// The smallest effect that is found in four of five reports; `None` if there is none. The logarithms of the scores are
/// normal with equal variance and lie `δ` standard deviations apart on every problem; the effect is then `2 Φ(δ / √2) − 1`.
fn detectable(design: Design) -> Option<f64> {
    let sizes = vec![(design.studies, design.studies); design.problems];
    let critical = if design.problems > 1 { critical_statistic(&sizes, design.alpha) } else { 0.0 };
    // All distances use the same random numbers, so the power grows with the distance.
    let found = |distance: f64| {
        let found = (0..REPORTS).into_par_iter().filter(|number| is_found(design, critical, distance, *number));
        found.count() as f64 / REPORTS as f64
    };
    if found(FURTHEST) < FOUND {
        return None;
    }
    let (mut low, mut high) = (0.0, FURTHEST);
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if found(middle) < FOUND { low = middle } else { high = middle }
    }
    Some(2.0 * normal_cdf(high / std::f64::consts::SQRT_2) - 1.0)
}

/// Whether the simulated report `number` finds a difference between two optimizers at this distance.
fn is_found(design: Design, critical: f64, distance: f64, number: u64) -> bool {
    let mut rng: ChaCha8Rng = stream(0, Purpose::Resampling, 7, number);
    let mut logs = |shift: f64| -> Vec<f64> {
        (0..design.studies).map(|_| shift + Distribution::<f64>::sample(&StandardNormal, &mut rng)).collect()
    };
    let both: Vec<[Vec<f64>; 2]> = (0..design.problems).map(|_| [logs(0.0), logs(distance)]).collect();
    if let [[a, b]] = &both[..] {
        let [a, b] = [a, b].map(|logs| logs.iter().map(|log| libm::exp(*log)).collect::<Vec<f64>>());
        return problem_test(&a, &b).is_some_and(|(_, p)| p <= design.alpha);
    }
    let strata: Vec<Stratum> = both.iter().filter_map(|[a, b]| Stratum::new(a, b)).collect();
    statistic_of(&strata) >= critical && student_p(&strata) <= design.alpha
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The formula for many studies: `(Φ⁻¹(1 − α / 2m) + Φ⁻¹(0.8)) · √((2n + 1) / 3n²P)`.
    #[test]
    fn with_many_studies_the_effect_agrees_with_the_normal_approximation() {
        let effect = power_of(6, 12, 16).detectable_effect.unwrap();
        let z = crate::statistics::normal_quantile(1.0 - 0.02 / 12.0) + crate::statistics::normal_quantile(0.8);
        let expected = z * (33.0_f64 / (3.0 * 256.0 * 12.0)).sqrt();
        assert!((effect / expected - 1.0).abs() < 0.06, "{effect} and {expected}");
    }

    #[test]
    fn too_few_studies_have_no_detectable_effect() {
        assert_eq!(power_of(6, 3, 2).detectable_effect, None);
        assert_eq!(power_of(1, 0, 0).detectable_effect, None);
        let [few, many] = [4, 8].map(|studies| power_of(6, 3, studies).detectable_effect.unwrap());
        assert!(many < few, "{many} and {few}");
    }
}
