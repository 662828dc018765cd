//! `export`: models in other forms, and their predictions.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::process::{Command, Stdio};

use crate::place::{Place, SMALL, cells, code, error, out};

/// Rows with every kind of column: a number, a date, a text, a truth value, a coded category, a price; and an answer that
/// depends on them.
fn rows(count: usize) -> Vec<[String; 7]> {
    let row = |n: usize| {
        let (colour, flag) = (["red", "dark blue", "grün"][n % 3], n.is_multiple_of(2));
        let x = (n * 37 % 23) as f64 / 4.0 - 2.0;
        let blank = |every: usize, cell: String| if n % every == every - 1 { String::new() } else { cell };
        [
            blank(11, format!("{x}")),
            blank(13, format!("2020-{:02}-{:02}", 1 + n % 60 / 30, 1 + n % 60 % 28)),
            blank(7, colour.to_owned()),
            flag.to_string(),
            blank(9, [1, 2, 5, 10][n % 4].to_string()),
            format!("$1,{:03}.5", n * 7 % 1000),
            if x + f64::from(u8::from(flag)) > 1.0 { "yes" } else { "no" }.to_owned(),
        ]
    };
    (0..count).map(row).collect()
}

const HEADER: &str = "x,day,colour,flag,code,price,answer";

fn csv(rows: &[[String; 7]]) -> String {
    let line = |row: &[String; 7]| {
        let quoted = row.iter().map(|cell| if cell.contains(',') { format!("\"{cell}\"") } else { cell.clone() });
        quoted.collect::<Vec<_>>().join(",") + "\n"
    };
    format!("{HEADER}\n{}", rows.iter().map(line).collect::<String>())
}

/// The rows as an exported C program reads them: dates and prices as numbers.
fn lines(rows: &[[String; 7]]) -> String {
    let number = |cell: &str| cell.replace(['$', ','], "");
    let days = |cell: &str| {
        let day: Vec<usize> = cell.split('-').filter_map(|part| part.parse().ok()).collect();
        if day.is_empty() { String::new() } else { (18_262 + 31 * (day[1] - 1) + day[2] - 1).to_string() }
    };
    let line = |[x, day, colour, flag, code, price, _]: &[String; 7]| {
        [x, &days(day), colour, flag, code, &number(price)].map(String::as_str).join("\t") + "\n"
    };
    rows.iter().map(line).collect()
}

/// Rows with a cell that is missing, unknown, spelled differently or far outside the range.
fn odd_rows() -> Vec<[String; 7]> {
    let odd = [
        (0, ""),
        (0, "1e9"),
        (0, "-999"),
        (1, ""),
        (1, "2035-12-31"),
        (2, "never seen"),
        (2, "RED"),
        (2, "Dark  Blue"),
        (2, " red "),
        (2, "NA"),
        (3, "TRUE"),
        (4, "7"),
        (4, "10.0"),
        (4, ""),
    ];
    odd.iter().zip(rows(20)).fold(Vec::new(), |mut all, ((column, cell), mut row)| {
        // `lines` can convert only dates of the original years, so other dates are left out.
        if *column != 1 || cell.is_empty() {
            row[*column] = (*cell).to_owned();
            all.push(row);
        }
        all
    })
}

/// Compiles an exported file with strict warnings, and runs it; `None` if there is no compiler.
fn run_c(place: &Place, file: &str, input: &str) -> Option<String> {
    let mut cc = Command::new("cc");
    cc.args([
        "-std=c99",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-pedantic",
        "-fsanitize=address,undefined",
        "-DGRADLANE_MAIN",
    ]);
    let compiled = cc.args(["-o", "program", file, "-lm"]).current_dir(place.path("")).output().ok()?;
    assert!(compiled.status.success(), "{}", error(&compiled));
    let program =
        Command::new(place.path("program")).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut program = program.expect("the program starts");
    program.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = program.wait_with_output().unwrap();
    assert_eq!((code(&output), error(&output).as_str()), (0, ""));
    Some(out(&output))
}

/// Compares the output of a program with that of `predict --proba`.
fn compare(predicted: &str, found: &str, what: &str) {
    let predicted = &cells(predicted)[1..];
    assert_eq!(found.lines().count(), predicted.len(), "{what}");
    for (row, (expected, found)) in predicted.iter().zip(found.lines()).enumerate() {
        let found: Vec<&str> = found.split('\t').collect();
        assert_eq!(found.len(), expected.len(), "{what}, row {row}");
        for (expected, found) in expected.iter().zip(found) {
            match (expected.parse::<f64>(), found.parse::<f64>()) {
                (Ok(expected), Ok(found)) => {
                    let most = 1e-5 * (1.0 + expected.abs());
                    assert!((expected - found).abs() < most, "{what}, row {row}: {found} for {expected}");
                }
                _ => assert_eq!(found, *expected, "{what}, row {row}"),
            }
        }
    }
}

