//! Cells of many forms: what they are read as, and which are refused or warned about.

use crate::place::{Place, code, error, json};

/// The description of a column `v` with these cells, in turn, as JSON, and its notes and warnings.
fn described(cells: &[&str], flags: &[&str]) -> Result<(serde_json::Value, String), String> {
    let place = Place::new();
    let rows = (0..3 * cells.len()).map(|n| format!("{};{}\n", cells[n % cells.len()], n % 3)).collect::<String>();
    place.write("d.csv", "v;y\n".to_owned() + &rows);
    let run = place.run(&[&["inspect", "--json", "d.csv"], flags].concat());
    if code(&run) != 0 {
        assert_eq!(code(&run), 3, "{}", error(&run));
        return Err(error(&run));
    }
    let seen = json(&String::from_utf8(run.stdout).unwrap());
    let said = seen["notes"].to_string() + &seen["warnings"].to_string();
    Ok((seen["columns"][0].clone(), said))
}

#[test]
fn numbers_have_their_values() {
    for (cells, min, max) in [
        (&["$(1,234.50)", "$1,234.50", "$7"][..], -1234.5, 1234.5),
        (&["98.95-", "3.5", "7"], -98.95, 7.0),
        (&["–98.95", "3", "7.5"], -98.95, 7.5),
        (&["12\u{2009}345", "1\u{2009}000", "5"], 5.0, 12345.0),
        (&["3.807.567,44 €", "1,50 €"], 1.5, 3_807_567.44),
        (&["1,370e+03", "2,125e-02"], 0.02125, 1370.0),
    ] {
        let (column, said) = described(cells, &[]).unwrap();
        assert_eq!((column["min"].as_f64(), column["max"].as_f64()), (Some(min), Some(max)), "{cells:?}: {said}");
    }
    // With plain numbers in another column, too.
    let place = Place::new();
    let rows: String = (1..30).map(|n| format!("\"{n}.000,50 €\",{n}.25,{}\n", n % 2)).collect();
    place.write("d.csv", "v,x,y\n".to_owned() + &rows);
    let seen = json(&place.ok(&["inspect", "--json", "d.csv"]));
    assert_eq!(seen["columns"][0]["max"].as_f64(), Some(29_000.5));
}

#[test]
fn dates_have_their_values() {
    for (cells, min, max) in [
        (&["2024-1-5", "2024-12-25"][..], "2024-01-05", "2024-12-25"),
        (&["March 5, 2020", "May 1, 2019"], "2019-05-01", "2020-03-05"),
        (&["05 March 2020", "25 December 2019"], "2019-12-25", "2020-03-05"),
        (&["5. March 2020", "25. December 2019"], "2019-12-25", "2020-03-05"),
        (&["05/2014", "12/2013"], "2013-12-01", "2014-05-01"),
        (&["Jan-2020", "Dec-2019"], "2019-12-01", "2020-01-01"),
        (&["2020-Jan-05", "2019-Dec-07"], "2019-12-07", "2020-01-05"),
    ] {
        let (column, said) = described(cells, &[]).unwrap();
        assert_eq!((&column["min"], &column["max"]), (&min.into(), &max.into()), "{cells:?}: {said}");
    }
}

#[test]
fn what_only_looks_like_a_number_or_date_stays_text() {
    for (cells, warned) in [
        (&["2000-01", "2003-04", "2010-11", "2012-13"][..], false),
        (&["2000-01", "2003-04", "2010-11"], false),
        (&["(1995)", "(1979)", "(1982)"], true),
        (&["18-", "25-", "65-"], false),
    ] {
        let (column, said) = described(cells, &[]).unwrap();
        assert_eq!(column["type"], "text", "{cells:?}");
        assert_eq!(said.contains("is read as text"), warned, "{cells:?}: {said}");
    }
}

