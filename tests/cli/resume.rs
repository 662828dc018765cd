//! Runs that were killed, or ended by a signal or a time limit, are resumed to the same bits as a run without interruption.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::place::{Place, code, error, json, out};

/// A run of a few hundred steps whose state includes much more than that of the optimizer.
const OPTIONS: [(&str, &str); 9] = [
    ("--hidden", "24,12"),
    ("--dropout", "0.2"),
    ("--norm", "layer"),
    ("--batch", "32"),
    ("--accumulate", "2"),
    ("--epochs", "12"),
    ("--seed", "3"),
    ("--log-steps", "1"),
    ("--progress", "none"),
];

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

/// The arguments of a training run; `more` overrides `OPTIONS`.
fn train<'a>(more: &'a str, run: &'a str) -> Vec<&'a str> {
    let more = words(more);
    let rest = OPTIONS.iter().filter(|(flag, _)| !more.contains(flag)).flat_map(|(flag, value)| [*flag, *value]);
    ["train", "digits.csv", "-o", run, "--json"].into_iter().chain(rest).chain(more.iter().copied()).collect()
}

fn start(place: &Place, args: &[&str]) -> Child {
    place.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts")
}

/// The events of steps and epochs, without values that depend on time.
fn events(place: &Place, run: &str) -> Vec<Value> {
    let text = place.read(&format!("{run}/events.jsonl"));
    let mut events: Vec<Value> = text.lines().map(json).collect();
    events.retain(|event| event["event"] == "step" || event["event"] == "epoch");
    for event in &mut events {
        let event = event.as_object_mut().unwrap();
        event.remove("seconds");
        event.remove("samples_per_s");
    }
    events
}

/// Fails unless two runs have the same results.
fn assert_same(place: &Place, run: &str, whole: &str) {
    let summary = |run: &str| {
        let mut summary = place.json(&format!("{run}/summary.json"));
        let object = summary.as_object_mut().unwrap();
        // The linear baseline has a time limit that depends on the time of the run.
        for key in ["seconds", "samples_per_s", "run_dir", "threads", "threads_asked", "isa", "baseline"] {
            object.remove(key);
        }
        for networks in ["/members", "/cv/folds"] {
            let networks = summary.pointer_mut(networks).and_then(Value::as_array_mut);
            networks.into_iter().flatten().for_each(|network| drop(network.as_object_mut().unwrap().remove("seconds")));
        }
        summary
    };
    assert_eq!(summary(run), summary(whole), "{run}");
    assert_eq!(events(place, run), events(place, whole), "{run}");
}

/// Starts or resumes a run, and kills it after each delay, until it ends by itself. Returns the number of kills.
fn kill_until_the_end(place: &Place, more: &str, run: &str, delays: impl Iterator<Item = u64>) -> usize {
    for (turn, delay) in delays.enumerate() {
        let threads = (turn % 3 + 1).to_string();
        let resume = ["resume", run, "-q", "-j", &threads, "--exact-threads"];
        let has = |file: &str| place.path(run).join(file).exists();
        let fresh = !["checkpoint", "networks", ".new/checkpoint", ".new/networks"].into_iter().any(has);
        let fresh = fresh && !(has("model.safetensors") && has("summary.json"));
        let args = if fresh { [train(more, run), vec!["--overwrite"]].concat() } else { resume.to_vec() };
        let mut child = start(place, &args);
        std::thread::sleep(Duration::from_millis(delay));
        let _ = child.kill(); // it may have ended
        let status = child.wait().unwrap();
        if status.success() {
            return turn;
        }
        assert_eq!(status.code(), None, "{run}: {args:?} failed by itself");
    }
    unreachable!("delays go on")
}

