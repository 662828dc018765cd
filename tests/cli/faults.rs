//! Hostile model files, tight system limits, and signals: each gives a clear message and the documented exit code, and
//! leaves no files behind.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::place::{Place, SMALL, code, error, out};

/// A place with a model of iris in `run`, and the bytes of the model's file.
fn iris() -> (Place, Vec<u8>) {
    let place = Place::new();
    place.shipped("iris.csv");
    place.ok(&[&["train", "iris.csv", "-o", "run"][..], &SMALL].concat());
    let model = std::fs::read(place.path("run/model.safetensors")).unwrap();
    (place, model)
}

/// Splits a model into its header and the bytes of the tensors.
fn parted(model: &[u8]) -> (Value, &[u8]) {
    let length = u64::from_le_bytes(model[..8].try_into().unwrap()) as usize;
    (serde_json::from_slice(&model[8..8 + length]).unwrap(), &model[8 + length..])
}

fn joined(header: &Value, tensors: &[u8]) -> Vec<u8> {
    let header = header.to_string();
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), tensors].concat()
}

/// The model with a changed card.
fn with_card(model: &[u8], change: impl Fn(&mut Value)) -> Vec<u8> {
    let (mut header, tensors) = parted(model);
    let text = header["__metadata__"]["gradlane"].as_str().unwrap();
    let mut card: Value = serde_json::from_str(text).unwrap();
    change(&mut card);
    header["__metadata__"]["gradlane"] = card.to_string().into();
    joined(&header, tensors)
}

/// Checks that every verb that reads a model refuses this one, with limited memory and time and with `part` in the message.
fn assert_refused(place: &Place, model: &[u8], part: &str) {
    place.write("strange.safetensors", model);
    for verb in [
        &["predict", "strange.safetensors", "iris.csv"][..],
        &["inspect", "strange.safetensors"],
        &["evaluate", "strange.safetensors", "iris.csv"],
    ] {
        let began = Instant::now();
        let output = limited(place, "--as=1500000000", verb);
        let message = error(&output);
        assert_eq!(code(&output), 3, "{verb:?}: {message}");
        assert!(message.contains(part) && out(&output).is_empty(), "{verb:?}: {message}");
        assert!(began.elapsed() < Duration::from_secs(10), "{verb:?} took {:?}", began.elapsed());
    }
}

/// Runs the program under a limit set by `prlimit`.
fn limited(place: &Place, limit: &str, args: &[&str]) -> Output {
    let program = place.command(args);
    let mut command = Command::new("prlimit");
    command.arg(limit).arg("--core=0").arg(program.get_program()).args(program.get_args());
    command.current_dir(place.path(".")).env("NO_COLOR", "1").stdin(Stdio::null());
    command.output().expect("prlimit starts")
}

#[test]
fn headers_with_enormous_sizes_are_refused_before_memory_is_allocated() {
    let (place, model) = iris();
    let hidden = |widths: Value| {
        with_card(&model, |card| {
            card["architecture"]["activations"] = vec![json!("relu"); widths.as_array().unwrap().len()].into();
            card["architecture"]["hidden"] = widths.clone();
        })
    };
    assert_refused(
        &place,
        &hidden(json!([30000, 30000])),
        "tensor \"layers.0.weight\": expected shape [30000, 4], found [8, 4]",
    );
    assert_refused(&place, &hidden(json!([8, 4_000_000_000_000_000_000_u64])), "\"layers.1.weight\"");
    assert_refused(
        &place,
        &with_card(&model, |card| card["members"] = json!(1_000_000_000_000_u64)),
        "expected tensors of 1000000000000 networks",
    );
    let (mut header, tensors) = parted(&model);
    for number in 0..300_000 {
        header[format!("empty.{number}")] = json!({"dtype": "F32", "shape": [0], "data_offsets": [0, 0]});
    }
    assert_refused(&place, &joined(&header, tensors), "is not of this network");
}

