//! Options from files, the environment and flags.

use crate::place::{Place, SMALL, code, error, json, out};

fn iris() -> Place {
    let place = Place::new();
    place.shipped("iris.csv");
    place
}

/// The planned number of epochs, given `args` and environment variables.
fn epochs(place: &Place, args: &[&str], environment: &[(&str, &str)]) -> u64 {
    let args = [&["train", "--dry-run", "--json"], args].concat();
    let output = place.command(&args).envs(environment.iter().copied()).output().unwrap();
    assert_eq!(code(&output), 0, "{}", error(&output));
    json(&out(&output))["epochs"].as_u64().unwrap()
}

#[test]
fn flags_override_variables_and_variables_override_files() {
    let place = iris();
    place.write("a.toml", "data = \"iris.csv\"\nepochs = 3\nhidden = [4]\n");
    let environment = [("GRADLANE_EPOCHS", "5")];
    assert_eq!(epochs(&place, &["iris.csv", "--epochs", "9"], &[]), 9);
    assert_eq!(epochs(&place, &["-c", "a.toml"], &[]), 3);
    assert_eq!(epochs(&place, &["-c", "a.toml"], &environment), 5);
    assert_eq!(epochs(&place, &["-c", "a.toml", "--epochs", "7"], &environment), 7);
    let output = place.command(&["train", "iris.csv", "--dry-run"]).env("GRADLANE_EPOCHS", "many").output().unwrap();
    assert_eq!(code(&output), 2);
    assert!(error(&output).contains("GRADLANE_EPOCHS"), "{}", error(&output));
}

#[test]
fn the_number_of_threads_follows_flag_own_variable_and_rayons() {
    let place = iris();
    let asked = |args: &[&str], environment: &[(&str, &str)]| {
        let args = [&["train", "iris.csv", "--dry-run", "--json"], args].concat();
        let output = place.command(&args).envs(environment.iter().copied()).output().unwrap();
        json(&out(&output))["threads_asked"].as_u64().unwrap()
    };
    let (rayon, own) = (("RAYON_NUM_THREADS", "3"), ("GRADLANE_THREADS", "4"));
    assert_eq!(asked(&[], &[rayon]), 3);
    assert_eq!(asked(&[], &[rayon, own]), 4);
    assert_eq!(asked(&["-j", "5"], &[rayon, own]), 5);
}

#[test]
fn unknown_keys_are_refused_with_the_nearest_name() {
    let place = iris();
    place.write("a.toml", "epoch = 3\n");
    let message = place.fails(2, &["train", "iris.csv", "-c", "a.toml"]);
    assert!(message.contains("a.toml") && message.contains("did you mean \"epochs\"?"), "{message}");
    place.write("b.toml", "epochs = \n");
    let message = place.fails(2, &["train", "iris.csv", "-c", "b.toml"]);
    assert!(message.contains("b.toml:1"), "{message}");
    place.fails(5, &["train", "iris.csv", "-c", "missing.toml"]);
}

#[test]
fn the_effective_configuration_repeats_the_run() {
    let place = iris();
    let flags = [
        "--dropout",
        "0.2",
        "--norm",
        "rms",
        "--residual",
        "--hidden",
        "8,6",
        "--activation",
        "gelu,tanh",
        "--ema",
        "0.9",
        "--clip-norm",
        "0.5",
        "--schedule",
        "cosine:warmup=0.1",
        "--weight-decay",
        "0.01",
        "--seed",
        "7",
        "--test",
        "0.2",
        "--class-weight",
        "setosa=2",
        "--label-smoothing",
        "0.05",
        "--accumulate",
        "2",
        "--optimizer",
        "adamw:beta1=0.8",
    ];
    let first = place.train("iris.csv", "a", &flags);
    let args = ["train", "-c", "a/config.toml", "-o", "b", "-q", "--json"];
    let second = json(&place.ok(&args));
    for field in ["weights_sha256", "test", "val", "steps"] {
        assert_eq!(second[field], first[field], "{field}");
    }
    assert_eq!(place.read("b/config.toml"), place.read("a/config.toml"));
}

