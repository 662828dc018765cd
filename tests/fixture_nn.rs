//! Activations, losses, norms and networks by their definitions, compared with PyTorch, Keras and 60-digit arithmetic.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use gradlane::layer::textbook::{Pass, Step};
use gradlane::layer::{Activate, Layer, Linear, Network};
use gradlane::nn::{Activation, Loss, NormKind, Normalisation, Objective, RowTarget};
use gradlane::optim::{Rule, sgd};
use serde_json::Value;
use support::network::{Batch, BatchPass, Defined};
use support::*;

/// The activation of a fixture: the name before any parameter in it, and the parameters listed.
fn activation_of(case: &Value) -> Activation {
    let params = &case["params"];
    let name = text(&case["name"]);
    let spec = match name {
        "leaky_relu" => format!("leaky_relu:slope={}", params["negative_slope"]),
        _ if name.starts_with("elu") => format!("elu:alpha={}", params["alpha"]),
        _ => name.to_owned(),
    };
    spec.parse().unwrap_or_else(|e| panic!("{e}"))
}

/// `libm` and the formulas are accurate to a few ulps; `1e-15` and `1e-7` are the absolute tolerances of the fixtures.
#[test]
fn fixture_activations() {
    for case in list(&fixture("activations.json"), "activations") {
        let activation = activation_of(case);
        let columns =
            |precision: &str| ["x", "exact_value", "exact_derivative"].map(|key| numbers(&case[precision][key]));
        let check = |precision: &str, what: &str, x: f64, got: f64, want: f64, eps: f64, absolute: f64| {
            let ok = close(got, want, 4.0 * eps, absolute);
            assert!(ok, "{} {precision} {what} at {x:e}: got {got:e}, expected {want:e}", case["name"]);
        };
        let [x, value, derivative] = columns("f64");
        for ((&x, &value), &derivative) in x.iter().zip(&value).zip(&derivative) {
            let y = activation.value(x);
            check("f64", "value", x, y, value, f64::EPSILON, 1e-15);
            check("f64", "derivative", x, activation.derivative(x, y), derivative, f64::EPSILON, 1e-15);
        }
        let [x, value, derivative] = columns("f32");
        for ((&x, &value), &derivative) in x.iter().zip(&value).zip(&derivative) {
            let y = activation.value(x as f32);
            let eps = f64::from(f32::EPSILON);
            check("f32", "value", x, y.into(), value, eps, 1e-7);
            check("f32", "derivative", x, activation.derivative(x as f32, y).into(), derivative, eps, 1e-7);
        }
    }
}

/// Losses in the file that the program does not have.
const OTHER_LOSSES: [&str; 8] = [
    "smooth_l1",
    "pinball",
    "gaussian_nll",
    "bce_probabilities",
    "hinge",
    "squared_hinge",
    "multi_margin",
    "categorical_hinge",
];

/// How a case of the losses' file is expressed in the program.
enum Form {
    /// An [`Objective`] on values or classes. Each row is multiplied by the factor of its class.
    Plain { objective: Objective, class_factor: Option<Vec<f64>> },
    /// Cross-entropy with soft targets `q` for each row, which include smoothing and class weights; see
    /// [`weighted_targets`].
    Columns { q: Vec<f64> },
    /// Binary cross-entropy with a factor on the positive class: cross-entropy of the logits `(z, 0)` and the targets
    /// `(w t, 1 − t)`.
    PositiveWeight { factors: Vec<f64> },
}

