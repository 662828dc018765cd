//! Temperature, threshold and intervals: they are chosen on rows outside the training part, stored in the model, and used by
//! every verb.

use serde_json::Value;

use crate::place::{Place, cells, error};

/// A pseudorandom generator with a seed: SplitMix64 of Steele et al. 2014.
struct Noise(u64);

impl Noise {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Approximately standard normal: the sum of twelve uniform numbers, minus six.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

/// Overlapping classes: an overfitted network is overconfident on other rows.
fn classes(place: &Place, name: &str, rows: usize, names: &[&str]) {
    let mut noise = Noise(rows as u64);
    let mut text = "a,b,c,d,kind\n".to_owned();
    for _ in 0..rows {
        let x = [0; 4].map(|_| noise.normal());
        let score = x[0] + 1.5 * noise.normal();
        let class = ((score + 2.0) / 4.0 * names.len() as f64).clamp(0.0, names.len() as f64 - 1.0) as usize;
        text += &format!("{:.4},{:.4},{:.4},{:.4},{}\n", x[0], x[1], x[2], x[3], names[class]);
    }
    place.write(name, text);
}

/// Flags for a network that overfits.
const BY_HEART: [&str; 8] = ["--hidden", "256", "--epochs", "60", "--lr", "0.01", "--monitor", "train_loss"];

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("expected a number, found {value}"))
}

/// Mean `−ln p` of the true class, from the columns that `predict --proba` adds.
fn log_loss(predicted: &str, truth: &str) -> f64 {
    let (predicted, truth) = (cells(predicted), cells(truth));
    let of = |at: usize| {
        let class = format!("proba_{}", truth[at].last().unwrap());
        let column = predicted[0].iter().position(|name| *name == class).unwrap();
        -predicted[at][column].parse::<f64>().unwrap().ln()
    };
    (1..truth.len()).map(of).sum::<f64>() / (truth.len() - 1) as f64
}

#[test]
fn calibrated_logits_are_used_by_every_verb_and_leave_the_weights_alone() {
    let place = Place::new();
    classes(&place, "data.csv", 400, &["a", "b", "c"]);
    classes(&place, "valid.csv", 600, &["a", "b", "c"]);
    classes(&place, "test.csv", 601, &["a", "b", "c"]);
    let parts = ["--valid", "valid.csv", "--test", "test.csv"];
    let plain = place.train("data.csv", "plain", &[&BY_HEART[..], &parts, &["--calibrate", "none"]].concat());
    let summary = place.train("data.csv", "run", &[&BY_HEART[..], &parts].concat());
    assert_eq!(summary["weights_sha256"], plain["weights_sha256"]);
    assert!(plain.get("decision").is_none());
    let calibration = &summary["decision"]["calibration"];
    assert_eq!(calibration["rows"], 600);
    assert!(number(&calibration["temperature"]) > 1.2, "a network that knows its rows by heart is too certain");
    assert_eq!(summary["val_chose"], serde_json::json!(["temperature"]), "--monitor train_loss chose the epoch");
    for part in ["val", "test"] {
        let [before, after] = [&plain, &summary].map(|s| number(&s[part]["log_loss"]));
        assert!(after < before - 0.02, "{part}: {before} → {after}");
        assert_eq!(plain[part]["accuracy"], summary[part]["accuracy"], "a temperature changes no class");
        assert!((number(&summary[part]["loss"]) - after).abs() < 1e-6, "loss is of the calibrated logits too");
    }
    let evaluated = place.ok(&["evaluate", "run", "test.csv", "--json"]);
    let evaluated: Value = serde_json::from_str(&evaluated).unwrap();
    assert_eq!(evaluated["metrics"], summary["test"]);
    let uncalibrated: Value = serde_json::from_str(&place.ok(&["evaluate", "plain", "test.csv", "--json"])).unwrap();
    assert!(number(&evaluated["calibration_error"]) < 0.7 * number(&uncalibrated["calibration_error"]));
    let predicted = place.ok(&["predict", "run", "test.csv", "--proba"]);
    let of_predictions = log_loss(&predicted, &place.read("test.csv"));
    assert!((of_predictions - number(&summary["test"]["log_loss"])).abs() < 1e-6, "{of_predictions}");
    assert!(place.ok(&["inspect", "run"]).contains("calibrated  temperature"));
    assert!(place.ok(&["evaluate", "run", "test.csv"]).contains("calibration error 0."));
}

