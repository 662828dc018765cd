//! Backpropagation compared with central differences in `f64`: every activation with every loss, norm and kind of skip.

mod support;

use gradlane::model::{Architecture, Parameters};
use gradlane::nn::{Activation, Loss, NormKind, Objective};
use gradlane::rng::{Purpose, stream};
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};
use support::network::{Batch, Defined};

const ROWS: usize = 3;
const INPUTS: usize = 4;
const OUTPUTS: usize = 3;
/// About `∛ε`, where the truncation and the rounding error of a central difference are of the same size.
const H: f64 = 1e-5;
/// Minimum distance of every pre-activation and error from a kink, so that a step of `H` does not cross one.
const MARGIN: f64 = 1e-3;

/// The kind of targets.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Classes,
    /// Any numbers.
    Values,
    /// Numbers that are not negative.
    Positive,
}

/// Each loss with each kind of target that it accepts.
fn objectives() -> Vec<(Objective, Kind)> {
    let mut objectives = Vec::new();
    for loss in Loss::ALL {
        let focal = Loss::Focal { gamma: 1.5, alpha: Some(0.25) };
        let cases: Vec<(Loss, f64, Kind)> = match loss {
            Loss::Poisson => vec![(loss, 0.0, Kind::Positive)],
            Loss::Bce => vec![(loss, 0.1, Kind::Positive)],
            Loss::CrossEntropy => {
                vec![(loss, 0.0, Kind::Classes), (loss, 0.1, Kind::Classes), (loss, 0.0, Kind::Positive)]
            }
            Loss::Focal { .. } => {
                vec![(loss, 0.1, Kind::Classes), (focal, 0.0, Kind::Classes), (focal, 0.1, Kind::Positive)]
            }
            _ => vec![(loss, 0.0, Kind::Values)],
        };
        objectives.extend(cases.into_iter().map(|(l, smoothing, k)| (Objective::new(l, smoothing).unwrap(), k)));
    }
    objectives
}

/// The points at which the derivative of the activation jumps.
fn kinks(activation: Activation) -> &'static [f64] {
    match activation {
        Activation::Relu | Activation::LeakyRelu { .. } | Activation::Elu { .. } | Activation::Selu => &[0.0],
        Activation::Relu6 => &[0.0, 6.0],
        Activation::HardTanh => &[-1.0, 1.0],
        Activation::HardSigmoid => &[-3.0, 3.0],
        _ => &[],
    }
}

/// The points at which the derivative of the loss jumps (for Huber, the second derivative), as a function of output minus
/// target.
fn error_kinks(loss: Loss) -> Vec<f64> {
    match loss {
        Loss::Mae => vec![0.0],
        Loss::Huber { delta } => vec![-delta, delta],
        _ => vec![],
    }
}

/// The skip connection of a hidden layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Skip {
    None,
    Identity,
    /// With a projection, because the widths differ.
    Projection,
}

/// A network and a batch.
struct Problem {
    activation: Activation,
    defined: Defined,
    x: Vec<f64>,
    targets: Vec<f64>,
    kind: Kind,
    weights: Vec<f64>,
}

impl Problem {
    fn draw(seed: u64, activation: Activation, norm: Option<NormKind>, skip: Skip, target: (Objective, Kind)) -> Self {
        let mut rng = stream(seed, Purpose::Synthetic, 0, 0);
        let hidden = if skip == Skip::Projection { [3, 5] } else { [INPUTS, INPUTS] };
        let plain = Architecture::mlp(INPUTS, &hidden, OUTPUTS, activation);
        let architecture = Architecture { norm, residual: skip != Skip::None, ..plain };
        let tensors = draw_tensors(&architecture, &mut rng);
        let (objective, kind) = target;
        let targets = match kind {
            Kind::Classes => (0..ROWS).map(|_| rng.random_range(0..OUTPUTS) as f64).collect(),
            Kind::Values => normals(&mut rng, ROWS * OUTPUTS, 1.0),
            Kind::Positive => (0..ROWS * OUTPUTS).map(|_| rng.random::<f64>()).collect(),
        };
        Problem {
            activation,
            x: normals(&mut rng, ROWS * INPUTS, 1.0),
            weights: (0..ROWS).map(|_| rng.random_range(0.5..2.0)).collect(),
            defined: Defined { network: architecture.network(), tensors, objective },
            targets,
            kind,
        }
    }

