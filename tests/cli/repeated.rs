//! Data are read in the same way again: when a run is repeated, by later verbs, and in another format.

use crate::place::{Place, error, json, out};

const PLAIN: [&str; 4] = ["--hidden", "4", "--epochs", "3"];

/// A header and `rows` lines; `line` writes each, given its number from 0.
fn table(header: &str, rows: usize, line: impl Fn(usize) -> String) -> String {
    format!("{header}\n") + &(0..rows).map(|n| line(n) + "\n").collect::<String>()
}

fn hash(place: &Place, run: &str) -> serde_json::Value {
    place.json(&format!("{run}/summary.json"))["weights_sha256"].clone()
}

#[test]
fn lines_above_the_header_are_skipped_again() {
    let rows = |n: usize| format!("{},{},{}", n % 7, n % 5, ["a", "b"][n % 2]);
    for (name, above) in [("title", "Sales,,\n"), ("blank", ",,\n"), ("comment", "# of,last,year\n")] {
        let place = Place::new();
        place.write("d.csv", above.to_owned() + &table("x,z,y", 60, rows));
        place.train("d.csv", "run", &PLAIN);
        place.ok(&["train", "-c", "run/config.toml", "-o", "again", "-q"]);
        assert_eq!(hash(&place, "run"), hash(&place, "again"), "{name}");
        place.ok(&["verify", "run"]);
        assert_eq!(place.ok(&["predict", "run", "d.csv"]).lines().count(), 61, "{name}");
    }
}

#[test]
fn an_invalid_date_is_missing_and_warned_about() {
    let place = Place::new();
    let day = |n: usize| if n < 2 { "31/04/2020".to_owned() } else { format!("{:02}/04/2020", n % 28 + 1) };
    place.write("d.csv", table("d,y", 60, |n| format!("{},{}", day(n), n % 2)));
    let seen = place.run(&["inspect", "d.csv", "--json"]);
    let column = &json(&out(&seen))["columns"][0];
    assert_eq!((&column["type"], &column["missing"]), (&"date".into(), &2.into()));
    assert!(json(&out(&seen))["warnings"][0]["message"].as_str().unwrap().contains("31/04/2020"));
    place.write("m.csv", table("d,y", 60, |n| format!("{:02}/2020,{}", n % 12 + 1, n % 2)));
    let seen = json(&place.ok(&["inspect", "m.csv", "--json", "--dates", "d=%m/%Y"]));
    assert_eq!(seen["columns"][0]["min"], "2020-01-01", "a month is its first day");
}

#[test]
fn numbers_are_dates_if_the_user_says_so() {
    let place = Place::new();
    place.write("d.csv", table("d,y", 60, |n| format!("202001{:02},{}", n % 28 + 1, n % 2)));
    let seen = json(&place.ok(&["inspect", "d.csv", "--json", "--dates", "d=%Y%m%d"]));
    assert_eq!((&seen["columns"][0]["type"], &seen["columns"][0]["max"]), (&"date".into(), &"2020-01-28".into()));
    place.write("wrong.csv", table("d,y", 60, |n| format!("202002{:02},{}", n % 31 + 1, n % 2)));
    assert!(place.fails(3, &["inspect", "wrong.csv", "--dates", "d=%Y%m%d"]).contains("20200230"));
}

#[test]
fn a_model_reads_the_dates_that_other_programs_write() {
    let place = Place::new();
    place.write("d.csv", table("d,x,y", 60, |n| format!("{:02}/03/2020,{},{}", n % 28 + 1, n % 5, n % 2)));
    place.train("d.csv", "run", &PLAIN);
    place.ok(&["data", "convert", "d.csv", "d.tsv"]);
    let of = |file: &str| place.ok(&["predict", "run", file, "--proba"]);
    assert_eq!(of("d.csv"), of("d.tsv"));
    place.write("wrong.csv", "d,x\n2020.03.03,1\n");
    assert!(
        place.fails(3, &["predict", "run", "wrong.csv"]).contains("expected a date (%d/%m/%Y), found \"2020.03.03\"")
    );
}

