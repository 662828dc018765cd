use super::*;

/// Rosenbrock's valley `Σ 100 (xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)²`, lowest at all ones.
fn valley(x: &[f64], gradient: &mut [f64]) -> f64 {
    gradient.fill(0.0);
    let mut loss = 0.0;
    for i in 0..x.len() - 1 {
        let (rise, rest) = (x[i + 1] - x[i] * x[i], 1.0 - x[i]);
        loss += 100.0 * rise * rise + rest * rest;
        gradient[i] -= 400.0 * rise * x[i] + 2.0 * rest;
        gradient[i + 1] += 200.0 * rise;
    }
    loss
}

/// Steps until converged, at most `most`; returns the losses before each and after the last.
fn minimise(options: Lbfgs, x: &mut [f64], most: usize, mut f: impl FnMut(&[f64], &mut [f64]) -> f64) -> Vec<f64> {
    let mut minimizer = Minimizer::new(options, x.len());
    let mut gradient = vec![0.0; x.len()];
    let mut losses = vec![];
    for _ in 0..most {
        let loss = f(x, &mut gradient);
        losses.push(loss);
        let progress = minimizer.step(1.0, x, (loss, &gradient), &mut f);
        assert!(progress.evaluations <= options.evaluations);
        if progress.converged {
            losses.push(progress.loss);
            return losses;
        }
    }
    panic!("not converged: {losses:?}")
}

#[test]
fn a_curved_valley_is_followed_to_its_end() {
    for history in [1, 3, 100] {
        let mut x = [-1.2, 1.0, -0.5, 0.7, 2.0];
        let losses = minimise(Lbfgs { history, ..Lbfgs::default() }, &mut x, 300, valley);
        assert!(x.iter().all(|x| (x - 1.0).abs() < 1e-4), "history {history}: {x:?}");
        assert!(losses.windows(2).all(|pair| pair[1] <= pair[0]), "history {history}: a loss rose: {losses:?}");
    }
}

#[test]
fn a_quadratic_of_n_dimensions_takes_few_steps() {
    let scales = [1.0, 3.0, 10.0, 30.0];
    let mut x = [1.0; 4];
    let bowl = |x: &[f64], gradient: &mut [f64]| -> f64 {
        gradient.iter_mut().zip(x).zip(scales).for_each(|((g, x), s)| *g = s * x);
        x.iter().zip(scales).map(|(x, s)| 0.5 * s * x * x).sum()
    };
    let losses = minimise(Lbfgs::default(), &mut x, 15, bowl);
    assert!(losses.last().unwrap() < &1e-10, "{losses:?}");
}

#[test]
fn where_the_loss_is_no_number_the_step_is_shortened() {
    // −ln x + x, lowest at 1, no number for x < 0, where the first step that is tried leads.
    let f = |x: &[f64], gradient: &mut [f64]| -> f64 {
        gradient[0] = 1.0 - 1.0 / x[0];
        if x[0] > 0.0 { x[0] - libm::log(x[0]) } else { f64::NAN }
    };
    let mut minimizer = Minimizer::new(Lbfgs::default(), 1);
    let (mut x, mut gradient) = ([3.0], [0.0]);
    let loss = f(&x, &mut gradient);
    let progress = minimizer.step(20.0, &mut x, (loss, &gradient), &mut { f });
    assert!(progress.moved && x[0] > 0.0 && progress.loss < loss, "{progress:?} {x:?}");
}

#[test]
fn at_the_minimum_nothing_moves() {
    let mut x = [1.0; 3];
    let mut gradient = [0.0; 3];
    let loss = valley(&x, &mut gradient);
    let progress = Minimizer::new(Lbfgs::default(), 3).step(1.0, &mut x, (loss, &gradient), &mut valley);
    assert_eq!((progress.moved, progress.converged, x), (false, true, [1.0; 3]));
}
