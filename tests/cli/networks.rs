//! `--network`: a network described in a file.

use std::path::Path;

use crate::place::{Place, json};

/// The networks in `docs/networks.md`: file name and text.
fn examples() -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/networks.md");
    let text = std::fs::read_to_string(path).unwrap();
    let blocks = text.split("```toml\n# ").skip(1).map(|block| block.split("```").next().unwrap());
    blocks.map(|block| block.split_once('\n').unwrap()).map(|(name, text)| (name.into(), text.into())).collect()
}

pub(crate) fn place_with(network: &str) -> Place {
    let place = Place::new();
    place.shipped("iris.csv");
    place.write("net.toml", network);
    place
}

pub(crate) const TWO_CHAINS: &str = r#"
chain = [
  { kind = "branches", branches = [
    [{ kind = "linear", outputs = 4 }, { kind = "activation", function = "tanh" }],
    [{ kind = "skip", chain = [{ kind = "linear", outputs = 3 }] }, { kind = "dropout", rate = 0.2 }],
  ] },
  { kind = "scale" },
  { kind = "linear", outputs = "outputs" },
]
"#;

pub(crate) fn train(place: &Place, out: &str, flags: &[&str]) -> serde_json::Value {
    let args = ["train", "iris.csv", "--epochs", "3", "--quiet", "--json", "--out", out];
    json(&place.ok(&[&args, flags].concat()))
}

#[test]
fn the_examples_of_the_documentation_learn_and_predict() {
    let examples = examples();
    assert!(examples.len() >= 2, "{examples:?}");
    for (name, text) in examples {
        let place = place_with(&text);
        let args =
            ["train", "iris.csv", "--network", "net.toml", "--epochs", "60", "--json", "--quiet", "--out", "run"];
        let summary = json(&place.ok(&[&args[..], &["--lr", "0.01"]].concat()));
        assert!(summary["val"]["accuracy"].as_f64().unwrap() > 0.8, "{name}: {}", summary["val"]);
        assert_eq!(place.ok(&["predict", "run", "iris.csv"]).lines().count(), 151, "{name}");
        let evaluated = json(&place.ok(&["evaluate", "run", "iris.csv", "--json"]));
        assert!(evaluated["metrics"]["accuracy"].as_f64().unwrap() > 0.8, "{name}: {evaluated}");
    }
}

const MEMBERS: &str = r#"
chain = [
  { kind = "skip", chain = [{ kind = "linear", outputs = 6 }] },
  { kind = "expand", members = 3 },
  { kind = "adapter", scale = "normal", chunks = [4, 2], shift = 0.1 },
  { kind = "linear", outputs = 5, bias = false, ntk = true },
  { kind = "activation", function = "relu" },
  { kind = "dropout", rate = 0.2 },
  { kind = "linear", outputs = "outputs", members = true },
]
"#;

