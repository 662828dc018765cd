//! Every optimizer as one type.

use super::field::Field;
use super::newton_schulz::NewtonSchulz;
use super::optimizer::{Optimizer, OwnDecay};
use super::per_tensor::{Squares, TensorRole, TensorRule};
use super::rule::{Decay, Rule, VisitRule};
use super::{
    Adadelta, Adagrad, Adam, AdamW, Adamax, Lamb, Lbfgs, Lion, Muon, NAdam, RAdam, RmsProp, Rprop, ScheduleFree, Sgd,
};

/// The formula that moves the parameters: one of three kinds of step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Algorithm {
    /// Each parameter moves by its own gradient and state alone: a [`Rule`].
    ElementWise(ElementWise),
    /// Norms or products of whole tensors are computed between the gradient and the update: a [`TensorRule`].
    PerTensor(PerTensor),
    /// The losses at several points are computed before all parameters move: [`super::lbfgs::Minimizer`].
    WholeNetwork(Lbfgs),
}

/// Defines the optimizers of a kind as one type that converts into an [`Algorithm`].
macro_rules! kind {
    ($(#[$doc:meta])* $kind:ident: $($name:ident)*) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub enum $kind {
            $(#[doc = concat!("[`super::", stringify!($name), "`].")] $name($name),)*
        }

        impl $kind {
            #[inline]
            fn optimizer(&self) -> &dyn Optimizer {
                match self {
                    $($kind::$name(options) => options,)*
                }
            }

            fn optimizer_mut(&mut self) -> &mut dyn Optimizer {
                match self {
                    $($kind::$name(options) => options,)*
                }
            }
        }

        $(impl From<$name> for Algorithm {
            fn from(options: $name) -> Algorithm {
                Algorithm::$kind($kind::$name(options))
            }
        })*
    };
}

/// The list of element-wise optimizers.
macro_rules! element_wise {
    ($($name:ident)*) => {
        kind! {
            /// An element-wise optimizer.
            ElementWise: $($name)*
        }

        impl ElementWise {
            /// Calls `visitor` with the variant of the rule that keeps only the state these options need.
            #[inline(always)]
            pub fn visit<V: VisitRule>(self, visitor: V) -> V::Output {
                match self {
                    $(ElementWise::$name(options) => options.visit(visitor),)*
                }
            }
        }
    };
}

/// The list of optimizers that look at whole tensors.
macro_rules! per_tensor {
    ($($name:ident)*) => {
        kind! {
            /// An optimizer that looks at whole tensors.
            PerTensor: $($name)*
        }

        impl TensorRule for PerTensor {
            #[inline(always)]
            fn visit<V: VisitRule>(self, of_weights: bool, visitor: V) -> V::Output {
                match self {
                    $(PerTensor::$name(options) => options.visit(of_weights, visitor),)*
                }
            }

            fn newton_schulz(&self) -> Option<&NewtonSchulz> {
                match self {
                    $(PerTensor::$name(options) => options.newton_schulz(),)*
                }
            }

            fn factor(&self, shape: TensorRole, squares: &Squares) -> f64 {
                match self {
                    $(PerTensor::$name(options) => options.factor(shape, squares),)*
                }
            }

            fn decay_of_vectors(&self, lr: f64) -> Option<Decay> {
                match self {
                    $(PerTensor::$name(options) => options.decay_of_vectors(lr),)*
                }
            }
        }
    };
}

element_wise! { Sgd RmsProp Adam AdamW NAdam RAdam Adamax Adagrad Adadelta Rprop Lion ScheduleFree }
per_tensor! { Lamb Muon }

impl From<Lbfgs> for Algorithm {
    fn from(options: Lbfgs) -> Algorithm {
        Algorithm::WholeNetwork(options)
    }
}

impl Algorithm {
    #[inline]
    fn optimizer(&self) -> &dyn Optimizer {
        match self {
            Algorithm::ElementWise(optimizer) => optimizer.optimizer(),
            Algorithm::PerTensor(optimizer) => optimizer.optimizer(),
            Algorithm::WholeNetwork(optimizer) => optimizer,
        }
    }

    fn optimizer_mut(&mut self) -> &mut dyn Optimizer {
        match self {
            Algorithm::ElementWise(optimizer) => optimizer.optimizer_mut(),
            Algorithm::PerTensor(optimizer) => optimizer.optimizer_mut(),
            Algorithm::WholeNetwork(optimizer) => optimizer,
        }
    }

    /// The name without options.
    pub fn name(self) -> &'static str {
        self.optimizer().name()
    }

    /// The options with their keys.
    pub fn fields(&mut self) -> Vec<Field<'_>> {
        self.optimizer_mut().fields()
    }

    /// A contradiction among options that are each within their range.
    pub(super) fn contradiction(self) -> Option<String> {
        self.optimizer().contradiction()
    }

    /// The same optimizer with another momentum; an optimizer without momentum is returned unchanged.
    pub fn with_momentum(mut self, momentum: f64) -> Self {
        if let Some(place) = self.optimizer_mut().momentum() {
            *place = momentum;
        }
        self
    }

    /// Whether there is a momentum that a schedule can move.
    pub fn has_momentum(mut self) -> bool {
        self.optimizer_mut().momentum().is_some()
    }

    /// Whether each step must see the whole training part.
    pub fn needs_full_batch(self) -> bool {
        self.optimizer().needs_full_batch()
    }

    /// Whether every step is scaled by its learning rate, so that a schedule has an effect.
    pub fn follows_schedule(self) -> bool {
        self.optimizer().follows_schedule()
    }

    /// Whether the learning rate is constant by default, because an average replaces its decay.
    pub fn prefers_constant_rate(self) -> bool {
        self.evaluated_between().is_some()
    }

    /// `c`, if `p + c (s − p)` is evaluated and kept instead of the parameter `p`, where `s` is the first number of its state.
    #[inline]
    pub fn evaluated_between(&self) -> Option<f64> {
        self.optimizer().evaluated_between()
    }

    /// How the optimizer's own rule uses `weight_decay`.
    #[inline]
    pub fn own_decay(&self) -> OwnDecay {
        self.optimizer().own_decay()
    }

    /// The names of each parameter's state, and its values before the first step. `lr` is the optimizer's own learning rate.
    /// Empty if the state belongs to the whole network.
    pub fn initial_state(self, lr: f64) -> Vec<(&'static str, f64)> {
        struct InitialState(f64);
        impl VisitRule for InitialState {
            type Output = Vec<(&'static str, f64)>;
            fn visit<const N: usize, U: Rule<N>>(self, rule: U) -> Self::Output {
                U::STATE.into_iter().zip(rule.initial(self.0)).collect()
            }
        }
        match self {
            Algorithm::ElementWise(optimizer) => optimizer.visit(InitialState(lr)),
            Algorithm::PerTensor(optimizer) => {
                let [of_weights, of_vectors] = [true, false].map(|weights| optimizer.visit(weights, InitialState(lr)));
                if of_weights.len() > of_vectors.len() { of_weights } else { of_vectors }
            }
            Algorithm::WholeNetwork(_) => Vec::new(),
        }
    }

    /// Number of state values for each parameter.
    pub fn slots(self) -> usize {
        self.initial_state(1.0).len()
    }
}
