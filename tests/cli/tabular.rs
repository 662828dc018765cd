//! Options of tabular networks, and presets.

use serde_json::Value;

use crate::place::{Place, error, json, out};

/// Trains on `data` into `out` and returns the summary.
fn train(place: &Place, data: &str, out: &str, flags: &[&str]) -> Value {
    let args = ["train", data, "--quiet", "--json", "--out", out];
    json(&place.ok(&[&args[..], flags].concat()))
}

const SMALL: [&str; 4] = ["--epochs", "6", "--hidden", "32,16"];

#[test]
fn every_preset_learns_predicts_and_is_repeatable() {
    for name in ["plain", "realmlp", "realmlp-s", "tabm", "tabm-mini"] {
        for (data, figure, least) in [("penguins.csv", "accuracy", 0.9), ("diabetes.csv", "r2", 0.2)] {
            let place = Place::new();
            place.shipped(data);
            let flags = [&["--preset", name, "--batch", "16"], &SMALL[..]].concat();
            let summary = train(&place, data, "run", &flags);
            let found = summary["val"][figure].as_f64().unwrap();
            assert!(found > least, "{name} {data}: {figure} {found}");
            let evaluated = json(&place.ok(&["evaluate", "run", data, "--json"]));
            assert!(evaluated["metrics"][figure].as_f64().unwrap() > least, "{name}: {evaluated}");
            // The saved configuration has ordinary options in place of the preset, and gives the same weights on another
            // number of threads.
            let file = place.read("run/config.toml");
            assert!(!file.contains("preset"), "{file}");
            let again =
                ["train", "-c", "run/config.toml", "-j", "3", "--exact-threads", "-q", "--json", "--out", "two"];
            assert_eq!(json(&place.ok(&again))["weights_sha256"], summary["weights_sha256"], "{name} {data}");
        }
    }
}

#[test]
fn a_preset_depends_on_the_task_and_is_overridden_by_options() {
    let place = Place::new();
    place.shipped("iris.csv");
    place.shipped("diabetes.csv");
    let file = |data: &str, out: &str, flags: &[&str]| {
        train(&place, data, out, &[&["--preset", "realmlp", "--epochs", "1"], flags].concat());
        place.read(&format!("{out}/config.toml"))
    };
    let classes = file("iris.csv", "classes", &[]);
    assert!(classes.contains("selu") && classes.contains("lr = 0.04") && classes.contains("label_smoothing = 0.1"));
    let numbers = file("diabetes.csv", "numbers", &[]);
    assert!(numbers.contains("mish") && numbers.contains("lr = 0.2") && numbers.contains("label_smoothing = 0.0"));
    let other = file("iris.csv", "other", &["--lr", "0.01", "--embed", "none", "--activation", "relu"]);
    assert!(other.contains("lr = 0.01") && other.contains("relu") && !other.contains("pbld"), "{other}");
    assert!(place.ok(&["train", "--preset", "help"]).contains("--members tabm-mini:32"));
    let message = place.fails(2, &["train", "iris.csv", "--preset", "tabn"]);
    assert!(message.contains("did you mean \"tabm\"?"), "{message}");
}

/// A table gets RealMLP if no network is described, which is reported. Commands that describe a network are not changed.
#[test]
fn a_table_gets_a_preset_unless_a_network_is_described() {
    let place = Place::new();
    place.shipped("penguins.csv");
    let short = ["train", "penguins.csv", "--epochs", "2", "--overwrite", "--out", "run"];
    let run = |flags: &[&str]| {
        let said = place.err(&[&short[..], flags].concat());
        (said, place.read("run/config.toml").contains("pbld"))
    };
    let (said, embeds) = run(&[]);
    assert!(embeds && said.contains("preset: realmlp, 2 epochs, about 1 s (--preset plain is quicker"), "{said}");
    let hash = place.json("run/summary.json")["weights_sha256"].clone();
    let again = ["train", "-c", "run/config.toml", "-j", "3", "--exact-threads", "-q", "--json", "--out", "two"];
    assert_eq!(json(&place.ok(&again))["weights_sha256"], hash);
    assert!(run(&["--lr", "0.01", "--batch", "32", "--seed", "3"]).1, "other options go with it");
    let own = [
        ["--hidden", "8"],
        ["--activation", "relu"],
        ["--norm", "layer"],
        ["--init", "he_normal"],
        ["--optimizer", "sgd"],
        ["--dialect", "keras"],
        ["--loss", "focal"],
        ["--preset", "plain"],
    ];
    for flags in own {
        let (said, embeds) = run(&flags);
        assert!(!embeds && !said.contains("preset:"), "{flags:?}: {said}");
    }
    let all = place.err(&["train", "penguins.csv", "--cv", "2", "--epochs", "1", "--out", "folds"]);
    assert!(all.contains("preset: realmlp"), "{all}");
    assert!(place.read("folds/config.toml").contains("pbld"));
}

