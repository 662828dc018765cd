//! A model as JSON: everything from which a predictor can be written. `docs/export.md` describes the layout.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::plan::{Counting, ExportPlan, Head, NumberSteps, PlannedColumn, RowKind, What};
use crate::data::{DateUnit, Inputs, Keys, Places, Shape};
use crate::layer::graph::{Learnt, Node, Of, Operand};
use crate::model::{Model, NamedTensor};
use crate::nn::Link;

/// Version of the layout.
const VERSION: u32 = 1;

/// Writes a model. Tensors are written one by one, so memory holds the text of only one.
pub(super) fn write(model: &Model, out: &mut dyn Write) -> io::Result<()> {
    let plan = ExportPlan::of(model);
    let rows = match &plan.rows {
        RowKind::Columns(columns) => json!({"columns": columns.iter().map(column).collect::<Vec<_>>()}),
        RowKind::Images { shape, scale } => json!({"images": {"shape": shape, "scale": scale}}),
    };
    let nodes: Vec<Value> = plan.graph.nodes.iter().map(|node| node_json(node, &plan)).collect();
    let parts = [
        ("format", json!("gradlane")),
        ("version", json!(VERSION)),
        ("weights_sha256", json!(model.sha256())),
        ("rows", rows),
        ("graph", json!({"inputs": plan.inputs, "nodes": nodes, "output": plan.graph.output.number()})),
        ("head", head(&plan.head)),
        ("card", json!(model.card)),
    ];
    out.write_all(b"{")?;
    for (name, value) in parts {
        writeln!(out, "\"{name}\":{value},")?;
    }
    out.write_all(b"\"networks\":[")?;
    for (number, network) in plan.networks.iter().enumerate() {
        out.write_all(if number == 0 { b"{" } else { b",\n{" })?;
        tensors(network, out)?;
        out.write_all(b"}")?;
    }
    out.write_all(b"]}\n")
}

fn tensors(network: &[NamedTensor], out: &mut dyn Write) -> io::Result<()> {
    for (number, NamedTensor { name, shape, values }) in network.iter().enumerate() {
        out.write_all(if number == 0 { b"" } else { b",\n" })?;
        write!(out, "{}:{{\"shape\":{},\"values\":", json!(name), json!(shape))?;
        serde_json::to_writer(&mut *out, values)?;
        out.write_all(b"}")?;
    }
    Ok(())
}

fn column(column: &PlannedColumn<'_>) -> Value {
    let PlannedColumn { name, at, missing, what, .. } = column;
    let what = match what {
        What::Number(number) => number_json(number),
        What::Category(places) => category_json(places),
    };
    let mut object = json!({"name": name, "at": at, "missing": missing.texts()});
    if let (Value::Object(object), Value::Object(what)) = (&mut object, what) {
        object.extend(what);
    }
    object
}

fn number_json(number: &NumberSteps<'_>) -> Value {
    let NumberSteps { counts, fill, indicator, center, scale, shape, periods } = number;
    let counts = match counts {
        Counting::Plain => json!("plain"),
        Counting::Form(form) => json!(form),
        Counting::Date(form) => json!({"pattern": form.pattern, "unit": unit(form.unit)}),
    };
    let shape = match shape {
        Shape::Line => json!("line"),
        Shape::SmoothClip => json!("smooth_clip"),
        Shape::Normal(quantiles) => json!({"normal": quantiles}),
    };
    json!({
        "kind": "number", "counts": counts, "fill": fill, "indicator": indicator, "center": center, "scale": scale,
        "shape": shape, "periods": periods,
    })
}

fn unit(unit: DateUnit) -> &'static str {
    match unit {
        DateUnit::Days => "days",
        DateUnit::Seconds => "seconds",
        DateUnit::Clock => "clock",
    }
}

fn category_json(places: &Places) -> Value {
    let Places { keys, other, missing, count, inputs } = places;
    let keys = match keys {
        Keys::Numbers(numbers) => json!({"numbers": numbers}),
        Keys::Texts { exact, normal } => json!({"texts": exact, "normal": normal}),
    };
    let inputs = match inputs {
        Inputs::Each(pairs) => json!({"each": pairs}),
        Inputs::One(values) => json!({"one": values}),
    };
    json!({
        "kind": "category", "keys": keys, "other_place": other, "missing_place": missing, "places": count, "inputs": inputs,
    })
}

fn learnt(learnt: &Learnt, plan: &ExportPlan<'_>) -> Value {
    let Learnt { tensor, of, rows, columns, within } = learnt;
    let of = match of {
        Of::Whole => json!("whole"),
        Of::Member => json!("member"),
        Of::Number(number) => json!(number),
    };
    let name = &plan.networks[0][*tensor].name;
    json!({"tensor": name, "of": of, "rows": rows, "columns": columns, "within": [within.start, within.end]})
}

fn operand(operand: &Operand, plan: &ExportPlan<'_>) -> Value {
    match operand {
        Operand::Value(value) => json!({"value": value.number()}),
        Operand::Learnt(numbers) => json!({"learnt": learnt(numbers, plan)}),
        Operand::Numbers(numbers) => json!({"numbers": numbers}),
        Operand::Number(number) => json!({"number": number}),
    }
}

fn node_json(node: &Node, plan: &ExportPlan<'_>) -> Value {
    // JSON has no infinite numbers, so a missing bound is null.
    let bound = |bound: f64| bound.is_finite().then_some(bound);
    match node {
        Node::Input => json!({"op": "input"}),
        Node::Product(x, w) => json!({"op": "product", "x": x.number(), "w": learnt(w, plan)}),
        Node::Plus(x, b) => json!({"op": "plus", "x": x.number(), "b": operand(b, plan)}),
        Node::Times(x, b) => json!({"op": "times", "x": x.number(), "b": operand(b, plan)}),
        Node::Function(x, f) => json!({"op": "function", "x": x.number(), "f": f}),
        Node::Cosine(x) => json!({"op": "cosine", "x": x.number()}),
        Node::Hold(x, bounds) => {
            let bounds: Vec<_> = bounds.iter().map(|(least, most)| [bound(*least), bound(*most)]).collect();
            json!({"op": "hold", "x": x.number(), "bounds": bounds})
        }
        Node::Normalise(x, norm) => {
            json!({"op": "normalise", "x": x.number(), "norm": norm.kind.to_string(), "eps": norm.eps})
        }
        Node::Select(x, features) => json!({"op": "select", "x": x.number(), "features": features}),
        Node::Join(parts) => json!({"op": "join", "parts": parts.iter().map(|part| part.number()).collect::<Vec<_>>()}),
        Node::Sum(x) => json!({"op": "sum", "x": x.number()}),
        Node::Lookup(x, w) => json!({"op": "lookup", "x": x.number(), "w": learnt(w, plan)}),
        Node::Expand(x, members) => json!({"op": "expand", "x": x.number(), "members": members}),
    }
}

fn head(head: &Head<'_>) -> Value {
    let link = match head.link {
        Link::Identity => "identity",
        Link::Sigmoid => "sigmoid",
        Link::Softmax => "softmax",
        Link::Exp => "exp",
    };
    json!({
        "target": head.target, "link": link, "outputs": head.outputs, "members": head.members, "factor": head.factor,
        "threshold": head.threshold,
    })
}
