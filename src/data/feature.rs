//! A column as inputs of the network: fitted on training rows, applied to any rows.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::cell::canonical_level;
use super::date::{Cycle, DateForm};
use super::known::{Known, normal_form};
use super::levels::{Coding, LevelOptions, Levels, MOST_NUMBER};
use super::number::NumberForm;
use super::options::{Impute, Scaling};
use super::shape::{Shape, robust};
use super::statistics::NumberSummary;
use super::table::{Column, ColumnKind, MISSING};

/// A column of the file and the inputs that it is converted to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    /// Name of the column.
    pub column: String,
    /// How its cells are converted to inputs.
    #[serde(flatten)]
    pub encoding: Encoding,
    /// How its numbers are written.
    #[serde(default, rename = "numbers", skip_serializing_if = "NumberForm::is_plain")]
    pub form: NumberForm,
    /// Whether cells that are not numbers count as missing, because some cells of the training file did.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lenient: bool,
    /// Statistics of its values in training, with which new values are compared. Older models have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<Known>,
}

/// How the cells of a column are converted to inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Encoding {
    /// `(x − center) / scale`, with `fill` for a missing `x`, transformed by `shape`.
    Number {
        /// Replaces a missing value.
        fill: f64,
        /// Whether there is a second input that is 1 if the value is missing and 0 otherwise. It exists if values were
        /// missing in training.
        indicator: bool,
        /// Subtracted from the value.
        center: f64,
        /// Divides the difference; never 0.
        scale: f64,
        /// Transformation of the result.
        #[serde(default, skip_serializing_if = "Shape::is_line")]
        shape: Shape,
    },
    /// A date or time as a number like `Number`, followed by sine and cosine of its phase in each cycle.
    Date {
        /// How cells are written, and the unit of their values.
        form: DateForm,
        /// Cycles that the training rows cover.
        cycles: Vec<Cycle>,
        /// Replaces a missing value.
        fill: f64,
        /// Whether the last input is 1 if the value is missing and 0 otherwise.
        indicator: bool,
        /// Subtracted from the value.
        center: f64,
        /// Divides the difference; never 0.
        scale: f64,
        /// Transformation of the result.
        #[serde(default, skip_serializing_if = "Shape::is_line")]
        shape: Shape,
    },
    /// One-hot inputs: one for each level, 1 in the rows with this level and 0 elsewhere; or a single input. `coding`
    /// decides.
    ///
    /// A level that did not occur in training counts as `other`, if there is such an input; otherwise it is no level.
    /// The same holds for a missing value if no value was missing in training.
    Category {
        /// Levels with an input or a number of their own. Numbers are sorted by value, text by bytes.
        levels: Vec<String>,
        /// Whether all other levels share an input.
        other: bool,
        /// Whether a missing value is a level.
        missing: bool,
        /// Whether levels are numbers; then `1.0` is level `1`.
        numeric: bool,
        /// Values of the inputs.
        #[serde(default, skip_serializing_if = "Coding::is_zeros_and_ones")]
        coding: Coding,
    },
}

impl Feature {
    /// Number of numbered levels, if the single input is the number of a level.
    pub fn levels(&self) -> Option<usize> {
        match &self.encoding {
            Encoding::Category { levels, other, missing, coding: Coding::Number, .. } => {
                Some(levels.len() + usize::from(*other) + usize::from(*missing))
            }
            _ => None,
        }
    }

    /// Number of inputs.
    pub fn width(&self) -> usize {
        match &self.encoding {
            Encoding::Number { indicator, .. } => 1 + usize::from(*indicator),
            Encoding::Date { cycles, indicator, .. } => 1 + 2 * cycles.len() + usize::from(*indicator),
            Encoding::Category { coding: Coding::Single(_) | Coding::Number, .. } => 1,
            Encoding::Category { levels, other, missing, .. } => {
                levels.len() + usize::from(*other) + usize::from(*missing)
            }
        }
    }

    /// Names of the inputs: `age`, `age=(missing)`, `island=Biscoe`, `island=(other)`.
    pub fn input_names(&self) -> Vec<String> {
        let named = |level: &str| format!("{}={level}", self.column);
        match &self.encoding {
            Encoding::Number { indicator, .. } => {
                std::iter::once(self.column.clone()).chain(indicator.then(|| named("(missing)"))).collect()
            }
            Encoding::Date { cycles, indicator, .. } => {
                let waves = |cycle: &Cycle| ["sin", "cos"].map(|wave| named(&format!("{wave} of {}", cycle.name())));
                let missing = indicator.then(|| named("(missing)"));
                std::iter::once(self.column.clone()).chain(cycles.iter().flat_map(waves)).chain(missing).collect()
            }
            Encoding::Category { levels, coding: Coding::Single(_), .. } => vec![named(&levels[1])],
            Encoding::Category { coding: Coding::Number, .. } => vec![self.column.clone()],
            Encoding::Category { levels, other, missing, .. } => {
                let special = other.then(|| named("(other)")).into_iter().chain(missing.then(|| named("(missing)")));
                levels.iter().map(|level| named(level)).chain(special).collect()
            }
        }
    }