/// The long form, `KILLS=200 cargo test --release --test cli killed`, kills at least this often.
#[test]
fn killed_runs_resume_to_the_same_results() {
    let place = Place::new();
    place.shipped("digits.csv");
    let wanted: usize = std::env::var("KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    let cases = [
        "--optimizer adam --ema 0.9 --schedule plateau:patience=0,threshold=0.1",
        "--optimizer schedulefree --valid none",
        "--optimizer muon --clip-norm 1 --schedule onecycle",
        "--optimizer lbfgs --dropout 0 --accumulate 1 --batch full --epochs 40",
        "--embed ple:bins=4,dim=3 --members tabm:3 --init std --epochs 4",
        "--members packed:3 --member-rows own --dropout 0.2 --epochs 6",
        "--ensemble 3 --patience 2",
        "--cv 3 --test 0.1",
        "--cv 3 --ensemble 3 --epochs 6",
    ];
    let (mut kills, mut round) = (0, 0);
    while round == 0 || kills < wanted {
        for (number, case) in cases.iter().enumerate() {
            let (whole, run) = (format!("whole-{number}"), format!("run-{number}-{round}"));
            if round == 0 {
                place.ok(&train(&format!("{case} --checkpoint-every none"), &whole));
            }
            let every = ["3steps", "0.02s"][round % 2];
            // Delays vary from kill to kill, and grow until the run can end.
            let delays = (0..).map(|turn: u64| 20 + (turn * 37 + 11 * round as u64) % 90 + 25 * turn);
            kills += kill_until_the_end(&place, &format!("{case} --checkpoint-every {every}"), &run, delays);
            assert_same(&place, &run, &whole);
            let names = std::fs::read_dir(place.path(&run)).unwrap().map(|file| file.unwrap().file_name());
            assert!(
                names.into_iter().all(|name| !name.to_string_lossy().starts_with(".tmp")),
                "{run}: something is left"
            );
        }
        round += 1;
    }
    println!("{kills} kills");
}

#[test]
fn runs_ended_by_a_signal_or_a_time_limit_are_resumed() {
    let place = Place::new();
    place.shipped("digits.csv");
    let more = "--optimizer adamw --ema 0.95 --epochs 600";
    place.ok(&train(more, "whole"));
    let child = start(&place, &train(more, "signalled"));
    std::thread::sleep(Duration::from_millis(400));
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    let status = child.wait_with_output().unwrap().status;
    if status.code() == Some(143) {
        assert_eq!(place.json("signalled/summary.json")["stopped"], "signal");
    }
    place.ok(&["resume", "signalled", "-q", "-j", "1"]);
    assert_same(&place, "signalled", "whole");

    let limited = place.run(&[train(more, "timed"), vec!["--time-limit", "0.3s"]].concat());
    assert_eq!(json(&out(&limited))["stopped"], "time", "{}", error(&limited));
    let message = place.fails(12, &["resume", "timed", "-q", "--time-limit", "0.1s"]);
    assert!(message.contains("allow more"), "{message}");
    place.ok(&["resume", "timed", "-q", "--time-limit", "5m"]);
    assert_same(&place, "timed", "whole");
}

/// The figures of this network take far longer than a signal waits for them.
#[test]
fn a_signal_while_figures_are_computed_leaves_a_model() {
    let place = Place::new();
    let rows = (0..12_000).map(|row| format!("{},{},{}\n", row % 97, row % 13, row % 97 > row % 13));
    place.write("data.csv", format!("a,b,y\n{}", rows.collect::<String>()));
    let large = "train data.csv -q -j 1 --members tabm:32 --hidden 512,512 --batch 64 --steps 2 --calibrate none -o";
    let args = |run: &'static str| [words(large), vec![run]].concat();
    place.ok(&args("whole"));
    let child = place.command(&args("run")).stderr(Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    while !place.path("run/model.safetensors").exists() {
        assert!(began.elapsed() < Duration::from_secs(120), "no model is saved");
        std::thread::sleep(Duration::from_millis(5));
    }
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143), "{}", error(&output));
    assert!(error(&output).contains("gradlane resume run"), "{}", error(&output));
    assert!(!place.path("run/summary.json").exists());
    place.ok(&["predict", "run", "data.csv", "-o", "out.csv"]);
    place.ok(&["resume", "run", "-q"]);
    assert_same(&place, "run", "whole");
}

#[test]
fn a_finished_run_is_reported_and_can_be_prolonged() {
    let place = Place::new();
    place.shipped("digits.csv");
    place.ok(&train("--schedule const", "whole"));
    place.ok(&train("--schedule const --epochs 5", "run"));
    let text = place.ok(&["resume", "run"]);
    assert!(text.starts_with("the run is over (stopped: epochs): 5 epochs"), "{text}");
    assert_eq!(json(&place.ok(&["resume", "run", "--json"])), place.json("run/summary.json"));
    let message = place.fails(2, &["resume", "run", "--epochs", "5"]);
    assert!(message.contains("the run has made 5 already"), "{message}");
    place.ok(&["resume", "run", "--epochs", "12", "-q"]);
    assert_same(&place, "run", "whole");
    // If the learning rate has fallen, the run continues at its last rate.
    place.ok(&train("--schedule cosine --epochs 5", "fallen"));
    place.ok(&["resume", "fallen", "--epochs", "7", "-q"]);
    let rates: Vec<f64> = events(&place, "fallen").iter().filter_map(|e| e["lr"].as_f64()).collect();
    let (last, fifth) = (rates[rates.len() - 1], rates[rates.len() * 5 / 7 - 1]);
    assert!(last == fifth && last > 0.0, "{last} after {fifth}");
}

