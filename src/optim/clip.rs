//! Gradient clipping: by the global norm, by each tensor's norm, by value.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::kernel::Real;
use crate::spec::unknown;
use crate::{Error, Result};

/// Which norm of the gradient is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum NormType {
    /// `Σ |g|`.
    L1,
    /// `√Σ g²`.
    L2,
    /// `max |g|`.
    Inf,
}

impl NormType {
    /// The norm over all `tensors` together, summed in `f64` in their order; NaN if an element is NaN.
    pub fn norm<'a, T: Real + Into<f64> + 'a>(self, tensors: impl IntoIterator<Item = &'a [T]>) -> f64 {
        let elements = tensors.into_iter().flatten().map(|&g| -> f64 { g.into() });
        match self {
            NormType::L1 => elements.map(f64::abs).sum(),
            NormType::L2 => elements.map(|g| g * g).sum::<f64>().sqrt(),
            NormType::Inf => {
                elements.map(f64::abs).fold(0.0, |max: f64, g| if max.is_nan() || g <= max { max } else { g })
            }
        }
    }
}

/// `min(1, max_norm / (norm + addend))`, the factor of every element: Pascanu et al. 2013, <https://arxiv.org/abs/1211.5063>.
/// The addend depends on the dialect: [`super::Dialect::norm_addend`]. NaN for a NaN norm.
pub fn norm_factor(norm: f64, max_norm: f64, addend: f64) -> f64 {
    let factor = max_norm / (norm + addend);
    if factor > 1.0 { 1.0 } else { factor }
}

/// One element clamped to `−limit..=limit`; NaN stays NaN.
#[inline(always)]
pub fn clip_value<R: Real>(g: R, limit: f64) -> R {
    R::splat(limit).min(R::splat(-limit).max(g))
}

/// The bound of a norm, as [`norm_factor`] takes it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NormBound {
    /// The largest norm.
    pub max_norm: f64,
    /// Added to the norm before the bound is divided by it.
    pub addend: f64,
}

/// Scales all `tensors` together so that their norm is at most `max_norm`, with [`norm_factor`]'s `addend`. Returns the norm
/// before.
pub fn clip_global_norm<T: Real + Into<f64>>(
    tensors: &mut [&mut [T]],
    NormBound { max_norm, addend }: NormBound,
    norm_type: NormType,
) -> f64 {
    let norm = norm_type.norm(tensors.iter().map(|t| &**t));
    let factor = T::splat(norm_factor(norm, max_norm, addend));
    tensors.iter_mut().flat_map(|t| t.iter_mut()).for_each(|g| *g = *g * factor);
    norm
}

/// Scales each of `tensors` separately in the same way.
pub fn clip_each_tensor<T: Real + Into<f64>>(tensors: &mut [&mut [T]], bound: NormBound, norm_type: NormType) {
    for tensor in tensors {
        clip_global_norm(&mut [tensor], bound, norm_type);
    }
}

impl fmt::Display for NormType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NormType::L1 => "1",
            NormType::L2 => "2",
            NormType::Inf => "inf",
        })
    }
}

impl FromStr for NormType {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "1" => Ok(NormType::L1),
            "2" => Ok(NormType::L2),
            "inf" => Ok(NormType::Inf),
            other => Err(unknown("norm", other, &["1", "2", "inf"])),
        }
    }
}

impl TryFrom<String> for NormType {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<NormType> for String {
    fn from(norm_type: NormType) -> String {
        norm_type.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [NormType; 3] = [NormType::L1, NormType::L2, NormType::Inf];

    #[test]
    fn names_are_read_back() {
        for norm_type in ALL {
            assert_eq!(norm_type.to_string().parse::<NormType>().unwrap(), norm_type);
        }
        assert!("3".parse::<NormType>().is_err());
    }

    #[test]
    fn nan_is_not_lost() {
        for norm_type in ALL {
            for tensor in [[f32::NAN, 1.0], [1.0, f32::NAN]] {
                let norm = norm_type.norm([&tensor[..]]);
                assert!(norm.is_nan() && norm_factor(norm, 1.0, 1e-6).is_nan(), "{norm_type:?} {tensor:?}");
            }
        }
        assert!(clip_value(f32::NAN, 1.0).is_nan());
    }

    proptest! {
        #[test]
        fn clipping_never_lengthens_and_keeps_the_direction(
            a in prop::collection::vec(-1e3f64..1e3, 1..9),
            b in prop::collection::vec(-1e3f64..1e3, 1..9),
            max_norm in 1e-3f64..1e3,
        ) {
            for (norm_type, addend) in ALL.into_iter().flat_map(|norm| [(norm, 0.0), (norm, 1e-6)]) {
                let (mut x, mut y) = (a.clone(), b.clone());
                let before = clip_global_norm(&mut [&mut x, &mut y], NormBound { max_norm, addend }, norm_type);
                let after = norm_type.norm([&x[..], &y[..]]);
                prop_assert!(after <= before && after <= max_norm * (1.0 + 1e-12));
                let factor = norm_factor(before, max_norm, addend);
                for (clipped, whole) in x.iter().chain(&y).zip(a.iter().chain(&b)) {
                    prop_assert_eq!(*clipped, whole * factor);
                }
                let (mut x, mut y) = (a.clone(), b.clone());
                clip_each_tensor(&mut [&mut x, &mut y], NormBound { max_norm, addend }, norm_type);
                for tensor in [x, y] {
                    prop_assert!(norm_type.norm([&tensor[..]]) <= max_norm * (1.0 + 1e-12));
                }
            }
            prop_assert!(a.iter().all(|&g| clip_value(g, max_norm).abs() <= max_norm));
        }
    }
}
