//! tmp
use gradlane::{data::*, kernel::Isa, model::*, nn::*, train::*};
use rand::RngExt;
fn main() {
    let th: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    let w: &[(&str, &[usize], usize, usize)] = &[
        ("iris", &[4, 16, 3], 16, 4096),
        ("digits", &[64, 128, 64, 10], 32, 8192),
        ("mnist", &[784, 128, 10], 32, 16384),
        ("mnist-128", &[784, 256, 128, 10], 128, 16384),
        ("deep", &[64, 256, 256, 256, 256, 256, 256, 10], 256, 16384),
        ("tabular", &[28, 512, 512, 512, 1], 512, 32768),
        ("wide", &[784, 1024, 1024, 10], 256, 8192),
        ("huge", &[784, 2048, 2048, 2048, 10], 1024, 4096),
    ];
    for (n, l, b, rows) in w {
        let a = Architecture {
            inputs: l[0],
            hidden: l[1..l.len() - 1].to_vec(),
            outputs: *l.last().unwrap(),
            activations: vec![Activation::Relu; l.len() - 2],
            output_activation: Activation::Identity,
            norm: None,
            residual: false,
            dropout: 0.0,
        };
        let mut r = gradlane::rng::stream(1, gradlane::rng::Purpose::Synthetic, 0, 0);
        let x = Features::F32 { values: (0..rows * l[0]).map(|_| r.random()).collect(), cols: l[0] };
        let o = a.outputs;
        let (y, loss) = if o == 1 {
            (Targets::Values { values: (0..*rows).map(|_| r.random()).collect(), cols: 1 }, Loss::Mse)
        } else {
            (
                Targets::Classes { labels: (0..*rows).map(|_| r.random_range(0..o as u32)).collect(), classes: o },
                Loss::CrossEntropy,
            )
        };
        let d = Dataset { features: x, targets: y, weights: None };
        let s = StepSettings {
            objective: Objective::new(loss, 0.0).unwrap(),
            optimizer: "adam".parse().unwrap(),
            l1: 0.0,
            l2: 0.0,
            weight_decay: 0.0,
            decay_bias: false,
            clip_norm: Some((1.0, gradlane::optim::clip::NormType::L2)),
            clip_value: None,
            clip_layer: None,
            ema: None,
            seed: 0,
        };
        let mut t = Trainer::new(&a, Parameters::init(&a, None, 0), s, (Isa::detect(), th), (*b, *rows));
        let mut times = vec![];
        for e in 0..6 {
            let mut order: Vec<u32> = (0..*rows as u32).collect();
            for i in (1..order.len()).rev() {
                order.swap(i, r.random_range(0..=i));
            }
            let st = std::time::Instant::now();
            t.epoch(&EpochPlan {
                data: &d,
                order: &order,
                epoch: e,
                batch: *b,
                lr: &|_| 1e-3,
                stop: &|_| false,
                tol_grad: None,
                log_steps: None,
            });
            times.push(st.elapsed().as_secs_f64());
        }
        times.remove(0);
        times.sort_by(f64::total_cmp);
        let us = times[2] * 1e6 / (rows / b) as f64;
        println!(
            "{n:10} {us:9.1} us/step  best {:9.1}  {:6.1} GF/s",
            times[0] * 1e6 / (rows / b) as f64,
            a.flops_per_sample() * *b as f64 / us / 1e3
        );
    }
}