/// The form of a case; `None` if the program does not have the loss.
fn form_of(case: &Value) -> Option<Form> {
    let params = &case["params"];
    let plain = |spec: String, smoothing: f64, class_factor| {
        let loss = spec.parse().unwrap_or_else(|e| panic!("{e}"));
        Some(Form::Plain { objective: Objective::new(loss, smoothing).unwrap(), class_factor })
    };
    match text(&case["loss"]) {
        "mse" => plain("mse".into(), 0.0, None),
        "mae" => plain("mae".into(), 0.0, None),
        "huber" => plain(format!("huber:delta={}", params["delta"]), 0.0, None),
        "log_cosh" => plain("logcosh".into(), 0.0, None),
        "poisson_nll" if params["log_input"] == true && params["full"] == false => plain("poisson".into(), 0.0, None),
        "poisson_nll" => None,
        "bce_with_logits" => match optional_numbers(&params["pos_weight"]) {
            Some(factors) => Some(Form::PositiveWeight { factors }),
            None => plain("bce".into(), 0.0, None),
        },
        "cross_entropy" | "cross_entropy_soft" => {
            let smoothing = number(&params["label_smoothing"]);
            match optional_numbers(&params["class_weight"]) {
                Some(weights) => Some(Form::Columns { q: weighted_targets(case, smoothing, &weights) }),
                None => plain("cross_entropy".into(), smoothing, None),
            }
        }
        "focal_binary" if params["alpha"].is_null() => plain(format!("focal:gamma={}", params["gamma"]), 0.0, None),
        "focal_binary" => plain(format!("focal:gamma={},alpha={}", params["gamma"], params["alpha"]), 0.0, None),
        "focal_multiclass" => {
            plain(format!("focal:gamma={}", params["gamma"]), 0.0, optional_numbers(&params["alpha"]))
        }
        other => {
            assert!(OTHER_LOSSES.contains(&other), "unknown loss {other}");
            None
        }
    }
}

/// `q_c = w_c ((1 − ε) t_c + ε / C)` for every row, where `t` are the soft targets, or 1 for the row's class.
fn weighted_targets(case: &Value, smoothing: f64, weights: &[f64]) -> Vec<f64> {
    let (cols, target) = (count(&case["cols"]), numbers(&case["target"]));
    let soft = case["target_kind"] == "soft";
    let t = |r: usize, c: usize| if soft { target[r * cols + c] } else { f64::from(u8::from(target[r] == c as f64)) };
    let smoothed = |r, c| (1.0 - smoothing) * t(r, c) + smoothing / cols as f64;
    (0..count(&case["rows"]))
        .flat_map(|r| (0..cols).map(move |c| (r, c)))
        .map(|(r, c)| weights[c] * smoothed(r, c))
        .collect()
}

/// Loss and gradient of row `r`.
fn row_loss(form: &Form, case: &Value, r: usize) -> (f64, Vec<f64>) {
    let (cols, target) = (count(&case["cols"]), numbers(&case["target"]));
    let output = &numbers(&case["output"])[r * cols..][..cols];
    let mut gradient = vec![0.0; cols];
    match form {
        Form::Plain { objective, class_factor } if case["target_kind"] == "class_index" => {
            let class: RowTarget<'_, f64, [f64]> = RowTarget::Class(target[r]);
            let loss = objective.row(output, &class, &mut gradient[..]);
            let factor = class_factor.as_ref().map_or(1.0, |f| f[target[r] as usize]);
            (factor * loss, gradient.iter().map(|g| factor * g).collect())
        }
        Form::Plain { objective, .. } => {
            let loss = objective.row(output, &RowTarget::Values(&target[r * cols..][..cols]), &mut gradient[..]);
            (loss, gradient)
        }
        Form::Columns { q } => {
            let cross_entropy = Objective::new(Loss::CrossEntropy, 0.0).unwrap();
            let loss = cross_entropy.row(output, &RowTarget::Values(&q[r * cols..][..cols]), &mut gradient[..]);
            (loss, gradient)
        }
        Form::PositiveWeight { factors } => {
            let elements = (0..cols).map(|c| positive_weight(output[c], target[r * cols + c], factors[c]));
            let (losses, gradients): (Vec<f64>, Vec<f64>) = elements.unzip();
            (losses.iter().sum::<f64>() / cols as f64, gradients.iter().map(|g| g / cols as f64).collect())
        }
    }
}

