//! `train --preset best`: several configurations on the same folds, averaged with weights that are chosen by out-of-fold
//! predictions.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::ensemble::{column, table};
use crate::place::{Place, json};

/// Three configurations with different inputs, trained for a few epochs.
const QUICK: [&str; 8] =
    ["--preset", "best", "--portfolio", "realmlp,mlp-ple,tabm-mini-small", "--cv", "3", "--epochs", "3"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&QUICK[..], more].concat()
}

/// Trains on `data` into `run`, without the small network of [`Place::train`].
fn train(place: &Place, data: &str, run: &str, more: &[&str]) -> Value {
    json(&place.ok(&[&["train", data, "-o", run, "--json", "--quiet"], more].concat()))
}

/// Name and weight of the configurations with a weight above 0.
fn weights(summary: &Value) -> Vec<(String, f64)> {
    let all = summary["configurations"].as_array().unwrap().iter();
    let one = |one: &Value| (one["configuration"].as_str().unwrap().to_owned(), one["weight"].as_f64().unwrap());
    all.map(one).filter(|(_, weight)| *weight > 0.0).collect()
}

#[test]
fn predictions_are_the_weighted_mean_of_the_ensembles_of_folds() {
    let place = Place::new();
    for (task, columns) in [
        ("binary", &["proba_no", "proba_yes"][..]),
        ("classes", &["proba_p", "proba_q", "proba_r"]),
        ("numbers", &["prediction"]),
    ] {
        table(&place, "train.csv", task, 240);
        table(&place, "test.csv", task, 90);
        let parts = ["--test", "test.csv", "--overwrite", "--calibrate", "none"];
        // A model of several forms clamps each network to the range of the targets, an ensemble only the mean. After few
        // epochs RealMLP predicts beyond that range, so it is left out for numbers.
        let others = ["--preset", "best", "--portfolio", "mlp-ple,tabm-mini-small", "--cv", "3", "--epochs", "3"];
        let of_task = if task == "numbers" { [&others[..], &parts].concat() } else { with(&parts) };
        let summary = train(&place, "train.csv", "best", &of_task);
        let weights = weights(&summary);
        assert!((weights.iter().map(|(_, weight)| weight).sum::<f64>() - 1.0).abs() < 1e-12, "{weights:?}");
        let mut means: Vec<Vec<f64>> = columns.iter().map(|_| vec![0.0; 90]).collect();
        for (number, (name, weight)) in weights.iter().enumerate() {
            let clamp: &[&str] = if task == "numbers" { &["--clamp"] } else { &[] };
            let folds = ["--preset", name, "--cv", "3", "--ensemble", "3", "--epochs", "3"];
            let alone = train(&place, "train.csv", "alone", &[&folds[..], &parts, clamp].concat());
            for fold in 0..3 {
                let (told, alone) = (&summary["members"][3 * number + fold], &alone["members"][fold]);
                assert_eq!(told["weights_sha256"], alone["weights_sha256"], "{task}: {name}, fold {fold}");
                assert_eq!((&told["configuration"], &told["fold"]), (&Value::from(name.as_str()), &alone["fold"]));
            }
            let said = place.ok(&["predict", "alone", "test.csv", "--proba"]);
            for (mean, name) in means.iter_mut().zip(columns) {
                mean.iter_mut().zip(column(&said, name)).for_each(|(mean, said)| *mean += weight * said);
            }
        }
        let said = place.ok(&["predict", "best", "test.csv", "--proba"]);
        for (mean, name) in means.iter().zip(columns) {
            // For the same reason, only predictions away from the ends of the range, 54 to 120, are compared.
            let rows: Vec<(&f64, f64)> = mean.iter().zip(column(&said, name)).collect();
            let inner = rows.iter().filter(|(mean, _)| task != "numbers" || (70.0..115.0).contains(*mean));
            assert!(inner.clone().count() > 70, "{task}");
            for (mean, said) in inner {
                assert!((*mean - said).abs() <= 4e-6 * mean.abs().max(1.0), "{task}, {name}: {mean} {said}");
            }
        }
        let evaluated = json(&place.ok(&["evaluate", "best", "test.csv", "--json"]));
        assert_eq!(evaluated["metrics"], summary["test"], "{task}");
    }
}