#[test]
fn models_with_invalid_values_are_refused() {
    let (place, model) = iris();
    for (value, name) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf")] {
        let mut strange = model.clone();
        let at = strange.len() - 4;
        strange[at..].copy_from_slice(&value.to_le_bytes());
        assert_refused(&place, &strange, &format!("is {name}"));
    }
    let columns = |card: &mut Value, key: &str, value: Value| card["preprocessing"]["features"][0][key] = value;
    assert_refused(
        &place,
        &with_card(&model, |card| columns(card, "scale", json!(0.0))),
        "the scale of a column is not above 0",
    );
    assert_refused(
        &place,
        &with_card(&model, |card| columns(card, "scale", json!(-1.5))),
        "the scale of a column is not above 0",
    );
    let twice = |card: &mut Value| {
        let name = card["preprocessing"]["features"][1]["column"].clone();
        columns(card, "column", name);
    };
    assert_refused(&place, &with_card(&model, twice), "a column is there twice");
    for dropout in [1.0, -0.1, 2.0] {
        assert_refused(
            &place,
            &with_card(&model, |card| card["architecture"]["dropout"] = json!(dropout)),
            "expected dropout",
        );
    }
    let classes = |card: &mut Value| {
        let name = card["preprocessing"]["target"]["classes"][1].clone();
        card["preprocessing"]["target"]["classes"][0] = name;
    };
    assert_refused(&place, &with_card(&model, classes), "a class or a label column is there twice");
    // An unchanged card that is written in the same way is accepted, so the refusals are due to the changes.
    place.write("strange.safetensors", with_card(&model, |_| {}));
    assert_eq!(place.ok(&["predict", "strange.safetensors", "iris.csv"]), place.ok(&["predict", "run", "iris.csv"]));
}

#[test]
fn enormous_searches_are_refused() {
    let place = Place::new();
    place.shipped("iris.csv");
    let message = place.fails(2, &["tune", "iris.csv", "--budget", "100000000000"]);
    assert!(message.contains("--budget") && message.contains("1000000 trials at most"), "{message}");
    place.write("space.toml", "depth = { int = [1, 1000000000] }\n");
    let message = place.fails(2, &["tune", "iris.csv", "--space", "space.toml", "--budget", "9"]);
    assert!(message.contains("space.toml: depth: expected 1000 hidden layers at most"), "{message}");
}

/// Names of the temporary files in a folder.
fn left(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with(".tmp")).collect()
}

#[test]
fn a_file_size_limit_is_an_error_that_names_the_file() {
    let (place, _) = iris();
    let output = limited(&place, "--fsize=2000", &["predict", "run", "iris.csv", "--proba", "-o", "out.csv"]);
    assert_eq!(code(&output), 5, "{}", error(&output));
    assert!(
        error(&output).contains("out.csv: File too large") && !error(&output).contains(".tmp"),
        "{}",
        error(&output)
    );
    assert!(!place.path("out.csv").exists() && left(&place.path(".")).is_empty());
    let train = [&["train", "iris.csv", "-o", "small"][..], &SMALL].concat();
    let output = limited(&place, "--fsize=2000", &train);
    assert_eq!(code(&output), 5, "{}", error(&output));
    assert!(!error(&output).contains(".tmp"), "{}", error(&output));
    assert!(left(&place.path("small")).is_empty());
}