#[test]
fn members_have_their_own_tensors_and_are_averaged() {
    let place = place_with(MEMBERS);
    let flags = ["--network", "net.toml", "--lr", "0.05", "--weight-decay", "0.01", "--batch", "8"];
    let summary = train(&place, "run", &flags);
    assert!(summary["val"]["accuracy"].as_f64().unwrap() > 0.8, "{summary}");
    let bytes = std::fs::read(place.path("run/model.safetensors")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let shape = |name: &str| tensors.tensor(name).unwrap().shape().to_vec();
    assert_eq!(shape("network.2.weight"), [3, 6]);
    assert_eq!((shape("network.3.weight"), shape("network.6.weight")), (vec![5, 6], vec![3, 3, 5]));
    assert_eq!(shape("network.6.bias"), [3, 3]);
    assert!(place.ok(&["inspect", "run"]).contains("expand 3"));
    // The saved model can be evaluated, and the saved configuration gives the same weights on another number of threads.
    let evaluated = json(&place.ok(&["evaluate", "run", "iris.csv", "--json"]));
    assert!(evaluated["metrics"]["accuracy"].as_f64().unwrap() > 0.8, "{evaluated}");
    let again = ["train", "-c", "run/config.toml", "-j", "3", "--exact-threads", "-q", "--json", "--out", "again"];
    assert_eq!(json(&place.ok(&again))["weights_sha256"], summary["weights_sha256"]);
    // A trace includes the members.
    let small = MEMBERS.replace("outputs = 6", "outputs = 4").replace(", chunks = [4, 2]", "");
    place.write("small.toml", small);
    let text = place.ok(&["train", "iris.csv", "--network", "small.toml", "--trace", "--quiet"]);
    assert!(text.contains("network.1: expand 3") && text.contains("dJ/d network.6.weight"), "{text}");
    place.ok(&["train", "iris.csv", "--network", "net.toml", "--overfit-batch", "--quiet", "--lr", "0.05"]);
    place.write("net.toml", MEMBERS.replace("{ kind = \"dropout\", rate = 0.2 },", "").replace(", ntk = true", ""));
    for optimizer in ["muon", "lamb", "lbfgs"] {
        train(&place, optimizer, &["--network", "net.toml", "--optimizer", optimizer]);
    }
}

const PLE: &str = "{ kind = \"ple\", bins = 3, dim = 2 }";

#[test]
fn misplaced_members_and_embeddings_are_refused() {
    let expand = "{ kind = \"expand\", members = 3 }";
    for (layers, expected) in [
        ("{ kind = \"adapter\" }".to_owned(), "chain[0]: there are no members here"),
        (format!("{expand}, {expand}"), "chain[1]: members begin once"),
        (format!("{{ kind = \"skip\", chain = [{expand}] }}"), "chain[0].chain[0]: members begin once"),
        (
            format!("{expand}, {{ kind = \"adapter\", chunks = [3, 2] }}"),
            "chain[1]: chunks: expected widths that make 4",
        ),
        (format!("{expand}, {{ kind = \"adapter\", scale = \"one\" }}"), "did you mean \"ones\"?"),
        ("{ kind = \"expand\", members = 0 }".to_owned(), "members of 1 to 1024"),
        (format!("{{ kind = \"scale\" }}, {}", PLE), "chain[1]: the layer is fitted to the network's inputs"),
        (format!("{}, {{ kind = \"skip\", chain = [{}] }}", PLE, PLE), "chain[1].chain[0]: the layer is fitted"),
        ("{ kind = \"ple\", bins = [[0, 1], [1, 0]], dim = 2 }".to_owned(), "a list of rising edges"),
        (
            "{ kind = \"ple\", bins = [[0, 1], [0, 1]], dim = 2 }".to_owned(),
            "bins: expected edges of 4 inputs, found 2",
        ),
        ("{ kind = \"pbld\", inputs = [4] }".to_owned(), "inputs: expected numbers below 4, found 4"),
        ("{ kind = \"pbld\", inputs = [2, 1] }".to_owned(), "numbers of inputs from 0, rising"),
    ] {
        let place = place_with(&format!("chain = [{layers}, {{ kind = \"linear\", outputs = \"outputs\" }}]"));
        let output = place.run(&["train", "iris.csv", "--network", "net.toml", "--quiet"]);
        let message = crate::place::error(&output);
        assert!([Some(2), Some(4)].contains(&output.status.code()) && message.contains(expected), "{message}");
    }
}

#[test]
fn a_run_is_repeatable_without_the_network_file() {
    let place = place_with(TWO_CHAINS);
    let first = train(&place, "one", &["--network", "net.toml"]);
    std::fs::remove_file(place.path("net.toml")).unwrap();
    let again = json(&place.ok(&["train", "-c", "one/config.toml", "--quiet", "--json", "--out", "two"]));
    assert_eq!(again["weights_sha256"], first["weights_sha256"]);
    assert_eq!(place.read("one/config.toml"), place.read("two/config.toml"));
    let threads = json(&place.ok(&[
        "train",
        "-c",
        "one/config.toml",
        "--quiet",
        "--json",
        "--out",
        "three",
        "-j",
        "3",
        "--exact-threads",
    ]));
    assert_eq!(threads["weights_sha256"], first["weights_sha256"]);
}

#[test]
fn a_configuration_file_can_name_or_contain_the_network() {
    let place = place_with(TWO_CHAINS);
    let expected = train(&place, "flag", &["--network", "net.toml"]);
    place.write("path.toml", "network = \"net.toml\"\n");
    place.write("table.toml", format!("[network]\n{TWO_CHAINS}"));
    for file in ["path.toml", "table.toml"] {
        assert_eq!(
            train(&place, file.trim_end_matches(".toml"), &["-c", file])["weights_sha256"],
            expected["weights_sha256"]
        );
    }
    let command = &mut place.command(&["train", "iris.csv", "--epochs", "3", "--quiet", "--json", "--out", "variable"]);
    let output = command.env("GRADLANE_NETWORK", "net.toml").output().unwrap();
    assert_eq!(json(&crate::place::out(&output))["weights_sha256"], expected["weights_sha256"]);
}

#[test]
fn a_model_shows_its_layers_and_its_weights_can_be_loaded() {
    let place = place_with(TWO_CHAINS);
    let summary = train(&place, "run", &["--network", "net.toml"]);
    let text = place.ok(&["inspect", "run"]);
    for line in ["network.0.0.0", "network.0.1.0.0", "skip", "dropout 0.2", "linear 3", "activation tanh"] {
        assert!(text.contains(line), "no {line:?} in {text}");
    }
    let described = json(&place.ok(&["inspect", "run", "--json"]));
    assert_eq!(described["parameters"], summary["parameters"]);
    assert_eq!(described["network"]["chain"][2]["outputs"], 3);
    let warm = train(&place, "warm", &["--network", "net.toml", "--init-from", "run", "--lr", "1e-30"]);
    assert_eq!(warm["weights_sha256"], summary["weights_sha256"]);
    let message = place.fails(4, &["train", "iris.csv", "--init-from", "run", "--hidden", "4", "--quiet"]);
    assert!(message.contains("\"network.0.0.0.bias\"") && message.contains("not of this network"), "{message}");
}

#[test]
fn a_trace_follows_the_layers() {
    let place = place_with(TWO_CHAINS);
    let text = place.ok(&["train", "iris.csv", "--network", "net.toml", "--trace", "--quiet"]);
    for line in [
        "network.0.1.0.weight",
        "network.0.0.0: z = W x + b",
        "network.0.0.1: h = tanh(z)",
        "network.0.0.1: dh/dz",
        "network.0.1.0: a = z + P x",
        "network.1: scale",
        "network.1: dJ/dy",
        "dJ/d network.2.bias",
    ] {
        assert!(text.contains(line), "no {line:?} in {text}");
    }
    assert!(!text.contains("dropout"), "{text}");
    // A network given by flags has the same lines with its own layer names.
    let text = place.ok(&["train", "iris.csv", "--hidden", "3", "--norm", "rms", "--residual", "--trace", "--quiet"]);
    for line in
        ["layers.0: z = W x + b", "norms.0: n = norm(z)", "activations.0: h = relu(n)", "residuals.0: a = h + P x"]
    {
        assert!(text.contains(line), "no {line:?} in {text}");
    }
}

#[test]
fn searches_folds_and_range_tests_accept_a_network() {
    let place = place_with(TWO_CHAINS);
    place.ok(&[
        "tune",
        "iris.csv",
        "--network",
        "net.toml",
        "--budget",
        "2",
        "--epochs",
        "2",
        "--quiet",
        "--out",
        "search",
    ]);
    assert!(place.read("search/best.toml").contains("[[network.chain]]"));
    // A search is resumed without the file, but not with other layers.
    place.write("other.toml", TWO_CHAINS.replace("outputs = 4", "outputs = 5"));
    let resume = ["tune", "--resume", "search", "--budget", "3", "--quiet"];
    let message = place.fails(2, &[&resume[..], &["--network", "other.toml"]].concat());
    assert!(message.contains("network"), "{message}");
    place.write("net.toml", "");
    place.ok(&resume);
    place.write("net.toml", TWO_CHAINS);
    train(&place, "folds", &["--network", "net.toml", "--cv", "2"]);
    place.ok(&["lr-find", "iris.csv", "--network", "net.toml", "--quiet"]);
    place.ok(&["train", "iris.csv", "--network", "net.toml", "--overfit-batch", "--quiet", "--lr", "0.03"]);
}

#[test]
fn learning_options_are_checked_and_a_layers_own_override_its_kinds() {
    let file = |learn: &str, kinds: &str| {
        format!("chain = [{{ kind = \"linear\", outputs = \"outputs\", learn = {{ {learn} }} }}]\n[learn]\n{kinds}")
    };
    let place = place_with(&file("lr = 0.5", ""));
    let own = train(&place, "own", &["--network", "net.toml"])["weights_sha256"].clone();
    place.write("net.toml", file("", "linear = { lr = 0.5 }"));
    assert_eq!(train(&place, "kind", &["--network", "net.toml"])["weights_sha256"], own);
    place.write("net.toml", file("lr = 0.5", "linear = { lr = 3 }"));
    assert_eq!(train(&place, "both", &["--network", "net.toml"])["weights_sha256"], own);
    place.write("net.toml", file("init = 0.25, bias = { init = 0.5 }", ""));
    train(&place, "filled", &["--network", "net.toml", "--lr", "1e-30"]);
    let text = place.ok(&["train", "iris.csv", "--network", "net.toml", "--trace", "--quiet"]);
    assert!(text.contains("network.0.weight                0.250000   0.250000"), "{text}");
    assert!(text.contains("network.0.bias                  0.500000   0.500000   0.500000"), "{text}");
    for (learn, kinds, expected) in [
        ("lr = 0", "", "chain[0].learn.lr: expected a factor above 0, found 0"),
        ("decay = -1", "", "chain[0].learn.decay: expected a factor of at least 0"),
        ("frozen = 1", "", "expected true or false"),
        ("lrr = 1", "", "unknown option \"lrr\": did you mean \"lr\"?"),
        ("bias = { rate = 1 }", "", "chain[0].learn.bias: unknown option \"rate\""),
        ("bias = { init = \"orthogonal\" }", "", "bias is no matrix"),
        ("", "liner = {}", "learn: unknown kind \"liner\""),
        ("", "linear = { lr = \"fast\" }", "learn.linear.lr: expected a factor above 0"),
    ] {
        place.write("net.toml", file(learn, kinds));
        let message = place.fails(2, &["train", "iris.csv", "--network", "net.toml", "--quiet"]);
        assert!(message.contains(expected), "{message}");
    }
    place.write("net.toml", file("frozen = true", ""));
    let message = place.fails(4, &["train", "iris.csv", "--network", "net.toml", "--quiet"]);
    assert!(message.contains("nothing is left to learn"), "{message}");
    place.write("net.toml", file("lr = 2", ""));
    let message = place.fails(2, &["train", "iris.csv", "--network", "net.toml", "--optimizer", "rprop", "--quiet"]);
    assert!(message.contains("rprop finds its own step sizes"), "{message}");
}

#[test]
fn a_wrong_network_is_refused_with_the_path_of_the_fault() {
    let linear = |outputs: &str| format!("chain = [{{ kind = \"linear\", outputs = {outputs} }}]");
    let deep = format!("chain = [{}{}", "{ kind = \"skip\", chain = [".repeat(20), "] }".repeat(20) + "]");
    let cases = [
        (
            2,
            "chain = [{ kind = \"skip\", chain = [{ kind = \"liner\" }] }]".into(),
            "chain[0].chain[0]: unknown kind \"liner\"",
        ),
        (
            2,
            "chain = [{ kind = \"branches\", branches = [[], [{ kind = \"norm\", norm = 1 }]] }]".into(),
            "chain[0].branches[1][0].norm",
        ),
        (2, "chain = [{ kind = \"linear\", output = 3 }]".into(), "expected outputs = a width, found output"),
        (2, "chain = [{ kind = \"linear\", outputs = 3, biass = false }]".into(), "unknown field \"biass\""),
        (2, linear("0"), "chain[0].outputs: expected a width of 1 to 1048576"),
        (2, linear("9999999999"), "found 9999999999"),
        (2, linear("-5"), "found -5"),
        (2, "chain = [{ kind = \"dropout\", rate = 1 }]".into(), "above 0 and below 1, found 1"),
        (2, "chain = [{ kind = \"activation\", function = \"rellu\" }]".into(), "did you mean \"relu\"?"),
        (2, "chain = []".into(), "no layer learns"),
        (2, "chain = [[]]".into(), "chain[0]: expected a layer such as"),
        (2, "layers = []".into(), "expected a list of layers, found nothing"),
        (2, "chain = [\n{ kind = ".into(), "net.toml: line 2"),
        (2, deep, "more than 16 chains within each other"),
        (4, linear("5"), "gives 5 features, and the data need 3 outputs"),
        (
            4,
            format!(
                "chain = [{}]",
                "{ kind = \"branches\", branches = [[], [], []] },".repeat(15) + "{ kind = \"linear\", outputs = 3 }"
            ),
            "chain[11]: 2125764 features",
        ),
        (
            5,
            "chain = [{ kind = \"linear\", outputs = 1000000 }, { kind = \"linear\", outputs = 1000000 }, \
             { kind = \"linear\", outputs = 3 }]"
                .into(),
            "does not fit into memory",
        ),
    ];
    for (code, text, expected) in cases {
        let place = place_with(&text);
        let message = place.fails(code, &["train", "iris.csv", "--network", "net.toml", "--quiet"]);
        assert!(message.contains(expected), "{text}: {message}");
    }
    let place = place_with(TWO_CHAINS);
    for flags in
        [&["--hidden", "3"][..], &["--activation", "relu"], &["--norm", "rms"], &["--residual"], &["--dropout", "0.1"]]
    {
        let message = place.fails(2, &[&["train", "iris.csv", "--network", "net.toml"], flags].concat());
        assert!(message.contains(&format!("leave out {}", flags[0])), "{message}");
    }
}

#[test]
fn learning_options_apply_to_layers_with_such_tensors() {
    let readable = |text: &str| {
        let place = place_with(text);
        place.ok(&["train", "iris.csv", "--network", "net.toml", "--epochs", "2", "-o", "run", "-q"]);
        place.ok(&["predict", "run", "iris.csv"]);
        place.ok(&["inspect", "run"])
    };
    let out = "{ kind = \"linear\", outputs = \"outputs\" }";
    // A skip has a projection only if the widths differ. Options for a kind apply to the layers with tensors.
    let projected = format!("chain = [{{ kind = \"skip\", chain = [{out}], learn = {{ lr = 2 }} }}]");
    assert!(readable(&projected).contains("lr = 2"));
    let both = format!(
        "chain = [{{ kind = \"skip\", chain = [] }}, {{ kind = \"skip\", chain = [{out}] }}]\n[learn]\nskip = {{ weight = {{ lr = 3 }} }}"
    );
    assert!(readable(&both).contains("lr = 3"));
    let norms = format!(
        "chain = [{{ kind = \"norm\", norm = \"rms\" }}, {{ kind = \"norm\", norm = \"layer\" }}, {out}]\n[learn]\nnorm = {{ bias = {{ lr = 2 }} }}"
    );
    readable(&norms);
    // Options of a layer override options of its kind for a tensor.
    let first = format!(
        "chain = [{{ kind = \"linear\", outputs = 6, learn = {{ frozen = false, decay = 2 }} }}, {out}]\n[learn]\nlinear = {{ weight = {{ frozen = true, decay = 0.2 }} }}"
    );
    let shown = readable(&first);
    let line = shown.lines().find(|line| line.contains("linear 6")).expect("the layer is listed");
    assert!(line.contains("frozen = false") && !line.contains("frozen = true") && !line.contains("0.2"), "{line}");
    for (text, expected) in [
        (
            format!(
                "chain = [{{ kind = \"activation\", function = \"relu\" }}, {out}]\n[learn]\nactivation = {{ lr = 2 }}"
            ),
            "activation learns nothing",
        ),
        (format!("chain = [{out}]\n[learn]\nscale = {{ foo = 2 }}"), "unknown option \"foo\""),
        (format!("chain = [{out}]\n[learn]\ndropout = \"x\""), "expected a table"),
        (
            format!("chain = [{{ kind = \"skip\", chain = [], learn = {{ frozen = true }} }}, {out}]"),
            "skip learns nothing",
        ),
        (format!("chain = [{{ kind = \"scale\", learn = {{ init = 1e300 }} }}, {out}]"), "a number"),
    ] {
        let message = place_with(&text).fails(2, &["train", "iris.csv", "--network", "net.toml", "-q"]);
        assert!(message.contains(expected), "{text}: {message}");
    }
}

#[test]
fn a_flag_replaces_the_network_of_a_configuration_file() {
    let place = place_with(TWO_CHAINS);
    let train = |more: &[&str]| place.ok(&[&["train", "iris.csv", "--epochs", "1", "-q"][..], more].concat());
    let config = |run: &str| place.read(&format!("{run}/config.toml"));
    train(&["--network", "net.toml", "-o", "layers"]);
    train(&["--hidden", "8", "--dropout", "0.1", "-o", "stack"]);
    train(&["-c", "layers/config.toml", "--hidden", "8", "-o", "a"]);
    assert!(config("a").contains("hidden = [8]") && !config("a").contains("network"), "{}", config("a"));
    train(&["-c", "stack/config.toml", "--network", "net.toml", "-o", "b"]);
    assert!(config("b").contains("network") && !config("b").contains("hidden"), "{}", config("b"));
    // In one file the two still exclude each other.
    place.write("both.toml", "network = \"net.toml\"\nhidden = [4]\n");
    assert!(place.fails(2, &["train", "iris.csv", "-c", "both.toml"]).contains("leave out --hidden"));
}
