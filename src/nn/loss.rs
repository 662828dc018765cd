//! Losses: value and gradient for one row, written once for scalars and for 16 rows in parallel.

mod elements;
mod link;
mod softmax;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::column::{ColumnMut, OutputColumn};
use crate::kernel::Real;
use crate::spec::Spec;
use crate::{Error, Result};

use elements::Element;
pub use link::Link;

/// A loss that training minimises. `z` are the outputs of a row (logits, if predictions are probabilities), `t` its
/// targets.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Loss {
    /// Mean over the outputs of `(z − t)²`.
    Mse,
    /// `½ Σ (z − t)²` over the outputs, as in scikit-learn's regression.
    HalfSquaredErrorSum,
    /// Mean over the outputs of `|z − t|`.
    Mae,
    /// Mean over the outputs of `d²/2` where `|d| ≤ δ`, else `δ (|d| − δ/2)`, `d = z − t`: Huber 1964.
    Huber {
        /// Upper limit of `|d|` for the quadratic part, above 0; 1 by default.
        delta: f64,
    },
    /// Mean over the outputs of `ln cosh(z − t)`.
    LogCosh,
    /// Mean over the outputs of `eᶻ − t z`: the negative log-likelihood of a Poisson distribution whose log rate is
    /// `z`.
    Poisson,
    /// Binary cross-entropy on logits, mean over the outputs of `−t ln s(z) − (1 − t) ln s(−z)`.
    Bce,
    /// Cross-entropy on logits, `−Σ q_c ln softmax(z)_c`. `q` is 1 at the row's class and 0 elsewhere, or the row's
    /// target values.
    CrossEntropy,
    /// Focal loss: cross-entropy with a factor `(1 − p)^γ` before each logarithm: Lin et al. 2017,
    /// <https://arxiv.org/abs/1708.02002>. If the target is a class and there are several outputs, it is computed on
    /// the softmax; otherwise on each logit, as the mean over the outputs.
    Focal {
        /// Exponent that reduces the weight of rows that are already predicted well, at least 0; 2 by default.
        gamma: f64,
        /// On logits, the factor of the positive class is `α` and that of the negative class `1 − α`, with `α` within
        /// 0..=1. If `None`, which is the default, both factors are 1. On a softmax, `α` is a common factor of all
        /// classes; classes are weighted by row weights instead.
        alpha: Option<f64>,
    },
}

/// The target of a row.
#[derive(Debug)]
pub enum RowTarget<'a, R, C: ?Sized> {
    /// Index of the class, as a number. With a single output, it is the target value itself: 0 or 1.
    Class(R),
    /// One number for each output. Cross-entropy allows any weights `q ≥ 0`; they need not sum to 1.
    Values(&'a C),
}

impl<R: Real, C: OutputColumn<R> + ?Sized> RowTarget<'_, R, C> {
    /// Target of output `i` of `cols`. A class is 1 at its own output and 0 elsewhere.
    #[inline(always)]
    fn at(&self, i: usize, cols: usize) -> R {
        match self {
            RowTarget::Values(values) => values.get(i),
            RowTarget::Class(label) if cols == 1 => *label,
            RowTarget::Class(label) => R::select(label.eq(R::splat(i as f64)), R::splat(1.0), R::splat(0.0)),
        }
    }

    /// Whether the outputs are mutually exclusive classes.
    #[inline(always)]
    fn is_exclusive(&self, cols: usize) -> bool {
        matches!(self, RowTarget::Class(_)) && cols > 1
    }
}

/// A loss with its label smoothing. With outputs and targets, it determines the loss of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Objective {
    loss: Loss,
    label_smoothing: f64,
}

impl Objective {
    /// A loss with label smoothing `ε`: targets become `(1 − ε) t + ε / classes`, with two classes for a logit (Szegedy
    /// et al. 2016, <https://arxiv.org/abs/1512.00567>).
    ///
    /// # Errors
    /// [`Error::Usage`] if `ε` is outside `0..1`, or is not 0 and the loss is not one of classes.
    pub fn new(loss: Loss, label_smoothing: f64) -> Result<Self> {
        if !(0.0..1.0).contains(&label_smoothing) {
            let message = format!("label smoothing must be at least 0 and below 1, found {label_smoothing}");
            return Err(Error::Usage(message));
        }
        if label_smoothing != 0.0 && !loss.is_of_classes() {
            let message =
                format!("label smoothing is for losses of classes (bce, cross_entropy, focal), not for {loss}");
            return Err(Error::Usage(message));
        }
        Ok(Objective { loss, label_smoothing })
    }

