//! A model ready to predict.

use std::ops::Range;

use super::average::mean_outputs;
use crate::Result;
use crate::data::{Dataset, Features, Strangers};
use crate::kernel::{Isa, Line};
use crate::metrics::{Detail, MetricSet};
use crate::model::{Architecture, Model, NetworkForm};
use crate::nn::Objective;
use crate::score::HeldOut;
use crate::score::Judged;
use crate::score::Readout;
use crate::score::{ScoredRows, Scorer};
use crate::train::team::Team;
use crate::train::{Evaluation, Evaluator};

/// A model with the threads and the memory for forward passes, kept between calls.
pub struct Predictor {
    groups: Vec<FormGroup>,
    /// The weight of each network, if they do not all count alike.
    shares: Option<Vec<f64>>,
    objective: Objective,
    readout: Readout,
    team: Team,
    scorer: Scorer,
}

/// Networks of one form.
struct FormGroup {
    evaluator: Evaluator,
    /// The weights of each network.
    networks: Vec<Vec<Line>>,
    /// Their inputs, if they do not use all.
    inputs: Option<Range<usize>>,
    /// Applied to the outputs of each before they are averaged.
    readout: Option<Readout>,
}

/// The predictions of a model for some rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Predicted {
    /// Probabilities of the classes or labels, or numbers in the targets' units; row-major `[rows, width]`.
    pub values: Vec<f64>,
    /// Number of values of one row.
    pub width: usize,
}

impl Predictor {
    /// Prepares a model for `threads` threads. Predictions do not depend on their number.
    ///
    /// # Errors
    /// [`crate::Error::Usage`] if the model's label smoothing does not suit its loss.
    pub fn new(model: &Model, isa: Isa, threads: usize) -> Result<Predictor> {
        let card = &model.card;
        let scorer = Scorer::new(card.preprocessing.target(), card.loss).with_threshold(card.decision.threshold());
        let mut networks = model.networks().map(|network| network.lines.clone());
        let mut group = |architecture: &Architecture, members: usize, (inputs, readout)| FormGroup {
            evaluator: Evaluator::new(architecture, isa, threads.max(1)),
            networks: networks.by_ref().take(members).collect(),
            inputs,
            readout,
        };
        let groups = match card.forms.as_slice() {
            [] => vec![group(&card.architecture, card.members, (None, None))],
            forms => {
                let of = |form: &NetworkForm| {
                    let inputs = Some(form.inputs()).filter(|inputs| inputs.len() < card.preprocessing.inputs());
                    group(&form.architecture, form.members, (inputs, Some(scorer.readout(form.factor))))
                };
                forms.iter().map(of).collect()
            }
        };
        let share = |form: &NetworkForm| std::iter::repeat_n(form.weight / form.members as f64, form.members);
        let shares = (!card.forms.is_empty()).then(|| card.forms.iter().flat_map(share).collect());
        let readout = scorer.readout(card.decision.factor());
        Ok(Predictor {
            groups,
            shares,
            readout,
            objective: Objective::new(card.loss, card.label_smoothing)?,
            team: Team::new(threads),
            scorer,
        })
    }

    /// Predicts rows that the model's preprocessing prepared.
    ///
    /// # Panics
    /// If the rows do not have the model's number of inputs.
    pub fn predict(&mut self, features: &Features) -> Predicted {
        let outputs = self.outputs(features);
        Predicted { values: self.scorer.predictions(&outputs), width: self.scorer.width() }
    }

    /// The outputs for rows that the model did not learn from, as a base for decisions.
    ///
    /// # Panics
    /// As [`Predictor::predict`].
    pub fn held_out(&mut self, data: &Dataset) -> HeldOut {
        let outputs = self.raw_outputs(&data.features);
        HeldOut::new(&self.scorer, outputs, data)
    }

    /// Figures and confusion matrix on rows that the model's preprocessing prepared, together with rows of classes unknown to
    /// the model. They equal those at the end of training to the bit.
    ///
    /// # Panics
    /// As [`Predictor::predict`].
    pub fn judge(&mut self, data: &Dataset, strangers: Option<&Strangers>) -> Judged {
        let outputs = strangers.map(|strangers| self.outputs(&strangers.features));
        let evaluation = self.evaluation(data);
        self.scorer.judge(&evaluation, data, strangers.zip(outputs.as_deref()))
    }

    /// Those figures of [`Predictor::judge`] that need no sorting of the rows.
    ///
    /// # Panics
    /// As [`Predictor::predict`].
    pub fn brief_figures(&mut self, data: &Dataset) -> MetricSet {
        let evaluation = self.evaluation(data);
        self.scorer.figures(&evaluation.outputs, data, ScoredRows::All, evaluation.loss, Detail::Running)
    }

    /// Figures on rows whose outputs, before temperature and range, were computed before.
    ///
    /// # Panics
    /// If the number of outputs does not match the rows.
    pub fn judge_outputs(&mut self, data: &Dataset, outputs: Vec<f32>) -> Judged {
        let evaluation = self.evaluation_of(data, outputs);
        self.scorer.judge(&evaluation, data, None)
    }

    fn evaluation(&mut self, data: &Dataset) -> Evaluation {
        if let [FormGroup { evaluator, networks, inputs: None, readout: None }] = &mut self.groups[..]
            && let [network] = &mut networks[..]
        {
            evaluator.read_out(self.readout.clone());
            return evaluator.evaluate(&self.team, network, &self.objective, data);
        }
        let outputs = self.raw_outputs(&data.features);
        self.evaluation_of(data, outputs)
    }

    fn evaluation_of(&mut self, data: &Dataset, outputs: Vec<f32>) -> Evaluation {
        let evaluator = &mut self.groups[0].evaluator;
        evaluator.read_out(self.readout.clone());
        evaluator.evaluate_outputs(&self.objective, data, outputs)
    }

    /// The outputs for every row, row-major: those of the one network, or those of the networks' mean.
    fn outputs(&mut self, features: &Features) -> Vec<f32> {
        let mut outputs = self.raw_outputs(features);
        self.readout.change(&mut outputs, self.scorer.outputs());
        outputs
    }

    /// The outputs before temperature and range.
    ///
    /// # Panics
    /// As [`Predictor::predict`].
    pub fn raw_outputs(&mut self, features: &Features) -> Vec<f32> {
        let link = self.scorer.link();
        let mut each: Vec<Vec<f32>> = Vec::new();
        for group in &mut self.groups {
            let own = group.inputs.clone().map(|inputs| features.inputs(&[inputs]));
            let features = own.as_ref().unwrap_or(features);
            group.evaluator.read_out(Readout::plain());
            for network in &mut group.networks {
                let mut outputs = group.evaluator.outputs(&self.team, network, features, link);
                group.readout.iter().for_each(|readout| readout.change(&mut outputs, self.scorer.outputs()));
                each.push(outputs);
            }
        }
        if each.len() == 1 {
            return each.swap_remove(0);
        }
        mean_outputs(&self.scorer, &each, self.shares.as_deref())
    }
}
