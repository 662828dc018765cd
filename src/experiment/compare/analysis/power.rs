//! What verdicts over all problems can find, by simulation.

use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use super::pairs::{Scores, numbers, problem_test};
use crate::experiment::compare::summary::{Level, Power};
use crate::rng::{Purpose, stream};
use crate::statistics::{Stratum, critical_statistic, normal_cdf, smallest_p, statistic_of, student_p};

/// Reports that are simulated for each effect that is tried.
const REPORTS: u64 = 1_000;
/// Part of them in which the effect is to be found.
const FOUND: f64 = 0.8;
/// Standard deviations by which two optimizers are apart at most: more is no overlap at all.
const FURTHEST: f64 = 6.0;
/// Halvings of that range.
const HALVINGS: usize = 9;

/// What verdicts over all problems can find with so many studies.
pub(super) fn power(scores: &Scores, optimizers: usize) -> Power {
    let studies = scores.iter().flatten().map(Vec::len).min().unwrap_or(0);
    power_of(numbers(optimizers).len(), scores.len(), studies)
}

/// The same for `pairs` verdicts on `problems` problems.
pub(super) fn power_of(pairs: usize, problems: usize, studies: usize) -> Power {
    let sizes = if studies > 1 { vec![(studies, studies); problems] } else { Vec::new() };
    let tests = pairs.max(1) as f64;
    let smallest_p = (tests * smallest_p(&sizes)).min(1.0);
    let alpha = Level::Overall.alpha();
    let detectable_effect =
        if smallest_p <= alpha { detectable(Design { problems, studies, alpha: alpha / tests }) } else { None };
    Power { studies, smallest_p, detectable_effect }
}

/// One pair of optimizers in a report.
#[derive(Debug, Clone, Copy)]
struct Design {
    problems: usize,
    studies: usize,
    /// The level of one verdict.
    alpha: f64,
}

/// The effect `2 Φ(δ / √2) − 1` that is found four times in five where the logarithms of the scores are normal, spread alike, and
/// lie `δ` standard deviations apart on every problem; `None` where none is.
fn detectable(design: Design) -> Option<f64> {
    let sizes = vec![(design.studies, design.studies); design.problems];
    let critical = if design.problems > 1 { critical_statistic(&sizes, design.alpha) } else { 0.0 };
    // The same random numbers at every distance, so that more is found the further they are apart.
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

/// Whether the report of this number finds a pair that lies so far apart.
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
    fn with_many_studies_it_is_that_of_the_normal_approximation() {
        let effect = power_of(6, 12, 16).detectable_effect.unwrap();
        let z = crate::statistics::normal_quantile(1.0 - 0.02 / 12.0) + crate::statistics::normal_quantile(0.8);
        let expected = z * (33.0_f64 / (3.0 * 256.0 * 12.0)).sqrt();
        assert!((effect / expected - 1.0).abs() < 0.06, "{effect} and {expected}");
    }

    #[test]
    fn what_cannot_be_found_has_no_size() {
        assert_eq!(power_of(6, 3, 2).detectable_effect, None);
        assert_eq!(power_of(1, 0, 0).detectable_effect, None);
        let [few, many] = [4, 8].map(|studies| power_of(6, 3, studies).detectable_effect.unwrap());
        assert!(many < few, "{many} and {few}");
    }
}
