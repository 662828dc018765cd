//! A whole model as plain data: raw columns, the numbers that they become, networks, and the meaning of their outputs. Every
//! writer uses it.

use std::collections::HashMap;
use std::ops::Range;

use crate::data::{
    Cycle, DateForm, DateUnit, Encoding, Feature, MissingMarkers, NumberForm, Places, Preprocessing, Shape, Target,
    Task,
};
use crate::layer::Width;
use crate::layer::graph::{Graph, Learnt, Of};
use crate::model::{Architecture, Model, NamedTensor, NetworkForm};
use crate::nn::Link;

/// A model to be written in another language.
pub(super) struct ExportPlan<'a> {
    /// The form of a row.
    pub(super) rows: RowKind<'a>,
    /// Inputs of a network.
    pub(super) inputs: usize,
    /// The computation of a network.
    pub(super) graph: Graph,
    /// The width of each of its values.
    pub(super) widths: Vec<Width>,
    /// The learnt tensors of each network.
    pub(super) networks: Vec<Vec<NamedTensor>>,
    /// Networks of several forms, if there are any; `graph` and `networks` are then empty.
    pub(super) forms: Vec<FormPlan<'a>>,
    /// The meaning of the outputs.
    pub(super) head: Head<'a>,
}

/// Networks of one form among several.
pub(super) struct FormPlan<'a> {
    /// The plan of these networks alone, without columns.
    pub(super) plan: ExportPlan<'a>,
    /// Their inputs among those of all networks.
    pub(super) from: Range<usize>,
    /// The weight of each network's prediction.
    pub(super) share: f64,
}

/// The form of a row.
pub(super) enum RowKind<'a> {
    /// Cells of named columns, in the order of the inputs.
    Columns(Vec<PlannedColumn<'a>>),
    /// Bytes of an image; an input is a byte times `scale`.
    Images {
        /// Shape of an image.
        shape: &'a [usize],
        /// The factor.
        scale: f32,
    },
}

/// A raw column.
pub(super) struct PlannedColumn<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// Its number among different columns, from 1. A column may be listed several times, with inputs for each form of networks.
    pub(super) number: usize,
    /// Whether this is the first entry of the column.
    pub(super) is_first: bool,
    /// Its first input.
    pub(super) at: usize,
    /// The markers of missing values.
    pub(super) missing: &'a MissingMarkers,
    /// How its cells are converted.
    pub(super) what: What<'a>,
}

impl PlannedColumn<'_> {
    /// Numbers that stand for a missing value; an infinite one means both infinities. For dates there are none.
    pub(super) fn missing_numbers(&self) -> Vec<f64> {
        if self.date_unit().is_some() {
            return Vec::new();
        }
        let both = |marker: &f64| if marker.is_infinite() { vec![*marker, -marker] } else { vec![*marker] };
        self.missing.numbers().iter().flat_map(both).collect()
    }

    /// The unit that a date is counted in, if the column is one.
    pub(super) fn date_unit(&self) -> Option<DateUnit> {
        match &self.what {
            What::Number(NumberSteps { counts: Counting::Date(form), .. }) => Some(form.unit),
            _ => None,
        }
    }
}

/// How a column's cells are converted.
pub(super) enum What<'a> {
    /// A number becomes a number.
    Number(NumberSteps<'a>),
    /// A category becomes the inputs of its level.
    Category(Places),
}

/// The conversion of a number to inputs: `shape((x − center) / scale)`, then sine and cosine for each cycle, then the
/// indicator.
pub(super) struct NumberSteps<'a> {
    /// The meaning of the number.
    pub(super) counts: Counting<'a>,
    /// Replaces a missing value.
    pub(super) fill: f64,
    /// Whether the last input is 1 if the value is missing, else 0.
    pub(super) indicator: bool,
    /// Subtracted from the number.
    pub(super) center: f64,
    /// Divisor.
    pub(super) scale: f64,
    /// Transformation of the result.
    pub(super) shape: &'a Shape,
    /// Lengths of the cycles, in the unit of the number; both inputs of a cycle are 0 if the value is missing.
    pub(super) periods: Vec<f64>,
}

