//! Backpropagation through the textbook's 2-3-1 sigmoid network, every number named, and the step that follows.
//!
//! One row, `x = (0.5, 0.8)` with target `y = 1`, loss `J = (a − y)² / 2`, learning rate 0.1.

use gradlane::nn::textbook::{Batch, Layer, Named, Network, Parameters, Skip, Targets};
use gradlane::nn::{Activation, Loss, Objective};
use gradlane::optim::{Rule, sgd};

/// A sigmoid layer; `weight` is row-major `[fan_out, fan_in]`.
fn layer(fan_in: usize, weight: &[f64], bias: &[f64]) -> Layer<f64> {
    let (weight, bias) = (weight.to_vec(), Some(bias.to_vec()));
    Layer {
        fan_in,
        fan_out: weight.len() / fan_in,
        parameters: Parameters { weight, bias, gain: None, shift: None, projection: None },
        norm: None,
        activation: Activation::Sigmoid,
        skip: Skip::None,
    }
}

fn print(title: &str, quantities: &[Named<'_, f64>]) {
    println!("{title}");
    for (name, values) in quantities {
        let values: Vec<String> = values.iter().map(|v| format!("{v:+.12}")).collect();
        println!("  {name:<32} {}", values.join("  "));
    }
}

/// Prints the way forward, the way back, the gradient, and the parameters after one step of gradient descent.
pub fn main() {
    let mut network = Network {
        layers: vec![layer(2, &[0.1, 0.2, 0.3, 0.4, 0.5, 0.6], &[0.1, 0.2, 0.3]), layer(3, &[0.7, 0.8, 0.9], &[0.1])],
        objective: Objective::new(Loss::HalfSquaredErrorSum, 0.0).expect("no label smoothing"),
    };
    let batch = Batch { rows: 1, x: &[0.5, 0.8], targets: Targets::Values(&[1.0]), weights: None };
    let lr = 0.1;

    let pass = network.pass(&batch);
    print("forward", &pass.rows[0].forward_quantities());
    println!("  {:<32} {:+.12}", "J = (a - y)^2 / 2", pass.loss);
    print("backward", &pass.rows[0].backward_quantities());
    print("gradient", &pass.gradient_quantities());

    println!("one step of gradient descent, lr {lr}");
    for (number, (layer, gradient)) in (1..).zip(network.layers.iter_mut().zip(&pass.gradients)) {
        for (name, (p, g)) in ["W", "b"].iter().zip(layer.parameters.tensors_mut().zip(gradient.tensors())) {
            p.iter_mut().zip(g).for_each(|(p, g)| *p = sgd::Plain::update(&lr, *p, *g, &mut []));
            let values: Vec<String> = p.iter().map(|v| format!("{v:+.12}")).collect();
            println!("  layer {number}: {name:<23} {}", values.join("  "));
        }
    }
    let after = network.loss(&batch);
    println!("  {:<32} {after:+.12}", "J afterwards");

    // The figures are the textbook's, to the digits it could print.
    assert!((pass.loss - 0.012_005_700_750_392_305).abs() < 1e-15);
    assert!((pass.rows[0].errors[0].dz[0] + 0.003_466_908_692_577_643).abs() < 1e-15);
    assert!((network.layers[1].parameters.weight[0] - 0.701_170_539_867_491_6).abs() < 1e-15);
    assert!((after - 0.011_903_701_134_576_82).abs() < 1e-15);
}
