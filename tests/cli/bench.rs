use serde_json::Value;

use crate::place::{Place, code, error, json, out};

const TINY: [&str; 9] = ["bench", "--layers", "4,8,3", "--batch", "16", "--rows", "256", "--epochs", "1"];

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(json).collect()
}

fn number(run: &Value, key: &str) -> f64 {
    run[key].as_f64().unwrap_or_else(|| panic!("no number {key} in {run}"))
}

#[test]
fn json_has_the_promised_keys() {
    let place = Place::new();
    let runs = lines(&place.ok(&[&TINY[..], &["--threads", "1,3", "--json"]].concat()));
    assert_eq!(runs.iter().map(|run| run["threads"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(runs.iter().map(|run| run["threads_used"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 1]);
    let exact = lines(&place.ok(&[&TINY[..], &["--threads", "3", "--exact-threads", "--json"]].concat()));
    assert_eq!(exact[0]["threads_used"], 3);
    for run in &runs {
        assert_eq!(run["workload"], "custom");
        assert_eq!(run["layers"], serde_json::json!([4, 8, 3]));
        assert_eq!((&run["batch"], &run["optimizer"], &run["precision"]), (&16.into(), &"adam".into(), &"f32".into()));
        assert!(["avx512", "avx2", "portable"].contains(&run["isa"].as_str().unwrap()));
        for key in ["samples_per_s", "us_per_step", "gflops", "roofline", "fma_peak_gflops", "memory_gb_per_s"] {
            assert!(number(run, key) > 0.0, "{key} of {run}");
        }
        assert!(run.get("peak_rss_mb").is_some() && run.get("explain").is_none(), "{run}");
        let samples = 16e6 / number(run, "us_per_step");
        assert!((number(run, "samples_per_s") / samples - 1.0).abs() < 1e-9, "{run}");
    }
}

#[test]
fn named_workloads_and_options_are_taken() {
    let place = Place::new();
    let args = ["bench", "--workload", "iris", "--epochs", "1", "--threads", "1", "--json", "--explain"];
    let more = ["--optimizer", "sgd:momentum=0.9", "--clip-norm", "none", "--isa", "portable"];
    let runs = lines(&place.ok(&[&args[..], &more].concat()));
    let run = &runs[0];
    assert_eq!((&run["workload"], &run["isa"]), (&"iris".into(), &"portable".into()));
    assert_eq!(run["optimizer"], "sgd:momentum=0.9");
    let phases = run["explain"]["phases"].as_array().unwrap();
    assert_eq!(phases.len(), 8);
    let runs =
        lines(&place.ok(&["bench", "--workload", "iris", "digits", "--epochs", "1", "--threads", "1", "--json"]));
    assert_eq!(runs.iter().map(|run| run["workload"].as_str().unwrap()).collect::<Vec<_>>(), ["iris", "digits"]);
    let share: f64 = phases.iter().map(|phase| number(phase, "share")).sum();
    assert!((share - 1.0).abs() < 1e-9, "{run}");
}

#[test]
fn a_run_compares_with_an_earlier_one() {
    let place = Place::new();
    place.ok(&[&TINY[..], &["--threads", "1", "--save", "runs.jsonl", "--json"]].concat());
    let earlier = number(&lines(&place.read("runs.jsonl"))[0], "us_per_step");
    let output = place.run(&[&TINY[..], &["--threads", "1,2", "--against", "runs.jsonl"]].concat());
    assert_eq!(code(&output), 0, "{}", error(&output));
    let text = out(&output);
    let table = text.split("earlier / now").nth(1).unwrap_or_else(|| panic!("no comparison in {text}"));
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("custom")).collect();
    assert_eq!(rows.len(), 2, "{text}");
    assert!(rows[0].ends_with('×') && earlier > 0.0, "{text}");
    assert!(rows[1].ends_with('–'), "two threads were not timed before: {text}");
}

#[test]
fn an_explanation_names_phases_and_limits() {
    let text = Place::new().ok(&[&TINY[..], &["--threads", "2", "--exact-threads", "--explain"]].concat());
    for words in ["backward to weights", "of the FMA peak", "of the bandwidth", "waiting for the slowest"] {
        assert!(text.contains(words), "no {words:?} in {text}");
    }
    assert!(text.contains("prediction, not measured") || text.contains("On one core"), "{text}");
}

#[test]
fn wrong_options_are_refused() {
    let place = Place::new();
    for (args, words) in [
        (&["--workload", "minst"][..], "\"mnist\""),
        (&["--layers", "4"], "--layers"),
        (&["--layers", "4,8,1"], "--task regress"),
        (&["--layers", "4,8,3", "--batch", "0"], "--batch"),
        (&["--layers", "4,8,3", "--batch", "64", "--rows", "32"], "--rows"),
        (&["--layers", "4,8,3", "--task", "sort"], "--task"),
        (&["--layers", "4,8,3", "--workload", "iris"], "--workload"),
        (&["--batch", "32"], "--layers"),
        (&["--threads", "0"], "--threads"),
        (&["--threads", "1,x"], "--threads"),
        (&["--optimizer", "adan"], "adam"),
        (&["--epochs", "0"], "--epochs"),
        (&["--isa", "avx1024"], "--isa"),
        (&["--clip-norm", "-1"], "--clip-norm"),
        (&["--against", "x", "--json"], "--json"),
    ] {
        let message = place.fails(2, &[&["bench"], args].concat());
        assert!(message.contains(words), "{args:?}: {message}");
    }
    place.fails(5, &["bench", "--against", "nothing"]);
    place.write("runs.jsonl", "{\"workload\": \"iris\"}\n");
    let message = place.fails(3, &["bench", "--against", "runs.jsonl"]);
    assert!(message.contains("runs.jsonl:1"), "{message}");
    let message = place.fails(10, &[&TINY[..], &["--optimizer", "sgd:lr=1e38", "--threads", "1"]].concat());
    assert!(message.contains("loss became"), "{message}");
}
