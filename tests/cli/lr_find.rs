//! `lr-find`: the learning-rate range test.

use crate::place::{Place, error, json, out};

fn iris() -> Place {
    let place = Place::new();
    place.shipped("iris.csv");
    place
}

#[test]
fn the_recommended_rate_trains_well() {
    let place = iris();
    let found = json(&place.ok(&["lr-find", "iris.csv", "--json", "-q", "--hidden", "16", "-o", "plot.svg"]));
    let number = |name: &str| found["band"][name].as_f64().unwrap();
    let (low, high, rate) = (number("low"), number("high"), found["recommended"].as_f64().unwrap());
    assert!(1e-6 < low && low <= rate && rate <= high && high < 10.0, "{low} {rate} {high}");
    assert_eq!(found["rates"].as_array().unwrap().len(), 300);
    assert_eq!(found["losses"].as_array().unwrap().len(), 3, "three seeds");
    let rate = rate.to_string();
    let summary = place.train("iris.csv", "run", &["--lr", &rate, "--epochs", "50", "--hidden", "16"]);
    assert!(summary["train"]["accuracy"].as_f64().unwrap() > 0.95, "{summary}");
    let plot = place.read("plot.svg");
    assert!(plot.starts_with("<svg") && plot.contains("learning rate") && !plot.contains("href"), "{plot:.300}");
    assert_eq!(found["plot"], "plot.svg");
}

#[test]
fn the_result_does_not_depend_on_threads() {
    let place = iris();
    let flags = ["lr-find", "iris.csv", "--json", "-q", "--seeds", "2", "--steps", "60", "-o", "plot.svg"];
    let one = place.ok(&[&flags[..], &["-j", "1"]].concat());
    assert_eq!(place.ok(&[&flags[..], &["-j", "2"]].concat()), one);
    assert_eq!(place.ok(&[&flags[..], &["-j", "3", "--exact-threads"]].concat()), one);
    assert_ne!(place.ok(&[&flags[..], &["--seed", "7"]].concat()), one);
}

#[test]
fn the_answer_ends_with_a_command_that_works() {
    let place = iris();
    let flags = ["--steps", "100", "--hidden", "8", "--optimizer", "sgd:momentum=0.9"];
    let text = place.ok(&[&["lr-find", "iris.csv"], &flags[..]].concat());
    for part in ["band ", "recommended ", "plot         runs/lr-find-", "▲"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let command = text.lines().last().unwrap().strip_prefix("train with: gradlane ").expect("a command");
    assert!(command.starts_with("train iris.csv --hidden 8 --optimizer sgd:momentum=0.9 --lr "), "{command}");
    let words = [command.split(' ').collect::<Vec<_>>(), vec!["--epochs", "2", "-q", "-o", "run"]].concat();
    place.ok(&words);
}

#[test]
fn nothing_is_recommended_if_no_loss_falls() {
    let place = iris();
    let flags = ["lr-find", "iris.csv", "-q", "--from", "1e-9", "--to", "1e-8", "--steps", "40", "-o", "p.svg"];
    let text = place.ok(&flags);
    assert!(text.contains("nothing to recommend") && !text.contains("train with"), "{text}");
    let found = json(&place.ok(&[&flags[..], &["--json"]].concat()));
    assert!(found["recommended"].is_null() && found["band"].is_null());
}

#[test]
fn wrong_ranges_are_refused() {
    let place = iris();
    for flags in [
        &["--from", "0"][..],
        &["--from", "1", "--to", "0.1"],
        &["--to", "inf"],
        &["--seeds", "0"],
        &["--steps", "5"],
        &["--lr", "0.1"],
        &["--cv", "3"],
    ] {
        let message = place.fails(2, &[&["lr-find", "iris.csv"], flags].concat());
        assert!(message.contains(flags[0]), "{flags:?}: {message}");
    }
    assert!(!place.path("runs").exists(), "nothing was written");
}

#[test]
fn optimizers_that_choose_their_own_step_sizes_are_refused() {
    for name in ["lbfgs", "rprop"] {
        let message = iris().fails(2, &["lr-find", "iris.csv", "--optimizer", name]);
        assert!(message.contains(name) && message.contains("finds its own step sizes"), "{message}");
    }
}

#[test]
fn disagreement_of_seeds_is_reported() {
    let place = Place::new();
    let mut state = 3u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / (1u64 << 31) as f64
    };
    let noise: String = (0..80).map(|n| format!("{:.4},{:.4},{}\n", random(), random(), n % 2)).collect();
    place.write("noise.csv", format!("a,b,y\n{noise}"));
    place.shipped("diabetes.csv");
    let sure = place.run(&["lr-find", "diabetes.csv"]);
    assert!(out(&sure).contains(" by single seeds)") && !error(&sure).contains("disagree"), "{}", error(&sure));
    let found = json(&place.ok(&["lr-find", "noise.csv", "--json", "-q"]));
    let rates: Vec<Option<f64>> = found["by_seed"].as_array().unwrap().iter().map(serde_json::Value::as_f64).collect();
    let least = rates.iter().flatten().copied().fold(f64::INFINITY, f64::min);
    let greatest = rates.iter().flatten().copied().fold(0.0, f64::max);
    let disagree = !found["recommended"].is_null() && (rates.contains(&None) || greatest > 10.0 * least);
    let said = place.err(&["lr-find", "noise.csv"]);
    assert_eq!(said.contains("the seeds disagree"), disagree, "{rates:?}: {said}");
    assert_eq!(rates.len(), 3);
}

#[test]
fn the_plot_does_not_replace_the_data() {
    let place = Place::new();
    place.shipped("iris.csv");
    let before = std::fs::read(place.path("iris.csv")).unwrap();
    let said = place.fails(2, &["lr-find", "iris.csv", "--steps", "20", "-o", "iris.csv", "-q"]);
    assert!(said.contains("would be lost"), "{said}");
    assert_eq!(std::fs::read(place.path("iris.csv")).unwrap(), before);
}