/// The long form, `FAULTS=200 cargo test --release --test cli stops_growing -- --nocapture`, tests this many sizes for each
/// verb.
#[test]
fn a_disk_that_stops_growing_at_any_size_leaves_older_files_whole() {
    let (place, _) = iris();
    let points: u64 = std::env::var("FAULTS").ok().map_or(6, |points| points.parse().unwrap());
    let train =
        [&["train", "iris.csv", "-o", "run", "--overwrite", "--checkpoint-every", "1steps"][..], &SMALL].concat();
    place.ok(&train);
    let predict = ["predict", "run", "iris.csv", "--proba", "-o", "out.csv"];
    place.ok(&predict);
    let convert = ["data", "convert", "iris.csv", "iris.parquet"];
    place.ok(&convert);
    let (mut faults, files) = (0, ["checkpoint", "events.jsonl", "model.safetensors", "summary.json"]);
    let largest = files.map(|file| place.path("run").join(file).metadata().unwrap().len()).into_iter().max().unwrap();
    for (verb, written) in [(&train[..], "run/model.safetensors"), (&predict, "out.csv"), (&convert, "iris.parquet")] {
        let mut before = std::fs::read(place.path(written)).unwrap();
        for point in 0..points {
            let size = largest * point / points;
            let output = limited(&place, &format!("--fsize={size}"), verb);
            let after = std::fs::read(place.path(written)).unwrap();
            assert!(left(&place.path(".")).is_empty() && left(&place.path("run")).is_empty(), "{verb:?}, {size} bytes");
            match code(&output) {
                0 => before = after,
                5 => {
                    faults += 1;
                    // If only the checkpoint fails, the run still saves its model.
                    if after != before {
                        assert!(
                            error(&output).contains("checkpoint"),
                            "{verb:?} with {size} bytes: {}",
                            error(&output)
                        );
                        place.ok(&["predict", "run", "iris.csv"]);
                        before = after;
                    }
                }
                other => panic!("{verb:?} with {size} bytes: {other}, {}", error(&output)),
            }
        }
    }
    println!("{faults} faults");
    assert!(faults as u64 > points);
}

#[test]
fn a_signal_leaves_no_temporary_file() {
    let (place, _) = iris();
    for (signal, expected) in [("-INT", 130), ("-TERM", 143)] {
        let mut child = place.command(&["predict", "run", "-", "-o", "out.csv"]);
        let mut child = child.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let header = place.read("iris.csv").lines().next().unwrap().to_owned() + "\n5.1,3.5,1.4,0.2,setosa\n";
        use std::io::Write;
        child.stdin.as_mut().unwrap().write_all(header.as_bytes()).unwrap();
        let line = "5.1,3.5,1.4,0.2,setosa\n".repeat(100_000);
        child.stdin.as_mut().unwrap().write_all(line.as_bytes()).unwrap();
        let began = Instant::now();
        while left(&place.path(".")).is_empty() && began.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(left(&place.path(".")).len(), 1, "a file is being written");
        Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(expected));
        assert!(left(&place.path(".")).is_empty() && !place.path("out.csv").exists(), "{signal}");
    }
}

#[test]
fn a_run_whose_directory_is_removed_still_saves_its_model() {
    let place = Place::new();
    place.shipped("iris.csv");
    let train = ["train", "iris.csv", "-o", "run", "--hidden", "8", "--epochs", "900000", "--time-limit", "1.5s", "-q"];
    let child = place.command(&train).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(700));
    std::fs::remove_dir_all(place.path("run")).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), 5, "{}", error(&output));
    assert!(error(&output).contains("events.jsonl: was removed while the run went on"), "{}", error(&output));
    assert_eq!(place.json("run/summary.json")["stopped"], "time");
    place.ok(&["predict", "run", "iris.csv"]);
}

