use crate::place::{Place, json};

#[test]
fn a_model_shows_its_network_and_its_columns() {
    let place = Place::new();
    place.shipped("penguins.csv");
    let flags = ["--hidden", "16,8", "--norm", "layer", "--residual", "--dropout", "0.1", "--activation", "relu,tanh"];
    let summary = place.train("penguins.csv", "run", &flags);
    for subject in ["run", "run/model.safetensors"] {
        let described = json(&place.ok(&["inspect", subject, "--json"]));
        assert_eq!(described["weights_sha256"], summary["weights_sha256"]);
        assert_eq!(described["parameters"], summary["parameters"]);
        let layers = described["layers"].as_array().unwrap();
        let total: u64 = layers.iter().map(|layer| layer["parameters"].as_u64().unwrap()).sum();
        assert_eq!(summary["parameters"], total, "the layers have all parameters");
        assert_eq!((&layers[1]["activation"], &layers[1]["residual"]), (&"tanh".into(), &"projection".into()));
        assert_eq!(described["history"].as_array().unwrap().len(), 3);
        assert_eq!(described["classes"].as_array().unwrap().len(), 3);
    }
    let text = place.ok(&["inspect", "run"]);
    for words in
        ["layers.2", "projection", "island", "Biscoe, Dream, Torgersen", "an indicator", "val_loss", "weights of epoch"]
    {
        assert!(text.contains(words), "no {words:?} in {text}");
    }
    assert!(text.contains(summary["weights_sha256"].as_str().unwrap()));
}

#[test]
fn a_regression_shows_the_scaling_of_its_target() {
    let place = Place::new();
    place.shipped("diabetes.csv");
    place.train("diabetes.csv", "run", &["--valid", "none"]);
    let text = place.ok(&["inspect", "run"]);
    assert!(text.contains("target") && text.contains("progression") && text.contains("152.13"), "{text}");
}

#[test]
fn a_data_file_shows_its_columns() {
    let place = Place::new();
    place.shipped("penguins.csv");
    let text = place.ok(&["inspect", "penguins.csv"]);
    assert!(
        text.contains("344 rows, 8 columns") && text.contains("Biscoe (168), Dream (124), Torgersen (52)"),
        "{text}"
    );
    let described = json(&place.ok(&["inspect", "penguins.csv", "--json"]));
    let column = |name: &str| {
        let columns = described["columns"].as_array().unwrap();
        columns.iter().find(|c| c["name"] == name).unwrap_or_else(|| panic!("no {name}")).clone()
    };
    assert_eq!((&column("sex")["missing"], &column("species")["distinct"]), (&11.into(), &3.into()));
    assert_eq!(column("body_mass_g")["max"], 6300.0);
    place.write("own.csv", "a,b\n-999,x\n2,y\n");
    let described = json(&place.ok(&["inspect", "own.csv", "--na", "-999", "--json"]));
    assert_eq!(described["columns"][0]["missing"], 1);
}

#[test]
fn importance_finds_the_column_that_matters() {
    let place = Place::new();
    let rows = (0..200).map(|n| format!("{},{},{}\n", n % 7, n % 20, if n % 20 < 10 { "low" } else { "high" }));
    place.write("data.csv", format!("noise,signal,answer\n{}", rows.collect::<String>()));
    place.train("data.csv", "run", &["--epochs", "40"]);
    let args = ["inspect", "run", "--importance", "data.csv", "--json"];
    let first = place.ok(&args);
    assert_eq!(place.ok(&args), first, "the same permutations every time");
    let measured = json(&first)["importance"].clone();
    assert_eq!((&measured["metric"], &measured["repeats"]), (&"accuracy".into(), &5.into()));
    let columns = measured["columns"].as_array().unwrap();
    assert_eq!((&columns[0]["column"], &columns[1]["column"]), (&"signal".into(), &"noise".into()));
    let drop = |at: usize| columns[at]["mean"].as_f64().unwrap();
    assert!(drop(0) > 0.3 && drop(1).abs() < 0.1, "{measured}");
    assert!(columns[0]["sd"].as_f64().unwrap() > 0.0);
    let other = place.ok(&[&args[..], &["--seed", "1"]].concat());
    assert_ne!(json(&other)["importance"]["columns"], measured["columns"]);
    let text = place.ok(&args[..4]);
    assert!(text.contains("importance: drop of accuracy"), "{text}");
}

#[test]
fn missing_and_damaged_subjects_are_refused() {
    let place = Place::new();
    place.shipped("iris.csv");
    place.fails(5, &["inspect", "nothing"]);
    place.fails(2, &["inspect", "iris.csv", "--importance", "iris.csv"]);
    std::fs::create_dir(place.path("empty")).unwrap();
    place.fails(3, &["inspect", "empty"]);
    place.train("iris.csv", "run", &[]);
    let model = std::fs::read(place.path("run/model.safetensors")).unwrap();
    place.write("cut.safetensors", &model[..model.len() - 40]);
    let message = place.fails(3, &["inspect", "cut.safetensors"]);
    assert!(message.contains("cut.safetensors: expected a safetensors file"), "{message}");
    place.fails(3, &["predict", "iris.csv", "iris.csv"]);
    std::fs::remove_file(place.path("run/model.safetensors")).unwrap();
    let message = place.fails(5, &["inspect", "run"]);
    assert!(message.contains("run/model.safetensors"), "{message}");
}
