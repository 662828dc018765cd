use serde_json::{Value, json};

use crate::place::{Place, cells, json};

/// The rows of the test part, below the header, as the text of a file.
fn test_part(text: &str, run: &Value) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let rows = run["test"].as_array().expect("row numbers");
    let chosen = rows.iter().map(|row| lines[1 + row.as_u64().unwrap() as usize]);
    std::iter::once(lines[0]).chain(chosen).map(|line| format!("{line}\n")).collect()
}

/// Trains with a test part, and evaluates the model on a file with the same rows.
fn evaluated_again(place: &Place, data: &str, more: &[&str]) -> (Value, Value) {
    let text = place.read(data);
    let summary = place.train(data, "run", &[&["--test", "0.25"], more].concat());
    place.write("test.csv", test_part(&text, &place.json("run/split.json")));
    let evaluated = json(&place.ok(&["evaluate", "run", "test.csv", "--json"]));
    (summary, evaluated)
}

#[test]
fn several_classes_are_trained_evaluated_and_predicted() {
    let place = Place::new();
    place.shipped("iris.csv");
    let (summary, evaluated) = evaluated_again(&place, "iris.csv", &["--epochs", "40", "--lr", "0.02"]);
    assert_eq!(evaluated["metrics"], summary["test"], "the same rows, the same bits");
    assert_eq!(evaluated["rows"], 38);
    assert!(summary["test"]["accuracy"].as_f64().unwrap() > 0.85, "{summary}");
    for file in ["config.toml", "model.safetensors", "events.jsonl", "summary.json", "split.json"] {
        assert!(place.path("run").join(file).is_file(), "{file}");
    }
    assert_eq!(place.json("run/summary.json"), summary, "--json prints the summary");
    let table = place.ok(&["evaluate", "run", "test.csv"]);
    assert!(table.contains("accuracy") && table.contains("versicolor"), "{table}");
    let predicted = place.ok(&["predict", "run", "iris.csv"]);
    let lines: Vec<&str> = predicted.lines().collect();
    assert_eq!((lines.len(), lines[0], lines[1]), (151, "prediction", "setosa"));
}

#[test]
fn text_and_missing_values_are_trained_evaluated_and_predicted() {
    let place = Place::new();
    place.shipped("penguins.csv");
    let (summary, evaluated) = evaluated_again(&place, "penguins.csv", &[]);
    assert_eq!(evaluated["metrics"], summary["test"]);
    let predicted = place.ok(&["predict", "run", "penguins.csv", "--proba", "--keep", "species,sex"]);
    let rows = cells(&predicted);
    assert_eq!(rows[0], ["species", "sex", "prediction", "proba_Adelie", "proba_Chinstrap", "proba_Gentoo"]);
    assert_eq!(rows.len(), 345);
    for row in &rows[1..] {
        let total: f64 = row[3..].iter().map(|p| p.parse::<f64>().unwrap()).sum();
        assert!((total - 1.0).abs() < 1e-6, "{row:?}");
    }
}

#[test]
fn a_regression_predicts_in_the_units_of_its_target() {
    let place = Place::new();
    place.shipped("diabetes.csv");
    let (summary, evaluated) = evaluated_again(&place, "diabetes.csv", &["--epochs", "30"]);
    assert_eq!(evaluated["metrics"], summary["test"]);
    assert!(evaluated["metrics"]["rmse"].as_f64().unwrap() < 90.0, "{evaluated}");
    let predicted = place.ok(&["predict", "run", "diabetes.csv", "--keep", "progression"]);
    let rows = cells(&predicted);
    assert_eq!(rows[0], ["progression", "prediction"]);
    let mean = rows[1..].iter().map(|row| row[1].parse::<f64>().unwrap()).sum::<f64>() / 442.0;
    assert!((100.0..200.0).contains(&mean), "mean prediction {mean}");
}

