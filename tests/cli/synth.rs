use crate::place::{Place, cells, json};

#[test]
fn every_problem_can_be_generated_and_learnt() {
    let place = Place::new();
    // The score that a small network reaches in a few epochs. Guessing has an accuracy of 0.5 (0.33 for blobs), predicting
    // the mean an R² of 0.
    for (problem, metric, least) in [
        ("xor", "accuracy", 0.9),
        ("moons", "accuracy", 0.95),
        ("circles", "accuracy", 0.95),
        ("spirals", "accuracy", 0.8),
        ("blobs", "accuracy", 0.9),
        ("friedman1", "r2", 0.8),
        ("linear", "r2", 0.9),
    ] {
        let file = format!("{problem}.parquet");
        let said = place.err(&["data", "synth", problem, &file, "--rows", "3000"]);
        assert!(said.contains(&format!("{file}: 3,000 rows")) && said.contains("noise"), "{said}");
        let options = ["--test", "0.2", "--hidden", "64,64", "--epochs", "30", "--lr", "0.01", "--preset", "plain"];
        let summary = place.train(&file, problem, &options);
        let reached = summary["test"][metric].as_f64().unwrap();
        assert!(reached >= least, "{problem}: {metric} {reached}");
    }
}

#[test]
fn output_depends_on_the_seed_and_the_options() {
    let place = Place::new();
    let synth =
        |more: &[&str]| place.ok(&[&["data", "synth", "blobs", "-", "--to", "csv", "--rows", "30"], more].concat());
    let text = synth(&[]);
    assert_eq!(text, synth(&["--seed", "0", "--noise", "0.3", "--columns", "2", "--classes", "3"]));
    assert_ne!(text, synth(&["--seed", "1"]));
    let wide = synth(&["--columns", "4", "--classes", "5", "--noise", "0"]);
    assert_eq!(cells(&wide)[0], ["x0", "x1", "x2", "x3", "class"]);
    assert_eq!(cells(&wide)[5], ["2", "0", "0", "0", "4"]);
    place.ok(&["data", "synth", "moons", "m.npz", "--rows", "20"]);
    assert_eq!(json(&place.ok(&["inspect", "m.npz", "--json"]))["rows"], 20);
}

#[test]
fn options_that_a_problem_does_not_have_are_refused() {
    let place = Place::new();
    for (args, why) in [
        (&["moon", "a.csv"][..], "expected one of xor, moons"),
        (&["moons", "a.csv", "--columns", "3"], "--columns 3: moons has 2 inputs"),
        (&["xor", "a.csv", "--classes", "3"], "--classes: it is for blobs"),
        (&["friedman1", "a.csv", "--columns", "4"], "needs 5 at least"),
        (&["xor", "a.csv", "--rows", "0"], "--rows 0: expected 1 to"),
        (&["xor", "a.csv", "--rows", "many"], "--rows: expected a whole number"),
        (&["xor", "a.csv", "--noise", "-1"], "--noise: expected"),
        (&["xor", "a"], "the name says no format"),
        (&["xor", "-"], "add --to FORMAT"),
    ] {
        let said = place.fails(2, &[&["data", "synth"], args].concat());
        assert!(said.contains(why), "{said}");
    }
    assert!(!place.path("a.csv").exists());
}
