//! The passes over lines against the same rules on single numbers, and what holds for any gradient.

use super::super::clip::norm_factor;
use super::super::{Algorithm, Dialect, OptimizerSpec};
use super::*;
use proptest::prelude::*;

const NORMS: [NormType; 3] = [NormType::L1, NormType::L2, NormType::Inf];

fn lines(values: &[f32]) -> Vec<Line> {
    values.chunks(16).map(|chunk| Line(std::array::from_fn(|i| chunk.get(i).copied().unwrap_or(0.0)))).collect()
}

fn numbers(lines: &[Line]) -> Vec<f64> {
    lines.iter().flat_map(|line| line.0).map(f64::from).collect()
}

fn element_wise(spec: &OptimizerSpec) -> ElementWise {
    let Algorithm::ElementWise(optimizer) = spec.algorithm else { panic!("{spec} is not element-wise") };
    optimizer
}

/// Twenty steps of an optimizer on lines, and on the same numbers one by one in `f64`; the average goes along.
fn compare(isa: Isa, (text, dialect): (&str, Option<Dialect>), start: &[f32], gradients: &[Vec<f32>]) {
    struct Reference<'a>(&'a OptimizerSpec, &'a [f32], &'a [Vec<f32>]);
    impl VisitRule for Reference<'_> {
        type Output = Vec<f64>;
        fn visit<const N: usize, U: Rule<N>>(self, rule: U) -> Vec<f64> {
            let mut p: Vec<f64> = self.1.iter().map(|p| f64::from(*p)).collect();
            let (mut state, mut carried) = (vec![rule.initial(self.0.lr); p.len()], Carried::default());
            for (t, gradient) in (1..).zip(self.2) {
                let scalars = rule.at_step(t, self.0.lr, &mut carried);
                let decay = self.0.decay(self.0.weight_decay, self.0.lr);
                for ((p, state), g) in p.iter_mut().zip(&mut state).zip(gradient) {
                    *p = rule::step::<N, U, f64>(&scalars, &decay, *p, 0.5 * f64::from(*g), state);
                }
            }
            p
        }
    }
    let spec = OptimizerSpec::parse(text, dialect).unwrap();
    let mut params = lines(start);
    let optimizer = element_wise(&spec);
    let (initial, mut carried) = (spec.algorithm.initial_state(spec.lr), Carried::default());
    let mut state: Vec<Vec<Line>> = initial.iter().map(|(_, x)| vec![Line::splat(*x as f32); params.len()]).collect();
    for (t, gradient) in (1..).zip(gradients) {
        let grads = lines(gradient);
        let change = UpdateForm { clip: 0.5, decay: spec.decay(spec.weight_decay, spec.lr), average: 0.0 };
        let buffers = (&mut params[..], &grads[..], &mut state[..]);
        update_buffers(isa, optimizer, (t, spec.lr), &change, buffers, &mut carried);
    }
    let want = optimizer.visit(Reference(&spec, start, gradients));
    for (i, (got, want)) in numbers(&params).iter().zip(&want).enumerate() {
        // Numbers of size 1, each step a handful of roundings of 6e-8.
        assert!((got - want).abs() <= 2e-5, "{} {text} parameter {i}: {got}, expected {want}", isa.name());
    }
    assert!(numbers(&params)[start.len()..].iter().all(|p| *p == 0.0), "{} {text}: padding moved", isa.name());
}

#[test]
fn updates_of_lines_agree_with_the_rules_on_single_numbers() {
    let wave = |i: usize, t: usize| libm::sinf((i * 7 + t * 3) as f32) + 0.1;
    for count in [1, 15, 16, 17, 48, 100] {
        let start: Vec<f32> = (0..count).map(|i| wave(i, 0)).collect();
        let gradients: Vec<Vec<f32>> = (1..=20).map(|t| (0..count).map(|i| wave(i, t)).collect()).collect();
        for text in [
            "sgd:weight_decay=0.1",
            "momentum:dampening=0.5",
            "nesterov",
            "rmsprop:alpha=0.9",
            "rmsprop:alpha=0.9,momentum=0.5",
            "rmsprop:alpha=0.9,centered=true,eps=0.01",
            "rmsprop:alpha=0.9,centered=true,momentum=0.5,eps=0.01",
            "adam:weight_decay=0.1",
            "adam:amsgrad=true,beta2=0.9",
            "adamw:weight_decay=0.1",
            "nadam:weight_decay=0.1",
            "radam:beta2=0.9",
            "adamax:weight_decay=0.1",
            "adagrad:initial_accumulator_value=0.1,lr_decay=0.1",
            "adadelta",
            "rprop",
            "lion:weight_decay=0.1",
        ] {
            for isa in Isa::available() {
                compare(isa, (text, None), &start, &gradients);
            }
        }
        let keras =
            ["momentum", "rmsprop", "rmsprop:momentum=0.5", "rmsprop:centered=true,momentum=0.5", "adamax", "adagrad"];
        for (text, isa) in keras.iter().flat_map(|text| Isa::available().into_iter().map(move |isa| (text, isa))) {
            compare(isa, (text, Some(Dialect::Keras)), &start, &gradients);
        }
    }
}

