//! Fitting of layers to the training rows, before the network is built.

use super::{Inner, Layer};

/// The training rows as layers see them.
pub struct Fit<'a> {
    /// Inputs that hold numbers, in ascending order. The others are one-hot inputs of categories, marks of missing values
    /// and the like.
    pub numbers: &'a [usize],
    /// The values of an input.
    pub column: &'a (dyn Fn(usize) -> Vec<f32> + Sync),
    /// The targets.
    pub targets: Goals<'a>,
}

/// The targets, as a decision tree sees them.
#[derive(Clone, Copy)]
pub enum Goals<'a> {
    /// A class for each row, below `classes`.
    Classes {
        /// The class of each row.
        labels: &'a [u32],
        /// How many classes there are.
        classes: usize,
    },
    /// `cols` numbers for each row.
    Values {
        /// The numbers, row-major.
        values: &'a [f32],
        /// Numbers for each row.
        cols: usize,
    },
}

/// Fits layers to the training rows. Only a layer that reads the network's inputs can be fitted: the first layer of the
/// network, or the first layer of a chain within it.
pub fn fit(chain: &mut [Layer], rows: &Fit<'_>) {
    let Some(first) = chain.first_mut() else { return };
    first.fit(rows);
    first.inner_mut().iter_mut().for_each(|chain| fit(chain, rows));
}

/// The path of the first layer that is not fitted and cannot be, because it does not read the network's inputs. With
/// `sees_inputs` false, no layer reads them, so this is the first layer that is not fitted.
pub(super) fn unfitted(chain: &[Layer], path: &str, sees_inputs: bool) -> Option<String> {
    chain.iter().enumerate().find_map(|(n, layer)| {
        let (at, sees) = (format!("{path}[{n}]"), sees_inputs && n == 0);
        let within = match layer.kind().inner() {
            Inner::None => None,
            Inner::Around(inner) => unfitted(inner, &format!("{at}.chain"), sees),
            Inner::Beside(chains) => {
                let of_chain = |(m, inner): (usize, &Vec<Layer>)| unfitted(inner, &format!("{at}.branches[{m}]"), sees);
                chains.iter().enumerate().find_map(of_chain)
            }
        };
        within.or((!sees && !layer.kind().is_fitted()).then_some(at))
    })
}
