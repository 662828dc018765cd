//! The network of a fixture, computed by the definition of its layers. `tasks.json` and `gradients.json` describe networks
//! in the same way.

use gradlane::layer::textbook::Pass;
use gradlane::layer::{Activate, Form, Layer, Linear, Network, Norm};
use gradlane::nn::norm::DEFAULT_EPS;
use gradlane::nn::{NormKind, Objective, RowTarget};
use serde_json::Value;

use super::*;

/// A network with its tensors and its loss.
#[derive(Debug, Clone)]
pub struct Defined {
    /// The layers.
    pub network: Network,
    /// Their tensors, in the order of the network; for a layer: weight, bias, gain, shift, as far as it has them.
    pub tensors: Vec<Vec<f64>>,
    /// The loss.
    pub objective: Objective,
}

/// The rows of a batch.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// Number of rows.
    pub rows: usize,
    /// Inputs, row-major.
    pub x: &'a [f64],
    /// Targets, row-major; classes are given by their numbers.
    pub y: &'a [f64],
    /// Whether the targets are classes.
    pub by_class: bool,
    /// Weight of each row; `None` for all 1.
    pub weights: Option<&'a [f64]>,
}

/// The forward and backward pass of a batch.
#[derive(Debug, Clone)]
pub struct BatchPass {
    /// The pass of every row.
    pub rows: Vec<Pass>,
    /// `J = Σ w_r loss_r / Σ w_r`.
    pub loss: f64,
    /// The gradient of `J` with respect to every tensor.
    pub gradients: Vec<Vec<f64>>,
}

impl Batch<'_> {
    fn row<'a>(&self, r: usize, values: &'a [f64]) -> &'a [f64] {
        let width = values.len() / self.rows;
        &values[r * width..][..width]
    }

    fn target(&self, r: usize) -> RowTarget<'_, f64, [f64]> {
        let y = self.row(r, self.y);
        if self.by_class { RowTarget::Class(y[0]) } else { RowTarget::Values(y) }
    }

    /// A row's weight divided by the sum of all weights.
    fn share(&self, r: usize) -> f64 {
        self.weights.map_or(1.0 / self.rows as f64, |w| w[r] / w.iter().sum::<f64>())
    }
}

impl Defined {
    /// The loss of a batch.
    pub fn loss(&self, batch: &Batch<'_>) -> f64 {
        let of_row = |r| {
            let y = self.network.define(batch.row(r, batch.x), &self.tensors);
            batch.share(r) * self.objective.row(&y[..], &batch.target(r), &mut vec![0.0; y.len()][..])
        };
        (0..batch.rows).map(of_row).sum()
    }

    /// The loss of a batch and its gradient, with all intermediate results.
    pub fn pass(&self, batch: &Batch<'_>) -> BatchPass {
        let mut pass = BatchPass { rows: Vec::new(), loss: 0.0, gradients: zeros(&self.tensors) };
        for r in 0..batch.rows {
            let share = batch.share(r);
            let goal = (&self.objective, &batch.target(r));
            let (loss, row) = self.network.define_loss(batch.row(r, batch.x), &self.tensors, goal, share);
            pass.loss += share * loss;
            for_each_element(&mut pass.gradients, &row.tensors, |sum, g| *sum += g);
            pass.rows.push(row);
        }
        pass
    }

    /// The pass of some rows of a task.
    pub fn pass_of_task(&self, task: &Value, rows: &[usize], weighted: bool) -> BatchPass {
        let gather = |values: &[f64]| -> Vec<f64> {
            let width = values.len() / count(&task["rows"]);
            rows.iter().flat_map(|r| values[r * width..][..width].to_vec()).collect()
        };
        let (x, y) = (gather(&numbers(&task["x"])), gather(&numbers(&task["y"])));
        let weights = weighted.then(|| gather(&numbers(&task["sample_weight"])));
        let (rows, by_class) = (rows.len(), by_class(task));
        self.pass(&Batch { rows, x: &x, y: &y, by_class, weights: weights.as_deref() })
    }