#[test]
fn the_mean_is_no_worse_out_of_fold_than_each_configuration_and_is_repeatable() {
    let place = Place::new();
    table(&place, "data.csv", "classes", 300);
    let summary = train(&place, "data.csv", "run", &with(&["-j", "2", "--test", "0.2"]));
    let all = summary["configurations"].as_array().unwrap();
    assert_eq!(all.len(), 3, "{all:?}");
    let of_all = summary["val"]["log_loss"].as_f64().unwrap();
    for one in all {
        let alone = one["out_of_fold"].as_f64().unwrap();
        assert!(of_all <= alone + 1e-6, "{of_all} of all, {one}");
        assert_eq!(one["networks"], 3);
    }
    assert!(all[0]["calibration"]["rows"] == 240, "smoothed labels are made up for: {}", all[0]);
    let chose = summary["val_chose"].as_array().unwrap();
    assert!(chose.starts_with(&["epoch".into(), "weights".into()]), "{chose:?}");
    let config = place.read("run/config.toml");
    assert!(config.contains("preset = \"best\"") && config.contains("portfolio = ["), "{config}");
    assert!(!config.contains("time_limit") && !config.contains("scale ="), "{config}");
    let again = json(&place.ok(&["train", "-c", "run/config.toml", "-o", "again", "--json", "-q", "-j", "1"]));
    assert_eq!(again["weights_sha256"], summary["weights_sha256"]);
    assert_eq!((&again["val"], &again["test"]), (&summary["val"], &summary["test"]));
    assert!(place.ok(&["verify", "run", "-q"]).starts_with("SAME"));
    assert!(place.ok(&["resume", "run"]).starts_with("the run is over"));
    let events: Vec<Value> = place.read("run/events.jsonl").lines().map(json).collect();
    let count = |kind: &str| events.iter().filter(|event| event["event"] == kind).count();
    assert_eq!((count("epoch"), count("configuration"), count("end")), (27, 3, 1));
}

#[test]
fn every_verb_accepts_a_model_of_several_forms() {
    let place = Place::new();
    table(&place, "data.csv", "numbers", 200);
    let summary = train(&place, "data.csv", "run", &with(&[]));
    assert_eq!((&summary["judged_part"], &summary["baseline"]["linear"]), (&"out_of_fold".into(), &Value::Null));
    let text = place.ok(&["inspect", "run"]);
    assert!(text.contains("form") && text.contains("temperature"), "{text}");
    let inspected = json(&place.ok(&["inspect", "run", "--json"]));
    assert_eq!(inspected["forms"].as_array().unwrap().len(), weights(&summary).len());
    assert_eq!(inspected["parameters"], summary["parameters"]);
    let importance = json(&place.ok(&["inspect", "run", "--importance", "data.csv", "--json"]));
    assert_eq!(importance["importance"]["columns"].as_array().unwrap().len(), 3, "one line for each column");
    let intervals = place.ok(&["predict", "run", "data.csv", "--interval", "0.9"]);
    assert!(intervals.starts_with("prediction,lower,upper"), "{intervals}");
    place.ok(&["export", "run", "--to", "npz", "-o", "weights.npz"]);
    let message = place.fails(4, &["export", "run", "--to", "json", "-o", "out"]);
    assert!(message.contains("its layout is of networks of one form"), "{message}");
    let told =
        place.run(&["train", "data.csv", "-o", "told", "--preset", "best", "--portfolio", "mlp-ple", "--epochs", "2"]);
    let (told, table) = (String::from_utf8_lossy(&told.stdout), String::from_utf8_lossy(&told.stderr));
    assert!(told.contains("out of fold: optimistic, as these rows chose epoch and weights"), "{told}");
    assert!(table.contains("preset: best, networks of 8 folds for each of 1 configurations, however long"), "{table}");
    assert!(table.lines().any(|line| line.starts_with("mlp-ple") && line.contains("1.000")), "{table}");
}

#[test]
fn a_threshold_is_chosen_out_of_fold() {
    let place = Place::new();
    table(&place, "data.csv", "binary", 200);
    let summary = train(&place, "data.csv", "run", &with(&["--threshold", "metric=f1"]));
    let threshold = &summary["decision"]["threshold"];
    assert_eq!((&threshold["metric"], &threshold["rows"]), (&"f1".into(), &200.into()));
}

