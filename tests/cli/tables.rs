//! Tables that are easily misread, from training to prediction.

use serde_json::Value;

use super::place::{Place, SMALL};

/// The text of a table of two numbers and a class that depends on the first.
fn two_numbers(rows: usize, third: impl Fn(usize) -> String) -> String {
    let row =
        |n: usize| format!("{},{},{}\n", n as f64 / rows as f64, third(n), if 2 * n < rows { "no" } else { "yes" });
    "x,k,y\n".to_owned() + &(0..rows).map(row).collect::<String>()
}

fn train(place: &Place, args: &[&str]) -> String {
    let args: Vec<&str> = ["train"].into_iter().chain(args.iter().copied()).chain(SMALL).collect();
    // Warnings about the quality of the model, which is trained for few epochs, are left out.
    let said = place.err(&args);
    said.lines().filter(|line| !line.contains("the model ")).map(|line| format!("{line}\n")).collect()
}

fn hash(place: &Place, run: &str) -> Value {
    place.json(&format!("{run}/summary.json"))["weights_sha256"].clone()
}

#[test]
fn a_constant_is_left_out_and_does_not_move_predictions_later() {
    let place = Place::new();
    for (name, value) in [("same", "7"), ("rounded", "0.30000000000000004"), ("text", "blue")] {
        let other = if name == "rounded" { "0.3" } else { value };
        place.write("d.csv", two_numbers(60, |n| if n % 2 == 0 { value } else { other }.to_owned()));
        let said = train(&place, &["d.csv", "-o", name]);
        assert!(said.contains("warning: column \"k\" is") && said.contains("left out"), "{said}");
        place.write("a.csv", format!("x,k\n0.1,{value}\n0.9,{value}\n"));
        place.write("b.csv", "x,k\n0.1,99\n0.9,-5\n");
        let (before, after) =
            (place.run(&["predict", name, "a.csv", "--proba"]), place.run(&["predict", name, "b.csv", "--proba"]));
        assert_eq!(before.stdout, after.stdout);
        assert!(before.stderr.is_empty(), "{}", String::from_utf8_lossy(&before.stderr));
        let said = String::from_utf8_lossy(&after.stderr).into_owned();
        assert!(said.starts_with("warning: column \"k\" was") && said.contains("in 2 rows"), "{said}");
    }
}

#[test]
fn rows_with_weight_0_have_no_influence() {
    let place = Place::new();
    let row = |n: usize| format!("{},{},{}\n", n as f64 / 90.0, n, n as f64 * 2.5);
    let all = |n: usize| if n % 4 == 3 { format!("oops,0,-1e9\n{}", row(n)) } else { row(n) };
    let head = "x,w,y\n";
    place.write("with.csv", head.to_owned() + &(1..90).map(all).collect::<String>());
    place.write("without.csv", head.to_owned() + &(1..90).map(row).collect::<String>());
    for dialect in ["none", "torch", "keras", "sklearn"] {
        for run in ["with", "without"] {
            let options = ["--task", "regression", "--weight-col", "w", "--test", "0.2", "--dialect", dialect];
            let file = format!("{run}.csv");
            train(&place, &[&[file.as_str(), "-o", run, "--overwrite"], options.as_slice()].concat());
        }
        assert_eq!(hash(&place, "with"), hash(&place, "without"), "{dialect}");
        let figures = |run: &str| place.json(&format!("{run}/summary.json"))["test"].clone();
        assert_eq!(figures("with"), figures("without"), "{dialect}");
    }
}

#[test]
fn labels_are_predicted_as_written_in_the_file() {
    let place = Place::new();
    for (number, labels) in [
        ["01", "02", "10"],
        ["5E1", "6E1", "7E1"],
        ["9007199254740992", "9007199254740993", "123456789012345678"],
        ["Yes", "yes", "YES"],
        ["1.50", "2.50", "3.50"],
        ["+1", "-1", "0"],
    ]
    .iter()
    .enumerate()
    {
        let row = |n: usize| format!("{}.{},{}\n", n % 3, n % 7, labels[n % 3]);
        place.write("d.csv", "x,y\n".to_owned() + &(0..90).map(row).collect::<String>());
        let run = format!("r{number}");
        let options = ["--hidden", "16", "--epochs", "60", "--lr", "0.02", "-q", "--task", "multiclass"];
        place.ok(&[&["train", "d.csv", "-o", &run], options.as_slice()].concat());
        let predicted = place.ok(&["predict", &run, "d.csv"]);
        let mut found: Vec<&str> = predicted.lines().skip(1).collect();
        found.sort_unstable();
        found.dedup();
        let mut expected = labels.to_vec();
        expected.sort_unstable();
        assert_eq!(found, expected);
    }
}

