//! Optimizers that look at whole tensors: a rule of theirs turns gradients into directions, then norms or matrix products of a
//! tensor's directions decide its step.

use super::newton_schulz::NewtonSchulz;
use super::rule::{Carried, Decay, Rule, VisitRule};
use crate::kernel::{Isa, Job, Lanes, Line, Real};

/// An optimizer that looks at whole tensors. In every tensor, weights and biases apart: `u` by [`direction`] for each parameter,
/// made orthogonal where [`TensorRule::newton_schulz`] says so, then `p ← shrink · p − lr · factor · u` with
/// [`TensorRule::factor`].
pub trait TensorRule: Copy {
    /// Calls `visitor` with the rule behind the directions of weights, or of biases, gains and shifts; the one that needs fewer
    /// numbers of state has the first of the other's, and neither carries anything.
    fn visit<V: VisitRule>(self, of_weights: bool, visitor: V) -> V::Output;

    /// How the directions of a matrix are made orthogonal, if they are.
    fn newton_schulz(&self) -> Option<&NewtonSchulz> {
        None
    }

    /// What the directions of a tensor are multiplied by.
    fn factor(&self, shape: TensorRole, squares: &Squares) -> f64;

    /// The library's own decay of biases, gains and shifts at learning rate `lr`, where it is not that of weights.
    fn decay_of_vectors(&self, _lr: f64) -> Option<Decay> {
        None
    }
}

/// What a tensor is to such an optimizer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TensorRole {
    /// Weights `[out, in]`.
    Matrix(usize, usize),
    /// Biases, gains or shifts.
    Vector,
}

/// Sums over directions and the parameters they are for.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Squares {
    /// `Σ p²`, after the decay that comes before the step.
    pub params: f64,
    /// `Σ u²`.
    pub directions: f64,
}

impl Squares {
    /// Adds the sums of another part.
    pub fn add(&mut self, other: Squares) {
        self.params += other.params;
        self.directions += other.directions;
    }
}

/// The last part of the step: along directions that stand in the place of gradients, multiplied by their factors.
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

/// The direction of one parameter, and the parameter after the decay that comes before the step: what the rule would take from 0
/// at rate 1, and decay that is part of the direction. `scalars` are of rate 1.
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

/// Turns the gradients of a run of parameters, multiplied by `clip`, into directions, in place.
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

/// The whole step `t` of one tensor at learning rate `lr`, in plain loops: the definition; the form in slots and tiles, over many
/// threads, is held to it. A matrix is row-major, `state` has as many lists as the larger rule of weights
/// and of all else needs.
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