    /// The loss.
    pub fn loss(&self) -> Loss {
        self.loss
    }

    /// The label smoothing `ε`.
    pub fn label_smoothing(&self) -> f64 {
        self.label_smoothing
    }

    /// Returns the loss of one row and writes its gradient with respect to the outputs to `dz`. The caller multiplies
    /// both by the row's weight and divides by the total weight of the batch.
    ///
    /// # Panics
    /// If `dz` or a target column is shorter than `z`.
    #[inline(always)]
    pub fn row<R, Z, C, D>(&self, z: &Z, target: &RowTarget<'_, R, C>, dz: &mut D) -> R
    where
        R: Real,
        Z: OutputColumn<R> + ?Sized,
        C: OutputColumn<R> + ?Sized,
        D: ColumnMut<R> + ?Sized,
    {
        let mean = 1.0 / z.len() as f64;
        let shares = Shares { target, cols: z.len(), epsilon: 0.0, classes: 1, factor: 1.0 };
        let smoothed = |classes| Shares { epsilon: self.label_smoothing, classes, ..shares };
        match self.loss {
            Loss::Mse => each(z, &shares, dz, mean, elements::Squared),
            Loss::HalfSquaredErrorSum => each(z, &shares, dz, 0.5, elements::Squared),
            Loss::Mae => each(z, &shares, dz, mean, elements::Absolute),
            Loss::Huber { delta } => each(z, &shares, dz, mean, elements::Huber { delta }),
            Loss::LogCosh => each(z, &shares, dz, mean, elements::LogCosh),
            Loss::Poisson => each(z, &shares, dz, mean, elements::Poisson),
            Loss::Bce => each(z, &smoothed(2), dz, mean, elements::Bce),
            Loss::CrossEntropy => softmax::cross_entropy(z, &smoothed(z.len()), dz),
            Loss::Focal { gamma, alpha } if target.is_exclusive(z.len()) => {
                let weighted = Shares { factor: alpha.unwrap_or(1.0), ..smoothed(z.len()) };
                softmax::focal(z, &weighted, gamma, dz)
            }
            Loss::Focal { gamma, alpha } => each(z, &smoothed(2), dz, mean, elements::Focal { gamma, alpha }),
        }
    }
}

/// The targets of a row after label smoothing: `factor · ((1 − ε) t + ε / classes)` for each output.
struct Shares<'a, R, C: ?Sized> {
    target: &'a RowTarget<'a, R, C>,
    cols: usize,
    epsilon: f64,
    classes: usize,
    factor: f64,
}

impl<R: Real, C: OutputColumn<R> + ?Sized> Shares<'_, R, C> {
    #[inline(always)]
    fn at(&self, i: usize) -> R {
        let keep = R::splat(self.factor * (1.0 - self.epsilon));
        let spread = R::splat(self.factor * self.epsilon / self.classes as f64);
        self.target.at(i, self.cols).mul_add(keep, spread)
    }
}

