//! How columns become inputs: the preprocessing is fitted on training rows, stored in the model, and the same in every verb.

use serde_json::Value;

use crate::place::{Place, cells, error};

/// Writes a table with a skewed number, a number with gaps, a column of two levels and one of many levels.
fn table(place: &Place, name: &str, rows: usize) {
    let mut text = "size,gaps,sex,city,price\n".to_owned();
    for n in 0..rows {
        let (x, y) = ((n * 37 % 101) as f64, (n * 53 % 89) as f64);
        let gaps = if n % 7 == 0 { String::new() } else { format!("{}", y / 10.0) };
        let size = (x / 20.0).exp();
        let city = (b'a' + (n * n % 11) as u8) as char;
        let sex = if n % 5 < 3 { "f" } else { "m" };
        text += &format!("{size:.4},{gaps},{sex},{city},{:.3}\n", 10.0 + x + if sex == "f" { 3.0 } else { 0.0 });
    }
    place.write(name, text);
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("expected a number, found {value}"))
}

/// The card in the header of a model's file.
fn card(place: &Place, run: &str) -> Value {
    let bytes = std::fs::read(place.path(&format!("{run}/model.safetensors"))).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    serde_json::from_str(header["__metadata__"]["gradlane"].as_str().unwrap()).unwrap()
}

const FORMS: [&[&str]; 6] = [
    &["--scale", "robust_clip"],
    &["--scale", "robust_clip", "--binary-column", "--one-hot", "4"],
    &["--scale", "quantile"],
    &["--binary-column"],
    &["--clamp"],
    &["--one-hot", "4"],
];

#[test]
fn a_stored_model_has_the_metrics_of_the_end_of_training() {
    let place = Place::new();
    table(&place, "data.csv", 300);
    table(&place, "test.csv", 97);
    for (number, form) in FORMS.iter().enumerate() {
        let run = format!("run{number}");
        let summary = place.train("data.csv", &run, &[form, &["--test", "test.csv"][..]].concat());
        let evaluated: Value = serde_json::from_str(&place.ok(&["evaluate", &run, "test.csv", "--json"])).unwrap();
        assert_eq!(evaluated["metrics"], summary["test"], "{form:?}");
        let older_programs_read_it = form == &["--one-hot", "4"];
        assert_eq!(card(&place, &run)["version"], if older_programs_read_it { 1 } else { 2 }, "{form:?}");
        let repeated =
            place.ok(&["train", "-c", &format!("{run}/config.toml"), "-o", "again", "--overwrite", "--json", "-q"]);
        let repeated: Value = serde_json::from_str(&repeated).unwrap();
        assert_eq!(repeated["weights_sha256"], summary["weights_sha256"], "{form:?}: config.toml repeats it");
        let two = place.train(
            "data.csv",
            "two",
            &[form, &["--test", "test.csv", "-j", "2", "--exact-threads", "--overwrite"][..]].concat(),
        );
        assert_eq!(two["weights_sha256"], summary["weights_sha256"], "{form:?}: any threads");
    }
}

#[test]
fn inspect_shows_how_columns_become_inputs() {
    let place = Place::new();
    table(&place, "data.csv", 300);
    place.train("data.csv", "run", &["--scale", "robust_clip", "--binary-column", "--one-hot", "4", "--clamp"]);
    let text = place.ok(&["inspect", "run"]);
    assert!(
        text.contains("smooth clip to ±3") && text.contains("scaled, smooth clip") && text.contains("other"),
        "{text}"
    );
    let (inputs, said): (Vec<&str>, &str) = (text.lines().filter(|l| l.starts_with("sex ")).collect(), " for f");
    assert!(inputs.len() == 1 && inputs[0].contains(" for m") && inputs[0].contains(said), "{text}");
    assert!(text.contains("least") && text.contains("most"), "the range of the targets: {text}");
    place.train("data.csv", "quantile", &["--scale", "quantile"]);
    assert!(place.ok(&["inspect", "quantile"]).contains("normal by 10 quantiles of x"));
}