/// Value and derivative of one logit's loss `−w t ln s(z) − (1 − t) ln s(−z)`.
fn positive_weight(z: f64, t: f64, factor: f64) -> (f64, f64) {
    let mut gradient = [0.0; 2];
    let cross_entropy = Objective::new(Loss::CrossEntropy, 0.0).unwrap();
    let q = [factor * t, 1.0 - t];
    (cross_entropy.row(&[z, 0.0][..], &RowTarget::Values(&q[..]), &mut gradient[..]), gradient[0])
}

/// The unreduced losses: of each output as a separate row, or of each row.
fn unreduced(form: &Form, case: &Value) -> Vec<f64> {
    let (rows, cols) = (count(&case["rows"]), count(&case["cols"]));
    if indices(&case["unreduced_shape"]).len() == 1 {
        return (0..rows).map(|r| row_loss(form, case, r).0).collect();
    }
    let (output, target) = (numbers(&case["output"]), numbers(&case["target"]));
    let one = |i: usize| match form {
        Form::Plain { objective, .. } => {
            objective.row(&output[i..=i], &RowTarget::Values(&target[i..=i]), &mut [0.0][..])
        }
        Form::PositiveWeight { factors } => positive_weight(output[i], target[i], factors[i % cols]).0,
        Form::Columns { .. } => panic!("{}: classes have one value a row", case["name"]),
    };
    (0..rows * cols).map(one).collect()
}

#[test]
fn fixture_losses() {
    for case in list(&fixture("losses.json"), "cases") {
        let Some(form) = form_of(case) else { continue };
        let (name, rows, cols) = (text(&case["name"]), count(&case["rows"]), count(&case["cols"]));
        assert_all_close(&unreduced(&form, case), &numbers(&case["f64"]["unreduced"]), name);

        let by_row: Vec<(f64, Vec<f64>)> = (0..rows).map(|r| row_loss(&form, case, r)).collect();
        let values_per_row = if indices(&case["unreduced_shape"]).len() == 2 { cols as f64 } else { 1.0 };
        let weights = numbers(&case["sample_weight"]);
        let reductions: [(&str, Vec<f64>, f64); 4] = [
            ("sum", vec![values_per_row; rows], 1.0),
            ("mean", vec![values_per_row; rows], number(&case["mean_divisor"])),
            ("weighted_mean", weights.clone(), weights.iter().sum()),
            ("weighted_mean_over_rows", weights, rows as f64),
        ];
        let kinks = indices(&case["kinks"]);
        for (reduction, factors, divisor) in reductions {
            let what = format!("{name} {reduction}");
            let expected = &case["f64"][reduction];
            let value: f64 = by_row.iter().zip(&factors).map(|((loss, _), f)| f * loss).sum::<f64>() / divisor;
            assert_all_close(&[value], &[number(&expected["value"])], &what);
            let gradient = by_row.iter().zip(&factors).flat_map(|((_, g), f)| g.iter().map(move |g| f * g / divisor));
            let smooth = |values: Vec<f64>| -> Vec<f64> {
                values.into_iter().enumerate().filter(|(i, _)| !kinks.contains(i)).map(|(_, v)| v).collect()
            };
            let expected = smooth(numbers(&expected["grad"]));
            assert_all_close(&smooth(gradient.collect()), &expected, &format!("{what} gradient"));
        }
    }
}

