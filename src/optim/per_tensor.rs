//! Optimizers that look at whole tensors. A rule turns gradients into directions; then norms or matrix products of a tensor's
//! directions decide its step.

use super::newton_schulz::NewtonSchulz;
use super::rule::{Carried, Decay, Rule, VisitRule};
use crate::kernel::{Isa, Job, Lanes, Line, Real};

/// An optimizer that looks at whole tensors. In every tensor, with weights and biases separate, [`direction`] gives `u` for
/// each parameter; [`TensorRule::newton_schulz`] may orthogonalise it. Then `p ← shrink · p − lr · factor · u` with
/// [`TensorRule::factor`].
pub trait TensorRule: Copy {
    /// Calls `visitor` with the rule for the directions of weights, or of biases, gains and shifts. Both rules share their
    /// state: the one that needs less uses the first values of the other's. Neither may carry numbers from step to step.
    fn visit<V: VisitRule>(self, of_weights: bool, visitor: V) -> V::Output;

    /// How the directions of a matrix are orthogonalised, if they are.
    fn newton_schulz(&self) -> Option<&NewtonSchulz> {
        None
    }

    /// The factor of the directions of a tensor.
    fn factor(&self, shape: TensorRole, squares: &Squares) -> f64;

    /// The library's own decay of biases, gains and shifts at learning rate `lr`, if it differs from that of weights.
    fn decay_of_vectors(&self, _lr: f64) -> Option<Decay> {
        None
    }
}

/// The role of a tensor for such an optimizer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TensorRole {
    /// Weights `[out, in]`.
    Matrix(usize, usize),
    /// Biases, gains or shifts.
    Vector,
}

/// Sums over directions and over the parameters that they belong to.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Squares {
    /// `Σ p²`, after the decay that comes before the step.
    pub params: f64,
    /// `Σ u²`.
    pub directions: f64,
}

impl Squares {
    /// Adds the sums over another part.
    pub fn add(&mut self, other: Squares) {
        self.params += other.params;
        self.directions += other.directions;
    }
}

/// The last part of the step: parameters move along directions, which have replaced the gradients, times their factors.
#[derive(Debug, Clone, Copy)]
pub struct AlongDirections;

impl Rule<0> for AlongDirections {
    type Scalars = f64;
    const STATE: [&'static str; 0] = [];

    fn at_step(&self, _t: u64, lr: f64, _: &mut Carried) -> f64 {
        lr
    }

    #[inline(always)]
    fn update<R: Real>(lr: &f64, p: R, u: R, _: &mut [R; 0]) -> R {
        u.mul_add(R::splat(-lr), p)
    }
}

/// The direction of one parameter, and the parameter after decoupled decay. The direction is what the rule would subtract from
/// 0 at rate 1, plus decay that is part of the direction. `scalars` belong to rate 1.
#[inline(always)]
pub fn direction<const N: usize, U: Rule<N>, R: Real>(
    scalars: &U::Scalars,
    decay: &Decay,
    p: R,
    g: R,
    state: &mut [R; N],
) -> (R, R) {
    let u = -U::update(scalars, R::splat(0.0), g, state);
    (p.mul_add(R::splat(decay.in_direction), u), p * R::splat(decay.shrink))
}

/// Turns the gradients of a run of parameters, times `clip`, into directions, in place.
///
/// # Panics
/// If lengths disagree.
pub(crate) fn direct<const N: usize, U: Rule<N>>(
    isa: Isa,
    scalars: &U::Scalars,
    (clip, decay): (f64, &Decay),
    params: &[Line],
    grads: &mut [Line],
    state: [&mut [Line]; N],
) -> Squares {
    assert!(grads.len() == params.len() && state.iter().all(|s| s.len() == params.len()));
    isa.run(Direct::<N, U> { scalars, clip, decay, params, grads, state })
}

struct Direct<'u, 'a, const N: usize, U: Rule<N>> {
    scalars: &'u U::Scalars,
    clip: f64,
    decay: &'u Decay,
    params: &'a [Line],
    grads: &'a mut [Line],
    state: [&'a mut [Line]; N],
}

impl<const N: usize, U: Rule<N>> Job for Direct<'_, '_, N, U> {
    type Output = Squares;

    #[inline(always)]
    fn run<L: Lanes>(self) -> Squares {
        let Direct { scalars, clip, decay, params, grads, mut state } = self;
        let clip = L::splat(clip);
        let (mut of_params, mut of_directions) = (L::broadcast(0.0), L::broadcast(0.0));
        for (i, (p, line)) in params.iter().zip(grads).enumerate() {
            let mut moved: [L; N] = std::array::from_fn(|n| L::load(&state[n][i]));
            let (u, p) = direction::<N, U, L>(scalars, decay, L::load(p), L::load(line) * clip, &mut moved);
            for (lanes, lines) in moved.iter().zip(state.iter_mut()) {
                lanes.store(&mut lines[i]);
            }
            of_params = p.mul_add(p, of_params);
            of_directions = u.mul_add(u, of_directions);
            u.store(line);
        }
        let sum = |lanes: L| lanes.to_array().iter().map(|x| f64::from(*x)).sum();
        Squares { params: sum(of_params), directions: sum(of_directions) }
    }
}

/// Makes the whole step `t` of one tensor at learning rate `lr`, in plain loops. This is the definition; tests compare the form
/// in slots and tiles, which runs on many threads, with it. A matrix is row-major. `state` has as many lists as the larger of
/// the two rules needs.
pub fn update_tensor<T: Real + Into<f64>>(
    optimizer: impl TensorRule,
    (t, lr): (u64, f64),
    decay: &Decay,
    shape: TensorRole,
    (params, grads, state): (&mut [T], &[T], &mut [Vec<T>]),
) {
    let of_weights = shape != TensorRole::Vector;
    let mut directions = grads.to_vec();
    let visitor = Directions { t, decay, params, directions: &mut directions, state };
    let squares = optimizer.visit(of_weights, visitor);
    if let (Some(newton_schulz), TensorRole::Matrix(out, into)) = (optimizer.newton_schulz(), shape) {
        newton_schulz.orthogonalise(&mut directions, out, into);
    }
    let rate = T::splat(-lr * optimizer.factor(shape, &squares));
    for (p, u) in params.iter_mut().zip(&directions) {
        *p = u.mul_add(rate, *p * T::splat(decay.shrink));
    }
}

struct Directions<'a, T> {
    t: u64,
    decay: &'a Decay,
    params: &'a [T],
    directions: &'a mut [T],
    state: &'a mut [Vec<T>],
}

impl<T: Real + Into<f64>> VisitRule for Directions<'_, T> {
    type Output = Squares;

    fn visit<const N: usize, U: Rule<N>>(self, rule: U) -> Squares {
        let scalars = rule.at_step(self.t, 1.0, &mut Carried::default());
        let mut squares = Squares::default();
        for (i, (p, g)) in self.params.iter().zip(self.directions).enumerate() {
            let mut state: [T; N] = std::array::from_fn(|n| self.state[n][i]);
            let (u, p) = direction::<N, U, T>(&scalars, self.decay, *p, *g, &mut state);
            state.into_iter().enumerate().for_each(|(n, moved)| self.state[n][i] = moved);
            let [p_squared, u_squared]: [f64; 2] = [(p * p).into(), (u * u).into()];
            squares.add(Squares { params: p_squared, directions: u_squared });
            *g = u;
        }
        squares
    }
}
