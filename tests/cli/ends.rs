//! How runs end: exit codes, and the files that are left.

use serde_json::Value;

use crate::place::{Place, SMALL, code, error, json, out};

fn iris() -> Place {
    let place = Place::new();
    place.shipped("iris.csv");
    place
}

#[test]
fn wrong_options_end_before_any_file_is_read() {
    let place = Place::new();
    for flags in [
        &["--lr", "-1"][..],
        &["--hidden", "0"],
        &["--activation", "rellu"],
        &["--dropout", "1"],
        &["--valid", "1.5"],
        &["--target", "val_los<=1"],
        &["--isa", "sse"],
        &["--threads", "0"],
        &["--optimizer", "adan"],
        &["--progress", "loud"],
    ] {
        let message = place.fails(2, &[&["train", "no-such-file.csv"], flags].concat());
        assert!(message.contains(flags[0]), "{flags:?}: {message}");
    }
    place.fails(2, &["train"]);
    place.fails(5, &["train", "no-such-file.csv"]);
    assert_eq!(std::fs::read_dir(place.path(".")).unwrap().count(), 0, "nothing was written");
}

#[test]
fn wrong_data_are_refused_with_their_line() {
    let place = Place::new();
    place.write("ragged.csv", "a,b,y\n1,2,x\n3,4\n");
    let message = place.fails(3, &["train", "ragged.csv", "-o", "run"]);
    assert!(message.contains("ragged.csv:3: expected 3 columns, found 2"), "{message}");
    assert!(!place.path("run").exists());
    let place = iris();
    place.fails(3, &["train", "iris.csv", "--label", "speces", "-o", "run"]);
    place.fails(4, &["train", "iris.csv", "--loss", "poisson", "-o", "run"]);
    place.fails(4, &["train", "iris.csv", "--fail-under", "test_accuracy=0.9", "-o", "run"]);
}

/// An option that the others leave without effect is a mistake of whoever gave it.
#[test]
fn options_without_effect_are_refused() {
    let place = iris();
    for without in [&["--epochs", "5"][..], &["--patience", "none"], &["--steps", "9"]] {
        let message = place.fails(2, &[&["train", "iris.csv", "--min-delta", "0.01", "-o", "run"], without].concat());
        assert!(message.contains("--min-delta 0.01: it decides what resets the patience"), "{message}");
    }
    place.ok(&["train", "iris.csv", "--min-delta", "0.01", "--patience", "1", "--epochs", "5", "-q", "-o", "patient"]);
    place.ok(&["train", "-c", "patient/config.toml", "-q", "-o", "again"]);
    // Some presets of best have patience.
    place.ok(&["train", "iris.csv", "--min-delta", "0.01", "--preset", "best", "--dry-run"]);
    let message = place.fails(4, &["train", "iris.csv", "--no-scale-target", "-o", "run"]);
    assert!(
        message.contains("--no-scale-target: it needs numbers to predict, and the task is multiclass"),
        "{message}"
    );
}

#[test]
fn divergence_keeps_the_last_good_model() {
    let place = iris();
    let output = place.run(&["train", "iris.csv", "--lr", "1e30", "--json", "-q", "-o", "run"]);
    assert_eq!(code(&output), 10);
    assert!(error(&output).contains("try a smaller --lr"), "{}", error(&output));
    assert_eq!(json(&out(&output))["stopped"], "diverged");
    assert_eq!(place.json("run/summary.json")["stopped"], "diverged");
    let evaluated = json(&place.ok(&["evaluate", "run", "iris.csv", "--json"]));
    assert!(evaluated["metrics"]["loss"].is_number(), "the model is a good one: {evaluated}");
}

#[test]
fn late_divergence_keeps_the_best_epoch() {
    let place = Place::new();
    place.shipped("diabetes.csv");
    // The learning rate grows to 10, at which training on a squared error diverges.
    let flags = ["--optimizer", "sgd", "--lr", "10", "--schedule", "onecycle:rise=0.9,div=1e6", "--epochs", "40"];
    let output =
        place.run(&[&["train", "diabetes.csv", "--json", "-q", "--hidden", "8", "-o", "run"], &flags[..]].concat());
    assert_eq!(code(&output), 10, "{}", error(&output));
    let summary = json(&out(&output));
    let (best, epochs) = (summary["best_epoch"].as_u64().unwrap(), summary["epochs"].as_u64().unwrap());
    assert!(1 <= best && best < epochs, "{summary}");
    assert!(summary["val"]["r2"].as_f64().unwrap() > 0.2, "{summary}");
}

