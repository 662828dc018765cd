//! The transformation to a normal distribution: the share of training rows below a value, then its normal quantile, in doubles.

use super::nodes::{Name, OnnxNodes};
use super::proto::ElementType;
use crate::data::Shape;
use crate::data::normal::{CENTRE, Rational, SIDES, TAILS};
use crate::data::shape::LEAST_SHARE;

/// `Φ⁻¹` of the shares of columns `[rows, columns]`, each by its own quantiles.
pub(super) fn normal(z: &Name, shapes: &[&Shape], nodes: &mut OnnxNodes) -> Name {
    let mut shares = Vec::with_capacity(shapes.len());
    for (at, shape) in shapes.iter().enumerate() {
        if let Shape::Normal(quantiles) = shape {
            let x = if shapes.len() == 1 { z.clone() } else { nodes.gather(z, &[at]) };
            shares.push(share_below(&x, quantiles, nodes));
        }
    }
    let shares = nodes.join(&shares);
    let shares = nodes.held(&shares, LEAST_SHARE, 1.0 - LEAST_SHARE);
    normal_quantile(&shares, nodes)
}

/// The number of elements of a row that satisfy a comparison with `x`, as doubles `[rows, 1]`.
fn count(comparison: &str, row: &Name, x: &Name, nodes: &mut OnnxNodes) -> Name {
    let holds = nodes.op(comparison, &[row, x]);
    let ones = nodes.cast(&holds, ElementType::Double);
    nodes.sum(&ones)
}

/// The share of quantiles below `x`, `[rows, 1]`. At a value of several quantiles it is their middle; between two it is
/// interpolated linearly.
fn share_below(x: &Name, quantiles: &[f64], nodes: &mut OnnxNodes) -> Name {
    let count_of = quantiles.len();
    let row = nodes.doubles(&[1, count_of], quantiles);
    let (below, upto) = (count("Less", &row, x, nodes), count("LessOrEqual", &row, x, nodes));
    let (zero, one, half) = (nodes.double(0.0), nodes.double(1.0), nodes.double(0.5));
    let (all, last) = (nodes.double(count_of as f64), nodes.double((count_of - 1) as f64));
    // Between two quantiles; clamped so that there always are two.
    let at = nodes.held(&below, 1.0, (count_of - 1) as f64);
    let before = nodes.op("Sub", &[&at, &one]);
    let list = nodes.doubles(&[count_of], quantiles);
    let quantile = |at: &Name, nodes: &mut OnnxNodes| {
        let at = nodes.cast(at, ElementType::Integer);
        nodes.op("Gather", &[&list, &at])
    };
    let (low, high) = (quantile(&before, nodes), quantile(&at, nodes));
    let (above, width) = (nodes.op("Sub", &[x, &low]), nodes.op("Sub", &[&high, &low]));
    let part = nodes.op("Div", &[&above, &width]);
    let between = nodes.op("Add", &[&before, &part]);
    // Exactly at a quantile, or at several equal ones.
    let middle = nodes.op("Add", &[&below, &upto]);
    let middle = nodes.op("Sub", &[&middle, &one]);
    let middle = nodes.op("Mul", &[&middle, &half]);
    let is_one = nodes.op("Greater", &[&upto, &below]);
    let place = nodes.op("Where", &[&is_one, &middle, &between]);
    let share = nodes.op("Div", &[&place, &last]);
    // At either end, unless several quantiles are equal there.
    let equal = nodes.op("Sub", &[&upto, &below]);
    let alone = nodes.op("LessOrEqual", &[&equal, &one]);
    let at_end = nodes.op("Equal", &[&upto, &all]);
    let at_end = nodes.op("And", &[&at_end, &alone]);
    let share = nodes.op("Where", &[&at_end, &one, &share]);
    let at_begin = nodes.op("Equal", &[&below, &zero]);
    let at_begin = nodes.op("And", &[&at_begin, &alone]);
    nodes.op("Where", &[&at_begin, &zero, &share])
}

/// The quantile of the normal distribution, by the three ratios of [`crate::data::normal`].
fn normal_quantile(p: &Name, nodes: &mut OnnxNodes) -> Name {
    let (half, zero, one) = (nodes.double(0.5), nodes.double(0.0), nodes.double(1.0));
    let q = nodes.op("Sub", &[p, &half]);
    let distance = nodes.op("Abs", &[&q]);
    let (square, most) = (nodes.op("Mul", &[&q, &q]), nodes.double(0.180_625));
    let centre = nodes.op("Sub", &[&most, &square]);
    let centre = ratio(&centre, &CENTRE, nodes);
    let centre = nodes.op("Mul", &[&q, &centre]);
    let rest = nodes.op("Sub", &[&one, p]);
    let smaller = nodes.op("Min", &[p, &rest]);
    let log = nodes.op("Log", &[&smaller]);
    let log = nodes.op("Neg", &[&log]);
    let r = nodes.op("Sqrt", &[&log]);
    let side = |from: f64, of: &Rational, nodes: &mut OnnxNodes| {
        let from = nodes.double(from);
        let x = nodes.op("Sub", &[&r, &from]);
        ratio(&x, of, nodes)
    };
    let (sides, tails) = (side(1.6, &SIDES, nodes), side(5.0, &TAILS, nodes));
    let bound = nodes.double(5.0);
    let is_side = nodes.op("LessOrEqual", &[&r, &bound]);
    let size = nodes.op("Where", &[&is_side, &sides, &tails]);
    let below = nodes.op("Less", &[&q, &zero]);
    let minus = nodes.op("Neg", &[&size]);
    let outer = nodes.op("Where", &[&below, &minus, &size]);
    let near = nodes.double(0.425);
    let is_near = nodes.op("LessOrEqual", &[&distance, &near]);
    nodes.op("Where", &[&is_near, &centre, &outer])
}

/// A ratio of two polynomials: powers of `x` times both lists of coefficients.
fn ratio(x: &Name, [above, below]: &Rational, nodes: &mut OnnxNodes) -> Name {
    let axis = nodes.integers(&[-1]);
    let column = nodes.op("Unsqueeze", &[x, &axis]);
    let exponents: Vec<f64> = (0..above.len()).map(|n| n as f64).collect();
    let exponents = nodes.doubles(&[exponents.len()], &exponents);
    let powers = nodes.op("Pow", &[&column, &exponents]);
    let polynomial = |terms: &[f64], nodes: &mut OnnxNodes| {
        let terms = nodes.doubles(&[terms.len()], terms);
        let products = nodes.op("Mul", &[&powers, &terms]);
        let sum = nodes.sum(&products);
        nodes.op("Squeeze", &[&sum, &axis])
    };
    let (above, below) = (polynomial(above, nodes), polynomial(below, nodes));
    nodes.op("Div", &[&above, &below])
}
