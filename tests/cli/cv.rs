//! `train --cv`: cross-validation, then a network for all rows.

use serde_json::Value;

use crate::place::{Place, code, error, json, out};

/// 60 rows whose first column determines the class, and a text column with levels that some folds lack.
fn place() -> Place {
    let place = Place::new();
    let row = |n: usize| {
        let x = (n * 37 % 60) as f64 / 10.0 - 3.0;
        format!("{x},{},{}\n", ["a", "b", "c"][n % 3], if x > 0.3 { "yes" } else { "no" })
    };
    place.write("data.csv", format!("x,kind,answer\n{}", (0..60).map(row).collect::<String>()));
    place
}

fn rows(summary: &Value, key: &str) -> Vec<u64> {
    summary["cv"]["folds"].as_array().unwrap().iter().map(|fold| fold[key].as_u64().unwrap()).collect()
}

#[test]
fn the_summary_has_every_fold_with_mean_and_deviation() {
    let place = place();
    let summary = place.train("data.csv", "run", &["--cv", "4", "--test", "0.2", "--epochs", "20"]);
    assert_eq!(rows(&summary, "val_rows"), [12, 12, 12, 12]);
    assert_eq!(rows(&summary, "train_rows"), [36, 36, 36, 36]);
    let folds = summary["cv"]["folds"].as_array().unwrap();
    for metric in ["loss", "accuracy", "auroc"] {
        let values: Vec<f64> = folds.iter().map(|fold| fold["val"][metric].as_f64().unwrap()).collect();
        let mean = values.iter().sum::<f64>() / 4.0;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 3.0;
        let found = |of: &str| summary["cv"][of][metric].as_f64().unwrap();
        assert!((found("mean") - mean).abs() < 1e-12 && (found("std") - variance.sqrt()).abs() < 1e-12, "{metric}");
    }
    let mut epochs = rows(&summary, "best_epoch");
    epochs.sort_unstable();
    assert_eq!(summary["epochs"], epochs[2], "the final network trains as long as the median fold was best");
    assert_eq!(summary["best_epoch"], epochs[2]);
    assert!(summary["val"].is_null() && summary["test"]["accuracy"].is_number(), "{summary}");
    assert_eq!(place.json("run/summary.json"), summary);
    let events: Vec<Value> = place.read("run/events.jsonl").lines().map(json).collect();
    assert_eq!(events.iter().filter(|event| event["event"] == "fold").count(), 4);
    let split = place.json("run/split.json");
    assert_eq!((split["train"].as_array().unwrap().len(), split["test"].as_array().unwrap().len()), (48, 12));
}

#[test]
fn folds_are_the_same_on_any_number_of_threads() {
    let place = place();
    let cv = |run: &str, threads: &[&str]| {
        let mut summary = place.train("data.csv", run, &[&["--cv", "5", "--dropout", "0.2"], threads].concat());
        for fold in summary["cv"]["folds"].as_array_mut().unwrap() {
            fold.as_object_mut().unwrap().remove("seconds");
        }
        (summary["cv"].clone(), summary["weights_sha256"].clone())
    };
    let one = cv("one", &["-j", "1"]);
    assert_eq!(cv("two", &["-j", "2"]), one);
    assert_eq!(cv("three", &["-j", "3", "--exact-threads"]), one);
}

#[test]
fn a_fold_gives_the_same_network_as_when_trained_alone() {
    let place = place();
    let summary = place.train("data.csv", "run", &["--cv", "3", "--batch", "8"]);
    // Each fold is trained again from files with its rows left out. Without a test part, the folds depend only on the seed.
    let text = place.read("data.csv");
    let lines: Vec<&str> = text.lines().collect();
    let alone = |fold: &[usize]| {
        let part = |inside: bool| {
            let chosen = (0..60).filter(|row| fold.contains(row) == inside).map(|row| format!("{}\n", lines[row + 1]));
            format!("{}\n{}", lines[0], chosen.collect::<String>())
        };
        place.write("others.csv", part(false));
        place.write("fold.csv", part(true));
        place.train("others.csv", "alone", &["--valid", "fold.csv", "--batch", "8", "--overwrite"])
    };
    let options = gradlane::data::DataOptions::new(place.path("data.csv"));
    let (_, folds) = gradlane::data::prepare_folds(&options, 0, "3".parse().unwrap()).unwrap();
    for number in 0..folds.len() {
        let fold: Vec<usize> = folds.prepare(number).unwrap().split.val.iter().map(|row| *row as usize).collect();
        let (alone, inside) = (alone(&fold), &summary["cv"]["folds"][number]);
        assert_eq!(inside["weights_sha256"], alone["weights_sha256"], "fold {number}");
        assert_eq!(inside["val"], alone["val"], "fold {number}: the preprocessing is fitted to the other folds alone");
        assert_eq!(inside["best_epoch"], alone["best_epoch"]);
    }
}