#[test]
fn fixture_norms() {
    for (i, case) in list(&fixture("norms.json"), "cases").iter().enumerate() {
        let kind = match text(&case["kind"]) {
            "layer_norm" => NormKind::Layer,
            "rms_norm" => NormKind::Rms,
            other => panic!("unknown norm {other}"),
        };
        let (rows, cols, expected) = (count(&case["rows"]), count(&case["cols"]), &case["f64"]);
        let norm = Normalisation { kind, eps: number(&expected["eps_used"]) };
        let (x, upstream) = (numbers(&case["x"]), numbers(&case["upstream"]));
        let (weight, bias) = (optional_numbers(&case["weight"]), optional_numbers(&case["bias"]));
        let (gain, shift) = (weight.as_deref(), bias.as_deref());
        let (mut y, mut dx) = (vec![0.0; rows * cols], vec![0.0; rows * cols]);
        let (mut dweight, mut dbias) = (vec![0.0; cols], vec![0.0; cols]);
        for row in (0..rows).map(|r| r * cols..(r + 1) * cols) {
            let (x, dy) = (&x[row.clone()], &upstream[row.clone()]);
            let moments = norm.forward(x, gain, shift, &mut y[row.clone()]);
            norm.backward(x, &moments, gain, dy, &mut dx[row]);
            for c in 0..cols {
                dweight[c] += dy[c] * moments.normalised(x[c]);
                dbias[c] += dy[c];
            }
        }
        assert_all_close(&y, &numbers(&expected["y"]), &format!("case {i} y"));
        assert_all_close(&dx, &numbers(&expected["dx"]), &format!("case {i} dx"));
        for (got, key) in [(dweight, "dweight"), (dbias, "dbias")] {
            if let Some(want) = optional_numbers(&expected[key]) {
                assert_all_close(&got, &want, &format!("case {i} {key}"));
            }
        }
    }
}

/// The step of the layer called `name`.
fn step<'a>(row: &'a Pass, name: &str) -> &'a Step {
    row.steps.iter().find(|step| step.name == name).unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn fixture_gradients() {
    for case in list(&fixture("gradients.json"), "cases") {
        let (name, expected) = (text(&case["name"]), &case["f64"]);
        let (x, y, weights) = (numbers(&case["x"]), numbers(&case["y"]), optional_numbers(&case["sample_weight"]));
        let (rows, by_class) = (count(&case["rows"]), network::by_class(case));
        let batch = Batch { rows, x: &x, y: &y, by_class, weights: weights.as_deref() };
        let pass = network::network(case, "layers").pass(&batch);
        assert_all_close(&[pass.loss], &[number(&expected["loss"])], &format!("{name} loss"));
        let gathered = |of: &dyn Fn(&Pass) -> Vec<f64>| -> Vec<f64> { pass.rows.iter().flat_map(of).collect() };
        assert_all_close(&gathered(&|row| row.dx.clone()), &numbers(&expected["grad_x"]), &format!("{name} grad_x"));
        for (l, (z, a)) in list(expected, "z").iter().zip(list(expected, "a")).enumerate() {
            for (layer, want) in [(format!("layers.{l}"), z), (format!("activations.{l}"), a)] {
                let got = gathered(&|row| step(row, &layer).y.clone());
                assert_all_close(&got, &numbers(want), &format!("{name} {layer}"));
            }
        }
        let want = network::tensors(&expected["grads"]);
        assert_eq!(pass.gradients.len(), want.len(), "{name}");
        for (t, (got, want)) in pass.gradients.iter().zip(&want).enumerate() {
            assert_all_close(got, want, &format!("{name} gradient of tensor {t}"));
        }
    }
}

/// The 2-3-1 network of the worked example: `layers.0`, `activations.0`, `layers.1`, `activations.1`.
fn worked_network(example: &Value) -> Defined {
    let sizes = indices(&example["network"]["layer_sizes"]);
    let layers = |n: usize| {
        let function = text(&example["network"]["activations"][n]).parse().unwrap_or_else(|e| panic!("{e}"));
        let linear = Layer::new(format!("layers.{n}"), Linear::new(sizes[n + 1]));
        [linear, Layer::new(format!("activations.{n}"), Activate { function })]
    };
    assert_eq!(example["network"]["loss"], "J = (a3 - y)^2 / 2");
    Defined {
        network: Network { inputs: sizes[0], chain: [0, 1].into_iter().flat_map(layers).collect() },
        tensors: ["w2", "b2", "w3", "b3"].map(|key| numbers(&example[key])).to_vec(),
        objective: Objective::new(Loss::HalfSquaredErrorSum, 0.0).unwrap(),
    }
}

