//! The combined output of a network's members.

use super::loss::Link;
use super::smooth::logistic;
use crate::kernel::{Isa, Job, Lanes, Line, Panels, Real};

/// Writes outputs whose prediction is the mean of the members' predictions: the logits of the mean probabilities, the
/// logarithm of the mean rate, or the mean itself.
///
/// - `z`: a panel of 16 rows for each member, with the outputs in its first lines
/// - `scratch`: a line for each member
/// - `out`: a line for each output, overwritten
///
/// Probabilities and rates are added in the log domain, as `ln Σ eˡ`, so small ones do not underflow to 0.
///
/// # Panics
/// If there are no members, or fewer panels than members.
pub(crate) fn combine(isa: Isa, link: Link, z: Panels<'_>, scratch: &mut [Line], out: &mut [Line]) {
    assert!(!scratch.is_empty() && z.holds(scratch.len(), out.len()));
    isa.run(Combine { link, z, scratch, out });
}

struct Combine<'a> {
    link: Link,
    z: Panels<'a>,
    scratch: &'a mut [Line],
    out: &'a mut [Line],
}

impl Job for Combine<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Combine { link, z, scratch, out } = self;
        let width = out.len();
        let members = scratch.len();
        let log_members = <L as Real>::splat((members as f64).ln());
        if link == Link::Softmax {
            for (m, log_sum) in scratch.iter_mut().enumerate() {
                log_sum_of_outputs::<L>(z.panel(m, 0..width)).store(log_sum);
            }
        }
        for (i, out) in out.iter_mut().enumerate() {
            match link {
                Link::Identity => {
                    let mut sum = L::broadcast(0.0);
                    for m in 0..members {
                        sum = sum + L::load(&z.panel(m, i..i + 1)[0]);
                    }
                    sum / <L as Real>::splat(members as f64)
                }
                Link::Exp => log_sum::<L>(z, i, scratch, OutputTerm::Output) - log_members,
                Link::Softmax => log_sum::<L>(z, i, scratch, OutputTerm::Share) - log_members,
                Link::Sigmoid => {
                    log_sum::<L>(z, i, scratch, OutputTerm::Positive)
                        - log_sum::<L>(z, i, scratch, OutputTerm::Negative)
                }
            }
            .store(out);
        }
    }
}

/// The term of a member's output whose mean is computed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OutputTerm {
    /// `eᶻ`.
    Output,
    /// `eᶻ` divided by the sum of `eᶻ` over all outputs.
    Share,
    /// `1 / (1 + e⁻ᶻ)`.
    Positive,
    /// `1 / (1 + eᶻ)`.
    Negative,
}

/// The logarithm of a term, for output `i` of member `m`. `sums` holds the members' `ln Σ eᶻ`.
#[inline(always)]
fn logarithm<L: Lanes>(z: Panels<'_>, (m, i): (usize, usize), sums: &[Line], what: OutputTerm) -> L {
    let z = L::load(&z.panel(m, i..i + 1)[0]);
    let zero = L::broadcast(0.0);
    match what {
        OutputTerm::Output => z,
        OutputTerm::Share => z - L::load(&sums[m]),
        OutputTerm::Positive => Real::min(z, zero) - logistic(z).log,
        OutputTerm::Negative => Real::min(-z, zero) - logistic(z).log,
    }
}

/// `ln Σ eˡ` over the members, where `l` are the logarithms of their terms.
#[inline(always)]
fn log_sum<L: Lanes>(z: Panels<'_>, i: usize, sums: &[Line], what: OutputTerm) -> L {
    let mut most = logarithm::<L>(z, (0, i), sums, what);
    for m in 1..sums.len() {
        most = Real::max(most, logarithm::<L>(z, (m, i), sums, what));
    }
    let mut sum = L::broadcast(0.0);
    for m in 0..sums.len() {
        sum = sum + Real::exp(logarithm::<L>(z, (m, i), sums, what) - most);
    }
    most + Real::ln(sum)
}

/// `ln Σ eᶻ` over the outputs of one member.
#[inline(always)]
fn log_sum_of_outputs<L: Lanes>(z: &[Line]) -> L {
    let mut most = L::load(&z[0]);
    for line in &z[1..] {
        most = Real::max(most, L::load(line));
    }
    let mut sum = L::broadcast(0.0);
    for line in z {
        sum = sum + Real::exp(L::load(line) - most);
    }
    most + Real::ln(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares three members with two outputs with the mean prediction in `f64`.
    #[test]
    fn the_prediction_of_the_combination_is_the_mean_prediction() {
        let z: Vec<Line> =
            (0..6).map(|n| Line(std::array::from_fn(|l| ((n * 7 + l * 3) % 23) as f32 - 11.0))).collect();
        for isa in Isa::available() {
            for link in [Link::Identity, Link::Exp, Link::Softmax, Link::Sigmoid] {
                let mut out = [Line::ZERO; 2];
                combine(isa, link, Panels { lines: &z, stride: 2 }, &mut [Line::ZERO; 3], &mut out);
                for lane in 0..16 {
                    let predict = |z: [f32; 2]| {
                        let (z, mut p) = (z.map(f64::from), [0.0; 2]);
                        link.apply(&z[..], &mut p[..]);
                        p
                    };
                    let members = [0, 1, 2].map(|m| predict([z[2 * m].0[lane], z[2 * m + 1].0[lane]]));
                    let found = predict([out[0].0[lane], out[1].0[lane]]);
                    for i in 0..2 {
                        let mean = members.iter().map(|p| p[i]).sum::<f64>() / 3.0;
                        assert!((found[i] - mean).abs() < 2e-6 * (1e-3 + mean.abs()), "{link:?}: {found:?} for {mean}");
                    }
                }
            }
        }
    }

    #[test]
    fn small_probabilities_do_not_underflow_when_combined() {
        let z = [Line::splat(-90.0), Line::splat(-95.0)];
        let mut out = [Line::ZERO];
        combine(Isa::detect(), Link::Sigmoid, Panels { lines: &z, stride: 1 }, &mut [Line::ZERO; 2], &mut out);
        let expected = -90.0 + (1.0 + (-5.0f32).exp()).ln() - 2.0f32.ln();
        assert!((out[0].0[0] - expected).abs() < 1e-4, "{} for {expected}", out[0].0[0]);
    }
}
