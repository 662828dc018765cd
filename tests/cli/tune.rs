//! `tune`: a search that records every trial, can be resumed after an interruption, and trains with the best settings.

use serde_json::Value;

use crate::place::{Place, code, error, json, out};

fn iris() -> Place {
    let place = Place::new();
    place.shipped("iris.csv");
    place
}

const SMALL: [&str; 8] = ["--budget", "9", "--epochs", "9", "--json", "-q", "--space", "space.toml"];
const SPACE: &str = "lr = { log = [1e-4, 0.3] }\nwidth = { log_int = [4, 32] }\noptimizer = [\"adam\", \"momentum\"]\n";

fn tune(place: &Place, more: &[&str]) -> Value {
    place.write("space.toml", SPACE);
    json(&place.ok(&[&["tune", "iris.csv"], &SMALL[..], more].concat()))
}

/// The trials of a search, sorted by number and length, without their times.
fn trials(place: &Place, directory: &str) -> Vec<Value> {
    let text = place.read(&format!("{directory}/trials.jsonl"));
    let mut trials: Vec<Value> = text.lines().map(json).collect();
    trials.iter_mut().for_each(|trial| drop(trial.as_object_mut().unwrap().remove("seconds")));
    trials.sort_by_key(|trial| (trial["epochs"].as_u64(), trial["trial"].as_u64()));
    trials
}

#[test]
fn the_best_third_is_promoted_and_the_best_is_retrained() {
    let place = iris();
    let found = tune(&place, &["-o", "search", "--test", "0.2", "--monitor", "accuracy"]);
    let trials = trials(&place, "search");
    let lengths: Vec<u64> = trials.iter().map(|trial| trial["epochs"].as_u64().unwrap()).collect();
    assert_eq!(lengths, [[1; 9].as_slice(), &[3; 3], &[9]].concat(), "nine trials, then three, then one");
    assert_eq!((&found["tried"], &found["trials"], &found["stopped"]), (&9.into(), &13.into(), &"budget".into()));
    let score = |trial: &Value| (trial["value"].as_f64().unwrap(), -trial["val"]["loss"].as_f64().unwrap());
    let mut first: Vec<&Value> = trials[..9].iter().collect();
    first.sort_by(|a, b| score(b).partial_cmp(&score(a)).unwrap());
    let mut promoted: Vec<&Value> = first[..3].iter().map(|trial| &trial["trial"]).collect();
    promoted.sort_by_key(|number| number.as_u64());
    assert_eq!(
        promoted,
        trials[9..12].iter().map(|trial| &trial["trial"]).collect::<Vec<_>>(),
        "the best third goes on"
    );
    // Of equal trials `max_by` takes the last, which is the longest training.
    let best = trials.iter().max_by(|a, b| score(a).partial_cmp(&score(b)).unwrap()).unwrap();
    assert_eq!((&found["best"]["trial"], &found["best"]["epochs"]), (&best["trial"], &best["epochs"]));
    assert_eq!(trials[0]["settings"], Value::Object(Default::default()), "the first is trained as without a search");
    let retrained = &found["retrained"];
    assert_eq!(retrained["weights_sha256"], best["weights_sha256"][0], "training again gives the trial's bits");
    assert!(retrained["test"]["accuracy"].is_number());
    let again = json(&place.ok(&["train", "-c", "search/best.toml", "-o", "again", "--json", "-q"]));
    assert_eq!(again["weights_sha256"], retrained["weights_sha256"], "best.toml is the configuration");
    place.ok(&["predict", "search/best", "iris.csv"]);
}