#[test]
fn a_time_limit_leaves_out_configurations() {
    let place = Place::new();
    place.shipped("iris.csv");
    let began = Instant::now();
    let summary = train(&place, "iris.csv", "run", &["--preset", "best", "--time-limit", "4s"]);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    let all = summary["configurations"].as_array().unwrap();
    let left_out: Vec<&Value> = all.iter().filter(|one| one["left_out"].is_string()).collect();
    assert!(!left_out.is_empty() && left_out.iter().all(|one| one["weight"] == 0.0), "{all:?}");
    assert!(summary["val"]["accuracy"].as_f64().unwrap() > 0.8);
    if summary["stopped"] == "time" {
        return; // on a slow machine the time ended the first configuration
    }
    let config = place.read("run/config.toml");
    let portfolio = config.lines().find(|line| line.starts_with("portfolio")).unwrap();
    assert!(left_out.iter().all(|one| !portfolio.contains(&one["configuration"].to_string())), "{portfolio}");
    assert!(!place.path("run/networks").exists());
    let again = json(&place.ok(&["train", "-c", "run/config.toml", "-o", "again", "--json", "-q"]));
    assert_eq!(again["weights_sha256"], summary["weights_sha256"]);
}

#[test]
fn a_time_limit_that_allows_no_step_leaves_no_run() {
    let place = Place::new();
    place.shipped("iris.csv");
    let message = place.fails(12, &["train", "iris.csv", "--preset", "best", "--time-limit", "0.000001s", "-o", "run"]);
    assert!(message.contains("the time was up"), "{message}");
    assert!(!place.path("run").exists());
}

#[test]
fn a_killed_portfolio_is_resumed_to_the_same_result() {
    let place = Place::new();
    table(&place, "data.csv", "classes", 300);
    let options = ["--portfolio", "realmlp,mlp-ple", "--cv", "3", "--epochs", "40", "--checkpoint-every", "5steps"];
    let args = [&["train", "data.csv", "--preset", "best", "-q"][..], &options].concat();
    place.ok(&[&args[..], &["-o", "whole"]].concat());
    let whole = place.json("whole/summary.json");
    let mut kills = 0;
    for delay in (1..).map(|turn| 150 * turn) {
        let goes_on = place.path("run/networks").exists();
        let resume = ["resume", "run", "-q"];
        let args = if goes_on { resume.to_vec() } else { [&args[..], &["-o", "run", "--overwrite"]].concat() };
        let mut child = place.command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(delay));
        if child.try_wait().unwrap().is_some_and(|status| status.success()) {
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
    }
    assert!(kills > 0);
    let resumed = place.json("run/summary.json");
    for part in ["weights_sha256", "val", "members", "decision"] {
        let plain = |summary: &Value| {
            let mut part = summary[part].clone();
            part.as_array_mut()
                .into_iter()
                .flatten()
                .for_each(|one| drop(one.as_object_mut().unwrap().remove("seconds")));
            part
        };
        assert_eq!(plain(&resumed), plain(&whole), "{part} after {kills} kills");
    }
    assert!(place.ok(&["verify", "run", "-q"]).starts_with("SAME"));
}

#[test]
fn options_that_do_not_fit_preset_best_are_refused() {
    let place = Place::new();
    ["iris.csv", "penguins.csv"].into_iter().for_each(|name| drop(place.shipped(name)));
    for (flags, reason) in [
        (&["--lr", "0.1"][..], "--lr: --preset best trains presets that decide this themselves"),
        (&["--ensemble", "3"], "--ensemble: --preset best"),
        (&["--valid", "0.2"], "its folds are the validation part"),
        (&["--portfolio", "realmlp,tabn"], "did you mean \"tabm\"?"),
        (&["--cv", "5x2"], "give --cv K"),
        (&["--trace"], "--trace: --preset best"),
    ] {
        let message = place.fails(2, &[&["train", "iris.csv", "--preset", "best"], flags].concat());
        assert!(message.contains(reason), "{message}");
    }
    let message = place.fails(2, &["train", "iris.csv", "--portfolio", "realmlp"]);
    assert!(message.contains("--portfolio: it lists the presets of --preset best"), "{message}");
    let message = place.fails(2, &["tune", "iris.csv", "--preset", "best"]);
    assert!(message.contains("--preset best: it is for gradlane train"), "{message}");
    let message = place.fails(4, &["train", "penguins.csv", "--preset", "best", "--split", "time:year", "--cv", "2"]);
    assert!(message.contains("needs every row in one fold"), "{message}");
    assert!(place.ok(&["train", "--preset", "help"]).contains("--portfolio realmlp,"));
}
