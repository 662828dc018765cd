//! A network as C statements over one array of floats, in which values reuse the space of those that are no longer needed.

use super::CSource;
use super::names::{double, float, list};
use crate::export::plan::ExportPlan;
use crate::layer::graph::{GraphValue, Learnt, Node, Of, Operand};
use crate::nn::Activation;
use crate::nn::norm::NormKind;

/// Adds a function with this name, and the weights of every network that it computes; networks are numbered from `first`.
pub(super) fn network(plan: &ExportPlan<'_>, (name, first): (&str, usize), source: &mut CSource) {
    let (places, size) = places(plan);
    let mut network = CNetwork { plan, places: &places, learnt: Vec::new(), tables: String::new(), source };
    let mut statements = String::new();
    for (number, node) in plan.graph.nodes.iter().enumerate() {
        statements += &network.statement(number, node);
    }
    let CNetwork { learnt, tables, source, .. } = network;
    for number in 0..plan.networks.len() {
        let mut pointers = Vec::with_capacity(learnt.len());
        let of_all = first + number;
        for (at, weights) in learnt.iter().enumerate() {
            let name = format!("gl_weights_{of_all}_{at}");
            let values = plan.by_columns(number, weights);
            source.data += &format!("\nstatic const float {name}[{}] = {{\n", values.len());
            source.data += &list(values.into_iter().map(float));
            source.data += "};\n";
            pointers.push(name);
        }
        if !learnt.is_empty() {
            source.data += &format!("\nstatic const float *const gl_weights_{of_all}[{}] = {{\n", learnt.len());
            source.data += &(list(pointers.into_iter()) + "};\n");
        }
    }
    source.data += &tables;
    let output = plan.graph.output.number();
    let count = plan.widths[output].total();
    source.code += &format!(
        "\n/* The outputs of a network. */\nstatic void {name}(const float *const *w, const float *x, double *z)\n{{\n    \
         float m[{size}];\n    int at;\n{statements}    for (at = 0; at < {count}; at++) z[at] = {};\n{}}}\n",
        element(&places, output, "at"),
        if learnt.is_empty() { "    (void)w;\n" } else { "" },
        size = size.max(1),
    );
}

/// The place of each value (the index of its first float; `None` for the input), and the number of floats. The place
/// of a value never overlaps that of a value that is still to be read, such as those it is computed from.
fn places(plan: &ExportPlan<'_>) -> (Vec<Option<usize>>, usize) {
    let nodes = &plan.graph.nodes;
    let mut last_read = vec![0; nodes.len()];
    for (number, node) in nodes.iter().enumerate() {
        for value in reads(node) {
            last_read[value.number()] = number;
        }
    }
    last_read[plan.graph.output.number()] = nodes.len();
    let (mut places, mut size) = (vec![None; nodes.len()], 0);
    let mut live: Vec<(usize, usize, usize)> = Vec::new(); // start, end, last read; by start
    for (number, node) in nodes.iter().enumerate() {
        if *node == Node::Input {
            continue;
        }
        live.retain(|(.., last)| *last >= number);
        let length = plan.widths[number].total();
        let mut start = 0;
        for (from, to, _) in &live {
            if start + length <= *from {
                break;
            }
            start = start.max(*to);
        }
        live.push((start, start + length, last_read[number].max(number)));
        live.sort_unstable();
        places[number] = Some(start);
        size = size.max(start + length);
    }
    (places, size)
}

/// The values that a node reads.
fn reads(node: &Node) -> Vec<GraphValue> {
    match node {
        Node::Input => Vec::new(),
        Node::Plus(x, Operand::Value(b)) | Node::Times(x, Operand::Value(b)) => vec![*x, *b],
        Node::Join(parts) => parts.clone(),
        Node::Product(x, _) | Node::Plus(x, _) | Node::Times(x, _) | Node::Function(x, _) | Node::Cosine(x) => vec![*x],
        Node::Hold(x, _) | Node::Normalise(x, _) | Node::Select(x, _) | Node::Sum(x) => vec![*x],
        Node::Lookup(x, _) | Node::Expand(x, _) => vec![*x],
    }
}

