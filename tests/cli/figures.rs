//! Predictions and metrics, in the user's units and names.

use serde_json::Value;

use crate::place::{Place, cells, error, json};

/// Pseudorandom numbers between 0 and 1, the same in every run.
fn noise(count: usize) -> impl Iterator<Item = f64> {
    let next =
        |state: &u64| Some(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
    std::iter::successors(Some(7u64), next).skip(1).take(count).map(|state| (state >> 11) as f64 / (1u64 << 53) as f64)
}

fn evaluated(place: &Place, data: &str) -> Value {
    json(&place.ok(&["evaluate", "run", data, "--json"]))
}

/// One column of predictions.
fn numbers(text: &str, column: usize) -> Vec<f64> {
    cells(text)[1..].iter().map(|row| row[column].parse().unwrap()).collect()
}

fn near(found: &Value, expected: f64) {
    let found = found.as_f64().unwrap();
    assert!((found - expected).abs() <= 1e-12 * (1.0 + expected.abs()), "{found}, not {expected}");
}

/// The written predictions give the same metrics as `evaluate`, whatever the units are.
#[test]
fn large_and_small_targets_keep_their_digits() {
    for (offset, size) in [(1.7e9, 100.0), (-4.2e11, 3.0), (0.0, 2e-9), (0.0, 1e39), (5e38, 1e37)] {
        let place = Place::new();
        let xs: Vec<f64> = noise(300).collect();
        let ys: Vec<f64> = xs.iter().map(|x| offset + size * x).collect();
        let rows: String = xs.iter().zip(&ys).map(|(x, y)| format!("{x},{y:e}\n")).collect();
        place.write("d.csv", format!("x,y\n{rows}"));
        place.train("d.csv", "run", &["--task", "regression", "--hidden", "16", "--epochs", "60", "--lr", "0.02"]);
        let predicted = numbers(&place.ok(&["predict", "run", "d.csv"]), 0);
        let errors: Vec<f64> = predicted.iter().zip(&ys).map(|(p, y)| (p - y).abs()).collect();
        let mae = errors.iter().sum::<f64>() / errors.len() as f64;
        assert!(mae < 0.05 * size, "{offset} and {size}: {mae}");
        let said = evaluated(&place, "d.csv")["metrics"].clone();
        near(&said["mae"], mae);
        assert!(said["r2"].as_f64().unwrap() > 0.9);
    }
}

fn probed_logit(place: &Place, x: f64) -> f64 {
    place.write("probe.csv", format!("x\n{x}\n"));
    let probabilities = place.ok(&["predict", "run", "probe.csv", "--proba"]);
    (numbers(&probabilities, 2)[0] / numbers(&probabilities, 1)[0]).ln()
}

#[test]
fn the_loss_of_a_confident_wrong_row_is_its_logit() {
    let place = Place::new();
    let rows: String = noise(300).map(|x| format!("{},{}\n", x - 0.5, if x > 0.5 { "yes" } else { "no" })).collect();
    place.write("d.csv", format!("x,answer\n{rows}"));
    place.train("d.csv", "run", &["--hidden", "none", "--epochs", "60", "--lr", "0.05"]);
    let slope = probed_logit(&place, 0.5) - probed_logit(&place, -0.5);
    for logit in [20.0, 50.0, 400.0] {
        let x = logit / slope;
        assert!((probed_logit(&place, x) / logit - 1.0).abs() < 0.1, "probabilities are not rounded to 0 and 1");
        place.write("far.csv", format!("x,answer\n{x},no\n{x},yes\n"));
        let metrics = evaluated(&place, "far.csv")["metrics"].clone();
        let (loss, log_loss) = (metrics["loss"].as_f64().unwrap(), metrics["log_loss"].as_f64().unwrap());
        assert!((loss - log_loss).abs() < 1e-5 * loss && log_loss > 0.4 * logit, "{loss} and {log_loss}");
    }
}

/// Nine different counts are few enough to be classes, but the Poisson loss is for numbers.
#[test]
fn a_loss_for_numbers_implies_a_regression() {
    let place = Place::new();
    let rows: String = noise(200).map(|x| format!("{x},{}\n", (9.0 * x).floor())).collect();
    place.write("d.csv", format!("x,visits\n{rows}"));
    for loss in ["poisson", "mae", "huber:delta=2", "logcosh"] {
        let said = place.ok(&["train", "d.csv", "--loss", loss, "--epochs", "2", "--json", "-o", loss]);
        assert_eq!(json(&said)["task"], "regression", "{loss}");
    }
    let said = place.ok(&["train", "d.csv", "--loss", "mse", "--epochs", "2", "--json", "-o", "mse"]);
    assert_eq!(json(&said)["task"], "multiclass", "mse is used on classes too");
    place.write("negative.csv", "x,visits\n0.5,2\n0.25,-3\n0.75,4\n");
    let message = place.fails(3, &["train", "negative.csv", "--loss", "poisson"]);
    let expected = "--loss poisson: negative.csv:3, column \"visits\": expected counts of at least 0, found -3";
    assert!(message.contains(expected), "{message}");
    let message = place.fails(3, &["train", "d.csv", "--loss", "poisson", "--test", "negative.csv"]);
    assert!(message.contains("negative.csv:3"), "{message}");
}

#[test]
fn rows_of_unknown_classes_are_counted_as_wrong() {
    let place = Place::new();
    let text = place.shipped("iris.csv");
    place.train("iris.csv", "run", &["--epochs", "40", "--lr", "0.02"]);
    place.write("new.csv", text.replacen("setosa", "Setosa.", 10).replacen("virginica", "atlantica", 5));
    let (known, all) = (evaluated(&place, "iris.csv"), evaluated(&place, "new.csv"));
    let right = |all: &Value| (0..3).map(|c| all["confusion"]["counts"][c][c].as_f64().unwrap()).sum::<f64>();
    assert_eq!((&all["rows"], &all["unknown_class_rows"]), (&150.into(), &15.into()));
    near(&all["metrics"]["accuracy"], right(&all) / 150.0);
    assert!(right(&all) <= right(&known) - 10.0);
    assert_eq!(
        all["confusion"]["classes"],
        serde_json::json!(["setosa", "versicolor", "virginica", "Setosa.", "atlantica"])
    );
    assert_eq!(all["per_class"]["Setosa."]["support"], 10.0);
    assert_eq!(all["warnings"][0]["kind"], "unknown_class");
    assert_eq!((&all["warnings"][0]["column"], &all["warnings"][0]["count"]), (&"species".into(), &15.into()));
    let message = all["warnings"][0]["message"].as_str().unwrap();
    assert!(message.contains("\"Setosa.\" differs from \"setosa\" only by case, blanks or a dot"), "{message}");
    let summary =
        json(&place.ok(&["train", "iris.csv", "--test", "new.csv", "--epochs", "2", "--json", "-o", "tested"]));
    assert_eq!(summary["warnings"][0]["kind"], "unknown_class");
    assert_eq!(summary["classes"].as_array().unwrap().len(), 5);
    let only: String =
        text.lines().enumerate().map(|(n, l)| if n == 0 { format!("{l}\n") } else { format!("{l}.\n") }).collect();
    place.write("dots.csv", only);
    let dots = evaluated(&place, "dots.csv");
    assert_eq!((&dots["metrics"]["accuracy"], &dots["metrics"]["loss"]), (&0.0.into(), &Value::Null));
    place.fails(3, &["train", "iris.csv", "--valid", "dots.csv", "-o", "none"]);
}

#[test]
fn a_model_that_predicts_only_one_class_is_warned_about() {
    let place = Place::new();
    let rows: String = noise(1300)
        .enumerate()
        .map(|(n, x)| format!("{x},{}\n", if n % 130 == 0 { "rare" } else { "usual" }))
        .collect();
    place.write("d.csv", format!("x,kind\n{rows}"));
    let said = place.ok(&["train", "d.csv", "--test", "0.3", "--epochs", "2", "--json", "-o", "run"]);
    let summary = json(&said);
    let kinds: Vec<&str> =
        summary["warnings"].as_array().unwrap().iter().map(|w| w["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"one_class_predicted"), "{kinds:?}");
    assert_eq!(summary["baseline"]["majority"]["class"], "usual");
    assert_eq!(summary["baseline"]["majority"]["accuracy"], summary["test"]["accuracy"]);
    assert_eq!((&summary["run_dir"], &summary["label"]), (&"run".into(), &"kind".into()));
    assert!(evaluated(&place, "d.csv")["warnings"].to_string().contains("--class-weight balanced"));
    // Rows are counted, whatever they weigh.
    place.write("w.csv", format!("x,w,kind\n{}", rows.replace(',', ",2.5,")));
    let args = ["train", "w.csv", "--weight-col", "w", "--test", "0.3", "--epochs", "2", "-q", "-o", "weighted"];
    let said = error(&place.run(&args));
    assert!(said.contains("\"usual\" for all 390 rows of the test part"), "{said}");
}

/// A network that overfits noise is worse than the mean.
#[test]
fn a_model_that_is_no_better_than_the_mean_is_warned_about() {
    let place = Place::new();
    let rows: String = noise(400).collect::<Vec<_>>().chunks(2).map(|xy| format!("{},{}\n", xy[0], xy[1])).collect();
    place.write("d.csv", format!("x,y\n{rows}"));
    let options = [
        "--epochs", "300", "--hidden", "64", "--lr", "0.05", "--valid", "none", "--test", "0.5", "--json", "-o", "run",
    ];
    let summary = json(&place.ok(&[&["train", "d.csv"][..], &options].concat()));
    let test = summary["test"]["r2"].as_f64().unwrap();
    assert!(test < 0.0 && summary["warnings"].to_string().contains("no_better_than_baseline"), "{test}");
}

#[test]
fn each_target_has_metrics_in_its_own_units() {
    let place = Place::new();
    let rows: String = noise(300).map(|x| format!("{x},{},{}\n", 0.01 * x, 5e6 * x * x)).collect();
    place.write("d.csv", format!("x,small,large\n{rows}"));
    place.train("d.csv", "run", &["--label", "small,large", "--epochs", "20"]);
    let all = evaluated(&place, "d.csv");
    let predicted = place.ok(&["predict", "run", "d.csv"]);
    for (column, name, scale) in [(0, "small", 0.01), (1, "large", 5e6)] {
        let truth = |x: f64| if column == 0 { scale * x } else { scale * x * x };
        let squares = numbers(&predicted, column).into_iter().zip(noise(300)).map(|(p, x)| (p - truth(x)).powi(2));
        near(&all["per_target"][name]["rmse"], (squares.sum::<f64>() / 300.0).sqrt());
    }
    let text = place.ok(&["evaluate", "run", "d.csv"]);
    assert!(text.contains("rmse (mean)") && text.contains("each target\n"), "{text}");
}

#[test]
fn classifiers_without_logits_print_probabilities() {
    let place = Place::new();
    let shipped = place.shipped("penguins.csv");
    place.train("penguins.csv", "run", &["--loss", "mse", "--epochs", "5"]);
    let text = place.ok(&["predict", "run", "penguins.csv", "--proba"]);
    let predicted = cells(&text);
    let (mut log_loss, mut brier) = (0.0, 0.0);
    let truth = cells(&shipped);
    for (row, true_row) in predicted[1..].iter().zip(&truth[1..]) {
        let p: Vec<f64> = row[1..].iter().map(|cell| cell.parse().unwrap()).collect();
        assert!(p.iter().all(|p| (0.0..=1.0).contains(p)) && (p.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{row:?}");
        let is_true = |class: usize| predicted[0][class + 1] == format!("proba_{}", true_row.last().unwrap());
        let class = (0..3).find(|class| is_true(*class)).unwrap();
        log_loss -= p[class].clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln() / 344.0;
        brier += p.iter().enumerate().map(|(c, p)| (p - f64::from(c == class)).powi(2)).sum::<f64>() / 344.0;
    }
    let metrics = evaluated(&place, "penguins.csv")["metrics"].clone();
    near(&metrics["log_loss"], log_loss);
    near(&metrics["brier"], brier);
}

#[test]
fn undefined_metrics_are_explained() {
    let place = Place::new();
    let rows: String =
        noise(100).enumerate().map(|(n, x)| format!("{x},{}\n", if n == 5 { 0.0 } else { 18_000.0 * x })).collect();
    place.write("d.csv", format!("x,y\n{rows}"));
    place.train("d.csv", "run", &["--epochs", "2"]);
    let text = place.ok(&["evaluate", "run", "d.csv"]);
    assert!(text.contains("– mape: undefined, since a target is 0\n"), "{text}");
    assert!(!text.contains("e3") && !text.contains("e4"), "numbers of one column in one format: {text}");
    assert_eq!(evaluated(&place, "d.csv")["metrics"]["mape"], Value::Null);
}