#[test]
fn a_search_is_the_same_on_any_number_of_threads() {
    let place = iris();
    tune(&place, &["-o", "one", "-j", "1", "--no-retrain"]);
    tune(&place, &["-o", "two", "-j", "2", "--no-retrain"]);
    tune(&place, &["-o", "three", "-j", "3", "--exact-threads", "--no-retrain"]);
    assert_eq!(trials(&place, "one"), trials(&place, "two"));
    assert_eq!(trials(&place, "one"), trials(&place, "three"));
    assert!(!place.path("one/best").exists());
    tune(&place, &["-o", "seed", "--seed", "1", "--no-retrain"]);
    assert_ne!(trials(&place, "one"), trials(&place, "seed"));
}

#[test]
fn an_interrupted_search_is_resumed_to_the_same_trials() {
    let place = iris();
    tune(&place, &["-o", "whole", "--no-retrain"]);
    tune(&place, &["-o", "cut", "--no-retrain"]);
    let text = place.read("cut/trials.jsonl");
    let five: String = text.lines().take(5).map(|line| format!("{line}\n")).collect();
    place.write("cut/trials.jsonl", format!("{five}{{\"trial\":"));
    let found = json(&place.ok(&["tune", "--resume", "cut", "--json", "-q", "--no-retrain"]));
    assert_eq!(found["made"], 8, "five of thirteen were there");
    assert_eq!(trials(&place, "cut"), trials(&place, "whole"));
    let found = json(&place.ok(&["tune", "--resume", "cut", "--json", "-q", "--no-retrain"]));
    assert_eq!(found["made"], 0);
    let larger = json(&place.ok(&["tune", "--resume", "cut", "--budget", "12", "--json", "-q", "--no-retrain"]));
    assert_eq!(larger["tried"], 12, "a larger budget adds to what is there");
    let message = place.fails(2, &["tune", "--resume", "cut", "--seed", "1", "-q"]);
    assert!(message.contains("seed was nothing, and is \"1\" now"), "{message}");
    place.fails(5, &["tune", "--resume", "nowhere", "-q"]);
    let message = place.fails(2, &["tune", "iris.csv", "-o", "cut", "-q"]);
    assert!(message.contains("--resume"), "{message}");
}

#[test]
fn a_search_goes_on_with_kernels_of_the_same_bits_only() {
    let place = iris();
    tune(&place, &["-o", "search", "--no-retrain", "--isa", "portable"]);
    let resume = ["tune", "--resume", "search", "--json", "-q", "--no-retrain"];
    let recorded = place.read("search/tune.toml");
    assert!(recorded.contains("fused = false\n"), "{recorded}");
    assert_eq!(json(&place.ok(&[&resume[..], &["--isa", "portable"]].concat()))["made"], 0);

    // As a CPU with fused kernels would have begun it; every CPU can take it up with portable ones.
    place.write("search/tune.toml", recorded.replace("fused = false", "fused = true"));
    let message = place.fails(4, &[&resume[..], &["--isa", "portable"]].concat());
    let why =
        "--resume search: the search was begun with --isa avx2 or avx512, and others give other bits: try --isa auto";
    assert!(message.contains(why), "{message}");

    // One that an older version wrote says nothing about kernels, and nothing is added that may be wrong.
    let older = recorded.replace("fused = false\n", "");
    place.write("search/tune.toml", &older);
    assert_eq!(json(&place.ok(&resume))["made"], 0);
    assert_eq!(place.read("search/tune.toml"), older);
}

#[test]
fn settings_are_compared_by_the_mean_over_folds() {
    let place = iris();
    let found = tune(&place, &["-o", "search", "--cv", "3", "--monitor", "log_loss"]);
    assert_eq!(found["metric"], "val_log_loss");
    let best = &found["best"];
    assert_eq!(best["weights_sha256"].as_array().unwrap().len(), 3);
    assert_eq!(best["value"], best["val"]["log_loss"]);
    assert!(best["std"]["log_loss"].as_f64().unwrap() > 0.0, "{best}");
    let cv = &found["retrained"]["cv"];
    assert_eq!(cv["mean"], best["val"], "the run of the best settings has the same folds");
    let hashes: Vec<&Value> = cv["folds"].as_array().unwrap().iter().map(|fold| &fold["weights_sha256"]).collect();
    assert_eq!(hashes, best["weights_sha256"].as_array().unwrap().iter().collect::<Vec<_>>());
}