/// Runs the program as an unprivileged user with a limit on threads, because that limit does not apply to root. `None` if
/// the test does not run as root or `setpriv` is missing.
fn with_threads(place: &Place, most: usize, args: &[&str]) -> Option<Output> {
    let is_root = Command::new("id").arg("-u").output().ok()?.stdout.starts_with(b"0\n");
    if !is_root || Command::new("setpriv").arg("--version").output().is_err() {
        return None; // other processes of the same user count too
    }
    let everyone = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(place.path("."), everyone).unwrap();
    // The unprivileged user may not have access to the program, so it is copied.
    let program = place.path("gradlane");
    if !program.exists() {
        std::fs::copy(place.command(&[]).get_program(), &program).unwrap();
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=61234", "--regid=61234", "--clear-groups", "prlimit", &format!("--nproc={most}")]);
    command.arg(&program).args(args).current_dir(place.path(".")).env("NO_COLOR", "1").stdin(Stdio::null());
    Some(command.output().unwrap())
}

#[test]
fn fewer_threads_than_requested_give_the_same_bits() {
    let place = Place::new();
    place.shipped("digits.csv");
    let train = |run: &'static str| -> Vec<&str> {
        let shape = ["--hidden", "256,128", "--epochs", "2", "--batch", "256", "--seed", "4", "--json", "-q"];
        [&["train", "digits.csv", "-j", "4", "-o", run][..], &shape].concat()
    };
    let whole: Value = serde_json::from_str(&place.ok(&train("whole"))).unwrap();
    for most in [2, 3, 4] {
        let Some(output) = with_threads(&place, most, &[&train("few")[..], &["--overwrite"]].concat()) else { return };
        assert_eq!(code(&output), 0, "{most}: {}", error(&output));
        let few: Value = serde_json::from_str(&out(&output)).unwrap();
        assert_eq!(few["weights_sha256"], whole["weights_sha256"], "{most}");
        let verbs = [
            &["predict", "few", "digits.csv"][..],
            &["evaluate", "few", "digits.csv"],
            &["inspect", "digits.csv"],
            &[
                "train",
                "digits.csv",
                "--ensemble",
                "2",
                "--epochs",
                "1",
                "--hidden",
                "8",
                "-q",
                "-o",
                "two",
                "--overwrite",
            ],
        ];
        for verb in verbs {
            let output = with_threads(&place, most, verb).unwrap();
            assert_eq!(code(&output), 0, "{most} {verb:?}: {}", error(&output));
        }
    }
    let exact = [&train("exact")[..], &["--exact-threads"]].concat();
    let output = with_threads(&place, 3, &exact).unwrap();
    assert_eq!(code(&output), 5, "{}", error(&output));
    assert!(error(&output).contains("--exact-threads: the system grants"), "{}", error(&output));
}

#[test]
fn weights_that_are_not_those_that_were_saved_are_refused() {
    let place = Place::new();
    place.shipped("iris.csv");
    place.ok(&["train", "iris.csv", "--preset", "plain", "--epochs", "1", "-q", "-o", "run"]);
    let path = place.path("run/model.safetensors");
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 3;
    bytes[last] ^= 16;
    std::fs::write(&path, bytes).unwrap();
    for verb in ["predict", "evaluate"] {
        let said = place.fails(3, &[verb, "run", "iris.csv"]);
        assert!(said.contains("the weights are not those that were saved"), "{said}");
    }
    assert!(place.fails(13, &["verify", "run", "-q"]).contains("tensor"), "verify names the tensor");
    let said = place.fails(3, &["train", "iris.csv", "--preset", "plain", "--init-from", "run", "-o", "next"]);
    assert!(said.contains("the weights are not those that were saved"), "{said}");
}

#[test]
fn output_goes_to_pipes_and_never_over_its_input() {
    let place = Place::new();
    place.shipped("iris.csv");
    place.ok(&["train", "iris.csv", "--preset", "plain", "--epochs", "1", "-q", "-o", "run"]);
    assert_eq!(place.ok(&["predict", "run", "iris.csv", "-o", "/dev/stdout"]).lines().count(), 151);
    let before = place.read("iris.csv");
    let input = std::fs::File::open(place.path("iris.csv")).unwrap();
    let output = place.command(&["predict", "run", "-", "-o", "iris.csv"]).stdin(input).stderr(Stdio::piped()).output();
    let output = output.unwrap();
    assert_eq!((code(&output), place.read("iris.csv") == before), (2, true), "{}", error(&output));
    // A closed pipe is no error of the program.
    let rows: String = (0..50_000).map(|n| format!("{n},{n}\n")).collect();
    place.write("large.csv", "a,b\n".to_owned() + &rows);
    for to in ["csv", "tsv", "jsonl"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = place.command(&["data", "convert", "large.csv", "-", "--to", to]).stdout(writer).output().unwrap();
        assert!(!error(&output).contains("pipe"), "{to}: {}", error(&output));
    }
    // What only its owner may read stays so.
    place.write("out.csv", "old");
    std::fs::set_permissions(place.path("out.csv"), std::fs::Permissions::from_mode(0o600)).unwrap();
    place.ok(&["predict", "run", "iris.csv", "-o", "out.csv"]);
    assert_eq!(std::fs::metadata(place.path("out.csv")).unwrap().permissions().mode() & 0o777, 0o600);
}