#[test]
fn times_in_utc_and_local_times_are_told_apart() {
    let place = Place::new();
    let times = |offset: &str| {
        table("t,x,y", 60, |n| format!("2020-01-{:02} 10:00:00{offset},{},{}", n % 28 + 1, n % 5, n % 2))
    };
    for (name, offset) in [("local", ""), ("utc", "Z"), ("east", "+05:00")] {
        place.write(&format!("{name}.csv"), times(offset));
    }
    place.train("local.csv", "of_local", &PLAIN);
    place.train("east.csv", "of_east", &PLAIN);
    let said = |run: &str, file: &str| error(&place.run(&["predict", run, file]));
    assert_eq!(said("of_local", "local.csv") + &said("of_east", "utc.csv"), "");
    let other = said("of_local", "utc.csv");
    assert!(other.contains("name no offset from UTC, \"2020-01-01 10:00:00Z\" (line 2) does"), "{other}");
    assert!(said("of_east", "local.csv").contains("\"2020-01-01 10:00:00\" (line 2) does not"));
    assert!(place.run(&["evaluate", "of_local", "east.csv"]).status.success());
    // Every format but NumPy's keeps which of both they are, and the same numbers.
    for format in ["tsv", "jsonl", "parquet", "pack"] {
        for name in ["east", "local"] {
            let to = format!("{name}.{format}");
            place.ok(&["data", "convert", &format!("{name}.csv"), &to]);
            let run = format!("of_{name}");
            assert_eq!(said(&run, &to), "", "{to}");
            assert_eq!(place.ok(&["predict", &run, &to]), place.ok(&["predict", &run, &format!("{name}.csv")]), "{to}");
            let other = if name == "east" { "of_local" } else { "of_east" };
            assert!(said(other, &to).contains("offset from UTC"), "{to}");
        }
    }
}

#[test]
fn times_with_an_offset_for_days_are_warned_of() {
    let place = Place::new();
    let days = |time: &str| table("t,x,y", 60, |n| format!("2020-01-{:02}{time},{},{}", n % 28 + 1, n % 5, n % 2));
    for (name, time) in [("days", ""), ("utc", "T00:00:00Z"), ("east", "T00:00:00+02:00")] {
        place.write(&format!("{name}.csv"), days(time));
    }
    place.train("days.csv", "run", &PLAIN);
    let said = |file: &str| error(&place.run(&["predict", "run", file]));
    assert_eq!(said("utc.csv"), "");
    assert!(said("east.csv").contains("\"2020-01-01T00:00:00+02:00\" (line 2) is a time with an offset from UTC"));
    place.ok(&["data", "convert", "east.csv", "east.parquet"]);
    assert!(said("east.parquet").contains("is a time with an offset from UTC"), "{}", said("east.parquet"));
}

#[test]
fn parts_with_local_times_and_times_in_utc_are_warned_of() {
    let place = Place::new();
    for (name, offset) in [("a", ""), ("b", "Z")] {
        let rows = table("t,y", 30, |n| format!("2020-01-{:02} 10:00:00{offset},{}", n % 28 + 1, n % 2));
        place.write(&format!("{name}.csv"), rows);
        std::fs::create_dir_all(place.path("parts")).unwrap();
        place.ok(&["data", "convert", &format!("{name}.csv"), &format!("parts/{name}.parquet")]);
    }
    let said = error(&place.run(&["train", "parts", "--dry-run"]));
    assert!(said.contains("(row 31) is in UTC, times above it are local"), "{said}");
}

#[test]
fn an_ambiguous_point_is_refused_in_prediction() {
    let place = Place::new();
    place.write("d.csv", table("x;y", 60, |n| format!("{},{};{}", n * 50, 10 + n % 7, n % 2)));
    place.train("d.csv", "run", &PLAIN);
    place.write("new.csv", "x;q\n1.234;1\n");
    let said = place.fails(3, &["predict", "run", "new.csv"]);
    assert!(said.contains("--thousands . or --decimal . says which"), "{said}");
    place.write("plain.csv", "x;q\n1234;1\n");
    let thousands = place.ok(&["predict", "run", "new.csv", "--thousands", ".", "--proba"]);
    assert_eq!(thousands, place.ok(&["predict", "run", "plain.csv", "--proba"]));
}

#[test]
fn an_unchanged_constant_in_any_form_gives_no_warning() {
    for value in ["31/01/2020", "$5", "5%", "\"1,000\"", "10:30", "(5)", "2020-01-01T10:00:00Z"] {
        let place = Place::new();
        place.write("d.csv", table("x,k,y", 40, |n| format!("{},{value},{}", n % 7, n % 2)));
        place.train("d.csv", "run", &PLAIN);
        assert_eq!(error(&place.run(&["predict", "run", "d.csv"])), "", "{value}");
    }
}

#[test]
fn classes_without_training_rows_are_warned_about() {
    let place = Place::new();
    place.write("d.csv", table("x,t,y", 100, |n| format!("{},{n},{}", n % 7, ["a", "b"][n / 80])));
    let run = place.run(&[&["train", "d.csv", "--split", "time:t", "--test", "0.2", "-o", "run"], &PLAIN[..]].concat());
    assert!(error(&run).contains("no row of \"b\" is in the training part"), "{}", error(&run));
    place.write(
        "lone.csv",
        table("x,y", 60, |n| format!("{},{}", n % 7, if n == 59 { "aa" } else { ["a", "b"][n % 2] })),
    );
    let run = place.run(&[&["train", "lone.csv", "-o", "lone"], &PLAIN[..]].concat());
    assert!(error(&run).contains("\"aa\" has one row"), "{}", error(&run));
}

