//! From the outputs of networks to answers, in doubles: means of several networks, temperature, threshold, units.

use super::nodes::{AttributeValue, Name, OnnxNodes};
use super::proto::ElementType;
use crate::data::Task;
use crate::export::plan::Head;
use crate::metrics::scores::HALF;
use crate::nn::Link;

/// The answers of a model.
pub(super) struct Answered {
    /// The label or number of each row, or several of them.
    pub(super) said: Name,
    /// Their type.
    pub(super) element: ElementType,
    /// Whether a row has several of them.
    pub(super) several: bool,
    /// Probabilities of classes or labels, 32-bit floats.
    pub(super) probabilities: Option<Name>,
}

impl Answered {
    /// The answers, but NaN for rows that cannot be read. Their label is an empty text or the least integer.
    pub(super) fn without(self, unreadable: &Name, nodes: &mut OnnxNodes) -> Answered {
        let none = match self.element {
            ElementType::Text => nodes.texts(&[String::new()]),
            ElementType::Integer => nodes.integer(i64::MIN),
            _ => nodes.double(f64::NAN),
        };
        let rows = if self.several {
            unreadable.clone()
        } else {
            let axis = nodes.integers(&[1]);
            nodes.op("Squeeze", &[unreadable, &axis])
        };
        let said = nodes.op("Where", &[&rows, &none, &self.said]);
        let probabilities = self.probabilities.map(|p| {
            let nan = nodes.float(f64::NAN);
            nodes.op("Where", &[unreadable, &nan, &p])
        });
        Answered { said, probabilities, ..self }
    }
}

/// The outputs whose prediction is the mean of the predictions of all networks and members.
pub(super) fn mean_of_all(head: &Head<'_>, networks: &[Name], nodes: &mut OnnxNodes) -> Name {
    let outputs: Vec<Name> = networks.iter().map(|z| nodes.cast(z, ElementType::Double)).collect();
    combined(head, &outputs, nodes)
}

/// The prediction of a network with its own temperature: probabilities, or the number within its range.
pub(super) fn said_by_one(head: &Head<'_>, network: &Name, nodes: &mut OnnxNodes) -> Voice {
    let z = mean_of_all(head, std::slice::from_ref(network), nodes);
    let z = if head.factor == 1.0 { z } else { nodes.times(&z, f64::from(head.factor)) };
    match head.link {
        Link::Softmax => Voice { said: predicted(head, &z, nodes), rest: None },
        Link::Sigmoid => {
            let minus = nodes.op("Neg", &[&z]);
            Voice { said: nodes.op("Sigmoid", &[&z]), rest: Some(nodes.op("Sigmoid", &[&minus])) }
        }
        Link::Identity | Link::Exp => Voice { said: within_range(head, z, nodes), rest: None },
    }
}

/// The prediction of a network, and for a probability its difference from 1.
pub(super) struct Voice {
    said: Name,
    rest: Option<Name>,
}

/// A number of a regression, in the network's units, within the range of the training rows if that is asked for.
fn within_range(head: &Head<'_>, z: Name, nodes: &mut OnnxNodes) -> Name {
    let target = head.target;
    if target.range.is_empty() {
        return z;
    }
    let bound = |which: usize, nodes: &mut OnnxNodes| {
        let of = |(at, range): (usize, &[f64; 2])| f64::from(((range[which] - target.mean[at]) / target.sd[at]) as f32);
        let bounds: Vec<f64> = target.range.iter().enumerate().map(of).collect();
        nodes.doubles(&[bounds.len()], &bounds)
    };
    let (least, most) = (bound(0, nodes), bound(1, nodes));
    let above = nodes.op("Max", &[&z, &least]);
    nodes.op("Min", &[&above, &most])
}

/// The outputs whose prediction is the weighted mean of the predictions of networks.
pub(super) fn weighted_mean(head: &Head<'_>, voices: &[(Voice, f64)], nodes: &mut OnnxNodes) -> Name {
    let mut sum = |of: &dyn Fn(&Voice) -> Option<Name>| {
        let parts = voices.iter().filter_map(|(voice, share)| Some((of(voice)?, *share)));
        let parts: Vec<Name> = parts.map(|(said, share)| nodes.times(&said, share)).collect();
        let (first, others) = parts.split_first()?;
        Some(others.iter().fold(first.clone(), |sum, part| nodes.op("Add", &[&sum, part])))
    };
    let said = sum(&|voice| Some(voice.said.clone())).expect("there is a network");
    let rest = sum(&|voice| voice.rest.clone());
    match (head.link, rest) {
        (Link::Identity | Link::Exp, _) => said,
        (_, None) => logarithm(&said, nodes),
        (_, Some(rest)) => {
            let (said, rest) = (logarithm(&said, nodes), logarithm(&rest, nodes));
            nodes.op("Sub", &[&said, &rest])
        }
    }
}

