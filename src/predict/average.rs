//! Several networks as one: the mean of what they say.

use crate::metrics::scores::TwoWays;
use crate::nn::Link;
use crate::train::score::Scorer;

/// Outputs that say the mean of what the outputs of several networks say, row-major as these: logits of the mean probabilities,
/// or outputs of the mean numbers. Sums are in `f64`, in the order of the networks.
///
/// # Panics
/// If there is no network.
pub(super) fn mean_outputs(scorer: &Scorer, networks: &[Vec<f32>]) -> Vec<f32> {
    let mean = |said: &[Vec<f64>], at: usize| said.iter().map(|said| said[at]).sum::<f64>() / said.len() as f64;
    let log = |p: f64| libm::log(p.max(f64::MIN_POSITIVE));
    let count = networks[0].len();
    let two_ways = scorer.width() == 2 * scorer.outputs();
    match scorer.link() {
        Link::Softmax => {
            let said: Vec<Vec<f64>> = networks.iter().map(|outputs| scorer.predictions(outputs)).collect();
            (0..count).map(|at| log(mean(&said, at)) as f32).collect()
        }
        Link::Sigmoid => {
            let ways = |at: usize| networks.iter().map(move |z| TwoWays::new(Link::Sigmoid, z[at]));
            let share = |at: usize, of: fn(&TwoWays) -> f64| {
                log(ways(at).map(|ways| of(&ways)).sum::<f64>() / networks.len() as f64)
            };
            (0..count).map(|at| (share(at, |ways| ways.positive) - share(at, |ways| ways.negative)) as f32).collect()
        }
        Link::Identity if two_ways || scorer.has_classes() => {
            let said: Vec<Vec<f64>> = networks.iter().map(|outputs| scorer.predictions(outputs)).collect();
            let place = |at: usize| if two_ways { 2 * at + 1 } else { at };
            (0..count).map(|at| mean(&said, place(at)) as f32).collect()
        }
        Link::Identity | Link::Exp => {
            let number = |z: f32| if scorer.link() == Link::Exp { libm::exp(f64::from(z)) } else { f64::from(z) };
            let of = |at: usize| networks.iter().map(|z| number(z[at])).sum::<f64>() / networks.len() as f64;
            let output = |mean: f64| if scorer.link() == Link::Exp { log(mean) as f32 } else { mean as f32 };
            (0..count).map(|at| output(of(at))).collect()
        }
    }
}