#[test]
fn cells_that_contradict_each_other_are_refused_or_warned_about() {
    let days: Vec<String> = (1..25).map(|day| format!("05/{day:02}/2020")).collect();
    let mut cells: Vec<&str> = days.iter().map(String::as_str).collect();
    assert!(described(&cells, &[]).is_ok());
    cells.push("21/05/2020");
    let said = described(&cells, &[]).unwrap_err();
    assert!(said.contains("\"21/05/2020\" fits %d/%m/%Y alone") && said.contains("--dates \"v=text\""), "{said}");
    let (_, said) = described(&["2020-01-05T10:00:00+05:00", "2020-01-05T10:00:00"], &[]).unwrap();
    assert!(said.contains("others do not"), "{said}");
    let (_, said) =
        described(&["2020-05-01", "2020-05-02", "2020-05-03", "2020-05-04", "2020-05-05", "2020/05/06"], &[]).unwrap();
    assert!(said.contains("3 cells are no date of this form"), "{said}");
    let said = described(&["1.234 €", "850 €"], &[]).unwrap_err();
    assert!(said.contains("may be 1.234 or 1234: --decimal . or --thousands . says which"), "{said}");
}

/// `--thousands` and `--decimal` hold for the columns that can be read so; others keep their decimal points.
#[test]
fn a_thousands_separator_does_not_spoil_other_columns() {
    let place = Place::new();
    place.write("d.csv", "rooms,area,price\n2,55.5,850\n3,80.1,1.299\n4,120.7,2.150\n1,30.2,499\n");
    let seen = json(&place.ok(&["inspect", "--json", "d.csv"]));
    assert!(seen["warnings"].to_string().contains("--thousands . says otherwise"), "{seen}");
    let seen = json(&place.ok(&["inspect", "--json", "d.csv", "--thousands", "."]));
    let greatest = |column: usize| seen["columns"][column]["max"].as_f64();
    assert_eq!((greatest(1), greatest(2)), (Some(120.7), Some(2150.0)), "{seen}");
}

/// A date without separators is read where the user says so.
#[test]
fn dates_of_digits_are_read_by_their_format() {
    for (cells, format) in [(["200305", "191231"], "v=%y%m%d"), (["20200305", "20191231"], "v=%Y%m%d")] {
        let (column, _) = described(&cells, &["--dates", format]).unwrap();
        assert_eq!((&column["min"], &column["max"]), (&"2019-12-31".into(), &"2020-03-05".into()), "{cells:?}");
    }
}

#[test]
fn weeks_are_no_dates() {
    let place = Place::new();
    place.write("d.csv", "w,y\n2020-W05,1\n2020-W30,2\n");
    let said = place.fails(2, &["inspect", "d.csv", "--dates", "w=%Y-W%W"]);
    assert!(said.contains("w=%Y-W%W"), "{said}");
}

/// A stray quote is found beside columns of dates and of decorated numbers, too.
#[test]
fn quotes_that_swallow_rows_are_refused_in_long_files() {
    let place = Place::new();
    let row = |n: usize| {
        let quote = if n == 10 || n == 210 { "\"" } else { "" };
        format!("{}.5,{quote}{},{:02}/05/2020,${}\n", n % 10, ["red", "blue"][n % 2], n % 28 + 1, n % 9)
    };
    place.write("d.csv", "a,c,d,p\n".to_owned() + &(0..2000).map(row).collect::<String>());
    assert!(place.fails(3, &["inspect", "d.csv"]).contains("d.csv:12: a quoted cell of this row goes on to line 212"));
}

#[test]
fn a_row_of_sums_is_warned_about() {
    let place = Place::new();
    let rows: String = (0..60).map(|n| format!("R{n},{},{}\n", 3 * n + 1, n * 7 % 50)).collect();
    let sum = |of: &dyn Fn(u32) -> u32| (0..60).map(of).sum::<u32>();
    let total = format!(",{},{}\n", sum(&|n| 3 * n + 1), sum(&|n| n * 7 % 50));
    place.write("d.csv", "id,a,b\n".to_owned() + &rows);
    assert!(!place.ok(&["inspect", "--json", "d.csv"]).contains("the sum of all rows"));
    place.write("d.csv", "id,a,b\n".to_owned() + &rows + &total);
    assert!(place.ok(&["inspect", "--json", "d.csv"]).contains("the last row has the sum of all rows above"));
}