/// Returns the sum of `scale · value` over the outputs and writes `scale · derivative` to `dz`.
#[inline(always)]
fn each<R, Z, C, D, E>(z: &Z, targets: &Shares<'_, R, C>, dz: &mut D, scale: f64, element: E) -> R
where
    R: Real,
    Z: OutputColumn<R> + ?Sized,
    C: OutputColumn<R> + ?Sized,
    D: ColumnMut<R> + ?Sized,
    E: Element,
{
    let scale = R::splat(scale);
    let mut sum = R::splat(0.0);
    for i in 0..z.len() {
        let (value, derivative) = element.at(z.get(i), targets.at(i));
        sum = sum + value;
        dz.set(i, scale * derivative);
    }
    scale * sum
}

impl Loss {
    /// Every loss, with its default parameters.
    pub const ALL: [Loss; 9] = [
        Loss::Mse,
        Loss::HalfSquaredErrorSum,
        Loss::Mae,
        Loss::Huber { delta: 1.0 },
        Loss::LogCosh,
        Loss::Poisson,
        Loss::Bce,
        Loss::CrossEntropy,
        Loss::Focal { gamma: 2.0, alpha: None },
    ];

    /// The name, without parameters.
    pub fn name(self) -> &'static str {
        match self {
            Loss::Mse => "mse",
            Loss::HalfSquaredErrorSum => "half_squared_error_sum",
            Loss::Mae => "mae",
            Loss::Huber { .. } => "huber",
            Loss::LogCosh => "logcosh",
            Loss::Poisson => "poisson",
            Loss::Bce => "bce",
            Loss::CrossEntropy => "cross_entropy",
            Loss::Focal { .. } => "focal",
        }
    }

    /// The formula as text, for outputs z and targets t, with the parameters and their defaults.
    pub fn formula(self) -> &'static str {
        match self {
            Loss::Mse => "mean over the outputs of (z − t)²",
            Loss::HalfSquaredErrorSum => "½ Σ (z − t)² over the outputs",
            Loss::Mae => "mean of |z − t|",
            Loss::Huber { .. } => "mean of d²/2 where |d| ≤ delta, else delta (|d| − delta/2), d = z − t  [delta=1]",
            Loss::LogCosh => "mean of ln cosh(z − t)",
            Loss::Poisson => "mean of eᶻ − t z, for counts; eᶻ is predicted",
            Loss::Bce => "mean of −t ln s(z) − (1 − t) ln s(−z), s the sigmoid; two classes, or several labels",
            Loss::CrossEntropy => "−ln softmax(z) at the row's class",
            Loss::Focal { .. } => "cross-entropy times (1 − p)^gamma, and alpha for class 1  [gamma=2, alpha none]",
        }
    }

    /// Whether targets are classes, or are 0 and 1 for each output.
    pub fn is_of_classes(self) -> bool {
        matches!(self, Loss::Bce | Loss::CrossEntropy | Loss::Focal { .. })
    }

    /// Whether the loss implies numeric targets. `mse` does not, because it is used for classes too.
    pub fn implies_numbers(self) -> bool {
        matches!(self, Loss::Poisson | Loss::Mae | Loss::Huber { .. } | Loss::LogCosh)
    }

    /// The function that turns outputs into predictions. `exclusive`: the outputs are mutually exclusive classes.
    pub fn link(self, exclusive: bool) -> Link {
        match self {
            Loss::CrossEntropy => Link::Softmax,
            Loss::Focal { .. } if exclusive => Link::Softmax,
            Loss::Bce | Loss::Focal { .. } => Link::Sigmoid,
            Loss::Poisson => Link::Exp,
            _ => Link::Identity,
        }
    }
}

impl fmt::Display for Loss {
    /// The name, and the parameters if they differ from the defaults.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Loss::Huber { delta } if *delta != 1.0 => write!(f, ":delta={delta}"),
            Loss::Focal { gamma: 2.0, alpha: None } => Ok(()),
            Loss::Focal { gamma, alpha: None } => write!(f, ":gamma={gamma}"),
            Loss::Focal { gamma, alpha: Some(alpha) } => write!(f, ":gamma={gamma},alpha={alpha}"),
            _ => Ok(()),
        }
    }
}

impl FromStr for Loss {
    type Err = Error;

    /// Parses `mse`, `huber:delta=0.5`, `focal:gamma=1.5,alpha=0.25`.
    fn from_str(text: &str) -> Result<Self> {
        let mut spec = Spec::parse("loss", text)?;
        let Some(mut loss) = Self::ALL.into_iter().find(|l| l.name() == spec.name) else {
            return Err(spec.unknown_name(&Self::ALL.map(Self::name)));
        };
        match &mut loss {
            Loss::Huber { delta } => {
                let above_zero = |d: f64| d.is_finite() && d > 0.0;
                *delta = spec.number("delta", "a number above 0", above_zero)?.unwrap_or(*delta);
            }
            Loss::Focal { gamma, alpha } => {
                let not_negative = |g: f64| g.is_finite() && g >= 0.0;
                *gamma = spec.number("gamma", "a number of at least 0", not_negative)?.unwrap_or(*gamma);
                *alpha = spec.number("alpha", "within 0 and 1", |a| (0.0..=1.0).contains(&a))?;
            }
            _ => {}
        }
        spec.finish()?;
        Ok(loss)
    }
}

impl TryFrom<String> for Loss {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Loss> for String {
    fn from(loss: Loss) -> String {
        loss.to_string()
    }
}

#[cfg(test)]
mod tests;
