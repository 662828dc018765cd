//! Augmentation and SMOTE: they change only training, do not depend on threads, and continue correctly when a run is
//! prolonged.

use serde_json::Value;

use crate::place::{Place, json};

/// A table with a rare class in one corner and a common class elsewhere.
fn table(place: &Place, name: &str, rows: usize) {
    let mut text = "a,b,kind,y\n".to_owned();
    for n in 0..rows {
        let (a, b) = ((n * 37 % 101) as f64 / 50.0 - 1.0, (n * 53 % 89) as f64 / 44.0 - 1.0);
        let y = if a + b > 1.1 { "rare" } else { "common" };
        text += &format!("{a:.4},{b:.4},{},{y}\n", ["u", "v"][n % 2]);
    }
    place.write(name, text);
}

/// Images of 6 × 6 pixels whose label says which half is lit, in a folder with MNIST's layout.
fn images(place: &Place) {
    std::fs::create_dir(place.path("images")).unwrap();
    for (part, count) in [("train", 200usize), ("t10k", 40)] {
        let mut pixels = [0u8, 0, 8, 3].to_vec();
        [count as u32, 6, 6].iter().for_each(|n| pixels.extend(n.to_be_bytes()));
        let mut labels = [0u8, 0, 8, 1].to_vec();
        labels.extend((count as u32).to_be_bytes());
        for n in 0..count {
            let label = n % 2;
            labels.push(label as u8);
            pixels.extend(
                (0..36).map(|p| if (p % 6 >= 3) == (label == 1) { 100 + (n * 7 + p * 13) as u8 % 100 } else { 0 }),
            );
        }
        place.write(&format!("images/{part}-images-idx3-ubyte"), pixels);
        place.write(&format!("images/{part}-labels-idx1-ubyte"), labels);
    }
}

fn weights(summary: &Value) -> &str {
    summary["weights_sha256"].as_str().unwrap()
}

#[test]
fn augmented_runs_are_the_same_on_any_threads_and_differ_from_plain_ones() {
    let place = Place::new();
    table(&place, "data.csv", 300);
    images(&place);
    let cases = [
        ("data.csv", "noise=0.1"),
        ("data.csv", "mixup=0.3"),
        ("data.csv", "noise=0.1,mixup=0.3"),
        ("images", "shift=1"),
        ("images", "flip"),
    ];
    for (number, (data, augment)) in cases.into_iter().enumerate() {
        let run = |name: &str, more: &[&str]| {
            place.train(data, &format!("{name}{number}"), &[&["--augment", augment, "-j", "1"], more].concat())
        };
        let one = run("one", &[]);
        let two = place.train(data, "two", &["--augment", augment, "-j", "2", "--exact-threads", "--overwrite"]);
        let plain = place.train(data, "plain", &["--overwrite"]);
        assert_eq!(weights(&one), weights(&two), "{augment}");
        assert_ne!(weights(&one), weights(&plain), "{augment}");
        let again = json(&place.ok(&[
            "train",
            "-c",
            &format!("one{number}/config.toml"),
            "-o",
            "again",
            "--overwrite",
            "--json",
            "-q",
        ]));
        assert_eq!(weights(&one), weights(&again), "{augment}: config.toml repeats it");
        let other = run("other", &["--seed", "1"]);
        assert_ne!(weights(&one), weights(&other));
    }
}

#[test]
fn a_prolonged_run_continues_with_the_same_augmented_rows() {
    let place = Place::new();
    table(&place, "data.csv", 300);
    let augment = ["--augment", "noise=0.2,mixup=0.5", "--epochs", "4", "--batch", "16"];
    let whole = place.train("data.csv", "whole", &augment);
    // At a constant learning rate, 2 epochs prolonged to 4 are the same as a run of 4 epochs.
    let constant = ["--schedule", "const", "--checkpoint-every", "7steps"];
    let whole_constant = place.train("data.csv", "constant", &[&augment[..], &constant].concat());
    place.train("data.csv", "half", &[&augment[..2], &["--epochs", "2", "--batch", "16"], &constant].concat());
    let prolonged = json(&place.ok(&["resume", "half", "--epochs", "4", "--json", "-q", "-j", "1"]));
    assert_eq!(weights(&prolonged), weights(&whole_constant));
    assert_ne!(weights(&whole), weights(&whole_constant));
}

#[test]
fn flipping_images_makes_left_and_right_indistinguishable() {
    let place = Place::new();
    images(&place);
    let train = |run: &str, more: &[&str]| place.train("images", run, &[&["--epochs", "20"], more].concat());
    let plain = train("plain", &[]);
    let flipped = train("flipped", &["--augment", "flip"]);
    assert_eq!(plain["test"]["accuracy"], 1.0);
    let accuracy = flipped["test"]["accuracy"].as_f64().unwrap();
    assert!(accuracy < 0.8, "the side is all there is to learn, and half of the rows say the other: {accuracy}");
}

#[test]
fn smote_raises_the_recall_of_the_rare_class() {
    let place = Place::new();
    table(&place, "data.csv", 600);
    let recall = |run: &str, balance: &str| {
        let flags = [
            "--test",
            "0.3",
            "--valid",
            "none",
            "--balance",
            balance,
            "--hidden",
            "none",
            "--epochs",
            "20",
            "--lr",
            "0.03",
        ];
        let summary = place.train("data.csv", run, &flags);
        let rows = summary["per_class"]["rare"]["support"].as_f64().unwrap();
        (summary["test"]["recall"].as_f64().unwrap(), rows, weights(&summary).to_owned())
    };
    let (plain, smote) = (recall("plain", "none"), recall("smote", "smote"));
    assert_eq!(plain.1, smote.1, "the test part stays as it is");
    assert!(smote.0 > plain.0 + 0.2, "{plain:?} {smote:?}");
    let repeat = ["train", "-c", "smote/config.toml", "-o", "again", "--json", "-q", "-j", "2", "--exact-threads"];
    let again = json(&place.ok(&repeat));
    assert_eq!(weights(&again), smote.2);
}

#[test]
fn augmentation_that_does_not_fit_is_refused() {
    let place = Place::new();
    table(&place, "data.csv", 60);
    images(&place);
    let refused = |code: i32, data: &str, flags: &[&str], reason: &str| {
        let message = place.fails(code, &[&["train", data, "-q"], flags].concat());
        assert!(message.contains(reason), "{flags:?}: {message}");
    };
    refused(2, "data.csv", &["--augment", "noise"], "--augment: expected noise=SD");
    refused(4, "data.csv", &["--augment", "shift=1"], "shift and flip are for images");
    refused(4, "images", &["--augment", "mixup=0.2"], "noise and mixup are for tables");
    refused(4, "data.csv", &["--augment", "mixup=0.2", "--loss", "focal"], "the focal loss wants classes");
    refused(4, "data.csv", &["--augment", "noise=0.2", "--optimizer", "lbfgs"], "needs the same rows in every step");
    refused(4, "images", &["--balance", "smote"], "--balance smote: it is about columns of a table");
    refused(4, "data.csv", &["--balance", "smote", "--label", "a"], "--balance: it needs classes");
}
