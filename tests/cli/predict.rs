use std::process::{Command, Stdio};

use crate::place::{Place, cells, error};

fn iris() -> (Place, String) {
    let place = Place::new();
    let text = place.shipped("iris.csv");
    place.train("iris.csv", "run", &["--epochs", "20", "--lr", "0.02"]);
    (place, text)
}

#[test]
fn columns_are_matched_in_any_order_and_without_the_label() {
    let (place, text) = iris();
    let expected = place.ok(&["predict", "run", "iris.csv", "--proba"]);
    let turned = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        format!("{},{},{},extra,{}\n", cells[3], cells[1], cells[0], cells[2])
    };
    place.write("turned.csv", text.lines().map(turned).collect::<String>());
    assert_eq!(place.ok(&["predict", "run", "turned.csv", "--proba"]), expected);
    let bare = |line: &str| line.rsplit_once(',').unwrap().0.to_owned() + "\n";
    place.write("headless.csv", text.lines().skip(1).map(bare).collect::<String>());
    assert_eq!(place.ok(&["predict", "run", "headless.csv", "--proba"]), expected, "matched by place");
    place.write("tabs.tsv", text.replace(',', "\t"));
    assert_eq!(place.ok(&["predict", "run", "tabs.tsv", "--proba"]), expected);
    assert_eq!(place.ok(&["predict", "run/model.safetensors", "iris.csv", "--proba"]), expected);
    for engine in [&["-j", "1"][..], &["-j", "2"], &["--isa", "portable"]] {
        let predicted = place.ok(&[&["predict", "run", "iris.csv"], engine].concat());
        assert_eq!(cells(&predicted).len(), 151, "{engine:?}");
    }
}

#[test]
fn missing_columns_are_named() {
    let (place, text) = iris();
    let without = |line: &str| line.split(',').skip(2).collect::<Vec<_>>().join(",") + "\n";
    place.write("narrow.csv", text.lines().map(without).collect::<String>());
    let message = place.fails(4, &["predict", "run", "narrow.csv"]);
    assert!(message.contains("sepal_length_cm, sepal_width_cm") && message.contains("narrow.csv"), "{message}");
    let message = place.fails(4, &["predict", "run", "iris.csv", "--keep", "specie"]);
    assert!(message.contains("did you mean \"species\"?"), "{message}");
}

#[test]
fn a_part_cannot_be_selected_from_a_file() {
    let (place, _) = iris();
    let message = place.fails(2, &["predict", "run", "iris.csv", "--part", "train"]);
    assert!(message.contains("--part is for a folder") && message.contains("iris.csv"), "{message}");
    place.fails(2, &["evaluate", "run", "iris.csv", "--part", "train"]);
}

#[test]
fn unseen_levels_are_predicted() {
    let place = Place::new();
    let text = place.shipped("penguins.csv");
    place.train("penguins.csv", "run", &[]);
    place.write("new.csv", text.replace("Torgersen", "Atlantis"));
    assert_eq!(place.ok(&["predict", "run", "new.csv"]).lines().count(), 345);
}

#[test]
fn a_wrong_cell_is_refused_with_its_line() {
    let (place, text) = iris();
    place.write("wrong.csv", text.replacen("4.9,3.0", "4.9,wide", 1));
    let message = place.fails(3, &["predict", "run", "wrong.csv"]);
    assert!(message.contains("wrong.csv:3, column \"sepal_width_cm\""), "{message}");
    assert!(message.contains("expected a number, found \"wide\""), "{message}");
}

#[test]
fn a_file_without_rows_gives_only_a_header() {
    let (place, text) = iris();
    place.write("header.csv", text.lines().next().unwrap().to_owned() + "\n");
    assert_eq!(place.ok(&["predict", "run", "header.csv"]), "prediction\n");
    assert_eq!(place.ok(&["predict", "run", "header.csv", "--no-header"]), "");
    place.write("empty.csv", "");
    assert_eq!(place.ok(&["predict", "run", "empty.csv"]), "prediction\n", "no rows, no predictions");
}

#[test]
fn kept_columns_are_copied_as_they_are_written() {
    let (place, _) = iris();
    place.write(
        "ids.csv",
        "id,petal_length_cm,petal_width_cm,sepal_length_cm,sepal_width_cm\n\"a,\"\"1\",1.40,0.2,5.1,3.50\n",
    );
    let predicted = place.ok(&["predict", "run", "ids.csv", "--keep", "sepal_width_cm,id"]);
    assert_eq!(predicted, "sepal_width_cm,id,prediction\n3.50,\"a,\"\"1\",setosa\n");
    let bare = place.ok(&["predict", "run", "ids.csv", "--keep", "id", "--no-header"]);
    assert_eq!(bare, "\"a,\"\"1\",setosa\n");
}

/// Repeats the rows of a CSV text, to exceed a chunk and the capacity of a pipe.
fn many(text: &str, times: usize) -> String {
    let (header, rows) = text.split_once('\n').unwrap();
    format!("{header}\n{}", rows.repeat(times))
}

#[test]
fn rows_keep_their_order_over_many_chunks() {
    let (place, text) = iris();
    let once = place.ok(&["predict", "run", "iris.csv", "--proba"]);
    place.write("many.csv", many(&text, 200));
    assert_eq!(place.ok(&["predict", "run", "many.csv", "--proba"]), many(&once, 200));
}

#[test]
fn rows_are_read_from_standard_input_and_written_to_a_file() {
    let (place, text) = iris();
    place.write("older.csv", "older");
    let expected = place.ok(&["predict", "run", "iris.csv"]);
    let mut child = place.command(&["predict", "run", "-", "-o", "older.csv"]).stdin(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(place.read("older.csv"), expected);
}

#[test]
fn a_failure_leaves_the_older_file_and_nothing_else() {
    let (place, text) = iris();
    place.write("older.csv", "older");
    place.write("wrong.csv", many(&text, 100) + "x,1,1,1,setosa\n");
    let before = std::fs::read_dir(place.path(".")).unwrap().count();
    place.fails(3, &["predict", "run", "wrong.csv", "-o", "older.csv"]);
    assert_eq!(place.read("older.csv"), "older");
    assert_eq!(std::fs::read_dir(place.path(".")).unwrap().count(), before, "a temporary file was left");
    let message = place.fails(5, &["predict", "run", "iris.csv", "-o", "missing/file.csv"]);
    assert!(message.starts_with("gradlane: missing/file.csv: ") && !message.contains(".tmp"), "{message}");
}

#[cfg(target_os = "linux")]
#[test]
fn unwritable_outputs_are_named() {
    let (place, _) = iris();
    let message = place.fails(5, &["predict", "run", "iris.csv", "-o", "/proc/predictions.csv"]);
    assert!(message.starts_with("gradlane: /proc/predictions.csv: "), "{message}");
    let message = place.fails(5, &["predict", "run", "iris.csv", "-o", "/dev/full"]);
    assert!(message.contains("/dev/full: No space left"), "{message}");
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = place.command(&["predict", "run", "iris.csv"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", error(&output));
    assert!(error(&output).contains("<stdout>: No space left"), "{}", error(&output));
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_ends_the_program_without_an_error() {
    let (place, text) = iris();
    place.write("many.csv", many(&text, 500));
    let program = place.command(&[]);
    let script =
        format!("{{ '{}' predict run many.csv; echo $? >code; }} | head -n 1", program.get_program().display());
    let output = Command::new("sh").args(["-c", &script]).current_dir(place.path(".")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "prediction\n");
    assert_eq!((place.read("code").trim(), error(&output).as_str()), ("0", ""));
}
