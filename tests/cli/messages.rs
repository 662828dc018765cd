//! Messages on standard error and their forms.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::place::{Place, code, error, json, out};

/// Every line of standard error as a JSON object; panics if a line is something else.
fn objects(output: &Output) -> Vec<Value> {
    error(output).lines().map(json).collect()
}

fn of_event<'a>(all: &'a [Value], event: &str) -> Vec<&'a Value> {
    all.iter().filter(|value| value["event"] == event).collect()
}

/// Writes a table whose reading gives notes and warnings.
fn doubtful(place: &Place) {
    let mut text = String::from("id;size;same;x;kind\n");
    for row in 0..120 {
        text +=
            &format!("k{};{},5;7;{};{}\n", row, row % 13, if row == 60 { "oops" } else { "3" }, ["a", "b"][row % 2]);
    }
    place.write("odd.csv", text);
}

#[test]
fn with_json_progress_every_line_is_json() {
    let place = Place::new();
    doubtful(&place);
    let more = ["--epochs", "3", "--hidden", "4", "--progress", "json"];
    for verb in ["train", "tune"] {
        let budget: &[&str] = if verb == "tune" { &["--budget", "2"] } else { &["--cv", "2"] };
        let output = place.run(&[&[verb, "odd.csv", "-o", verb][..], &more, budget].concat());
        let all = objects(&output);
        assert_eq!(code(&output), 0, "{all:?}");
        assert!(of_event(&all, "note").len() > 2, "{all:?}");
        let warnings = of_event(&all, "warning");
        assert!(warnings.iter().any(|w| w["kind"] == "constant_column" && w["column"] == "same"), "{warnings:?}");
    }
    let output = place.run(&["lr-find", "odd.csv", "--steps", "40", "--progress", "json"]);
    assert_eq!(code(&output), 2, "lr-find has no --progress");
    assert!(of_event(&objects(&output), "error").len() == 1);
}

#[test]
fn errors_are_json_however_that_form_was_chosen() {
    let place = Place::new();
    place.write("c.toml", "progress = \"json\"\n");
    let of = |args: &[&str], expected: i32| {
        let output = place.run(args);
        let all = objects(&output);
        assert_eq!((code(&output), all.len()), (expected, 1), "{args:?}: {all:?}");
        assert_eq!((all[0]["event"].as_str(), all[0]["code"].as_i64()), (Some("error"), Some(i64::from(expected))));
        assert!(out(&output).is_empty());
        all[0]["message"].as_str().unwrap().to_owned()
    };
    assert!(of(&["train", "none.csv", "--progress", "json"], 5).contains("none.csv"));
    assert!(of(&["train", "none.csv", "-c", "c.toml"], 5).contains("none.csv"));
    assert!(of(&["train", "none.csv", "--progress=json", "--epohcs", "3"], 2).contains("--epochs"));
    let output = place.command(&["train", "none.csv", "--nope"]).env("GRADLANE_PROGRESS", "json").output().unwrap();
    assert_eq!(objects(&output)[0]["code"], 2);
    // The flag overrides the variable.
    let output = place.command(&["train", "no.csv", "--progress", "plain"]).env("GRADLANE_PROGRESS", "json").output();
    assert!(error(&output.unwrap()).starts_with("gradlane: "));
}

#[test]
fn predict_reports_rows_and_warnings_as_json() {
    let place = Place::new();
    doubtful(&place);
    place.ok(&["train", "odd.csv", "-o", "run", "--epochs", "2", "--hidden", "4", "-q"]);
    place.write("new.csv", "id;size;same;x\nk1;2,5;7;4\nk2;9999,5;8;3\n");
    let report = json(&place.ok(&["predict", "run", "new.csv", "--json", "-o", "p.csv"]));
    assert_eq!(report["rows"], 2);
    let kinds: Vec<&str> = report["warnings"].as_array().unwrap().iter().filter_map(|w| w["kind"].as_str()).collect();
    assert!(kinds.contains(&"constant_moved") && kinds.contains(&"out_of_range"), "{kinds:?}");
    assert_eq!(place.read("p.csv").lines().count(), 3);
    let message = place.fails(2, &["predict", "run", "new.csv", "--json"]);
    assert!(message.contains("-o FILE"), "{message}");
}

#[test]
fn verbose_output_has_reading_decisions_and_complete_warnings() {
    let place = Place::new();
    let mut text = String::from("a,b,c,d,kind\n");
    (0..80).for_each(|row| text += &format!("u{0},u{0},u{0},u{0},{1}\n", row % 4, row % 2));
    place.write("levels.csv", text);
    place.ok(&["train", "levels.csv", "-o", "run", "--epochs", "2", "--hidden", "4", "-q"]);
    place.write("new.csv", "a;b;c;d;kind\nv1;v2;v3;v4;0\nu1;u1;u1;u1;1\n");
    for verb in ["predict", "evaluate"] {
        let short = place.err(&[verb, "run", "new.csv"]);
        assert!(
            short.contains("4 columns have levels that training did not see") && !short.contains("\"d\""),
            "{short}"
        );
        let long = place.err(&[verb, "run", "new.csv", "-v"]);
        assert!(long.contains("\"d\"") && long.contains("v4") && long.contains("delimiter: ;"), "{verb}: {long}");
    }
}

