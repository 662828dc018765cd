//! Synthetic problems with known answers, as tables for writing to files.
//!
//! Each row has its own random stream, so its content depends on seed and row alone.

use std::f64::consts::{PI, TAU};
use std::path::PathBuf;

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use super::choice::choices;
use super::frame::{Cells, Frame};
use crate::rng::{Purpose, stream};
use crate::{Error, Result};

choices! {
    /// A problem with a known answer.
    SynthProblem {
        /// Two uniform inputs; the class is 1 if their signs differ.
        Xor = "xor",
        /// Two interleaving half circles.
        Moons = "moons",
        /// A circle within a circle.
        Circles = "circles",
        /// Two arms of a spiral.
        Spirals = "spirals",
        /// Clusters around the corners of a cube.
        Blobs = "blobs",
        /// Friedman's first function.
        Friedman1 = "friedman1",
        /// A weighted sum of normal inputs.
        Linear = "linear",
    }
}

/// Number of columns that the function of `friedman1` uses.
const FRIEDMAN: usize = 5;
/// Stream for the weights of a problem; stream 0 is for its rows.
const WEIGHTS: u64 = 1;

impl SynthProblem {
    /// Number of inputs, and whether it may be changed.
    fn inputs(self) -> (usize, bool) {
        match self {
            SynthProblem::Xor | SynthProblem::Moons | SynthProblem::Circles | SynthProblem::Spirals => (2, false),
            SynthProblem::Blobs => (2, true),
            SynthProblem::Friedman1 => (10, true),
            SynthProblem::Linear => (20, true),
        }
    }

    /// The default noise.
    pub fn default_noise(self) -> f64 {
        match self {
            SynthProblem::Xor => 0.0,
            SynthProblem::Spirals => 0.02,
            SynthProblem::Circles => 0.05,
            SynthProblem::Moons | SynthProblem::Linear => 0.1,
            SynthProblem::Blobs => 0.3,
            SynthProblem::Friedman1 => 1.0,
        }
    }

    /// The problem as a formula. `e` is the noise times a normal random number.
    pub fn formula(self) -> &'static str {
        match self {
            SynthProblem::Xor => "x0, x1 uniform in [-1, 1); class 1 where x0·x1 < 0; then each input + e",
            SynthProblem::Moons => {
                "t uniform in [0, π); class 0: (cos t, sin t), class 1: (1 − cos t, 0.5 − sin t); each input + e"
            }
            SynthProblem::Circles => {
                "t uniform in [0, 2π); r·(cos t, sin t), r = 1 in class 0, 0.5 in class 1; each input + e"
            }
            SynthProblem::Spirals => "t uniform in [0, 1); t·(cos a, sin a), a = 3π·t + π·class; each input + e",
            SynthProblem::Blobs => {
                "K classes; class k: 1 + k div D in coordinate k mod D, 0 in the others; each input + e"
            }
            SynthProblem::Friedman1 => {
                "x uniform in [0, 1); y = 10 sin(π·x0·x1) + 20 (x2 − 0.5)² + 10·x3 + 5·x4 + e (Friedman 1991)"
            }
            SynthProblem::Linear => "x and w normal; y = w·x / √D + e",
        }
    }

    /// Whether the label is a number.
    fn is_regression(self) -> bool {
        matches!(self, SynthProblem::Friedman1 | SynthProblem::Linear)
    }
}

/// Settings for generating a table.
#[derive(Debug, Clone, PartialEq)]
pub struct SynthOptions {
    /// The problem.
    pub problem: SynthProblem,
    /// Number of rows.
    pub rows: usize,
    /// Number of inputs; the problem's default if `None`.
    pub columns: Option<usize>,
    /// Number of classes of `blobs`; 3 if `None`.
    pub classes: Option<usize>,
    /// Standard deviation of the noise; the problem's default if `None`.
    pub noise: Option<f64>,
    /// Seed of all random numbers.
    pub seed: u64,
}