#[test]
fn given_options_are_fixed() {
    let place = iris();
    place.write("space.toml", SPACE);
    let message = place.fails(2, &[&["tune", "iris.csv", "--lr", "0.1"], &SMALL[..]].concat());
    assert!(message.contains("--lr is given"), "{message}");
    let planned = place.ok(&["tune", "iris.csv", "--dry-run", "-q", "--lr", "0.1", "--hidden", "8"]);
    assert!(planned.contains("27 trials") && planned.contains("dropout = ["), "{planned}");
    assert!(!planned.contains("lr_factor") && !planned.contains("width"), "{planned}");
    assert!(!place.path("runs").exists(), "a dry run writes nothing");
    let planned = json(&place.ok(&["tune", "iris.csv", "--dry-run", "-q", "--json"]));
    assert!(planned["space"]["lr_factor"]["log"].is_array(), "{planned}");
}

#[test]
fn parameters_that_cannot_be_searched_are_refused() {
    let place = iris();
    place.write("wrong.toml", "los = [1]");
    let message = place.fails(2, &["tune", "iris.csv", "--space", "wrong.toml"]);
    assert!(message.contains("wrong.toml: los"), "{message}");
    place.write("wrong.toml", "activation = [\"relu\", \"rellu\"]");
    let message = place.fails(2, &["tune", "iris.csv", "--space", "wrong.toml", "-q", "-o", "wrong"]);
    assert!(message.contains("wrong.toml: activation"), "{message}");
    place.fails(2, &["tune", "iris.csv", "--budget", "0"]);
    place.fails(2, &["tune", "iris.csv", "--monitor", "test_accuracy"]);
    place.fails(2, &["tune", "iris.csv", "--monitor", "acuracy"]);
    place.fails(4, &["tune", "iris.csv", "--monitor", "rmse", "-q"]);
    place.fails(4, &["tune", "iris.csv", "--valid", "none", "-q"]);
    place.fails(12, &["tune", "iris.csv", "--budget", "0s", "-q", "-o", "none"]);
}

/// A trial is a single network on data that are prepared once, so a space has neither several networks nor presets.
#[test]
fn several_networks_and_presets_are_refused_in_a_space() {
    let place = iris();
    for (space, part) in [
        ("ensemble = [1, 3]", "ensemble: it cannot be searched: it is for gradlane train"),
        ("portfolio = [\"realmlp,tabm\"]", "portfolio: it cannot be searched: it is for gradlane train"),
        (
            "preset = [\"plain\", \"realmlp\"]",
            "preset: it cannot be searched: only options of the network and its optimizer can",
        ),
    ] {
        place.write("space.toml", space);
        let message = place.fails(2, &["tune", "iris.csv", "--space", "space.toml", "--budget", "2", "-o", "search"]);
        assert!(message.contains(part), "{space}: {message}");
        assert!(!place.path("search").exists(), "{space}");
    }
    place.write("space.toml", "ensembel = [1, 3]");
    let message = place.fails(2, &["tune", "iris.csv", "--space", "space.toml"]);
    let (_, known) = message.split_once("Known: ").expect("the list of parameters");
    assert!(
        known.contains("dropout")
            && !known.contains("ensemble")
            && !known.contains("portfolio")
            && !known.contains("preset"),
        "{message}"
    );
}

#[test]
fn the_report_is_a_table_and_commands() {
    let place = iris();
    place.write("space.toml", SPACE);
    let flags = ["tune", "iris.csv", "--budget", "3", "--epochs", "3", "--space", "space.toml", "-o", "search"];
    let output = place.run(&flags);
    assert_eq!(code(&output), 0, "{}", error(&output));
    let text = out(&output);
    assert!(text.contains("trial") && text.contains("hidden") && text.contains("best    trial"), "{text}");
    let command = text.lines().last().unwrap().strip_prefix("predict with: gradlane ").expect("a command");
    place.ok(&command.split(' ').collect::<Vec<_>>());
    assert!(error(&output).contains("4/4"), "progress is shown: {}", error(&output));
}

