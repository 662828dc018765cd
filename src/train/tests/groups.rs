//! Parameter groups and schedules of dropout and decay: what they do to the weights of a step.

use super::*;
use crate::layer::MemberRows;
use crate::layer::Sizes;
use crate::layer::description::Description;
use crate::train::Schedules;

/// Kinds that learn.
const KINDS: [&str; 6] = ["linear", "norm", "prelu", "mix", "scale", "skip"];

/// A network of 37 inputs and 5 outputs whose layers learn as `learn` says, by their kinds.
fn network(learn: &str) -> Architecture {
    let text = format!(
        r#"
        chain = [
          {{ kind = "linear", outputs = 20 }},
          {{ kind = "skip", chain = [{{ kind = "norm", norm = "layer" }}, {{ kind = "prelu" }}, {{ kind = "linear", outputs = 12 }}] }},
          {{ kind = "mix", function = "silu" }},
          {{ kind = "dropout", rate = 0.3 }},
          {{ kind = "scale" }},
          {{ kind = "linear", outputs = "outputs" }},
        ]
        [learn]
        {learn}"#
    );
    let chain = Description::parse(&text).and_then(|d| d.layers(Sizes { inputs: 37, outputs: 5 })).unwrap();
    let plain = architecture(Activation::Relu, None, false, 0.0);
    Architecture { hidden: vec![], activations: vec![], chain: Some(chain), ..plain }
}

fn trained(learn: &str, settings: &StepSettings, threads: usize) -> Vec<u32> {
    let batch = if settings.optimizer.algorithm.needs_full_batch() { 90 } else { 32 };
    bits(&network(learn), &data(90, false, true), settings, Isa::detect(), threads, batch)
}

/// Tensors by name after training.
fn tensors(learn: &str, settings: &StepSettings) -> Vec<(String, Vec<f32>)> {
    let lines: Vec<f32> = trained(learn, settings, 2).into_iter().map(f32::from_bits).collect();
    let network = network(learn);
    let zeros = Parameters::zeros(&network);
    let lines = lines.chunks(16).map(|line| Line(line.try_into().unwrap())).collect();
    Parameters { lines, ..zeros }.named().into_iter().map(|t| (t.name, t.values)).collect()
}

#[test]
fn frozen_tensors_keep_their_bits_with_every_optimizer() {
    let learn = "linear = { bias = { frozen = true } }\nnorm = { frozen = true }\nprelu = { frozen = true }\nscale = { frozen = true }";
    let before: Vec<_> = Parameters::init(&network(learn), None, 3).named();
    for entry in CATALOGUE {
        let mut settings = settings(entry.name);
        let searches = entry.name == "lbfgs";
        if !searches {
            (settings.weight_decay, settings.l2, settings.l1, settings.decay_bias) = (0.1, 0.01, 0.001, true);
            (settings.clip_norm, settings.clip_layer) = (Some((1.0, crate::optim::clip::NormType::L2)), Some(0.5));
            settings.ema = (entry.name != "schedulefree").then_some(0.9);
        }
        for ((name, after), before) in tensors(learn, &settings).iter().zip(&before) {
            let frozen = name.ends_with("bias")
                || ["network.1.0.weight", "network.1.1.weight", "network.4.weight"].contains(&name.as_str());
            let same = after.iter().zip(&before.values).all(|(a, b)| a.to_bits() == b.to_bits());
            assert_eq!(same, frozen, "{}: {name}", entry.name);
        }
    }
}

#[test]
fn what_is_below_the_first_learning_layer_needs_no_gradient() {
    let learn = "norm = { frozen = true }\nprelu = { frozen = true }\nlinear = { frozen = true }";
    let program = |learn: &str| {
        let network = network(learn);
        let layout = crate::model::Layout::new(&network);
        network.network().training_program(&|tensor| !layout.tensors[tensor].frozen, MemberRows::Shared)
    };
    // The skip has a matrix, as its widths differ; it and what lies above it have gradients.
    let some = program(learn).ops.iter().filter(|op| op.dy.is_some()).count();
    let all = program("").ops.iter().filter(|op| op.dy.is_some()).count();
    assert_eq!((some, all), (5, 9));
}

#[test]
fn a_factor_of_every_rate_is_another_rate() {
    let all = |factor: &str| KINDS.iter().map(|kind| format!("{kind} = {{ lr = {factor} }}\n")).collect::<String>();
    for optimizer in ["sgd", "adamw:weight_decay=0.1", "lamb", "muon", "schedulefree"] {
        let run = |learn: &str, lr: f64| {
            let (network, data) = (network(learn), data(90, false, true));
            bits_at(&network, &data, &settings(optimizer), (Isa::detect(), 2), 32, lr)
        };
        let expected = run("", 0.01);
        assert!(run(&all("0.5"), 0.02) == expected && run(&all("2"), 0.005) == expected, "{optimizer}");
    }
}

#[test]
fn decay_of_factor_0_is_none() {
    let none: String = KINDS.iter().map(|kind| format!("{kind} = {{ decay = 0 }}\n")).collect();
    for optimizer in ["sgd", "adamw", "lamb", "schedulefree"] {
        let without = settings(&format!("{optimizer}:weight_decay=0"));
        let mut decays = settings(&format!("{optimizer}:weight_decay=0.1"));
        (decays.weight_decay, decays.l1, decays.l2) = (0.1, 0.01, 0.01);
        let expected = trained("", &without, 1);
        assert!(trained("", &decays, 1) != expected, "{optimizer}");
        assert!(trained(&none, &decays, 1) == expected, "{optimizer}");
        let schedules = Schedules { total: 6, decay: Some("linear:start=0,end=0".parse().unwrap()), dropout: None };
        assert!(trained("", &StepSettings { schedules, ..decays }, 1) == expected, "{optimizer}");
    }
}

#[test]
fn a_schedule_of_dropout_moves_its_rate() {
    let scheduled = |schedule: &str| {
        let dropout = Some(schedule.parse().unwrap());
        trained("", &StepSettings { schedules: Schedules { total: 6, dropout, decay: None }, ..settings("adam") }, 2)
    };
    let constant = trained("", &settings("adam"), 2);
    assert!(scheduled("const") == constant);
    let none = bits(&network("").without_chance(), &data(90, false, true), &settings("adam"), Isa::detect(), 2, 32);
    assert!(scheduled("linear:start=0,end=0") == none);
    let rising = scheduled("linear:start=0,end=1");
    assert!(rising != constant && rising != none);
}

#[test]
fn groups_and_schedules_have_the_same_bits_on_any_number_of_threads() {
    let learn = "linear = { lr = 0.3, bias = { lr = 2, decay = 0.5 } }\nnorm = { frozen = true }\nskip = { decay = 3 }\nmix = { lr = 10 }";
    for optimizer in ["adamw:weight_decay=0.1", "lamb", "muon", "schedulefree"] {
        let mut settings = settings(optimizer);
        (settings.weight_decay, settings.clip_layer) = (0.1, Some(0.5));
        let (dropout, decay) = (Some("linear:start=0,end=1".parse().unwrap()), Some("cosine".parse().unwrap()));
        settings.schedules = Schedules { total: 6, dropout, decay };
        let one = trained(learn, &settings, 1);
        assert!([2, 3, 8].into_iter().all(|threads| trained(learn, &settings, threads) == one), "{optimizer}");
    }
}