#[test]
fn unknown_levels_of_a_binary_column_are_halfway_between_the_two() {
    let place = Place::new();
    table(&place, "data.csv", 300);
    place.train(
        "data.csv",
        "run",
        &["--binary-column", "--ignore", "city,size,gaps", "--epochs", "60", "--hidden", "none"],
    );
    place.write("new.csv", "sex\nf\nm\nx\n\n");
    let output = place.run(&["predict", "run", "new.csv"]);
    let (text, told) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let said: Vec<f64> = cells(&text)[1..].iter().map(|row| row[0].parse().unwrap()).collect();
    assert!(told.contains("a level that training did not see"), "{told}");
    // The model is linear in an input that is −1, 1 or, for unknown levels, 0.
    assert!(said[0] > said[1] && (said[2] - 0.5 * (said[0] + said[1])).abs() < 1e-4, "{said:?}");
    assert_eq!(said[3..], said[2..3], "a missing value is neither too");
}

#[test]
fn clipped_inputs_are_bounded_for_outliers() {
    let place = Place::new();
    table(&place, "data.csv", 300);
    let mut far = "size,gaps,sex,city\n".to_owned();
    ["1e6", "1e9", "1e30"].iter().for_each(|size| far += &format!("{size},3,f,a\n"));
    place.write("far.csv", far);
    for scale in ["robust_clip", "quantile"] {
        place.train("data.csv", "run", &["--scale", scale, "--overwrite"]);
        let output = place.run(&["predict", "run", "far.csv"]);
        let text = String::from_utf8(output.stdout).unwrap();
        let said: Vec<f64> = cells(&text)[1..].iter().map(|row| row[0].parse().unwrap()).collect();
        assert!((said[0] - said[1]).abs() < 1e-3 && (said[1] - said[2]).abs() < 1e-3, "{scale}: {said:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("far outside the range"), "{scale}");
    }
}

#[test]
fn clamped_predictions_stay_within_the_range_of_the_training_targets() {
    let place = Place::new();
    table(&place, "data.csv", 300);
    let mut far = "size,gaps,sex,city\n".to_owned();
    (0..40).for_each(|n| far += &format!("{},{},f,a\n", 1000 * n - 20_000, 50 * n - 1000));
    place.write("far.csv", far);
    let range = |run: &str| {
        let text = place.ok(&["predict", run, "far.csv"]);
        let said = cells(&text)[1..].iter().map(|row| row[0].parse().unwrap()).collect::<Vec<f64>>();
        (said.iter().copied().fold(f64::INFINITY, f64::min), said.iter().copied().fold(f64::NEG_INFINITY, f64::max))
    };
    let plain = place.train("data.csv", "plain", &[]);
    let clamped = place.train("data.csv", "clamped", &["--clamp"]);
    assert_eq!(plain["weights_sha256"], clamped["weights_sha256"]);
    let (least, most) = range("plain");
    let stored = &card(&place, "clamped")["preprocessing"]["target"]["range"][0];
    let stored = (number(&stored[0]), number(&stored[1]));
    assert!(least < stored.0, "{least}");
    let (clamped_least, clamped_most) = range("clamped");
    assert_eq!((clamped_least, clamped_most), (stored.0, most.min(stored.1)));
    let message = place.fails(4, &["train", "data.csv", "--clamp", "--label", "sex", "-q"]);
    assert!(message.contains("--clamp: it needs a regression"), "{message}");
}

#[test]
fn options_of_columns_are_checked() {
    let place = Place::new();
    table(&place, "data.csv", 30);
    let message = place.fails(2, &["train", "data.csv", "--one-hot", "0"]);
    assert!(message.contains("--one-hot: expected a whole number of at least 1, found \"0\""), "{message}");
    let message = place.fails(2, &["train", "data.csv", "--scale", "robustclip"]);
    assert!(message.contains("robust_clip, quantile"), "{message}");
}

#[test]
fn levels_that_share_an_input_are_told() {
    let place = Place::new();
    let rows: String = (0..700).map(|n| format!("c{},{},{}\n", n % 70, n % 9, n % 2)).collect();
    place.write("d.csv", format!("c,x,y\n{rows}"));
    let said =
        |flags: &[&str]| error(&place.run(&[&["train", "d.csv", "--dry-run", "--preset", "plain"], flags].concat()));
    let told = said(&[]);
    assert!(
        told.contains("column \"c\": 64 levels have inputs of their own, 6 rarer ones share one (--one-hot"),
        "{told}"
    );
    assert!(!said(&["--one-hot", "70"]).contains("rarer"));
}