fn expression(places: &[Option<usize>], value: usize) -> String {
    places[value].map_or("x".to_owned(), |start| format!("m + {start}"))
}

/// An element of a value.
fn element(places: &[Option<usize>], value: usize, at: &str) -> String {
    places[value].map_or(format!("x[{at}]"), |start| format!("m[{start} + {at}]"))
}

struct CNetwork<'a> {
    plan: &'a ExportPlan<'a>,
    places: &'a [Option<usize>],
    /// The meaning of a network's weights, in the order of their pointers.
    learnt: Vec<Learnt>,
    /// Lists of numbers that all networks share.
    tables: String,
    source: &'a mut CSource,
}

impl CNetwork<'_> {
    fn of(&self, value: &GraphValue) -> String {
        expression(self.places, value.number())
    }

    fn table(&mut self, element: &str, items: Vec<String>) -> String {
        self.source.lists += 1;
        let name = format!("gl_table_{}", self.source.lists);
        self.tables += &format!("\nstatic const {element} {name}[{}] = {{\n", items.len());
        self.tables += &(list(items.into_iter()) + "};\n");
        name
    }

    /// The pointer to learnt numbers, and the distance from one member's numbers to the next.
    fn weights(&mut self, learnt: &Learnt) -> (String, usize) {
        self.learnt.push(learnt.clone());
        let step = if learnt.of == Of::Member { learnt.rows * learnt.within.len() } else { 0 };
        (format!("w[{}]", self.learnt.len() - 1), step)
    }

    fn call(&mut self, name: &'static str, arguments: &[String]) -> String {
        self.source.helpers.insert(name);
        format!("    {name}({});\n", arguments.join(", "))
    }

    fn statement(&mut self, number: usize, node: &Node) -> String {
        let (width, y) = (self.plan.widths[number], expression(self.places, number));
        let (members, count) = (width.members.to_string(), width.total().to_string());
        let features_of = |of: &GraphValue| self.plan.widths[of.number()].features.to_string();
        match node {
            Node::Input => String::new(),
            Node::Product(x, learnt) => {
                let (x, inputs) = (self.of(x), features_of(x));
                let (w, step) = self.weights(learnt);
                self.call("gl_product", &[members, width.features.to_string(), inputs, w, step.to_string(), x, y])
            }
            Node::Plus(x, b) => self.elementwise(["gl_plus", "gl_plus_one"], (x, b), number),
            Node::Times(x, b) => self.elementwise(["gl_times", "gl_times_one"], (x, b), number),
            Node::Function(x, f) => {
                let (x, y) = (element(self.places, x.number(), "at"), element(self.places, number, "at"));
                format!("{}        float v = {x};\n        {y} = {};\n    }}\n", each(&count), function(*f))
            }
            Node::Cosine(x) => {
                let x = self.of(x);
                self.call("gl_cosine", &[count, x, y])
            }
            Node::Hold(x, bounds) => self.hold(x, bounds, number),
            Node::Normalise(x, norm) => {
                let centre = u8::from(norm.kind == NormKind::Layer).to_string();
                let x = self.of(x);
                self.call("gl_normalise", &[members, width.features.to_string(), centre, double(norm.eps), x, y])
            }
            Node::Select(x, features) => {
                let (x, inputs) = (self.of(x), features_of(x));
                let which = self.table("int", features.iter().map(usize::to_string).collect());
                self.call("gl_select", &[members, inputs, features.len().to_string(), which, x, y])
            }
            Node::Join(parts) => self.join(parts, number),
            Node::Sum(x) => {
                let (x, inputs) = (self.of(x), features_of(x));
                self.call("gl_sum", &[members, inputs, x, y])
            }
            Node::Lookup(x, learnt) => {
                let (x, lines) = (self.of(x), learnt.within.len().to_string());
                let (w, _) = self.weights(learnt);
                self.call("gl_lookup", &[members, width.features.to_string(), lines, w, x, y])
            }
            Node::Expand(x, _) => {
                let from = element(self.places, x.number(), &format!("at % {}", width.features));
                let y = element(self.places, number, "at");
                format!("{}        {y} = {from};\n    }}\n", each(&count))
            }
        }
    }

    /// Keeps each feature within its bounds.
    fn hold(&mut self, x: &GraphValue, bounds: &[(f64, f64)], number: usize) -> String {
        let (width, x, y) = (self.plan.widths[number], self.of(x), expression(self.places, number));
        let least = self.table("float", bounds.iter().map(|(least, _)| float(*least as f32)).collect());
        let most = self.table("float", bounds.iter().map(|(_, most)| float(*most as f32)).collect());
        self.call("gl_hold", &[width.members.to_string(), width.features.to_string(), x, least, most, y])
    }

    /// Joins the parts one after the other.
    fn join(&mut self, parts: &[GraphValue], number: usize) -> String {
        let (width, y) = (self.plan.widths[number], expression(self.places, number));
        let (mut text, mut at) = (String::new(), 0);
        for part in parts {
            let features = self.plan.widths[part.number()].features;
            let sizes = [width.members, features, width.features].map(|size| size.to_string());
            text += &self.call("gl_join", &[&sizes[..], &[self.of(part), format!("{y} + {at}")]].concat());
            at += features;
        }
        text
    }

    /// A sum or a product, of lists or with one number.
    fn elementwise(
        &mut self,
        [lists, one]: [&'static str; 2],
        (x, b): (&GraphValue, &Operand),
        number: usize,
    ) -> String {
        let (width, x, y) = (self.plan.widths[number], self.of(x), expression(self.places, number));
        let (b, step) = match b {
            Operand::Number(b) => return self.call(one, &[width.total().to_string(), x, float(*b as f32), y]),
            Operand::Value(value) => (self.of(value), width.features),
            Operand::Learnt(learnt) => self.weights(learnt),
            Operand::Numbers(numbers) => (self.table("float", numbers.iter().map(|n| float(*n as f32)).collect()), 0),
        };
        self.call(lists, &[width.members.to_string(), width.features.to_string(), x, b, step.to_string(), y])
    }
}

