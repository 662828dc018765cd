//! Members with rows of their own: a step, its loss and its outputs against the definition.

use super::networks::{NETWORKS, OUTPUTS, PLAIN, ROWS, network, pairs, parameters, rows, values};
use super::*;
use crate::layer::MemberRows;

/// Rows of a step, fewer than there are, so that members see different ones.
const BATCH: usize = 17;

fn trainer(network: &Architecture, begin: &Parameters, (isa, threads): (Isa, usize)) -> Trainer {
    let objective = Objective::new("half_squared_error_sum".parse().unwrap(), 0.0).unwrap();
    let plain = StepSettings::plain(objective, "sgd".parse().unwrap());
    let settings = StepSettings { seed: 9, member_rows: MemberRows::Own, ..plain };
    Trainer::new(network, begin.clone(), settings, (isa, threads), Largest::of_one_batch(BATCH))
}

/// One step at the learning rate 1 on the first rows of each order; its loss.
fn step_once(trainer: &mut Trainer, data: &Dataset, epoch: u64) -> f64 {
    let mut orders = data.orders((3, epoch), true, trainer.owners());
    orders.own.iter_mut().chain([&mut orders.shared]).for_each(|order| order.truncate(BATCH));
    let plan = EpochPlan { own_orders: &orders.own, ..EpochPlan::new(data, &orders.shared, (epoch, BATCH), &|_| 1.0) };
    trainer.epoch(&plan).loss
}

/// Loss and gradient by the definition: each member has a term for each of its rows, divided by the weights of its rows and by the members.
fn expected(network: &Architecture, data: &Dataset, tensors: &[Vec<f64>], own: &[Vec<u32>]) -> (f64, Vec<Vec<f64>>) {
    let (list, pairs) = (network.network(), pairs(data));
    let mut gradient: Vec<Vec<f64>> = tensors.iter().map(|t| vec![0.0; t.len()]).collect();
    let mut loss = 0.0;
    for (m, order) in own.iter().enumerate() {
        let all = own.len() as f64 * order.iter().map(|row| data.weight(*row)).sum::<f64>();
        for row in order {
            let ((x, t), share) = (&pairs[*row as usize], data.weight(*row) / all);
            let of_member = m * OUTPUTS..(m + 1) * OUTPUTS;
            let y = list.define(x, tensors);
            loss += y[of_member.clone()].iter().zip(t).map(|(y, t)| 0.5 * share * (y - t) * (y - t)).sum::<f64>();
            let by_outputs = |y: &[f64]| {
                let by =
                    |(n, y): (usize, &f64)| if of_member.contains(&n) { share * (y - t[n % OUTPUTS]) } else { 0.0 };
                y.iter().enumerate().map(by).collect()
            };
            let pass = list.define_pass(x, tensors, by_outputs);
            gradient.iter_mut().flatten().zip(pass.tensors.iter().flatten()).for_each(|(sum, g)| *sum += g);
        }
    }
    (loss, gradient)
}

/// Networks with two members or more.
fn numbers() -> impl Iterator<Item = u64> {
    (PLAIN..NETWORKS).filter(|number| network(*number, false).network().members() > 1)
}

#[test]
fn a_step_follows_the_definition_in_which_each_member_has_rows_of_its_own() {
    for number in numbers() {
        let network = network(number, false);
        let (mut data, begin) = (rows(number, ROWS), parameters(&network, number));
        data.weights = number.is_multiple_of(3).then(|| (0..ROWS).map(|row| 0.5 + (row % 4) as f32).collect());
        let tensors = values(&begin);
        let mut trainer = trainer(&network, &begin, (Isa::detect(), 2));
        let mut own = data.orders((3, 0), true, trainer.owners()).own;
        own.iter_mut().for_each(|order| order.truncate(BATCH));
        assert!(own.len() > 1 && own[0] != own[1]);
        let (loss, gradient) = expected(&network, &data, &tensors, &own);
        let found = step_once(&mut trainer, &data, 0);
        assert!((found - loss).abs() < 1e-5 * (1.0 + loss), "seed {number}: loss {found}, not {loss}: {network:?}");
        let after = values(&Parameters { lines: trainer.evaluated_parameters().to_vec(), ..begin });
        for (n, expected) in gradient.iter().flatten().enumerate() {
            let (before, after) = (tensors.iter().flatten().nth(n).unwrap(), after.iter().flatten().nth(n).unwrap());
            let (found, most) = (before - after, 2e-5 * (1.0 + expected.abs()));
            assert!((found - expected).abs() < most, "seed {number}: {found}, not {expected} ({n}): {network:?}");
        }
        let list = network.network();
        let outputs = trainer.running_outputs(BATCH);
        for (n, found) in outputs.chunks(OUTPUTS).enumerate() {
            let (position, m) = (n / own.len(), n % own.len());
            let said = list.define(&pairs(&data)[own[m][position] as usize].0, &tensors);
            for (found, expected) in found.iter().zip(&said[m * OUTPUTS..]) {
                assert!((f64::from(*found) - expected).abs() < 2e-5 * (1.0 + expected.abs()), "seed {number}");
            }
        }
    }
}

#[test]
fn rows_of_their_own_give_the_same_bits_on_any_number_of_threads_and_fused_isa() {
    for number in numbers() {
        let network = network(number, true);
        let (data, begin) = (rows(number, ROWS), parameters(&network, number));
        let run = |isa, threads| {
            let mut trainer = trainer(&network, &begin, (isa, threads));
            let losses = [0, 1].map(|epoch| step_once(&mut trainer, &data, epoch));
            assert!(losses.into_iter().all(f64::is_finite));
            trainer.evaluated_parameters().iter().flat_map(|l: &Line| l.0.map(f32::to_bits)).collect::<Vec<_>>()
        };
        for isa in Isa::available() {
            let one = run(isa, 1);
            assert!([2, 3].into_iter().all(|threads| run(isa, threads) == one), "seed {number}, {}", isa.name());
            if isa.name() == "avx2" {
                assert!(run(Isa::detect(), 1) == one, "seed {number}: avx2 and avx512 differ: {network:?}");
            }
        }
    }
}
