use crate::place::{Place, code, error, json, out};

/// Rows of two numbers, a text with some missing values, a date, and a label.
fn rows() -> Vec<(String, i32, Option<&'static str>, String, &'static str)> {
    let row = |n: usize| {
        let colour = [Some("red"), None, Some("blue")][n % 3];
        let x = (n as f64 * 0.37).sin();
        (
            x.to_string(),
            (n * n % 17) as i32,
            colour,
            format!("2024-{:02}-{:02}", n % 12 + 1, n % 28 + 1),
            if x > 0.0 { "a" } else { "b" },
        )
    };
    (0..90).map(row).collect()
}

fn csv() -> String {
    let line = |(x, n, colour, day, label): (String, i32, Option<&str>, String, &str)| {
        format!("{x},{n},{},{day},{label}\n", colour.unwrap_or_default())
    };
    "x,n,colour,day,label\n".to_owned() + &rows().into_iter().map(line).collect::<String>()
}

fn json_lines() -> String {
    let line = |(x, n, colour, day, label): (String, i32, Option<&str>, String, &str)| {
        let colour = colour.map_or("null".to_owned(), |colour| format!("\"{colour}\""));
        format!("{{\"x\": {x}, \"n\": {n}, \"colour\": {colour}, \"day\": \"{day}\", \"label\": \"{label}\"}}\n")
    };
    rows().into_iter().map(line).collect()
}

#[test]
fn json_lines_give_the_same_results_as_csv() {
    let place = Place::new();
    place.write("a.csv", csv());
    place.write("a.jsonl.zst", zstd::encode_all(json_lines().as_bytes(), 1).unwrap());
    let text = place.train("a.csv", "one", &["--epochs", "3"]);
    let objects = place.train("a.jsonl.zst", "two", &["--epochs", "3"]);
    assert_eq!(text["weights_sha256"], objects["weights_sha256"]);
    for model in ["one", "two"] {
        for verb in [&["predict", "--proba", "--keep", "colour,day"][..], &["evaluate"]] {
            let with = |data: &str| place.ok(&[&[verb[0], model, data], &verb[1..]].concat());
            assert_eq!(with("a.csv"), with("a.jsonl.zst"), "{verb:?}");
        }
    }
    assert_eq!(json(&place.ok(&["inspect", "a.jsonl.zst", "--json"]))["rows"], 90);
}

#[test]
fn options_of_csv_are_refused_for_other_formats() {
    let place = Place::new();
    place.write("a.jsonl", json_lines());
    for verb in [&["train", "a.jsonl"][..], &["inspect", "a.jsonl"]] {
        let said = place.fails(4, &[verb, &["--delimiter", ";"]].concat());
        assert!(said.contains("--delimiter: it is for CSV and TSV, and a.jsonl is a file of format jsonl"), "{said}");
    }
}

#[test]
fn a_damaged_parquet_file_is_refused_without_a_panic() {
    let place = Place::new();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/formats");
    let whole = std::fs::read(folder.join("types_groups.parquet")).unwrap();
    // A page header with a wrong number of values or bytes.
    for at in [4, 8, 20, 30, 45, 60] {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        place.write("a.parquet", bytes);
        let output = place.run(&["inspect", "a.parquet"]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!said.contains("panicked"), "{said}");
        assert!(matches!(output.status.code(), Some(0 | 3)), "{said}");
    }
    place.write("a.parquet", &whole[..whole.len() - 7]);
    let said = place.fails(3, &["train", "a.parquet"]);
    assert!(said.contains("a.parquet: ") && said.contains("damaged or cut short"), "{said}");
}