#[test]
fn weights_of_rows_count_in_metrics() {
    let place = Place::new();
    let text = place.shipped("iris.csv");
    let weighted = text.lines().enumerate().map(|(n, line)| match n {
        0 => format!("w,{line}\n"),
        n => format!("{},{line}\n", 1 + n % 3),
    });
    place.write("weighted.csv", weighted.collect::<String>());
    let (summary, evaluated) = evaluated_again(&place, "weighted.csv", &["--weight-col", "w"]);
    assert_eq!(evaluated["metrics"], summary["test"]);
    let bare: String = place.read("test.csv").lines().map(|l| l.split_once(',').unwrap().1.to_owned() + "\n").collect();
    place.write("bare.csv", bare);
    let unweighted = json(&place.ok(&["evaluate", "run", "bare.csv", "--json"]));
    assert_ne!(unweighted["metrics"]["loss"], evaluated["metrics"]["loss"], "weights count");
}

/// 60 rows of `x1, x2` with columns computed from them.
fn computed(header: &str, row: impl Fn(f64, f64) -> String) -> String {
    let point = |n: usize| ((n % 10) as f64 / 5.0 - 1.0, (n / 10) as f64 / 3.0 - 1.0);
    let rows = (0..60).map(point).map(|(x1, x2)| format!("{x1},{x2},{}\n", row(x1, x2)));
    format!("x1,x2,{header}\n{}", rows.collect::<String>())
}

#[test]
fn two_targets_have_a_column_each() {
    let place = Place::new();
    place.write("two.csv", computed("sum,far", |a, b| format!("{},{}", a + b, 1000.0 + 50.0 * a)));
    let labels = ["--label", "sum", "--label", "far", "--task", "regression", "--epochs", "200"];
    let (summary, evaluated) = evaluated_again(&place, "two.csv", &labels);
    assert_eq!(evaluated["metrics"], summary["test"]);
    let predicted = place.ok(&["predict", "run", "two.csv", "--proba"]);
    let rows = cells(&predicted);
    assert_eq!(rows[0], ["sum", "far"], "numbers have no probabilities");
    assert!((900.0..1100.0).contains(&rows[1][1].parse::<f64>().unwrap()), "{:?}", rows[1]);
}

#[test]
fn several_labels_are_predicted_as_zeros_and_ones() {
    let place = Place::new();
    place.write("labels.csv", computed("p,q", |a, b| format!("{},{}", i32::from(a > 0.0), i32::from(b > 0.1))));
    let labels = ["--label", "p", "--label", "q", "--task", "multilabel", "--epochs", "100"];
    let (summary, evaluated) = evaluated_again(&place, "labels.csv", &labels);
    assert_eq!(evaluated["metrics"], summary["test"]);
    let predicted = place.ok(&["predict", "run", "labels.csv", "--proba"]);
    let rows = cells(&predicted);
    assert_eq!(rows[0], ["p", "q", "proba_p", "proba_q"]);
    for row in &rows[1..] {
        for label in 0..2 {
            let likely = row[2 + label].parse::<f64>().unwrap() > 0.5;
            assert_eq!(row[label], if likely { "1" } else { "0" }, "{row:?}");
        }
    }
}

#[test]
fn the_probability_of_the_positive_class_comes_second() {
    let place = Place::new();
    place.write("two.csv", computed("answer", |a, _| if a > 0.0 { "yes" } else { "no" }.to_owned()));
    place.train("two.csv", "run", &["--epochs", "50"]);
    let predicted = place.ok(&["predict", "run", "two.csv", "--proba"]);
    let rows = cells(&predicted);
    assert_eq!(rows[0], ["prediction", "proba_no", "proba_yes"]);
    for row in &rows[1..] {
        assert_eq!(row[0] == "yes", row[2].parse::<f64>().unwrap() > 0.5, "{row:?}");
    }
}

#[test]
fn a_json_object_is_all_there_is_on_standard_output() {
    let place = Place::new();
    place.shipped("iris.csv");
    let trained = place.train("iris.csv", "run", &["--progress", "plain"]);
    assert_eq!(trained["stopped"], "epochs");
    let evaluated = json(&place.ok(&["evaluate", "run", "iris.csv", "--json"]));
    let keys: Vec<&String> = evaluated.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["rows", "metrics", "confusion", "per_class", "calibration_error", "baseline", "warnings"]);
    assert_eq!(json(&place.ok(&["inspect", "run", "--json"]))["kind"], json!("model"));
    assert_eq!(json(&place.ok(&["inspect", "iris.csv", "--json"]))["kind"], json!("table"));
    let planned = json(&place.ok(&["train", "iris.csv", "--dry-run", "--json"]));
    assert_eq!(planned["rows"]["train"], 135);
}
