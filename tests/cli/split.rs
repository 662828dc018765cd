use std::collections::BTreeSet;

use crate::place::{Place, error, json};

/// A table whose rows are all different, with groups, days and a label that is missing once; returns also its rows.
fn table() -> (String, Vec<String>) {
    let row = |n: usize| {
        let label = ["a", "b", "b"][n % 3];
        let label = if n == 17 { "" } else { label };
        format!("{},g{},2024-{:02}-{:02},{label}", n as f64 + 0.5, n % 13, n / 28 + 1, n % 28 + 1)
    };
    let rows: Vec<String> = (0..150).map(row).collect();
    (format!("x,group,day,label\n{}\n", rows.join("\n")), rows)
}

/// The rows of a part's file.
fn rows_of(place: &Place, file: &str) -> Vec<String> {
    place.read(file).lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn parts_have_the_same_rows_as_in_training() {
    let place = Place::new();
    let (text, rows) = table();
    place.write("a.csv", text);
    for (number, how) in ["stratified", "random", "group:group", "time:day"].into_iter().enumerate() {
        let (run, parts) = (format!("run{number}"), format!("parts{number}"));
        let options = ["--split", how, "--test", "0.2", "--valid", "0.15", "--seed", "7"];
        place.train("a.csv", &run, &options);
        let said = place.err(&[&["data", "split", "a.csv", "-o", &parts], &options[..]].concat());
        assert!(said.contains("label") && said.contains("left out"), "the row without a label is told of: {said}");
        let split = json(&place.read(&format!("{run}/split.json")));
        for part in ["train", "val", "test"] {
            let expected: Vec<String> = split[part]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| rows[row.as_u64().unwrap() as usize].clone())
                .collect();
            assert!(!expected.is_empty());
            assert_eq!(rows_of(&place, &format!("{parts}/{part}.csv")), expected, "{how}, {part}");
        }
    }
    let group = |row: &String| row.split(',').nth(1).unwrap().to_owned();
    let groups = |part: &str| rows_of(&place, part).iter().map(group).collect::<BTreeSet<_>>();
    assert!(groups("parts2/train.csv").is_disjoint(&groups("parts2/test.csv")));
    let day = |row: &String| row.split(',').nth(2).unwrap().to_owned();
    let last = rows_of(&place, "parts3/train.csv").iter().map(day).max();
    assert!(last < rows_of(&place, "parts3/test.csv").iter().map(day).min());
}

#[test]
fn parts_have_the_format_of_the_table_or_the_given_one() {
    let place = Place::new();
    place.write("a.csv", table().0);
    place.ok(&["data", "convert", "a.csv", "a.jsonl.gz"]);
    place.ok(&["data", "split", "a.jsonl.gz", "-o", "same"]);
    assert!(place.path("same/train.jsonl.gz").is_file() && place.path("same/val.jsonl.gz").is_file());
    assert!(!place.path("same/test.jsonl.gz").exists(), "no test part was asked for");
    place.ok(&["data", "split", "a.csv", "-o", "other", "--to", "parquet"]);
    let columns = json(&place.ok(&["inspect", "other/train.parquet", "--json"]))["columns"].clone();
    assert_eq!(columns[2]["name"], "day");
    assert_eq!(columns[2]["type"], "date");
}

#[test]
fn existing_files_are_kept_and_invalid_splits_are_refused() {
    let place = Place::new();
    place.write("a.csv", table().0);
    place.ok(&["data", "split", "a.csv", "-o", "p"]);
    let before = place.read("p/train.csv");
    let said = place.fails(2, &["data", "split", "a.csv", "-o", "p", "--seed", "1"]);
    assert!(said.contains("p/train.csv is there") && said.contains("--overwrite"), "{said}");
    assert_eq!(place.read("p/train.csv"), before);
    place.ok(&["data", "split", "a.csv", "-o", "p", "--seed", "1", "--overwrite"]);
    assert_ne!(place.read("p/train.csv"), before);
    let said = place.fails(2, &["data", "split", "a.csv", "-o", "q", "--valid", "none"]);
    assert!(said.contains("nothing is split"), "{said}");
    let said = place.fails(2, &["data", "split", "a.csv", "-o", "q", "--test", "a.csv"]);
    assert!(said.contains("--test") && said.contains("expected a fraction"), "{said}");
    let said = place.fails(2, &["data", "split", "-", "-o", "q"]);
    assert!(said.contains("write standard input to a file first"), "{said}");
    assert!(!place.path("q").exists());
}

/// What an earlier split left would hold rows of the new parts.
#[test]
fn files_of_an_earlier_split_do_not_stay() {
    let place = Place::new();
    place.shipped("iris.csv");
    place.ok(&["data", "split", "iris.csv", "--valid", "0.2", "--test", "0.2", "-o", "parts"]);
    assert!(place.path("parts/val.csv").exists());
    let again = ["data", "split", "iris.csv", "--valid", "none", "--test", "0.2", "-o", "parts", "--overwrite"];
    let note = error(&place.run(&again));
    assert!(note.contains("val.csv: removed, as this split has no such rows"), "{note}");
    assert!(!place.path("parts/val.csv").exists());
    let rows = |part: &str| place.read(&format!("parts/{part}.csv")).lines().count() - 1;
    assert_eq!(rows("train") + rows("test"), 150);
    // Nor does a part take the place of the table itself.
    let whole = place.read("parts/train.csv");
    let message = place.fails(2, &["data", "split", "parts/train.csv", "-o", "parts", "--overwrite"]);
    assert!(message.contains("would be lost"), "{message}");
    assert_eq!(place.read("parts/train.csv"), whole);
}

#[test]
fn groups_that_doubles_cannot_tell_apart_are_text() {
    let place = Place::new();
    let rows: String = (0..300).map(|n| format!("{},{},{}\n", (1u64 << 60) + n % 60, n % 7, n % 2)).collect();
    place.write("ids.csv", "id,x,y\n".to_owned() + &rows);
    let split = ["data", "split", "ids.csv", "--split", "group:id", "--test", "0.25", "-o", "parts"];
    let message = place.fails(3, &split);
    assert!(message.contains("told apart only as text: add --categorical \"id\""), "{message}");
    place.ok(&[&split[..], &["--categorical", "id"]].concat());
    let ids = |part: &str| -> std::collections::BTreeSet<String> {
        let text = place.read(&format!("parts/{part}.csv"));
        text.lines().skip(1).map(|line| line.split(',').next().unwrap().to_owned()).collect()
    };
    let (train, test) = (ids("train"), ids("test"));
    assert!(test.len() == 15 && train.is_disjoint(&test), "{} {}", train.len(), test.len());
}