#[test]
fn an_exported_c_program_predicts_the_same_as_predict() {
    let place = Place::new();
    place.write("data.csv", csv(&rows(120)));
    let all = [rows(60), odd_rows()].concat();
    place.write("rows.csv", csv(&all));
    let common = ["--categorical", "code", "--na", "+-999"];
    for (name, options) in [
        ("plain", &["--hidden", "8", "--threshold", "0.4"][..]),
        ("quantiles", &["--hidden", "8", "--scale", "quantile", "--ensemble", "2", "--norm", "layer", "--residual"]),
        ("tabular", &["--preset", "realmlp", "--hidden", "8,8"]),
        (
            "members",
            &["--hidden", "8", "--members", "tabm:3", "--embed", "ple:bins=4,dim=3", "--category-embedding", "2"],
        ),
        ("squares", &["--hidden", "8", "--loss", "mse", "--members", "packed:2"]),
        ("forms", &["--preset", "best", "--portfolio", "realmlp,tabm-mini-small,mlp-ple", "--cv", "3"]),
        (
            "numbers of forms",
            &[
                "--label",
                "x",
                "--task",
                "regression",
                "--ignore",
                "price",
                "--preset",
                "best",
                "--portfolio",
                "realmlp,tabm-mini-small",
                "--cv",
                "3",
            ],
        ),
        ("number", &["--label", "x", "--task", "regression", "--ignore", "price", "--hidden", "8", "--clamp"]),
    ] {
        let train = [&["train", "data.csv", "-o", name, "--epochs", "3", "--quiet"], &common[..], options].concat();
        place.ok(&train);
        let notes = place.err(&["export", name, "-o", "model.c"]);
        assert!(notes.contains("column \"day\": its field is a number, days since 1970-01-01"), "{notes}");
        assert_eq!(
            notes.contains("column \"price\": its field is a number, the value of the text"),
            !name.starts_with("number")
        );
        let predicted = place.ok(&["predict", name, "rows.csv", "--proba"]);
        let input = if name.starts_with("number") {
            // The first cell is the label and the last the price; neither is an input. The answer is one.
            let lines = lines(&all);
            let answers = all.iter().map(|row| row[6].as_str());
            let inner = |line: &str| line.split('\t').skip(1).take(4).collect::<Vec<_>>().join("\t");
            lines.lines().zip(answers).map(|(line, answer)| format!("{}\t{answer}\n", inner(line))).collect()
        } else {
            lines(&all)
        };
        let Some(found) = run_c(&place, "model.c", &input) else { return };
        compare(&predicted, &found, name);
    }
}

#[test]
fn an_exported_c_program_refuses_the_same_rows_as_predict() {
    let place = Place::new();
    place.write(
        "data.csv",
        (0..40).fold("a,b,y\n".to_owned(), |text, n| text + &format!("{n},{},{}\n", n * n % 7, n % 2)),
    );
    place.train("data.csv", "run", &[]);
    place.ok(&["export", "run", "-o", "model.c"]);
    let mut cc = Command::new("cc");
    cc.args(["-std=c99", "-DGRADLANE_MAIN", "-o", "program", "model.c", "-lm"]);
    if cc.current_dir(place.path("")).output().is_err() {
        return;
    }
    let column = "row 1: the value of column 2 is infinite or too large\n";
    let cells = "row 1: expected 2 cells with tabs between them, those of numbers empty or a number\n";
    for (input, message) in
        [("1\tinf\n", column), ("1\t1e300\n", column), ("1\n", cells), ("1\t2\t3\n", cells), ("1\tx\n", cells)]
    {
        let mut program = Command::new(place.path("program"));
        let mut program = program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        program.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = program.wait_with_output().unwrap();
        assert_eq!(code(&output), 1, "{input}");
        assert_eq!(error(&output), message, "{input}");
    }
}

/// Models of version 0.1 do not store what is known of a column, by which other spellings of its levels are found.
#[test]
fn a_model_of_an_older_version_compiles_without_warnings() {
    let place = Place::new();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/models/v1/mixed");
    place.ok(&["export", &format!("{folder}/model.safetensors"), "-o", "model.c"]);
    let data = std::fs::read_to_string(format!("{folder}/data.csv")).unwrap();
    // The columns are x, z, city, then a weight and the label.
    let row = |cells: &Vec<&str>| cells[..3].join("\t").replace("NA", "") + "\n";
    let input: String = cells(&data)[1..].iter().map(row).collect();
    let Some(found) = run_c(&place, "model.c", &input) else { return };
    compare(&std::fs::read_to_string(format!("{folder}/predictions.csv")).unwrap(), &found, "mixed");
}