#[test]
fn logits_are_calibrated_only_with_enough_validation_rows() {
    let place = Place::new();
    classes(&place, "data.csv", 400, &["a", "b", "c"]);
    for (rows, names, calibrated) in
        [(499, &["a", "b", "c"][..], false), (500, &["a", "b", "c"], true), (2999, &["n", "y"], false)]
    {
        classes(&place, "data.csv", 400, names);
        classes(&place, "valid.csv", rows, names);
        let more = [&BY_HEART[..], &["--valid", "valid.csv", "--overwrite"]].concat();
        let summary = place.train("data.csv", "run", &more);
        assert_eq!(summary["decision"]["calibration"].is_object(), calibrated, "{rows} rows of {}", names.len());
    }
}

/// A network trained on smoothed labels is underconfident, so calibration pays with few validation rows.
#[test]
fn with_smoothed_labels_few_validation_rows_are_enough_to_calibrate() {
    let place = Place::new();
    for (rows, calibrated) in [(14, false), (15, true)] {
        classes(&place, "data.csv", 400, &["n", "y"]);
        classes(&place, "valid.csv", rows, &["n", "y"]);
        let flags =
            ["--valid", "valid.csv", "--overwrite", "--label-smoothing", "0.3", "--hidden", "8", "--epochs", "30"];
        let summary = place.train("data.csv", "run", &flags);
        assert_eq!(summary["decision"]["calibration"].is_object(), calibrated, "{rows} rows: {summary}");
    }
}

/// The share of rows in `data` whose last cell equals the prediction.
fn accuracy(predicted: &str, data: &str) -> f64 {
    let (predicted, data) = (cells(predicted), cells(data));
    let hits = (1..data.len()).filter(|at| predicted[*at][0] == *data[*at].last().unwrap()).count();
    hits as f64 / (data.len() - 1) as f64
}

#[test]
fn a_threshold_is_stored_and_used_by_every_verb() {
    let place = Place::new();
    classes(&place, "data.csv", 600, &["n", "n", "y"]);
    let plain = place.train("data.csv", "plain", &["--test", "0.3"]);
    let given = place.train("data.csv", "given", &["--test", "0.3", "--threshold", "0.2"]);
    assert_eq!(given["decision"]["threshold"], serde_json::json!({"value": 0.2}));
    assert!(number(&given["test"]["recall"]) > number(&plain["test"]["recall"]));
    let chosen = place.train("data.csv", "chosen", &["--test", "0.3", "--threshold", "metric=f1"]);
    assert_eq!(chosen["decision"]["threshold"]["metric"], "f1");
    assert!(number(&chosen["val"]["f1"]) >= number(&plain["val"]["f1"]), "0.5 is among the thresholds that are tried");
    assert_eq!(chosen["val_chose"], serde_json::json!(["epoch", "threshold"]));
    assert_eq!(chosen["weights_sha256"], plain["weights_sha256"]);
    let automatic = place.train("data.csv", "auto", &["--threshold", "auto", "--monitor", "val_balanced_accuracy"]);
    assert_eq!(automatic["decision"]["threshold"]["metric"], "balanced_accuracy");
    for run in ["given", "chosen"] {
        let threshold = number(&place.json(&format!("{run}/summary.json"))["decision"]["threshold"]["value"]);
        let predicted = place.ok(&["predict", run, "data.csv", "--proba"]);
        for row in &cells(&predicted)[1..] {
            let positive: f64 = row[2].parse().unwrap();
            assert_eq!(row[0], if positive > threshold { "y" } else { "n" }, "{run}, {row:?} at {threshold}");
        }
        let evaluated: Value = serde_json::from_str(&place.ok(&["evaluate", run, "data.csv", "--json"])).unwrap();
        let found = accuracy(&predicted, &place.read("data.csv"));
        assert!((number(&evaluated["metrics"]["accuracy"]) - found).abs() < 1e-12);
        let told = "threshold   \"y\" above probability ";
        assert!(place.ok(&["inspect", run]).contains(told) && place.ok(&["evaluate", run, "data.csv"]).contains(told));
        assert!(place.err(&["predict", run, "data.csv"]).contains("threshold: \"y\" above probability "));
    }
    let told = place.ok(&["train", "data.csv", "-o", "told", "--hidden", "4", "--epochs", "2", "--threshold", "auto"]);
    assert_eq!(told.matches("optimistic").count(), 1, "{told}");
    assert!(told.contains("validation: optimistic, as these rows chose epoch and threshold\n"), "{told}");
    let repeated = place.ok(&["train", "-c", "chosen/config.toml", "-o", "repeated", "--json", "-q"]);
    let repeated: Value = serde_json::from_str(&repeated).unwrap();
    assert_eq!(repeated["decision"], chosen["decision"]);
}