#[test]
fn a_missed_requirement_still_saves_the_run() {
    let place = iris();
    let args = [&["train", "iris.csv", "-o", "run", "--fail-under", "val_loss<=0.000001"], &SMALL[..]].concat();
    let message = place.fails(11, &args);
    assert!(message.contains("--fail-under val_loss<=0.000001 was missed"), "{message}");
    assert!(place.path("run/model.safetensors").is_file());
    let args = [&["train", "iris.csv", "-o", "fine", "--fail-under", "val_accuracy=0"], &SMALL[..]].concat();
    place.ok(&args);
    let stopped = place.train("iris.csv", "target", &["--target", "val_accuracy=0"]);
    assert_eq!((&stopped["stopped"], &stopped["epochs"]), (&"target".into(), &1.into()));
}

#[test]
fn a_limit_before_the_first_step_fails_and_a_limit_of_steps_is_kept() {
    let place = iris();
    place.fails(12, &["train", "iris.csv", "-q", "--time-limit", "0s", "-o", "run"]);
    assert!(!place.path("run/model.safetensors").exists());
    let summary = place.train("iris.csv", "steps", &["--steps", "4"]);
    assert_eq!((&summary["stopped"], &summary["steps"]), (&"steps".into(), &4.into()));
}

/// The figures of the training part of this network take many times its limit.
#[test]
fn a_time_limit_leaves_out_the_figures_of_training_for_which_there_is_no_time() {
    let place = Place::new();
    let rows = (0..20_000).map(|row| format!("{},{},{}\n", row % 97, row % 13, row % 97 > row % 13));
    place.write("data.csv", format!("a,b,y\n{}", rows.collect::<String>()));
    let large =
        "train data.csv -q -j 1 --members tabm:32 --hidden 512,512 --batch 64 --valid 0.01 --time-limit 4s -o run";
    let run = place.run(&large.split(' ').collect::<Vec<_>>());
    assert_eq!(code(&run), 0, "{}", error(&run));
    assert!(error(&run).contains("no time for the figures of the training part"), "{}", error(&run));
    let summary = place.json("run/summary.json");
    assert!(summary["train"].is_null() && summary["val"]["accuracy"].is_number(), "{summary}");
}

#[test]
fn a_run_is_replaced_only_on_demand() {
    let place = iris();
    place.train("iris.csv", "run", &[]);
    let model = std::fs::read(place.path("run/model.safetensors")).unwrap();
    let message = place.fails(2, &["train", "iris.csv", "-o", "run", "-q"]);
    assert!(message.contains("--overwrite"), "{message}");
    assert_eq!(std::fs::read(place.path("run/model.safetensors")).unwrap(), model);
    place.train("iris.csv", "run", &["--seed", "1", "--overwrite"]);
    assert_ne!(std::fs::read(place.path("run/model.safetensors")).unwrap(), model);
    place.write("file", "x");
    place.fails(5, &["train", "iris.csv", "-o", "file", "-q"]);
    place.fails(5, &["train", "iris.csv", "-o", "file/run", "-q"]);
}

#[test]
fn without_a_name_a_run_gets_its_own_directory() {
    let place = iris();
    place.ok(&[&["train", "iris.csv"], &SMALL[..]].concat());
    assert_eq!(place.ok(&["predict", "runs/latest", "iris.csv"]).lines().count(), 151);
}

#[test]
fn the_report_ends_with_hash_and_next_command() {
    let place = iris();
    let text = place.ok(&[&["train", "iris.csv", "-o", "run"], &SMALL[..]].concat());
    let hash = place.json("run/summary.json")["weights_sha256"].as_str().unwrap().to_owned();
    let [.., weights, predict] = text.lines().collect::<Vec<_>>()[..] else { panic!("{text}") };
    assert_eq!(weights, format!("weights {hash}"));
    let command = predict.split_once("gradlane ").expect("a command").1;
    place.ok(&command.split(' ').collect::<Vec<_>>());
}

#[test]
fn progress_goes_to_standard_error() {
    let place = iris();
    let args = ["train", "iris.csv", "-o", "run", "--json", "--epochs", "2", "--hidden", "4", "--progress", "json"];
    let output = place.run(&args);
    assert!(json(&out(&output)).is_object());
    let lines = error(&output);
    let events = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    assert_eq!(events.filter(|event| event["event"] == "epoch").count(), 2, "{lines}");
}

#[cfg(target_os = "linux")]
#[test]
fn an_unwritable_directory_is_refused_before_training() {
    let place = iris();
    let message = place.fails(5, &["train", "iris.csv", "--cv", "3", "-o", "/proc/run"]);
    assert!(!message.contains("fold"), "it is found before the folds are trained: {message}");
    place.fails(5, &["tune", "iris.csv", "-q", "-o", "/proc/run"]);
}