/// Adds the answers for the combined outputs of all networks.
pub(super) fn answers(head: &Head<'_>, z: &Name, nodes: &mut OnnxNodes) -> Answered {
    let z = z.clone();
    let z = if head.factor == 1.0 { z } else { nodes.times(&z, f64::from(head.factor)) };
    match head.target.task {
        Task::Regression => numbers(head, &z, nodes),
        Task::Multilabel => {
            let p = predicted(head, &z, nodes);
            let half = nodes.double(HALF);
            let there = nodes.op("Greater", &[&p, &half]);
            let said = nodes.cast(&there, ElementType::Integer);
            let probabilities = Some(nodes.cast(&p, ElementType::Float));
            Answered { said, element: ElementType::Integer, several: true, probabilities }
        }
        Task::Binary => {
            let positive = predicted(head, &z, nodes);
            let negative = match head.link {
                Link::Sigmoid => {
                    let minus = nodes.op("Neg", &[&z]);
                    nodes.op("Sigmoid", &[&minus])
                }
                _ => {
                    let one = nodes.double(1.0);
                    nodes.op("Sub", &[&one, &positive])
                }
            };
            let bound = if head.threshold == HALF { negative.clone() } else { nodes.double(head.threshold) };
            let second = nodes.op("Greater", &[&positive, &bound]);
            let class = nodes.cast(&second, ElementType::Integer);
            let axis = nodes.integers(&[1]);
            let class = nodes.op("Squeeze", &[&class, &axis]);
            let p = nodes.join(&[negative, positive]);
            classes(head, &class, &p, nodes)
        }
        Task::Multiclass => {
            let p = predicted(head, &z, nodes);
            let class = nodes.op_with(
                "ArgMax",
                &[&p],
                vec![("axis", AttributeValue::Integer(1)), ("keepdims", AttributeValue::Integer(0))],
            );
            classes(head, &class, &p, nodes)
        }
    }
}

/// The name of each row's class, and the probabilities.
fn classes(head: &Head<'_>, class: &Name, p: &Name, nodes: &mut OnnxNodes) -> Answered {
    let names = &head.target.classes;
    let whole = |name: &String| name.parse::<i64>().ok().filter(|number| number.to_string() == *name);
    let (names, element) = match names.iter().map(whole).collect::<Option<Vec<i64>>>() {
        Some(numbers) => (nodes.integers(&numbers), ElementType::Integer),
        None => (nodes.texts(names), ElementType::Text),
    };
    let said = nodes.op("Gather", &[&names, class]);
    Answered { said, element, several: false, probabilities: Some(nodes.cast(p, ElementType::Float)) }
}

/// Numbers of a regression in their units, within the range of the training rows if that is asked for.
fn numbers(head: &Head<'_>, z: &Name, nodes: &mut OnnxNodes) -> Answered {
    let target = head.target;
    let number = if head.link == Link::Exp { nodes.op("Exp", &[z]) } else { z.clone() };
    let list = |values: &[f64], nodes: &mut OnnxNodes| nodes.doubles(&[values.len()], values);
    let (sd, mean) = (list(&target.sd, nodes), list(&target.mean, nodes));
    let number = nodes.op("Mul", &[&number, &sd]);
    let mut number = nodes.op("Add", &[&number, &mean]);
    if !target.range.is_empty() {
        let bound = |which: usize| target.range.iter().map(|range| range[which]).collect::<Vec<_>>();
        let (least, most) = (list(&bound(0), nodes), list(&bound(1), nodes));
        number = nodes.op("Max", &[&number, &least]);
        number = nodes.op("Min", &[&number, &most]);
    }
    let several = head.outputs > 1;
    if !several {
        let axis = nodes.integers(&[1]);
        number = nodes.op("Squeeze", &[&number, &axis]);
    }
    Answered { said: number, element: ElementType::Double, several, probabilities: None }
}

