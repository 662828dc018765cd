//! From raw columns to the inputs of a network, as ONNX nodes. All number columns are one matrix of doubles.

use std::collections::BTreeMap;

use super::nodes::{AttributeValue, Name, OnnxNodes};
use super::normal::normal;
use super::proto::ElementType;
use super::texts::place_of_text;
use super::words::{BLANKS, ReadCell, literal};
use super::{dates, numerals};
use crate::data::shape::BOUND;
use crate::data::{Inputs, Keys, Places, Shape, parse_number};
use crate::export::plan::{Counting, ExportPlan, NumberSteps, PlannedColumn, RowKind, What};

/// Beyond this value a smooth clip has reached its bound in double precision; squares of it are still finite.
const FAR: f64 = 1e100;

/// Inputs that are computed together, and their places among those of the network.
type Piece = (Name, Vec<usize>);

/// The inputs of a network, for each row.
pub(super) struct PreparedInputs {
    /// 32-bit floats.
    pub(super) inputs: Name,
    /// Whether a cell of the row cannot be read, or is infinite, `[N, 1]`; none where there are no numbers.
    pub(super) unreadable: Option<Name>,
}

/// Adds the inputs of a network; `names` are those of the raw columns.
pub(super) fn inputs(plan: &ExportPlan<'_>, names: &[Name], nodes: &mut OnnxNodes) -> PreparedInputs {
    let columns = match &plan.rows {
        RowKind::Columns(columns) => columns,
        RowKind::Images { scale, .. } => {
            return PreparedInputs { inputs: image(&names[0], plan.inputs, *scale, nodes), unreadable: None };
        }
    };
    let mut pieces = Vec::new();
    let named = || columns.iter().zip(names);
    // A column may be listed several times; its cells are read once.
    let mut texts: BTreeMap<usize, ReadCell> = BTreeMap::new();
    let mut numbers: Vec<(&PlannedColumn<'_>, &NumberSteps<'_>, Name)> = Vec::new();
    for (column, name) in named() {
        if let What::Number(number) = &column.what {
            let raw = if reads_text(&number.counts) {
                let read = texts.entry(column.number).or_insert_with(|| read_text(column, &number.counts, name, nodes));
                read.value.clone()
            } else {
                name.clone()
            };
            numbers.push((column, number, raw));
        }
    }
    let mut unreadable = None;
    if !numbers.is_empty() {
        let infinite = number_pieces(&numbers, nodes, &mut pieces);
        let all = texts.values().map(|read| &read.unreadable).fold(infinite, |all, one| nodes.op("Or", &[&all, one]));
        unreadable = Some(all);
    }
    for (column, name) in named() {
        if let What::Category(places) = &column.what {
            let place = place(column, places, name, nodes);
            let inputs = inputs_of_place(&places.inputs, &place, nodes);
            let width = if let Inputs::Each(pairs) = &places.inputs { pairs.len() } else { 1 };
            pieces.push((inputs, (column.at..column.at + width).collect()));
        }
    }
    PreparedInputs { inputs: in_order(&pieces, nodes), unreadable }
}

/// Whether the cells of a column are texts that ONNX reads as numbers.
pub(super) fn reads_text(counts: &Counting<'_>) -> bool {
    match counts {
        Counting::Plain => false,
        Counting::Form(_) => true,
        Counting::Date(form) => dates::is_known(form),
    }
}

/// Reads the text cells of a column.
fn read_text(column: &PlannedColumn<'_>, counts: &Counting<'_>, name: &Name, nodes: &mut OnnxNodes) -> ReadCell {
    let is_date = matches!(counts, Counting::Date(_));
    // Texts that are numbers mean nothing in a column of dates.
    let markers = column.missing.texts().iter().filter(|text| !is_date || parse_number(text).is_none());
    let markers: Vec<String> = markers.map(|text| literal(text)).collect();
    let missing =
        nodes.matches(name, &format!("{BLANKS}(?:{}){BLANKS}", [vec![String::new()], markers].concat().join("|")));
    match counts {
        Counting::Date(form) => dates::read(form, name, &missing, nodes),
        Counting::Form(form) => numerals::read(*form, name, &missing, nodes),
        Counting::Plain => unreachable!("plain numbers are no texts"),
    }
}

/// Bytes, times the scale.
fn image(name: &Name, inputs: usize, scale: f32, nodes: &mut OnnxNodes) -> Name {
    let shape = nodes.integers(&[-1, inputs as i64]);
    let bytes = nodes.cast(name, ElementType::Float);
    let flat = nodes.op("Reshape", &[&bytes, &shape]);
    let scale = nodes.floats(&[], &[scale]);
    nodes.op("Mul", &[&flat, &scale])
}