#[test]
fn a_threshold_of_folds_is_chosen_on_held_out_rows() {
    let place = Place::new();
    classes(&place, "data.csv", 300, &["n", "n", "y"]);
    let summary = place.train("data.csv", "run", &["--cv", "3", "--threshold", "metric=f1"]);
    assert_eq!(summary["decision"]["threshold"]["rows"], 300);
    assert!(summary.get("val_chose").is_none(), "there is no validation part");
}

#[test]
fn invalid_thresholds_are_refused() {
    let place = Place::new();
    classes(&place, "data.csv", 100, &["a", "b", "c"]);
    let message = place.fails(4, &["train", "data.csv", "--threshold", "0.3", "-q"]);
    assert!(message.contains("--threshold 0.3: it needs a binary task, and this one is multiclass"), "{message}");
    let message = place.fails(2, &["train", "data.csv", "--threshold", "metric=auroc"]);
    assert!(message.contains("--threshold: a threshold is chosen by one of accuracy"), "{message}");
    let message = place.fails(2, &["train", "data.csv", "--threshold", "1.5"]);
    assert!(message.contains("expected a probability between 0 and 1, auto, or metric=f1, found \"1.5\""), "{message}");
    classes(&place, "two.csv", 100, &["n", "y"]);
    let message = place.fails(4, &["train", "two.csv", "--threshold", "auto", "--valid", "none", "-q"]);
    assert!(message.contains("needs rows to choose on"), "{message}");
    let message = place.fails(2, &["train", "two.csv", "--calibrate", "maybe"]);
    assert!(message.contains("expected auto or none"), "{message}");
}

/// A table of a curve with noise that grows with `x`.
fn numbers(place: &Place, name: &str, rows: usize, seed: u64) {
    let mut noise = Noise(seed);
    let mut text = "x,z,y\n".to_owned();
    for _ in 0..rows {
        let (x, z) = (4.0 * noise.unit(), noise.normal());
        text += &format!("{x:.5},{z:.5},{:.5}\n", 10.0 + (2.0 * x).sin() + 0.3 * z + (0.2 + 0.2 * x) * noise.normal());
    }
    place.write(name, text);
}

/// The share of rows whose true value lies between the bounds.
fn coverage(predicted: &str, data: &str) -> f64 {
    let (predicted, data) = (cells(predicted), cells(data));
    assert_eq!(predicted[0], ["prediction", "lower", "upper"]);
    let number = |cell: &str| cell.parse::<f64>().unwrap();
    let inside = |at: &usize| {
        let truth = number(data[*at].last().unwrap());
        let [middle, low, high] = [0, 1, 2].map(|column| number(predicted[*at][column]));
        assert!(low < middle && middle < high);
        low <= truth && truth <= high
    };
    (1..data.len()).filter(inside).count() as f64 / (data.len() - 1) as f64
}