#[test]
fn equal_numbers_are_one_class_with_the_more_frequent_spelling() {
    let place = Place::new();
    let row = |n: usize| {
        format!(
            "{},{}\n",
            n,
            if n.is_multiple_of(2) {
                "0"
            } else if n % 10 == 1 {
                "1"
            } else {
                "1.0"
            }
        )
    };
    place.write("d.csv", "x,y\n".to_owned() + &(0..100).map(row).collect::<String>());
    let said = place.err(&["train", "d.csv", "-o", "run", "--hidden", "4", "--epochs", "1"]);
    assert!(said.contains("label y: equal numbers are one class (1 as 1.0)"), "{said}");
    let evaluated: Value = serde_json::from_str(&place.ok(&["evaluate", "run", "d.csv", "--json"])).unwrap();
    assert_eq!(evaluated["confusion"]["classes"], serde_json::json!(["0", "1.0"]));
}

#[test]
fn missing_markers_of_a_label_are_counted_and_quoted() {
    let place = Place::new();
    let row = |n: usize| format!("{},{}\n", n, ["None", "Mild", "Severe"][n % 3]);
    place.write("d.csv", "x,y\n".to_owned() + &(0..60).map(row).collect::<String>());
    let said = train(&place, &["d.csv", "-o", "run"]);
    assert!(said.contains("20 cells are read as missing") && said.contains("\"None\" (20)"), "{said}");
    assert!(train(&place, &["d.csv", "-o", "kept", "--na", "NA"]).is_empty());
    let evaluated: Value = serde_json::from_str(&place.ok(&["evaluate", "kept", "d.csv", "--json"])).unwrap();
    assert_eq!(evaluated["confusion"]["classes"], serde_json::json!(["Mild", "None", "Severe"]));
}

/// Trains a model with a number, a category of three levels and a date.
fn mixed_model(place: &Place) {
    let row = |n: usize| {
        let (colour, day) = (["red", "dark blue", "green"][n % 3], 1 + n % 28);
        format!("{}.5,{colour},2020-01-{day:02},{}\n", n % 50, if n.is_multiple_of(3) { "a" } else { "b" })
    };
    place.write("d.csv", "Size,colour,day,y\n".to_owned() + &(0..200).map(row).collect::<String>());
    assert_eq!(train(place, &["d.csv", "-o", "run"]), "");
}