#[test]
fn lists_can_be_one_value_or_repeated_flags() {
    let place = Place::new();
    place.shipped("iris.csv");
    let one = place.train("iris.csv", "one", &["--ignore", "sepal_length_cm,petal_width_cm", "--epochs", "2"]);
    let two =
        place.train("iris.csv", "two", &["--ignore", "sepal_length_cm", "--ignore", "petal_width_cm", "--epochs", "2"]);
    assert_eq!(one["weights_sha256"], two["weights_sha256"]);
    let all = place.train("iris.csv", "all", &["--epochs", "2"]);
    assert_ne!(one["parameters"], all["parameters"]);
}

#[test]
fn tables_fit_into_sixty_columns() {
    let place = Place::new();
    place.shipped("iris.csv");
    let output = place
        .command(&["train", "iris.csv", "-o", "run", "--epochs", "3", "--test", "0.2"])
        .env("COLUMNS", "60")
        .output();
    let output = output.unwrap();
    let prose = |line: &str| line.starts_with("weights") || line.starts_with("calibrated");
    let is_table = |line: &&str| line.trim_start().contains("  ") && !prose(line);
    let widest = |text: &str| text.lines().filter(is_table).map(|line| line.chars().count()).max().unwrap_or(0);
    let (err, text) = (error(&output), out(&output));
    assert!(err.contains("train_loss") && err.contains("val_accuracy") && err.contains("val_loss"), "{err}");
    assert!(widest(&err) <= 60 && widest(&text) <= 60, "{err}\n{text}");
    assert_eq!(text.matches("balanced_accuracy").count(), 2, "the columns that have no room go on below: {text}");
}

/// Writes a table of 60 rows with a header.
fn table(place: &Place, name: &str, header: &str, row: impl Fn(usize) -> String) {
    place.write(name, format!("{header}\n") + &(0..60).map(|n| row(n) + "\n").collect::<String>());
}

#[test]
fn misleading_data_are_refused_or_warned_about() {
    let place = Place::new();
    let train = |file: &str, more: &[&str]| {
        let args = [&["train", file, "-o", "run", "--overwrite", "--epochs", "2", "--hidden", "4"][..], more].concat();
        place.run(&args)
    };
    table(&place, "counts.csv", "x,n", |n| format!("{n},{}", n % 9));
    assert_eq!(code(&train("counts.csv", &["--loss", "poisson"])), 0);
    place.write("negative.csv", "x,n\n1,-3\n2,4\n");
    assert!(place.fails(3, &["evaluate", "run", "negative.csv"]).contains("counts of at least 0"));
    let lost = place.fails(2, &["predict", "run", "counts.csv", "-o", "./counts.csv"]);
    assert!(lost.contains("would be lost") && place.read("counts.csv").starts_with("x,n"), "{lost}");
    table(&place, "none.csv", "x,k", |n| format!("{n},{}", ["None", "Mild"][n % 2]));
    assert!(error(&train("none.csv", &[])).contains("None counts as missing, and --na"));
    table(&place, "signs.csv", "x,k", |n| format!("{n},{}", ["+1", "-1"][n % 2]));
    assert!(error(&train("signs.csv", &[])).contains("positive class +1"));
    table(&place, "rows.csv", "x,", |n| format!("{},{n}", n % 7));
    assert!(error(&train("rows.csv", &[])).contains("only counts the rows"));
    place.write("few.csv", "x,y\n".to_owned() + &(0..15).map(|n| format!("{},{}\n", n % 4, n * n)).collect::<String>());
    assert!(error(&train("few.csv", &[])).contains("--task regression learns them"));
    place.write("few.csv", "x,y\n".to_owned() + &(0..15).map(|n| format!("{},k{n}\n", n % 4)).collect::<String>());
    assert!(error(&train("few.csv", &[])).contains("is it the right column"));
    table(&place, "zeros.csv", "x,y", |n| format!("{n},{}", if n % 3 == 0 { 0.0 } else { n as f64 / 3.0 }));
    assert!(error(&train("zeros.csv", &["--cv", "3", "--monitor", "val_mape"])).contains("undefined in 3 of 3 folds"));
    table(&place, "-d.csv", "x,k", |n| format!("{n},{}", n % 2));
    let said = out(&place.run(&["train", "-o", "dash", "--epochs", "1", "--hidden", "4", "--", "-d.csv"]));
    assert!(said.contains("gradlane predict dash ./-d.csv"), "{said}");
    place.ok(&["predict", "dash", "./-d.csv"]);
}

