//! Optimizers by name, and the dialects of libraries.

use serde_json::Value;

use crate::place::{Place, error, out};

fn iris() -> Place {
    let place = Place::new();
    place.shipped("iris.csv");
    place
}

/// The hash of the weights after training with `args`.
fn hash(place: &Place, run: &str, args: &str) -> Value {
    let args: Vec<&str> = args.split_whitespace().collect();
    place.train("iris.csv", run, &args)["weights_sha256"].clone()
}

#[test]
fn the_table_of_optimizers_needs_no_data() {
    let place = Place::new();
    let text = place.ok(&["train", "--optimizer", "help"]);
    for shown in [
        "adadelta",
        "beta1=0.9  beta2=0.999  eps=1e-8  momentum_decay=0.004",
        "stands for sgd:momentum=0.9",
        "Zeiler 2012",
    ] {
        assert!(text.contains(shown), "{shown} is missing in {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80), "a line is wider than a terminal:\n{text}");
    let keras = place.ok(&["train", "--dialect", "keras", "--optimizer", "help"]);
    assert!(keras.contains("eps=1e-7") && keras.contains("\nlion") && !keras.contains("\nrprop"), "{keras}");
    for verb in ["bench", "lr-find", "tune"] {
        assert_eq!(place.ok(&[verb, "--optimizer", "help"]), text, "{verb}");
    }
    assert!(place.fails(2, &["train", "--optimizer", "help", "--json"]).contains("leave out --json"));
    let message = place.fails(2, &["train", "--dialect", "kears", "--optimizer", "help"]);
    assert!(message.contains("did you mean \"keras\"?"), "{message}");
}

#[test]
fn help_on_the_values_of_other_options_needs_no_data() {
    let place = Place::new();
    for (option, shown) in [
        ("schedule", ["gamma=…", "cosine ", "every=0.3", "plateau "]),
        ("loss", ["cross_entropy ", "huber ", "focal ", "[delta=1]"]),
        ("init", ["glorot_uniform ", "sklearn ", "orthogonal ", "gain=1"]),
        ("activation", ["relu ", "gelu_tanh ", "softsign ", "slope=0.01"]),
        ("output-activation", ["identity ", "sigmoid ", "tanh ", "mish "]),
    ] {
        let flag = format!("--{option}");
        let text = place.ok(&["train", &flag, "help"]);
        shown.iter().for_each(|part| assert!(text.contains(part), "{option}: {part} is missing in {text}"));
        assert!(!text.contains("NaN"), "{text}");
        let verbs: &[&str] = if option == "schedule" { &["tune"] } else { &["tune", "lr-find", "compare"] };
        verbs.iter().for_each(|verb| assert_eq!(place.ok(&[verb, &flag, "help"]), text, "{verb}"));
        assert!(place.fails(2, &["train", &flag, "help", "--json"]).contains("leave out --json"));
    }
}

#[test]
fn every_optimizer_in_the_table_trains() {
    let place = iris();
    let table = place.ok(&["train", "--optimizer", "help"]);
    let names: Vec<&str> = table
        .lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()))
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert!(names.len() >= 18, "{names:?}");
    for name in names {
        let summary = place.train("iris.csv", name, &["--optimizer", name]);
        assert_eq!(summary["stopped"], "epochs", "{name}");
    }
}

#[test]
fn an_optimizer_that_a_library_lacks_is_refused() {
    let place = iris();
    for (dialect, name, elsewhere) in [
        ("sklearn", "lion", "keras"),
        ("keras", "rprop", "torch"),
        ("torch", "lion", "keras"),
        ("sklearn", "rmsprop", "torch"),
    ] {
        let message = place.fails(2, &["train", "iris.csv", "--dialect", dialect, "--optimizer", name]);
        assert!(message.contains(&format!("has no optimizer \"{name}\"")), "{message}");
        assert!(
            message.contains("use it in the dialect")
                && message.contains(elsewhere)
                && message.contains("without a dialect"),
            "{message}"
        );
    }
    place.fails(2, &["train", "iris.csv", "--dialect", "sklearn", "--optimizer", "adam:amsgrad=true"]);
    place.fails(2, &["train", "iris.csv", "--dialect", "jax"]);
    place.fails(2, &["bench", "--dialect", "sklearn", "--optimizer", "lion"]);
}