/// The meaning of a number.
pub(super) enum Counting<'a> {
    /// The number in the file, written with a decimal point and nothing else.
    Plain,
    /// A number in another form, such as `1.234,50 €`.
    Form(NumberForm),
    /// Days or seconds of a date or time.
    Date(&'a DateForm),
}

/// The meaning of the outputs of the networks.
pub(super) struct Head<'a> {
    /// Classes, or units of the numbers.
    pub(super) target: &'a Target,
    /// From outputs to probabilities or numbers.
    pub(super) link: Link,
    /// Outputs of a network.
    pub(super) outputs: usize,
    /// Members of a network.
    pub(super) members: usize,
    /// The factor of logits.
    pub(super) factor: f32,
    /// The probability above which the second of two classes is predicted.
    pub(super) threshold: f64,
}

impl<'a> ExportPlan<'a> {
    /// The plan of a model.
    pub(super) fn of(model: &'a Model) -> ExportPlan<'a> {
        let card = &model.card;
        let rows = match &card.preprocessing {
            Preprocessing::Table(table) => {
                let mut at = 0;
                let mut numbers: HashMap<&str, usize> = HashMap::new();
                let column = |feature: &'a Feature| {
                    at += feature.width();
                    let (known, next) = (numbers.len(), numbers.len() + 1);
                    let number = *numbers.entry(&feature.column).or_insert(next);
                    PlannedColumn {
                        name: &feature.column,
                        number,
                        is_first: number > known,
                        at: at - feature.width(),
                        missing: &table.missing,
                        what: what(feature),
                    }
                };
                RowKind::Columns(table.features.iter().map(column).collect())
            }
            Preprocessing::Images(images) => RowKind::Images { shape: &images.shape, scale: images.scale },
        };
        let mut networks = model.networks().map(|network| network.named());
        if card.forms.is_empty() {
            let all = networks.collect();
            return ExportPlan::of_networks(model, (rows, &card.architecture), all, card.decision.factor());
        }
        let form = |form: &NetworkForm| FormPlan {
            from: form.inputs(),
            share: form.weight / form.members as f64,
            plan: ExportPlan::of_networks(
                model,
                (RowKind::Columns(Vec::new()), &form.architecture),
                networks.by_ref().take(form.members).collect(),
                form.factor,
            ),
        };
        let forms = card.forms.iter().map(form).collect();
        let all = ExportPlan::of_networks(model, (rows, &card.architecture), Vec::new(), card.decision.factor());
        ExportPlan { inputs: card.preprocessing.inputs(), forms, ..all }
    }

    /// The plan of networks of one form, whose logits are multiplied by `factor`.
    fn of_networks(
        model: &'a Model,
        (rows, architecture): (RowKind<'a>, &Architecture),
        networks: Vec<Vec<NamedTensor>>,
        factor: f32,
    ) -> ExportPlan<'a> {
        let card = &model.card;
        let target = card.preprocessing.target();
        let network = architecture.network();
        let (graph, inputs) = (network.graph(), network.inputs);
        ExportPlan {
            rows,
            inputs,
            widths: graph.widths(inputs),
            graph,
            networks,
            forms: Vec::new(),
            head: Head {
                target,
                link: card.loss.link(target.task == Task::Multiclass),
                outputs: target.outputs(),
                members: network.members(),
                factor,
                threshold: card.decision.threshold(),
            },
        }
    }