#[test]
fn intervals_have_the_stated_coverage() {
    let place = Place::new();
    let mut found = [0.0; 2];
    let seeds = [11, 12, 13, 14, 15];
    for seed in seeds {
        numbers(&place, "data.csv", 1500, seed);
        numbers(&place, "new.csv", 4000, seed + 1000);
        let flags = ["--test", "0.3", "--epochs", "10", "--overwrite", "--seed", &seed.to_string()];
        let summary = place.train("data.csv", "run", &flags);
        assert_eq!(summary["decision"]["residuals"], serde_json::json!({"of": "test", "chose": false, "rows": 450}));
        for (place_of, level) in ["0.9", "0.5"].iter().enumerate() {
            let output = place.run(&["predict", "run", "new.csv", "--interval", level]);
            assert!(!error(&output).contains("warning"), "{}", error(&output));
            let share = coverage(&String::from_utf8(output.stdout).unwrap(), &place.read("new.csv"));
            println!("seed {seed}: {share} within intervals of {level}");
            // With 450 residuals the standard deviation of the coverage is √(p (1 − p) / 452), here 0.014 and 0.024; the
            // tolerance is four of these.
            let level: f64 = level.parse().unwrap();
            assert!(
                (share - level).abs() < 4.0 * (level * (1.0 - level) / 452.0).sqrt() + 0.01,
                "seed {seed}, {level}: {share}"
            );
            found[place_of] += share / seeds.len() as f64;
        }
    }
    assert!((found[0] - 0.9).abs() < 0.025 && (found[1] - 0.5).abs() < 0.045, "{found:?}");
}

#[test]
fn intervals_from_rows_that_chose_the_weights_are_reported_as_optimistic() {
    let place = Place::new();
    numbers(&place, "data.csv", 300, 5);
    for (flags, part) in [(&["--valid", "0.1"][..], "the validation part"), (&["--cv", "3"], "the folds")] {
        place.train("data.csv", "run", &[flags, &["--overwrite"]].concat());
        let output = place.run(&["predict", "run", "data.csv", "--interval", "0.9", "--json", "-o", "out.csv"]);
        let message = error(&output);
        assert!(message.contains("warning: the intervals are optimistic") && message.contains(part), "{message}");
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(told["warnings"][0]["kind"], "optimistic_intervals");
        assert!(coverage(&place.read("out.csv"), &place.read("data.csv")) > 0.8);
    }
    place.train("data.csv", "last", &["--monitor", "train_loss"]);
    let message = place.err(&["predict", "last", "data.csv", "--interval", "0.9"]);
    assert!(!message.contains("warning"), "the validation rows chose nothing: {message}");
    assert!(place.ok(&["inspect", "run"]).contains("intervals   by the residuals of 300 rows of the folds"));
}

#[test]
fn intervals_that_the_model_cannot_give_are_refused() {
    let place = Place::new();
    numbers(&place, "data.csv", 100, 5);
    place.train("data.csv", "run", &["--test", "0.1"]);
    let message = place.fails(4, &["predict", "run", "data.csv", "--interval", "0.95"]);
    assert!(
        message.contains("needs the residuals of 19 rows at least, and the model holds 10, of the test part"),
        "{message}"
    );
    assert!(place.ok(&["predict", "run", "data.csv", "--interval", "0.9"]).starts_with("prediction,lower,upper\n"));
    let message = place.fails(2, &["predict", "run", "data.csv", "--interval", "90"]);
    assert!(message.contains("--interval: expected a probability between 0 and 1, found \"90\""), "{message}");
    place.train("data.csv", "bare", &["--valid", "none"]);
    let message = place.fails(4, &["predict", "bare", "data.csv", "--interval", "0.9"]);
    assert!(message.contains("the model holds no residuals"), "{message}");
    classes(&place, "two.csv", 100, &["n", "y"]);
    place.train("two.csv", "two", &[]);
    let message = place.fails(4, &["predict", "two", "two.csv", "--interval", "0.9"]);
    assert!(message.contains("intervals are for numbers"), "{message}");
}
