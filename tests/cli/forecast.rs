//! What a dry run expects of time and memory.

use std::process::Command;

use crate::place::{Place, json};

#[test]
fn a_dry_run_says_how_long_and_how_much_memory() {
    let place = Place::new();
    place.shipped("digits.csv");
    let planned = |flags: &[&str]| place.ok(&[&["train", "digits.csv", "--dry-run", "--quiet"], flags].concat());
    let event = json(&planned(&["--preset", "plain", "--epochs", "50", "--hidden", "2048,2048", "--json"]));
    let expected = |name: &str| event["expected"][name].as_f64().unwrap();
    assert!(expected("seconds_of_epoch") > 0.0);
    assert!((expected("seconds") / (50.0 * expected("seconds_of_epoch")) - 1.0).abs() < 1e-9, "{event}");
    // Parameters, gradients, two moments, initial and kept ones, and those of the file.
    let parameters = event["parameters"].as_f64().unwrap();
    assert!(expected("peak_bytes") > 7.0 * 4.0 * parameters, "{event}");
    let text = planned(&["--preset", "plain", "--epochs", "50"]);
    assert!(text.contains("\ntime        about ") && text.contains("\nmemory      below 100 MB\n"), "{text}");
    assert!(!text.contains("at most"), "{text}");
    assert!(planned(&["--preset", "plain"]).contains(" at most, "), "it may stop early");
    // Steps, not epochs; and networks one after the other or side by side.
    let few = json(&planned(&["--preset", "plain", "--steps", "26", "--json"]));
    let epochs = few["expected"]["seconds"].as_f64().unwrap() / few["expected"]["seconds_of_epoch"].as_f64().unwrap();
    assert!((epochs - 2.0).abs() < 1e-9, "{few}");
    let best = json(&planned(&["--preset", "best", "--time-limit", "30s", "--json"]));
    assert!((20.0..=30.0).contains(&best["expected"]["seconds"].as_f64().unwrap()), "its time is given: {best}");
    assert!(best["expected"]["peak_bytes"].is_null(), "only its first configuration was measured: {best}");
    assert!(!std::fs::exists(place.path("runs")).unwrap(), "nothing is written");
}

#[test]
fn a_dry_run_of_folds_takes_the_options_of_the_run() {
    let place = Place::new();
    place.shipped("iris.csv");
    let planned = |flags: &[&str]| place.ok(&[&["train", "iris.csv", "--dry-run", "--quiet"], flags].concat());
    for monitor in [&["--monitor", "val_mcc"][..], &["--target", "val_accuracy=0.9"], &["--threshold", "0.5"]] {
        let text = planned(&[&["--cv", "3"], monitor].concat());
        assert!(text.contains("\ntime        about "), "{text}");
    }
    assert!(planned(&["--cv", "3", "--monitor", "val_mcc"]).contains("\nmonitor     val_mcc, in each fold\n"));
    let folds = json(&planned(&["--cv", "3", "--epochs", "20", "-j", "1", "--json"]));
    let networks =
        folds["expected"]["seconds"].as_f64().unwrap() / folds["expected"]["seconds_of_epoch"].as_f64().unwrap();
    assert!((networks - 80.0).abs() < 1e-6, "three folds and all rows, 20 epochs each: {folds}");
}

/// `cargo test --release --test cli expects -- --ignored --nocapture`, on a quiet machine with GNU time.
#[test]
#[ignore = "compares times"]
fn what_a_dry_run_expects_is_found_within_a_fifth() {
    let place = Place::new();
    place.shipped("digits.csv");
    for flags in [
        &["--hidden", "4096,4096", "--epochs", "8"][..],
        &["--preset", "plain", "--epochs", "400", "--patience", "none"],
        &["--preset", "realmlp", "--ensemble", "1", "--epochs", "64"],
        &["--preset", "realmlp", "--ensemble", "4", "--epochs", "64"],
        &["--preset", "tabm-mini", "--epochs", "2", "--patience", "none"],
    ] {
        let event = json(&place.ok(&[&["train", "digits.csv", "--dry-run", "--quiet", "--json"], flags].concat()));
        let args = [&["train", "digits.csv", "-q", "--json", "--overwrite", "-o", "run"], flags].concat();
        let program = env!("CARGO_BIN_EXE_gradlane");
        let mut timed = Command::new("/usr/bin/time");
        timed.args(["-f", "%M", program]).args(&args).current_dir(place.path("."));
        let output = timed.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let kilobytes = String::from_utf8(output.stderr).unwrap();
        let peak = kilobytes.lines().last().unwrap().trim().parse::<f64>().unwrap() * 1024.0;
        let summary = json(&String::from_utf8(output.stdout).unwrap());
        let seconds = summary["seconds"].as_f64().unwrap();
        let expected = |name: &str| event["expected"][name].as_f64().unwrap();
        let (time, memory) = (expected("seconds") / seconds, expected("peak_bytes") / peak);
        println!("{flags:?}: {seconds:.1} s, time {time:.2}, {:.0} MB, memory {memory:.2}", peak / 1e6);
        assert!((0.8..1.2).contains(&time), "time");
        assert!(peak < 1e8 || (0.8..1.2).contains(&memory), "memory");
    }
}
