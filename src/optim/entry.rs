//! A name for `--optimizer`: the defaults of an optimizer in each dialect, and its publication.

use super::dialect::Dialect;

/// A name for the options `O` of an optimizer. It is defined in the optimizer's file.
pub struct Entry<O> {
    /// The name.
    pub name: &'static str,
    /// The publication.
    pub source: &'static str,
    /// The options in a dialect.
    pub(super) options: fn(Dialect) -> O,
    /// Learning rate and weight decay without a dialect.
    pub(super) own: (f64, f64),
    /// The same for PyTorch, Keras and scikit-learn; `None` if the library lacks the optimizer.
    pub(super) by_dialect: [Option<(f64, f64)>; 3],
}

/// A learning rate, and no weight decay.
pub(super) const fn rate(lr: f64) -> Option<(f64, f64)> {
    Some((lr, 0.0))
}

impl<O> Entry<O> {
    /// Default options, learning rate and weight decay in a dialect; `None` if its library lacks the optimizer.
    pub(super) fn defaults(&self, dialect: Option<Dialect>) -> Option<(O, f64, f64)> {
        let (lr, weight_decay) = dialect.map_or(Some(self.own), |dialect| self.by_dialect[dialect as usize])?;
        Some(((self.options)(dialect.unwrap_or(Dialect::Torch)), lr, weight_decay))
    }

    /// The dialects whose libraries have it.
    pub fn dialects(&self) -> impl Iterator<Item = Dialect> + '_ {
        Dialect::ALL.into_iter().filter(|dialect| self.by_dialect[*dialect as usize].is_some())
    }
}
