//! How the verbs read tables without a header, and in forms that can be read in two ways.

use crate::place::{Place, code, error, json};

const PLAIN: [&str; 4] = ["--hidden", "4", "--epochs", "3"];

/// `count` lines; `line` writes each, given its number from 0.
fn rows(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(|n| line(n) + "\n").collect()
}

/// The result of `inspect --json` for a file.
fn inspected(place: &Place, args: &[&str]) -> serde_json::Value {
    json(&place.ok(&[&["inspect", "--json"], args].concat()))
}

fn warnings(seen: &serde_json::Value) -> String {
    seen["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|warning| warning["message"].as_str().unwrap().to_owned() + "\n")
        .collect()
}

/// Rows may end with a delimiter that the header does not end with: the header names the first columns.
#[test]
fn rows_that_end_with_a_delimiter_keep_the_names_of_the_header() {
    let place = Place::new();
    place.write(
        "ends.csv",
        "id,x,y\n".to_owned()
            + &rows(40, |n| format!("{},{},{},", n * 7 % 41, n % 9, if n % 2 == 0 { "a" } else { "b" })),
    );
    let seen = inspected(&place, &["ends.csv"]);
    let names: Vec<&str> = seen["columns"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    assert_eq!(names[..3], ["id", "x", "y"]);
    place.ok(&["data", "convert", "ends.csv", "out.jsonl"]);
    assert!(place.read("out.jsonl").starts_with("{\"id\":"), "{}", place.read("out.jsonl"));
    place.ok(&[&["train", "ends.csv", "-q", "-o", "run"], &PLAIN[..]].concat());
    assert_eq!(json(&place.read("run/summary.json"))["label"], "y");
}

/// A `#` that begins a later line of a quoted cell begins no comment, and hides no quote behind it.
#[test]
fn a_sign_of_comments_within_a_quoted_cell_is_text() {
    let place = Place::new();
    place.write("signs.csv", "x,t,u\n".to_owned() + &rows(90_000, |n| format!("{n},\"a\n#b\",\"c\nd\"")));
    let seen = inspected(&place, &["signs.csv", "--comment", "#"]);
    assert_eq!(seen["rows"], 90_000);
}

#[test]
fn a_file_without_header_keeps_all_rows_or_is_refused() {
    let place = Place::new();
    place.write(
        "money.csv",
        rows(40, |n| format!("2020-01-{:02},${}.50,{}", n % 28 + 1, n % 9, ["CREDIT", "DEBIT"][n % 2])),
    );
    place.write("comma.csv", rows(40, |n| format!("{n},5;{},25", n * 2)));
    for file in ["money.csv", "comma.csv"] {
        assert_eq!(inspected(&place, &[file])["rows"], 40, "{file}");
    }
    let odd = "5,male,unknown,3,1\n".to_owned()
        + &rows(40, |n| format!("{},{},{}.5,{},{}", n % 7, ["male", "female"][n % 2], n, n % 4, n % 2));
    place.write("odd.csv", odd);
    let said = place.fails(3, &["train", "odd.csv"]);
    assert!(said.contains("--header yes or --header no"), "{said}");
    assert_eq!(inspected(&place, &["odd.csv", "--header", "no"])["rows"], 41);
}

#[test]
fn a_model_of_data_without_header_predicts_every_row() {
    let place = Place::new();
    place.write("d.csv", rows(60, |n| format!("{}.5,{},{}", n % 7, n % 5, ["a", "b"][n % 2])));
    place.train("d.csv", "run", &[&PLAIN[..], &["--header", "no"]].concat());
    let count = |text: &str| {
        place.write("p.csv", text);
        place.ok(&["predict", "run", "p.csv"]).lines().count() - 1
    };
    assert_eq!(count("0,1\n0.5,1\n"), 2);
    assert_eq!(count(",1\n"), 1);
    assert_eq!(count("1,2\n"), 1);
    assert_eq!(count("c0,c1\n1,2\n"), 1, "the names that columns without names have");
    assert_eq!(count("width,length\n1,2\n3,4\n"), 2, "words above all numbers");
    place.write("p.csv", "unknown,3\n5,1\n");
    assert!(place.fails(3, &["predict", "run", "p.csv"]).contains("expected a number, found \"unknown\""));
    place.write(
        "t.csv",
        rows(60, |n| format!("2020-05-{:02},{},{}", n % 28 + 1, ["", "1", "2"][n % 3], ["true", "false"][n % 2])),
    );
    place.train("t.csv", "dated", &[&PLAIN[..], &["--header", "no"]].concat());
    place.write("p.csv", "2020-05-26,,false\n");
    assert_eq!(place.ok(&["predict", "dated", "p.csv"]).lines().count(), 2);
}

#[test]
fn unquoted_decimal_commas_are_not_taken_for_row_names() {
    let place = Place::new();
    place.write("d.csv", "x,k,y\n".to_owned() + &rows(60, |n| format!("{}.5,{},{}", n % 7, n % 5, ["a", "b"][n % 2])));
    place.train("d.csv", "run", &PLAIN);
    place.write("p.csv", "x,k\n1,5,3\n42,5,4\n");
    let said = place.fails(4, &["predict", "run", "p.csv"]);
    assert!(
        said.contains("expected 2 columns as the header has, found 3") && said.contains("decimal commas"),
        "{said}"
    );
    place.write("named.csv", "x,k\nfirst,1.5,3\nsecond,2.5,4\n");
    assert_eq!(place.ok(&["predict", "run", "named.csv"]).lines().count(), 3, "row names that are words");
    place.write("price.csv", "id,price\n".to_owned() + &rows(40, |n| format!("{},{},{}", n + 1, n % 7, 10 + n)));
    let seen = inspected(&place, &["price.csv"]);
    assert!(warnings(&seen).contains("is a comma a decimal comma there?"), "{}", warnings(&seen));
}

#[test]
fn a_row_to_predict_is_not_taken_for_a_comment() {
    let place = Place::new();
    place.write(
        "d.csv",
        "id,x,k,y\n".to_owned() + &rows(60, |n| format!("#{n},{}.5,{},{}", n % 7, n % 5, ["a", "b"][n % 2])),
    );
    place.train("d.csv", "run", &PLAIN);
    for odd in ["#2,2.5,3,\n", "\"#2.5\",3\n", "# the end\n"] {
        place.write("p.csv", format!("id,x,k\n#1,1.5,3\n{odd}#3,3.5,1\n"));
        let said = place.fails(3, &["predict", "run", "p.csv"]);
        assert!(said.contains("p.csv:3: expected 3 columns, found") && said.contains("--comment"), "{said}");
    }
    place.write("p.csv", "# made today\nid,x,k\n#1,1.5,3\n#3,3.5,1\n");
    assert_eq!(place.ok(&["predict", "run", "p.csv"]).lines().count(), 3, "a comment above the header");
    place
        .write("quoted.csv", "x,k,y\n".to_owned() + &rows(30, |n| format!("{n},{},{}", n % 5, n % 2)) + "\"#2.5\",3\n");
    assert!(place.fails(3, &["train", "quoted.csv"]).contains("quoted.csv:32: expected 3 columns, found 2"));
}

#[test]
fn times_are_not_taken_for_libsvm_features() {
    let place = Place::new();
    place.write("t.csv", rows(40, |n| format!("2020-01-01 10:{:02}:00,{n}.5,{}", n % 60, ["a", "b"][n % 2])));
    let seen = inspected(&place, &["t.csv"]);
    assert_eq!((&seen["rows"], &seen["columns"][0]["type"]), (&40.into(), &"date".into()));
    for flags in [&["--format", "csv"][..], &["--delimiter", ",", "--header", "no"]] {
        assert_eq!(inspected(&place, &[&["t.csv"], flags].concat())["rows"], 40);
    }
    place.write("t.tsv", rows(40, |n| format!("{n}\t1:{:02}\t10:{:02}", n % 60, (n + 7) % 60)));
    assert_eq!(inspected(&place, &["t.tsv"])["columns"].as_array().unwrap().len(), 3);
}

#[test]
fn verify_repeats_files_of_any_delimiter() {
    for delimiter in [";", "|", " "] {
        let place = Place::new();
        let text = format!("v{delimiter}y\n") + &rows(60, |n| format!("{}.5{delimiter}{}", n % 7, n % 2));
        place.write("d.csv", text);
        place.train("d.csv", "run", &PLAIN);
        assert!(place.ok(&["verify", "run", "-q"]).starts_with("SAME"), "{delimiter:?}");
    }
}

#[test]
fn truth_values_that_differ_only_in_case_are_one_class() {
    let place = Place::new();
    let words = ["True", "FALSE", "true", "False", "True", "TRUE"];
    place.write("d.csv", "x,y\n".to_owned() + &rows(60, |n| format!("{}.5,{}", n % 7, words[n % 6])));
    let run = place.run(&[&["train", "d.csv", "-o", "run"], &PLAIN[..]].concat());
    assert_eq!(code(&run), 0, "{}", error(&run));
    assert!(error(&run).contains("label y: true and false in any case are one class each"), "{}", error(&run));
    let answers = place.ok(&["predict", "run", "d.csv", "--proba"]);
    assert!(answers.starts_with("prediction,proba_FALSE,proba_True\n"), "{}", answers.lines().next().unwrap());
}

#[test]
fn ambiguous_forms_are_warned_about_or_refused() {
    let place = Place::new();
    let said = |text: String, flags: &[&str]| {
        place.write("d.csv", text);
        warnings(&inspected(&place, &[&["d.csv"], flags].concat()))
    };
    let points = "p;lat;y\n".to_owned() + &rows(40, |n| format!("{n},5;{n}.5;{}", n % 2));
    assert!(!said(points, &["--decimal", ","]).contains("lat"), "lat has decimal points, whatever the option says");
    let grouped = "v;y\n".to_owned()
        + &rows(40, |n| if n % 2 == 0 { format!("{}.500;a", n + 1) } else { format!("{};b", 100 + n) });
    assert!(said(grouped, &[]).contains("--thousands . says otherwise"));
    place.write("abc.csv", "A;B;C\n".to_owned() + &rows(30, |n| format!("1,{}00;0.5;0,{}", n % 9 + 1, n % 7 + 1)));
    assert!(place.fails(3, &["inspect", "abc.csv"]).contains("--decimal , or --thousands , says which"));
    let late = "d,y\n".to_owned() + &rows(40, |n| format!("1-Jan-{},{}", 30 + n, n % 2));
    assert!(said(late, &[]).contains("years of two digits"));
    let code = "x,y\n".to_owned()
        + &rows(40, |n| format!("{}.5,{}", n, if n % 10 == 0 { "-999".to_owned() } else { n.to_string() }));
    assert!(said(code, &[]).contains("-999 stands in 4 rows"));
    let dates = "d,y\n".to_owned()
        + &rows(45, |n| if n % 3 == 0 { "0000-00-00,a".to_owned() } else { format!("2020-01-{:02},b", n % 28 + 1) });
    assert!(said(dates, &[]).contains("30 cells are dates"));
    let total = "x,v\n".to_owned() + &rows(20, |n| format!("{},{n}.5", ["a", "b"][n % 2])) + "Total,200\n";
    assert!(said(total, &[]).contains("the last row is called \"Total\""));
    place.write("d.csv", "x,y\n".to_owned() + &rows(40, |n| format!("{n},{}", ["0", "1", "\\N"][n % 3])));
    let run = place.run(&[&["train", "d.csv", "-o", "run"], &PLAIN[..]].concat());
    assert!(error(&run).contains("the class \"\\N\" may stand for a missing value"), "{}", error(&run));
}

#[test]
fn a_table_of_r_is_read() {
    let place = Place::new();
    let text =
        "\"name\" \"x\" \"y\"\n".to_owned() + &rows(40, |n| format!("\"ab{n}\" {n}.5 \"{}\"", ["a", "b"][n % 2]));
    place.write("d.txt", text);
    let seen = inspected(&place, &["d.txt"]);
    assert_eq!((seen["columns"].as_array().unwrap().len(), &seen["columns"][1]["name"]), (3, &"x".into()));
}

#[test]
fn ambiguous_dates_are_decided_by_all_cells_or_refused() {
    let place = Place::new();
    place.write("d.csv", "d,y\n".to_owned() + &rows(40, |n| format!("{}/11/{:02},{}", 17 + n % 4, n % 28 + 1, n % 2)));
    let seen = inspected(&place, &["d.csv"]);
    assert_eq!(seen["columns"][0]["min"], "2017-11-01");
    place.write("e.csv", "d,y\n20/11/21,1\n21/11/20,0\n22/12/19,1\n");
    assert!(place.fails(3, &["inspect", "e.csv"]).contains("--dates"));
}

#[test]
fn dates_of_an_unknown_column_are_refused_in_any_form() {
    let place = Place::new();
    place.write("d.csv", "d,y\n".to_owned() + &rows(40, |n| format!("2020-11-{:02},{}", n % 28 + 1, n % 2)));
    for form in ["auto", "text", "%Y-%m-%d"] {
        let message = place.fails(3, &["inspect", "d.csv", "--dates", &format!("nope={form}")]);
        assert!(message.contains("--dates: d.csv: there is no column \"nope\"; the columns are d, y"), "{message}");
    }
    let seen = inspected(&place, &["d.csv", "--dates", "d=auto"]);
    assert_eq!(seen["columns"][0]["min"], "2020-11-01");
}

#[test]
fn a_key_that_some_training_rows_lack_may_be_absent() {
    let place = Place::new();
    let object = |n: usize| {
        let more = if n.is_multiple_of(3) { String::new() } else { format!(",\"k\":{}", n % 5) };
        format!("{{\"x\":{}{more},\"y\":\"{}\"}}", n % 7, ["a", "b"][n % 2])
    };
    place.write("d.jsonl", rows(60, object));
    place.train("d.jsonl", "run", &[&PLAIN[..], &["--label", "y"]].concat());
    place.write("p.jsonl", "{\"x\":1}\n{\"x\":2}\n");
    assert_eq!(place.ok(&["predict", "run", "p.jsonl"]).lines().count(), 3);
    place.write("q.jsonl", "{\"k\":1}\n");
    assert!(place.fails(4, &["predict", "run", "q.jsonl"]).contains("the model needs the columns x"));
}

#[test]
fn a_sign_that_cells_lack_is_named() {
    let place = Place::new();
    place.write("share.csv", "p,y\n".to_owned() + &rows(40, |n| format!("{}.5%,{}", n, ["a", "b"][n % 2])));
    place.ok(&[&["train", "share.csv", "-q", "-o", "run"], &PLAIN[..]].concat());
    place.write("bare.csv", "p\n13.7\n20.5\n");
    let said = place.fails(3, &["predict", "run", "bare.csv"]);
    assert!(said.contains("the training data have % in each cell"), "{said}");
}

/// An instrument's export: lines of any form above the table.
fn export(table: &str) -> String {
    "Station: Uccle, Belgium\n\"open quote, 1, 2\n{\"not\": 1}\n".to_owned() + table
}

#[test]
fn lines_above_the_table_are_left_out_as_asked() {
    let place = Place::new();
    let table = "x,y,kind\n".to_owned() + &rows(60, |n| format!("{},{},{}", n * 7 % 41, n % 9, ["a", "b"][n % 2]));
    place.write("plain.csv", &table);
    place.write("above.csv", export(&table));
    let trained = |file: &str, options: &[&str], out: &str| {
        place.ok(&[&["train", file, "-q", "-o", out], &PLAIN[..], options].concat());
        json(&place.read(&format!("{out}/summary.json")))["weights_sha256"].clone()
    };
    let skip = ["--skip-lines", "3"];
    assert_eq!(trained("above.csv", &skip, "run"), trained("plain.csv", &[], "plain"));
    assert!(place.read("run/config.toml").contains("skip_lines = \"3\""), "{}", place.read("run/config.toml"));
    assert!(place.ok(&["verify", "run"]).contains("SAME"));
    // Each file is read as it is asked for.
    let predicted = place.ok(&["predict", "run", "plain.csv"]);
    assert_eq!(predicted.lines().count(), 61);
    assert_eq!(place.ok(&["predict", "run", "above.csv", "--skip-lines", "3"]), predicted);
    let note = error(&place.run(&["inspect", "above.csv", "--skip-lines", "3"]));
    assert!(note.contains("lines above the table: 3 lines left out; the last is \"{\"not\": 1}\""), "{note}");
    place.ok(&["data", "convert", "above.csv", "out.csv", "--skip-lines", "3"]);
    assert_eq!(place.read("out.csv"), table);
}

#[test]
fn lines_left_out_count_in_messages_and_windows() {
    let place = Place::new();
    let table = "x,y\n".to_owned() + &rows(20, |n| format!("{n},{}", n * 2)) + "7\n";
    place.write("short.csv", export(&table));
    let said = place.fails(3, &["inspect", "short.csv", "--skip-lines", "3"]);
    assert!(said.contains("short.csv:25: "), "{said}");
    // More than 64 MB are read in windows, and still begin below these lines.
    let long = export(&("x,y\n".to_owned() + &rows(4_600_000, |n| format!("{},{}", n % 1000 * 7, 1_000_000 + n))));
    place.write("long.csv", &long);
    let seen = inspected(&place, &["long.csv", "--skip-lines", "3"]);
    assert_eq!((&seen["rows"], &seen["columns"][1]["name"]), (&4_600_000.into(), &"y".into()));
    place.write("wrong.csv", long + "7\n");
    let said = place.fails(3, &["inspect", "wrong.csv", "--skip-lines", "3"]);
    assert!(said.contains("wrong.csv:4600005: "), "{said}");
}

#[test]
fn lines_that_cannot_be_left_out_are_said() {
    let place = Place::new();
    let table = "x,y\n".to_owned() + &rows(20, |n| format!("{n},{}", n * 2));
    place.write("title.csv", "Measured by hand\n".to_owned() + &table);
    let said = place.fails(3, &["inspect", "title.csv"]);
    assert!(said.contains("--skip-lines 1 leaves them out"), "{said}");
    place.ok(&["inspect", "title.csv", "--skip-lines", "1"]);
    let told = place.ok(&[&["train", "title.csv", "--skip-lines", "1", "-o", "run"], &PLAIN[..]].concat());
    assert!(told.contains("predict with: gradlane predict run title.csv --skip-lines 1"), "{told}");
    let said = place.fails(4, &["predict", "run", "title.csv", "--header", "yes", "--delimiter", ","]);
    assert!(said.contains("--skip-lines N if other lines stand above the table"), "{said}");
    let said = place.fails(3, &["inspect", "title.csv", "--skip-lines", "100"]);
    assert!(said.contains("expected a table below --skip-lines 100, found 22 lines"), "{said}");
    assert!(place.fails(2, &["inspect", "title.csv", "--skip-lines", "-1"]).contains("expected a number of lines"));
    place.ok(&["data", "convert", "title.csv", "x.jsonl", "--skip-lines", "1"]);
    let said = place.fails(4, &["inspect", "x.jsonl", "--skip-lines", "1"]);
    assert!(said.contains("it is for CSV and TSV"), "{said}");
}