    /// For every tensor, its numbers of outputs and inputs if it is a matrix.
    pub fn shapes(&self) -> Vec<Option<(usize, usize)>> {
        let parts = |tensor: gradlane::layer::TensorForm| {
            let matrix = Some((tensor.fan_out, tensor.fan_in));
            match tensor.form {
                Form::Affine => vec![matrix, None],
                Form::Matrix => vec![matrix],
                Form::Vector => vec![None],
            }
        };
        self.network.tensors().into_iter().flat_map(parts).collect()
    }
}

/// Tensors of the same lengths with all numbers 0.
pub fn zeros(tensors: &[Vec<f64>]) -> Vec<Vec<f64>> {
    tensors.iter().map(|t| vec![0.0; t.len()]).collect()
}

/// Calls `f` with each element of `a` and the same element of `b`.
pub fn for_each_element(a: &mut [Vec<f64>], b: &[Vec<f64>], mut f: impl FnMut(&mut f64, f64)) {
    assert_eq!(a.len(), b.len(), "tensors");
    for (a, b) in a.iter_mut().zip(b) {
        assert_eq!(a.len(), b.len(), "elements of a tensor");
        a.iter_mut().zip(b).for_each(|(a, &b)| f(a, b));
    }
}

/// The loss of a case.
pub fn objective(case: &Value) -> Objective {
    let spec = match text(&case["loss"]) {
        "softmax_cross_entropy" => "cross_entropy".to_owned(),
        "bce_with_logits" => "bce".to_owned(),
        "mse" => "mse".to_owned(),
        "half_squared_error_sum" => "half_squared_error_sum".to_owned(),
        "huber" => format!("huber:delta={}", case["loss_params"]["delta"]),
        other => panic!("unknown loss {other}"),
    };
    Objective::new(spec.parse().unwrap_or_else(|e| panic!("{e}")), 0.0).unwrap()
}

/// The tensors of listed layers.
pub fn tensors(layers: &Value) -> Vec<Vec<f64>> {
    let layers = layers.as_array().unwrap_or_else(|| panic!("expected layers, found {layers}"));
    let of_layer = |layer: &Value| ["w", "b", "norm_weight", "norm_bias"].map(|key| optional_numbers(&layer[key]));
    layers.iter().flat_map(of_layer).flatten().collect()
}

/// The network of `case`, whose layers are listed under `layers_key`: `layers.N`, `norms.N` and `activations.N`.
pub fn network(case: &Value, layers_key: &str) -> Defined {
    let sizes = indices(&case["layer_sizes"]);
    let mut chain = Vec::new();
    for (n, (layer, function)) in list(case, layers_key).iter().zip(list(case, "activations")).enumerate() {
        let linear = Linear { bias: !layer["b"].is_null(), ..Linear::new(sizes[n + 1]) };
        chain.push(Layer::new(format!("layers.{n}"), linear));
        if !layer["norm_weight"].is_null() {
            chain.push(Layer::new(format!("norms.{n}"), Norm { norm: norm(&case["norm"]) }));
        }
        let function = text(function).parse().unwrap_or_else(|e| panic!("{e}"));
        chain.push(Layer::new(format!("activations.{n}"), Activate { function }));
    }
    let network = Network { inputs: sizes[0], chain };
    Defined { network, tensors: tensors(&case[layers_key]), objective: objective(case) }
}

/// The kind of a norm. Its `eps` must be the default.
pub fn norm(norm: &Value) -> NormKind {
    assert_eq!(number(&norm["eps"]), DEFAULT_EPS, "eps of the norm");
    match text(&norm["kind"]) {
        "layer_norm" => NormKind::Layer,
        "rms_norm" => NormKind::Rms,
        other => panic!("unknown norm {other}"),
    }
}

/// Whether the targets of `case` are classes.
pub fn by_class(case: &Value) -> bool {
    match text(&case["y_kind"]) {
        "class_index" => true,
        "dense" => false,
        other => panic!("unknown kind of targets {other}"),
    }
}