#[test]
fn a_win_of_the_defaults_is_reported() {
    let place = iris();
    // With the other settings nothing can be learnt.
    place.write("bad.toml", "lr = [1e-12, 1e-11]\n");
    let args = ["tune", "iris.csv", "--space", "bad.toml", "--budget", "3", "--epochs", "9", "--no-retrain", "-o"];
    let found = place.run(&[&args[..], &["bad"]].concat());
    let note = |preset: &str| {
        format!("trial 1 won, which has the options that are given, and otherwise the defaults of --preset {preset}\n")
    };
    assert!(error(&found).contains(&note("plain")), "{}", error(&found));
    let plain = ["train", "iris.csv", "--preset", "plain", "--epochs", "9", "-o", "plain", "--json", "-q"];
    let plain = json(&place.ok(&plain))["weights_sha256"].clone();
    let first = |trial: &&Value| trial["trial"] == 1 && trial["epochs"] == 9;
    assert_eq!(trials(&place, "bad").iter().find(first).expect("trial 1")["weights_sha256"][0], plain);
    let found = place.run(&[&args[..], &["tabm", "--preset", "tabm-mini-small"]].concat());
    assert!(error(&found).contains(&note("tabm-mini-small")), "{}", error(&found));
    place.write("good.toml", "lr = [0.01, 0.02]\n");
    let found = place.run(&[&args[..3], &["good.toml"], &args[4..], &["good"]].concat());
    assert!(code(&found) == 0 && !error(&found).contains("trial 1 won"), "{}", error(&found));
}

#[test]
fn a_diverged_trial_has_no_deviation() {
    let place = iris();
    place.write("space.toml", "lr = [1e30]\n");
    let args =
        ["tune", "iris.csv", "--space", "space.toml", "--budget", "2", "--epochs", "9", "--cv", "2", "--no-retrain"];
    let text = place.ok(&args);
    let row = |trial: &str| text.lines().find(|line| line.trim_start().starts_with(trial)).expect("a trial");
    assert!(row("1 ").contains(" ± "), "{text}");
    assert!(row("2 ").contains(" – ") && !row("2 ").contains('±'), "{text}");
}

#[cfg(unix)]
#[test]
fn a_signal_finishes_the_running_trials() {
    use std::process::Stdio;
    use std::time::{Duration, Instant};
    let place = iris();
    let flags = ["tune", "iris.csv", "--budget", "500", "--epochs", "30", "-o", "search", "--progress", "json"];
    let mut command = place.command(&flags);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program starts");
    let began = Instant::now();
    let some = || std::fs::read_to_string(place.path("search/trials.jsonl")).is_ok_and(|t| t.lines().count() >= 3);
    while !some() {
        assert!(began.elapsed() < Duration::from_secs(60), "no trial ends");
        std::thread::sleep(Duration::from_millis(10));
    }
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.expect("kill is there").success());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(code(&output), 130);
    assert!(out(&output).contains("stopped: signal") && out(&output).contains("best.toml"), "{}", out(&output));
    assert!(place.path("search/best.toml").is_file() && !place.path("search/best").exists());
    let text = place.read("search/trials.jsonl");
    assert!(text.lines().count() < 500 && text.lines().all(|line| json(line)["epochs"].is_number()));
}