    fn batch(&self) -> Batch<'_> {
        let by_class = matches!(self.kind, Kind::Classes);
        Batch { rows: ROWS, x: &self.x, y: &self.targets, by_class, weights: Some(&self.weights) }
    }

    /// Whether every pre-activation and every error is away from kinks.
    fn is_smooth(&self) -> bool {
        let pass = self.defined.pass(&self.batch());
        let far = |value: f64, kinks: &[f64]| kinks.iter().all(|kink| (value - kink).abs() > MARGIN);
        let layers_are = pass.rows.iter().all(|row| {
            let mut entered = row.steps.windows(2).filter(|pair| pair[1].name.starts_with("activations"));
            entered.all(|pair| pair[0].y.iter().all(|&n| far(n, kinks(self.activation))))
        });
        let outputs = pass.rows.iter().flat_map(|row| &row.y);
        let kinks = error_kinks(self.defined.objective.loss());
        layers_are && outputs.zip(&self.targets).all(|(output, target)| far(output - target, &kinks))
    }

    /// The central difference of the loss with respect to the number that `at` returns.
    fn difference(&mut self, at: impl Fn(&mut Self) -> &mut f64) -> f64 {
        let value = *at(self);
        *at(self) = value + H;
        let above = self.defined.loss(&self.batch());
        *at(self) = value - H;
        let below = self.defined.loss(&self.batch());
        *at(self) = value;
        (above - below) / (2.0 * H)
    }

    /// Compares every gradient with central differences. Returns the first one that differs.
    fn check(&mut self) -> Result<(), String> {
        let pass = self.defined.pass(&self.batch());
        for (t, analytic) in pass.gradients.iter().enumerate() {
            let numeric: Vec<f64> =
                (0..analytic.len()).map(|i| self.difference(|p| &mut p.defined.tensors[t][i])).collect();
            compare(analytic, &numeric).map_err(|e| format!("tensor {t}: {e}"))?;
        }
        let analytic: Vec<f64> = pass.rows.iter().flat_map(|row| row.dx.clone()).collect();
        let numeric: Vec<f64> = (0..self.x.len()).map(|i| self.difference(|p| &mut p.x[i])).collect();
        compare(&analytic, &numeric).map_err(|e| format!("inputs: {e}"))
    }
}

/// Checks the relative error of a whole tensor. 1e-10 is the rounding error of a difference of losses near 1, divided by
/// `2 H`.
fn compare(analytic: &[f64], numeric: &[f64]) -> Result<(), String> {
    let norm = |v: &mut dyn Iterator<Item = f64>| v.map(|x| x * x).sum::<f64>().sqrt();
    let error = norm(&mut analytic.iter().zip(numeric).map(|(a, n)| a - n));
    let bound = 1e-6 * norm(&mut analytic.iter().copied()) + 1e-10;
    if error <= bound { Ok(()) } else { Err(format!("error {error:e} above {bound:e}: {analytic:?} and {numeric:?}")) }
}

fn normals(rng: &mut impl Rng, n: usize, std: f64) -> Vec<f64> {
    (0..n).map(|_| std * <StandardNormal as Distribution<f64>>::sample(&StandardNormal, rng)).collect()
}

/// Random numbers for every tensor. Matrices, projections, gains and additive terms have different scales.
fn draw_tensors(architecture: &Architecture, rng: &mut impl Rng) -> Vec<Vec<f64>> {
    let names = Parameters::zeros(architecture).names();
    let tensors = names.into_iter().map(|tensor| {
        let std = match tensor.name.split_once('.') {
            Some(("residuals", _)) => 0.5,
            Some((kind, rest)) if rest.ends_with("weight") => {
                if kind == "norms" {
                    0.8
                } else {
                    0.6
                }
            }
            _ => 0.4,
        };
        normals(rng, tensor.shape.iter().product(), std)
    });
    tensors.collect()
}

/// Checks every activation, loss and skip with one kind of norm.
fn check_all(norm: Option<NormKind>) {
    for activation in Activation::ALL {
        for skip in [Skip::None, Skip::Identity, Skip::Projection] {
            for target in objectives() {
                let (seed, mut problem) = (0..100)
                    .map(|seed| (seed, Problem::draw(seed, activation, norm, skip, target)))
                    .find(|(_, problem)| problem.is_smooth())
                    .expect("one of a hundred problems is away from kinks");
                problem.check().unwrap_or_else(|e| {
                    panic!("{activation}, {norm:?}, {skip:?}, {target:?}, seed {seed}: {e}");
                });
            }
        }
    }
}

#[test]
fn gradients_match_central_differences_without_norm() {
    check_all(None);
}

#[test]
fn gradients_match_central_differences_under_layer_norm() {
    check_all(Some(NormKind::Layer));
}

#[test]
fn gradients_match_central_differences_under_rms_norm() {
    check_all(Some(NormKind::Rms));
}
