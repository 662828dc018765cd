//! ONNX: the whole model with operators of `ai.onnx` 17, or 20 where dates or numbers are read from texts, and of
//! `ai.onnx.ml` 3.

mod dates;
mod head;
mod inputs;
mod network;
mod nodes;
mod normal;
mod numerals;
mod proto;
mod texts;
mod words;

use prost::Message;

use super::plan::{ExportPlan, PlannedColumn, RowKind, What};
use crate::data::Keys;
use crate::option_text::setting;
use crate::{Error, Result};
use nodes::{ML, Name, OnnxNodes};
use proto::{
    ElementType, ModelProto, OnnxDimension, OperatorSet, StringEntry, TensorShape, TensorType, TypeProto, ValueInfo,
};

/// A version of the operators of `ai.onnx`, and the version of the file format that came with it.
struct OnnxVersion {
    opset: i64,
    ir: i64,
}

/// That of ONNX 1.12 (2022).
const PLAIN: OnnxVersion = OnnxVersion { opset: 17, ir: 8 };
/// That of ONNX 1.15 (2023), the first with operators that part texts.
const WITH_TEXTS: OnnxVersion = OnnxVersion { opset: 20, ir: 9 };
/// Version of the operators of `ai.onnx.ml`.
const ML_OPSET: i64 = 3;
/// The name of the dimension of rows in shapes.
const ROWS: &str = "N";
/// Name of the input of an image model.
const IMAGE: &str = "image";
/// Names of the outputs.
const OUTPUTS: [&str; 3] = ["label", "probabilities", "prediction"];
/// The most parameters. Protocol buffers are limited to 2 GiB, and this leaves room for everything except weights.
const MOST_PARAMETERS: usize = (1 << 29) - (1 << 24);

/// The bytes of a model's file, and notes for the user.
///
/// # Errors
/// [`Error::Mismatch`] for a model that is too large.
pub(super) fn encode(plan: &ExportPlan<'_>) -> Result<(Vec<u8>, Vec<String>)> {
    if plan.parameters() > MOST_PARAMETERS {
        let (count, remedy) = (plan.parameters(), setting("to", "npz"));
        let message = format!("an ONNX file ends below 2 GiB, and the model has {count} parameters: try {remedy}");
        return Err(Error::Mismatch(message));
    }
    let names = input_names(plan);
    let prefix = (1..).map(|n| "/".repeat(n)).find(|p| names.iter().all(|name| !name.starts_with(p.as_str())));
    let version = if plan.columns().iter().any(is_read_from_text) { WITH_TEXTS } else { PLAIN };
    let mut nodes = OnnxNodes::new(prefix.expect("names are finite"), version.opset);
    let rows = inputs::inputs(plan, &names, &mut nodes);
    let said = said(plan, &rows.inputs, &mut nodes);
    let mut answers = head::answers(&plan.head, &said, &mut nodes);
    if let Some(unreadable) = &rows.unreadable {
        answers = answers.without(unreadable, &mut nodes);
    }
    let width = if answers.several { vec![plan.head.outputs] } else { Vec::new() };
    let said = if answers.probabilities.is_some() { OUTPUTS[0] } else { OUTPUTS[2] };
    nodes.rename(&answers.said, said);
    let mut output = vec![value_info(said, answers.element, &width, None)];
    if let Some(probabilities) = &answers.probabilities {
        nodes.rename(probabilities, OUTPUTS[1]);
        let classes = plan.head.target.classes.len().max(plan.head.outputs);
        output.push(value_info(OUTPUTS[1], ElementType::Float, &[classes], None));
    }
    let mut graph = nodes.finish();
    graph.name = Some("gradlane".to_owned());
    graph.input = match &plan.rows {
        RowKind::Columns(_) => plan.named(&names).map(|(column, name)| input_of(column, name)).collect(),
        RowKind::Images { shape, .. } => {
            vec![value_info(IMAGE, ElementType::Byte, shape, Some("bytes, 0 to 255".to_owned()))]
        }
    };
    graph.output = output;
    let set = |domain: &str, version| OperatorSet { domain: Some(domain.to_owned()), version: Some(version) };
    let model = ModelProto {
        ir_version: Some(version.ir),
        producer_name: Some("gradlane".to_owned()),
        producer_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        graph: Some(graph),
        opset_import: vec![set("", version.opset), set(ML, ML_OPSET)],
        metadata_props: metadata(plan),
    };
    Ok((model.encode_to_vec(), notes(plan, &names)))
}

