//! The targets of rows, as a loss takes them.

/// The targets of a network.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// A class index for each row, below `classes`.
    Classes {
        /// Index of each row's class.
        labels: Vec<u32>,
        /// Number of classes.
        classes: usize,
    },
    /// Numbers, row-major `[rows, cols]`: scaled targets of a regression, or 0 and 1 of a multi-label task.
    Values {
        /// `rows · cols` values.
        values: Vec<f32>,
        /// For a regression, the unscaled numbers in the user's units. Figures are computed from these, free of the
        /// rounding of scaled values. `None` if they equal `values`.
        units: Option<Vec<f64>>,
        /// Outputs of the network.
        cols: usize,
    },
}

impl Targets {
    /// Number of rows.
    pub(super) fn rows(&self) -> usize {
        match self {
            Targets::Classes { labels, .. } => labels.len(),
            Targets::Values { values, cols, .. } => values.len() / cols.max(&1),
        }
    }

    /// A copy of the given rows, in the given order.
    pub(super) fn subset(&self, rows: &[u32]) -> Targets {
        match self {
            Targets::Classes { labels, classes } => {
                Targets::Classes { labels: chosen(labels, 1, rows), classes: *classes }
            }
            Targets::Values { values, units, cols } => Targets::Values {
                values: chosen(values, *cols, rows),
                units: units.as_ref().map(|units| chosen(units, *cols, rows)),
                cols: *cols,
            },
        }
    }
}

/// The given rows of a row-major matrix.
pub(super) fn chosen<T: Copy>(values: &[T], cols: usize, rows: &[u32]) -> Vec<T> {
    rows.iter().flat_map(|row| &values[*row as usize * cols..][..cols]).copied().collect()
}
