//! L-BFGS: steps along an approximate inverse Hessian, which is built from the last few steps; for the loss of all rows.

mod search;
mod vector;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

pub use self::search::LossFunction;
use self::search::{LinePoint, LineSearch, TriedLosses};
use self::vector::{add_scaled, dot, largest, sum_of_sizes};
use super::entry::{Entry, rate};
use super::field::{Field, Range};
use super::optimizer::{Optimizer, OwnDecay};
use crate::kernel::Real;

/// Options of L-BFGS, with PyTorch's keys and defaults.
///
/// With `s = xₖ₊₁ − xₖ` and `y = gₖ₊₁ − gₖ` of the last steps, and `H₀ = (s·y) / (y·y)` of the last of them, the two-loop
/// recursion of Nocedal & Wright 2006, Algorithm 7.4, gives `d = −H g`. Then `x ← x + t d`, where `t` satisfies the strong
/// Wolfe conditions `f(t) ≤ f(0) + 10⁻⁴ t f'(0)` and `|f'(t)| ≤ 0.9 |f'(0)|` (Algorithms 3.5 and 3.6, with cubic
/// interpolation). A pair with `s·y ≤ 10⁻¹⁰` is skipped. The first `t` tried is `lr`, in the first step `lr · min(1, 1 /
/// ‖g‖₁)`.
///
/// Liu & Nocedal 1989, <https://doi.org/10.1007/BF01589116>. Where the paper leaves a choice, this follows PyTorch's `LBFGS`
/// with `line_search_fn="strong_wolfe"`, <https://docs.pytorch.org/docs/stable/generated/torch.optim.LBFGS.html>. One step here
/// is one of its iterations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lbfgs {
    /// The most pairs that are stored, at least 1; 100 by default. Each takes twice the memory of the weights.
    pub history: usize,
    /// The most losses computed in one line search, at least 1; 25 by default.
    pub evaluations: usize,
    /// Converged when no element of the gradient is larger than this; 1e-7 by default.
    pub tol_grad: f64,
    /// Converged when the loss, every parameter or the loss along the line changes by less than this; 1e-9 by default.
    pub tol_change: f64,
}

impl Default for Lbfgs {
    fn default() -> Self {
        Lbfgs { history: 100, evaluations: 25, tol_grad: 1e-7, tol_change: 1e-9 }
    }
}

/// The entry for `--optimizer`.
pub(super) const LBFGS: Entry<Lbfgs> = Entry {
    name: "lbfgs",
    source: "Liu & Nocedal 1989, doi.org/10.1007/BF01589116",
    options: |_| Lbfgs::default(),
    own: (1.0, 0.0),
    by_dialect: [rate(1.0), None, None],
};

impl Optimizer for Lbfgs {
    fn name(&self) -> &'static str {
        "lbfgs"
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        vec![
            Field::new("history_size", &mut self.history, Range::FEW),
            Field::new("max_eval", &mut self.evaluations, Range::FEW),
            Field::new("tolerance_grad", &mut self.tol_grad, Range::NOT_NEGATIVE),
            Field::new("tolerance_change", &mut self.tol_change, Range::NOT_NEGATIVE),
        ]
    }

    fn own_decay(&self) -> OwnDecay {
        OwnDecay::None
    }

    fn needs_full_batch(&self) -> bool {
        true
    }

    fn follows_schedule(&self) -> bool {
        false
    }
}

/// The result of a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MinimiserStep {
    /// The loss after the step.
    pub loss: f64,
    /// Whether the parameters moved.
    pub moved: bool,
    /// Whether it has converged.
    pub converged: bool,
    /// Whether no point of the line search had a finite loss.
    pub diverged: bool,
    /// Losses that the line search computed.
    pub evaluations: usize,
}

/// One step, and the change of the gradient over it.
#[derive(Debug, Clone)]
struct CurvaturePair<T> {
    s: Vec<T>,
    y: Vec<T>,
    /// `1 / (s·y)`.
    inverse: f64,
    /// `s·q / (s·y)` of the first loop, for the second.
    alpha: f64,
}

/// The state and all memory of L-BFGS, allocated once. Sums are computed in `f64` in an order that depends on the length only.
#[derive(Debug, Clone)]
pub struct Minimizer<T> {
    options: Lbfgs,
    /// The pairs, oldest first.
    pairs: VecDeque<CurvaturePair<T>>,
    /// Pairs that are not in use.
    unused: Vec<CurvaturePair<T>>,
    /// `H₀`.
    scale: f64,
    /// The last direction, and how far the last step went along it; none before the first step.
    direction: Vec<T>,
    length: Option<f64>,
    /// The gradient before the last step.
    gradient: Vec<T>,
    /// Memory of the line search; the next step does not depend on its contents.
    line: LineSearch<T>,
}

/// What a [`Minimizer`] remembers between two steps, beside its vectors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Remembered {
    scale: f64,
    length: Option<f64>,
    /// `1 / (s·y)` of each pair, oldest first.
    inverses: Vec<f64>,
}

