//! `train --ensemble`: several networks in one model, whose outputs are averaged.

use serde_json::Value;

use crate::place::{Place, cells, code, json};

/// A table of numbers and a category, whose label depends on them with some noise.
pub fn table(place: &Place, name: &str, task: &str, rows: usize) {
    let mut text = "a,b,kind,y\n".to_owned();
    for n in 0..rows {
        let (a, b) = ((n * 37 % 61) as f64 / 30.0 - 1.0, (n * 53 % 47) as f64 / 23.0 - 1.0);
        let noise = (n * 29 % 31) as f64 / 31.0 - 0.5;
        let score = a - b * b + 0.6 * noise;
        let y = match task {
            "binary" => if score > -0.3 { "yes" } else { "no" }.to_owned(),
            "classes" => ["p", "q", "r"][((score + 1.5).clamp(0.0, 2.4)) as usize].to_owned(),
            _ => format!("{:.4}", 100.0 + 20.0 * score),
        };
        text += &format!("{a:.4},{b:.4},{},{y}\n", ["u", "v", "w"][n % 3]);
    }
    place.write(name, text);
}

/// The numbers of a column of CSV.
pub fn column(text: &str, name: &str) -> Vec<f64> {
    let cells = cells(text);
    let at = cells[0].iter().position(|cell| *cell == name).unwrap_or_else(|| panic!("no {name} in {:?}", cells[0]));
    cells[1..].iter().map(|row| row[at].parse().unwrap()).collect()
}

/// The SHA-256 hash of the tensors of a file, as documented: little-endian floats in byte order of the names. Returns also
/// the names.
fn hash(place: &Place, run: &str) -> (Vec<String>, String) {
    use sha2::{Digest, Sha256};
    let bytes = std::fs::read(place.path(&format!("{run}/model.safetensors"))).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut names: Vec<String> = file.names().into_iter().map(str::to_owned).collect();
    names.sort_unstable();
    let mut hash = Sha256::new();
    names.iter().for_each(|name| hash.update(file.tensor(name).unwrap().data()));
    let text = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    (names, text)
}

