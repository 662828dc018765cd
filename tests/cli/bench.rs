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
fn json_has_the_documented_keys() {
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
        assert_eq!((&run["rows"], &run["task"], &run["dialect"]), (&256.into(), &"classify".into(), &"torch".into()));
        assert_eq!((&run["clip_norm"], &run["exact_threads"]), (&"1:2".into(), &false.into()));
        for key in ["processor", "version", "waited", "stolen"] {
            assert!(run.get(key).is_some(), "{key} of {run}");
        }
        assert!(run.get("peak_rss_mb").is_some() && run.get("explain").is_none(), "{run}");
        let samples = 16e6 / number(run, "us_per_step");
        assert!((number(run, "samples_per_s") / samples - 1.0).abs() < 1e-9, "{run}");
    }
}

#[test]
fn named_workloads_and_options_are_accepted() {
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
fn times_are_compared_with_saved_ones() {
    let place = Place::new();
    place.ok(&[&TINY[..], &["--threads", "1", "--save", "runs.jsonl", "--json"]].concat());
    let earlier = number(&lines(&place.read("runs.jsonl"))[0], "us_per_step");
    let output = place.run(&[&TINY[..], &["--threads", "1,2", "--against", "runs.jsonl"]].concat());
    assert_eq!(code(&output), 0, "{}", error(&output));
    let text = out(&output);
    let table = text.split("earlier / now").nth(1).unwrap_or_else(|| panic!("no comparison in {text}"));
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("custom")).collect();
    assert_eq!(rows.len(), 2, "{text}");
    assert!(rows[0].contains('×') && earlier > 0.0, "{text}");
    assert!(["faster", "slower", "within noise"].iter().any(|word| rows[0].ends_with(word)), "{text}");
    assert!(rows[1].ends_with('–'), "two threads were not timed before: {text}");
    assert!(text.contains("–: no earlier run"), "{text}");
    let args = ["--threads", "1", "--clip-norm", "none", "--against", "runs.jsonl"];
    let text = place.ok(&[&TINY[..], &args].concat());
    assert!(text.contains("–: no earlier run"), "other work: {text}");
}

#[test]
fn an_explanation_names_phases_and_limits() {
    let text = Place::new().ok(&[&TINY[..], &["--threads", "2", "--exact-threads", "--explain"]].concat());
    for words in ["backward to weights", "of the FMA peak", "of the bandwidth", "\nbarriers "] {
        assert!(text.contains(words), "no {words:?} in {text}");
    }
    let endings = ["prediction, not measured", "no prediction", "On one core"];
    assert!(endings.iter().any(|words| text.contains(words)), "{text}");
}

#[test]
fn the_time_of_the_optimizer_does_not_count_as_waiting_at_barriers() {
    let args = ["--threads", "1", "--explain", "--json", "--layers", "64,256,10", "--rows", "64"];
    let run = Place::new().ok(&[&["bench", "--epochs", "1", "--optimizer", "muon"], &args[..]].concat());
    let run = &lines(&run)[0];
    let share = |name: &str| {
        let phases = run["explain"]["phases"].as_array().unwrap();
        number(phases.iter().find(|phase| phase["phase"] == name).unwrap(), "share")
    };
    assert!(share("update") > 0.5 && share("barrier") < 0.1, "one thread waits for nobody: {run}");
}

#[test]
fn a_diverging_workload_keeps_the_results_before_it() {
    let place = Place::new();
    // Without clipping, the loss of the regression overflows; that of the classification does not.
    let args = ["--workload", "iris", "tabular", "--optimizer", "sgd:lr=1e3", "--clip-norm", "none", "--epochs", "1"];
    let output = place.run(&[&["bench", "--threads", "1", "--save", "runs.jsonl"], &args[..]].concat());
    assert_eq!(code(&output), 10, "{}", error(&output));
    assert!(error(&output).contains("tabular") && out(&output).contains("iris"), "{}", error(&output));
    assert_eq!(lines(&place.read("runs.jsonl"))[0]["workload"], "iris");
    assert!(
        !place.fails(5, &["bench", "--workload", "iris", "--save", "nowhere/x"]).contains("µs/step"),
        "asked before"
    );
}

#[test]
fn thread_counts_that_use_the_same_threads_are_timed_once() {
    let runs = lines(&Place::new().ok(&[&TINY[..], &["--threads", "1,2,4", "--json"]].concat()));
    let times: Vec<f64> = runs.iter().map(|run| number(run, "us_per_step")).collect();
    assert_eq!(times, [times[0]; 3], "one thread is at work in all of them");
}

#[test]
fn wrong_options_are_refused() {
    let place = Place::new();
    for (args, words) in [
        (&["--workload", "minst"][..], "\"mnist\""),
        (&["--layers", "4"], "--layers"),
        (&["--layers", "4,8,1"], "--task regress"),
        (&["--layers", "18446744073709551615,2"], "does not fit into memory"),
        (&["--layers", "1000000,2", "--rows", "4294967295"], "--rows"),
        (&["--layers", "4,8,3", "--rows", "4294967296"], "4294967295"),
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
    place.write("bytes", [0xff_u8; 9]);
    let message = place.fails(3, &["bench", "--against", "bytes"]);
    assert!(message.contains("no text"), "{message}");
    place.ok(&[&TINY[..], &["--threads", "1", "--save", "none.jsonl"]].concat());
    let mut run = place.json("none.jsonl");
    run["us_per_step"] = 0.into();
    place.write("none.jsonl", run.to_string());
    place.fails(3, &["bench", "--against", "none.jsonl"]);
    let message = place.fails(10, &[&TINY[..], &["--optimizer", "sgd:lr=1e38", "--threads", "1"]].concat());
    assert!(message.contains("loss became"), "{message}");
}