/// Among percentages, 0.05 may mean 5 %.
#[test]
fn a_model_of_percentages_refuses_plain_fractions() {
    let place = Place::new();
    let rows: String = (0..60).map(|n| format!("{}.{}%,{}\n", n % 7, n % 10, n % 2)).collect();
    place.write("d.csv", "v,y\n".to_owned() + &rows);
    place.train("d.csv", "run", &["--hidden", "4", "--epochs", "2"]);
    place.write("new.csv", "v\n5.5%\n0\n");
    assert_eq!(place.ok(&["predict", "run", "new.csv"]).lines().count(), 3);
    place.write("new.csv", "v\n0.055\n");
    assert!(place.fails(3, &["predict", "run", "new.csv"]).contains("found \"0.055\""));
}

/// A time of another precision is the same time.
#[test]
fn a_model_of_times_reads_other_precisions() {
    let place = Place::new();
    let rows: String =
        (0..60).map(|n| format!("{:02}:{:02},05/{:02}/2020,{}\n", n % 24, n, n % 28 + 1, n % 2)).collect();
    place.write("d.csv", "t,d,y\n".to_owned() + &rows);
    place.train("d.csv", "run", &["--hidden", "4", "--epochs", "2"]);
    let answers = ["10:30,05/17/2020", "10:30:00,05/17/2020 00:00", "10:30 AM,2020-05-17"].map(|row| {
        place.write("new.csv", format!("t,d\n{row}\n"));
        place.ok(&["predict", "run", "new.csv", "--proba"])
    });
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
}

/// What a hint quotes is one word of a shell, whatever the cell holds.
#[test]
fn cells_in_hints_are_quoted_for_a_shell() {
    let (_, said) = described(&["$(touch x)", "5", "6", "7", "8", "9", "10", "11", "12"], &[]).unwrap();
    assert!(said.contains("--na '+$(touch x)'"), "{said}");
}

/// Units below the names are no rows, and make no classes of a number.
#[test]
fn a_line_of_units_is_refused() {
    let place = Place::new();
    let rows: String = (0..60).map(|n| format!("{n}.5,{}.25,{}\n", n * 7 % 50, 3 * n)).collect();
    place.write("d.csv", "temp,flow,power\n°C,m3/h,kW\n".to_owned() + &rows);
    let said = place.fails(3, &["train", "d.csv"]);
    assert!(said.contains("d.csv:2: expected numbers") && said.contains("units"), "{said}");
    place.write("d.csv", "temp,flow,power\n?,0.5,-\n".to_owned() + &rows);
    place.ok(&["inspect", "d.csv"]);
}

/// Values in another form are not taken for missing ones.
#[test]
fn values_in_another_form_are_not_missing() {
    for cells in [
        &["1.5", "2.5", "3.5", "4.5", "5.5", "<0.5", "<0.1", "<0.3", "<0.2"][..],
        &["10:30", "11:15", "09:05", "08:00", "07:45", "12:10", "13:20", "14:40", "26:10"],
    ] {
        let (column, said) = described(cells, &[]).unwrap();
        assert_eq!((&column["type"], &column["missing"]), (&"text".into(), &0.into()), "{cells:?}: {said}");
        assert!(said.contains("is read as text"), "{said}");
    }
    let (_, said) = described(&["Store 1", "Store 2", "Store 3"], &[]).unwrap();
    assert!(!said.contains("beside them"), "{said}");
}

/// An encoding that the user names is not guessed again.
#[test]
fn a_named_encoding_is_not_guessed() {
    let place = Place::new();
    let mut text = b"v,y\n1,a\n2,b\n".to_vec();
    text.extend(b"3,\xe9t\xe9\n");
    place.write("d.csv", &text);
    assert!(place.ok(&["inspect", "--json", "d.csv"]).contains("read as Latin-1"));
    let said = place.fails(3, &["inspect", "d.csv", "--encoding", "utf-8"]);
    assert!(said.contains("d.csv:4: expected UTF-8") && said.contains("--encoding"), "{said}");
}