/// Options that refine a part are dropped if that part is switched off. A table without numbers has nothing to embed.
#[test]
fn a_preset_works_without_parts_that_are_switched_off_or_missing() {
    let place = Place::new();
    place.shipped("penguins.csv");
    let off = ["--dropout", "0", "--weight-decay", "0", "--category-embedding", "none", "--embed", "none"];
    for preset in ["realmlp", "tabm-mini"] {
        let flags = ["--preset", preset, "--members", "packed:2", "--epochs", "1", "--overwrite"];
        train(&place, "penguins.csv", "run", &[&flags[..], &off].concat());
    }
    let row = |n: usize| format!("{},{},{}\n", ["a", "b", "c"][n % 3], ["x", "y"][n % 2], ["no", "yes"][n % 2]);
    place.write("words.csv", format!("one,two,label\n{}", (0..200).map(row).collect::<String>()));
    for flags in [&["--preset", "realmlp"][..], &["--preset", "tabm", "--epochs", "20"], &[]] {
        let summary = train(&place, "words.csv", "run", &[flags, &["--overwrite"]].concat());
        assert!(summary["val"]["accuracy"].as_f64().unwrap() > 0.95, "{flags:?} {summary}");
    }
    place.write("network.toml", "chain = [{ kind = \"pbld\" }, { kind = \"linear\", outputs = \"outputs\" }]");
    train(&place, "words.csv", "net", &["--network", "network.toml", "--epochs", "2"]);
}

/// A level that did not occur in training gets the vector of unknown levels, so predictions are equal for all such levels.
#[test]
fn categories_of_many_levels_are_embedded() {
    let place = Place::new();
    let row = |n: usize| {
        format!("{},{},{}\n", n % 20, (b'a' + (n % 20) as u8) as char, if n % 20 < 9 { "yes" } else { "no" })
    };
    let table: String = (0..400).map(|n| row(n * 7)).collect();
    place.write("levels.csv", format!("n,letter,label\n{table}"));
    let flags = ["--category-embedding", "4", "--embed-above", "5", "--ignore", "n", "--epochs", "30", "--lr", "0.01"];
    let summary = train(&place, "levels.csv", "run", &flags);
    assert!(summary["val"]["accuracy"].as_f64().unwrap() > 0.95, "{summary}");
    let inspected = place.ok(&["inspect", "run"]);
    assert!(inspected.contains("lookup") && inspected.contains("the number of one of 20 levels"), "{inspected}");
    let again = ["train", "-c", "run/config.toml", "-j", "3", "--exact-threads", "-q", "--json", "--out", "two"];
    assert_eq!(json(&place.ok(&again))["weights_sha256"], summary["weights_sha256"]);
    place.write("new.csv", "n,letter\n1,zz\n2,a\n3,yy\n");
    let text = place.ok(&["predict", "run", "new.csv", "--proba"]);
    let lines: Vec<&str> = text.lines().skip(1).collect();
    assert!(lines[0] == lines[2] && lines[0] != lines[1], "{text}");
    for flag in ["--embed-above", "--embed-levels"] {
        let message = place.fails(2, &["train", "levels.csv", flag, "5"]);
        assert!(message.contains(flag) && message.contains("--category-embedding"), "{message}");
    }
    let message = place.fails(2, &["train", "levels.csv", "--category-embedding", "4", "--embed-levels", "2000000"]);
    assert!(message.contains("expected at most 1000000 levels"), "{message}");
    // The data are prepared once for all trials, so such options cannot be searched.
    place.write("space.toml", "embed_above = [2, 9]");
    let message = place.fails(2, &["tune", "levels.csv", "--space", "space.toml", "--budget", "2"]);
    assert!(message.contains("embed_above: it cannot be searched"), "{message}");
}