#[test]
fn runs_that_cannot_be_resumed_are_refused() {
    let place = Place::new();
    let digits = place.shipped("digits.csv");
    place.fails(5, &["resume", "nowhere"]);
    let message = place.fails(3, &["resume", "."]);
    assert!(message.contains("found none"), "{message}");
    let limited = place.run(&[train("--epochs 5000", "run"), vec!["--time-limit", "0.5s"]].concat());
    assert_eq!(json(&out(&limited))["stopped"], "time", "{}", error(&limited));
    let resume = ["resume", "run", "-q", "--time-limit", "0.9s"];
    let message = place.fails(2, &[&resume[..], &["--schedule", "const"]].concat());
    assert!(message.contains("--epochs N"), "{message}");
    let message = place.fails(4, &[&resume[..], &["--isa", "portable"]].concat());
    assert!(message.contains("other bits"), "{message}");
    place.write("digits.csv", digits.replacen("\n0,", "\n1,", 1));
    let message = place.fails(4, &resume);
    assert!(message.contains("the data are not those"), "{message}");
    place.write("digits.csv", &digits);

    let checkpoint = std::fs::read(place.path("run/checkpoint")).unwrap();
    let mut damaged = checkpoint.clone();
    damaged[checkpoint.len() * 2 / 3] ^= 1;
    place.write("run/checkpoint", &damaged);
    let message = place.fails(3, &resume);
    assert!(message.contains("damaged"), "{message}");
    place.write("run/checkpoint", &checkpoint[..checkpoint.len() / 2]);
    place.fails(3, &resume);
    place.write("run/checkpoint", &checkpoint);
    let events = place.read("run/events.jsonl");
    place.write("run/events.jsonl", &events[..100]);
    let message = place.fails(3, &resume);
    assert!(message.contains("events are lost"), "{message}");
    place.write("run/events.jsonl", &events);

    // A running run cannot be resumed or replaced by another process.
    let mut child = start(&place, &["resume", "run", "-q", "--time-limit", "1m"]);
    std::thread::sleep(Duration::from_millis(300));
    let output = place.run(&["resume", "run", "-q", "--time-limit", "1m"]);
    let overwrite = place.run(&train("--overwrite", "run"));
    let _ = child.kill();
    child.wait().unwrap();
    for output in [output, overwrite] {
        assert_eq!(code(&output), 5, "{}", error(&output));
        assert!(error(&output).contains("another program is writing this run"), "{}", error(&output));
    }
}

#[test]
fn resuming_a_finished_run_checks_its_requirement_again() {
    let place = Place::new();
    place.shipped("iris.csv");
    let flags = ["train", "iris.csv", "--epochs", "2", "--hidden", "4", "-q", "-o"];
    place.fails(11, &[&flags[..], &["missed", "--fail-under", "val_accuracy=1.1"]].concat());
    assert!(place.fails(11, &["resume", "missed"]).contains("--fail-under val_accuracy"));
    place.ok(&[&flags[..], &["met", "--fail-under", "val_accuracy=0.01"]].concat());
    assert!(place.ok(&["resume", "met"]).contains("the run is over"));
}

/// Kills a run as soon as it has written a file.
fn kill_when_written(place: &Place, args: &[&str], file: &str) {
    let mut child = start(place, args);
    while !place.path(file).exists() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let _ = child.kill();
    child.wait().unwrap();
}

#[test]
fn a_run_that_diverges_after_it_is_resumed_is_retried_as_it_would_have_been() {
    let place = Place::new();
    place.shipped("digits.csv");
    let flags = "--hidden 16 --optimizer sgd --lr 0.01 --schedule piecewise:at=0.5,factors=1/1e9 --epochs 200 --on-divergence retry \
                 --checkpoint-every 50steps -q -j 1";
    let train = |run: &'static str| [&["train", "digits.csv", "-o", run], &words(flags)[..]].concat();
    place.ok(&train("whole"));
    kill_when_written(&place, &train("run"), "run/checkpoint");
    let resumed = place.run(&["resume", "run", "-q"]);
    assert_eq!(code(&resumed), 0, "{}", error(&resumed));
    assert!(error(&resumed).contains("retry: anew with --"), "{}", error(&resumed));
    assert_same(&place, "run", "whole");
    assert!(place.ok(&["verify", "run", "-q"]).starts_with("SAME"));
}

