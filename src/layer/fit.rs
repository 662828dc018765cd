//! What layers find out from the training rows before the network is built.

use super::{Inner, Layer};

/// The training rows, as layers look at them.
pub struct Fit<'a> {
    /// Inputs that hold numbers, rising; the others are parts of categories, marks of missing values and the like.
    pub numbers: &'a [usize],
    /// The values of an input.
    pub column: &'a (dyn Fn(usize) -> Vec<f32> + Sync),
    /// What is to be learnt.
    pub targets: Goals<'a>,
}

/// What is to be learnt, as a decision tree looks at it.
#[derive(Clone, Copy)]
pub enum Goals<'a> {
    /// A class for each row, below `classes`.
    Classes {
        /// The class of each row.
        labels: &'a [u32],
        /// How many classes there are.
        classes: usize,
    },
    /// Numbers of each row, `cols` of them.
    Values {
        /// Row by row.
        values: &'a [f32],
        /// Numbers of a row.
        cols: usize,
    },
}

/// Lets the layers of a network look at the training rows. Those that fit themselves to inputs are the first of the network, or
/// the first of chains side by side that are.
pub fn fit(chain: &mut [Layer], rows: &Fit<'_>) {
    let Some(first) = chain.first_mut() else { return };
    first.fit(rows);
    first.inner_mut().iter_mut().for_each(|chain| fit(chain, rows));
}

/// The path of a layer that must be fitted to inputs and does not see them, for layers do so before it.
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
