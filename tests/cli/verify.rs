//! `gradlane verify` repeats runs and reports differences.

use safetensors::SafeTensors;

use crate::place::{Place, code, error, json, out};

const DIGITS: [&str; 9] = ["train", "digits.csv", "--hidden", "16", "--dropout", "0.1", "--seed", "5", "-q"];

fn place(more: &[&str]) -> Place {
    let place = Place::new();
    place.shipped("digits.csv");
    place.ok(&[&DIGITS[..], &["-o", "run"], more].concat());
    place
}

fn same(place: &Place, more: &[&str]) -> String {
    let text = place.ok(&[&["verify", "run", "-q"], more].concat());
    assert!(text.starts_with("SAME: "), "{text}");
    text
}

/// The output of a verification that finds differences.
fn different(place: &Place) -> String {
    let output = place.run(&["verify", "run", "-q"]);
    let text = out(&output);
    assert_eq!(code(&output), 13, "{text} {}", error(&output));
    assert!(text.starts_with("DIFFERENT: "), "{text}");
    assert!(error(&output).starts_with("gradlane: the run is not repeated: "), "{}", error(&output));
    text
}

#[test]
fn a_run_is_the_same_with_other_threads() {
    let place = place(&["--epochs", "4", "--log-steps", "7", "--ema", "0.9"]);
    let files = || -> Vec<Vec<u8>> {
        let names = ["config.toml", "events.jsonl", "summary.json", "checkpoint", "model.safetensors"];
        names.map(|name| std::fs::read(place.path("run").join(name)).unwrap()).into()
    };
    let before = files();
    let weights = place.json("run/summary.json")["weights_sha256"].as_str().unwrap().to_owned();
    let text = same(&place, &["-j", "3", "--exact-threads"]);
    assert!(text.contains("4 epochs") && text.contains(&weights), "{text}");
    let verdict = json(&place.ok(&["verify", "run", "-q", "--json"]));
    assert_eq!((verdict["verdict"].as_str(), verdict["differences"].as_array().unwrap().len()), (Some("SAME"), 0));
    assert!(files() == before, "the run is left alone");
    // A run prolonged at a constant rate can be repeated as one run. Otherwise the configuration has the original options in
    // a comment, and the run is refused.
    place.ok(&["resume", "run", "--epochs", "5", "-q"]);
    assert!(place.read("run/config.toml").starts_with("# begun with epochs = 4, lr = 0.001, schedule = \"cosine\";"));
    let message = place.fails(4, &["verify", "run", "-q"]);
    assert!(message.contains("prolonged"), "{message}");
    place.ok(&[&DIGITS[..], &["-o", "run", "--overwrite", "--epochs", "2", "--schedule", "const"]].concat());
    place.ok(&["resume", "run", "--epochs", "3", "-q"]);
    same(&place, &[]);
}

#[test]
fn a_run_ended_by_time_is_repeated_for_its_steps() {
    let place = Place::new();
    place.shipped("digits.csv");
    place.ok(&[&DIGITS[..], &["-o", "run", "--epochs", "90000", "--time-limit", "0.4s"]].concat());
    let summary = place.json("run/summary.json");
    assert_eq!(summary["stopped"], "time");
    let text = same(&place, &[]);
    let steps = summary["steps"].as_u64().unwrap();
    assert!(text.contains(&format!("{steps} step")), "{text}");
}

#[test]
fn folds_and_ensembles_are_repeated() {
    let several = [&["--cv", "3"][..], &["--ensemble", "2"], &["--cv", "3", "--ensemble", "3"]];
    for more in several {
        let place = place(&[&["--epochs", "2"], more].concat());
        same(&place, &[]);
        // The epochs of each network are compared with their records.
        let events = place.read("run/events.jsonl");
        place.write("run/events.jsonl", events.replacen("\"train_loss\":", "\"train_loss\":1", 1));
        assert!(different(&place).contains("train_loss"));
    }
}