    /// Whether the feature has a shape or coding without which its inputs would differ.
    pub(super) fn is_bent(&self) -> bool {
        match &self.encoding {
            Encoding::Number { shape, .. } | Encoding::Date { shape, .. } => !shape.is_line(),
            Encoding::Category { coding, .. } => !coding.is_zeros_and_ones(),
        }
    }

    /// The inconsistency of a feature that was read from a file, if there is one.
    pub(super) fn contradiction(&self) -> Option<&'static str> {
        match &self.encoding {
            Encoding::Number { scale, .. } | Encoding::Date { scale, .. } if !is_scale(*scale) => {
                Some("the scale of a column is not above 0")
            }
            Encoding::Category { levels, .. } if has_twice(levels) => Some("a column has a level twice"),
            Encoding::Number { shape, .. } | Encoding::Date { shape, .. } => shape.contradiction(),
            Encoding::Category { levels, other, missing, coding, .. } => {
                let inputs = levels.len() + usize::from(*other) + usize::from(*missing);
                let fits = match coding {
                    Coding::ZerosAndOnes => true,
                    Coding::Values(values) => values.len() == inputs,
                    Coding::Single(_) => levels.len() == 2 && !other,
                    Coding::Number => (1..=MOST_NUMBER).contains(&inputs),
                };
                (!fits).then_some("levels and inputs of a column do not fit together")
            }
        }
    }

    /// The kind in which the column is read.
    pub fn kind(&self) -> ColumnKind {
        match &self.encoding {
            Encoding::Number { .. } => ColumnKind::Number(self.form),
            Encoding::Date { form, .. } => ColumnKind::Date(form.clone()),
            Encoding::Category { .. } => ColumnKind::Text,
        }
    }
}

/// Whether a number is a valid divisor: above 0 and finite.
pub(super) fn is_scale(x: f64) -> bool {
    x > 0.0 && x.is_finite()
}

/// Whether a name occurs more than once.
pub(super) fn has_twice<'a>(names: impl IntoIterator<Item = &'a String>) -> bool {
    let mut seen = std::collections::HashSet::new();
    names.into_iter().any(|name| !seen.insert(name))
}

impl Encoding {
    /// Fits a number column to the values of the training rows that are not missing. `indicator`: whether some are
    /// missing.
    ///
    /// If the values have no spread, the scale is 1. `robust` uses the standard deviation if the quartiles are equal.
    pub(super) fn fit_numbers(summary: &NumberSummary, indicator: bool, scale: Scaling, impute: Impute) -> Self {
        let (center, spread) = match scale {
            Scaling::Standard => (summary.mean, summary.sd),
            Scaling::MinMax => (summary.min(), summary.range()),
            Scaling::Robust => {
                let quartiles = summary.quantile(0.75) - summary.quantile(0.25);
                (summary.quantile(0.5), if quartiles > 0.0 { quartiles } else { summary.sd })
            }
            Scaling::RobustClip => robust(|q| summary.quantile(q)),
            Scaling::Quantile | Scaling::None => (0.0, 1.0),
        };
        let fill = match impute {
            Impute::Median => summary.quantile(0.5),
            Impute::Mean => summary.mean,
            Impute::MostFrequent => summary.most_frequent(),
            Impute::Zero => 0.0,
        };
        let shape = if scale == Scaling::RobustClip { Shape::SmoothClip } else { Shape::Line };
        Self::Number { fill, indicator, center, scale: if spread == 0.0 { 1.0 } else { spread }, shape }
    }

    /// Fits a text column to its training rows.
    pub(super) fn fit_levels(codes: &[u32], levels: &[String], rows: &[u32], how: LevelOptions<'_>) -> Self {
        let Levels { own, other, missing, coding } = Levels::fit(codes, levels, rows, how);
        Self::Category { levels: own, other, missing, numeric: how.numeric, coding }
    }
}

