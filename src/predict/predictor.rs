//! A model ready to predict.

use super::average::mean_outputs;
use crate::Result;
use crate::data::{Dataset, Features, Strangers};
use crate::kernel::{Isa, Line};
use crate::metrics::{Detail, MetricSet};
use crate::model::Model;
use crate::nn::Objective;
use crate::train::held_out::HeldOut;
use crate::train::judged::Judged;
use crate::train::readout::Readout;
use crate::train::score::{Rows, Scorer};
use crate::train::team::Team;
use crate::train::{Evaluation, Evaluator};

/// A model with threads and memory to run it forward; kept between calls.
pub struct Predictor {
    /// The weights of each network.
    networks: Vec<Vec<Line>>,
    objective: Objective,
    evaluator: Evaluator,
    readout: Readout,
    team: Team,
    scorer: Scorer,
}

/// What a model says of some rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Predicted {
    /// Probabilities of the classes or labels, or numbers in the targets' units; row-major `[rows, width]`.
    pub values: Vec<f64>,
    /// Values of one row.
    pub width: usize,
}

impl Predictor {
    /// Prepares a model for `threads` threads; what it predicts does not depend on their number.
    ///
    /// # Errors
    /// [`crate::Error::Usage`] if the model's label smoothing does not suit its loss.
    pub fn new(model: &Model, isa: Isa, threads: usize) -> Result<Predictor> {
        let card = &model.card;
        let evaluator = Evaluator::new(&card.architecture, isa, threads.max(1));
        let scorer = Scorer::new(card.preprocessing.target(), card.loss).with_threshold(card.decision.threshold());
        let readout = scorer.readout(card.decision.factor());
        Ok(Predictor {
            networks: model.networks().map(|network| network.lines.clone()).collect(),
            readout,
            objective: Objective::new(card.loss, card.label_smoothing)?,
            evaluator,
            team: Team::new(threads),
            scorer,
        })
    }

    /// Predicts rows that the model's preprocessing prepared.
    ///
    /// # Panics
    /// If the rows have not the model's number of inputs.
    pub fn predict(&mut self, features: &Features) -> Predicted {
        let outputs = self.outputs(features);
        Predicted { values: self.scorer.predictions(&outputs), width: self.scorer.width() }
    }

    /// Outputs for rows that the model did not learn from, to decide on.
    ///
    /// # Panics
    /// As [`Predictor::predict`].
    pub fn held_out(&mut self, data: &Dataset) -> HeldOut {
        let outputs = self.raw_outputs(&data.features);
        HeldOut::new(&self.scorer, outputs, data)
    }

    /// Figures and confusion on rows that the model's preprocessing prepared, with those whose class the model does not
    /// know: the same, to the bit, as at the end of training.
    ///
    /// # Panics
    /// As [`Predictor::predict`].
    pub fn judge(&mut self, data: &Dataset, strangers: Option<&Strangers>) -> Judged {
        let outputs = strangers.map(|strangers| self.outputs(&strangers.features));
        let evaluation = self.evaluation(data);
        self.scorer.judge(&evaluation, data, strangers.zip(outputs.as_deref()))
    }

    /// The figures of [`Predictor::judge`] that need no sorting of the rows.
    ///
    /// # Panics
    /// As [`Predictor::predict`].
    pub fn brief_figures(&mut self, data: &Dataset) -> MetricSet {
        let evaluation = self.evaluation(data);
        self.scorer.figures(&evaluation.outputs, data, Rows::All, evaluation.loss, Detail::Running)
    }

    fn evaluation(&mut self, data: &Dataset) -> Evaluation {
        if let [network] = &mut self.networks[..] {
            self.evaluator.read_out(self.readout.clone());
            return self.evaluator.evaluate(&self.team, network, &self.objective, data);
        }
        let outputs = self.raw_outputs(&data.features);
        self.evaluator.read_out(self.readout.clone());
        self.evaluator.evaluate_outputs(&self.objective, data, outputs)
    }

    /// The outputs for every row, row-major: those of the one network, or the mean of what several say.
    fn outputs(&mut self, features: &Features) -> Vec<f32> {
        let mut outputs = self.raw_outputs(features);
        self.readout.change(&mut outputs, self.scorer.outputs());
        outputs
    }

    /// The same before temperature and range.
    fn raw_outputs(&mut self, features: &Features) -> Vec<f32> {
        self.evaluator.read_out(Readout::plain());
        let link = self.scorer.link();
        let each = self.networks.iter_mut().map(|network| self.evaluator.outputs(&self.team, network, features, link));
        let mut each: Vec<Vec<f32>> = each.collect();
        if each.len() == 1 { each.swap_remove(0) } else { mean_outputs(&self.scorer, &each) }
    }
}
