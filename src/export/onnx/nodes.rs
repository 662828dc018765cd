//! An ONNX graph that is being built.

use super::proto::{Attribute, AttributeType, ElementType, GraphProto, NodeProto, TensorProto};

/// Name of a value.
pub(super) type Name = String;

/// The domain of operators for texts and categories.
pub(super) const ML: &str = "ai.onnx.ml";

/// Nodes and constants, each with a unique name.
pub(super) struct OnnxNodes {
    prefix: String,
    /// Version of the operators of `ai.onnx`.
    opset: i64,
    made: usize,
    graph: GraphProto,
}

/// An attribute of a node.
pub(super) enum AttributeValue {
    Float(f32),
    Integer(i64),
    Integers(Vec<i64>),
    Text(String),
    Texts(Vec<String>),
}

impl OnnxNodes {
    /// An empty graph of operators of this version, whose names begin with `prefix`.
    pub(super) fn new(prefix: String, opset: i64) -> OnnxNodes {
        OnnxNodes { prefix, opset, made: 0, graph: GraphProto::default() }
    }

    fn name(&mut self, what: &str) -> Name {
        self.made += 1;
        format!("{}{what}_{}", self.prefix, self.made)
    }

    /// Adds a node of `ai.onnx` without attributes.
    pub(super) fn op(&mut self, op: &str, inputs: &[&Name]) -> Name {
        self.op_with(op, inputs, Vec::new())
    }

    /// Adds a node of `ai.onnx`.
    pub(super) fn op_with(&mut self, op: &str, inputs: &[&Name], attributes: Vec<(&str, AttributeValue)>) -> Name {
        let output = self.name(op);
        self.named(op, "", inputs, attributes, output.clone());
        output
    }

    /// Adds a node of `ai.onnx.ml`.
    pub(super) fn ml_op(&mut self, op: &str, inputs: &[&Name], attributes: Vec<(&str, AttributeValue)>) -> Name {
        let output = self.name(op);
        self.named(op, ML, inputs, attributes, output.clone());
        output
    }

    /// Renames a value.
    pub(super) fn rename(&mut self, value: &Name, name: &str) {
        self.named("Identity", "", &[value], Vec::new(), name.to_owned());
    }

    fn named(
        &mut self,
        op: &str,
        domain: &str,
        inputs: &[&Name],
        attributes: Vec<(&str, AttributeValue)>,
        output: Name,
    ) {
        self.graph.node.push(NodeProto {
            input: inputs.iter().map(|name| (*name).clone()).collect(),
            name: Some(format!("{output}_node")),
            output: vec![output],
            op_type: Some(op.to_owned()),
            attribute: attributes.into_iter().map(attribute).collect(),
            domain: (!domain.is_empty()).then(|| domain.to_owned()),
        });
    }

    fn constant(&mut self, element: ElementType, dims: &[usize], raw: Vec<u8>) -> Name {
        let name = self.name("constant");
        self.graph.initializer.push(TensorProto {
            dims: dims.iter().map(|size| *size as i64).collect(),
            data_type: Some(element as i32),
            string_data: Vec::new(),
            name: Some(name.clone()),
            raw_data: Some(raw),
        });
        name
    }