#[test]
fn testing_on_the_training_file_and_missing_weights_are_warned_about() {
    let place = Place::new();
    place.write("d.csv", table("x,w,y", 60, |n| format!("{},{},{}", n % 7, n % 3 + 1, n % 2)));
    place.write("bare.csv", table("x,y", 60, |n| format!("{},{}", n % 7, n % 2)));
    let run = place.run(&[&["train", "d.csv", "--test", "d.csv", "-o", "same"], &PLAIN[..]].concat());
    assert!(error(&run).contains("warning: --test is the training file"), "{}", error(&run));
    place.train("d.csv", "run", &[&PLAIN[..], &["--weight-col", "w"]].concat());
    let said = error(&place.run(&["evaluate", "run", "bare.csv"]));
    assert!(said.contains("there is no column \"w\" of weights"), "{said}");
}

#[test]
fn convert_keeps_the_spelling_of_truth_values() {
    let place = Place::new();
    place.write("d.csv", table("x,y", 40, |n| format!("{n},{}", ["Yes", "yes", "YES", "No"][n % 4])));
    place.ok(&["data", "convert", "d.csv", "d.tsv"]);
    place.train("d.csv", "one", &PLAIN);
    place.train("d.tsv", "two", &PLAIN);
    assert_eq!(hash(&place, "one"), hash(&place, "two"));
}

#[test]
fn a_generated_header_is_not_taken_for_a_row() {
    let place = Place::new();
    let row = |n: usize| format!("{},{}", ["red", "blue", "green"][n % 3], ["a", "b"][n % 2]);
    place.write("d.csv", (0..30).map(|n| row(n) + "\n").collect::<String>());
    place.train("d.csv", "run", &[&PLAIN[..], &["--header", "no"]].concat());
    place.write("named.csv", table("c0,c1", 12, row));
    assert_eq!(place.ok(&["predict", "run", "named.csv"]).lines().count(), 13);
}

#[test]
fn predictions_do_not_replace_the_model_and_are_written_in_the_form_of_their_name() {
    let place = Place::new();
    place.write("d.csv", table("x,y", 40, |n| format!("{},{}", n % 7, n % 2)));
    place.train("d.csv", "run", &PLAIN);
    assert!(place.fails(2, &["predict", "run", "d.csv", "-o", "run/model.safetensors"]).contains("the model is there"));
    let plain = place.ok(&["predict", "run", "d.csv"]);
    place.ok(&["predict", "run", "d.csv", "-o", "p.csv.gz"]);
    let packed = std::fs::File::open(place.path("p.csv.gz")).unwrap();
    assert_eq!(std::io::read_to_string(flate2::read::GzDecoder::new(packed)).unwrap(), plain);
    for name in ["p.parquet", "p.tsv", "p.jsonl.gz"] {
        assert!(place.fails(2, &["predict", "run", "d.csv", "-o", name]).contains("predictions are CSV"), "{name}");
    }
}

#[test]
fn a_prediction_is_a_number_or_an_error() {
    let place = Place::new();
    place.write("d.csv", table("x,y", 40, |n| format!("{n},{}", n % 2)));
    place.train("d.csv", "run", &["--hidden", "32,32,32", "--epochs", "3"]);
    place.write("far.csv", "x\n3\n3.8e39\n");
    let said = place.fails(4, &["predict", "run", "far.csv", "--proba"]);
    assert!(said.contains("row 2: the prediction is not a number"), "{said}");
}

#[test]
fn integers_beyond_double_precision_are_warned_about() {
    let place = Place::new();
    place.write("d.csv", table("id,x,y", 60, |n| format!("{},{},{}", 9_007_199_254_740_993 + n, n % 7, n % 2)));
    let run = place.run(&[&["train", "d.csv", "-o", "run"], &PLAIN[..]].concat());
    assert!(error(&run).contains("whole numbers beyond 2^53"), "{}", error(&run));
}

#[test]
fn thousands_of_columns_with_the_same_name_can_be_read() {
    let place = Place::new();
    let line = |cell: &str| vec![cell; 50_000].join(",") + "\n";
    place.write("d.csv", line("a") + &line("1") + &line("2"));
    let seen = json(&place.ok(&["inspect", "d.csv", "--json"]));
    assert_eq!(seen["columns"][49_999]["name"], "a.49999");
}
