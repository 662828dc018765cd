//! What every optimizer says of itself besides its formula.

use super::field::Field;

/// The options of an optimizer, and what parsing, schedules and the step ask of them.
///
/// How it moves the parameters is one of three things, see [`super::Algorithm`].
pub trait Optimizer {
    /// The name without options.
    fn name(&self) -> &'static str;

    /// The options with their keys.
    fn fields(&mut self) -> Vec<Field<'_>>;

    /// What is wrong with options that are each within their range.
    fn contradiction(&self) -> Option<String> {
        None
    }

    /// Where the momentum stands that a schedule may move: `β₁` where there are moments; none where no state is kept for it, or
    /// the optimizer has a schedule of its own.
    fn momentum(&mut self) -> Option<&mut f64> {
        None
    }

    /// What becomes of `weight_decay` in the optimizer's own rule.
    fn own_decay(&self) -> OwnDecay {
        OwnDecay::Coupled
    }

    /// Whether each step must see the whole training part.
    fn needs_full_batch(&self) -> bool {
        false
    }

    /// Whether every step is scaled by its learning rate, so that a schedule has something to move.
    fn follows_schedule(&self) -> bool {
        true
    }

    /// `c`, where `p + c (s − p)` is evaluated and kept instead of the parameter `p`, `s` being the first number of its state.
    fn evaluated_between(&self) -> Option<f64> {
        None
    }
}

/// Where an optimizer's own weight decay enters; in Keras' dialect it is always beside the gradient, but for
/// [`OwnDecay::InDirection`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnDecay {
    /// The library's rule has none.
    None,
    /// [`field@super::Decay::coupled`].
    Coupled,
    /// [`super::Decay::decoupled`].
    Decoupled,
    /// [`field@super::Decay::in_direction`].
    InDirection,
}