#[test]
fn fixture_worked_example() {
    let example = fixture("worked_example.json");
    let mut network = worked_network(&example);
    let lr = number(&example["network"]["lr"]);
    let (x, y) = (numbers(&example["x"]), [number(&example["y"])]);
    let batch = Batch { rows: 1, x: &x, y: &y, by_class: false, weights: None };
    let mut expected_losses: BTreeMap<usize, f64> =
        list(&example, "loss_curve").iter().map(|p| (count(&p["step"]), number(&p["loss_before"]))).collect();
    let last_step = *expected_losses.keys().last().unwrap();
    for t in 1..=last_step {
        let pass = network.pass(&batch);
        network::for_each_element(&mut network.tensors, &pass.gradients, |p, g| {
            *p = sgd::Plain::update(&lr, *p, g, &mut []);
        });
        if t == 1 {
            assert_worked_step(&example["expected"], &pass, &network.tensors);
        }
        if let Some(want) = expected_losses.remove(&t) {
            assert_all_close(&[pass.loss], &[want], &format!("loss before step {t}"));
        }
    }
    assert!(expected_losses.is_empty(), "steps never reached: {expected_losses:?}");
}

/// Compares every value that the example names, after one step.
fn assert_worked_step(expected: &Value, pass: &BatchPass, stepped: &[Vec<f64>]) {
    let row = &pass.rows[0];
    for (name, want) in expected.as_object().unwrap() {
        let want = if want.is_array() { numbers(want) } else { vec![number(want)] };
        let got = match name.as_str() {
            "loss" => vec![pass.loss],
            "grad_x" => row.dx.clone(),
            "dloss_da3" => step(row, "activations.1").dy.clone(),
            name => {
                // The example counts the inputs as layer 1.
                let number_at = name.find(['2', '3']).unwrap_or_else(|| panic!("unknown quantity {name}"));
                let l = usize::from(name.as_bytes()[number_at] - b'2');
                let linear = step(row, &format!("layers.{l}"));
                let activation = step(row, &format!("activations.{l}"));
                match &name[..number_at] {
                    "z" => linear.y.clone(),
                    "a" => activation.y.clone(),
                    "sigma_prime_z" => activation.slope.clone(),
                    "delta" => linear.dy.clone(),
                    "grad_w" => pass.gradients[2 * l].clone(),
                    "grad_b" => pass.gradients[2 * l + 1].clone(),
                    "new_w" => stepped[2 * l].clone(),
                    "new_b" => stepped[2 * l + 1].clone(),
                    other => panic!("unknown quantity {other}"),
                }
            }
        };
        assert_all_close(&got, &want, name);
    }
}

#[test]
fn every_quantity_of_the_worked_example_is_named_once() {
    let example = fixture("worked_example.json");
    let (x, y) = (numbers(&example["x"]), [number(&example["y"])]);
    let batch = Batch { rows: 1, x: &x, y: &y, by_class: false, weights: None };
    let pass = worked_network(&example).pass(&batch);
    let row = &pass.rows[0];
    let named = [row.forward_quantities(), row.backward_quantities()].concat();
    let names: BTreeSet<&str> = named.iter().map(|(name, _)| &name[..]).collect();
    assert_eq!(names.len(), named.len(), "{names:?}");
    for (name, key) in [
        ("x", "x"),
        ("layers.0: z = W x + b", "z2"),
        ("activations.1: h = sigmoid(z)", "a3"),
        ("activations.1: dJ/dh", "dloss_da3"),
        ("activations.0: dh/dz", "sigma_prime_z2"),
        ("layers.0: dJ/dz", "delta2"),
        ("dJ/dx", "grad_x"),
    ] {
        let (_, got) = named.iter().find(|(n, _)| n == name).unwrap_or_else(|| panic!("{name} in {names:?}"));
        let want = if key == "x" { &example[key] } else { &example["expected"][key] };
        let want = if want.is_array() { numbers(want) } else { vec![number(want)] };
        assert_all_close(got, &want, name);
    }
}