#[test]
fn changes_since_training_are_warned_about() {
    let place = Place::new();
    table(&place, "t.csv", "k,dose,y", |n| {
        format!(",{},{}", if n == 7 { String::new() } else { n.to_string() }, n % 7)
    });
    place.ok(&["train", "t.csv", "-o", "run", "--epochs", "2", "--hidden", "4", "-q"]);
    place.write("new.csv", "k,dose\n9,\n8,\n7,\n");
    let said = place.err(&["predict", "run", "new.csv"]);
    assert!(said.contains("\"k\" had no value in training, and has some in 3 rows"), "{said}");
    assert!(said.contains("\"dose\": no value in 3 of 3 rows, but only in"), "{said}");
    assert_eq!(place.err(&["predict", "run", "t.csv"]), "", "the rows of training bring no warning");
}

#[cfg(unix)]
#[test]
fn several_signals_at_once_act_like_one() {
    let place = Place::new();
    table(&place, "d.csv", "x,k", |n| format!("{n},{}", n % 2));
    let args = ["train", "d.csv", "-o", "run", "--epochs", "1000000", "--progress", "json", "--patience", "none"];
    let mut child = place.command(&args).stderr(std::process::Stdio::piped()).spawn().expect("the program starts");
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stderr.take().expect("a pipe")));
    assert!(lines.by_ref().any(|line| line.expect("a line").contains("\"epoch\"")), "no epoch ends");
    let drain = std::thread::spawn(move || lines.count());
    let pid = child.id().to_string();
    let twice = format!("kill -HUP {pid}; kill -HUP {pid}; kill -TERM {pid}");
    assert!(std::process::Command::new("sh").args(["-c", &twice]).status().expect("sh is there").success());
    let code = child.wait().expect("it ends").code();
    drain.join().unwrap();
    assert!(matches!(code, Some(129 | 143)), "{code:?}");
    assert!(place.path("run/model.safetensors").is_file() && place.path("run/summary.json").is_file());
}

/// The lines of code of the library: each with its place, without comments.
fn library() -> Vec<(String, String)> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut folders, mut lines) = (vec![source.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = path.strip_prefix(&source).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() && name != "cli" {
                folders.push(path);
            } else if name.ends_with(".rs") && name != "cli.rs" {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
                lines.extend(code.map(|(n, line)| (format!("{name}:{}", n + 1), line.to_owned())));
            }
        }
    }
    lines
}

#[test]
fn every_option_that_the_library_names_is_a_flag() {
    let golden = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")).unwrap();
    let help: String = golden.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    let words = help.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    let flags: BTreeSet<String> =
        words.filter_map(|word| word.strip_prefix("--")).map(|f| f.replace('-', "_")).collect();
    let mut named = BTreeSet::new();
    for (place, line) in library() {
        for call in [" option(\"", "(option(\"", "setting(\"", "quoted(\"", ".of(\"", ".of_value(\""] {
            for name in line.split(call).skip(1).filter_map(|rest| rest.split('"').next()) {
                assert!(flags.contains(name), "{place}: {name} is no flag");
                named.insert(name.to_owned());
            }
        }
    }
    assert!(named.len() > 60, "{named:?}");
}

/// Only the table of options spells flags, and whole commands do.
#[test]
fn the_library_leaves_flags_to_the_program() {
    let spelled = |line: &str| {
        line.match_indices("--").any(|(at, _)| line[at + 2..].starts_with(|c: char| c.is_ascii_lowercase() || c == '{'))
    };
    for (place, line) in library() {
        let exempt = place.starts_with("config/keys") || place.starts_with("option_text.rs");
        assert!(exempt || !spelled(&line) || line.contains("gradlane "), "{place}: {line}");
    }
}

#[test]
fn names_in_a_file_do_not_control_the_terminal() {
    let place = Place::new();
    let rows: String = (0..60).map(|n| format!("{n},{}\n", ["a\u{1b}[31m", "b"][n % 2])).collect();
    place.write("d.csv", format!("x\u{1b}[2J,y\n{rows}"));
    let run = place.run(&["train", "d.csv", "--preset", "plain", "--epochs", "1", "-o", "run"]);
    let inspected = place.run(&["inspect", "d.csv"]);
    let other = place.run(&["predict", "run", "no\u{1b}[2J.csv"]);
    for output in [&run, &inspected, &other] {
        let said = out(output) + &error(output);
        assert!(!said.contains('\u{1b}'), "{said:?}");
    }
    // Data and JSON keep every character.
    assert!(place.ok(&["predict", "run", "d.csv"]).contains("a\u{1b}[31m"));
    place.write("high.csv", "x,y\u{9b}z\n1,2\n2,3\n3,4\n");
    let described = json(&place.ok(&["inspect", "--json", "high.csv"]));
    assert_eq!(described["columns"][1]["name"], "y\u{9b}z");
}
