use crate::place::{Place, json};

/// A table with numbers with and without decimals, a text, dates, a code with leading zeros, missing values, and a label.
fn table() -> String {
    let row = |n: usize| {
        let x = (n as f64 * 0.37).sin();
        let size = if n % 11 == 5 { String::new() } else { format!("{}", n * n % 17) };
        let colour = ["red", "", "dark \"blue\", almost", "#green"][n % 4];
        let day = format!("2024-{:02}-{:02}", n % 12 + 1, n % 28 + 1);
        let time = format!("{day} 12:{:02}:30.{:03}", n % 60, n % 7);
        let colour =
            if colour.contains('"') { format!("\"{}\"", colour.replace('"', "\"\"")) } else { colour.to_owned() };
        format!("{x},{size},{colour},{day},{time},{:03},{}\n", n % 9, if x > 0.0 { "a" } else { "b" })
    };
    "width,size,colour,day,time,code,label\n".to_owned() + &(0..120).map(row).collect::<String>()
}

fn hash(place: &Place, data: &str) -> String {
    let run = format!("run-{data}");
    place.train(data, &run, &["--test", "0.2"])["weights_sha256"].as_str().unwrap().to_owned()
}

#[test]
fn a_converted_table_trains_to_the_same_weights_in_every_format() {
    let place = Place::new();
    place.write("a.csv", table());
    let expected = hash(&place, "a.csv");
    let mut last = "a.csv".to_owned();
    // Each file is converted from the one before.
    for name in ["b.parquet", "c.npz", "d.jsonl.gz", "e.tsv", "f.parquet.zst", "g.csv.zst", "h.csv"] {
        let said = place.err(&["data", "convert", &last, name]);
        assert!(said.contains(&format!("{name}: 120 rows, 7 columns, ")), "{said}");
        assert_eq!(hash(&place, name), expected, "{last} to {name}");
        last = name.to_owned();
    }
    assert_eq!(place.read("h.csv").lines().next(), Some("width,size,colour,day,time,code,label"));
    assert_eq!(place.read("h.csv").lines().nth(3), table().lines().nth(3), "cells are written as they were");
}

#[test]
fn shipped_tables_train_to_the_same_weights() {
    let place = Place::new();
    for (name, formats) in [
        ("iris", &["tsv", "jsonl", "parquet", "npz"][..]),
        ("penguins", &["tsv", "jsonl", "parquet", "npz"]),
        ("credit", &["tsv", "jsonl", "parquet", "npz"]),
        ("diabetes", &["tsv", "jsonl", "parquet", "npy", "npz", "libsvm"]),
        ("digits", &["parquet", "npy", "libsvm"]),
    ] {
        let csv = format!("{name}.csv");
        place.shipped(&csv);
        let expected = hash(&place, &csv);
        for format in formats {
            let other = format!("{name}.{format}");
            place.ok(&["data", "convert", &csv, &other]);
            assert_eq!(hash(&place, &other), expected, "{other}");
        }
    }
}

#[test]
fn columns_that_a_format_cannot_hold_are_refused_by_name() {
    let place = Place::new();
    place.write("a.csv", table());
    for (to, column, why) in [
        ("a.npy", "colour", "one array holds numbers, and these are text"),
        ("a.libsvm", "size", "libsvm has no missing value"),
    ] {
        let said = place.fails(4, &["data", "convert", "a.csv", to]);
        assert!(said.contains(&format!("{to}, column \"{column}\": {why}")), "{said}");
        assert!(!place.path(to).exists(), "nothing is left behind");
    }
    place.write("xy.csv", "x,y\n0.5,1\n0.25,2\n0.125,3\n");
    let said = place.fails(4, &["data", "convert", "xy.csv", "xy.npz"]);
    assert!(said.contains("column \"x\"") && said.contains("rename the column"), "{said}");
    place.write("n.jsonl", "{\"1\": 1, \"2\": 2}\n{\"1\": 3, \"2\": 4}\n{\"1\": 5, \"2\": 7}\n");
    let said = place.fails(4, &["data", "convert", "n.jsonl", "n.csv"]);
    assert!(said.contains("the names of the columns would be taken for data"), "{said}");
    for (to, why) in [("a.idx", "no format"), ("a.xlsx", "no format"), ("-", "add --to FORMAT")] {
        let said = place.fails(2, &["data", "convert", "a.csv", to]);
        assert!(said.contains(why), "{said}");
    }
    let said = place.fails(2, &["data", "convert", "a.csv", "b", "--to", "idx"]);
    assert!(said.contains("IDX is read, not written"), "{said}");
    let said = place.fails(2, &["data", "convert", "a.csv", "a.csv"]);
    assert!(said.contains("a.csv: the data are there"), "{said}");
    assert_eq!(place.read("a.csv"), table());
    place.fails(5, &["data", "convert", "a.csv", "missing/b.csv"]);
}

