//! The diagnosis of a run that diverged, and `--on-divergence`.

use crate::place::{Place, code, error, json, out};

/// 200 rows, of which row 57 has an input so large that the loss overflows.
fn with_outlier(place: &Place) {
    let mut text = "a,b,y\n".to_owned();
    for n in 0..200 {
        let a = if n == 57 { 1e30 } else { f64::from(n * 37 % 61) / 30.0 - 1.0 };
        text += &format!("{a},{:.4},{}\n", f64::from(n * 53 % 47) / 23.0 - 1.0, ["no", "yes"][n as usize % 2]);
    }
    place.write("outlier.csv", text);
}

#[test]
fn a_diagnosis_names_the_row_and_the_cause() {
    let place = Place::new();
    with_outlier(&place);
    let flags =
        ["--scale", "none", "--valid", "none", "--hidden", "8", "--optimizer", "sgd", "--lr", "0.1", "--epochs", "3"];
    let output = place.run(&[&["train", "outlier.csv", "-o", "run", "--json", "-q"], &flags[..]].concat());
    assert_eq!(code(&output), 10, "{}", error(&output));
    let found = json(&out(&output))["divergence"].clone();
    let rows: Vec<u64> = found["rows"].as_array().unwrap().iter().map(|row| row.as_u64().unwrap()).collect();
    assert!(found["causes"][0].as_str().unwrap().contains("\"a\" is"), "{found}");
    assert!(found["causes"][0].as_str().unwrap().contains("in row 57"), "{found}");
    assert!(found["rows_of_batch"].as_u64().unwrap() as usize >= rows.len() && !rows.is_empty(), "{found}");
    // The squared norm of the gradient of that row overflows a float.
    assert_eq!(found["largest_gradient"]["row"], 57, "{found}");
    assert!(found["tried"].as_array().unwrap().len() > 1, "{found}");
    let text = error(&output);
    for word in ["diverged in epoch 1, step ", "  batch ", "  gradient ", "  weights ", "  causes ", "  tried "] {
        assert!(text.contains(word), "{word} in {text}");
    }
}

#[test]
fn a_smaller_rate_is_found_and_used_for_a_retry() {
    let place = Place::new();
    place.shipped("wine.csv");
    let flags = ["train", "wine.csv", "--hidden", "16", "--optimizer", "sgd", "--lr", "1e5", "--epochs", "20", "-q"];
    let stopped = place.run(&[&flags[..], &["-o", "stopped", "--json"]].concat());
    assert_eq!(code(&stopped), 10, "{}", error(&stopped));
    let found = json(&out(&stopped))["divergence"].clone();
    let helped: Vec<&serde_json::Value> =
        found["tried"].as_array().unwrap().iter().filter(|tried| tried["helped"] == true).collect();
    assert!(helped.iter().all(|tried| tried["loss_after"].as_f64() < tried["loss_before"].as_f64()));
    let best = helped.iter().map(|tried| tried["change"].as_str().unwrap()).find(|change| change.starts_with("--lr"));
    let best = best.unwrap_or_else(|| panic!("no rate helps: {found}"));

    let retried = place.run(&[&flags[..], &["-o", "run", "--json", "--on-divergence", "retry"]].concat());
    assert_eq!(code(&retried), 0, "{}", error(&retried));
    assert!(error(&retried).contains("retry: anew with --"), "{}", error(&retried));
    let summary = json(&out(&retried));
    assert_eq!((&summary["stopped"], summary.get("divergence")), (&"epochs".into(), None));
    // The changed options are in the saved configuration, so the run can be repeated.
    assert!(place.ok(&["verify", "run", "-q"]).starts_with("SAME"), "{best}");
    let message = place.fails(2, &[&flags[..], &["--on-divergence", "retry", "--ensemble", "2"]].concat());
    assert!(message.contains("--on-divergence: retry needs a single network"), "{message}");
    assert!(place.fails(2, &[&flags[..], &["--on-divergence", "hope"]].concat()).contains("expected stop or retry"));
}
