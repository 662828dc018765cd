//! From the outputs of networks to the answer, in doubles: means of several networks, temperature, threshold, units.

use super::CSource;
use super::names::{double, list};
use crate::data::Task;
use crate::export::plan::{ExportPlan, Head};
use crate::metrics::scores::HALF;
use crate::nn::Link;

/// The fields of `gradlane_answer`.
pub(super) fn fields(head: &Head<'_>) -> String {
    let (outputs, classes) = (head.outputs, head.target.classes.len());
    match head.target.task {
        Task::Regression => format!("    double prediction[{outputs}];\n"),
        Task::Multilabel => format!("    int labels[{outputs}]; /* 0 or 1 */\n    double probabilities[{outputs}];\n"),
        Task::Binary | Task::Multiclass => {
            format!("    int label; /* its name: gradlane_classes[label] */\n    double probabilities[{classes}];\n")
        }
    }
}

/// Adds the function `gradlane_predict`.
pub(super) fn predict(plan: &ExportPlan<'_>, source: &mut CSource) {
    let (head, networks) = (&plan.head, plan.networks.len());
    let (outputs, voices) = (head.outputs, head.members * networks);
    let mut body = format!("    float x[{}];\n    double z[{}];\n", plan.inputs, head.members * outputs);
    let after = if voices > 1 { combine(head, networks, source, &mut body) } else { String::new() };
    let mut statements = if voices > 1 { after } else { format!("    {}\n", run(source, 0)) };
    if head.factor != 1.0 {
        statements += &format!("    for (at = 0; at < {outputs}; at++) z[at] *= {};\n", double(f64::from(head.factor)));
    }
    statements += &answer(head, source);
    body += if statements.contains("at++") { "    int at;\n" } else { "" };
    body += "    int wrong = gl_inputs(row, x);\n    if (wrong) return wrong;\n";
    body += &statements;
    source.code += &format!(
        "\nint gradlane_predict(const gradlane_row *row, gradlane_answer *answer)\n{{\n{body}    return 0;\n}}\n"
    );
}

/// The name of the function that computes the networks of a form.
pub(super) fn function_of(form: usize) -> String {
    format!("gl_network_{form}")
}

/// Adds the function `gradlane_predict` for networks of several forms: the predictions of each, with its own temperature or
/// range, are averaged by weights.
pub(super) fn predict_by_forms(plan: &ExportPlan<'_>, source: &mut CSource) {
    let (head, outputs) = (&plan.head, plan.head.outputs);
    let most = plan.forms.iter().map(|form| form.plan.head.members).max().unwrap_or(1);
    let mut declarations =
        format!("    float x[{}];\n    double z[{}], said[{outputs}] = {{0}};\n", plan.inputs, most * outputs);
    if head.link == Link::Sigmoid {
        declarations += &format!("    double left[{outputs}] = {{0}};\n");
    }
    let (mut statements, mut number) = (String::new(), 0);
    for (at, form) in plan.forms.iter().enumerate() {
        for _ in &form.plan.networks {
            let call = format!("    {}(gl_weights_{number}, x + {}, z);\n", function_of(at), form.from.start);
            statements += &call;
            statements += &of_one(&form.plan.head, source);
            statements += &added(&form.plan.head, form.share, source);
            number += 1;
        }
    }
    let z = match head.link {
        Link::Softmax => "gl_log(said[at])",
        Link::Sigmoid => "gl_log(said[at]) - gl_log(left[at])",
        Link::Exp | Link::Identity => "said[at]",
    };
    if head.link == Link::Softmax || plan.forms.iter().any(|form| form.plan.head.members > 1) {
        declarations += &format!("    double p[{outputs}], mean[{outputs}], rest[{outputs}];\n    int member;\n");
        statements = format!("    (void)p, (void)mean, (void)rest, (void)member;\n{statements}");
    }
    statements += &format!("    for (at = 0; at < {outputs}; at++) z[at] = {z};\n");
    if head.factor != 1.0 {
        statements += &format!("    for (at = 0; at < {outputs}; at++) z[at] *= {};\n", double(f64::from(head.factor)));
    }
    statements += &answer(head, source);
    source.code += &format!(
        "\nint gradlane_predict(const gradlane_row *row, gradlane_answer *answer)\n{{\n{declarations}    int at;\n    \
         int wrong = gl_inputs(row, x);\n    if (wrong) return wrong;\n{statements}    return 0;\n}}\n"
    );
}

/// Statements that leave in `z` the outputs whose prediction is the mean of the predictions of a network's members.
fn of_one(head: &Head<'_>, source: &mut CSource) -> String {
    let outputs = head.outputs;
    if head.members == 1 {
        return String::new();
    }
    let (added, mean) = summed(head, 1, source);
    let clear = format!("    for (at = 0; at < {outputs}; at++) mean[at] = rest[at] = 0;\n");
    clear + &added + &format!("    for (at = 0; at < {outputs}; at++) z[at] = {mean};\n")
}