/// A feature, prepared for the column that it is applied to.
pub(super) enum ColumnPlan<'a> {
    Number {
        values: &'a [f64],
        fill: f64,
        indicator: bool,
        center: f64,
        scale: f64,
        shape: &'a Shape,
    },
    Date {
        number: Box<ColumnPlan<'a>>,
        form: &'a DateForm,
        cycles: &'a [Cycle],
    },
    Category {
        codes: std::borrow::Cow<'a, [u32]>,
        places: Vec<Option<usize>>,
        missing: Option<usize>,
        coding: &'a Coding,
    },
}

impl<'a> ColumnPlan<'a> {
    /// `None` for a text column if the feature expects numbers.
    pub(super) fn new(feature: &'a Feature, column: &'a Column) -> Option<Self> {
        match (&feature.encoding, column) {
            (Encoding::Number { fill, indicator, center, scale, shape }, Column::Numbers(values)) => {
                let (fill, indicator, center, scale) = (*fill, *indicator, *center, *scale);
                Some(Self::Number { values, fill, indicator, center, scale, shape })
            }
            (Encoding::Date { form, cycles, fill, indicator, center, scale, shape }, Column::Numbers(values)) => {
                let (fill, indicator, center, scale) = (*fill, *indicator, *center, *scale);
                let number = Box::new(Self::Number { values, fill, indicator, center, scale, shape });
                Some(Self::Date { number, form, cycles })
            }
            (Encoding::Number { .. } | Encoding::Date { .. }, Column::Text { .. }) => None,
            (Encoding::Category { levels, other, missing, numeric, coding }, column) => {
                let other_at = other.then_some(levels.len());
                let missing_at = if *missing { Some(levels.len() + usize::from(*other)) } else { other_at };
                let index: HashMap<&str, usize> = levels.iter().enumerate().map(|(i, l)| (l.as_str(), i)).collect();
                let spelled = feature.known.as_ref().map(|known| known.spellings(levels)).unwrap_or_default();
                let place = |level: &String| {
                    let exact = index.get(canonical_level(level, *numeric).as_ref()).copied();
                    exact.or_else(|| spelled.get(&normal_form(level)).copied()).or(other_at)
                };
                let (codes, places) = match column {
                    Column::Text { codes, levels } => (codes.into(), levels.iter().map(place).collect()),
                    Column::Numbers(_) => match column.clone().into_text() {
                        Column::Text { codes, levels } => (codes.into(), levels.iter().map(place).collect()),
                        Column::Numbers(_) => unreachable!("the column is text"),
                    },
                };
                Some(Self::Category { codes, places, missing: missing_at, coding })
            }
        }
    }

    /// Writes the inputs of some rows to `inputs`, which must be zero there. `inputs` has a line of `cols` numbers for
    /// each row; this feature's inputs start at `at`. `row_at` maps a line to the row of the table.
    pub(super) fn write(&self, inputs: &mut [f32], (at, cols): (usize, usize), row_at: impl Fn(usize) -> usize) {
        let lines = inputs.chunks_exact_mut(cols).enumerate().map(|(line, inputs)| (row_at(line), &mut inputs[at..]));
        match self {
            Self::Number { values, fill, indicator, center, scale, shape } => lines.for_each(|(row, inputs)| {
                let value = values[row];
                let missing = value.is_nan();
                inputs[0] = shape.of(((if missing { *fill } else { value }) - center) / scale) as f32;
                if *indicator {
                    inputs[1] = f32::from(u8::from(missing));
                }
            }),
            Self::Date { number, form, cycles } => {
                lines.for_each(|(row, inputs)| number.write_date(row, form, cycles, inputs));
            }
            Self::Category { codes, places, missing, coding } => lines.for_each(|(row, inputs)| {
                let place = if codes[row] == MISSING { *missing } else { places[codes[row] as usize] };
                coding.write(place, inputs);
            }),
        }
    }

    /// Writes the inputs of a date. `self` is its number.
    fn write_date(&self, row: usize, form: &DateForm, cycles: &[Cycle], inputs: &mut [f32]) {
        let Self::Number { values, fill, indicator, center, scale, shape } = self else {
            unreachable!("a date is a number")
        };
        let value = values[row];
        let missing = value.is_nan();
        inputs[0] = shape.of(((if missing { *fill } else { value }) - center) / scale) as f32;
        for (cycle, waves) in cycles.iter().zip(inputs[1..].chunks_exact_mut(2)).filter(|_| !missing) {
            let (sine, cosine) = form.phase(value, *cycle);
            (waves[0], waves[1]) = (sine as f32, cosine as f32);
        }
        if *indicator {
            inputs[1 + 2 * cycles.len()] = f32::from(u8::from(missing));
        }
    }
}