/// A table with 300 levels, each of which determines the label of its rows. One-hot inputs cover only 64 of them.
#[test]
fn hundreds_of_levels_are_distinguished() {
    let place = Place::new();
    let level = |n: usize| n * 7919 % 300;
    let row = |n: usize| format!("shop{},{},{}\n", level(n), n % 13, ["no", "yes"][level(n) / 3 % 2]);
    place.write("shops.csv", format!("shop,x,label\n{}", (0..4500).map(row).collect::<String>()));
    let flags = ["--hidden", "32", "--epochs", "30", "--lr", "0.01", "--test", "0.2", "--overwrite"];
    let embedded = [&flags[..], &["--category-embedding", "8"]].concat();
    let accuracy = |summary: &Value| summary["test"]["accuracy"].as_f64().unwrap();
    let one_hot = train(&place, "shops.csv", "run", &flags);
    let summary = train(&place, "shops.csv", "run", &embedded);
    assert!(accuracy(&summary) > 0.97 && accuracy(&one_hot) < 0.8, "{summary} {one_hot}");
    assert!(summary["baseline"]["linear"]["accuracy"].as_f64().unwrap() < 0.8, "it has one-hot inputs: {summary}");
    let few = train(&place, "shops.csv", "run", &[&embedded[..], &["--embed-levels", "70"]].concat());
    assert!(accuracy(&few) < 0.85, "{few}");
    // Augmentation and SMOTE do not change level numbers, so levels are learnt with them too.
    for more in [["--augment", "noise=0.2,mixup=0.2"], ["--balance", "smote"]] {
        let summary = train(&place, "shops.csv", "run", &[&embedded[..], &more].concat());
        assert!(accuracy(&summary) > 0.97, "{more:?} {summary}");
    }
    place.write("new.csv", "x,shop\n5,shop4\n5,shop7\n5,nowhere\n5,\n");
    let run = place.run(&["predict", "run", "new.csv"]);
    let text = out(&run);
    let predicted: Vec<&str> = text.lines().skip(1).collect();
    assert_eq!(predicted[..2], ["yes", "no"]);
    assert_eq!(predicted[2], predicted[3], "neither is known");
    assert!(error(&run).contains("\"nowhere\""), "{}", error(&run));
}

/// Level numbers that the user computed can be looked up by a layer in a network file.
#[test]
fn a_network_file_can_look_up_level_numbers() {
    let place = Place::new();
    let row = |n: usize| format!("{},{},{}\n", n * 7 % 40, n % 9, ["no", "yes"][n * 7 % 40 % 2]);
    place.write("codes.csv", format!("code,x,label\n{}", (0..800).map(row).collect::<String>()));
    let network = "{ kind = \"lookup\", columns = [[0, 39]], dim = 6 }, { kind = \"linear\", outputs = \"outputs\" }";
    place.write("net.toml", format!("chain = [{network}]"));
    let flags = ["--network", "net.toml", "--scale", "none", "--epochs", "40", "--lr", "0.02"];
    let summary = train(&place, "codes.csv", "run", &flags);
    assert!(summary["val"]["accuracy"].as_f64().unwrap() > 0.97, "{summary}");
    place.ok(&["train", "-c", "run/config.toml", "-q", "-o", "again"]);
    let message = place.fails(2, &["train", "codes.csv", "--network", "net.toml", "-o", "scaled"]);
    assert!(message.contains("--network: its lookup reads numbers as codes, and numbers are scaled"), "{message}");
    for (columns, expected) in
        [("[[0, 0]]", "of 1 to 1048576 levels each"), ("[[1, 3], [0, 3]]", "rising"), ("[[2, 3]]", "below 2, found 2")]
    {
        place.write("net.toml", format!("chain = [{}]", network.replace("[[0, 39]]", columns)));
        let run = place.run(&["train", "codes.csv", "--network", "net.toml", "--scale", "none"]);
        assert!(error(&run).contains("columns") && error(&run).contains(expected), "{}", error(&run));
    }
}

#[test]
fn options_of_tabular_networks_are_listed_and_refused_by_name() {
    let place = Place::new();
    place.shipped("penguins.csv");
    let flags = ["--embed", "ple:bins=5,dim=3,by=tree", "--members", "packed:2", "--parametric-activation", "0.1"];
    train(&place, "penguins.csv", "run", &[&SMALL[..], &flags].concat());
    let text = place.ok(&["inspect", "run"]);
    for line in ["ple", "expand 2", "mix", "network.0"] {
        assert!(text.contains(line), "no {line} in {text}");
    }
    for (flags, expected) in [
        (&["--members", "tabm"][..], "tabm:32"),
        (&["--members", "tabm:0"], "1 to 1024 members"),
        (&["--embed", "ple:bins=1"], "a whole number of 2 to 255"),
        (&["--embed", "ples"], "did you mean \"ple\"?"),
        (&["--bias-init", "he"], "he+5"),
        (&["--members", "tabm:4", "--residual"], "leave it out"),
        (&["--input-scale", "0"], "a factor above 0"),
        (&["--member-rows", "each"], "shared or own"),
        (&["--members", "tabm:2", "--member-rows", "own", "--no-shuffle"], "with --no-shuffle all members would take"),
        (&["--member-rows", "own"], "it needs a network of two members or more: see --members"),
    ] {
        let message = place.fails(2, &[&["train", "penguins.csv"], flags].concat());
        assert!(message.contains(expected), "{flags:?}: {message}");
    }
}

