//! Initial weights that depend on the training rows: Holzmüller et al. 2024, appendix B, <https://arxiv.org/abs/2407.04491>.
//!
//! Training rows pass through the layers that are initialised already. The outputs of the next layer then set its weights and
//! biases. Dropout is off meanwhile.

use std::ops::Range;
use std::sync::Mutex;

use rand::RngExt;
use rand_distr::{Distribution as _, StandardNormal};

use super::forward::{SharedNet, through};
use super::gather::gather_inputs;
use super::shared::Shared;
use super::team::{Member, Team};
use super::workspace::Workspace;
use crate::data::Features;
use crate::kernel::{Isa, LANES, Line, panels};
use crate::layer::{Form, Op, Program, Start};
use crate::model::recipe::Biases;
use crate::model::{Architecture, Parameters, Tensor};
use crate::nn::init::{Init, Scheme};
use crate::rng::{Purpose, stream};

/// The most rows that are used, over all members of the network.
const MOST_ROWS: usize = 8192;
/// Rows that are mixed to draw one bias.
const MIXED: usize = 5;

/// Which initial values depend on the rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DataPass {
    /// The initialisation of the run, for matrices without one of their own.
    pub init: Option<Init>,
    /// How biases are initialised.
    pub biases: Biases,
    /// Seed of the run.
    pub seed: u64,
}

impl DataPass {
    /// What of a tensor depends on the rows.
    fn concerns(&self, tensor: &Tensor) -> Concern {
        let Start::Drawn(_, by) = &tensor.begin else { return Concern::default() };
        let weights = by.or(self.init).is_some_and(|init| init.scheme() == Scheme::Std);
        let own = by.is_some_and(|init| init.scheme() != Scheme::Std);
        let biases = self.biases != Biases::Scheme && !own && tensor.form == Form::Affine && tensor.bias.is_none();
        Concern { weights, biases }
    }

    /// Sets initial weights from rows of the training part, evenly spaced over it. The result is the same on any machine with
    /// fused multiply-add.
    ///
    /// # Panics
    /// If there are no rows, or shapes disagree.
    pub fn apply(&self, architecture: &Architecture, isa: Isa, features: &Features, parameters: &mut Parameters) {
        if parameters.layout.tensors.iter().all(|tensor| self.concerns(tensor) == Concern::default()) {
            return;
        }
        let program = architecture.network().program(false);
        let most = (MOST_ROWS / program.members()).max(LANES);
        let count = features.rows().min(most);
        let mut rows: Vec<u32> = (0..count).map(|n| (n * features.rows() / count) as u32).collect();
        let in_memory;
        let features = match features {
            Features::Blocks(_) => {
                in_memory = features.subset(&rows);
                rows = (0..count as u32).collect();
                &in_memory
            }
            in_memory => in_memory,
        };
        let mut workspace = Workspace::new(&program, count);
        let lent = Mutex::new(&mut workspace);
        Team::new(1).run(|member| {
            let mut workspace = lent.lock().unwrap_or_else(|e| e.into_inner());
            let shared = workspace.lend();
            for (p, rows) in rows.chunks(LANES).enumerate() {
                gather_inputs(isa, features, rows, shared.values[0].lines_mut(member, p, 0..program.inputs()));
            }
        });
        for n in 0..program.ops.len() {
            self.layer((&program, isa), n, count, &mut workspace, parameters);
        }
    }

    /// Initialises one layer and passes the rows through it.
    fn layer(
        &self,
        (program, isa): (&Program, Isa),
        n: usize,
        rows: usize,
        workspace: &mut Workspace,
        parameters: &mut Parameters,
    ) {
        let op = &program.ops[n];
        let all = parameters.layout.tensors.clone();
        // The output of a skip contains more than the product with its matrix.
        let own = op.tensors.clone().find(|t| op.side.is_none() && self.concerns(&all[*t]) != Concern::default());
        if let Some(number) = own {
            let (tensor, concern) = (&all[number], self.concerns(&all[number]));
            if tensor.form == Form::Affine {
                (0..tensor.count()).for_each(|one| parameters.set_biases(tensor, one, &vec![0.0; tensor.fan_out]));
            }
            let z = pass((program, isa), n, rows, workspace, parameters);
            for one in 0..tensor.count() {
                let place = (number, one);
                let of_unit = |unit: usize| z.unit(op, tensor, one, unit);
                let units: Vec<UnitFate> =
                    (0..tensor.fan_out).map(|u| self.unit(place, u, of_unit(u), concern)).collect();
                parameters.scale_weights(tensor, one, &units.iter().map(|unit| unit.factor).collect::<Vec<_>>());
                if concern.biases {
                    parameters.set_biases(tensor, one, &units.iter().map(|unit| unit.bias).collect::<Vec<_>>());
                }
            }
        }
        pass((program, isa), n, rows, workspace, parameters);
    }