#[test]
fn a_run_in_a_dialect_is_repeated_by_its_configuration() {
    let place = iris();
    for dialect in ["torch", "keras", "sklearn"] {
        let run = format!("{dialect}-a");
        let flags = ["--dialect", dialect, "--optimizer", "adam:beta2=0.99", "--batch", "12", "--accumulate", "3"];
        let first = place.train("iris.csv", &run, &flags);
        let config = place.read(&format!("{run}/config.toml"));
        assert!(
            config.contains(&format!("dialect = \"{dialect}\"")) && config.contains("\"adam:beta2=0.99\""),
            "{config}"
        );
        let again = format!("{dialect}-b");
        let second = place.run(&["train", "-c", &format!("{run}/config.toml"), "-o", &again, "-q", "--json"]);
        let second = crate::place::json(&out(&second));
        assert_eq!(second["weights_sha256"], first["weights_sha256"], "{dialect}");
        assert_eq!(place.read(&format!("{again}/config.toml")), config, "{dialect}");
    }
}

#[test]
fn a_dialect_draws_its_librarys_initial_weights() {
    let place = iris();
    let (own, he) = (hash(&place, "own", "--lr 1e-60"), hash(&place, "he", "--lr 1e-60 --init he_normal"));
    for (dialect, init) in [("torch", "torch_default"), ("keras", "glorot_uniform"), ("sklearn", "sklearn")] {
        // At this learning rate the weights do not change.
        let drawn = hash(&place, dialect, &format!("--lr 1e-60 --dialect {dialect}"));
        assert_eq!(drawn, hash(&place, &format!("{dialect}-init"), &format!("--lr 1e-60 --init {init}")), "{dialect}");
        assert_ne!(drawn, own, "{dialect}");
        let flag_wins =
            hash(&place, &format!("{dialect}-own"), &format!("--lr 1e-60 --dialect {dialect} --init he_normal"));
        assert_eq!(flag_wins, he, "{dialect}: a flag wins over the dialect");
    }
}

#[test]
fn dialects_differ_in_their_equations() {
    let place = iris();
    let same = "--init he_normal --lr 0.01 --l2 0.01";
    let runs = ["adam:eps=0.01", "momentum"].map(|optimizer| {
        ["torch", "keras", "sklearn"].map(|dialect| {
            hash(
                &place,
                &format!("{dialect}-{}", &optimizer[..4]),
                &format!("{same} --optimizer {optimizer} --dialect {dialect}"),
            )
        })
    });
    for [torch, keras, sklearn] in runs {
        assert!(torch != keras && keras != sklearn && sklearn != torch);
    }
    let plain = format!("{same} --optimizer adam:eps=0.01");
    assert_eq!(
        hash(&place, "none", &plain),
        place.json("torch-adam/summary.json")["weights_sha256"],
        "PyTorch's without"
    );
}

#[test]
fn accumulated_batches_have_equal_weight_in_keras_and_by_rows_elsewhere() {
    let place = iris();
    let (parts, whole) = ("--batch 12 --accumulate 3", "--batch 36");
    for (dialect, equal) in [("torch", true), ("keras", false), ("sklearn", true)] {
        let run = |name: &str, batches: &str| {
            hash(&place, &format!("{dialect}-{name}"), &format!("--dialect {dialect} {batches}"))
        };
        assert_eq!(run("parts", parts) == run("whole", whole), equal, "{dialect}");
    }
}

