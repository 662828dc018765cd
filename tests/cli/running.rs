//! The environment of runs: file names, modes, simultaneous runs, limits, changed data.
#![cfg(target_os = "linux")]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use crate::place::{Place, SMALL, code, error, json, out};

fn iris() -> Place {
    let place = Place::new();
    place.shipped("iris.csv");
    place
}

/// Runs a shell command in the folder, with the program as `$G`.
fn shell(place: &Place, script: &str) -> Output {
    let command = place.command(&[]);
    let mut shell = Command::new("sh");
    shell.args(["-c", script]).env("G", command.get_program()).current_dir(place.path("."));
    shell.output().expect("a shell")
}

#[test]
fn file_names_need_not_be_utf_8() {
    let place = iris();
    let name = OsStr::from_bytes(b"caf\xe9 1.csv");
    std::fs::copy(place.path("iris.csv"), place.path(".").join(name)).unwrap();
    let output = place.command(&["train"]).arg(name).args(SMALL).arg("-o").arg(OsStr::from_bytes(b"r\xe9")).output();
    let output = output.unwrap();
    assert_eq!(code(&output), 0, "{}", error(&output));
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let predict = printed.lines().find_map(|line| line.strip_prefix("predict with: gradlane ")).unwrap();
    let words: Vec<&str> = predict.split(' ').collect();
    assert_eq!(words, ["predict", "file:r%E9", "file:caf%E9%201.csv"]);
    assert_eq!(place.ok(&words).lines().count(), 151, "the printed command works");
    let again = place.ok(&["train", "-c", "file:r%E9/config.toml", "-o", "again", "--json", "-q"]);
    assert!(printed.contains(json(&again)["weights_sha256"].as_str().unwrap()), "the configuration repeats the run");
    let missing = place.command(&["train"]).arg(OsStr::from_bytes(b"no\xff.csv")).output().unwrap();
    assert_eq!(code(&missing), 5, "{}", error(&missing));
}

#[test]
fn environment_variables_need_not_be_utf_8() {
    let place = iris();
    let args = [&["train", "iris.csv"], &SMALL[..]].concat();
    let variables = [("UNRELATED", OsStr::from_bytes(b"\xff")), ("GRADLANE_OUT", OsStr::from_bytes(b"o\xe9"))];
    let output = place.command(&args).envs(variables).output().unwrap();
    assert_eq!(code(&output), 0, "{}", error(&output));
    assert!(place.path(".").join(OsStr::from_bytes(b"o\xe9/model.safetensors")).is_file());
    let output = place.command(&args).env("GRADLANE_LR", OsStr::from_bytes(b"\xff")).output().unwrap();
    assert_eq!(code(&output), 2, "{}", error(&output));
}

#[test]
fn files_have_the_mode_of_the_umask() {
    use std::os::unix::fs::PermissionsExt;
    let place = iris();
    for (umask, mode) in [("077", 0o600), ("002", 0o664)] {
        let run = format!("run{umask}");
        let script = format!(
            "umask {umask}; $G train iris.csv -q --hidden 4 --epochs 1 -o {run} && $G predict {run} iris.csv -o {run}.csv"
        );
        assert_eq!(code(&shell(&place, &script)), 0);
        for file in [format!("{run}/model.safetensors"), format!("{run}/config.toml"), format!("{run}.csv")] {
            let found = std::fs::metadata(place.path(&file)).unwrap().permissions().mode() & 0o777;
            assert_eq!(found, mode, "umask {umask}, {file}: {found:o}");
        }
    }
}

#[test]
fn simultaneous_runs_have_different_directories() {
    let place = iris();
    let args = [&["train", "iris.csv"], &SMALL[..]].concat();
    let children: Vec<_> = (0..6).map(|_| place.command(&args).stdout(std::process::Stdio::null()).spawn()).collect();
    children.into_iter().for_each(|child| assert!(child.unwrap().wait().unwrap().success()));
    let runs = std::fs::read_dir(place.path("runs")).unwrap().map(|entry| entry.unwrap().path());
    assert_eq!(runs.filter(|run| !run.is_symlink() && run.join("model.safetensors").is_file()).count(), 6);
}

#[test]
fn a_time_limit_covers_folds_and_search() {
    let place = iris();
    let long = ["-q", "--hidden", "8", "--epochs", "1000000", "-j", "1", "--time-limit", "2s", "--json"];
    let began = Instant::now();
    let summary = json(&place.ok(&[&["train", "iris.csv", "--cv", "4", "-o", "folds"], &long[..]].concat()));
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    assert_eq!(summary["cv"]["folds"][3]["stopped"], "time");
    let began = Instant::now();
    let few = ["-q", "--hidden", "8", "--epochs", "3000", "-j", "1", "--time-limit", "2s", "--json", "--budget", "200"];
    let found = json(&place.ok(&[&["tune", "iris.csv", "-o", "search"], &few[..]].concat()));
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    assert_eq!(found["stopped"], "time");
    assert!(found["retrained"]["steps"].is_number());
}

