//! Normalisation of the pre-activations of a row, forward and backward.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::column::{ColumnMut, OutputColumn};
use crate::kernel::Real;
use crate::spec::unknown;
use crate::{Error, Result};

/// The `eps` of the norm in a hidden layer.
pub const DEFAULT_EPS: f64 = 1e-5;

/// Kind of normalisation: which moments of a row are normalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum NormKind {
    /// `y = gain · (x − mean) / √(var + eps) + shift`, where `var` has divisor `n`: Ba et al. 2016,
    /// <https://arxiv.org/abs/1607.06450>.
    Layer,
    /// `y = gain · x / √(mean(x²) + eps)`: Zhang & Sennrich 2019, <https://arxiv.org/abs/1910.07467>.
    Rms,
}

/// Normalisation over the elements of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normalisation {
    /// The kind of normalisation.
    pub kind: NormKind,
    /// Constant that is added to the mean square before taking the root.
    pub eps: f64,
}

/// The moments by which a row was normalised. The backward pass needs only these and the row.
#[derive(Debug, Clone, Copy)]
pub struct Moments<R> {
    /// Mean of the row; 0 for the RMS norm.
    pub mean: R,
    /// `1 / √(mean square of the centred row + eps)`.
    pub inv_std: R,
}

impl<R: Real> Moments<R> {
    /// `x̂ = (x − mean) · inv_std`. The gradients of gain and shift are the sums over the rows of `dy · x̂` and of
    /// `dy`.
    #[inline(always)]
    pub fn normalised(&self, x: R) -> R {
        (x - self.mean) * self.inv_std
    }
}

impl Normalisation {
    /// The norm of a hidden layer, with the default `eps`.
    pub fn new(kind: NormKind) -> Self {
        Normalisation { kind, eps: DEFAULT_EPS }
    }

    /// The moments of the row `x`. Squares are summed around the mean to avoid cancellation.
    #[inline(always)]
    pub fn moments<R: Real, X: OutputColumn<R> + ?Sized>(&self, x: &X) -> Moments<R> {
        let n = R::splat(x.len() as f64);
        let mut mean = R::splat(0.0);
        if self.kind == NormKind::Layer {
            for i in 0..x.len() {
                mean = mean + x.get(i);
            }
            mean = mean / n;
        }
        let mut squares = R::splat(0.0);
        for i in 0..x.len() {
            let centred = x.get(i) - mean;
            squares = centred.mul_add(centred, squares);
        }
        Moments { mean, inv_std: R::splat(1.0) / (squares / n + R::splat(self.eps)).sqrt() }
    }

    /// Writes `y = gain · x̂ + shift` and returns the row's moments. Without `gain` the factor is 1; without `shift`, 0
    /// is added.
    ///
    /// # Panics
    /// If a column is shorter than `x`.
    #[inline(always)]
    pub fn forward<R, X, G, S, Y>(&self, x: &X, gain: Option<&G>, shift: Option<&S>, y: &mut Y) -> Moments<R>
    where
        R: Real,
        X: OutputColumn<R> + ?Sized,
        G: OutputColumn<R> + ?Sized,
        S: OutputColumn<R> + ?Sized,
        Y: ColumnMut<R> + ?Sized,
    {
        let moments = self.moments(x);
        for i in 0..x.len() {
            let scaled = times(gain, i, moments.normalised(x.get(i)));
            y.set(i, if let Some(shift) = shift { scaled + shift.get(i) } else { scaled });
        }
        moments
    }

    /// Sets each element of `dx`, the gradient with respect to `x`, exactly once, given the row, its moments and the
    /// gradient `dy` with respect to the output: `dx = inv_std · (g − mean(g) − x̂ · mean(g x̂))` with `g = gain · dy`.
    /// The RMS norm has no term `mean(g)`.
    ///
    /// # Panics
    /// If a column is shorter than `x`.
    #[inline(always)]
    pub fn backward<R, X, G, Y, D>(&self, x: &X, moments: &Moments<R>, gain: Option<&G>, dy: &Y, dx: &mut D)
    where
        R: Real,
        X: OutputColumn<R> + ?Sized,
        G: OutputColumn<R> + ?Sized,
        Y: OutputColumn<R> + ?Sized,
        D: ColumnMut<R> + ?Sized,
    {
        let n = R::splat(x.len() as f64);
        let (mut sum, mut sum_along) = (R::splat(0.0), R::splat(0.0));
        for i in 0..x.len() {
            let g = times(gain, i, dy.get(i));
            sum = sum + g;
            sum_along = g.mul_add(moments.normalised(x.get(i)), sum_along);
        }
        let mean_along = sum_along / n;
        let mean = match self.kind {
            NormKind::Layer => sum / n,
            NormKind::Rms => R::splat(0.0),
        };
        for i in 0..x.len() {
            let g = times(gain, i, dy.get(i));
            let rest = (-mean_along).mul_add(moments.normalised(x.get(i)), g - mean);
            dx.set(i, moments.inv_std * rest);
        }
    }
}

/// `x` times the gain of element `i`, if there is one.
#[inline(always)]
fn times<R: Real, G: OutputColumn<R> + ?Sized>(gain: Option<&G>, i: usize, x: R) -> R {
    if let Some(gain) = gain { gain.get(i) * x } else { x }
}

impl NormKind {
    /// Whether the norm has a shift besides the gain.
    pub fn has_shift(self) -> bool {
        self == NormKind::Layer
    }
}

impl fmt::Display for NormKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NormKind::Layer => "layer",
            NormKind::Rms => "rms",
        })
    }
}

impl FromStr for NormKind {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "layer" => Ok(NormKind::Layer),
            "rms" => Ok(NormKind::Rms),
            other => Err(unknown("norm", other, &["layer", "rms"])),
        }
    }
}

impl TryFrom<String> for NormKind {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<NormKind> for String {
    fn from(kind: NormKind) -> String {
        kind.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Splat;

    #[test]
    fn a_large_offset_does_not_cancel_in_f32() {
        let x = [1000.0f32, 1001.0, 1002.0, 1003.0];
        let mut y = [0.0f32; 4];
        let none: Option<&Splat<'_, f32>> = None;
        Normalisation::new(NormKind::Layer).forward(&x[..], none, none, &mut y[..]);
        let expected = [-1.341_635_4, -0.447_211_8, 0.447_211_8, 1.341_635_4];
        assert!(y.iter().zip(expected).all(|(y, e)| (y - e).abs() < 2e-6), "{y:?}");
    }

    #[test]
    fn names_are_read_back() {
        for kind in [NormKind::Layer, NormKind::Rms] {
            assert_eq!(kind.to_string().parse::<NormKind>().unwrap(), kind);
        }
        assert!("layr".parse::<NormKind>().unwrap_err().to_string().contains("did you mean \"layer\"?"));
    }
}