/// The warnings of `predict` for rows below `header`.
fn said_of(place: &Place, header: &str, rows: &str) -> String {
    place.write("p.csv", format!("{header}\n{rows}"));
    let output = place.run(&["predict", "run", "p.csv"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 1 + rows.lines().count(), "a row for each row");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn predict_warns_of_rows_that_differ_from_training() {
    let place = Place::new();
    mixed_model(&place);
    let header = "Size,colour,day";
    assert_eq!(
        said_of(&place, header, "3.5,red,2020-01-03\n49.5,green,2021-12-31\n"),
        "",
        "a later date is no surprise"
    );
    for (rows, parts) in [
        ("3,pink,2020-01-03\n3,pink,2020-01-03\n", ["\"colour\": 2 cells with a level", "(\"pink\")"]),
        (
            "3,RED,2020-01-03\n3,Dark  Blue,2020-01-04\n",
            ["\"colour\": 2 cells taken for a level", "\"RED\" for \"red\""],
        ),
        (",red,2020-01-03\n3,red,2020-01-03\n", ["\"Size\": no value in 1 of 2 rows", "never happened in training"]),
        ("3,red,2020-01-03\n3000,red,2020-01-03\n", ["\"Size\": 1 value far outside", "(3000)"]),
    ] {
        let said = said_of(&place, header, rows);
        assert!(said.starts_with("warning: ") && parts.iter().all(|part| said.contains(part)), "{rows}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    let shifted: String = (0..30).map(|n| format!("{},red,2020-01-03\n", 80 + n % 5)).collect();
    assert!(said_of(&place, header, &shifted).contains("\"Size\" is shifted: 30 of 30 values lie above"));
    assert!(said_of(&place, "SIZE,colour,day", "3,red,2020-01-03\n").contains("\"SIZE\" is taken for \"Size\""));
    let both = said_of(&place, "SIZE,Colour,day", "3,red,2020-01-03\n");
    assert!(both.contains("2 columns have their names in another spelling"), "{both}");
    let known = place.ok(&["predict", "run", "d.csv", "--proba"]);
    place.write("p.csv", place.read("d.csv").replace("red", "RED").replace("dark blue", " Dark Blue "));
    assert_eq!(place.ok(&["predict", "run", "p.csv", "--proba"]), known, "levels are matched");
}

#[test]
fn strict_turns_warnings_into_errors() {
    let place = Place::new();
    mixed_model(&place);
    place.write("p.csv", "Size,colour,day,y\n3,pink,2020-01-03,a\n");
    for verb in ["predict", "evaluate"] {
        assert!(place.fails(4, &[verb, "run", "p.csv", "--strict"]).contains("--strict"));
        place.ok(&[verb, "run", "p.csv"]);
    }
    place.fails(4, &["predict", "run", "p.csv", "--strict", "-o", "out.csv"]);
    assert!(!place.path("out.csv").exists());
    place.write("l.csv", [&b"ort,y\n"[..], &b"K\xf6ln,1\nBonn,0\nBonn,1\nK\xf6ln,0\n".repeat(20)].concat());
    for args in [&["train", "l.csv", "-o", "r"][..], &["tune", "l.csv", "-o", "t"], &["inspect", "l.csv"]] {
        assert!(place.fails(3, &[args, &["--strict"]].concat()).contains("--strict"));
    }
}

#[test]
fn rows_without_names_are_matched_by_position_and_checked() {
    let place = Place::new();
    mixed_model(&place);
    place.write("p.csv", "3.5,red,2020-01-03\n4.5,green,2020-01-04\n");
    let output = place.run(&["predict", "run", "p.csv"]);
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("warning: p.csv: no column names"));
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 3);
    place.write("p.csv", "red,3.5,2020-01-03\n");
    place.fails(4, &["predict", "run", "p.csv"]);
    assert!(
        place.fails(3, &["predict", "run", "p.csv", "--header", "no"]).contains("expected a number, found \"red\"")
    );
    place.write("p.csv", "3.5,red\n4.5,green\n");
    assert!(place.fails(4, &["predict", "run", "p.csv", "--header", "no"]).contains("expected 4 columns, or 3"));
}

#[test]
fn kept_columns_are_copied_unchanged() {
    let place = Place::new();
    mixed_model(&place);
    place.write("p.csv", "id,prediction,Size,colour,day,\"a,b\"\n\" 007 \",old,3,red,2020-01-03,x\n");
    let found = place.ok(&["predict", "run", "p.csv", "--keep", "id,prediction", "--keep", "a,b", "-o", "-"]);
    let lines: Vec<&str> = found.lines().collect();
    assert_eq!(lines[0], "id,input_prediction,\"a,b\",prediction");
    assert!(lines[1].starts_with(" 007 ,old,x,"), "{found}");
    for empty in ["", "id,Size,colour,day\n"] {
        place.write("e.csv", empty);
        assert_eq!(place.ok(&["predict", "run", "e.csv"]), "prediction\n");
    }
}

#[test]
fn splits_by_group_and_time_do_not_leak() {
    let place = Place::new();
    let row = |n: usize| format!("{},g{},2020-01-{:02},{}\n", n % 9, n % 12, 1 + (n * 7) % 28, n % 2);
    place.write("d.csv", "x,who,day,y\n".to_owned() + &(0..240).map(row).collect::<String>());
    let parts = |run: &str| -> Vec<Vec<usize>> {
        let split = place.json(&format!("{run}/split.json"));
        let rows = |part: &str| split[part].as_array().unwrap().iter().map(|r| r.as_u64().unwrap() as usize).collect();
        ["train", "val", "test"].map(rows).to_vec()
    };
    train(&place, &["d.csv", "-o", "g", "--split", "group:who", "--test", "0.25", "--valid", "0.25"]);
    let groups: Vec<std::collections::BTreeSet<usize>> =
        parts("g").iter().map(|rows| rows.iter().map(|n| n % 12).collect()).collect();
    assert_eq!(groups.iter().map(|g| g.len()).sum::<usize>(), 12, "a group is in one part alone: {groups:?}");
    assert!(groups.iter().all(|groups| groups.len() >= 2));
    train(&place, &["d.csv", "-o", "t", "--split", "time:day", "--test", "0.25", "--valid", "0.25"]);
    let days: Vec<Vec<usize>> = parts("t").iter().map(|rows| rows.iter().map(|n| (n * 7) % 28).collect()).collect();
    let (last, first) =
        (|part: usize| *days[part].iter().max().unwrap(), |part: usize| *days[part].iter().min().unwrap());
    assert!(last(0) < first(1) && last(1) < first(2), "{days:?}");
    let inputs = super::place::json(&place.ok(&["inspect", "g", "--json"]));
    assert!(!inputs.to_string().contains("\"column\":\"who\""), "the column of the split is no input");
    place
        .ok(&["train", "d.csv", "-o", "c", "--split", "time:day", "--cv", "3", "--hidden", "4", "--epochs", "2", "-q"]);
    assert!(place.fails(4, &["train", "d.csv", "-o", "f", "--split", "group:who", "--cv", "13"]).contains("12"));
}

#[test]
fn parts_of_groups_have_about_the_requested_size() {
    let place = Place::new();
    let rows: String =
        (0..100).map(|n| format!("{},{},{}\n", if n % 20 == 0 { "few" } else { "many" }, n, n % 7)).collect();
    place.write("two.csv", format!("who,x,y\n{rows}"));
    let train = |file: &str| {
        place.err(&["train", file, "-o", file.trim_end_matches(".csv"), "--split", "group:who", "--epochs", "2"])
    };
    assert!(!train("two.csv").contains("stay together"), "5 of 100 rows are near a tenth");
    let rows: String = (0..100).map(|n| format!("{},{},{}\n", n % 2, n, n % 7)).collect();
    place.write("half.csv", format!("who,x,y\n{rows}"));
    let said = train("half.csv");
    assert!(said.contains("--valid 0.1 of 100 rows: 50, as rows with one \"who\" stay together"), "{said}");
    for (run, size) in [("two", 5), ("half", 50)] {
        assert_eq!(place.json(&format!("{run}/split.json"))["val"].as_array().unwrap().len(), size, "{run}");
    }
}

#[test]
fn an_unnamed_column_of_row_numbers_is_left_out() {
    let place = Place::new();
    let row = |n: usize| format!("{n},{},{}\n", n / 2 + 5, ["a", "b"][n / 50]);
    let rows: String = (0..100).map(row).collect();
    place.write("unnamed.csv", format!(",x,y\n{rows}"));
    assert!(train(&place, &["unnamed.csv", "-o", "u"]).contains("column \"c0\" has no name and counts the rows"));
    place.write("named.csv", format!("id,x,y\n{rows}"));
    let said = train(&place, &["named.csv", "-o", "n"]);
    assert!(said.contains("\"id\" looks like an identifier") && said.contains("is kept"), "{said}");
    assert_eq!(train(&place, &["named.csv", "-o", "k", "--keep-column", "id"]), "");
    // In any place, since it tells the order of the rows.
    let rows: String = (0..100).map(|n| format!("{},{n},{}\n", n * 7 % 31, ["a", "b"][n / 50])).collect();
    place.write("second.csv", format!("x,seq,y\n{rows}"));
    assert!(train(&place, &["second.csv", "-o", "s"]).contains("\"seq\" looks like an identifier"));
    place.write("time.csv", format!("c0,year,y\n{rows}"));
    assert!(!train(&place, &["time.csv", "-o", "t"]).contains("has no name"), "c0 may be a name");
}

#[test]
fn a_configuration_repeats_how_a_file_was_read() {
    let place = Place::new();
    let row = |n: usize| format!("{:02}.{:02}.2020;{};{}\n", 1 + n % 28, 1 + n % 12, n as f64 / 7.0, n % 2);
    let rows: String = (0..80).map(row).collect();
    place.write("d.csv", format!("# made\nday;x;y\n{}", rows.replace("; ", ";")));
    train(&place, &["d.csv", "-o", "a"]);
    let config = place.read("a/config.toml");
    for part in ["delimiter = \";\"", "header = \"yes\"", "dates = [\"day=%d.%m.%Y\"]"] {
        assert!(config.contains(part), "{part}: {config}");
    }
    place.ok(&["train", "-c", "a/config.toml", "-o", "b", "-q"]);
    assert_eq!(hash(&place, "a"), hash(&place, "b"));
    assert!(place.ok(&["inspect", "a"]).contains("dates (%d.%m.%Y"));
}
