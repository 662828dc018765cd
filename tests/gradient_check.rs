//! Backpropagation against central differences in `f64`: every activation with every loss, norm and kind of skip.

use gradlane::nn::textbook::{Batch, Layer, Network, Parameters, Skip, Targets};
use gradlane::nn::{Activation, Loss, Norm, NormKind, Objective};
use gradlane::rng::{Purpose, stream};
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

const ROWS: usize = 3;
const OUTPUTS: usize = 3;
/// About `∛ε`, where truncation and rounding of a central difference are alike.
const H: f64 = 1e-5;
/// Kinks are kept this far away from every pre-activation and error: a step of `H` must not cross one.
const MARGIN: f64 = 1e-3;

/// What a loss is given.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Classes,
    /// Anything.
    Values,
    /// Not below 0.
    Positive,
}

/// Each loss with each kind of target that it takes.
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

/// Where the activation's slope jumps.
fn kinks(activation: Activation) -> &'static [f64] {
    match activation {
        Activation::Relu | Activation::LeakyRelu { .. } | Activation::Elu { .. } | Activation::Selu => &[0.0],
        Activation::Relu6 => &[0.0, 6.0],
        Activation::HardTanh => &[-1.0, 1.0],
        Activation::HardSigmoid => &[-3.0, 3.0],
        _ => &[],
    }
}

/// Where the loss' slope jumps, as a function of output minus target; Huber's second derivative does.
fn error_kinks(loss: Loss) -> Vec<f64> {
    match loss {
        Loss::Mae => vec![0.0],
        Loss::Huber { delta } => vec![-delta, delta],
        _ => vec![],
    }
}

/// A network and a batch.
struct Problem {
    network: Network<f64>,
    x: Vec<f64>,
    targets: Vec<f64>,
    kind: Kind,
    weights: Vec<f64>,
}

impl Problem {
    fn draw(seed: u64, activation: Activation, norm: Option<NormKind>, skip: Skip, target: (Objective, Kind)) -> Self {
        let mut rng = stream(seed, Purpose::Synthetic, 0, 0);
        let sizes = if skip == Skip::Projection { [4, 3, 5, OUTPUTS] } else { [4, 4, 4, OUTPUTS] };
        let hidden = |l: usize, rng: &mut _| layer(rng, sizes[l], sizes[l + 1], activation, norm, skip);
        let layers = vec![
            hidden(0, &mut rng),
            hidden(1, &mut rng),
            layer(&mut rng, sizes[2], sizes[3], Activation::Identity, None, Skip::None),
        ];
        let (objective, kind) = target;
        let targets = match kind {
            Kind::Classes => (0..ROWS).map(|_| rng.random_range(0..OUTPUTS) as f64).collect(),
            Kind::Values => normals(&mut rng, ROWS * OUTPUTS, 1.0),
            Kind::Positive => (0..ROWS * OUTPUTS).map(|_| rng.random::<f64>()).collect(),
        };
        Problem {
            x: normals(&mut rng, ROWS * sizes[0], 1.0),
            weights: (0..ROWS).map(|_| rng.random_range(0.5..2.0)).collect(),
            network: Network { layers, objective },
            targets,
            kind,
        }
    }

    fn batch(&self) -> Batch<'_, f64> {
        let targets = match self.kind {
            Kind::Classes => Targets::Classes(&self.targets),
            Kind::Values | Kind::Positive => Targets::Values(&self.targets),
        };
        Batch { rows: ROWS, x: &self.x, targets, weights: Some(&self.weights) }
    }

    /// Whether no pre-activation and no error lies at a kink.
    fn is_smooth(&self) -> bool {
        let pass = self.network.pass(&self.batch());
        let far = |value: f64, kinks: &[f64]| kinks.iter().all(|kink| (value - kink).abs() > MARGIN);
        let layers_are = pass.rows.iter().all(|row| {
            let mut layers = row.values.iter().zip(&self.network.layers);
            layers.all(|(values, layer)| values.n.iter().all(|&n| far(n, kinks(layer.activation))))
        });
        let outputs = pass.rows.iter().flat_map(|row| row.values[2].a.iter());
        let kinks = error_kinks(self.network.objective.loss());
        layers_are && outputs.zip(&self.targets).all(|(output, target)| far(output - target, &kinks))
    }

    /// The central difference of the loss along one number, which `at` finds.
    fn difference(&mut self, at: impl Fn(&mut Self) -> &mut f64) -> f64 {
        let value = *at(self);
        *at(self) = value + H;
        let above = self.network.loss(&self.batch());
        *at(self) = value - H;
        let below = self.network.loss(&self.batch());
        *at(self) = value;
        (above - below) / (2.0 * H)
    }

    /// Compares every gradient with its central differences; the first that is off is told.
    fn check(&mut self) -> Result<(), String> {
        let pass = self.network.pass(&self.batch());
        for (l, gradient) in pass.gradients.iter().enumerate() {
            for (t, analytic) in gradient.tensors().enumerate() {
                let numeric: Vec<f64> = (0..analytic.len())
                    .map(|i| self.difference(|p| &mut tensor(&mut p.network.layers[l].parameters, t)[i]))
                    .collect();
                compare(analytic, &numeric).map_err(|e| format!("layer {l}, tensor {t}: {e}"))?;
            }
        }
        let analytic: Vec<f64> = pass.rows.iter().flat_map(|row| row.dx.clone()).collect();
        let numeric: Vec<f64> = (0..self.x.len()).map(|i| self.difference(|p| &mut p.x[i])).collect();
        compare(&analytic, &numeric).map_err(|e| format!("inputs: {e}"))
    }
}

fn tensor(parameters: &mut Parameters<f64>, t: usize) -> &mut [f64] {
    parameters.tensors_mut().nth(t).expect("a tensor of the gradient is one of the parameters")
}

/// The relative error of the whole tensor; 1e-10 is the rounding of a difference of losses near 1, over `2 H`.
fn compare(analytic: &[f64], numeric: &[f64]) -> Result<(), String> {
    let norm = |v: &mut dyn Iterator<Item = f64>| v.map(|x| x * x).sum::<f64>().sqrt();
    let error = norm(&mut analytic.iter().zip(numeric).map(|(a, n)| a - n));
    let bound = 1e-6 * norm(&mut analytic.iter().copied()) + 1e-10;
    if error <= bound { Ok(()) } else { Err(format!("error {error:e} above {bound:e}: {analytic:?} and {numeric:?}")) }
}

fn normals(rng: &mut impl Rng, n: usize, std: f64) -> Vec<f64> {
    (0..n).map(|_| std * <StandardNormal as Distribution<f64>>::sample(&StandardNormal, rng)).collect()
}

fn layer(
    rng: &mut impl Rng,
    fan_in: usize,
    fan_out: usize,
    activation: Activation,
    norm: Option<NormKind>,
    skip: Skip,
) -> Layer<f64> {
    Layer {
        fan_in,
        fan_out,
        parameters: Parameters {
            weight: normals(rng, fan_out * fan_in, 0.6),
            bias: Some(normals(rng, fan_out, 0.4)),
            gain: norm.map(|_| normals(rng, fan_out, 0.8)),
            shift: norm.filter(|n| n.has_shift()).map(|_| normals(rng, fan_out, 0.4)),
            projection: (skip == Skip::Projection).then(|| normals(rng, fan_out * fan_in, 0.5)),
        },
        norm: norm.map(Norm::new),
        activation,
        skip,
    }
}

/// Every activation, loss and skip under one kind of norm.
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