#[test]
fn adams_first_step_moves_each_parameter_by_lr() {
    let gradient: Vec<f32> =
        (0..64).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 } * libm::powf(10.0, i as f32 / 8.0 - 4.0)).collect();
    for isa in Isa::available() {
        for text in ["adam:lr=0.01", "adam:lr=0.01,amsgrad=true", "adamw:lr=0.01,weight_decay=0"] {
            let spec: OptimizerSpec = text.parse().unwrap();
            let mut params = vec![Line::ZERO; 4];
            let mut state = vec![vec![Line::ZERO; 4]; spec.algorithm.slots()];
            let grads = lines(&gradient);
            let change = UpdateForm { clip: 1.0, decay: rule::Decay::NONE, average: 0.0 };
            let buffers = (&mut params[..], &grads[..], &mut state[..]);
            update_buffers(isa, element_wise(&spec), (1, spec.lr), &change, buffers, &mut Carried::default());
            for (p, g) in numbers(&params).iter().zip(&gradient) {
                // eps is 1e-8, so a gradient of 1e-4 moves its parameter by 1 − 1e-4 of lr.
                let expected = -0.01 * f64::from(g.signum()) / (1.0 + 1e-8 / f64::from(g.abs()));
                assert!((p - expected).abs() < 1e-8, "{} {text}: gradient {g:e} moved it by {p:e}", isa.name());
            }
        }
    }
}

proptest! {
    #[test]
    fn clipping_never_lengthens_a_gradient_and_keeps_its_direction(
        values in prop::collection::vec(-1e3f32..1e3, 1..80),
        most in 1e-3f64..1e3,
    ) {
        for isa in Isa::available() {
            for norm in NORMS {
                let mut grads = lines(&values);
                let before = numbers(&grads);
                let rule = GradientRule { l1: 0.0, l2: 0.0, clip_value: None, norm };
                let sums = finish_gradient(isa, &rule, &vec![Line::ZERO; grads.len()], &mut grads);
                prop_assert_eq!(&numbers(&grads), &before, "measuring changes nothing");
                let length = if norm == NormType::L2 { sums.measure.sqrt() } else { sums.measure };
                let exact = norm.norm([&before[..]]);
                // 80 terms of one sign, added in f32.
                prop_assert!((length - exact).abs() <= 1e-5 * exact, "{} {:?}: {} for {}", isa.name(), norm, length, exact);
                let factor = norm_factor(length, most, 1e-6);
                prop_assert!((0.0..=1.0).contains(&factor) && exact * factor <= most * (1.0 + 1e-5));
                // A step of plain SGD with rate 1 from 0 is minus the clipped gradient.
                let mut params = vec![Line::ZERO; grads.len()];
                let change = UpdateForm { clip: factor, decay: rule::Decay::NONE, average: 0.0 };
                let sgd = element_wise(&"sgd".parse().unwrap());
                update_buffers(isa, sgd, (1, 1.0), &change, (&mut params, &grads, &mut []), &mut Carried::default());
                for (p, g) in numbers(&params).iter().zip(&before) {
                    prop_assert!(p * g <= 0.0 && p.abs() <= g.abs());
                    prop_assert!((p + g * factor).abs() <= 1e-6 * (g * factor).abs() + 1e-37, "{} for {} × {}", p, g, factor);
                }
            }
        }
    }

    #[test]
    fn clipping_by_value_bounds_each_element_and_moves_no_other(
        values in prop::collection::vec(-10f32..10.0, 1..80),
        limit in 0.01f64..10.0,
    ) {
        for isa in Isa::available() {
            for norm in NORMS {
                let mut grads = lines(&values);
                let before = numbers(&grads);
                let rule = GradientRule { l1: 0.0, l2: 0.0, clip_value: Some(limit), norm };
                let sums = finish_gradient(isa, &rule, &vec![Line::ZERO; grads.len()], &mut grads);
                let limit = f64::from(limit as f32);
                for (after, before) in numbers(&grads).iter().zip(&before) {
                    prop_assert_eq!(*after, before.clamp(-limit, limit));
                }
                let whole: f64 = before.iter().map(|g| g * g).sum();
                prop_assert!((sums.squares - whole).abs() <= 1e-5 * whole, "the gradient is measured before");
            }
        }
    }

    #[test]
    fn penalties_add_their_gradient_and_their_value(
        weights in prop::collection::vec(-10f32..10.0, 1..80),
        l1 in 0.0f64..1.0,
        l2 in 0.0f64..1.0,
    ) {
        for isa in Isa::available() {
            let mut grads = vec![Line::ZERO; weights.len().div_ceil(16)];
            let rule = GradientRule { l1, l2, clip_value: None, norm: NormType::L2 };
            let params = lines(&weights);
            let sums = finish_gradient(isa, &rule, &params, &mut grads);
            let params = numbers(&params);
            let value: f64 = params.iter().map(|w| l1 * w.abs() + 0.5 * l2 * w * w).sum();
            prop_assert!((sums.penalty - value).abs() <= 1e-5 * value + 1e-12, "{} for {}", sums.penalty, value);
            for (g, w) in numbers(&grads).iter().zip(&params) {
                let want = if *w == 0.0 { 0.0 } else { l1 * w.signum() + l2 * w };
                prop_assert!((g - want).abs() <= 1e-6 * want.abs() + 1e-12);
            }
        }
    }
}

#[test]
fn an_average_of_decay_0_is_a_copy_and_of_a_half_lies_between() {
    for isa in Isa::available() {
        let (mut params, grads) = (lines(&[1.0; 40]), lines(&[0.5; 40]));
        let mut average = lines(&[3.0; 40]);
        for (decay, expected) in [(0.5, 2.0), (0.0, 1.0)] {
            let change = UpdateForm { clip: 0.0, decay: rule::Decay::NONE, average: decay };
            let span = Span { params: &mut params, grads: &grads, state: [], average: Some(&mut average) };
            let scalars = super::super::sgd::Plain.at_step(1, 1.0, &mut Carried::default());
            update::<0, super::super::sgd::Plain>(isa, &scalars, &change, span);
            assert!(numbers(&average)[..40].iter().all(|a| *a == expected), "{}: {:?}", isa.name(), average[0]);
        }
    }
}
