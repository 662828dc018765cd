//! Weights do not depend on the number of threads or on which fast instruction set is used.

use crate::place::{Place, code, error, json, out};

const EVERYTHING: [&str; 22] = [
    "--hidden",
    "33,24,24",
    "--dropout",
    "0.2",
    "--norm",
    "layer",
    "--residual",
    "--weight-col",
    "w",
    "--accumulate",
    "2",
    "--batch",
    "19",
    "--epochs",
    "3",
    "--test",
    "0.2",
    "--clip-norm",
    "1",
    "--exact-threads",
    "-q",
    "--json",
];

/// A data set with a weight for each row.
fn wine() -> Place {
    let place = Place::new();
    let text = place.shipped("wine.csv");
    let weighted = text.lines().enumerate().map(|(n, line)| match n {
        0 => format!("w,{line}\n"),
        n => format!("{},{line}\n", 1 + n % 4),
    });
    place.write("weighted.csv", weighted.collect::<String>());
    place
}

/// The hash of the weights; `None` if this machine does not have the instruction set.
fn hash(place: &Place, run: &str, more: &[&str]) -> Option<String> {
    let output = place.run(&[&["train", "weighted.csv", "-o", run], &EVERYTHING[..], more].concat());
    if code(&output) == 2 && error(&output).contains("that this CPU runs") {
        return None;
    }
    assert_eq!(code(&output), 0, "{more:?}: {}", error(&output));
    let summary = json(&out(&output));
    assert_eq!(summary["steps"], 12, "142 rows in batches of 19, two a step, make 4 steps an epoch");
    Some(summary["weights_sha256"].as_str().unwrap().to_owned())
}

#[test]
fn weights_do_not_depend_on_threads_or_instructions() {
    let place = wine();
    let fast = place.ok(&["--version"]).contains("avx");
    let expected = hash(&place, "one", &["-j", "1"]).unwrap();
    for threads in ["2", "3", "8"] {
        assert_eq!(hash(&place, &format!("t{threads}"), &["-j", threads]), Some(expected.clone()), "{threads} threads");
    }
    for isa in ["avx2", "avx512"].into_iter().filter(|_| fast) {
        let found = hash(&place, isa, &["-j", "2", "--isa", isa]);
        assert!(found.is_none_or(|found| found == expected), "{isa}");
    }
    let portable = ["1", "3"].map(|j| hash(&place, &format!("p{j}"), &["-j", j, "--isa", "portable"]));
    assert!(portable[0].is_some() && portable[0] == portable[1], "portable: {portable:?}");
    assert_ne!(hash(&place, "seed", &["-j", "1", "--seed", "1"]).unwrap(), expected, "the seed matters");
}

/// Needs Python with `pip install safetensors numpy`.
#[test]
#[ignore = "needs python3 with the packages safetensors and numpy"]
fn python_reads_the_model() {
    let place = Place::new();
    place.shipped("iris.csv");
    let summary = place.train("iris.csv", "run", &["--norm", "layer", "--residual"]);
    let script = "
import hashlib, sys
from safetensors.numpy import load_file
tensors = load_file('run/model.safetensors')
assert tensors['layers.0.weight'].shape == (8, 4), tensors['layers.0.weight'].shape
assert tensors['layers.1.bias'].shape == (3,)
assert tensors['norms.0.weight'].shape == tensors['norms.0.bias'].shape == (8,)
assert tensors['residuals.0.weight'].shape == (8, 4)
print(hashlib.sha256(b''.join(tensors[n].astype('<f4').tobytes() for n in sorted(tensors))).hexdigest())
";
    let mut python = std::process::Command::new("python3");
    let output = python.args(["-c", script]).current_dir(place.path(".")).output().expect("python3 starts");
    assert!(output.status.success(), "{}", error(&output));
    assert_eq!(out(&output).trim(), summary["weights_sha256"].as_str().unwrap());
}
