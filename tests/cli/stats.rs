use crate::place::{Place, json};

/// A table with row numbers, a column that determines the label, one with half of its information, one with none, a
/// constant, and the label.
fn table() -> String {
    let row = |n: usize| {
        let label = (n * 7 + n / 5) % 4;
        let noise = (n as f64 * 12.9898).sin() * 43758.5453;
        let (after, half) = (label * 10 + 3, ["low", "high"][label / 2]);
        format!("{n},{after},{half},{:.6},7,{}\n", noise - noise.floor(), ["a", "b", "c", "d"][label])
    };
    "id,after,half,noise,unit,label\n".to_owned() + &(0..400).map(row).collect::<String>()
}

#[test]
fn columns_are_ranked_by_their_information_about_the_label() {
    let place = Place::new();
    place.write("a.csv", table());
    let found = json(&place.ok(&["data", "stats", "a.csv", "--json"]));
    assert_eq!(
        (&found["rows"], &found["label"], &found["task"]),
        (&json("400"), &json("\"label\""), &json("\"multiclass\""))
    );
    let told: Vec<(&str, f64)> = found["information"]
        .as_array()
        .unwrap()
        .iter()
        .map(|told| (told["column"].as_str().unwrap(), told["share"].as_f64().unwrap()))
        .collect();
    assert_eq!((told[0].0, told[1].0), ("after", "half"));
    assert!(told[0].1 > 0.99 && (told[1].1 - 0.5).abs() < 0.02, "{told:?}");
    assert!(told[2..].iter().all(|(_, share)| *share < 0.1), "{told:?}");
    let warnings = found["warnings"].as_array().unwrap();
    let kinds: Vec<(&str, &str)> =
        warnings.iter().map(|w| (w["kind"].as_str().unwrap(), w["column"].as_str().unwrap_or_default())).collect();
    for expected in [("leak", "after"), ("constant_column", "unit"), ("identifier", "id")] {
        assert!(kinds.contains(&expected), "{expected:?} in {kinds:?}");
    }
    assert_eq!(kinds.iter().filter(|(kind, _)| *kind == "leak").count(), 1);
    assert_eq!((found["duplicates"].as_u64(), found["contradictions"].as_u64()), (Some(0), Some(0)));
    // The entropy of the label is 0.4·log₂ 2.5 + 3 · 0.2·log₂ 5.
    let text = place.ok(&["data", "stats", "a.csv"]);
    for part in ["400 rows, 6 columns", "information", "entropy 1.9219 bits"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    place.fails(3, &["data", "stats", "a.csv", "--strict"]);
}

#[test]
fn repeated_rows_are_counted() {
    let place = Place::new();
    let rows: String = (0..60).map(|n| format!("{},{},{}\n", n % 50, n % 50 * 2, ["a", "b"][n % 2])).collect();
    let counts = |more: &str| {
        place.write("a.csv", format!("x,z,label\n{rows}{more}"));
        let found = json(&place.ok(&["data", "stats", "a.csv", "--json"]));
        (found["duplicates"].as_u64().unwrap(), found["contradictions"].as_u64().unwrap())
    };
    // Rows 50 to 59 repeat rows 0 to 9.
    assert_eq!(counts(""), (10, 0));
    assert_eq!(counts("5,10,a\n"), (10, 1), "row 5 is of class b");
    assert_eq!(counts("5,10,a\n5,10,a\n"), (11, 1));
}

#[test]
fn another_file_is_compared() {
    let place = Place::new();
    place.shipped("penguins.csv");
    place.write("new.csv", place.read("penguins.csv").replace("Dream", "Elsewhere"));
    let drift =
        |file: &str| json(&place.ok(&["data", "stats", "penguins.csv", "--against", file, "--json"]))["drift"].clone();
    assert_eq!(drift("penguins.csv"), json("[]"));
    let found = drift("new.csv");
    let is_new = |w: &serde_json::Value| w["kind"] == "unseen_levels" && w["column"] == "island";
    assert!(found.as_array().unwrap().iter().any(is_new), "{found}");
    let text = place.ok(&["data", "stats", "penguins.csv", "--against", "new.csv"]);
    assert!(text.contains("new.csv against penguins.csv: 1 difference\n") && text.contains("Elsewhere"), "{text}");
    place.fails(5, &["data", "stats", "penguins.csv", "--against", "none.csv"]);
    place.fails(2, &["data", "stats", "-"]);
}