#[test]
fn changes_of_a_model_and_its_events_are_found() {
    let place = place(&["--epochs", "2", "--label-smoothing", "0.1"]);
    let path = place.path("run/model.safetensors");
    let whole = std::fs::read(&path).unwrap();
    let bias = SafeTensors::deserialize(&whole).unwrap().tensor("layers.1.bias").unwrap().data().as_ptr();
    let at = bias as usize - whole.as_ptr() as usize + 4;
    let mut edited = whole.clone();
    edited[at] ^= 1;
    std::fs::write(&path, &edited).unwrap();
    let text = different(&place);
    let expected = "tensor layers.1.bias: value 1, the first of 1 of 10 that differ,";
    assert!(text.contains(expected) && text.contains("changed after the run"), "{text}");

    // The weights may be unchanged but the metadata changed.
    let header = String::from_utf8_lossy(&whole[8..]).into_owned();
    let at = 8 + header.find(r#"\"label_smoothing\":0.1"#).expect("the metadata") + r#"\"label_smoothing\":"#.len();
    let mut edited = whole.clone();
    edited[at + 2] = b'5';
    std::fs::write(&path, &edited).unwrap();
    let text = different(&place);
    assert!(text.contains("model.safetensors: label_smoothing was 0.5, is 0.1"), "{text}");
    std::fs::write(&path, &whole).unwrap();

    let events = place.read("run/events.jsonl");
    place.write("run/events.jsonl", events.replacen("\"epoch\":2,\"step\":26,", "\"epoch\":2,\"step\":27,", 1));
    let text = different(&place);
    assert!(text.contains("epoch 2: step was 27, is 26"), "{text}");
    let without_end: Vec<&str> =
        events.lines().filter(|line| !line.contains("\"event\":\"epoch\",\"epoch\":2")).collect();
    place.write("run/events.jsonl", without_end.join("\n"));
    let text = different(&place);
    assert!(text.contains("epoch 2: event was \"missing\", is \"made\""), "{text}");
}

#[test]
fn changed_data_and_other_kernels_are_reported() {
    let place = place(&["--epochs", "2", "--isa", "portable"]);
    let digits = place.read("digits.csv");
    place.write("digits.csv", digits.replacen("\n0,", "\n1,", 1));
    let text = different(&place);
    assert!(
        text.contains("the data have changed") && text.contains("digits.csv: sha256 of the prepared data"),
        "{text}"
    );
    let verdict = json(&out(&place.run(&["verify", "run", "-q", "--json"])));
    assert_eq!(verdict["verdict"], "DIFFERENT");
    place.write("digits.csv", &digits);
    same(&place, &[]);
    if gradlane::kernel::Isa::available().iter().any(|isa| isa.name() == "avx2") {
        let output = place.run(&["verify", "run", "-q", "--isa", "avx2"]);
        assert!(
            error(&output).contains("warning: the run was made with --isa portable, and this is avx2"),
            "{}",
            error(&output)
        );
        assert!([0, 13].contains(&code(&output)));
    }
    let start = place.read("run/events.jsonl").replacen(env!("CARGO_PKG_VERSION"), "0.0.9", 1);
    place.write("run/events.jsonl", start);
    let message = place.err(&["verify", "run", "-q"]);
    assert!(message.contains("made by version 0.0.9"), "{message}");
}

#[test]
fn an_unfinished_run_cannot_be_verified() {
    let place = place(&["--epochs", "1"]);
    place.fails(5, &["verify", "nowhere"]);
    std::fs::remove_file(place.path("run/summary.json")).unwrap();
    let message = place.fails(3, &["verify", "run"]);
    assert!(message.contains("gradlane resume"), "{message}");
}

#[test]
fn the_rows_of_the_parts_are_checked() {
    let place = place(&["--epochs", "1"]);
    let split = place.read("run/split.json");
    place.write("run/split.json", split.replacen("\"train\":[0,", "\"train\":[9999,", 1));
    assert_ne!(place.read("run/split.json"), split);
    assert!(different(&place).contains("split.json"));
    std::fs::remove_file(place.path("run/split.json")).unwrap();
    assert!(different(&place).contains("missing or damaged"));
    place.write("run/split.json", split);
    same(&place, &[]);
}

/// The configuration of a run that was prolonged at another rate is not that of a run from the start.
#[test]
fn training_by_the_configuration_of_a_prolonged_run_is_warned_about() {
    let place = place(&["--epochs", "2"]);
    place.ok(&["resume", "run", "--epochs", "3", "-q"]);
    let again = place.run(&["train", "-c", "run/config.toml", "-o", "again", "-q"]);
    assert_eq!(code(&again), 0, "{}", error(&again));
    assert!(error(&again).contains("a run from the start has other weights"), "{}", error(&again));
}