/// Generates a table with the columns `x0`, `x1`, …, and `class` or `y`.
///
/// # Errors
/// [`Error::Option`] for options that the problem does not have, for numbers that are too small, and for more rows than
/// 32 bits can count.
pub fn synth(recipe: &SynthOptions) -> Result<Frame> {
    let (columns, classes) = recipe.check()?;
    let noise = recipe.noise.unwrap_or(recipe.problem.default_noise());
    let weights = weights(recipe, columns);
    let mut inputs: Vec<Vec<f64>> = (0..columns).map(|_| Vec::with_capacity(recipe.rows)).collect();
    let mut labels = Vec::with_capacity(recipe.rows);
    let mut x = vec![0.0; columns];
    for row in 0..recipe.rows {
        let rng = &mut stream(recipe.seed, Purpose::Synthetic, row as u64, 0);
        let mut label = draw(recipe.problem, (row, classes), &weights, &mut x, rng);
        if recipe.problem.is_regression() {
            label += noise * normal(rng);
        } else {
            x.iter_mut().for_each(|x| *x += noise * normal(rng));
        }
        inputs.iter_mut().zip(&x).for_each(|(column, x)| column.push(*x));
        labels.push(label);
    }
    let label = if recipe.problem.is_regression() { "y" } else { "class" };
    Ok(Frame {
        path: PathBuf::from(recipe.problem.to_string()),
        rows: recipe.rows,
        names: (0..columns).map(|place| format!("x{place}")).chain([label.to_owned()]).collect(),
        named: true,
        places: (0..=columns).collect(),
        columns: inputs.into_iter().chain([labels]).map(Cells::Numbers).collect(),
        notes: Vec::new(),
        warnings: Vec::new(),
    })
}

impl SynthOptions {
    /// Checks the settings, and returns the numbers of inputs and classes.
    fn check(&self) -> Result<(usize, usize)> {
        let (problem, (own, free)) = (self.problem, self.problem.inputs());
        let columns = self.columns.unwrap_or(own);
        let least = if problem == SynthProblem::Friedman1 { FRIEDMAN } else { 1 };
        let classes = self.classes.unwrap_or(if problem == SynthProblem::Blobs { 3 } else { 2 });
        let usage = Error::Usage;
        match () {
            () if self.columns.is_some() && !free => {
                Err(usage(format!("{problem} has {own} inputs")).of_value("columns", columns))
            }
            () if self.classes.is_some() && problem != SynthProblem::Blobs => {
                Err(usage(format!("it is for blobs, and not for {problem}")).of("classes"))
            }
            () if columns < least => {
                Err(usage(format!("{problem} needs {least} at least")).of_value("columns", columns))
            }
            () if classes < 2 => Err(usage("expected 2 at least".to_owned()).of_value("classes", classes)),
            () if self.rows == 0 || u32::try_from(self.rows).is_err() => {
                Err(usage(format!("expected 1 to {}", u32::MAX)).of_value("rows", self.rows))
            }
            () if self.noise.is_some_and(|noise| !(noise.is_finite() && noise >= 0.0)) => {
                Err(usage("expected a standard deviation of 0 or more".to_owned()).of("noise"))
            }
            () => Ok((columns, classes)),
        }
    }
}