#[test]
fn an_ensemble_predicts_the_mean_of_its_networks() {
    let place = Place::new();
    for (task, columns) in [
        ("binary", &["proba_no", "proba_yes"][..]),
        ("classes", &["proba_p", "proba_q", "proba_r"]),
        ("numbers", &["prediction"]),
    ] {
        table(&place, "train.csv", task, 300);
        table(&place, "valid.csv", task, 80);
        table(&place, "test.csv", task, 90);
        let parts = ["--valid", "valid.csv", "--test", "test.csv", "--overwrite", "--epochs", "12"];
        let with = |flags: [&'static str; 2]| [&parts[..], &flags].concat();
        let summary = place.train("train.csv", "all", &[&with(["--ensemble", "3"])[..], &["--seed", "5"]].concat());
        let of_all = place.ok(&["predict", "all", "test.csv", "--proba"]);
        let mut means: Vec<Vec<f64>> = columns.iter().map(|_| vec![0.0; 90]).collect();
        for member in 0..3 {
            let alone = place.train("train.csv", "alone", &with(["--seed", ["5", "6", "7"][member]]));
            let told = &summary["members"][member];
            assert_eq!(told["weights_sha256"], alone["weights_sha256"], "{task}: network {member} is what it is alone");
            assert_eq!((&told["seed"], &told["val"]), (&alone["seed"], &alone["val"]));
            let said = place.ok(&["predict", "alone", "test.csv", "--proba"]);
            for (mean, name) in means.iter_mut().zip(columns) {
                mean.iter_mut().zip(column(&said, name)).for_each(|(mean, said)| *mean += said / 3.0);
            }
        }
        for (mean, name) in means.iter().zip(columns) {
            for (mean, said) in mean.iter().zip(column(&of_all, name)) {
                // Outputs are kept in single precision.
                assert!((mean - said).abs() <= 2e-6 * mean.abs().max(1.0), "{task}, {name}: {mean} {said}");
            }
        }
        let evaluated = json(&place.ok(&["evaluate", "all", "test.csv", "--json"]));
        assert_eq!(evaluated["metrics"], summary["test"], "{task}");
        let (names, sha256) = hash(&place, "all");
        assert_eq!(summary["weights_sha256"], sha256.as_str());
        assert_eq!(names.len(), 12, "{names:?}");
        assert!(names[0] == "ensemble.0.layers.0.bias" && names[11] == "ensemble.2.layers.1.weight", "{names:?}");
        let figure = if task == "numbers" { "rmse" } else { "log_loss" };
        let of_members = summary["members"].as_array().unwrap().iter().map(|m| m["val"][figure].as_f64().unwrap());
        let worst = of_members.fold(0.0, f64::max);
        assert!(summary["val"][figure].as_f64().unwrap() <= worst, "a mean is no worse than the worst of them");
    }
}

#[test]
fn an_ensemble_is_the_same_on_any_number_of_threads() {
    let place = Place::new();
    table(&place, "data.csv", "classes", 200);
    let run = |name: &str, flags: &[&str]| {
        let summary = place.train("data.csv", name, &[&["--ensemble", "4", "--test", "0.2"], flags].concat());
        (summary["weights_sha256"].clone(), summary["test"].clone())
    };
    let one = run("one", &["-j", "1"]);
    assert_eq!(run("two", &["-j", "2"]), one);
    assert_eq!(run("three", &["-j", "3", "--exact-threads"]), one);
}

#[test]
fn the_networks_of_folds_can_form_an_ensemble() {
    let place = Place::new();
    table(&place, "data.csv", "numbers", 240);
    let summary = place.train("data.csv", "run", &["--cv", "4", "--ensemble", "4", "--test", "0.2", "--epochs", "10"]);
    assert_eq!(summary["cv"]["folds"].as_array().unwrap().len(), 4);
    for fold in 0..4 {
        let (member, of_cv) = (&summary["members"][fold], &summary["cv"]["folds"][fold]);
        assert_eq!(member["fold"], of_cv["fold"]);
        assert_eq!(member["weights_sha256"], of_cv["weights_sha256"]);
    }
    assert!(summary["test"]["rmse"].is_number() && summary["val"].is_null());
    let events: Vec<Value> = place.read("run/events.jsonl").lines().map(json).collect();
    let kinds: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(kinds, [&["start"][..], &["epoch"; 40], &["fold"; 4], &["member"; 4], &["end"]].concat());
    let folds: Vec<u64> = events[1..41].iter().map(|event| event["fold"].as_u64().unwrap()).collect();
    assert_eq!(folds, [[1; 10], [2; 10], [3; 10], [4; 10]].concat());
    place.train("data.csv", "untested", &["--cv", "4", "--ensemble", "4"]);
    let output = place.run(&["predict", "untested", "data.csv", "--interval", "0.9"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("residuals of the folds"));
    let message = place.fails(2, &["train", "data.csv", "--cv", "4", "--ensemble", "3"]);
    assert!(
        message.contains("--ensemble: with --cv the networks are those of the 4 folds: give --ensemble 4"),
        "{message}"
    );
}

#[test]
fn an_ensemble_can_be_inspected_and_repeated_but_not_prolonged() {
    let place = Place::new();
    table(&place, "data.csv", "binary", 200);
    let summary = place.train("data.csv", "run", &["--ensemble", "3", "--threshold", "auto", "--test", "0.2"]);
    assert_eq!(summary["decision"]["threshold"]["metric"], "f1_macro");
    let text = place.ok(&["inspect", "run"]);
    assert!(text.contains("ensemble    3 networks, averaged"), "{text}");
    assert!(text.contains(summary["weights_sha256"].as_str().unwrap()), "{text}");
    assert!(place.ok(&["inspect", "run", "--importance", "data.csv"]).contains("drop"));
    assert!(place.ok(&["resume", "run"]).starts_with("the run is over (stopped: epochs)"));
    let message = place.fails(2, &["resume", "run", "--epochs", "9"]);
    assert!(message.contains("cannot be prolonged: train with -c RUNDIR/config.toml"), "{message}");
    let again = json(&place.ok(&["train", "-c", "run/config.toml", "-o", "again", "--json", "-q"]));
    assert_eq!(again["weights_sha256"], summary["weights_sha256"]);
    let told = place.ok(&["train", "data.csv", "-o", "told", "--ensemble", "2", "--hidden", "4", "--epochs", "2"]);
    assert!(told.contains("2 networks averaged: ") && told.contains("the best weights of each kept"), "{told}");
    for flag in ["--trace", "--overfit-batch"] {
        assert!(place.fails(2, &["train", "data.csv", "--ensemble", "2", flag]).contains("--ensemble trains several"));
    }
    assert!(place.fails(2, &["train", "data.csv", "--ensemble", "0"]).contains("at least 1"));
    place.train("data.csv", "one", &["--ensemble", "1"]);
    let plain = place.train("data.csv", "plain", &[]);
    assert_eq!(place.json("one/summary.json")["weights_sha256"], plain["weights_sha256"]);
}

#[test]
fn an_ensemble_with_a_missing_network_is_refused() {
    let place = Place::new();
    table(&place, "data.csv", "binary", 100);
    place.train("data.csv", "run", &["--ensemble", "2"]);
    let bytes = std::fs::read(place.path("run/model.safetensors")).unwrap();
    let edited = String::from_utf8_lossy(&bytes).contains("\\\"members\\\":2");
    assert!(edited);
    let find = b"\\\"members\\\":2";
    let at = bytes.windows(find.len()).position(|window| window == find).unwrap();
    for (members, reason) in [(b'3', "ensemble.2"), (b'0', "there is no network")] {
        let mut other = bytes.clone();
        other[at + find.len() - 1] = members;
        place.write("other.safetensors", &other);
        let output = place.run(&["predict", "other.safetensors", "data.csv"]);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(code(&output), 3, "{message}");
        assert!(message.contains(reason) || message.contains("is missing"), "{message}");
    }
}
