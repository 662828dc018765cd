//! Thirty steps of each optimizer of each library, computed by the definition of the network and the update rules in `f64`.

mod support;

use gradlane::optim::clip::{NormBound, NormType, clip_each_tensor, clip_global_norm, clip_value};
use gradlane::optim::per_tensor::{TensorRole, update_tensor};
use gradlane::optim::rule::{moving_average, step};
use gradlane::optim::{Algorithm, Carried, Decay, Dialect, PerTensor, Rule, VisitRule};
use serde_json::Value;
use support::network::{Defined, for_each_element, zeros};
use support::trajectory::{Clip, Setup};
use support::*;

/// The tensors of a network, or lists of the same lengths.
type Tensors = Vec<Vec<f64>>;

/// Loss and gradient of step `t` (from 0), of its batch or combined from its micro-batches.
fn step_gradient(network: &Defined, train: &Train<'_>, t: usize) -> (f64, Tensors) {
    let (case, task) = (train.case, train.task);
    let weighted = case["uses_sample_weight"] == true;
    let weights = weighted.then(|| numbers(&task["sample_weight"]));
    let weight = |row: usize| weights.as_ref().map_or(1.0, |w| w[row]);
    let mut loss = 0.0;
    let mut sum = zeros(&network.tensors);
    for part in trajectory::micro_batches(case, task, t) {
        let pass = network.pass_of_task(task, &part.rows, weighted);
        let weight_of_part: f64 = part.rows.iter().map(|row| weight(*row)).sum();
        let share = part.share * weight_of_part / part.divisor(&train.setup.spec, weight);
        loss += share * pass.loss;
        for_each_element(&mut sum, &pass.gradients, |sum, g| *sum += share * g);
    }
    (loss, sum)
}

/// scikit-learn's penalty `alpha / (2 n) Σ w²` over the weights in step `t`; its gradient is added to `gradients`.
fn penalise(network: &Defined, train: &Train<'_>, t: usize, gradients: &mut [Vec<f64>]) -> f64 {
    let weights = (train.case["uses_sample_weight"] == true).then(|| numbers(&train.task["sample_weight"]));
    let parts = trajectory::micro_batches(train.case, train.task, t);
    let rows = parts.iter().flat_map(|part| &part.rows);
    let n: f64 = rows.map(|row| weights.as_ref().map_or(1.0, |w| w[*row])).sum();
    let lambda = train.setup.l2 / n;
    let mut squares = 0.0;
    for (t, _) in network.shapes().iter().enumerate().filter(|(_, shape)| shape.is_some()) {
        for (w, g) in network.tensors[t].iter().zip(&mut gradients[t]) {
            *g += lambda * w;
            squares += w * w;
        }
    }
    0.5 * lambda * squares
}

/// Clips by the case's rule. Returns the norm, if the rule uses the global norm, and whether anything changed.
fn clip(gradients: &mut [Vec<f64>], train: &Train<'_>) -> (Option<f64>, bool) {
    let before = gradients.to_vec();
    let addend = train.setup.spec.dialect.unwrap_or(Dialect::Torch).norm_addend();
    let mut tensors: Vec<&mut [f64]> = gradients.iter_mut().map(Vec::as_mut_slice).collect();
    let norm = match trajectory::clip_rule(train.case) {
        Clip::None => None,
        Clip::Value(limit) => {
            tensors.iter_mut().flat_map(|t| t.iter_mut()).for_each(|g| *g = clip_value(*g, limit));
            None
        }
        Clip::Global(most, norm_type) => {
            Some(clip_global_norm(&mut tensors, NormBound { max_norm: most, addend }, norm_type))
        }
        Clip::EachTensor(most) => {
            clip_each_tensor(&mut tensors, NormBound { max_norm: most, addend }, NormType::L2);
            None
        }
    };
    (norm, before != gradients)
}

/// The results of a case, in the form of the fixture.
#[derive(Default)]
struct Run {
    /// The loss whose gradient is used.
    objective: Vec<f64>,
    /// The loss that the library reports. scikit-learn reports half of the squared error averaged over the outputs, but uses
    /// the gradient of half of the sum.
    loss: Vec<f64>,
    grad_norm: Vec<f64>,
    clip_norm: Vec<f64>,
    clipped_steps: usize,
    /// The parameters after each step, and their average if there is one.
    snapshots: Vec<(Tensors, Option<Tensors>)>,
}

/// Runs a case's steps with the rule of its optimizer.
struct Train<'a> {
    case: &'a Value,
    task: &'a Value,
    setup: Setup,
}

/// The step and the tensor of an update.
struct At {
    t: u64,
    lr: f64,
    tensor: usize,
    /// Outputs and inputs of a matrix; `None` for a bias.
    shape: Option<(usize, usize)>,
}

impl VisitRule for Train<'_> {
    type Output = Run;

    fn visit<const N: usize, U: Rule<N>>(self, rule: U) -> Run {
        let (case, spec) = (self.case, self.setup.spec);
        let bias_decay =
            if case["bias_weight_decay"].is_null() { spec.weight_decay } else { number(&case["bias_weight_decay"]) };
        let mut state = self.state(rule.initial(spec.lr));
        self.run(|at, p, g| {
            let scalars = rule.at_step(at.t, at.lr, &mut Carried::default());
            let decay: Decay = spec.decay(if at.shape.is_some() { spec.weight_decay } else { bias_decay }, at.lr);
            for ((p, &g), state) in p.iter_mut().zip(g).zip(&mut state[at.tensor]) {
                *p = step::<N, U, f64>(&scalars, &decay, *p, g, state);
            }
        })
    }
}