#[test]
fn integers_beyond_double_precision_keep_their_digits() {
    let place = Place::new();
    let text = "id,size,label\n9007199254740993,1,a\n9007199254740995,2.5,b\n-9007199254740997,,a\n";
    place.write("a.csv", text);
    place.ok(&["data", "convert", "a.csv", "a.parquet"]);
    place.ok(&["data", "convert", "a.parquet", "b.npz"]);
    place.ok(&["data", "convert", "b.npz", "b.jsonl"]);
    assert_eq!(place.ok(&["data", "convert", "b.jsonl", "-", "--to", "csv"]), text);
}

#[test]
fn cells_that_are_not_numbers_are_kept() {
    let place = Place::new();
    let mut text = "x,label\n".to_owned();
    (0..40).for_each(|n| text += &format!("{},{}\n", if n == 7 { "unknown".to_owned() } else { n.to_string() }, n % 2));
    place.write("a.csv", &text);
    place.ok(&["data", "convert", "a.csv", "a.parquet"]);
    assert_eq!(place.ok(&["data", "convert", "a.parquet", "-", "--to", "csv"]), text);
    assert_eq!(hash(&place, "a.csv"), hash(&place, "a.parquet"));
}

#[test]
fn a_column_without_a_name_is_kept() {
    let place = Place::new();
    let rows: String = (0..60).map(|n| format!("{n},{},{}\n", (n * 7) % 11, ["a", "b"][n % 2])).collect();
    place.write("a.csv", format!(",x,label\n{rows}"));
    place.ok(&["data", "convert", "a.csv", "a.parquet"]);
    assert_eq!(hash(&place, "a.csv"), hash(&place, "a.parquet"));
    let columns = json(&place.ok(&["inspect", "a.parquet", "--json"]))["columns"].clone();
    assert_eq!(columns[0]["name"], "Unnamed: 0");
}

#[test]
fn decimal_commas_become_points_and_ambiguous_dates_are_refused() {
    let place = Place::new();
    place.write("a.csv", "x;label\n1,5;a\n2,25;b\n3;a\n");
    assert_eq!(place.ok(&["data", "convert", "a.csv", "-", "--to", "csv"]), "x,label\n1.5,a\n2.25,b\n3,a\n");
    place.write("d.csv", "day,label\n03/04/2024,a\n05/06/2024,b\n07/08/2024,a\n");
    let said = place.fails(3, &["data", "convert", "d.csv", "d.parquet"]);
    assert!(said.contains("--dates"), "{said}");
    place.ok(&["data", "convert", "d.csv", "d.tsv", "--dates", "day=%d/%m/%Y"]);
    assert_eq!(place.read("d.tsv").lines().nth(1), Some("2024-04-03\ta"));
}

#[test]
fn the_target_may_be_named_as_for_other_verbs() {
    let place = Place::new();
    place.write("a.csv", table());
    place.ok(&["data", "convert", "a.csv", "by-place.tsv"]);
    place.ok(&["data", "convert", "a.csv", "-o", "by-flag.tsv"]);
    assert_eq!(place.read("by-flag.tsv"), place.read("by-place.tsv"));
    place.ok(&["data", "synth", "xor", "--out", "x.csv", "--rows", "9"]);
    assert_eq!(place.read("x.csv").lines().count(), 10);
    assert!(place.fails(2, &["data", "convert", "a.csv"]).contains("<OUT>"));
    place.fails(2, &["data", "convert", "a.csv", "b.csv", "-o", "c.csv"]);
}
