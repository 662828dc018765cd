//! Networks of several forms in one model.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::Architecture;
use crate::data::Preprocessing;

/// The networks of one form, in a model with several forms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NetworkForm {
    /// Its name.
    pub name: String,
    /// The structure of its networks.
    pub architecture: Architecture,
    /// Their first input among those of the preprocessing.
    pub first_input: usize,
    /// Its number of networks.
    pub members: usize,
    /// The weight of their mean; the weights of all forms add up to 1.
    pub weight: f64,
    /// The factor of logits before probabilities are averaged.
    pub factor: f32,
}

/// Weights are rounded exact fractions; their sum may differ from 1 by this much.
const ROUNDING: f64 = 1e-9;

impl NetworkForm {
    /// The inputs of its networks.
    pub fn inputs(&self) -> Range<usize> {
        self.first_input..self.first_input + self.architecture.inputs
    }

    /// What is wrong with forms that were read from a file. `first` is the architecture of the first network in the card,
    /// `members` the number of all networks.
    pub(super) fn contradiction(
        forms: &[NetworkForm],
        (first, members): (&Architecture, usize),
        rows: &Preprocessing,
    ) -> Option<String> {
        let fits = |form: &NetworkForm| {
            let end = form.first_input.checked_add(form.architecture.inputs);
            end.is_some_and(|end| end <= rows.inputs()) && form.architecture.outputs == rows.outputs()
        };
        if !forms.iter().all(fits) {
            return Some("networks and columns do not fit together".to_owned());
        }
        let all = forms.iter().try_fold(0usize, |sum, form| sum.checked_add(form.members));
        if forms[0].architecture != *first || all != Some(members) || forms.iter().any(|form| form.members == 0) {
            return Some("the forms of the networks do not fit their number".to_owned());
        }
        let good = |form: &NetworkForm| form.weight > 0.0 && form.factor > 0.0 && form.factor.is_finite();
        let sum: f64 = forms.iter().map(|form| form.weight).sum();
        let whole = (sum - 1.0).abs() < ROUNDING;
        if !whole || !forms.iter().all(good) {
            return Some("the weights of the networks do not add up to 1".to_owned());
        }
        forms.iter().find_map(|form| form.architecture.contradiction())
    }
}