    /// The factor of a unit's weights, and its bias, from its outputs without a bias.
    fn unit(&self, (tensor, one): (usize, usize), unit: usize, z: Vec<f64>, concern: Concern) -> UnitFate {
        let mean = z.iter().sum::<f64>() / z.len() as f64;
        let deviation = (z.iter().map(|z| (z - mean) * (z - mean)).sum::<f64>() / z.len() as f64).sqrt();
        let factor = if concern.weights && deviation > 0.0 && deviation.is_finite() { 1.0 / deviation } else { 1.0 };
        let mut bias = 0.0;
        if concern.biases {
            let mut rng =
                stream(self.seed, Purpose::Init, (1 << 48) | ((tensor as u64) << 16) | one as u64, unit as u64);
            if self.biases == Biases::Normal {
                return UnitFate { factor: factor as f32, bias: StandardNormal.sample(&mut rng) };
            }
            // Weights drawn uniformly from all mixtures: exponential numbers divided by their sum.
            let (mut sum, mut total) = (0.0, 0.0);
            for _ in 0..MIXED {
                let row = rng.random_range(0..z.len() as u64) as usize;
                let weight = -libm::log(1.0 - rng.random::<f64>());
                (sum, total) = (sum + weight * z[row], total + weight);
            }
            bias = if total > 0.0 { -factor * sum / total } else { 0.0 };
        }
        UnitFate { factor: factor as f32, bias: bias as f32 }
    }
}

/// What of a tensor depends on the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Concern {
    /// Its weights are scaled.
    weights: bool,
    /// Its biases are set.
    biases: bool,
}

/// How the weights and the bias of a unit are set.
struct UnitFate {
    factor: f32,
    bias: f32,
}

/// The output of an operation for all rows and members.
struct OperationOutput {
    /// For each panel, one line for each output.
    lines: Vec<Line>,
    rows: usize,
}

impl OperationOutput {
    /// The outputs of a unit for each row: of one member if each has its own matrix, else of all members.
    fn unit(&self, op: &Op, tensor: &Tensor, one: usize, unit: usize) -> Vec<f64> {
        let members: Range<usize> = if tensor.stack.is_some() { one..one + 1 } else { 0..op.members };
        let of_row = |row: usize, m: usize| {
            f64::from(self.lines[(row / LANES * op.members + m) * op.outputs + unit].0[row % LANES])
        };
        (0..self.rows).flat_map(|row| members.clone().map(move |m| (row, m))).map(|(row, m)| of_row(row, m)).collect()
    }
}

/// Passes all rows through one operation.
fn pass(
    (program, isa): (&Program, Isa),
    n: usize,
    rows: usize,
    workspace: &mut Workspace,
    parameters: &mut Parameters,
) -> OperationOutput {
    let layout = parameters.layout.clone();
    let lent = Shared::new(&mut parameters.lines);
    let net = SharedNet { isa, program, layout: &layout, parameters: &lent };
    let op = &program.ops[n];
    let workspace = Mutex::new(workspace);
    let mut given = Team::new(1).run(|member: Member<'_>| {
        let mut workspace = workspace.lock().unwrap_or_else(|e| e.into_inner());
        let shared = workspace.lend();
        through(member, net, &shared, n, (0..panels(rows), 0..panels(op.outputs)), None);
        let panel = |p: usize| shared.values[op.y].lines(member, p, op.line..op.line + op.outputs).to_vec();
        (0..panels(rows) * op.members).flat_map(panel).collect::<Vec<Line>>()
    });
    OperationOutput { lines: given.swap_remove(0), rows }
}
