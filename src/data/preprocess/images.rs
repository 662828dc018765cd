//! Preprocessing of images.

use serde::{Deserialize, Serialize};

use super::Target;
use crate::data::cell::shortened;
use crate::data::idx::Images;
use crate::data::targets::Targets;
use crate::{Error, Result};

/// Preprocessing of images: bytes are multiplied by `scale`. Nothing is fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImagePreprocessing {
    /// Shape of one image.
    pub shape: Vec<usize>,
    /// Factor from byte to input.
    pub scale: f32,
    /// The target. Its classes are the labels as text.
    pub target: Target,
}

impl ImagePreprocessing {
    /// The preprocessing for images of this shape and these classes. Inputs are between 0 and 1.
    pub fn new(shape: Vec<usize>, target: Target) -> Self {
        Self { shape, scale: 1.0 / 255.0, target }
    }

    /// Refuses images of another shape. Sides of 1 do not count, and images may be rows of bytes without a shape.
    ///
    /// # Errors
    /// [`Error::Mismatch`] with both shapes.
    pub fn check(&self, images: &Images) -> Result<()> {
        let sides = |shape: &[usize]| shape.iter().copied().filter(|side| *side != 1).collect::<Vec<_>>();
        let is_flat = images.shape.len() == 1 || self.shape.len() == 1;
        let as_many = images.cols() == self.shape.iter().product::<usize>();
        if as_many && (is_flat || sides(&images.shape) == sides(&self.shape)) {
            return Ok(());
        }
        let (path, expected, found) = (images.path.display(), &self.shape, &images.shape);
        Err(Error::Mismatch(format!("{path}: expected images of shape {expected:?}, found {found:?}")))
    }

    /// Classes of the images `rows`.
    ///
    /// # Errors
    /// [`Error::Data`] for a label that is not a class, or if there are no labels.
    pub fn targets(&self, images: &Images, rows: &[u32]) -> Result<Targets> {
        let missing = || Error::data(&images.path, "expected a file of labels beside the images, found none");
        let labels = images.labels.as_ref().ok_or_else(missing)?;
        let class: Vec<Option<u32>> = (0..=u8::MAX).map(|label| self.target.class_of(&label.to_string())).collect();
        let class_of = |&row: &u32| {
            let label = labels[row as usize];
            class[usize::from(label)].ok_or_else(|| {
                let known = shortened(&self.target.classes);
                Error::data(
                    &images.path,
                    format!("image {row} has the label {label}, which is not among the classes {known}"),
                )
            })
        };
        let labels = rows.iter().map(class_of).collect::<Result<_>>()?;
        Ok(Targets::Classes { labels, classes: self.target.classes.len() })
    }
}