#[test]
fn a_regression_can_be_cross_validated() {
    let place = Place::new();
    place.shipped("diabetes.csv");
    let summary = place.train("diabetes.csv", "run", &["--cv", "3", "--epochs", "10"]);
    assert_eq!(rows(&summary, "val_rows"), [148, 147, 147]);
    assert!(summary["cv"]["mean"]["rmse"].as_f64().unwrap() < 80.0, "{summary}");
    let repeated = place.ok(&["train", "-c", "run/config.toml", "-o", "again", "--json", "-q"]);
    assert_eq!(json(&repeated)["weights_sha256"], summary["weights_sha256"], "the configuration repeats the run");
    assert_eq!(json(&repeated)["cv"]["mean"], summary["cv"]["mean"]);
}

#[test]
fn requirements_apply_to_the_mean_of_the_folds() {
    let place = place();
    let flags = ["train", "data.csv", "--cv", "3", "-q", "--epochs", "3", "--hidden", "8"];
    let missed = [&flags[..], &["-o", "missed", "--fail-under", "val_accuracy=1.1"]].concat();
    assert!(place.fails(11, &missed).contains("val_accuracy is 0."));
    place.ok(&[&flags[..], &["-o", "met", "--fail-under", "val_accuracy=0.1", "--patience", "1"]].concat());
    place.ok(&[&flags[..], &["-o", "watched", "--monitor", "val_auroc", "--target", "val_loss<=0.001"]].concat());
}

#[test]
fn the_report_shows_the_folds() {
    let place = place();
    let output = place.run(&["train", "data.csv", "--cv", "3", "-o", "run", "--epochs", "3", "--hidden", "8"]);
    assert_eq!(code(&output), 0, "{}", error(&output));
    let text = out(&output);
    assert!(text.contains("cross-validation, 3 folds"), "{text}");
    for row in ["mean ", "sd ", "± 95 %"] {
        assert!(text.lines().any(|line| line.starts_with(row)), "{text}");
    }
    let lines = error(&output);
    assert_eq!(lines.lines().filter(|line| line.contains("is over")).count(), 3, "{lines}");
    let planned = place.ok(&["train", "data.csv", "--cv", "3", "--dry-run"]);
    assert!(planned.contains("60 train, in 3 folds"), "{planned}");
}

#[test]
fn options_that_do_not_fit_folds_are_refused() {
    let place = place();
    let message = place.fails(2, &["train", "data.csv", "--cv", "3", "--valid", "0.1"]);
    assert!(message.contains("leave out --valid 0.1"), "{message}");
    place.fails(2, &["train", "data.csv", "--cv", "1"]);
    place.fails(2, &["train", "data.csv", "--cv", "3", "--overfit-batch"]);
    place.fails(4, &["train", "data.csv", "--cv", "61", "-q"]);
    assert!(!place.path("runs").exists(), "nothing was written");
}