    /// Different raw columns, each with its name of these; none of images.
    pub(super) fn named<'p>(
        &'p self,
        names: &'p [String],
    ) -> impl Iterator<Item = (&'p PlannedColumn<'a>, &'p String)> {
        self.columns().iter().zip(names).filter(|(column, _)| column.is_first)
    }

    /// The raw columns; empty for images.
    pub(super) fn columns(&self) -> &[PlannedColumn<'a>] {
        match &self.rows {
            RowKind::Columns(columns) => columns,
            RowKind::Images { .. } => &[],
        }
    }

    /// Learnt numbers of a network with the order `[members, columns, rows]`, restricted to the columns in use, so that a
    /// product is a sum over lines.
    pub(super) fn by_columns(&self, network: usize, learnt: &Learnt) -> Vec<f32> {
        let all = &self.networks[network][learnt.tensor].values;
        let size = learnt.rows * learnt.columns;
        let stack = match learnt.of {
            Of::Whole | Of::Member => &all[..],
            Of::Number(number) => &all[number * size..(number + 1) * size],
        };
        let of = |one: &[f32]| {
            let column = |column: usize| (0..learnt.rows).map(move |row| row * learnt.columns + column);
            learnt.within.clone().flat_map(column).map(|at| one[at]).collect::<Vec<f32>>()
        };
        stack.chunks_exact(size).flat_map(of).collect()
    }

    /// Number of parameters of all networks.
    pub(super) fn parameters(&self) -> usize {
        let own: usize = self.networks.iter().flatten().map(|tensor| tensor.values.len()).sum();
        own + self.forms.iter().map(|form| form.plan.parameters()).sum::<usize>()
    }
}

fn what(feature: &Feature) -> What<'_> {
    let plain = if feature.form.is_plain() { Counting::Plain } else { Counting::Form(feature.form) };
    let (counts, (fill, indicator, center, scale, shape), periods) = match &feature.encoding {
        Encoding::Number { fill, indicator, center, scale, shape } => {
            (plain, (*fill, *indicator, *center, *scale, shape), Vec::new())
        }
        Encoding::Date { form, cycles, fill, indicator, center, scale, shape } => {
            let period = |cycle: &Cycle| cycle.days() * if form.unit == DateUnit::Days { 1.0 } else { 86_400.0 };
            let numbers = (*fill, *indicator, *center, *scale, shape);
            (Counting::Date(form), numbers, cycles.iter().map(period).collect())
        }
        Encoding::Category { .. } => return What::Category(feature.places().expect("the column is a category")),
    };
    What::Number(NumberSteps { counts, fill, indicator, center, scale, shape, periods })
}

impl Head<'_> {
    /// Whether one output stands for two classes or a label.
    pub(super) fn two_ways(&self) -> bool {
        matches!(self.target.task, Task::Binary | Task::Multilabel)
    }
}

impl Counting<'_> {
    /// What a number counts where the file has a text that must be parsed first.
    pub(super) fn parsed(&self) -> Option<&'static str> {
        Some(match self {
            Counting::Plain => return None,
            Counting::Form(_) => "the value of the text",
            Counting::Date(form) => match form.unit {
                DateUnit::Days => "days since 1970-01-01",
                DateUnit::Seconds => "seconds since 1970-01-01 00:00",
                DateUnit::Clock => "seconds since midnight",
            },
        })
    }

    /// How the texts are written, in words for a user.
    pub(super) fn written(&self) -> String {
        match self {
            Counting::Plain => "a number".to_owned(),
            Counting::Form(form) => {
                let mut sample = match (form.thousands, form.decimal_comma) {
                    (Some(separator), comma) => format!("1{separator}234{}5", if comma { ',' } else { '.' }),
                    (None, true) => "1234,5".to_owned(),
                    (None, false) => "-1234.5".to_owned(),
                };
                sample.extend(form.sign);
                format!("a number such as {sample}")
            }
            Counting::Date(form) if form.is_iso() => "a date of ISO 8601".to_owned(),
            Counting::Date(form) if form.unit == DateUnit::Clock => format!("a time as {}", form.pattern),
            Counting::Date(form) => format!("a date as {}, or of ISO 8601", form.pattern),
        }
    }
}
