//! Trains one logistic unit, `p = 1 / (1 + e^−(w x + b))`, by gradient descent on the cross-entropy, and compares it with
//! Newton's method in `f64`, which converges in a few steps.

use gradlane::data::synthetic;
use gradlane::data::{Dataset, Features, Targets};
use gradlane::kernel::Isa;
use gradlane::model::{Architecture, Parameters};
use gradlane::nn::{Activation, Loss, Objective};
use gradlane::train::{EpochPlan, Largest, StepSettings, Trainer};

const ROWS: usize = 300;

/// `(w, b)` by Newton's method: `θ ← θ − H⁻¹ ∇J`, with the 2 × 2 Hessian inverted by hand.
fn newton(data: &Dataset) -> (f64, f64) {
    let (Features::F32 { values: x, .. }, Targets::Classes { labels, .. }) = (&data.features, &data.targets) else {
        unreachable!("blobs are numbers with classes")
    };
    let (mut w, mut b) = (0.0, 0.0);
    for step in 1..=20 {
        let (mut loss, mut g, mut h) = (0.0, [0.0; 2], [0.0; 3]);
        for (x, label) in x.iter().zip(labels) {
            let (x, t) = (f64::from(*x), f64::from(*label));
            let z = w * x + b;
            let p = 1.0 / (1.0 + (-z).exp());
            loss += (1.0 + z.exp()).ln() - t * z;
            let curvature = p * (1.0 - p);
            g = [g[0] + (p - t) * x, g[1] + p - t];
            h = [h[0] + curvature * x * x, h[1] + curvature * x, h[2] + curvature];
        }
        println!("  Newton step {step}: loss {:.9}", loss / ROWS as f64);
        let determinant = h[0] * h[2] - h[1] * h[1];
        let (dw, db) = ((h[2] * g[0] - h[1] * g[1]) / determinant, (h[0] * g[1] - h[1] * g[0]) / determinant);
        (w, b) = (w - dw, b - db);
        if dw.abs() + db.abs() < 1e-12 {
            break;
        }
    }
    (w, b)
}

/// `(w, b)` by 2,000 steps of full-batch gradient descent from zero.
fn gradient_descent(data: &Dataset) -> (f64, f64) {
    let unit = Architecture::mlp(1, &[], 1, Activation::Identity); // the loss takes the logit
    let settings = StepSettings::plain(
        Objective::new(Loss::Bce, 0.0).expect("no label smoothing"),
        "nesterov".parse().expect("a name of an optimizer"),
    );
    let mut trainer =
        Trainer::new(&unit, Parameters::zeros(&unit), settings, (Isa::detect(), 1), Largest::of_one_batch(ROWS));
    let order: Vec<u32> = (0..ROWS as u32).collect();
    for epoch in 0..2000 {
        let outcome = trainer.epoch(&EpochPlan::new(data, &order, (epoch, ROWS), &|_| 1.0));
        if [0, 9, 99, 1999].contains(&epoch) {
            println!("  descent step {}: loss {:.9}", epoch + 1, outcome.loss);
        }
    }
    let tensors = trainer.parameters().named();
    (tensors[0].values[0].into(), tensors[1].values[0].into())
}

/// Fits the unit with both methods and compares the results.
pub fn main() {
    println!("two overlapping classes on a line, {ROWS} rows");
    let data = synthetic::blobs(ROWS, 1, 2, 0.6, 7);
    let (w, b) = gradient_descent(&data);
    let (exact_w, exact_b) = newton(&data);
    println!("gradient descent: p = s({w:.5} x {b:+.5})");
    println!("Newton's method:  p = s({exact_w:.5} x {exact_b:+.5})");
    println!("even odds at x = {:.4}", -exact_b / exact_w);
    // Rounding in f32 leaves a gradient of about 1e-7, and the loss is flat: its smallest curvature here is about 0.01.
    assert!((w - exact_w).abs() < 2e-4 && (b - exact_b).abs() < 2e-4);
}