/// The head of a loop.
fn each(count: &str) -> String {
    format!("    for (at = 0; at < {count}; at++) {{\n")
}

/// `f(v)`.
fn function(f: Activation) -> String {
    let constant = |text: &str| text.to_owned();
    match f {
        Activation::Identity => constant("v"),
        Activation::Relu => constant("v > 0 ? v : 0"),
        Activation::LeakyRelu { slope } => format!("v > 0 ? v : {} * v", float(slope as f32)),
        Activation::Elu { alpha } => format!("v > 0 ? v : {} * expm1f(v)", float(alpha as f32)),
        Activation::Selu => constant("v > 0 ? 1.05070099f * v : 1.75809934f * expm1f(v)"),
        Activation::Gelu => constant("0.5f * v * erfcf(-0.707106781f * v)"),
        Activation::GeluTanh => constant("v / (1 + expf(-1.59576912f * (v + 0.044715f * v * v * v)))"),
        Activation::Silu => constant("v / (1 + expf(-v))"),
        Activation::Mish => constant("v * tanhf(log1pf(expf(v < 40 ? v : 40)))"),
        Activation::Softplus => constant("(v > 0 ? v : 0) + log1pf(expf(-fabsf(v)))"),
        Activation::Sigmoid => constant("1 / (1 + expf(-v))"),
        Activation::Tanh => constant("tanhf(v)"),
        Activation::HardSigmoid => constant("v <= -3 ? 0 : v >= 3 ? 1 : (v + 3) / 6"),
        Activation::HardTanh => constant("v < -1 ? -1 : v > 1 ? 1 : v"),
        Activation::Relu6 => constant("v < 0 ? 0 : v > 6 ? 6 : v"),
        Activation::Softsign => constant("v / (1 + fabsf(v))"),
    }
}