/// A model of data without column names matches named columns by its own names if the file has these, otherwise by position
/// with a warning. A header with the numbers of the columns is not taken for a row.
#[test]
fn a_model_without_column_names_matches_named_columns() {
    let place = Place::new();
    let value = |row: usize, column: usize| (row * (7 + 4 * column) % 23) as f64 / 4.0 - 2.5;
    let rows: Vec<[f64; 3]> = (0..60).map(|row| [value(row, 0), value(row, 1), value(row, 2)]).collect();
    let lines = |order: [usize; 3]| rows.iter().map(move |row| order.map(|at| row[at].to_string()).join(",") + "\n");
    place.write("bare.csv", lines([0, 1, 2]).collect::<String>());
    let train = ["train", "bare.csv", "--header", "no", "--task", "regression", "--hidden", "8", "--epochs", "3", "-q"];
    place.ok(&[&train[..], &["--out", "run"]].concat());
    let predict = |file: &str| {
        let output = place.run(&["predict", "run", file]);
        assert_eq!(code(&output), 0, "{}", error(&output));
        (out(&output), error(&output))
    };
    let (expected, said) = predict("bare.csv");
    assert_eq!(said, "");
    let json = |names: [&str; 3], order: [usize; 3]| {
        let line = |row: &[f64; 3]| {
            let fields: Vec<String> = names.iter().zip(order).map(|(n, at)| format!("\"{n}\":{}", row[at])).collect();
            format!("{{{}}}\n", fields.join(","))
        };
        rows.iter().map(line).collect::<String>()
    };
    place.write("own.jsonl", json(["c2", "c1", "c0"], [2, 1, 0]));
    assert_eq!(predict("own.jsonl"), (expected.clone(), String::new()), "by name, in any order");
    place.write("foreign.jsonl", json(["z", "yy", "x"], [0, 1, 2]));
    let (found, said) = predict("foreign.jsonl");
    assert!(found == expected && said.contains("taken in their order, whatever their names"), "{said}");
    place.write("words.csv", (0..40).map(|n| format!("{}\n", ["red,sour", "green,sweet"][n % 2])).collect::<String>());
    place.ok(&["train", "words.csv", "--header", "no", "--hidden", "4", "--epochs", "2", "-q", "--out", "words"]);
    place.write("one.csv", "red\n");
    assert_eq!(place.ok(&["predict", "words", "one.csv"]).lines().count(), 2, "a row of words is a row");
    place.write("counted.csv", "0,1,2\n".to_owned() + &lines([0, 1, 2]).collect::<String>());
    let (found, said) = predict("counted.csv");
    assert!(found == expected && said.contains("taken in their order"), "{said}");
}

#[test]
fn truth_values_are_the_same_in_any_case() {
    let place = Place::new();
    let row = |n: i32| (n % 7, n % 3 == 0, n % 5 < 2);
    let line = |(x, up, label): (i32, bool, bool)| {
        let [up, label] = [up, label].map(|value| if value { "True" } else { "False" });
        format!("{x},{up},{label}\n")
    };
    place.write("a.csv", "x,up,label\n".to_owned() + &(0..60).map(row).map(line).collect::<String>());
    let object = |(x, up, label)| format!("{{\"x\": {x}, \"up\": {up}, \"label\": {label}}}\n");
    place.write("a.jsonl", (0..60).map(row).map(object).collect::<String>());
    let [text, objects] = ["a.csv", "a.jsonl"].map(|data| place.train(data, &data[2..], &["--hidden", "4"]));
    assert_eq!(text["weights_sha256"], objects["weights_sha256"]);
    for model in ["csv", "jsonl"] {
        let [of_csv, of_jsonl] = ["a.csv", "a.jsonl"].map(|data| place.run(&["evaluate", model, data, "--json"]));
        assert_eq!(json(&out(&of_csv))["accuracy"], json(&out(&of_jsonl))["accuracy"]);
        for said in [error(&of_csv), error(&of_jsonl)] {
            assert!(!said.contains("classes that training did not have") && !said.contains("differs only"), "{said}");
        }
    }
}

#[test]
fn a_configuration_for_csv_can_be_used_with_another_format() {
    let place = Place::new();
    place.write("a.csv", csv());
    place.write("a.jsonl", json_lines());
    let first = place.train("a.csv", "one", &["--epochs", "2"]);
    let again = json(&place.ok(&["train", "-c", "one/config.toml", "a.jsonl", "-o", "two", "--json"]));
    assert_eq!(first["weights_sha256"], again["weights_sha256"]);
    assert!(place.fails(4, &["train", "a.jsonl", "--header", "no"]).contains("--header: it is for CSV and TSV"));
}

#[test]
fn times_of_day_are_not_taken_for_libsvm_indices() {
    let place = Place::new();
    let lines = |times: &str| (0..40).map(|n| format!("{} 1{}:{}5\n", n % 5, n % 10, times)).collect::<String>();
    place.write("times.txt", lines("2"));
    place.write("indices.txt", lines("7"));
    assert_eq!(json(&place.ok(&["inspect", "times.txt", "--json"]))["columns"].as_array().unwrap().len(), 2);
    assert_eq!(json(&place.ok(&["inspect", "indices.txt", "--json"]))["columns"].as_array().unwrap().len(), 20);
}
