use rand_distr::{Distribution, StandardNormal};

use super::*;

const INF: f64 = f64::INFINITY;

fn stratum(a: &[f64], b: &[f64]) -> Stratum {
    Stratum::new(a, b).unwrap()
}

/// Expected values: SciPy 1.17, `brunnermunzel`.
#[test]
fn the_test_of_one_stratum_agrees_with_scipy() {
    let stratum = stratum(&[0.31, 0.42, 0.38, 0.35], &[0.40, 0.61, 0.52, 0.47, 0.38]);
    assert!((stratum.effect() - 0.75).abs() < 1e-12);
    let p = student_p(&[stratum]);
    assert!((p / 0.021_288_887_517_621_684 - 1.0).abs() < 1e-10, "{p}");
}

#[test]
fn each_order_is_listed_once() {
    let mut order = [true, true, false, false];
    let mut seen = vec![order];
    while next_order(&mut order) {
        seen.push(order);
    }
    assert_eq!(seen.len(), 6);
    assert_eq!(seen.iter().collect::<std::collections::HashSet<_>>().len(), 6);
    assert_eq!(orders(&[1; 16], (8, 8)).len(), 12_870);
    let mean = orders(&[1; 16], (8, 8)).iter().map(|order| order.effect).sum::<f64>();
    assert!(mean.abs() < 1e-9, "{mean}");
}

#[test]
fn the_smallest_p_belongs_to_groups_that_do_not_overlap() {
    let (low, high) = ([1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]);
    let one = stratum(&low, &high);
    assert_eq!(one.effect(), 1.0);
    assert_eq!(smallest_p(&[(4, 4)]), 2.0 / 70.0);
    assert_eq!(stratum(&high, &low).effect(), -1.0);
    let several = stratified_rank_test(&[one.clone(), one.clone(), one]);
    assert_eq!(several.effect, 1.0);
    assert!(several.p <= 3e-4 && several.p >= smallest_p(&[(4, 4); 3]), "{several:?}");
    assert_eq!(
        (smallest_p(&[]), smallest_p(&[(2, 2)]), smallest_p(&[(50, 50)])),
        (1.0, 1.0 / 3.0, 2.0 / binomial(100, 50))
    );
}

#[test]
fn differences_that_cancel_and_ties_have_effect_0_and_p_1() {
    let (low, high) = ([1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]);
    let cancelled = stratified_rank_test(&[stratum(&low, &high), stratum(&high, &low)]);
    assert_eq!(cancelled, RankTest { effect: 0.0, p: 1.0 });
    let tied = stratified_rank_test(&[stratum(&[INF; 4], &[INF; 4]), stratum(&[2.0; 3], &[2.0; 5])]);
    assert_eq!(tied, RankTest { effect: 0.0, p: 1.0 });
    assert_eq!(stratified_rank_test(&[]), RankTest { effect: 0.0, p: 1.0 });
    assert!(Stratum::new(&[1.0], &[2.0, 3.0]).is_none());
}

#[test]
fn a_test_is_repeatable_and_independent_of_the_order_of_values() {
    let (a, b) = ([0.3, 0.1, 0.7, 0.4], [0.5, 0.9, 0.2, 0.8]);
    let strata = [stratum(&a, &b), stratum(&b, &a), stratum(&a, &b)];
    let test = stratified_rank_test(&strata);
    assert_eq!(test, stratified_rank_test(&strata));
    let turned = [0.4, 0.7, 0.1, 0.3];
    assert_eq!(test, stratified_rank_test(&[stratum(&turned, &b), stratum(&b, &a), stratum(&a, &b)]));
    let swapped = stratified_rank_test(&[stratum(&b, &a), stratum(&a, &b), stratum(&b, &a)]);
    assert_eq!((swapped.effect, swapped.p), (-test.effect, test.p), "whoever is named first");
}

#[test]
fn a_test_does_not_depend_on_the_unit() {
    let (a, b) = ([0.3, 0.1, 0.7, 0.4], [0.5, 0.9, 0.2, 0.8]);
    let test = |unit: f64| {
        let strata = [stratum(&a.map(|v| v * unit), &b.map(|v| v * unit)), stratum(&b, &a), stratum(&a, &b)];
        stratified_rank_test(&strata)
    };
    assert_eq!(test(1.0), test(7.0));
}

/// Rejections at the 5 % level in 1,000 pairs without a difference in the mean effect: with equal spreads, with one group
/// spread ten times as far, and with differences that cancel. The counts have a standard error of 7.
#[test]
fn the_level_holds_where_spreads_differ_and_differences_cancel() {
    let mut rng = stream(2, Purpose::Synthetic, 0, 0);
    let mut normals = |shift: f64, sd: f64| -> Vec<f64> {
        (0..8).map(|_| shift + sd * Distribution::<f64>::sample(&StandardNormal, &mut rng)).collect()
    };
    for (name, shift, sd) in [("alike", 0.0, 1.0), ("spread", 0.0, 10.0), ("cancelling", 1.0, 1.0)] {
        let rejected = (0..1_000).filter(|_| {
            let strata: Vec<Stratum> = (0..12)
                .map(|n| stratum(&normals(if n % 2 == 0 { shift } else { -shift }, 1.0), &normals(0.0, sd)))
                .collect();
            stratified_rank_test(&strata).p <= 0.05
        });
        let rejected = rejected.count();
        println!("{name}: {rejected} of 1000");
        assert!(rejected <= 72, "{name}: {rejected} of 1000");
    }
}