/// The combined outputs of all networks, as doubles.
fn said(plan: &ExportPlan<'_>, inputs: &Name, nodes: &mut OnnxNodes) -> Name {
    let outputs = |plan: &ExportPlan<'_>, inputs: &Name, nodes: &mut OnnxNodes| -> Vec<Name> {
        (0..plan.networks.len()).map(|number| network::network(plan, number, inputs, nodes)).collect()
    };
    if plan.forms.is_empty() {
        let outputs = outputs(plan, inputs, nodes);
        return head::mean_of_all(&plan.head, &outputs, nodes);
    }
    let mut voices = Vec::new();
    for form in &plan.forms {
        let whole = form.from == (0..plan.inputs);
        let own = if whole { inputs.clone() } else { nodes.gather(inputs, &form.from.clone().collect::<Vec<_>>()) };
        for output in outputs(&form.plan, &own, nodes) {
            voices.push((head::said_by_one(&form.plan.head, &output, nodes), form.share));
        }
    }
    head::weighted_mean(&plan.head, &voices, nodes)
}

/// The meaning of the columns of `probabilities` or `prediction`, and the task.
fn metadata(plan: &ExportPlan<'_>) -> Vec<StringEntry> {
    let target = plan.head.target;
    let list = |names: &[String]| serde_json::to_string(names).expect("names are JSON");
    let mut entries = vec![("task", target.task.to_string()), ("columns", list(&target.columns))];
    if !target.classes.is_empty() {
        entries.push(("classes", list(&target.classes)));
    }
    let entry = |(key, value): (&str, String)| StringEntry { key: Some(format!("gradlane.{key}")), value: Some(value) };
    entries.into_iter().map(entry).collect()
}

/// Names of the inputs: those of the columns; one with the name of an output gets the prefix `input_`.
fn input_names(plan: &ExportPlan<'_>) -> Vec<Name> {
    if let RowKind::Images { .. } = plan.rows {
        return vec![IMAGE.to_owned()];
    }
    let columns = plan.columns();
    let mut names: Vec<Name> = Vec::with_capacity(columns.len());
    let mut own: Vec<Name> = Vec::with_capacity(columns.len());
    for column in columns {
        if !column.is_first {
            names.push(own[column.number - 1].clone());
            continue;
        }
        let mut name = column.name.to_owned();
        while name.is_empty() || OUTPUTS.contains(&name.as_str()) || names.contains(&name) {
            name.insert_str(0, "input_");
        }
        own.push(name.clone());
        names.push(name);
    }
    names
}

/// Notes for the user: inputs whose name differs from their column, and inputs that take a number where the file has a text.
fn notes(plan: &ExportPlan<'_>, names: &[Name]) -> Vec<String> {
    let mut notes = Vec::new();
    for (column, name) in plan.named(names) {
        if column.name != name {
            notes.push(format!(
                "column \"{}\": its input is called {name}, since ONNX outputs have that name",
                column.name
            ));
        }
        if let What::Number(number) = &column.what
            && let Some(counts) = number.counts.parsed()
            && !is_read_from_text(column)
        {
            notes.push(format!("column \"{}\": its input is a number, {counts}", column.name));
        }
    }
    notes
}

/// Whether the input of a column is a text that is read as a number.
fn is_read_from_text(column: &PlannedColumn<'_>) -> bool {
    matches!(&column.what, What::Number(number) if inputs::reads_text(&number.counts))
}

fn input_of(column: &PlannedColumn<'_>, name: &str) -> ValueInfo {
    let (element, text) = match &column.what {
        What::Number(number) if inputs::reads_text(&number.counts) => {
            (ElementType::Text, format!("{}; empty where missing", number.counts.written()))
        }
        What::Number(number) => {
            let counts = number.counts.parsed().map(|counts| format!("{counts}; ")).unwrap_or_default();
            (ElementType::Double, format!("{counts}NaN where missing"))
        }
        What::Category(places) => match places.keys {
            Keys::Numbers(_) => (ElementType::Double, "a category given by its number; NaN where missing".to_owned()),
            Keys::Texts { .. } => (ElementType::Text, "a category; empty where missing".to_owned()),
        },
    };
    value_info(name, element, &[1], Some(text))
}

