//! What every optimizer declares beside its formula.

use super::field::Field;

/// The options of an optimizer, and its properties for parsing, schedules and the step.
///
/// How it moves the parameters is one of three kinds, see [`super::Algorithm`].
pub trait Optimizer {
    /// The name without options.
    fn name(&self) -> &'static str;

    /// The options with their keys.
    fn fields(&mut self) -> Vec<Field<'_>>;

    /// A contradiction among options that are each within their range.
    fn contradiction(&self) -> Option<String> {
        None
    }

    /// The momentum that a schedule may change: `β₁` if there are moments. `None` if the options need no state for it, or if
    /// the optimizer has its own schedule of it.
    fn momentum(&mut self) -> Option<&mut f64> {
        None
    }

    /// How the optimizer's own rule uses `weight_decay`.
    fn own_decay(&self) -> OwnDecay {
        OwnDecay::Coupled
    }

    /// Whether each step must see the whole training part.
    fn needs_full_batch(&self) -> bool {
        false
    }

    /// Whether every step is scaled by its learning rate, so that a schedule has an effect.
    fn follows_schedule(&self) -> bool {
        true
    }

    /// `c`, if `p + c (s − p)` is evaluated and kept instead of the parameter `p`, where `s` is the first number of its state.
    fn evaluated_between(&self) -> Option<f64> {
        None
    }
}

/// Where an optimizer's own weight decay enters. In Keras' dialect it is always decoupled, except for
/// [`OwnDecay::InDirection`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnDecay {
    /// The library's rule has no decay.
    None,
    /// [`field@super::Decay::coupled`].
    Coupled,
    /// [`super::Decay::decoupled`].
    Decoupled,
    /// [`field@super::Decay::in_direction`].
    InDirection,
}