/// Statements that add the prediction of one network from `z`, times its share.
fn added(head: &Head<'_>, share: f64, source: &mut CSource) -> String {
    let (outputs, share) = (head.outputs, double(share));
    let z = if head.factor == 1.0 { "z[at]".to_owned() } else { format!("z[at] * {}", double(f64::from(head.factor))) };
    let loop_of = |statement: &str| format!("    for (at = 0; at < {outputs}; at++) {statement}\n");
    match head.link {
        Link::Softmax => {
            source.helpers.extend(["gl_softmax", "gl_log"]);
            loop_of(&format!("z[at] = {z};"))
                + &format!("    gl_softmax({outputs}, z, p);\n")
                + &loop_of(&format!("said[at] += p[at] * {share};"))
        }
        Link::Sigmoid => {
            source.helpers.extend(["gl_logistic", "gl_log"]);
            loop_of(&format!("said[at] += gl_logistic({z}) * {share};"))
                + &loop_of(&format!("left[at] += gl_logistic(-({z})) * {share};"))
        }
        Link::Identity | Link::Exp => {
            let target = head.target;
            let bounds = target.range.iter().enumerate().map(|(at, range)| {
                let bound = |number: f64| double(f64::from(((number - target.mean[at]) / target.sd[at]) as f32));
                format!("    z[{at}] = fmin(fmax(z[{at}], {}), {});\n", bound(range[0]), bound(range[1]))
            });
            bounds.collect::<String>() + &loop_of(&format!("said[at] += z[at] * {share};"))
        }
    }
}

/// Calls the function of a network.
fn run(source: &CSource, number: usize) -> String {
    let has_weights = source.data.contains("gl_weights_0[");
    if has_weights { format!("gl_network(gl_weights_{number}, x, z);") } else { "gl_network(NULL, x, z);".to_owned() }
}

/// Statements that leave in `z` the outputs whose prediction is the mean of the predictions of all members and networks.
fn combine(head: &Head<'_>, networks: usize, source: &mut CSource, declarations: &mut String) -> String {
    let outputs = head.outputs;
    let (added, mean) = summed(head, networks, source);
    for (list, size) in [("mean", " = {0}"), ("rest", " = {0}"), ("p", "")] {
        if added.contains(&format!("{list}[at]")) {
            *declarations += &format!("    double {list}[{outputs}]{size};\n");
        }
    }
    *declarations += "    int member;\n";
    let networks = (0..networks).map(|number| format!("    {}\n{added}", run(source, number)));
    networks.collect::<String>() + &format!("    for (at = 0; at < {outputs}; at++) z[at] = {mean};\n")
}

/// Statements that add the prediction of one of several networks to `mean`, and its difference from 1 to `rest`; and the
/// expression of the output that belongs to the mean.
fn summed(head: &Head<'_>, networks: usize, source: &mut CSource) -> (String, &'static str) {
    let outputs = head.outputs;
    let share = double(1.0 / (head.members * networks) as f64);
    let z = format!("z[member * {outputs} + at]");
    match head.link {
        Link::Softmax => {
            source.helpers.extend(["gl_softmax", "gl_log"]);
            let before = format!("gl_softmax({outputs}, z + member * {outputs}, p);");
            (of_members(head, &before, &[format!("mean[at] += p[at] * {share};")]), "gl_log(mean[at])")
        }
        Link::Sigmoid => {
            source.helpers.extend(["gl_logistic", "gl_log"]);
            let both = [("mean", ""), ("rest", "-")];
            let both = both.map(|(sum, sign)| format!("{sum}[at] += gl_logistic({sign}{z}) * {share};"));
            (of_members(head, "", &both), "gl_log(mean[at]) - gl_log(rest[at])")
        }
        Link::Exp => {
            source.helpers.insert("gl_log");
            (of_members(head, "", &[format!("mean[at] += exp({z}) * {share};")]), "gl_log(mean[at])")
        }
        Link::Identity => (of_numbers(head, networks, source), "mean[at]"),
    }
}

/// A loop over the members: a statement, then others for each output.
fn of_members(head: &Head<'_>, before: &str, each: &[String]) -> String {
    let (members, outputs) = (head.members, head.outputs);
    let before = if before.is_empty() { String::new() } else { format!("        {before}\n") };
    let each: String = each.iter().map(|statement| format!("            {statement}\n")).collect();
    format!(
        "    for (member = 0; member < {members}; member++) {{\n{before}        \
         for (at = 0; at < {outputs}; at++) {{\n{each}        }}\n    }}\n"
    )
}