#[cfg(unix)]
#[test]
fn a_search_that_runs_is_not_resumed_or_replaced() {
    use std::process::Stdio;
    use std::time::{Duration, Instant};
    let place = iris();
    let mut command = place.command(&["tune", "iris.csv", "--budget", "5000", "--epochs", "30", "-o", "search", "-q"]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
    let began = Instant::now();
    while !std::fs::read_to_string(place.path("search/trials.jsonl")).is_ok_and(|text| text.contains('\n')) {
        assert!(began.elapsed() < Duration::from_secs(60), "no trial ends");
        std::thread::sleep(Duration::from_millis(10));
    }
    let resume = ["tune", "--resume", "search", "-q"];
    let small = ["tune", "iris.csv", "--budget", "1", "--epochs", "1", "-o", "search", "-q", "--overwrite"];
    for flags in [&resume[..], &small] {
        let message = place.fails(5, flags);
        assert!(message.contains("search: another program is writing this search: wait for its end"), "{message}");
    }
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.expect("kill is there").success());
    assert_eq!(code(&child.wait_with_output().expect("it ends")), 130);
    place.ok(&small);
}

#[test]
fn the_default_space_suits_every_optimizer() {
    let place = iris();
    for optimizer in ["lbfgs", "rprop", "schedulefree"] {
        let flags = ["--optimizer", optimizer, "--budget", "3", "--epochs", "3", "-q", "--json", "-o", optimizer];
        let found = json(&place.ok(&[&["tune", "iris.csv"], &flags[..]].concat()));
        assert_eq!(found["tried"], 3, "{optimizer}");
        assert!(found["best"]["value"].is_number(), "{optimizer}: {found}");
    }
}

#[test]
fn a_configuration_that_fixes_everything_leaves_nothing_to_search() {
    let place = iris();
    place.train("iris.csv", "run", &["--epochs", "1"]);
    let message = place.fails(2, &["tune", "-c", "run/config.toml", "-o", "search"]);
    assert!(message.contains("nothing is left to search"), "{message}");
}

#[test]
fn a_space_with_wrong_values_leaves_no_directory() {
    let place = iris();
    for (space, part) in [
        ("# nothing", "space.toml: nothing is left to search"),
        ("dropout = [0.1, 2.0]", "space.toml: dropout: expected a share"),
        ("optimizer = [\"adam\", \"lbfgs\"]\nbatch = [16]", "compares gradients"),
        ("optimizer = [\"adam\", \"nosuch\"]\nlr_factor = [1]", "space.toml: unknown optimizer \"nosuch\". Known"),
    ] {
        place.write("space.toml", space);
        let message = place.fails(2, &["tune", "iris.csv", "--space", "space.toml", "-o", "search"]);
        assert!(message.contains(part), "{space}: {message}");
        assert!(!place.path("search").exists(), "{space}");
    }
}

#[test]
fn a_search_whose_trials_all_diverge_ends_with_10_and_metric_is_still_accepted() {
    let place = iris();
    let arguments = ["tune", "iris.csv", "--budget", "2", "--optimizer", "sgd", "--lr", "1e30", "--metric", "loss"];
    let message = place.fails(10, &arguments);
    assert!(message.contains("every trial diverged"), "{message}");
}

/// A run and a search do not share a directory: their files would be taken for each other's.
#[test]
fn a_search_and_a_run_keep_apart() {
    let place = Place::new();
    place.shipped("iris.csv");
    let train = ["train", "iris.csv", "--hidden", "4", "--epochs", "2", "-q", "-o"];
    let tune = ["tune", "iris.csv", "--hidden", "4", "--budget", "2", "--epochs", "2", "-q", "-o"];
    place.ok(&[&train[..], &["run"]].concat());
    place.ok(&[&tune[..], &["search"]].concat());
    for more in [&[][..], &["--overwrite"]] {
        let message = place.fails(2, &[&tune[..], &["run"], more].concat());
        assert!(message.contains("a run is there: choose another directory"), "{message}");
        let message = place.fails(2, &[&train[..], &["search"], more].concat());
        assert!(message.contains("a search is there: choose another directory"), "{message}");
    }
    place.ok(&["predict", "run", "iris.csv"]);
    place.ok(&[&tune[..], &["search", "--overwrite"]].concat());
}