#[test]
fn rprop_needs_the_full_batch() {
    let place = iris();
    let message = place.fails(2, &["train", "iris.csv", "--optimizer", "rprop", "--batch", "16"]);
    assert!(message.contains("--batch 16: rprop compares") && message.contains("use full"), "{message}");
    let message = place.fails(2, &["train", "iris.csv", "--optimizer", "rprop", "--schedule", "cosine"]);
    assert!(message.contains("step sizes"), "{message}");
    let output = place.run(&["train", "iris.csv", "--optimizer", "rprop", "--dry-run"]);
    assert!(error(&output).contains("batch: full"), "{}", error(&output));
    assert!(out(&output).contains("of 1 steps"), "{}", out(&output));
}

#[test]
fn optimizers_of_whole_tensors_and_networks_give_the_same_bits_on_any_threads() {
    let place = iris();
    for optimizer in ["lamb", "muon", "schedulefree", "lbfgs"] {
        let run = |threads: &str| {
            hash(
                &place,
                &format!("{optimizer}-{threads}"),
                &format!("--optimizer {optimizer} --exact-threads -j {threads}"),
            )
        };
        let one = run("1");
        assert!(run("2") == one && run("3") == one, "{optimizer}");
    }
}

#[test]
fn an_lbfgs_step_to_an_infinite_loss_counts_as_divergence() {
    let place = Place::new();
    place.shipped("diabetes.csv");
    let message = place.fails(10, &["train", "diabetes.csv", "--optimizer", "lbfgs:lr=1e30", "-o", "run", "-q"]);
    assert!(message.contains("loss became inf"), "{message}");
}

#[test]
fn lbfgs_converges_and_refuses_options_that_do_not_fit() {
    let place = iris();
    let summary = place.train("iris.csv", "long", &["--optimizer", "lbfgs", "--epochs", "60"]);
    assert!(summary["train"]["loss"].as_f64().unwrap() < 0.05, "{summary}");
    let converged = place.train("iris.csv", "end", &["--optimizer", "lbfgs:tolerance_change=1e-3", "--epochs", "400"]);
    assert_eq!(converged["stopped"], "converged");
    for flags in ["--batch 16", "--dropout 0.1", "--clip-norm 1", "--l1 0.1", "--weight-decay 0.1", "--ema 0.9"] {
        let args: Vec<&str> =
            ["train", "iris.csv", "--optimizer", "lbfgs"].into_iter().chain(flags.split(' ')).collect();
        let message = place.fails(2, &args);
        assert!(message.contains("lbfgs"), "{flags}: {message}");
    }
    place.fails(2, &["bench", "--optimizer", "lbfgs"]);
}

#[test]
fn schedule_free_has_a_constant_rate_and_refuses_a_second_average() {
    let place = iris();
    let output = place.run(&["train", "iris.csv", "--optimizer", "schedulefree", "--dry-run"]);
    assert!(error(&output).contains("schedule: const (schedulefree;"), "{}", error(&output));
    let own = hash(&place, "own", "--optimizer schedulefree");
    assert_eq!(own, hash(&place, "const", "--optimizer schedulefree --schedule const"));
    assert_ne!(own, hash(&place, "cosine", "--optimizer schedulefree --schedule cosine"));
    let message = place.fails(2, &["train", "iris.csv", "--optimizer", "schedulefree", "--ema", "0.9"]);
    assert!(message.contains("an average of its own"), "{message}");
}

#[test]
fn a_momentum_schedule_needs_an_optimizer_with_momentum() {
    let place = iris();
    let cycle = "onecycle:momentum=0.85/0.95";
    let message = place.fails(2, &["train", "iris.csv", "--optimizer", "adagrad", "--schedule", cycle]);
    assert!(message.contains("adagrad has no momentum") && !message.contains("adagrad:momentum"), "{message}");
    let message = place.fails(2, &["train", "iris.csv", "--optimizer", "rmsprop", "--schedule", cycle]);
    assert!(message.contains("--optimizer rmsprop:momentum=0.9"), "{message}");
    place.train("iris.csv", "radam", &["--optimizer", "radam", "--schedule", cycle]);
}