#[test]
fn training_can_start_from_saved_weights() {
    let place = iris();
    let first = place.train("iris.csv", "a", &[]);
    let args = [
        &["train", "iris.csv", "-o", "b", "--json", "--init-from", "a/model.safetensors", "--lr", "1e-30"],
        &SMALL[..],
    ];
    let second = json(&place.ok(&args.concat()));
    assert_eq!(second["val"], first["val"], "a rate of nothing changes nothing");
    let message = place.fails(4, &["train", "iris.csv", "-q", "-o", "c", "--init-from", "a", "--hidden", "9"]);
    assert!(message.contains("--init-from") && message.contains("layers.0.weight"), "{message}");
}

#[test]
fn the_saved_configuration_does_not_fix_the_instruction_set() {
    let place = iris();
    place.train("iris.csv", "run", &[]);
    assert!(place.read("run/config.toml").contains("isa = \"auto\""));
}

#[test]
fn a_switch_can_be_set_to_1_in_the_environment() {
    let place = iris();
    let args = [&["train", "iris.csv", "-o", "run"], &SMALL[..]].concat();
    let output = place.command(&args).env("GRADLANE_NO_SHUFFLE", "1").output().unwrap();
    assert!(output.status.success());
    assert!(place.read("run/config.toml").contains("no_shuffle = true"));
}

/// Defaults in the help: giving the default value explicitly changes nothing, for options whose default depends on the data.
#[test]
fn explicit_default_values_change_nothing() {
    let place = Place::new();
    // A category with more levels than get their own inputs, skewed numbers, missing ones, and quotes.
    let rows = (0..300).map(|n: u32| {
        let number = if n % 7 == 3 { String::new() } else { format!("{}", (n * n) % 101) };
        format!("\"level, {}\",{number},{}\n", (n * n + n / 70) % 70, n % 13 + n % 3)
    });
    place.write("t.csv", ["a,b,y\n".to_owned(), rows.collect()].concat());
    let weights = |flags: &[&str]| {
        let args = ["train", "t.csv", "--json", "--overwrite", "--out", "run", "--task", "regression"];
        json(&place.ok(&[&args, &SMALL[..], flags].concat()))["weights_sha256"].clone()
    };
    let usual = weights(&[]);
    for (flag, default, other) in [
        ("--test", "none", "0.2"),
        ("--scale", "standard", "robust"),
        ("--impute", "median", "mean"),
        ("--one-hot", "64", "63"),
        ("--encoding", "utf-8", ""),
        ("--quote", "\"", ""),
    ] {
        let help = place.ok(&["train", "--help"]);
        let (_, help) = help.split_once(&format!("{flag} <")).unwrap();
        let said = help.split(" --").next().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        assert!([']', ';'].iter().any(|end| said.contains(&format!("[{default}{end}"))), "{flag}: {said}");
        assert_eq!(weights(&[flag, default]), usual, "{flag} {default}");
        assert!(other.is_empty() || weights(&[flag, other]) != usual, "{flag} {other}");
    }
}

#[test]
fn the_schema_accepts_the_configuration_of_a_run() {
    let place = Place::new();
    place.shipped("iris.csv");
    place.ok(&["train", "iris.csv", "-o", "table", "--steps", "3", "-q"]);
    place.ok(&["train", "iris.csv", "-o", "plain", "--hidden", "4,3", "--epochs", "1", "--ema", "0.9", "-q"]);
    let schema = json(&place.ok(&["config", "schema"]));
    assert_eq!(schema["additionalProperties"], false);
    for run in ["table", "plain"] {
        let written: toml::Table = place.read(&format!("{run}/config.toml")).parse().unwrap();
        for (key, value) in written {
            let kind = match value {
                toml::Value::String(_) | toml::Value::Datetime(_) => "string",
                toml::Value::Integer(_) | toml::Value::Float(_) => "number",
                toml::Value::Boolean(_) => "boolean",
                toml::Value::Array(_) => "array",
                toml::Value::Table(_) => "object",
            };
            let types = &schema["properties"][&key]["type"];
            let allowed = types == kind || types.as_array().is_some_and(|types| types.iter().any(|t| t == kind));
            assert!(allowed, "{key} = {kind}: the schema says {types}");
        }
    }
    // The file from `config init` can be used for training as it is.
    place.ok(&["config", "init", "-o", "start.toml"]);
    assert!(place.read("start.toml").contains("\n#hidden = \"256,128\"\n"));
    place.ok(&["train", "iris.csv", "-c", "start.toml", "-o", "run", "--steps", "3", "-q"]);
    let message = place.fails(2, &["config", "init", "-o", "start.toml"]);
    assert!(message.contains("a file is there already"), "{message}");
}