#[test]
fn a_dash_for_no_decimals_is_no_minus() {
    let place = Place::new();
    let price = |n: usize| ["12,- €", "9,50 €", "1.200,– €"][n % 3];
    place.write(
        "d.csv",
        (0..60).fold("price\tx\ty\n".to_owned(), |all, n| all + &format!("{}\t{n}\t{}\n", price(n), n % 2)),
    );
    let plain = place.ok(&["data", "convert", "d.csv", "-", "--to", "csv"]);
    assert!(plain.starts_with("price,x,y\n12,0,0\n9.5,1,1\n1200,2,0\n"), "{plain}");
    place.write("n.csv", (0..60).fold("a,y\n".to_owned(), |all, n| all + &format!("(-{n}),{n}.5\n")));
    let kept = place.ok(&["data", "convert", "n.csv", "-", "--to", "csv"]);
    assert!(kept.contains("\n(-7),7.5\n"), "a minus within brackets is no number: {kept}");
    place.write(
        "open.csv",
        (0..60).fold("age,y\n".to_owned(), |all, n| all + &format!("{n}{},{}\n", if n > 50 { "-" } else { "" }, n % 2)),
    );
    let said = error(&place.run(&["inspect", "open.csv"]));
    assert!(said.contains("\"51-\" is read as −51"), "{said}");
}

#[test]
fn points_are_not_decimals_in_one_cell_and_thousands_in_another() {
    let place = Place::new();
    let row = |n: usize| format!("{}.{:03},{:02};{}\n", n % 9 + 1, n * 7 % 1000, n, n % 2);
    place.write("d.csv", (0..60).fold("price;y\n".to_owned(), |all, n| all + &row(n)));
    place.train("d.csv", "run", &["--hidden", "none", "--epochs", "3"]);
    place.write("new.csv", "price,q\n998.5,a\n999.999,a\n");
    let said = place.fails(3, &["predict", "run", "new.csv"]);
    assert!(said.contains("found \"999.999\"") && said.contains("--decimal . says which"), "{said}");
    place.ok(&["predict", "run", "new.csv", "--decimal", "."]);
    place.write("new.jsonl", "{\"price\":1.246}\n{\"price\":998.5}\n");
    assert_eq!(place.ok(&["predict", "run", "new.jsonl"]).lines().count(), 3, "JSON numbers have no thousands");
}

#[test]
fn a_plus_sign_is_no_other_class() {
    let place = Place::new();
    place.write("t.svm", (1..40).fold(String::new(), |all, n| all + &format!("+1 1:{n} 2:3\n-1 1:-{n} 2:{n}\n")));
    place.ok(&["data", "convert", "t.svm", "t.parquet"]);
    place.train("t.svm", "run", &["--hidden", "none", "--epochs", "40", "--lr", "0.1"]);
    let figures = |file: &str| json(&place.ok(&["evaluate", "run", file, "--json"]))["metrics"]["accuracy"].clone();
    assert_eq!(figures("t.svm"), figures("t.parquet"));
}

#[test]
fn classes_that_differ_only_by_case_are_warned_of() {
    let place = Place::new();
    place.write(
        "d.csv",
        (0..80).fold("x,y\n".to_owned(), |all, n| all + &format!("{n}.5,{}\n", ["yes", "Yes", "no"][n % 3])),
    );
    let said = error(&place.run(&["train", "d.csv", "--dry-run"]));
    assert!(said.contains("the class \"yes\" differs from \"Yes\" only by case"), "{said}");
    place.write(
        "letters.csv",
        (0..80).fold("x,y\n".to_owned(), |all, n| all + &format!("{n}.5,{}\n", ["a", "A", "b"][n % 3])),
    );
    assert!(!error(&place.run(&["train", "letters.csv", "--dry-run"])).contains("differs from"));
}