/// For outputs that are not logits: the mean over the members; for classes of several networks, the mean of their
/// probabilities.
fn of_numbers(head: &Head<'_>, networks: usize, source: &mut CSource) -> String {
    let (outputs, members) = (head.outputs, head.members);
    let (of_members, of_networks) = (double(1.0 / members as f64), double(1.0 / networks as f64));
    let mut text = format!(
        "    for (member = 1; member < {members}; member++)\n        \
         for (at = 0; at < {outputs}; at++) z[at] += z[member * {outputs} + at];\n    \
         for (at = 0; at < {outputs}; at++) z[at] *= {of_members};\n"
    );
    let said = if networks == 1 || head.target.task == Task::Regression {
        "z[at]"
    } else if head.two_ways() {
        "fmin(fmax(z[at], 0), 1)"
    } else {
        source.helpers.insert("gl_nearest");
        text += &format!("    gl_nearest({outputs}, z, p);\n");
        "p[at]"
    };
    text + &format!("    for (at = 0; at < {outputs}; at++) mean[at] += {said} * {of_networks};\n")
}

/// Statements that fill the answer.
fn answer(head: &Head<'_>, source: &mut CSource) -> String {
    let outputs = head.outputs;
    match head.target.task {
        Task::Regression => numbers(head, source),
        Task::Multilabel => {
            let p = second(head, "z[at]", source);
            format!(
                "    for (at = 0; at < {outputs}; at++) {{\n        answer->probabilities[at] = {p};\n        \
                 answer->labels[at] = answer->probabilities[at] > 0.5;\n    }}\n"
            )
        }
        Task::Binary => {
            let positive = second(head, "z[0]", source);
            let negative = if head.link == Link::Sigmoid {
                "gl_logistic(-z[0])".to_owned()
            } else {
                "1 - answer->probabilities[1]".to_owned()
            };
            let bound =
                if head.threshold == HALF { "answer->probabilities[0]".to_owned() } else { double(head.threshold) };
            format!(
                "    answer->probabilities[1] = {positive};\n    answer->probabilities[0] = {negative};\n    \
                 answer->label = answer->probabilities[1] > {bound};\n"
            )
        }
        Task::Multiclass => {
            let name = if head.link == Link::Softmax { "gl_softmax" } else { "gl_nearest" };
            source.helpers.insert(name);
            format!(
                "    {name}({outputs}, z, answer->probabilities);\n    answer->label = 0;\n    \
                 for (at = 1; at < {outputs}; at++)\n        \
                 if (answer->probabilities[at] > answer->probabilities[answer->label]) answer->label = at;\n"
            )
        }
    }
}

/// The probability of the second of two classes, given an output.
fn second(head: &Head<'_>, z: &str, source: &mut CSource) -> String {
    if head.link == Link::Sigmoid {
        source.helpers.insert("gl_logistic");
        format!("gl_logistic({z})")
    } else {
        format!("fmin(fmax({z}, 0), 1)")
    }
}

/// Numbers in their units, within the range of the training rows if that is asked for.
fn numbers(head: &Head<'_>, source: &mut CSource) -> String {
    let (outputs, target) = (head.outputs, head.target);
    let mut table = |name: &str, values: Vec<f64>| {
        source.tables += &format!("\nstatic const double {name}[{outputs}] = {{\n");
        source.tables += &(list(values.into_iter().map(double)) + "};\n");
    };
    table("gl_mean", target.mean.clone());
    table("gl_sd", target.sd.clone());
    let z = if head.link == Link::Exp { "exp(z[at])" } else { "z[at]" };
    let mut number = format!("{z} * gl_sd[at] + gl_mean[at]");
    if !target.range.is_empty() {
        table("gl_least", target.range.iter().map(|range| range[0]).collect());
        table("gl_most", target.range.iter().map(|range| range[1]).collect());
        number = format!("fmin(fmax({number}, gl_least[at]), gl_most[at])");
    }
    format!("    for (at = 0; at < {outputs}; at++) answer->prediction[at] = {number};\n")
}

/// Statements that print the answer as a line: labels, then probabilities; or numbers.
pub(super) fn printing(head: &Head<'_>) -> String {
    let (outputs, classes) = (head.outputs, head.target.classes.len());
    let each = |count: usize, what: &str, first: usize| {
        format!("        for (at = 0; at < {count}; at++) printf(\"%s{what}\", at + {first} ? \"\\t\" : \"\", ")
    };
    match head.target.task {
        Task::Regression => each(outputs, "%.17g", 0) + "answer.prediction[at]);\n",
        Task::Multilabel => {
            each(outputs, "%d", 0)
                + "answer.labels[at]);\n"
                + &each(outputs, "%.17g", 1)
                + "answer.probabilities[at]);\n"
        }
        Task::Binary | Task::Multiclass => {
            "        printf(\"%s\", gradlane_classes[answer.label]);\n".to_owned()
                + &each(classes, "%.17g", 1)
                + "answer.probabilities[at]);\n"
        }
    }
}
