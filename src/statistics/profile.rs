//! Performance profiles: how often, and within what factor of the best.

/// Each cost over the least on its problem, `r = t / min t`; infinite where the cost is, and for all where nobody has a
/// finite one. `costs[problem][solver]` are above 0. Dolan & Moré 2002, "Benchmarking optimization software with performance
/// profiles", <https://arxiv.org/abs/cs/0102001>.
pub fn performance_ratios(costs: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let ratios = |costs: &Vec<f64>| {
        let least = costs.iter().copied().fold(f64::INFINITY, f64::min);
        costs.iter().map(|cost| if cost.is_finite() { cost / least } else { f64::INFINITY }).collect()
    };
    costs.iter().map(ratios).collect()
}

/// `ρ(τ)`: the part of a solver's ratios that are at most `τ`.
pub fn profile(ratios: &[f64], tau: f64) -> f64 {
    ratios.iter().filter(|ratio| **ratio <= tau).count() as f64 / ratios.len() as f64
}

/// The mean height of the profile from 1 to `tau_max`: `∫ ρ(τ) dτ / (τ_max − 1)`, which for a step function is the mean of
/// `max(0, τ_max − r) / (τ_max − 1)`. 1 is the best on every problem. The score of AlgoPerf, Dahl et al. 2023,
/// "Benchmarking Neural Network Training Algorithms", <https://arxiv.org/abs/2306.07179>, where `τ_max` is 4.
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

    /// By hand: the ratios 1, 1.5 and ∞ make a profile of 1/3 up to 1.5 and 2/3 from there to 4.
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