/// Points of one column say what points in others are, unless commas part the columns.
#[test]
fn addresses_and_slips_do_not_turn_decimals_into_thousands() {
    let place = Place::new();
    let column = |seen: &serde_json::Value, name: &str| {
        let mut columns = seen["columns"].as_array().unwrap().iter();
        columns.find(|column| column["name"] == name).unwrap().clone()
    };
    let file = |cell: &dyn Fn(usize) -> String| {
        let rows = (0..100).map(|n| format!("{},{}.{}\n", cell(n), 1 + n % 9, 100 + n));
        "v,x\n".to_owned() + &rows.collect::<String>()
    };
    place.write("hosts.csv", file(&|n| format!("192.168.{}.{}", 100 + n % 99, 101 + n)));
    let seen = json(&place.ok(&["inspect", "--json", "hosts.csv"]));
    assert_eq!((column(&seen, "x")["max"].as_f64(), &column(&seen, "v")["type"]), (Some(9.198), &"text".into()));
    place.write("slip.csv", file(&|n| if n == 50 { "2.361.883".into() } else { format!("{}.{}", 1 + n % 9, 101 + n) }));
    let run = place.run(&["inspect", "--json", "slip.csv"]);
    let seen = json(std::str::from_utf8(&run.stdout).unwrap());
    assert_eq!((column(&seen, "x")["max"].as_f64(), column(&seen, "v")["max"].as_f64()), (Some(9.198), Some(9.199)));
    assert!(seen["warnings"].to_string().contains("2.361.883"), "{}", seen["warnings"]);
    // A single decimal comma does not decide what the commas of another column are.
    let votes = |n: usize| if n == 7 { "\"4,5\"".to_owned() } else { (1 + n % 5).to_string() };
    let rows: String = (0..100).map(|n| format!("{},\"{},{}\"\n", votes(n), 1 + n % 9, 100 + n)).collect();
    place.write("votes.csv", "rating,votes\n".to_owned() + &rows);
    let said = place.fails(3, &["inspect", "votes.csv"]);
    assert!(said.contains("may be 1.1 or 1100"), "{said}");
    // Unless it has both signs, as where a spreadsheet writes commas between the columns.
    let rows: String =
        (0..100).map(|n| format!("\"{}.{},5\",{}.{}\n", 1 + n % 9, 100 + n, 1 + n % 9, 100 + n)).collect();
    place.write("sheet.csv", "v,x\n".to_owned() + &rows);
    let seen = json(&place.ok(&["inspect", "--json", "sheet.csv"]));
    assert_eq!((column(&seen, "v")["max"].as_f64(), column(&seen, "x")["max"].as_f64()), (Some(9198.5), Some(9198.0)));
    // The largest city of several has more than a million inhabitants.
    let rows: String = (0..20).map(|n| format!("c{n},{}.{}\n", 74 + 9 * n, 100 + n)).collect();
    place.write("cities.csv", "city,people\nM,1.512.491\n".to_owned() + &rows);
    let run = place.run(&["inspect", "--json", "cities.csv"]);
    let seen = json(std::str::from_utf8(&run.stdout).unwrap());
    assert_eq!(column(&seen, "people")["max"].as_f64(), Some(1_512_491.0));
    assert!(seen["warnings"].to_string().contains("because of \\\"1.512.491\\\" alone"), "{}", seen["warnings"]);
    // Votes say what the points of inhabitants are.
    let rows: String = (0..20).map(|n| format!("{}.204.{},{}.{}\n", 1 + n % 5, 500 + n, 127 + n, 800 + n)).collect();
    place.write("votes.csv", "votes,people\n".to_owned() + &rows);
    let seen = json(std::str::from_utf8(&place.run(&["inspect", "--json", "votes.csv"]).stdout).unwrap());
    assert_eq!(column(&seen, "people")["max"].as_f64(), Some(146_819.0));
    assert!(seen["warnings"].to_string().contains("--decimal . says otherwise"), "{}", seen["warnings"]);
    // In a file with semicolons, the numbers of German programs.
    let rows: String =
        (0..100).map(|n| format!("{}.{}.{};{}.{}\n", n + 1, 100 + n, 101 + n, 1 + n % 9, 100 + n)).collect();
    place.write("german.csv", "v;x\n".to_owned() + &rows);
    let seen = json(&place.ok(&["inspect", "--json", "german.csv"]));
    assert_eq!(column(&seen, "x")["max"].as_f64(), Some(9198.0));
}