/// A uniform random number in `[0, 1)` with 53 bits.
fn uniform(rng: &mut impl Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

fn normal(rng: &mut impl Rng) -> f64 {
    StandardNormal.sample(rng)
}

/// Weights of `linear`: for inputs of variance 1, the sum has a variance of about 1.
fn weights(recipe: &SynthOptions, columns: usize) -> Vec<f64> {
    if recipe.problem != SynthProblem::Linear {
        return Vec::new();
    }
    let rng = &mut stream(recipe.seed, Purpose::Synthetic, 0, WEIGHTS);
    (0..columns).map(|_| normal(rng) / (columns as f64).sqrt()).collect()
}

/// Draws the inputs of a row, and returns its label. Classes alternate by row, except for `xor`, where the inputs
/// determine the class.
fn draw(
    problem: SynthProblem,
    (row, classes): (usize, usize),
    weights: &[f64],
    x: &mut [f64],
    rng: &mut impl Rng,
) -> f64 {
    let class = row % classes;
    let on_circle = |angle: f64, radius: f64| (radius * libm::cos(angle), radius * libm::sin(angle));
    match problem {
        SynthProblem::Xor => {
            x.iter_mut().for_each(|x| *x = 2.0 * uniform(rng) - 1.0);
            return f64::from(x[0] * x[1] < 0.0);
        }
        SynthProblem::Moons => {
            let (cos, sin) = on_circle(PI * uniform(rng), 1.0);
            (x[0], x[1]) = if class == 0 { (cos, sin) } else { (1.0 - cos, 0.5 - sin) };
        }
        SynthProblem::Circles => (x[0], x[1]) = on_circle(TAU * uniform(rng), if class == 0 { 1.0 } else { 0.5 }),
        SynthProblem::Spirals => {
            let t = uniform(rng);
            (x[0], x[1]) = on_circle(PI * (3.0 * t + class as f64), t);
        }
        SynthProblem::Blobs => {
            let columns = x.len();
            x.fill(0.0);
            x[class % columns] = (1 + class / columns) as f64;
        }
        SynthProblem::Friedman1 => {
            x.iter_mut().for_each(|x| *x = uniform(rng));
            let wave = 10.0 * libm::sin(PI * x[0] * x[1]);
            return wave + 20.0 * (x[2] - 0.5) * (x[2] - 0.5) + 10.0 * x[3] + 5.0 * x[4];
        }
        SynthProblem::Linear => {
            x.iter_mut().for_each(|x| *x = normal(rng));
            return x.iter().zip(weights).map(|(x, weight)| x * weight).sum();
        }
    }
    class as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(problem: SynthProblem, rows: usize, noise: f64) -> Vec<Vec<f64>> {
        let recipe = SynthOptions { problem, rows, columns: None, classes: None, noise: Some(noise), seed: 3 };
        let values = |cells: Cells| if let Cells::Numbers(values) = cells { values } else { panic!("numbers") };
        synth(&recipe).unwrap().columns.into_iter().map(values).collect()
    }

    #[test]
    fn without_noise_rows_lie_where_the_formula_says() {
        for &problem in SynthProblem::ALL {
            let columns = table(problem, 400, 0.0);
            let (x, label) = (&columns[..columns.len() - 1], &columns[columns.len() - 1]);
            for row in 0..400 {
                let at = |column: usize| x[column][row];
                let (radius, class) = (at(0).hypot(at(1)), label[row]);
                let right = match problem {
                    SynthProblem::Xor => (class == 1.0) == ((at(0) < 0.0) != (at(1) < 0.0)),
                    SynthProblem::Moons if class == 0.0 => (radius - 1.0).abs() < 1e-12 && at(1) >= 0.0,
                    SynthProblem::Moons => ((at(0) - 1.0).hypot(at(1) - 0.5) - 1.0).abs() < 1e-12 && at(1) <= 0.5,
                    SynthProblem::Circles => (radius - if class == 0.0 { 1.0 } else { 0.5 }).abs() < 1e-12,
                    SynthProblem::Spirals => {
                        let angle = PI * (3.0 * radius + class);
                        (at(0) - radius * angle.cos()).abs() < 1e-9 && (at(1) - radius * angle.sin()).abs() < 1e-9
                    }
                    SynthProblem::Blobs => [[1.0, 0.0], [0.0, 1.0], [2.0, 0.0]][class as usize] == [at(0), at(1)],
                    SynthProblem::Friedman1 => {
                        let bowl = 20.0 * (at(2) - 0.5).powi(2);
                        let y = 10.0 * (PI * at(0) * at(1)).sin() + bowl + 10.0 * at(3) + 5.0 * at(4);
                        (label[row] - y).abs() < 1e-9 && x.iter().all(|x| (0.0..1.0).contains(&x[row]))
                    }
                    SynthProblem::Linear => x.len() == 20,
                };
                assert!(right, "{problem}, row {row}");
            }
        }
    }

    #[test]
    fn noise_has_the_requested_size_and_rows_have_their_own_streams() {
        let (exact, noisy) = (table(SynthProblem::Linear, 2000, 0.0), table(SynthProblem::Linear, 2000, 0.5));
        assert_eq!(exact[..20], noisy[..20], "noise moves the label alone");
        let squares: f64 = exact[20].iter().zip(&noisy[20]).map(|(a, b)| (a - b) * (a - b)).sum();
        // Five standard errors of a variance over 2000 rows: 5 · √(2 / 2000) = 0.16, relative to the variance.
        assert!((squares / 2000.0 / 0.25 - 1.0).abs() < 0.16, "{squares}");
        let few = table(SynthProblem::Moons, 5, 0.1);
        assert_eq!(few[0], table(SynthProblem::Moons, 50, 0.1)[0][..5]);
    }
}
