//! Every optimizer as one type.

use super::field::Field;
use super::rule::{Rule, VisitRule};
use super::{
    Adadelta, Adagrad, Adam, Adamax, Dialect, Lamb, Lbfgs, Lion, Muon, NAdam, PerTensor, RAdam, RmsProp, Rprop,
    ScheduleFree, Sgd,
};

/// Which formula moves the parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Algorithm {
    /// [`Sgd`].
    Sgd(Sgd),
    /// [`RmsProp`].
    RmsProp(RmsProp),
    /// [`Adam`]; weight decay is part of the gradient, but in Keras.
    Adam(Adam),
    /// [`Adam`]; weight decay is beside the gradient.
    AdamW(Adam),
    /// [`NAdam`].
    NAdam(NAdam),
    /// [`RAdam`].
    RAdam(RAdam),
    /// [`Adamax`].
    Adamax(Adamax),
    /// [`Adagrad`].
    Adagrad(Adagrad),
    /// [`Adadelta`].
    Adadelta(Adadelta),
    /// [`Rprop`].
    Rprop(Rprop),
    /// [`Lion`].
    Lion(Lion),
    /// [`ScheduleFree`].
    ScheduleFree(ScheduleFree),
    /// [`Lamb`].
    Lamb(Lamb),
    /// [`Muon`].
    Muon(Muon),
    /// [`Lbfgs`].
    Lbfgs(Lbfgs),
}

/// Does the same with the options of any algorithm.
macro_rules! each {
    ($algorithm:expr, $options:ident => $result:expr) => {
        match $algorithm {
            Algorithm::Sgd($options) => $result,
            Algorithm::RmsProp($options) => $result,
            Algorithm::Adam($options) | Algorithm::AdamW($options) => $result,
            Algorithm::NAdam($options) => $result,
            Algorithm::RAdam($options) => $result,
            Algorithm::Adamax($options) => $result,
            Algorithm::Adagrad($options) => $result,
            Algorithm::Adadelta($options) => $result,
            Algorithm::Rprop($options) => $result,
            Algorithm::Lion($options) => $result,
            Algorithm::ScheduleFree($options) => $result,
            Algorithm::Lamb($options) => $result,
            Algorithm::Muon($options) => $result,
            Algorithm::Lbfgs($options) => $result,
        }
    };
}

impl Algorithm {
    /// Calls `visitor` with the rule that has just the state these options need; of an optimizer that looks at whole tensors, with
    /// the one that follows its directions.
    #[inline(always)]
    pub fn visit<V: VisitRule>(self, visitor: V) -> V::Output {
        each!(self, options => options.visit(visitor))
    }