/// Joins all pieces, and puts each input in its place.
fn in_order(pieces: &[Piece], nodes: &mut OnnxNodes) -> Name {
    let all = nodes.join(&pieces.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>());
    let places: Vec<usize> = pieces.iter().flat_map(|(_, places)| places.iter().copied()).collect();
    let mut order = vec![0; places.len()];
    places.iter().enumerate().for_each(|(at, place)| order[*place] = at);
    if order.iter().enumerate().all(|(at, from)| at == *from) { all } else { nodes.gather(&all, &order) }
}

/// The inputs of all number columns. Returns whether a row has an infinite number, `[N, 1]`.
fn number_pieces(
    columns: &[(&PlannedColumn<'_>, &NumberSteps<'_>, Name)],
    nodes: &mut OnnxNodes,
    pieces: &mut Vec<Piece>,
) -> Name {
    let raw = nodes.join(&columns.iter().map(|(.., raw)| raw.clone()).collect::<Vec<_>>());
    let raw = marked(&raw, columns, nodes);
    let infinite = nodes.op("IsInf", &[&raw]);
    let infinite = nodes.any(&infinite);
    let missing = nodes.op("IsNaN", &[&raw]);
    let scaled = scaled(&raw, &missing, columns, nodes);
    let with = |wanted: &dyn Fn(&NumberSteps<'_>) -> bool| -> Vec<usize> {
        (0..columns.len()).filter(|at| wanted(columns[*at].1)).collect()
    };
    let places = |of: &[usize]| of.iter().map(|at| columns[*at].0.at).collect::<Vec<_>>();
    let lines = with(&|n| *n.shape == Shape::Line);
    let clips = with(&|n| *n.shape == Shape::SmoothClip);
    let normals = with(&|n| matches!(n.shape, Shape::Normal(_)));
    let some = |of: &[usize], x: &Name, nodes: &mut OnnxNodes| {
        if of.len() == columns.len() { x.clone() } else { nodes.gather(x, of) }
    };
    if !lines.is_empty() {
        let z = some(&lines, &scaled, nodes);
        pieces.push((nodes.cast(&z, ElementType::Float), places(&lines)));
    }
    if !clips.is_empty() {
        let z = some(&clips, &scaled, nodes);
        let z = smooth_clip(&z, nodes);
        pieces.push((nodes.cast(&z, ElementType::Float), places(&clips)));
    }
    if !normals.is_empty() {
        let z = some(&normals, &scaled, nodes);
        let shapes: Vec<&Shape> = normals.iter().map(|at| columns[*at].1.shape).collect();
        let z = normal(&z, &shapes, nodes);
        pieces.push((nodes.cast(&z, ElementType::Float), places(&normals)));
    }
    waves(columns, (&raw, &missing), nodes, pieces);
    let indicators = with(&|n| n.indicator);
    if !indicators.is_empty() {
        let flags = nodes.cast(&missing, ElementType::Float);
        let last = |at: &usize| columns[*at].0.at + 1 + 2 * columns[*at].1.periods.len();
        pieces.push((some(&indicators, &flags, nodes), indicators.iter().map(last).collect()));
    }
    infinite
}

/// Numbers with missing ones filled in, centred and scaled.
fn scaled(
    raw: &Name,
    missing: &Name,
    columns: &[(&PlannedColumn<'_>, &NumberSteps<'_>, Name)],
    nodes: &mut OnnxNodes,
) -> Name {
    let row = |of: &dyn Fn(&NumberSteps<'_>) -> f64, nodes: &mut OnnxNodes| {
        let values: Vec<f64> = columns.iter().map(|(_, number, _)| of(number)).collect();
        nodes.doubles(&[1, values.len()], &values)
    };
    let (fill, center, scale) = (row(&|n| n.fill, nodes), row(&|n| n.center, nodes), row(&|n| n.scale, nodes));
    let filled = nodes.op("Where", &[missing, &fill, raw]);
    let centred = nodes.op("Sub", &[&filled, &center]);
    nodes.op("Div", &[&centred, &scale])
}

/// Replaces numbers that stand for a missing value by NaN.
fn marked(raw: &Name, columns: &[(&PlannedColumn<'_>, &NumberSteps<'_>, Name)], nodes: &mut OnnxNodes) -> Name {
    let of: Vec<Vec<f64>> = columns.iter().map(|(column, ..)| column.missing_numbers()).collect();
    let mut raw = raw.clone();
    for at in 0..of.iter().map(Vec::len).max().unwrap_or(0) {
        // NaN equals nothing.
        let markers: Vec<f64> = of.iter().map(|markers| markers.get(at).copied().unwrap_or(f64::NAN)).collect();
        let (markers, nan) = (nodes.doubles(&[1, markers.len()], &markers), nodes.double(f64::NAN));
        let is_one = nodes.op("Equal", &[&raw, &markers]);
        raw = nodes.op("Where", &[&is_one, &nan, &raw]);
    }
    raw
}