/// Expected values: Python's `datetime.date.toordinal` minus 719163.
#[test]
fn exported_c_code_counts_days_of_the_calendar() {
    let place = Place::new();
    place.write("data.csv", csv(&rows(80)));
    place.train("data.csv", "run", &[]);
    place.ok(&["export", "run", "-o", "model.c"]);
    let dates = "1970,1,1 1969,12,31 2000,3,1 2024,2,29 1900,3,1 1600,2,29 1,1,1 9999,12,31";
    let prints = dates.split(' ').map(|date| format!("    printf(\"%.0f \", gradlane_days({date}));\n"));
    let main = format!(
        "#include <stdio.h>\n#include \"model.c\"\nint main(void)\n{{\n{}    return 0;\n}}\n",
        prints.collect::<String>()
    );
    place.write("main.c", main);
    let mut cc = Command::new("cc");
    cc.args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-o", "program", "main.c", "-lm"]);
    let Ok(compiled) = cc.current_dir(place.path("")).output() else { return };
    assert!(compiled.status.success(), "{}", error(&compiled));
    let output = Command::new(place.path("program")).output().unwrap();
    assert_eq!(out(&output), "0 -1 11017 19782 -25508 -135081 -719162 2932896 ");
}

/// The tensors of an archive by name: the shape as text in its header, and the values.
fn archive(place: &Place, name: &str) -> BTreeMap<String, (String, Vec<f32>)> {
    let mut zip = zip::ZipArchive::new(std::fs::File::open(place.path(name)).unwrap()).unwrap();
    let mut tensors = BTreeMap::new();
    for at in 0..zip.len() {
        let mut file = zip.by_index(at).unwrap();
        let name = file.name().unwrap().strip_suffix(".npy").unwrap().to_owned();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        let length = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        let header = String::from_utf8(bytes[10..length].to_vec()).unwrap();
        assert!(header.starts_with("{'descr': '<f4', 'fortran_order': False, 'shape': ("), "{header}");
        let shape = header.split(['(', ')']).nth(1).unwrap().to_owned();
        let values = bytes[length..].chunks(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        tensors.insert(name, (shape, values));
    }
    tensors
}

#[test]
fn weights_are_the_same_in_npz_and_json() {
    let place = Place::new();
    place.shipped("iris.csv");
    let summary = place.train("iris.csv", "run", &["--ensemble", "2"]);
    place.ok(&["export", "run", "-o", "model.npz"]);
    place.ok(&["export", "run", "-o", "model.json"]);
    let (arrays, json) = (archive(&place, "model.npz"), place.json("model.json"));
    assert_eq!(json["weights_sha256"], summary["weights_sha256"]);
    assert_eq!(json["card"]["preprocessing"]["target"], json["head"]["target"]);
    assert_eq!(json["rows"]["columns"].as_array().unwrap().len(), 4);
    let networks = json["networks"].as_array().unwrap();
    assert_eq!((networks.len(), arrays.len()), (2, 8));
    for (number, network) in networks.iter().enumerate() {
        for (name, tensor) in network.as_object().unwrap() {
            let (shape, values) = &arrays[&format!("ensemble.{number}.{name}")];
            let sizes = tensor["shape"].as_array().unwrap().iter().map(|size| format!("{size},"));
            assert_eq!(*shape, sizes.collect::<String>(), "{name}");
            let found = tensor["values"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap() as f32);
            assert!(found.eq(values.iter().copied()), "{name}");
        }
    }
}

#[test]
fn failed_exports_name_the_fault_and_keep_the_model() {
    let place = Place::new();
    place.shipped("iris.csv");
    place.ok(&[&["train", "iris.csv", "-o", "run"], &SMALL[..]].concat());
    let model = std::fs::read(place.path("run/model.safetensors")).unwrap();
    let message = place.fails(2, &["export", "run", "-o", "model.bin"]);
    assert!(message.contains("model.bin: its name says no form: add --to onnx, c, npz or json"), "{message}");
    let message = place.fails(2, &["export", "run", "--to", "onx", "-o", "model"]);
    assert!(message.contains("onx") && message.contains("onnx"), "{message}");
    place.fails(2, &["export", "run", "--to", "json"]);
    let message = place.fails(2, &["export", "run", "--to", "json", "-o", "run/model.safetensors"]);
    assert!(message.contains("the model is there, and would be lost"), "{message}");
    place.fails(5, &["export", "nowhere", "-o", "model.c"]);
    place.fails(5, &["export", "run", "-o", "nowhere/model.c"]);
    place.fails(3, &["export", "iris.csv", "-o", "model.c"]);
    assert_eq!(std::fs::read(place.path("run/model.safetensors")).unwrap(), model);
    place.write("model.onnx", "older");
    let bytes = place.command(&["export", "run", "--to", "onnx", "-o", "-"]).output().unwrap().stdout;
    place.ok(&["export", "run", "-o", "model.onnx"]);
    assert_eq!(std::fs::read(place.path("model.onnx")).unwrap(), bytes, "equal models give equal bytes");
    assert_eq!(bytes[..2], [8, 8], "version 8 of the form comes first");
}
