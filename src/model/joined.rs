//! Several networks as one model.

use super::{Model, NetworkForm};
use crate::data::Preprocessing;

impl Model {
    /// One model of several networks of one form with the same preprocessing; the history is dropped.
    ///
    /// # Panics
    /// If there is no network, or if their forms differ: they share one card.
    pub fn ensemble(networks: Vec<Model>) -> Model {
        let form = &networks[0].card.architecture;
        assert!(networks.iter().all(|network| network.card.architecture == *form), "networks of one form");
        Model::joined(networks)
    }

    /// One model of networks of several forms with shared preprocessing; it has no decision yet.
    ///
    /// # Panics
    /// If there is no network, or one does not have its form.
    pub fn of_forms(forms: Vec<(NetworkForm, Vec<Model>)>, preprocessing: Preprocessing) -> Model {
        for (form, networks) in &forms {
            assert!(networks.iter().all(|network| network.card.architecture == form.architecture), "{}", form.name);
        }
        let (forms, networks): (Vec<NetworkForm>, Vec<Vec<Model>>) = forms.into_iter().unzip();
        let mut model = Model::joined(networks.into_iter().flatten().collect());
        model.card.preprocessing = preprocessing;
        model.card.history = Vec::new();
        // Label smoothing differs between forms; figures use plain labels.
        model.card.label_smoothing = 0.0;
        model.card.forms = forms;
        model
    }

    /// One model with the card of the first network.
    fn joined(networks: Vec<Model>) -> Model {
        let members = networks.len();
        let mut networks = networks.into_iter();
        let mut first = networks.next().expect("an ensemble has a network");
        first.others = networks.map(|network| network.parameters).collect();
        if members > 1 {
            (first.card.members, first.card.history) = (members, Vec::new());
        }
        first
    }
}