#[test]
fn cross_validation_can_be_repeated() {
    let place = place();
    let flags = ["train", "data.csv", "--epochs", "3", "--hidden", "8", "--json", "-q"];
    let once = json(&place.ok(&[&flags[..], &["--cv", "4", "-o", "once"]].concat()));
    let thrice = json(&place.ok(&[&flags[..], &["--cv", "4x3", "-o", "thrice"]].concat()));
    let folds = thrice["cv"]["folds"].as_array().unwrap();
    let of = |repeat: u64| folds.iter().filter(move |fold| fold["repeat"] == repeat).collect::<Vec<_>>();
    assert_eq!((folds.len(), of(1).len(), of(3).len()), (12, 4, 4));
    let hashes = |folds: Vec<&Value>| folds.iter().map(|fold| fold["weights_sha256"].to_string()).collect::<Vec<_>>();
    let first = hashes(once["cv"]["folds"].as_array().unwrap().iter().collect());
    assert_eq!(first, hashes(of(1)), "the first deal is the one of --cv 4");
    assert_ne!(first, hashes(of(2)));
    for repeat in 1..=3 {
        assert_eq!(of(repeat).iter().map(|fold| fold["val_rows"].as_u64().unwrap()).sum::<u64>(), 60);
    }
    assert!(place.read("thrice/config.toml").contains("cv = \"4x3\""));
    let again = json(&place.ok(&["train", "-c", "thrice/config.toml", "-o", "again", "--json", "-q"]));
    assert_eq!(again["cv"]["mean"], thrice["cv"]["mean"]);
    let shown = place.ok(&["train", "data.csv", "--epochs", "1", "--hidden", "4", "--cv", "3x2", "-o", "shown", "-q"]);
    assert!(shown.contains("cross-validation, 3 folds, 2 times"), "{shown}");
    for wrong in ["1", "5x0", "x3", "5x", "5y3", "-2"] {
        assert!(
            place.fails(2, &["train", "data.csv", "--cv", wrong]).contains("--cv: expected a number of folds"),
            "{wrong}"
        );
    }
    assert!(
        place.fails(4, &["train", "data.csv", "--cv", "3x2", "--split", "time:x", "-o", "t"]).contains("one way only")
    );
}

#[test]
fn folds_of_random_labels_have_chance_accuracy() {
    let place = Place::new();
    let mut state = 1u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / (1u64 << 31) as f64
    };
    let mut accuracies = Vec::new();
    for _ in 0..50 {
        let rows: String = (0..60).map(|n| format!("{:.4},{:.4},{}\n", random(), random(), n % 2)).collect();
        place.write("noise.csv", format!("a,b,y\n{rows}"));
        let args = ["train", "noise.csv", "--cv", "4", "--epochs", "25", "--hidden", "8", "--lr", "0.02", "-o", "run"];
        let summary = json(&place.ok(&[&args[..], &["--overwrite", "--json", "-q"]].concat()));
        accuracies.push(summary["cv"]["mean"]["accuracy"].as_f64().expect("a figure"));
    }
    let mean = accuracies.iter().sum::<f64>() / 50.0;
    // The mean of 3,000 coin tosses is within 0.03 of 0.5 with probability 0.999.
    assert!((mean - 0.5).abs() < 0.03, "{mean}");
}

#[cfg(unix)]
#[test]
fn a_signal_ends_a_cross_validation() {
    let place = place();
    let flags = ["train", "data.csv", "--cv", "50", "--epochs", "2000", "--progress", "json", "-o", "run"];
    let mut command = place.command(&flags);
    let mut child = command
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stderr.take().expect("a pipe")));
    let over = lines.by_ref().map(|line| line.expect("a line")).find(|line| line.contains("\"fold\""));
    assert!(over.is_some(), "no fold ends");
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.expect("kill is there").success());
    let said: Vec<String> = lines.map(|line| line.expect("a line")).collect();
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    assert!(said.iter().any(|line| line.contains("\"message\":\"interrupted: ")), "{said:?}");
    assert!(said.iter().any(|line| line.contains("go on with: gradlane resume run")), "{said:?}");
    assert!(place.path("run/networks/0/checkpoint").is_file());
    assert!(!place.path("run/model.safetensors").exists(), "there is no network for all rows");
}

#[test]
fn folds_that_time_ended_are_named_and_not_repeated() {
    let place = place();
    let flags = ["--cv", "3", "--hidden", "64,64", "--epochs", "1000000", "--batch", "8", "--time-limit", "1s"];
    let output = place.run(&[&["train", "data.csv", "-o", "run", "-q"], &flags[..]].concat());
    assert_eq!(code(&output), 0, "{}", error(&output));
    let said = error(&output);
    assert!(said.contains("the time was up in 3 of 3 folds before their 1000000 epochs"), "{said}");
    let said = place.fails(4, &["verify", "run"]);
    assert!(said.contains("time ended folds of the run"), "{said}");
    let output = place.run(&[&["train", "data.csv", "-o", "three", "-q", "--ensemble", "3"], &flags[..]].concat());
    assert!(error(&output).contains("the time was up in 3 of 3 folds"), "{}", error(&output));
}
