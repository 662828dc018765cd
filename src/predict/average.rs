//! The mean of several networks' predictions, as outputs of one network.

use crate::metrics::scores::TwoWays;
use crate::nn::Link;
use crate::score::Scorer;

/// Outputs whose prediction is the mean of the predictions of several networks, row-major like these: logits of the mean
/// probabilities, or outputs of the mean numbers. Sums are in `f64`, in the order of the networks. All networks count alike, or
/// by `shares`, which add up to 1.
///
/// # Panics
/// If there is no network.
pub fn mean_outputs(scorer: &Scorer, networks: &[Vec<f32>], shares: Option<&[f64]>) -> Vec<f32> {
    let mean = |said: &mut dyn Iterator<Item = f64>| match shares {
        None => said.sum::<f64>() / networks.len() as f64,
        Some(shares) => said.zip(shares).map(|(said, share)| said * share).sum(),
    };
    let log = |p: f64| libm::log(p.max(f64::MIN_POSITIVE));
    let count = networks[0].len();
    let two_ways = scorer.width() == 2 * scorer.outputs();
    let predictions = || networks.iter().map(|outputs| scorer.predictions(outputs)).collect::<Vec<Vec<f64>>>();
    match scorer.link() {
        Link::Softmax => {
            let said = predictions();
            (0..count).map(|at| log(mean(&mut said.iter().map(|said| said[at]))) as f32).collect()
        }
        Link::Sigmoid => {
            let share = |at: usize, of: fn(&TwoWays) -> f64| {
                log(mean(&mut networks.iter().map(|z| of(&TwoWays::new(Link::Sigmoid, z[at])))))
            };
            (0..count).map(|at| (share(at, |ways| ways.positive) - share(at, |ways| ways.negative)) as f32).collect()
        }
        Link::Identity if two_ways || scorer.has_classes() => {
            let said = predictions();
            let place = |at: usize| if two_ways { 2 * at + 1 } else { at };
            (0..count).map(|at| mean(&mut said.iter().map(|said| said[place(at)])) as f32).collect()
        }
        Link::Identity | Link::Exp => {
            let number = |z: f32| if scorer.link() == Link::Exp { libm::exp(f64::from(z)) } else { f64::from(z) };
            let of = |at: usize| mean(&mut networks.iter().map(|z| number(z[at])));
            let output = |mean: f64| if scorer.link() == Link::Exp { log(mean) as f32 } else { mean as f32 };
            (0..count).map(|at| output(of(at))).collect()
        }
    }
}