#[test]
fn members_may_have_rows_of_their_own() {
    let place = Place::new();
    place.shipped("diabetes.csv");
    let flags = [&["--preset", "tabm-mini", "--members", "tabm-mini:4", "--batch", "32"], &SMALL[..]].concat();
    let shared = train(&place, "diabetes.csv", "shared", &flags);
    let own = train(&place, "diabetes.csv", "own", &[&flags[..], &["--member-rows", "own"]].concat());
    assert_ne!(own["weights_sha256"], shared["weights_sha256"]);
    assert!(own["val"]["r2"].as_f64().unwrap() > 0.2, "{own}");
    assert!(place.read("own/config.toml").contains("member_rows = \"own\""));
    assert!(!place.read("shared/config.toml").contains("member_rows"));
    assert!(place.ok(&["verify", "own"]).contains("SAME"));
    let again = ["train", "-c", "own/config.toml", "-j", "3", "--exact-threads", "-q", "--json", "--out", "two"];
    assert_eq!(json(&place.ok(&again))["weights_sha256"], own["weights_sha256"]);
    place.ok(&["lr-find", "-c", "own/config.toml", "-q"]);
    place.ok(&["train", "-c", "own/config.toml", "--overfit-batch", "-q"]);
    place.ok(&["data", "pack", "diabetes.csv", "-o", "rows.pack"]);
    let blocks = ["train", "rows.pack", "-c", "own/config.toml", "--shuffle", "blocks"];
    assert!(place.fails(2, &blocks).contains("--member-rows own takes rows from everywhere"));
}

/// Each fold fits bins to its own rows. A search and a range test build the same layers.
#[test]
fn folds_searches_and_range_tests_accept_embeddings() {
    let place = Place::new();
    place.shipped("penguins.csv");
    let flags = ["--embed", "ple:bins=4,dim=2", "--init", "std", "--bias-init", "he+5", "--hidden", "8"];
    train(&place, "penguins.csv", "folds", &[&flags[..], &["--cv", "2", "--epochs", "2"]].concat());
    let search = ["tune", "penguins.csv", "--budget", "2", "--epochs", "2", "--quiet", "--out", "search"];
    place.ok(&[&search[..], &["--members", "tabm-mini:3", "--embed", "pbld"]].concat());
    place.ok(&[&["lr-find", "penguins.csv", "--quiet"], &flags[..]].concat());
    place.shipped("diabetes.csv");
    let search = ["tune", "diabetes.csv", "--budget", "2", "--epochs", "2", "--quiet", "--out", "numbers"];
    place.ok(&[&search[..], &["--preset", "realmlp", "--hidden", "8"]].concat());
    let best = place.read("numbers/best.toml");
    assert!(best.contains("clamp = true") && best.contains("pbld") && !best.contains("preset"), "{best}");
}

/// A range test of the plain network recommends a rate for that network, and the printed command selects it.
#[test]
fn the_command_of_a_range_test_selects_the_tested_network() {
    let place = Place::new();
    place.shipped("iris.csv");
    let last = |flags: &[&str]| {
        let text = place.ok(&[&["lr-find", "iris.csv", "--quiet"], flags].concat());
        text.lines().last().unwrap().to_owned()
    };
    assert!(last(&[]).contains("iris.csv --preset plain --lr"), "{}", last(&[]));
    assert!(!last(&["--hidden", "8"]).contains("plain"));
    assert!(last(&["--preset", "realmlp"]).contains("iris.csv --preset realmlp --lr"));
}

/// Weights of the default network of tables can initialise a network of the same preset. Without the preset, the error names
/// it.
#[test]
fn weights_of_a_preset_can_initialise_a_network_of_the_same_preset() {
    let place = Place::new();
    place.shipped("iris.csv");
    let short = ["train", "iris.csv", "--epochs", "1", "--quiet", "--overwrite", "--out"];
    place.ok(&[&short[..], &["run"]].concat());
    let from = ["--init-from", "run/model.safetensors"];
    place.ok(&[&short[..], &["two", "--preset", "realmlp"], &from].concat());
    let message = place.fails(4, &[&short[..], &["three"], &from].concat());
    assert!(message.contains("such as --preset realmlp"), "{message}");
}

/// The biases of members begin alike; what a preset says of biases is then not written down either.
#[test]
fn initial_biases_of_members_are_refused() {
    let place = Place::new();
    place.write("iris.csv", std::fs::read_to_string("datasets/iris.csv").unwrap());
    let small = ["--members", "tabm:2", "--hidden", "8", "--epochs", "1", "-q"];
    let said = place.fails(2, &[&["train", "iris.csv", "--bias-init", "he+5"][..], &small].concat());
    assert!(said.contains("--bias-init") && said.contains("--members"), "{said}");
    place.ok(&[&["train", "iris.csv", "--preset", "realmlp", "-o", "run"][..], &small].concat());
    let config = std::fs::read_to_string(place.path("run/config.toml")).unwrap();
    assert!(!config.contains("bias_init"), "{config}");
    assert!(place.ok(&["verify", "run", "-q"]).starts_with("SAME"));
}
