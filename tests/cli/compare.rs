//! `gradlane compare`: runs, files, repetition and refusals.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::place::{Place, code, error, json};

/// A comparison on a small data set that takes about a second.
const TINY: [&str; 9] = ["compare", "iris.csv", "--steps", "30", "--trials", "3", "--studies", "2", "--hidden"];

fn iris() -> Place {
    let place = Place::new();
    place.shipped("iris.csv");
    place
}

fn tiny(place: &Place, more: &[&str]) -> String {
    place.ok(&[&TINY[..], &["8"], more].concat())
}

fn records(place: &Place, folder: &str, kind: &str) -> Vec<Value> {
    let text = place.read(&format!("{folder}/runs.jsonl"));
    text.lines().map(json).filter(|record| record["kind"] == kind).collect()
}

/// The runs without values that depend on time.
fn timeless(mut runs: Vec<Value>) -> Vec<Value> {
    for run in &mut runs {
        assert!(run["seconds"].as_f64().unwrap() > 0.0, "{run}");
        run["seconds"] = Value::Null;
    }
    runs
}

#[test]
fn a_comparison_on_user_data_records_every_run() {
    let place = iris();
    let text = tiny(&place, &["-o", "c", "--quiet"]);
    assert!(text.contains("momentum") && text.contains("c/report.html"), "{text}");
    let protocol = &records(&place, "c", "protocol")[0];
    assert_eq!(protocol["problems"][0]["name"], "iris");
    assert_eq!(protocol["problems"][0]["steps"], 30);
    assert_eq!(protocol["problems"][0]["layers"], serde_json::json!([4, 8, 3]));
    assert_eq!(protocol["problems"][0]["target"], Value::Null);
    let command = protocol["command"].as_str().unwrap();
    assert!(command.starts_with("gradlane compare iris.csv --steps 30"), "{command}");
    let names: Vec<&str> =
        protocol["optimizers"].as_array().unwrap().iter().map(|o| o["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["sgd", "momentum", "rmsprop", "adam"]);
    assert_eq!(records(&place, "c", "step_cost").len(), 4);

    // For each of four optimizers: two studies of three trials, all repeated twice, and two final runs.
    let runs = records(&place, "c", "run");
    assert_eq!(runs.len(), 4 * 2 * (3 + 3 * 2 + 2));
    let seeds = |stage: &str| -> BTreeSet<u64> {
        runs.iter().filter(|run| run["stage"] == stage).map(|run| run["seed"].as_u64().unwrap()).collect()
    };
    assert_eq!(["trial", "repeat", "final"].map(|stage| seeds(stage).len()), [8, 16, 16]);
    assert!(seeds("final").is_disjoint(&(&seeds("trial") | &seeds("repeat"))), "fresh seeds");
    for run in &runs {
        let steps: Vec<u64> = run["curve"].as_array().unwrap().iter().map(|p| p["step"].as_u64().unwrap()).collect();
        assert!(run["diverged"] == true || steps.last() == Some(&30), "{run}");
    }
    assert!(place.json("c/summary.json").is_object());
    assert!(place.read("c/report.html").contains("</html>"));
}

#[test]
fn runs_do_not_depend_on_the_number_of_threads() {
    let place = iris();
    tiny(&place, &["-o", "one", "-j", "1", "--quiet"]);
    tiny(&place, &["-o", "two", "-j", "2", "--quiet"]);
    let runs = |folder: &str| timeless(records(&place, folder, "run"));
    assert_eq!(runs("one"), runs("two"));
    tiny(&place, &["-o", "other", "--seed", "1", "--quiet"]);
    assert_ne!(runs("one")[0]["val_loss"], runs("other")[0]["val_loss"]);
}

#[test]
fn impossible_records_are_refused_with_their_line() {
    let place = iris();
    tiny(&place, &["-o", "c", "--quiet"]);
    let text = place.read("c/runs.jsonl");
    let lines: Vec<&str> = text.lines().collect();
    let run = lines.iter().position(|line| line.contains("\"stage\":\"final\"")).expect("a final run");
    std::fs::create_dir(place.path("d")).unwrap();
    let refused = |lines: Vec<String>, part: &str, at: usize| {
        place.write("d/runs.jsonl", lines.join("\n") + "\n");
        let message = place.fails(3, &["compare", "--from", "d"]);
        assert!(message.contains(part) && message.contains(&format!("runs.jsonl:{at}")), "{part}: {message}");
    };
    let own = || lines.iter().map(|line| (*line).to_owned()).collect::<Vec<String>>();
    let with = |change: &dyn Fn(&mut serde_json::Value)| {
        let (mut lines, mut value) = (own(), json(lines[run]));
        change(&mut value);
        lines[run] = value.to_string();
        lines
    };
    let all = lines.len();
    refused(
        [own(), vec![lines[run].to_owned()]].concat(),
        &format!("the same run stands on line {}", run + 1),
        all + 1,
    );
    refused([own(), vec![lines[0].to_owned()]].concat(), "second protocol", all + 1);
    refused(with(&|run| run["optimizer"] = "nobody".into()), "no optimizer \"nobody\"", run + 1);
    refused(with(&|run| run["study"] = 99.into()), "study 99, but the protocol has 2", run + 1);
    refused(with(&|run| run["trial"] = ((run["trial"].as_u64().unwrap() + 1) % 3).into()), "", run + 1);
    refused(with(&|run| run["val_loss"] = 0.0.into()), "not those of the least validation loss", run + 1);
    let impossible = |name: &str, value: f64, why: &str| {
        let why = format!("impossible figure: expected {name} {why}");
        refused(with(&|run| run[name] = value.into()), &why, run + 1);
    };
    impossible("test_loss", -1.5, "of at least 0, found -1.5\n");
    impossible("last_test_loss", -1.5, "of at least 0, found -1.5\n");
    impossible("test_score", 1.5, "from 0 to 1, found 1.5\n");
    impossible("seconds", -1.0, "from 0 to 1e9, found -1\n");
    impossible("seconds", 1e300, "from 0 to 1e9, found 1e300\n");
    refused(with(&|run| run["schedule"] = "step".into()), "another setting", run + 1);
    let cost = lines.iter().position(|line| line.contains("\"kind\":\"step_cost\"")).expect("a cost of a step");
    let mut elsewhere = own();
    elsewhere[cost] = elsewhere[cost].replacen("\"problem\":\"", "\"problem\":\"no ", 1);
    refused(elsewhere, "the protocol has no problem \"no ", cost + 1);
    refused(with(&|run| run["curve"][0]["step"] = 1_000_000.into()), "impossible curve", run + 1);
    let trial = lines.iter().position(|line| line.contains("\"stage\":\"trial\"")).expect("a trial") + 1;
    let with_seed = || {
        let (mut lines, mut value) = (own(), json(lines[trial]));
        value["seed"] = 5.into();
        lines[trial] = value.to_string();
        lines
    };
    refused(with_seed(), "seed 5, but that of this run is", trial + 1);
    // Final runs of a trial that is not the best, placed before the trials.
    let chosen = json(lines[run]);
    let is_of_study = |value: &serde_json::Value, stage: &str| {
        value["stage"] == stage && ["problem", "optimizer", "study"].iter().all(|key| value[*key] == chosen[*key])
    };
    let parsed: Vec<serde_json::Value> = lines.iter().map(|line| json(line)).collect();
    let other = parsed.iter().find(|value| is_of_study(value, "trial") && value["trial"] != chosen["trial"]).unwrap();
    let (mut early, mut rest) = (vec![lines[0].to_owned()], Vec::new());
    for (value, line) in parsed.iter().zip(&lines).skip(1) {
        if !is_of_study(value, "final") {
            rest.push((*line).to_owned());
            continue;
        }
        let mut value = value.clone();
        for key in ["trial", "spec", "schedule", "values"] {
            value[key] = other[key].clone();
        }
        early.push(value.to_string());
    }
    place.write("d/runs.jsonl", [early, rest].concat().join("\n") + "\n");
    let message = place.fails(3, &["compare", "--from", "d"]);
    assert!(message.contains("is trained as the best on line 2, but the best one"), "{message}");
    // Without studies, the protocol is that of an earlier version.
    let earlier = || {
        let (mut lines, mut value) = (own(), json(lines[0]));
        value.as_object_mut().unwrap().remove("studies");
        lines[0] = value.to_string();
        lines
    };
    refused(earlier(), "before comparisons had studies", 1);
}

#[test]
fn a_report_is_reproduced_byte_for_byte_from_its_records() {
    let place = iris();
    let summary = tiny(&place, &["-o", "c", "--quiet", "--json"]);
    let files = || ["c/summary.json", "c/report.html"].map(|file| place.read(file));
    let before = files();
    assert_eq!(json(&summary), json(&before[0]));
    std::fs::remove_file(place.path("c/report.html")).unwrap();
    assert_eq!(place.ok(&["compare", "--from", "c", "--json"]), summary);
    assert_eq!(files(), before);
    place.ok(&["compare", "--from", "c", "-o", "copy"]);
    for file in ["runs.jsonl", "summary.json", "report.html"] {
        assert_eq!(place.read(&format!("copy/{file}")), place.read(&format!("c/{file}")), "{file}");
    }
    let message = place.fails(2, &["compare", "--from", "c", "-o", "copy"]);
    assert!(message.contains("--overwrite"), "{message}");
    place.fails(5, &["compare", "--from", "nothing"]);
    place.fails(2, &["compare", "--from", "c", "--trials", "3"]);
}

#[test]
fn given_options_are_fixed_and_no_optimizer_is_added() {
    let place = iris();
    let args = ["--optimizer", "a=adam:beta2=0.95,eps=1e-7", "--optimizer", "sgd:lr=0.1", "-o", "c"];
    tiny(&place, &args);
    let protocol = &records(&place, "c", "protocol")[0];
    assert_eq!(protocol["optimizers"].as_array().unwrap().len(), 2);
    let space = |number: usize| -> Vec<&str> {
        let space = protocol["optimizers"][number]["space"].as_array().unwrap();
        space.iter().map(|dimension| dimension["name"].as_str().unwrap()).collect()
    };
    assert_eq!((space(0), space(1)), (vec!["lr", "one_minus_beta1"], vec![]));
    for run in records(&place, "c", "run").iter().filter(|run| run["optimizer"] == "a") {
        let spec = run["spec"].as_str().unwrap();
        assert!(spec.contains("beta2=0.95") && spec.contains("eps=1e-7") || run["trial"] == 0, "{spec}");
    }
    let source = &place.json("c/summary.json")["problems"][0]["target_source"];
    assert!(source.as_str().unwrap().contains("final runs of a"), "{source}");
    tiny(&place, &[&args[..4], &["--target", "val_loss<=0.5", "-o", "d", "--quiet"]].concat());
    assert_eq!(records(&place, "d", "protocol")[0]["problems"][0]["target"], 0.5);
}

#[test]
fn too_few_studies_give_no_verdict() {
    let place = iris();
    let text = tiny(&place, &["-o", "c", "--quiet"]);
    assert!(text.contains("too few runs with a result to decide between") && text.contains("cannot decide"), "{text}");
    let summary = place.json("c/summary.json");
    assert!(summary["pairs"].as_array().unwrap().iter().all(|pair| pair["verdict"] == "cannot_decide"), "{summary}");
    assert_eq!(summary["any_difference"], false);
}

#[test]
fn built_in_problems_need_no_files() {
    let place = Place::new();
    let args = ["compare", "--problem", "diabetes", "--optimizer", "sgd", "--optimizer", "adam"];
    place
        .ok(&[&args[..], &["--trials", "1", "--seeds", "1", "--studies", "2", "-o", "c", "--progress", "plain"]]
            .concat());
    let problem = &records(&place, "c", "protocol")[0]["problems"][0];
    assert!(problem["target"].as_f64().unwrap() > 0.0 && problem["score"] == "rmse", "{problem}");
    assert_eq!(records(&place, "c", "run").len(), 2 * 2 * 2);
}

#[test]
fn a_dry_run_prints_the_plan_and_writes_nothing() {
    let place = Place::new();
    let text = place.ok(&["compare", "--quick", "--dry-run"]);
    for words in
        ["digits", "ill_conditioned", "1 − momentum", "= 432 runs", "expected: about", "cosine:warmup=0.05, cosine"]
    {
        assert!(text.contains(words), "no {words:?} in {text}");
    }
    let plan = json(&place.ok(&["compare", "--problem", "diabetes", "--dry-run", "--json"]));
    assert_eq!(plan["runs"], 4 * 8 * (12 + 3 * 2 + 2));
    assert_eq!(json(&place.ok(&["compare", "--dry-run", "--json"]))["runs"], 7_680);
    assert!(plan["expected_seconds"].as_f64().unwrap() > 0.0);
    assert_eq!(std::fs::read_dir(place.path(".")).unwrap().count(), 0, "nothing was written");
}

#[test]
fn wrong_options_are_refused() {
    let place = iris();
    place.write("again.csv", place.read("iris.csv"));
    for (args, words) in [
        (&["--problem", "digit"][..], "did you mean \"digits\"?"),
        (&["--optimizer", "adan"], "adam"),
        (&["--optimizer", "adam:beta3=1"], "beta1"),
        (&["--optimizer", "adam", "--optimizer", "adam"], "NAME=adam"),
        (&["--trials", "0"], "--trials"),
        (&["--seeds", "x"], "--seeds"),
        (&["--studies", "0"], "--studies"),
        (&["--full", "--quick"], "--full"),
        (&["--target", "val_accuracy=0.9"], "val_loss<="),
        (&["--target", "val_loss>=0.3"], "that falls"),
        (&["--target", "0.3x"], "--target"),
        (&["--hidden", "8"], "--hidden is for DATA"),
        (&["iris.csv", "--valid", "2"], "--valid"),
        (&["iris.csv", "again.csv"], "iris and again hold the same rows"),
        (&["iris.csv", "--lr", "0.1"], "--lr"),
        (&["iris.csv", "--dialect", "keras"], "--dialect"),
        (&["--optimizer", "rprop"], "needs all rows in each step"),
        (&["--optimizer", "q=lbfgs"], "needs all rows in each step"),
    ] {
        let message = place.fails(2, &[&["compare"], args].concat());
        assert!(message.contains(words), "{args:?}: {message}");
    }
    let message = place.fails(4, &["compare", "iris.csv", "--test", "none"]);
    assert!(message.contains("no test part"), "{message}");
    let negative = ["compare", "iris.csv", "--label", "petal_width_cm", "--loss", "poisson", "--no-scale-target"];
    assert!(place.fails(2, &negative).contains("may be negative"));
    place.fails(5, &["compare", "none.csv"]);
    let message = place.fails(5, &["compare", "--problem", "mnist"]);
    assert!(message.contains("datasets/mnist"), "{message}");
    std::fs::create_dir(place.path("c")).unwrap();
    place.write("c/runs.jsonl", "");
    let message = place.fails(2, &["compare", "iris.csv", "-o", "c"]);
    assert!(message.contains("--overwrite"), "{message}");
}

#[test]
fn environment_variables_act_like_flags() {
    let place = iris();
    let run = |(variable, value): (&str, &str), args: &[&str]| {
        let output = place.command(&[&["compare", "--dry-run"], args].concat()).env(variable, value).output().unwrap();
        (code(&output), String::from_utf8_lossy(&output.stdout).into_owned() + &error(&output))
    };
    let (code, text) = run(("GRADLANE_STEPS", "77"), &["iris.csv"]);
    assert!(code == 0 && text.contains(" 77 "), "{text}");
    for (variable, args, words) in [
        (("GRADLANE_HIDDEN", "8"), &["--quick"][..], "GRADLANE_HIDDEN is for DATA"),
        (("GRADLANE_DIALECT", "keras"), &["iris.csv"], "GRADLANE_DIALECT: a comparison does not take it"),
        (("GRADLANE_LR", "0.1"), &["--quick"], "GRADLANE_LR: a comparison does not take it"),
    ] {
        let (code, text) = run(variable, args);
        assert!(code == 2 && text.contains(words), "{text}");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_keeps_the_runs() {
    let place = Place::new();
    let args = ["compare", "--problem", "ill_conditioned", "-o", "c", "--json"];
    let mut child = place.command(&args).spawn().unwrap();
    let began = Instant::now();
    let some_runs =
        || std::fs::read_to_string(place.path("c/runs.jsonl")).is_ok_and(|t| t.contains("\"kind\":\"run\""));
    while !some_runs() {
        assert!(began.elapsed() < Duration::from_secs(60), "no run came to its end");
        std::thread::sleep(Duration::from_millis(20));
    }
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let runs = records(&place, "c", "run").len();
    assert!((1..640).contains(&runs), "{runs} runs");
    assert!(!place.path("c/report.html").exists());
}

#[test]
fn an_interrupted_comparison_is_resumed_to_the_same_runs() {
    let place = Place::new();
    let flags = ["compare", "--problem", "diabetes", "--optimizer", "sgd", "--optimizer", "adam", "--studies", "2"];
    let flags = [&flags[..], &["--trials", "2", "--seeds", "1", "-q"]].concat();
    place.ok(&[&flags[..], &["-o", "whole"]].concat());
    place.ok(&[&flags[..], &["-o", "cut"]].concat());
    let whole = place.read("cut/runs.jsonl");
    // Cut as if the process had been killed while it wrote a line.
    let lines: Vec<&str> = whole.lines().collect();
    let kept = lines.len() - 5;
    let cut = format!("{}\n{}", lines[..kept].join("\n"), &lines[kept][..40]);
    place.write("cut/runs.jsonl", &cut);
    std::fs::remove_file(place.path("cut/summary.json")).unwrap();
    place.ok(&["compare", "--resume", "cut", "-q"]);
    let runs = |text: &str| -> Vec<Value> {
        let mut runs: Vec<Value> = text.lines().map(json).filter(|record| record["kind"] == "run").collect();
        runs.iter_mut().for_each(|run| drop(run.as_object_mut().unwrap().remove("seconds")));
        runs
    };
    let again = place.read("cut/runs.jsonl");
    assert!(again.starts_with(&lines[..kept].join("\n")), "what was there stays");
    assert_eq!(runs(&again), runs(&whole));
    assert_eq!(runs(&again), runs(&place.read("whole/runs.jsonl")));
    assert!(place.path("cut/summary.json").is_file());
    assert!(place.fails(2, &["compare", "--resume", "cut", "--trials", "3"]).contains("cannot be used with"));
    place.write("cut/runs.jsonl", again.replacen("\"trials\":2", "\"trials\":3", 1));
    place.fails(4, &["compare", "--resume", "cut", "-q"]);
}

#[test]
fn a_missing_run_is_made_on_resume_and_other_data_are_refused() {
    let place = Place::new();
    place.shipped("iris.csv");
    let flags = ["compare", "iris.csv", "--hidden", "4", "--steps", "20", "--optimizer", "sgd", "--optimizer", "adam"];
    let flags = [&flags[..], &["--studies", "2", "--trials", "2", "--seeds", "2", "-q"]].concat();
    place.ok(&[&flags[..], &["-o", "run"]].concat());
    let whole = place.read("run/runs.jsonl");
    let lines: Vec<&str> = whole.lines().collect();
    let gap: Vec<&str> = lines.iter().enumerate().filter(|(at, _)| *at != 6).map(|(_, line)| *line).collect();
    place.write("run/runs.jsonl", gap.join("\n") + "\n");
    place.ok(&["compare", "--resume", "run", "-q"]);
    let sorted = |text: &str| {
        let mut runs: Vec<Value> = text.lines().map(json).filter(|record| record["kind"] == "run").collect();
        runs.iter_mut().for_each(|run| drop(run.as_object_mut().unwrap().remove("seconds")));
        runs.sort_by_key(Value::to_string);
        runs
    };
    assert_eq!(sorted(&place.read("run/runs.jsonl")), sorted(&whole));
    // Other cells with the same shape are different data.
    let other = place.read("iris.csv").replace("5.1,3.5", "5.2,3.4");
    place.write("iris.csv", other);
    assert!(place.fails(4, &["compare", "--resume", "run", "-q"]).contains("the data or the options"));
}

#[test]
fn a_comparison_on_one_table_shows_quotients_of_losses_and_derives_a_reachable_target() {
    let place = Place::new();
    place.shipped("iris.csv");
    let text = place.ok(&[
        "compare",
        "iris.csv",
        "--hidden",
        "4",
        "--steps",
        "40",
        "--optimizer",
        "momentum",
        "--optimizer",
        "adam",
        "--studies",
        "2",
        "--trials",
        "2",
        "--seeds",
        "2",
        "-q",
        "-o",
        "run",
    ]);
    assert!(
        text.contains("how much one differs from the other on iris") && text.contains("loss of first / second"),
        "{text}"
    );
    assert!(place.read("run/report.html").contains("how much one differs from the other on iris"));
    let momentum = &place.json("run/summary.json")["problems"][0]["results"][0];
    assert_eq!(momentum["optimizer"], "momentum");
    assert!(
        momentum["to_target"]["hits"].as_u64() > Some(2) && !momentum["to_target"]["steps"].is_null(),
        "{momentum}"
    );
}