#[cfg(unix)]
#[test]
fn a_run_that_fails_or_diverges_leaves_the_older_one_whole() {
    let place = iris();
    let weights = place.train("iris.csv", "run", &[])["weights_sha256"].clone();
    let program = place.command(&[]).get_program().to_string_lossy().into_owned();
    let limited = format!("ulimit -f 8; trap '' XFSZ; exec '{program}' train iris.csv -o run --overwrite -q");
    let output = place
        .command(&[])
        .get_current_dir()
        .map(|at| std::process::Command::new("sh").args(["-c", &limited]).current_dir(at).output().unwrap());
    assert_eq!(code(&output.unwrap()), 5, "the model does not fit under the limit of a file's size");
    let output = place.run(&["train", "iris.csv", "-o", "run", "--overwrite", "--lr", "1e38", "-q"]);
    assert_eq!(code(&output), 10);
    assert!(out(&output).contains("the older run in run stays"), "{}", out(&output));
    let mut files: Vec<_> = std::fs::read_dir(place.path("run")).unwrap().map(|e| e.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["checkpoint", "config.toml", "events.jsonl", "model.safetensors", "split.json", "summary.json"]);
    assert_eq!(place.json("run/summary.json")["weights_sha256"], weights);
    assert!(place.ok(&["inspect", "run"]).contains(weights.as_str().unwrap()));
    std::fs::write(place.path("run/notes.txt"), "mine").unwrap();
    place.train("iris.csv", "run", &["--overwrite", "--seed", "7"]);
    assert_ne!(place.json("run/summary.json")["weights_sha256"], weights);
    assert_eq!(place.read("run/notes.txt"), "mine");
}

#[test]
fn weights_that_are_not_finite_are_never_kept() {
    let place = Place::new();
    ["diabetes.csv", "penguins.csv"].iter().for_each(|name| drop(place.shipped(name)));
    for (data, flags) in [
        ("diabetes.csv", &["--optimizer", "sgd", "--lr", "1000", "--steps", "2"][..]),
        (
            "diabetes.csv",
            &["--optimizer", "sgd", "--lr", "1e10", "--steps", "3", "--valid", "none", "--accumulate", "4"],
        ),
        ("penguins.csv", &["--steps", "1", "--valid", "none", "--lr", "1e38"]),
        ("penguins.csv", &["--steps", "1", "--valid", "none", "--lr", "1e38", "--ema", "0.9"]),
        ("penguins.csv", &["--batch", "full", "--epochs", "5", "--lr", "1e38"]),
        ("penguins.csv", &["--epochs", "3", "--lr", "1e38", "--cv", "3"]),
    ] {
        let args = [&["train", data, "-q", "--hidden", "8", "-o", "run", "--overwrite"], flags].concat();
        let _ = std::fs::remove_dir_all(place.path("run"));
        place.fails(10, &args);
        let evaluated = json(&place.ok(&["evaluate", "run", data, "--json"]));
        assert!(evaluated["metrics"]["loss"].is_number(), "{flags:?}: {evaluated}");
    }
}

#[test]
fn without_validation_the_last_weights_are_kept() {
    let place = iris();
    let summary = place.train("iris.csv", "run", &["--valid", "none", "--epochs", "7", "--lr", "0.3"]);
    assert_eq!(summary["best_epoch"], 7, "the running loss does not choose");
}

#[test]
fn an_undefined_monitor_is_reported_and_does_not_stop_training() {
    let place = Place::new();
    let rows: String = (0..100).map(|n| format!("{},{}\n", n % 10, ["a", "b"][n / 50])).collect();
    place.write("d.csv", format!("x,y\n{rows}5,c\n"));
    let args =
        ["train", "d.csv", "--monitor", "val_auroc", "--patience", "2", "--epochs", "9", "--hidden", "4", "-o", "run"];
    let output = place.run(&args);
    assert_eq!(code(&output), 0);
    assert!(error(&output).contains("warning: val_auroc is undefined in every epoch"), "{}", error(&output));
    assert_eq!(place.json("run/summary.json")["epochs"], 9);
}

#[cfg(unix)]
#[test]
fn signals_save_the_run() {
    use std::time::{Duration, Instant};
    for (signal, expected) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let place = iris();
        let args = ["train", "iris.csv", "--epochs", "1000000", "--hidden", "8", "-q", "--json", "-o", "run"];
        let child = place.command(&args).stdout(std::process::Stdio::piped()).spawn().unwrap();
        let began = Instant::now();
        let epochs = || std::fs::read_to_string(place.path("run/events.jsonl")).unwrap_or_default();
        while epochs().lines().count() < 3 {
            assert!(began.elapsed() < Duration::from_secs(60), "the run does not begin");
            std::thread::sleep(Duration::from_millis(20));
        }
        let kill = format!("kill -{signal} {}", child.id());
        assert!(std::process::Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(expected), "SIG{signal}: {}", error(&output));
        assert_eq!(json(&out(&output))["stopped"], "signal");
        assert_eq!(place.json("run/summary.json")["stopped"], "signal");
        assert_eq!(place.ok(&["predict", "run", "iris.csv"]).lines().count(), 151);
    }
}