/// One output for each class, label or number: that of the one network, or the one whose prediction is the mean of the
/// predictions of all members and networks.
fn combined(head: &Head<'_>, outputs: &[Name], nodes: &mut OnnxNodes) -> Name {
    if head.members * outputs.len() == 1 {
        return outputs[0].clone();
    }
    match head.link {
        Link::Softmax => {
            let shares = each(outputs, nodes, |z, nodes| {
                nodes.op_with("Softmax", &[z], vec![("axis", AttributeValue::Integer(-1))])
            });
            let mean = mean(head, &shares, nodes);
            logarithm(&mean, nodes)
        }
        Link::Sigmoid => {
            let positive = each(outputs, nodes, |z, nodes| nodes.op("Sigmoid", &[z]));
            let negative = each(outputs, nodes, |z, nodes| {
                let minus = nodes.op("Neg", &[z]);
                nodes.op("Sigmoid", &[&minus])
            });
            let (positive, negative) = (mean(head, &positive, nodes), mean(head, &negative, nodes));
            let (positive, negative) = (logarithm(&positive, nodes), logarithm(&negative, nodes));
            nodes.op("Sub", &[&positive, &negative])
        }
        Link::Exp => {
            let rates = each(outputs, nodes, |z, nodes| nodes.op("Exp", &[z]));
            let mean = mean(head, &rates, nodes);
            logarithm(&mean, nodes)
        }
        Link::Identity => {
            let of_members = each(outputs, nodes, |z, nodes| mean_of_members(head, z, nodes));
            let said = if of_members.len() > 1 && head.target.task != Task::Regression {
                each(&of_members, nodes, |z, nodes| predicted(head, z, nodes))
            } else {
                of_members
            };
            mean_of_networks(&said, nodes)
        }
    }
}

fn each(values: &[Name], nodes: &mut OnnxNodes, f: impl Fn(&Name, &mut OnnxNodes) -> Name) -> Vec<Name> {
    values.iter().map(|value| f(value, nodes)).collect()
}

fn mean(head: &Head<'_>, values: &[Name], nodes: &mut OnnxNodes) -> Name {
    let of_members = each(values, nodes, |value, nodes| mean_of_members(head, value, nodes));
    mean_of_networks(&of_members, nodes)
}

/// The mean over the axis of members, if there is one.
fn mean_of_members(head: &Head<'_>, value: &Name, nodes: &mut OnnxNodes) -> Name {
    if head.members == 1 {
        return value.clone();
    }
    nodes.mean(value, 0, 0)
}

fn mean_of_networks(values: &[Name], nodes: &mut OnnxNodes) -> Name {
    let Some((first, others)) = values.split_first().filter(|(_, others)| !others.is_empty()) else {
        return values[0].clone();
    };
    let sum = others.iter().fold(first.clone(), |sum, value| nodes.op("Add", &[&sum, value]));
    nodes.times(&sum, 1.0 / values.len() as f64)
}

/// `ln x`; for `x = 0`, that of the smallest positive number.
fn logarithm(x: &Name, nodes: &mut OnnxNodes) -> Name {
    let least = nodes.double(f64::MIN_POSITIVE);
    let above = nodes.op("Max", &[x, &least]);
    nodes.op("Log", &[&above])
}

/// Probabilities of the classes, or of the second of two, for outputs.
fn predicted(head: &Head<'_>, z: &Name, nodes: &mut OnnxNodes) -> Name {
    match head.link {
        Link::Softmax => nodes.op_with("Softmax", &[z], vec![("axis", AttributeValue::Integer(-1))]),
        Link::Sigmoid => nodes.op("Sigmoid", &[z]),
        _ if head.two_ways() => nodes.held(z, 0.0, 1.0),
        _ => nearest_probabilities(head.outputs, z, nodes),
    }
}

/// The Euclidean projection onto the probability simplex, as in `Scores` of the metrics: `max(z − s, 0)`, whose elements add up
/// to 1.
fn nearest_probabilities(classes: usize, z: &Name, nodes: &mut OnnxNodes) -> Name {
    let (one, zero, axis) = (nodes.double(1.0), nodes.double(0.0), nodes.integer(1));
    let sorted = nodes.sorted(z, classes);
    let sums = nodes.op("CumSum", &[&sorted, &axis]);
    let rest = nodes.op("Sub", &[&sums, &one]);
    let ranks: Vec<f64> = (1..=classes).map(|rank| rank as f64).collect();
    let ranks = nodes.doubles(&[classes], &ranks);
    let shifts = nodes.op("Div", &[&rest, &ranks]);
    let above = nodes.op("Sub", &[&sorted, &shifts]);
    let above = nodes.op("Greater", &[&above, &zero]);
    // The last rank with a value above 0 gives the shift; all ranks before it are above 0 too.
    let above = nodes.cast(&above, ElementType::Integer);
    let found = nodes.sum(&above);
    let one_rank = nodes.integer(1);
    let found = nodes.op("Sub", &[&found, &one_rank]);
    let shift = nodes.op_with("GatherElements", &[&shifts, &found], vec![("axis", AttributeValue::Integer(1))]);
    let p = nodes.op("Sub", &[z, &shift]);
    nodes.held(&p, 0.0, 1.0)
}