#[test]
fn a_search_is_resumed_only_with_the_same_data() {
    let place = iris();
    let args =
        ["tune", "iris.csv", "-q", "--budget", "3", "--epochs", "2", "--hidden", "4", "-o", "search", "--no-retrain"];
    place.ok(&args);
    place.ok(&["tune", "--resume", "search", "-q", "--no-retrain"]);
    let text = place.read("iris.csv");
    place.write("iris.csv", text.replacen("5.1,", "5.2,", 1));
    let message = place.fails(4, &["tune", "--resume", "search", "-q"]);
    assert!(message.contains("the data have changed"), "{message}");
}

#[test]
fn training_that_does_not_fit_into_memory_is_refused() {
    let place = Place::new();
    let rows: String = (0..20_000).map(|n| format!("{},id{n}\n", n % 97)).collect();
    place.write("ids.csv", format!("x,id\n{rows}"));
    let output = shell(&place, "ulimit -v 1500000; $G train ids.csv --epochs 1 -q -o run");
    assert_eq!(code(&output), 5, "{}", error(&output));
    assert!(error(&output).contains("is --label the right column?"), "{}", error(&output));
    assert!(!place.path("run").exists());
    place.shipped("iris.csv");
    let output = shell(&place, "ulimit -v 3000000; $G train iris.csv --hidden 30000,30000 --epochs 1 -q -o run");
    assert_eq!(code(&output), 5, "{}", error(&output));
    assert!(error(&output).contains("--hidden"), "{}", error(&output));
}

/// A preset that is asked for by name is refused if it needs more than half of the memory. The automatic preset is then
/// replaced by the plain network.
#[test]
fn a_preset_uses_at_most_half_of_the_memory() {
    let place = Place::new();
    place.shipped("iris.csv");
    let asked = "ulimit -v 2200000; $G train iris.csv --preset tabm --hidden 6000,6000 --epochs 1 -q -o run";
    let output = shell(&place, asked);
    assert_eq!(code(&output), 5, "{}", error(&output));
    let message = error(&output);
    assert!(message.contains("--preset tabm: training needs") && message.contains("use plain"), "{message}");
    let columns = 20_000;
    let header: String = (0..columns).map(|n| format!("x{n},")).collect();
    let row = |row: usize| (0..columns).map(|n| format!("{},", (row * 7 + n * row) % 13)).collect::<String>();
    let rows: String = (0..30).map(|n| format!("{}{}\n", row(n), ["a", "b"][n % 2])).collect();
    place.write("wide.csv", format!("{header}label\n{rows}"));
    let output = shell(&place, "ulimit -v 1200000; $G train wide.csv --epochs 1 --progress none -o run");
    assert_eq!(code(&output), 0, "{}", error(&output));
    let expected = "preset: plain; realmlp would take more than half of the memory at hand";
    assert!(error(&output).contains(expected), "{}", error(&output));
}

#[test]
fn a_long_history_is_thinned_in_the_model() {
    let place = iris();
    let summary = place.train("iris.csv", "run", &["--hidden", "none", "--batch", "full", "--epochs", "3000"]);
    assert_eq!(summary["epochs"], 3000);
    let epochs = place.read("run/events.jsonl").lines().filter(|line| line.contains("\"epoch\",")).count();
    assert_eq!(epochs, 3000, "events have all");
    let history = json(&place.ok(&["inspect", "run", "--json"]))["history"].as_array().unwrap().clone();
    assert!((500..1004).contains(&history.len()), "{}", history.len());
    assert!(history.iter().any(|epoch| epoch["epoch"] == summary["best_epoch"]), "the kept epoch is there");
    assert_eq!(history.last().unwrap()["epoch"], 3000);
}

#[test]
fn training_stops_early_unless_the_user_gives_epochs() {
    let place = Place::new();
    place.shipped("diabetes.csv");
    let run =
        |more: &[&str]| json(&place.ok(&[&["train", "diabetes.csv", "--json", "-q", "--hidden", "16"], more].concat()));
    let early = run(&["-o", "early"]);
    assert_eq!(early["stopped"], "patience");
    let (best, epochs) = (early["best_epoch"].as_u64().unwrap(), early["epochs"].as_u64().unwrap());
    assert_eq!(epochs, 2 * best + 20);
    assert_eq!(run(&["-o", "full", "--patience", "none"])["stopped"], "epochs");
    assert_eq!(run(&["-o", "asked", "--epochs", "60", "--lr", "0.01"])["epochs"], 60, "an explicit number is made");
    let again = run(&["-c", "early/config.toml", "-o", "again"]);
    assert_eq!(again["weights_sha256"], early["weights_sha256"], "the configuration repeats the run");
    let output = place.run(&["train", "diabetes.csv", "--hidden", "16", "-o", "told"]);
    let (told, kept) = (error(&output), format!("{best:>5} "));
    assert!(told.contains("--patience none changes it"), "{told}");
    assert!(told.lines().any(|line| line.starts_with(&kept) && line.ends_with('*')), "the kept epoch is shown: {told}");
    assert!(out(&output).contains("(stopped: patience)"));
}
