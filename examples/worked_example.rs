//! Backpropagation through a textbook's 2-3-1 sigmoid network with every number named, followed by one step of gradient
//! descent.
//!
//! One row, `x = (0.5, 0.8)` with target `y = 1`, loss `J = (h − y)² / 2`, learning rate 0.1.

use gradlane::layer::{Activate, Layer, Linear, Network};
use gradlane::nn::{Activation, Loss, Objective, RowTarget};
use gradlane::optim::{Rule, sgd};

/// The tensors of the network, in order; matrices are row-major `[outputs, inputs]`.
const NAMES: [&str; 4] = ["layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"];

fn print(title: &str, quantities: &[(impl AsRef<str>, impl AsRef<[f64]>)]) {
    println!("{title}");
    for (name, values) in quantities {
        let values: Vec<String> = values.as_ref().iter().map(|v| format!("{v:+.12}")).collect();
        println!("  {:<32} {}", name.as_ref(), values.join("  "));
    }
}

/// Prints the forward pass, the backward pass, the gradient, and the parameters after one step of gradient descent.
pub fn main() {
    let sigmoid = Activate { function: Activation::Sigmoid };
    let chain = vec![
        Layer::new("layers.0", Linear::new(3)),
        Layer::new("activations.0", sigmoid.clone()),
        Layer::new("layers.1", Linear::new(1)),
        Layer::new("activations.1", sigmoid),
    ];
    let network = Network { inputs: 2, chain };
    let mut tensors = vec![vec![0.1, 0.2, 0.3, 0.4, 0.5, 0.6], vec![0.1, 0.2, 0.3], vec![0.7, 0.8, 0.9], vec![0.1]];
    let objective = Objective::new(Loss::HalfSquaredErrorSum, 0.0).expect("no label smoothing");
    let pass_of =
        |tensors: &[Vec<f64>]| network.define_loss(&[0.5, 0.8], tensors, (&objective, &RowTarget::Values(&[1.0])), 1.0);
    let lr = 0.1;

    let (loss, pass) = pass_of(&tensors);
    print("forward", &pass.forward_quantities());
    println!("  {:<32} {loss:+.12}", "J = (h - y)^2 / 2");
    print("backward", &pass.backward_quantities());
    print("gradient", &NAMES.map(|name| format!("dJ/d {name}")).into_iter().zip(&pass.tensors).collect::<Vec<_>>());

    for (p, g) in tensors.iter_mut().flatten().zip(pass.tensors.iter().flatten()) {
        *p = sgd::Plain::update(&lr, *p, *g, &mut []);
    }
    print(&format!("one step of gradient descent, lr {lr}"), &NAMES.into_iter().zip(&tensors).collect::<Vec<_>>());
    let (after, _) = pass_of(&tensors);
    println!("  {:<32} {after:+.12}", "J afterwards");

    // The expected values are those of the textbook, with all digits that it prints.
    assert!((loss - 0.012_005_700_750_392_305).abs() < 1e-15);
    assert!((pass.steps[0].dy[0] + 0.003_466_908_692_577_643).abs() < 1e-15);
    assert!((tensors[2][0] - 0.701_170_539_867_491_6).abs() < 1e-15);
    assert!((after - 0.011_903_701_134_576_82).abs() < 1e-15);
}