impl Train<'_> {
    /// One `initial` for each element of each tensor.
    fn state<S: Clone>(&self, initial: S) -> Vec<Vec<S>> {
        network::tensors(&self.task["init"]).iter().map(|t| vec![initial.clone(); t.len()]).collect()
    }

    /// Runs a case with an optimizer for whole tensors.
    fn run_per_tensor(&self, optimizer: PerTensor) -> Run {
        let slots = self.setup.spec.algorithm.slots();
        let mut state: Vec<Tensors> = self.state(0.0).into_iter().map(|tensor| vec![tensor; slots]).collect();
        let spec = self.setup.spec;
        self.run(|at, p, g| {
            let decay = spec.own_decay(at.shape.is_some(), at.lr);
            let shape = at.shape.map_or(TensorRole::Vector, |(outputs, inputs)| TensorRole::Matrix(outputs, inputs));
            update_tensor(optimizer, (at.t, at.lr), &decay, shape, (p, g, &mut state[at.tensor]));
        })
    }

    /// Runs a case; `update` changes each tensor by its gradient.
    fn run(&self, mut update: impl FnMut(At, &mut [f64], &[f64])) -> Run {
        let Train { case, task, setup: Setup { spec, .. } } = self;
        let mut network = network::network(task, "init");
        let shapes = network.shapes();
        let mut ema = (case["ema"]["start"] == "initial_weights").then(|| network.tensors.clone());
        let mut run = Run::default();
        for t in 0..list(task, "batches").len() {
            let (data_loss, mut gradients) = step_gradient(&network, self, t);
            let penalty = penalise(&network, self, t, &mut gradients);
            let outputs = if task["loss"] == "half_squared_error_sum" { count(&task["y_cols"]) } else { 1 };
            run.objective.push(data_loss + penalty);
            run.loss.push(data_loss / outputs as f64 + penalty);
            run.grad_norm.push(NormType::L2.norm(gradients.iter().map(Vec::as_slice)));
            let (clip_norm, clipped) = clip(&mut gradients, self);
            run.clip_norm.extend(clip_norm);
            run.clipped_steps += usize::from(clipped);

            let lr = if case["lr_per_step"].is_null() { spec.lr } else { number(&case["lr_per_step"][t]) };
            for (tensor, (p, g)) in network.tensors.iter_mut().zip(&gradients).enumerate() {
                update(At { t: t as u64 + 1, lr, tensor, shape: shapes[tensor] }, p, g);
            }
            ema = average(case, ema, network.tensors.clone());
            run.snapshots.push((network.tensors.clone(), ema.clone()));
        }
        run
    }
}

/// The average after the step that gave the parameters `new`.
fn average(case: &Value, ema: Option<Tensors>, new: Tensors) -> Option<Tensors> {
    let rule = &case["ema"];
    match (rule["start"].as_str(), ema) {
        (None, _) if rule.is_null() => None,
        (Some("copy_first_update"), None) => Some(new),
        (Some("copy_first_update" | "initial_weights"), Some(mut ema)) => {
            let decay = number(&rule["decay"]);
            for_each_element(&mut ema, &new, |average, p| *average = moving_average(decay, *average, p));
            Some(ema)
        }
        _ => panic!("unknown average {rule}"),
    }
}

fn assert_layers(got: &[Vec<f64>], want: &Value, what: &str) {
    let want = network::tensors(want);
    assert_eq!(got.len(), want.len(), "{what}");
    for (t, (got, want)) in got.iter().zip(&want).enumerate() {
        assert_all_close(got, want, &format!("{what} tensor {t}"));
    }
}

/// Runs a case and compares it with everything in the fixture.
fn compare(case: &Value, task: &Value, setup: Setup) {
    let name = text(&case["name"]);
    let train = Train { case, task, setup };
    let run = match setup.spec.algorithm {
        Algorithm::PerTensor(optimizer) => train.run_per_tensor(optimizer),
        Algorithm::ElementWise(optimizer) => optimizer.visit(train),
        other => panic!("{other:?} is of another test"),
    };
    let expected = &case["f64"];
    assert_all_close(&run.loss, &numbers(&expected["loss"]), &format!("{name} loss"));
    if let Some(objective) = optional_numbers(&expected["objective"]) {
        assert_all_close(&run.objective, &objective, &format!("{name} objective"));
    }
    assert_all_close(&run.grad_norm, &numbers(&expected["grad_norm"]), &format!("{name} grad_norm"));
    if let Some(clip_norm) = optional_numbers(&expected["clip_norm"]) {
        assert_all_close(&run.clip_norm, &clip_norm, &format!("{name} clip_norm"));
    }
    if !case["clip"].is_null() {
        assert_eq!(run.clipped_steps, count(&case["clip"]["clipped_steps"]), "{name}: steps that were clipped");
    }
    for checkpoint in list(expected, "checkpoints") {
        let step = count(&checkpoint["step"]);
        let (layers, ema) = &run.snapshots[step - 1];
        assert_layers(layers, &checkpoint["layers"], &format!("{name} step {step}"));
        match ema {
            Some(ema) => assert_layers(ema, &checkpoint["ema_layers"], &format!("{name} step {step} average")),
            None => assert!(checkpoint["ema_layers"].is_null(), "{name}: an average is expected"),
        }
    }
}

#[test]
fn fixture_trajectories() {
    for library in trajectory::LIBRARIES {
        trajectory::for_each_case(library, compare);
    }
}
