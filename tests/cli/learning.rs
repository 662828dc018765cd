//! How layers learn: freezing, schedules of dropout and decay, and the records of layers in each step.

use serde_json::Value;

use crate::networks::{TWO_CHAINS, place_with, train};
use crate::place::{Place, error, json};

#[test]
fn frozen_layers_keep_their_weights() {
    let place = place_with(TWO_CHAINS);
    let weights = |run: &str| std::fs::read(place.path(&format!("{run}/model.safetensors"))).unwrap();
    let (stack, layers) = (["--hidden", "6,5", "--norm", "layer"], ["--network", "net.toml"]);
    for (name, network, frozen) in
        [("stack", &stack[..], "layers.0,layers.1.bias"), ("layers", &layers[..], "network.0")]
    {
        train(&place, name, network);
        let tuned = format!("{name}-tuned");
        let flags = ["--init-from", name, "--freeze", frozen, "--weight-decay", "0.1", "--lr", "0.1"];
        train(&place, &tuned, &[network, &flags].concat());
        let (before, after) = (weights(name), weights(&tuned));
        let tensors = |bytes: &[u8]| {
            let tensors = safetensors::SafeTensors::deserialize(bytes).unwrap();
            let mut all: Vec<_> = tensors.tensors().into_iter().map(|(n, t)| (n, t.data().to_vec())).collect();
            all.sort();
            all
        };
        for ((name, before), (_, after)) in tensors(&before).iter().zip(tensors(&after)) {
            let kept =
                ["layers.0.", "norms.0.", "layers.1.bias", "network.0."].iter().any(|part| name.starts_with(part));
            assert_eq!(*before == after, kept, "{name}");
        }
        let again = json(&place.ok(&[
            "train",
            "-c",
            &format!("{tuned}/config.toml"),
            "--quiet",
            "--json",
            "--out",
            "again",
            "--overwrite",
        ]));
        assert_eq!(again["weights_sha256"], place.json(&format!("{tuned}/summary.json"))["weights_sha256"]);
    }
    for (code, flags, expected) in [
        (2, &["--freeze", "layers.0"][..], "give --init-from"),
        (4, &["--init-from", "stack", "--freeze", "layer.0"], "did you mean \"layers.0\"?"),
        (4, &["--init-from", "stack", "--freeze", "layers.0,layers.1,layers.2"], "nothing is left to learn"),
        (
            2,
            &["--init-from", "stack", "--freeze", ""],
            "--freeze: expected names of layers such as layers.0, found \"\"",
        ),
        (2, &["--init-from", "stack", "--freeze", " , "], "expected names of layers"),
        (
            4,
            &["--init-from", "stack", "--freeze", "activations.1"],
            "activations.1 learns nothing that could be frozen",
        ),
        (4, &["--init-from", "stack", "--freeze", "dropouts.0", "--dropout", "0.1"], "dropouts.0 learns nothing"),
    ] {
        let message = place.fails(code, &[&["train", "iris.csv", "--quiet"], &stack[..], flags].concat());
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn schedules_of_dropout_and_decay_are_repeated_and_checked() {
    let place = place_with(TWO_CHAINS);
    let flags =
        ["--dropout-schedule", "linear:start=0,end=1", "--weight-decay", "0.1", "--decay-schedule", "cosine:min=0.1"];
    for network in [&["--network", "net.toml"][..], &["--hidden", "8", "--dropout", "0.4"]] {
        let first = train(&place, "one", &[network, &flags, &["--overwrite"]].concat());
        let again =
            json(&place.ok(&["train", "-c", "one/config.toml", "--quiet", "--json", "--out", "two", "--overwrite"]));
        assert_eq!(again["weights_sha256"], first["weights_sha256"]);
        let plain = train(&place, "plain", &[network, &["--weight-decay", "0.1", "--overwrite"]].concat());
        assert_ne!(plain["weights_sha256"], first["weights_sha256"]);
    }
    for (flags, expected) in [
        (&["--dropout-schedule", "linear"][..], "expected dropout"),
        (&["--decay-schedule", "linear"], "expected a decay"),
        (&["--weight-decay", "0.1", "--decay-schedule", "plateau"], "plateau follows a monitor"),
        (&["--weight-decay", "0.1", "--decay-schedule", "cosine:min=2"], "min= is a factor"),
        (
            &["--dropout", "0.5", "--dropout-schedule", "linear:start=1,end=3"],
            "expected factors of at least 0 and below 2",
        ),
        (
            &["--optimizer", "lbfgs", "--l2", "0.1", "--decay-schedule", "linear"],
            "--decay-schedule with --optimizer lbfgs",
        ),
    ] {
        let message = place.fails(2, &[&["train", "iris.csv", "--hidden", "4"], flags].concat());
        assert!(message.contains(expected), "{message}");
    }
}

/// Before, such a name was accepted, and silently nothing was frozen.
#[test]
fn a_missing_bias_cannot_be_frozen() {
    let net =
        "chain = [{ kind = \"linear\", outputs = 4, bias = false }, { kind = \"linear\", outputs = \"outputs\" }]";
    let place = place_with(net);
    train(&place, "run", &["--network", "net.toml"]);
    let again =
        ["train", "iris.csv", "-q", "--network", "net.toml", "--init-from", "run", "--freeze", "network.0.bias"];
    let message = place.fails(4, &again);
    assert!(message.contains("unknown layer \"network.0.bias\""), "{message}");
    let lines = place.ok(&["inspect", "run"]);
    assert!(lines.contains("linear 4 bias = false"), "{lines}");
}

#[test]
fn an_empty_list_in_a_configuration_freezes_nothing() {
    let place = place_with(TWO_CHAINS);
    place.write("none.toml", "freeze = []\nhidden = [4]\n");
    train(&place, "none", &["-c", "none.toml"]);
}

/// `--log-steps` records each layer of a network from a file by its name, and each layer of a stack together with its norm
/// and its skip.
#[test]
fn recorded_steps_name_every_layer_that_learns() {
    let place = place_with(TWO_CHAINS);
    let layers = |flags: &[&str]| {
        train(&place, "run", &[flags, &["--log-steps", "2", "--overwrite"]].concat());
        let events = place.read("run/events.jsonl");
        let step = events.lines().map(json).find(|event: &Value| event["event"] == "step").unwrap();
        let (all, mut squares) = (step["grad_norm"].as_f64().unwrap(), 0.0);
        let mut names = Vec::new();
        for layer in step["layers"].as_array().unwrap() {
            squares += layer["grad_norm"].as_f64().unwrap().powi(2);
            assert!(layer["weight_norm"].as_f64().unwrap() > 0.0, "{step}");
            names.push(layer["layer"].as_str().unwrap().to_owned());
        }
        // The gradients of the layers together are the whole gradient.
        assert!((squares.sqrt() - all).abs() < 1e-9 * all, "{step}");
        names
    };
    let of_file = ["network.0.0.0", "network.0.1.0.0", "network.0.1.0", "network.1", "network.2"];
    assert_eq!(layers(&["--network", "net.toml"]), of_file);
    let of_stack = ["layers.0", "layers.1", "layers.2"];
    assert_eq!(layers(&["--hidden", "6,5", "--norm", "layer", "--residual", "--dropout", "0.1"]), of_stack);
    assert_eq!(layers(&["--hidden", "6,5", "--optimizer", "lbfgs"]), of_stack);
}

#[test]
fn weights_from_a_file_go_to_inputs_of_the_same_names() {
    let place = Place::new();
    let row = |n: usize| format!("{},{},{}", n % 7, n % 5, ["no", "yes"][n % 2]);
    let table = |header: &str, row: &dyn Fn(usize) -> String| {
        format!("{header}\n") + &(0..60).map(|n| row(n) + "\n").collect::<String>()
    };
    place.write("d.csv", table("a,b,y", &row));
    place.train("d.csv", "run", &["--hidden", "4", "--epochs", "2"]);
    let from = ["--init-from", "run", "--hidden", "4", "--epochs", "1", "--lr", "1e-30"];
    let again = |file: &'static str, more: &[&'static str]| {
        [&["train", file, "--overwrite", "-o", "again"], &from[..], more].concat()
    };
    place.write("other.csv", table("b,a,y", &|n| format!("{},{},{}", n % 5, n % 7, ["no", "yes"][n % 2])));
    let said = place.fails(4, &again("other.csv", &[]));
    assert!(
        said.contains("--init-from run") && said.contains("input 1 is \"a\" there and \"b\" in the data"),
        "{said}"
    );
    let said = place.fails(4, &again("d.csv", &["--positive", "no"]));
    assert!(said.contains("class 1 is \"no\" there and \"yes\" in the data"), "{said}");
    place.write("new.csv", table("a,c,y", &row));
    let said = error(&place.run(&again("new.csv", &[])));
    assert!(said.contains("weights of run go by place: input 2 is \"b\" there and \"c\" here"), "{said}");
}

#[test]
fn class_weights_stay_within_single_precision() {
    let place = Place::new();
    place.shipped("iris.csv");
    for weights in ["setosa=1e39", "setosa=1e-39,virginica=1e-39", "setosa=1e21"] {
        let said = place.fails(4, &["train", "iris.csv", "--class-weight", weights, "--dry-run"]);
        assert!(said.contains("only their ratios count"), "{weights}: {said}");
    }
}