/// A value with a row dimension and these sizes.
fn value_info(name: &str, element: ElementType, sizes: &[usize], text: Option<String>) -> ValueInfo {
    let rows = OnnxDimension { dim_value: None, dim_param: Some(ROWS.to_owned()) };
    let size = |size: &usize| OnnxDimension { dim_value: Some(*size as i64), dim_param: None };
    let shape = TensorShape { dim: std::iter::once(rows).chain(sizes.iter().map(size)).collect() };
    let tensor = TensorType { elem_type: Some(element as i32), shape: Some(shape) };
    ValueInfo { name: Some(name.to_owned()), kind: Some(TypeProto { tensor_type: Some(tensor) }), doc_string: text }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::data::Preprocessing;
    use crate::model::{Architecture, Model, Parameters};
    use crate::nn::Activation;

    const ROWS_JSON: &str = r#"{"kind": "table", "columns": ["a", "label", "when", "code", "y"], "named": true,
        "missing": ["NA", "-999"], "features": [
        {"column": "a", "type": "number", "fill": 1.0, "indicator": true, "center": 0.5, "scale": 2.0,
         "shape": {"normal": [0.0, 1.0, 2.0]}},
        {"column": "label", "type": "category", "levels": ["u", "v"], "other": false, "missing": true, "numeric": false},
        {"column": "when", "type": "date", "form": {"pattern": "iso", "unit": "days"}, "cycles": ["week"], "fill": 0.0,
         "indicator": false, "center": 9.0, "scale": 4.0},
        {"column": "code", "type": "category", "levels": ["1", "2"], "other": false, "missing": false, "numeric": true,
         "coding": {"single": [-1.0, 0.0, 1.0]}}],
        "target": {"task": "binary", "columns": ["y"], "classes": ["no", "yes"], "numeric": false}}"#;

    fn model() -> Model {
        let architecture = Architecture {
            inputs: 9,
            hidden: vec![4],
            outputs: 1,
            activations: vec![Activation::Gelu],
            output_activation: Activation::Identity,
            norm: None,
            residual: true,
            dropout: 0.0,
            chain: None,
        };
        let parameters = Parameters::init(&architecture, None, 5);
        let rows = Preprocessing::from_json(ROWS_JSON).unwrap();
        Model::new(architecture, ("bce".parse().unwrap(), 0.0), rows, Vec::new(), parameters)
    }

    /// Nodes are in order, every value is computed once, and inputs and outputs are those of the contract.
    #[test]
    fn a_graph_is_whole() {
        let model = model();
        let (bytes, notes) = encode(&ExportPlan::of(&model)).unwrap();
        let graph = ModelProto::decode(&bytes[..]).unwrap().graph.unwrap();
        let (names, kinds): (Vec<String>, Vec<i32>) = graph
            .input
            .iter()
            .map(|input| {
                (
                    input.name.clone().unwrap(),
                    input.kind.as_ref().unwrap().tensor_type.as_ref().unwrap().elem_type.unwrap(),
                )
            })
            .unzip();
        assert_eq!(names, ["a", "input_label", "when", "code"]);
        assert_eq!(
            kinds,
            [ElementType::Double, ElementType::Text, ElementType::Text, ElementType::Double].map(|e| e as i32)
        );
        assert_eq!(graph.output.iter().map(|o| o.name.clone().unwrap()).collect::<Vec<_>>(), OUTPUTS[..2]);
        assert_eq!(notes.len(), 1, "{notes:?}");
        let mut known: HashSet<String> = names.into_iter().collect();
        for tensor in &graph.initializer {
            assert!(known.insert(tensor.name.clone().unwrap()), "{:?} is made twice", tensor.name);
        }
        for node in &graph.node {
            assert!(node.input.iter().all(|input| known.contains(input)), "{node:?} reads what is not there yet");
            assert!(node.output.iter().all(|output| known.insert(output.clone())), "{node:?} makes a value twice");
        }
        assert!(OUTPUTS[..2].iter().all(|output| known.contains(*output)));
    }
}