    /// Adds 32-bit floats.
    pub(super) fn floats(&mut self, dims: &[usize], values: &[f32]) -> Name {
        self.constant(ElementType::Float, dims, values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// Adds one 32-bit float.
    pub(super) fn float(&mut self, value: f64) -> Name {
        self.floats(&[], &[value as f32])
    }

    /// Adds doubles.
    pub(super) fn doubles(&mut self, dims: &[usize], values: &[f64]) -> Name {
        self.constant(ElementType::Double, dims, values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// Adds one double.
    pub(super) fn double(&mut self, value: f64) -> Name {
        self.doubles(&[], &[value])
    }

    /// Adds a list of whole numbers.
    pub(super) fn integers(&mut self, values: &[i64]) -> Name {
        self.constant(ElementType::Integer, &[values.len()], values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// Adds one whole number.
    pub(super) fn integer(&mut self, value: i64) -> Name {
        self.constant(ElementType::Integer, &[], value.to_le_bytes().to_vec())
    }

    /// Adds a list of texts.
    pub(super) fn texts(&mut self, values: &[String]) -> Name {
        let name = self.name("constant");
        self.graph.initializer.push(TensorProto {
            dims: vec![values.len() as i64],
            data_type: Some(ElementType::Text as i32),
            string_data: values.iter().map(|text| text.clone().into_bytes()).collect(),
            name: Some(name.clone()),
            raw_data: None,
        });
        name
    }

    /// Converts `x` to another type.
    pub(super) fn cast(&mut self, x: &Name, to: ElementType) -> Name {
        self.op_with("Cast", &[x], vec![("to", AttributeValue::Integer(to as i64))])
    }

    /// Elements of a list, or columns of a matrix, by index.
    pub(super) fn gather(&mut self, x: &Name, numbers: &[usize]) -> Name {
        let numbers = self.integers(&numbers.iter().map(|n| *n as i64).collect::<Vec<_>>());
        self.op_with("Gather", &[x, &numbers], vec![("axis", AttributeValue::Integer(-1))])
    }

    /// Concatenates values along the last axis; a single value is returned unchanged.
    pub(super) fn join(&mut self, parts: &[Name]) -> Name {
        if let [only] = parts {
            return only.clone();
        }
        self.op_with("Concat", &parts.iter().collect::<Vec<_>>(), vec![("axis", AttributeValue::Integer(-1))])
    }

    /// Clamps `x` between two doubles.
    pub(super) fn held(&mut self, x: &Name, least: f64, most: f64) -> Name {
        let (least, most) = (self.double(least), self.double(most));
        self.op("Clip", &[x, &least, &most])
    }

    /// The sum over the last axis, which is kept with one element.
    pub(super) fn sum(&mut self, x: &Name) -> Name {
        let axis = self.integers(&[-1]);
        self.op("ReduceSum", &[x, &axis])
    }

    /// The mean over an axis, which is kept with one element if `keeps` is 1.
    pub(super) fn mean(&mut self, x: &Name, axis: i64, keeps: i64) -> Name {
        let keeps = ("keepdims", AttributeValue::Integer(keeps));
        if self.opset < 18 {
            return self.op_with("ReduceMean", &[x], vec![("axes", AttributeValue::Integers(vec![axis])), keeps]);
        }
        let axis = self.integers(&[axis]);
        self.op_with("ReduceMean", &[x, &axis], vec![keeps])
    }

    /// Whether a condition holds for an element of the last axis, which is kept with one element.
    pub(super) fn any(&mut self, conditions: &Name) -> Name {
        let held = self.cast(conditions, ElementType::Integer);
        let (count, zero) = (self.sum(&held), self.integer(0));
        self.op("Greater", &[&count, &zero])
    }

    /// The `count` elements of each row, sorted in descending order.
    pub(super) fn sorted(&mut self, x: &Name, count: usize) -> Name {
        let count = self.integers(&[count as i64]);
        let output = self.op("TopK", &[x, &count]);
        self.second_output("places");
        output
    }

    /// Names the second output of the node that was added last; nothing reads it.
    pub(super) fn second_output(&mut self, what: &str) {
        let name = self.name(what);
        self.graph.node.last_mut().expect("a node was added").output.push(name);
    }

    /// The graph.
    pub(super) fn finish(self) -> GraphProto {
        self.graph
    }
}

fn attribute((name, value): (&str, AttributeValue)) -> Attribute {
    let of = |kind: AttributeType| Attribute {
        name: Some(name.to_owned()),
        kind: Some(kind as i32),
        ..Attribute::default()
    };
    match value {
        AttributeValue::Float(f) => Attribute { f: Some(f), ..of(AttributeType::Float) },
        AttributeValue::Integer(i) => Attribute { i: Some(i), ..of(AttributeType::Integer) },
        AttributeValue::Integers(ints) => Attribute { ints, ..of(AttributeType::Integers) },
        AttributeValue::Text(text) => Attribute { s: Some(text.into_bytes()), ..of(AttributeType::Text) },
        AttributeValue::Texts(texts) => {
            Attribute { strings: texts.into_iter().map(String::into_bytes).collect(), ..of(AttributeType::Texts) }
        }
    }
}