/// A dash, a currency sign or one odd cell changes nothing.
#[test]
fn signs_are_judged_in_columns_with_other_cells_too() {
    let place = Place::new();
    let seen = |text: &str, flags: &[&str]| {
        place.write("d.csv", text);
        let run = place.run(&[&["inspect", "--json", "d.csv"], flags].concat());
        json(std::str::from_utf8(&run.stdout).unwrap())
    };
    let most = |seen: &serde_json::Value, column: usize| seen["columns"][column]["max"].as_f64();
    for odd in ["", "-", "k.A."] {
        let rows = format!("12.345;1,5\n8.210;2,25\n45.002;3,75\n{odd};0,5\n7.311;4,1\n23.456;2,2\n9.870;1,9\n");
        assert_eq!(most(&seen(&format!("people;share\n{rows}"), &[]), 0), Some(45_002.0), "{odd}");
        let rows = format!("12.345;1,5\n8.210;2,25\n45.002;3,75\n500;{odd}\n7.311;4,1\n23.456;2,2\n9.870;1,9\n");
        assert_eq!(most(&seen(&format!("people;share\n{rows}"), &[]), 0), Some(45_002.0), "{odd}");
    }
    for doubtful in ["$1.250\n$2.990\n$950\n$12.500\n$850\n", "1.250\n−2.990\n950\n12.500\n850\n"] {
        let seen = seen(&format!("price\n{doubtful}"), &["--header", "yes"]);
        assert!(seen["warnings"].to_string().contains("may part thousands"), "{doubtful}: {seen}");
    }
    // One typing error among American thousands.
    let cells: String = (0..30).map(|n| format!("\"{},{}\",{}\n", 1 + n, 204 + n, n % 2)).collect();
    assert_eq!(most(&seen(&format!("people,y\n{cells}\"12,34\",1\n"), &[]), 0), Some(30_233.0));
    // 12.50 says that points stand before decimals.
    let rows = "4.930;12.50\n3.181;9.95\n1.664;4.20\n2.742;7.85\n4.115;11.15\n3.907;10.40\n";
    assert_eq!(seen(&format!("km;price\n{rows}"), &[])["warnings"].to_string(), "[]");
    place.write("both.csv", "a;b;c\n1,5;2.5;1,234\n2,5;3.5;5,678\n7,5;7.25;2,345\n3,5;9.5;7,891\n");
    assert!(place.fails(3, &["inspect", "both.csv"]).contains("may be 1.234 or 1234"));
    // One cell of a text column is no number.
    let rows: String = (0..40).map(|n| format!("{n};{}\n", if n == 9 { "1,234" } else { "see above" })).collect();
    assert_eq!(seen(&format!("id;remark\n{rows}"), &[])["columns"][1]["type"], "text");
}

#[test]
fn columns_that_are_left_out_need_not_be_clear() {
    let place = Place::new();
    let rows: String = (0..40).map(|n| format!("{n};\"1,234\";03/04/2020;{}.5;{}\n", n % 7, n % 2)).collect();
    place.write("d.csv", "id;remark;day;x;y\n".to_owned() + &rows);
    assert!(place.fails(3, &["train", "d.csv", "--dry-run"]).contains("column \"day\""));
    place.ok(&["train", "d.csv", "--dry-run", "--ignore", "remark,day"]);
}

#[test]
fn prediction_reads_thousands_as_it_is_told() {
    let place = Place::new();
    let rows: String = (0..60).map(|n| format!("{},{}\n", 100 + 83 * n, n % 2)).collect();
    place.write("d.csv", "price,y\n".to_owned() + &rows);
    place.train("d.csv", "run", &["--epochs", "2", "--hidden", "4"]);
    place.write("points.csv", "price\n250\n1.250\n480\n3.100\n");
    place.write("plain.csv", "price\n250\n1250\n480\n3100\n");
    let predicted = |file: &str, flags: &[&str]| place.run(&[&["predict", "run", file, "--proba"], flags].concat());
    assert_eq!(predicted("points.csv", &["--thousands", "."]).stdout, predicted("plain.csv", &[]).stdout);
    assert!(error(&predicted("points.csv", &[])).contains("where training had whole numbers"));
    assert!(error(&predicted("plain.csv", &[])).is_empty());
}

