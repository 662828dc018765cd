//! Performance profiles: how often a solver is within a factor of the best one.

/// Each cost divided by the lowest on its problem, `r = t / min t`. The ratio of an infinite cost is infinite.
/// `costs[problem][solver]` are above 0. Dolan & Moré 2002, "Benchmarking optimization software with performance profiles",
/// <https://arxiv.org/abs/cs/0102001>.
pub fn performance_ratios(costs: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let ratios = |costs: &Vec<f64>| {
        let least = costs.iter().copied().fold(f64::INFINITY, f64::min);
        costs.iter().map(|cost| if cost.is_finite() { cost / least } else { f64::INFINITY }).collect()
    };
    costs.iter().map(ratios).collect()
}

/// `ρ(τ)`: the share of a solver's ratios that are at most `τ`.
pub fn profile(ratios: &[f64], tau: f64) -> f64 {
    ratios.iter().filter(|ratio| **ratio <= tau).count() as f64 / ratios.len() as f64
}

/// The mean height of the profile from 1 to `tau_max`: `∫ ρ(τ) dτ / (τ_max − 1)`. For a step function this is the mean of
/// `max(0, τ_max − r) / (τ_max − 1)`. A solver that is the best on every problem has 1. It is the score of AlgoPerf, with
/// `τ_max` 4: Dahl et al. 2023, "Benchmarking Neural Network Training Algorithms", <https://arxiv.org/abs/2306.07179>.
pub fn profile_score(ratios: &[f64], tau_max: f64) -> f64 {
    let height = |ratio: &f64| (tau_max - ratio).max(0.0) / (tau_max - 1.0);
    ratios.iter().map(height).sum::<f64>() / ratios.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const INF: f64 = f64::INFINITY;

    #[test]
    fn the_best_has_ratio_one_and_a_miss_is_infinite() {
        let ratios = performance_ratios(&[vec![10.0, 20.0, INF], vec![9.0, 6.0, 6.0], vec![INF, INF, INF]]);
        assert_eq!(ratios, [vec![1.0, 2.0, INF], vec![1.5, 1.0, 1.0], vec![INF, INF, INF]]);
    }

    /// By hand: the ratios 1, 1.5 and ∞ give a profile of 1/3 up to 1.5, and 2/3 from there to 4.
    #[test]
    fn the_score_is_the_area_below_the_profile() {
        let ratios = [1.0, 1.5, INF];
        assert_eq!(
            [1.0, 1.49, 1.5, 4.0].map(|tau| profile(&ratios, tau)),
            [1.0 / 3.0, 1.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0]
        );
        let area = (0.5 / 3.0 + 2.5 * 2.0 / 3.0) / 3.0;
        assert!((profile_score(&ratios, 4.0) - area).abs() < 1e-15);
        assert_eq!(profile_score(&[1.0, 1.0], 4.0), 1.0);
        assert_eq!(profile_score(&[INF, 5.0], 4.0), 0.0);
    }
}