#[test]
fn a_repetition_after_a_divergence_that_breaks_off_begins_anew() {
    let place = Place::new();
    place.shipped("digits.csv");
    let flags = "--hidden 16 --optimizer sgd --lr 1e6 --epochs 200 --on-divergence retry -q -j 1";
    let train = |run: &'static str| [&["train", "digits.csv", "-o", run], &words(flags)[..]].concat();
    place.ok(&train("whole"));
    kill_when_written(&place, &train("run"), "run/.new/config.toml");
    assert_eq!(place.json("run/summary.json")["stopped"], "diverged");
    let resumed = place.run(&["resume", "run"]);
    assert_eq!(code(&resumed), 0, "{}", error(&resumed));
    assert!(error(&resumed).contains("the run begins anew"), "{}", error(&resumed));
    assert_same(&place, "run", "whole");
}

/// What several networks have learnt before an interruption counts, however soon the run is interrupted again.
#[test]
fn a_signal_soon_after_networks_are_resumed_loses_none() {
    let place = Place::new();
    place.shipped("penguins.csv");
    for (run, more) in [("seeds", "--ensemble 3"), ("folds", "--cv 3 --ensemble 3"), ("best", "--preset best --cv 3")] {
        let flags = format!("--epochs 40 --checkpoint-every 1steps -q -j 1 {more}");
        let args = [&["train", "penguins.csv", "-o", run][..], &words(&flags)].concat();
        let checkpoint = |network: usize| format!("{run}/networks/{network}/checkpoint");
        kill_when_written(&place, &args, &checkpoint(2));
        for after in [20, 30, 40, 60, 80, 120] {
            let child = start(&place, &["resume", run, "-q", "-j", "1"]);
            std::thread::sleep(Duration::from_millis(after));
            Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
            child.wait_with_output().unwrap();
            let kept = (0..3).all(|network| place.path(&checkpoint(network)).exists());
            assert!(kept || place.path(&format!("{run}/model.safetensors")).exists(), "{run}, {after} ms");
            if place.path(&format!("{run}/summary.json")).exists() {
                let members = place.json(&format!("{run}/summary.json"))["members"].as_array().map_or(0, Vec::len);
                assert!(members >= 3, "{run}, {after} ms: {members}");
            }
        }
    }
}

#[test]
fn first_weights_that_changed_are_named() {
    let place = Place::new();
    place.shipped("iris.csv");
    let train = |more: &'static str, run: &'static str| {
        [&["train", "iris.csv", "--hidden", "8", "-q", "-j", "1", "-o", run][..], &words(more)].concat()
    };
    place.ok(&train("--epochs 2", "first"));
    place.ok(&train("--epochs 3 --init-from first/model.safetensors", "over"));
    kill_when_written(
        &place,
        &train("--epochs 4000 --checkpoint-every 5steps --init-from first/model.safetensors", "killed"),
        "killed/checkpoint",
    );
    place.ok(&["verify", "over", "-q"]);
    place.ok(&train("--epochs 1 --overwrite", "first"));
    let said = place.fails(13, &["verify", "over", "-q"]);
    assert!(said.contains("first/model.safetensors"), "{said}");
    let said = place.fails(4, &["resume", "killed", "-q"]);
    assert!(said.contains("not the weights that the run began with"), "{said}");
}

/// Until the first checkpoint nothing is saved but the configuration, which is enough.
#[test]
fn a_run_without_a_checkpoint_begins_anew() {
    let place = Place::new();
    place.shipped("digits.csv");
    let more = "--epochs 300";
    place.ok(&train(more, "whole"));
    kill_when_written(&place, &train(more, "run"), "run/config.toml");
    assert!(!place.path("run/checkpoint").exists() && !place.path("run/model.safetensors").exists());
    let resumed = place.run(&["resume", "run"]);
    assert_eq!(code(&resumed), 0, "{}", error(&resumed));
    assert!(error(&resumed).contains("the run begins anew"), "{}", error(&resumed));
    assert_same(&place, "run", "whole");
}

#[test]
fn what_more_epochs_cannot_prolong_is_refused_and_unchanged() {
    let place = Place::new();
    place.shipped("digits.csv");
    place.ok(&train("--steps 20 --epochs 1", "steps"));
    place.ok(&train("--ensemble 2 --epochs 1", "several"));
    for (run, why) in [("steps", "--steps"), ("several", "several networks")] {
        let config = place.read(&format!("{run}/config.toml"));
        let message = place.fails(2, &["resume", run, "--epochs", "40"]);
        assert!(message.contains(why) && message.contains("-c RUNDIR/config.toml"), "{message}");
        assert_eq!(place.read(&format!("{run}/config.toml")), config);
        assert!(place.ok(&["verify", run, "-q"]).starts_with("SAME"));
    }
}