#[test]
fn points_that_may_part_thousands_are_warned_of_from_the_first_cell() {
    for cells in [&["500", "300", "412", "9.123"][..], &["30.100", "45.500", "12.200", "17.900", "81.600"]] {
        let (column, said) = described(cells, &[]).unwrap();
        assert!(said.contains("may part thousands"), "{cells:?}: {said}");
        assert_eq!(column["type"], "number", "{column}");
    }
    let (_, said) = described(&["0.125", "45.500", "12.200", "17.900", "81.600"], &[]).unwrap();
    assert!(!said.contains("thousands"), "0.125 has no thousands: {said}");
}

#[test]
fn text_of_numbers_in_unknown_forms_is_warned_of() {
    for cells in [
        &["CHF 1'250.50", "CHF 1'300.10", "CHF 2'100.70"][..],
        &["1 250,50 kr", "1 300,10 kr", "2 100,70 kr"],
        &["10¢", "15¢", "20¢"],
        &["٤٥", "٤٦", "٤٧"],
        &["４５", "４６", "４７"],
        &["5pm", "6pm", "11am"],
        &["2020年1月5日", "2020年1月6日", "2020年1月7日"],
        &["1 janvier 2020", "2 février 2020", "3 mars 2020"],
        &["1. März 2020", "2. Mai 2020", "3. Juni 2020"],
        &["2020-01-05Z", "2020-01-06Z", "2020-01-07Z"],
        &["1,230.5", "1.230,5", "2,100.5"],
        &["1,5", "k.A.", "2,5", "3,5", "k.A."],
        &["(5)", "n/d", "7", "8", "n/d"],
    ] {
        let (column, said) = described(cells, &[]).unwrap();
        assert!(column["type"] == "text" && said.contains("is read as"), "{cells:?}: {column} {said}");
    }
    for cells in [&["319_230", "319_231", "320_100"][..], &["10.0.0.1", "10.0.0.2", "10.0.0.3"]] {
        let (column, said) = described(cells, &[]).unwrap();
        assert!(column["type"] == "text" && !said.contains("is read as"), "{cells:?}: {column} {said}");
    }
}

#[test]
fn the_end_of_a_day_is_missing_and_durations_are_text() {
    let hours = |last: &'static str| [&["01:00", "02:00", "03:00", "04:00", "05:00", "06:00"][..], &[last]].concat();
    let (column, said) = described(&hours("24:00"), &[]).unwrap();
    assert!(column["missing"] == 3 && said.contains("no date"), "{column} {said}");
    for long in ["26:10", "240:00"] {
        assert_eq!(described(&hours(long), &[]).unwrap().0["type"], "text", "{long}");
    }
}

#[test]
fn rows_called_subtotals_are_warned_of() {
    let place = Place::new();
    let rows =
        |n: usize| if n % 4 == 3 { format!("Subtotal,{},1\n", 3 * n) } else { format!("g{},{n},{}\n", n % 3, n % 2) };
    place.write("d.csv", "n,p,y\n".to_owned() + &(0..40).map(rows).collect::<String>());
    let said = error(&place.run(&["train", "d.csv", "--dry-run"]));
    assert!(said.contains("10 rows are called \"Subtotal\""), "{said}");
}

/// Some rows of the numbers of training in another notation.
#[test]
fn a_few_rows_a_thousand_times_smaller_are_warned_of() {
    let place = Place::new();
    let rows = |n: usize| format!("\"{},{:03}\",{}\n", 1 + n % 9, n * 37 % 1000, n % 2);
    place.write("d.csv", "x,y\n".to_owned() + &(0..100).map(rows).collect::<String>());
    place.ok(&["train", "d.csv", "--preset", "plain", "--epochs", "1", "-q", "-o", "run"]);
    place.write("new.csv", "x;q\n1.234;1\n2.345;1\n");
    let said = error(&place.run(&["predict", "run", "new.csv"]));
    assert!(said.contains("column \"x\" is shifted: 2 of 2 values"), "{said}");
    place.write("same.csv", "x,q\n\"1,234\",1\n\"9,900\",1\n");
    assert_eq!(error(&place.run(&["predict", "run", "same.csv"])), "");
}