#[cfg(unix)]
#[test]
fn a_signal_while_data_are_read_leaves_nothing() {
    use std::io::Write;
    let place = iris();
    let rows = place.read("iris.csv");
    for verb in ["train", "tune"] {
        let mut child = place.command(&[verb, "-", "-o", "run"]).stdin(std::process::Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        // More than fits in a pipe, so when the last write returns, the program is reading.
        for _ in 0..50 {
            input.write_all(rows.as_bytes()).unwrap();
        }
        let kill = format!("kill -INT {}", child.id());
        assert!(std::process::Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(130), "{verb}");
        assert!(!place.path("run").exists(), "{verb}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_closed_pipe_does_not_hide_how_the_run_ended() {
    let place = iris();
    let args = ["train", "iris.csv", "--lr", "1e30", "-q", "-o", "run"];
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(place.command(&args).stdout(writer).status().unwrap().code(), Some(10));
    let full = std::fs::File::create("/dev/full").unwrap();
    let args = [&args[..], &["--overwrite"]].concat();
    assert_eq!(place.command(&args).stdout(full).status().unwrap().code(), Some(10));
}

#[test]
fn a_network_beyond_memory_is_refused() {
    let message = iris().fails(5, &["train", "iris.csv", "-q", "--hidden", "1000000,1000000", "-o", "run"]);
    assert!(message.contains("--hidden") && message.contains("memory"), "{message}");
}

#[test]
fn an_enormous_number_of_epochs_does_not_overflow_the_schedule() {
    let place = iris();
    place.train(
        "iris.csv",
        "run",
        &["--epochs", "18446744073709551615", "--target", "train_loss<=0.4", "--log-steps", "1"],
    );
    let events = place.read("run/events.jsonl");
    let rates: Vec<f64> = events.lines().filter_map(|line| json(line)["lr"].as_f64()).collect();
    assert!(rates.len() > 20 && rates.iter().all(|rate| *rate > 0.0009), "{rates:?}");
}

#[test]
fn metrics_that_training_does_not_compute_cannot_be_monitored() {
    for (flag, value) in [("--monitor", "train_auroc"), ("--target", "train_auprc>=0.5")] {
        let message = iris().fails(2, &["train", "iris.csv", flag, value]);
        assert!(message.contains(flag) && message.contains("use val_"), "{message}");
    }
}

#[test]
fn an_empty_directory_name_is_refused() {
    let place = iris();
    assert!(place.fails(2, &["train", "iris.csv", "-o", ""]).contains("--out"));
    assert!(!place.path("config.toml").exists());
}

#[test]
fn a_fraction_that_selects_no_row_is_reported() {
    let place = iris();
    let output = place.run(&[&["train", "iris.csv", "--valid", "0.001", "-o", "run"], &SMALL[..]].concat());
    assert!(error(&output).contains("--valid 0.001 of 150 rows: there is no validation part"), "{}", error(&output));
}

#[test]
fn overfit_batch_prints_one_json_object() {
    let place = iris();
    let report = json(&place.ok(&["train", "iris.csv", "--overfit-batch", "--json", "-q"]));
    assert_eq!((&report["learnt"], &report["rows"]), (&true.into(), &16.into()));
    place.fails(2, &["train", "iris.csv", "--hidden", "2", "--trace", "--json"]);
}

#[test]
fn the_next_command_is_quoted_and_counts_have_correct_plurals() {
    let place = iris();
    std::fs::rename(place.path("iris.csv"), place.path("my iris.csv")).unwrap();
    let text = place.ok(&["train", "my iris.csv", "-q", "--hidden", "8", "--steps", "1", "-j", "1", "-o", "it's"]);
    assert!(text.ends_with("gradlane predict 'it'\\''s' 'my iris.csv'\n"), "{text}");
    assert!(text.contains("1 epoch, 1 step in") && text.contains("on 1 thread;"), "{text}");
}

#[test]
fn the_last_epoch_is_always_shown() {
    let place = iris();
    let output = place.run(&["train", "iris.csv", "--hidden", "8", "--epochs", "95", "-o", "run"]);
    let lines = error(&output);
    assert_eq!(lines.lines().filter(|line| line.trim_start().starts_with("95 ")).count(), 1, "{lines}");
}