    /// The options with their keys.
    pub fn fields(&mut self) -> Vec<Field<'_>> {
        each!(self, options => options.fields())
    }

    /// The name without options.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Sgd(_) => "sgd",
            Algorithm::RmsProp(_) => "rmsprop",
            Algorithm::Adam(_) => "adam",
            Algorithm::AdamW(_) => "adamw",
            Algorithm::NAdam(_) => "nadam",
            Algorithm::RAdam(_) => "radam",
            Algorithm::Adamax(_) => "adamax",
            Algorithm::Adagrad(_) => "adagrad",
            Algorithm::Adadelta(_) => "adadelta",
            Algorithm::Rprop(_) => "rprop",
            Algorithm::Lion(_) => "lion",
            Algorithm::ScheduleFree(_) => "schedulefree",
            Algorithm::Lamb(_) => "lamb",
            Algorithm::Muon(_) => "muon",
            Algorithm::Lbfgs(_) => "lbfgs",
        }
    }

    /// What is wrong with options that are each within their range.
    pub(super) fn contradiction(self) -> Option<String> {
        match self {
            Algorithm::Sgd(sgd) => sgd.contradiction(),
            Algorithm::Rprop(rprop) => rprop.contradiction(),
            Algorithm::Muon(muon) => muon.contradiction(),
            _ => None,
        }
    }

    /// Where the momentum stands that a schedule may move: `β₁` where there are moments. SGD and RMSprop without momentum keep
    /// no state for it, NAdam has a schedule of its own, and the `β₁` of Schedule-Free is none.
    fn momentum(&mut self) -> Option<&mut f64> {
        match self {
            Algorithm::Sgd(sgd) => Some(&mut sgd.momentum).filter(|momentum| **momentum != 0.0),
            Algorithm::RmsProp(rms) => Some(&mut rms.momentum).filter(|momentum| **momentum != 0.0),
            Algorithm::Adam(adam) | Algorithm::AdamW(adam) => Some(&mut adam.beta1),
            Algorithm::RAdam(radam) => Some(&mut radam.beta1),
            Algorithm::Adamax(adamax) => Some(&mut adamax.beta1),
            Algorithm::Lion(lion) => Some(&mut lion.beta1),
            Algorithm::Lamb(lamb) => Some(&mut lamb.beta1),
            Algorithm::Muon(muon) => Some(&mut muon.momentum),
            Algorithm::NAdam(_) | Algorithm::Adagrad(_) | Algorithm::Adadelta(_) | Algorithm::Rprop(_) => None,
            Algorithm::ScheduleFree(_) | Algorithm::Lbfgs(_) => None,
        }
    }

    /// The same optimizer with another momentum; one without stays as it is.
    pub fn with_momentum(mut self, momentum: f64) -> Self {
        if let Some(place) = self.momentum() {
            *place = momentum;
        }
        self
    }

    /// Whether there is a momentum that a schedule can move.
    pub fn has_momentum(mut self) -> bool {
        self.momentum().is_some()
    }

    /// Whether each step must see the whole training part.
    pub fn needs_full_batch(self) -> bool {
        matches!(self, Algorithm::Rprop(_) | Algorithm::Lbfgs(_))
    }

    /// Whether every step is scaled by its learning rate, so that a schedule has something to move.
    pub fn follows_schedule(self) -> bool {
        !matches!(self, Algorithm::Rprop(_) | Algorithm::Lbfgs(_))
    }

    /// Whether the rate should stay as it is unless the user says otherwise: an average does a falling rate's work.
    pub fn prefers_constant_rate(self) -> bool {
        matches!(self, Algorithm::ScheduleFree(_))
    }

    /// The state of each parameter before the first step; `lr` is the optimizer's own learning rate.
    pub fn initial_state(self, lr: f64) -> Vec<f64> {
        struct Initial(f64);
        impl VisitRule for Initial {
            type Output = Vec<f64>;
            fn visit<const N: usize, U: Rule<N>>(self, rule: U) -> Vec<f64> {
                rule.initial(self.0).to_vec()
            }
        }
        self.per_tensor().map_or_else(|| self.visit(Initial(lr)), |optimizer| vec![0.0; optimizer.slots()])
    }

    /// Numbers of state for each parameter.
    pub fn slots(self) -> usize {
        self.initial_state(1.0).len()
    }

    /// The optimizer as one that looks at whole tensors, if it is.
    pub fn per_tensor(self) -> Option<PerTensor> {
        match self {
            Algorithm::Lamb(lamb) => Some(PerTensor::Lamb(lamb)),
            Algorithm::Muon(muon) => Some(PerTensor::Muon(muon)),
            _ => None,
        }
    }

    /// Whether weight decay is part of the direction: [`field@super::Decay::in_direction`].
    pub fn decays_in_direction(self) -> bool {
        match self {
            Algorithm::ScheduleFree(_) => true,
            Algorithm::Lamb(lamb) => lamb.dialect != Dialect::Keras,
            _ => false,
        }
    }

    /// Whether the optimizer's own weight decay is beside the gradient in every dialect, rather than part of it.
    pub fn decays_decoupled(self) -> bool {
        match self {
            Algorithm::AdamW(_) | Algorithm::Lion(_) | Algorithm::Muon(_) => true,
            Algorithm::NAdam(nadam) => nadam.decoupled_weight_decay,
            Algorithm::RAdam(radam) => radam.decoupled_weight_decay,
            _ => false,
        }
    }
}