/// `z / √(1 + (z / 3)²)`.
fn smooth_clip(z: &Name, nodes: &mut OnnxNodes) -> Name {
    let z = nodes.held(z, -FAR, FAR);
    let (bound, one) = (nodes.double(BOUND), nodes.double(1.0));
    let share = nodes.op("Div", &[&z, &bound]);
    let square = nodes.op("Mul", &[&share, &share]);
    let sum = nodes.op("Add", &[&square, &one]);
    let root = nodes.op("Sqrt", &[&sum]);
    nodes.op("Div", &[&z, &root])
}

/// Sine and cosine of the position of dates in their cycles; 0 if the date is missing.
fn waves(
    columns: &[(&PlannedColumn<'_>, &NumberSteps<'_>, Name)],
    (raw, missing): (&Name, &Name),
    nodes: &mut OnnxNodes,
    pieces: &mut Vec<Piece>,
) {
    let (mut of, mut periods, mut places) = (Vec::new(), Vec::new(), Vec::new());
    for (at, (column, number, _)) in columns.iter().enumerate() {
        for (cycle, period) in number.periods.iter().enumerate() {
            of.push(at);
            periods.push(*period);
            places.push(column.at + 1 + 2 * cycle);
        }
    }
    if of.is_empty() {
        return;
    }
    let (dates, missing) = (nodes.gather(raw, &of), nodes.gather(missing, &of));
    let zero = nodes.double(0.0);
    let dates = nodes.op("Where", &[&missing, &zero, &dates]);
    let periods = nodes.doubles(&[1, periods.len()], &periods);
    let turns = nodes.op("Div", &[&dates, &periods]);
    let whole = nodes.op("Floor", &[&turns]);
    let phase = nodes.op("Sub", &[&turns, &whole]);
    let turn = nodes.double(std::f64::consts::TAU);
    let phase = nodes.op("Mul", &[&phase, &turn]);
    let phase = nodes.cast(&phase, ElementType::Float);
    let none = nodes.float(0.0);
    for (wave, offset) in [("Sin", 0), ("Cos", 1)] {
        let value = nodes.op(wave, &[&phase]);
        let value = nodes.op("Where", &[&missing, &none, &value]);
        pieces.push((value, places.iter().map(|place| place + offset).collect()));
    }
}

/// The place of each cell of a category, `[rows, 1]` whole numbers.
fn place(column: &PlannedColumn<'_>, of: &Places, name: &Name, nodes: &mut OnnxNodes) -> Name {
    let numbers = match &of.keys {
        Keys::Numbers(numbers) => numbers,
        Keys::Texts { .. } => return place_of_text(of, column.missing, name, nodes),
    };
    let mut place = nodes.integer(of.other as i64);
    let one_place = |at: usize, nodes: &mut OnnxNodes| nodes.integer(at as i64);
    if !numbers.is_empty() {
        let values: Vec<f64> = numbers.iter().map(|(value, _)| *value).collect();
        let values = nodes.doubles(&[1, numbers.len()], &values);
        let same = nodes.op("Equal", &[name, &values]);
        let any = nodes.any(&same);
        let same = nodes.cast(&same, ElementType::Integer);
        let places = nodes.integers(&numbers.iter().map(|(_, place)| *place as i64).collect::<Vec<_>>());
        let found = nodes.op("Mul", &[&same, &places]);
        let found = nodes.sum(&found);
        place = nodes.op("Where", &[&any, &found, &place]);
    }
    for marker in column.missing_numbers() {
        let (marker, missing) = (nodes.double(marker), one_place(of.missing, nodes));
        let is_one = nodes.op("Equal", &[name, &marker]);
        place = nodes.op("Where", &[&is_one, &missing, &place]);
    }
    let (nan, missing) = (nodes.op("IsNaN", &[name]), one_place(of.missing, nodes));
    nodes.op("Where", &[&nan, &missing, &place])
}

/// The inputs of a category, 32-bit floats.
fn inputs_of_place(inputs: &Inputs, place: &Name, nodes: &mut OnnxNodes) -> Name {
    match inputs {
        Inputs::One(values) => {
            let values = nodes.floats(&[values.len()], values);
            nodes.op_with("Gather", &[&values, place], vec![("axis", AttributeValue::Integer(0))])
        }
        Inputs::Each(pairs) => {
            let places = nodes.integers(&(0..pairs.len() as i64).collect::<Vec<_>>());
            let taken = nodes.op("Equal", &[place, &places]);
            let list = |which: usize| pairs.iter().map(|pair| pair[which]).collect::<Vec<f32>>();
            let (without, with) = (nodes.floats(&[pairs.len()], &list(0)), nodes.floats(&[pairs.len()], &list(1)));
            nodes.op("Where", &[&taken, &with, &without])
        }
    }
}