impl<T: Real + Into<f64>> Minimizer<T> {
    /// A minimizer for `parameters` numbers.
    pub fn new(options: Lbfgs, parameters: usize) -> Self {
        let zeros = || vec![T::splat(0.0); parameters];
        let pair = || CurvaturePair { s: zeros(), y: zeros(), inverse: 0.0, alpha: 0.0 };
        Minimizer {
            options,
            pairs: VecDeque::with_capacity(options.history),
            unused: (0..options.history).map(|_| pair()).collect(),
            scale: 1.0,
            direction: zeros(),
            length: None,
            gradient: zeros(),
            line: LineSearch::new(parameters),
        }
    }

    /// What it remembers beside [`Minimizer::vectors_mut`].
    pub fn remembered(&self) -> Remembered {
        let inverses = self.pairs.iter().map(|pair| pair.inverse).collect();
        Remembered { scale: self.scale, length: self.length, inverses }
    }

    /// Restores what was remembered; the caller must then fill the vectors. Returns whether there is room for the pairs.
    pub fn recall(&mut self, remembered: &Remembered) -> bool {
        self.unused.extend(self.pairs.drain(..));
        (self.scale, self.length) = (remembered.scale, remembered.length);
        let pairs =
            remembered.inverses.iter().zip(self.unused.drain(..remembered.inverses.len().min(self.unused.len())));
        self.pairs.extend(pairs.map(|(inverse, pair)| CurvaturePair { inverse: *inverse, ..pair }));
        self.pairs.len() == remembered.inverses.len()
    }

    /// The vectors that it remembers, by name: the last direction, the gradient before it, and the pairs.
    pub fn vectors_mut(&mut self) -> Vec<(String, &mut [T])> {
        let mut vectors: Vec<(String, &mut [T])> =
            vec![("direction".to_owned(), &mut self.direction), ("gradient".to_owned(), &mut self.gradient)];
        for (n, pair) in self.pairs.iter_mut().enumerate() {
            vectors.push((format!("pairs.{n}.s"), &mut pair.s));
            vectors.push((format!("pairs.{n}.y"), &mut pair.y));
        }
        vectors
    }

    /// Makes one step from `x`, where the loss is `loss` and its gradient `gradient`. `lr` is the first step length tried.
    ///
    /// # Panics
    /// If lengths differ from that given to [`Minimizer::new`].
    pub fn step(
        &mut self,
        lr: f64,
        x: &mut [T],
        (loss, gradient): (f64, &[T]),
        objective: &mut impl LossFunction<T>,
    ) -> MinimiserStep {
        assert!(x.len() == self.gradient.len() && gradient.len() == self.gradient.len());
        let stay = MinimiserStep { loss, moved: false, converged: true, diverged: false, evaluations: 0 };
        if largest(gradient) <= self.options.tol_grad {
            return stay;
        }
        let first = self.length.is_none();
        self.remember(gradient);
        self.aim();
        let slope = dot(gradient, &self.direction);
        if slope > -self.options.tol_change {
            return stay;
        }
        let from = LinePoint { t: 0.0, loss, slope };
        let t = if first { lr * f64::min(1.0, 1.0 / sum_of_sizes(gradient)) } else { lr };
        let limits = (self.options.evaluations, self.options.tol_change);
        let (point, tried) = self.line.search(limits, (x, &self.direction), (from, gradient), t, objective);
        add_scaled(x, point.t, &self.direction);
        self.length = Some(point.t);
        let change = f64::min((loss - point.loss).abs(), point.t * largest(&self.direction));
        let converged = change <= self.options.tol_change || largest(self.line.gradient()) <= self.options.tol_grad;
        let TriedLosses { evaluations, finite } = tried;
        MinimiserStep { loss: point.loss, moved: point.t > 0.0, converged, diverged: finite == 0, evaluations }
    }

    /// Stores the pair of the last step, given the gradient after it, if the curvature along the step is positive.
    fn remember(&mut self, gradient: &[T]) {
        if let Some(length) = self.length {
            let mut pair = self.unused.pop().or_else(|| self.pairs.pop_front()).expect("a history of at least 1");
            let length = T::splat(length);
            pair.s.iter_mut().zip(&self.direction).for_each(|(s, d)| *s = *d * length);
            let changes = gradient.iter().zip(&self.gradient);
            pair.y.iter_mut().zip(changes).for_each(|(y, (new, old))| *y = *new - *old);
            let curvature = dot(&pair.y, &pair.s);
            if curvature > 1e-10 {
                self.scale = curvature / dot(&pair.y, &pair.y);
                pair.inverse = 1.0 / curvature;
                self.pairs.push_back(pair);
            } else {
                self.unused.push(pair);
            }
        }
        self.gradient.copy_from_slice(gradient);
    }

    /// `d = −H g`, by the two-loop recursion over the pairs.
    fn aim(&mut self) {
        let d = &mut self.direction;
        d.iter_mut().zip(&self.gradient).for_each(|(d, g)| *d = -*g);
        for pair in self.pairs.iter_mut().rev() {
            pair.alpha = pair.inverse * dot(&pair.s, d);
            add_scaled(d, -pair.alpha, &pair.y);
        }
        let scale = T::splat(self.scale);
        d.iter_mut().for_each(|d| *d = *d * scale);
        for pair in &self.pairs {
            let back = pair.inverse * dot(&pair.y, d);
            add_scaled(d, pair.alpha - back, &pair.s);
        }
    }
}

#[cfg(test)]
mod tests;
