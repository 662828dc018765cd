use crate::place::{Place, code, error, json, out};

/// Rows with numbers with and without decimals, a text, dates, a code with leading zeros, missing values, and a label.
fn rows(from: usize, to: usize) -> String {
    let row = |n: usize| {
        let x = (n as f64 * 0.37).sin();
        let size = if n % 11 == 5 { String::new() } else { format!("{}", n * n % 17) };
        let colour = ["red", "", "dark blue", "#green"][n % 4];
        let time = format!("2024-{:02}-{:02} 12:{:02}:30.5", n % 12 + 1, n % 28 + 1, n % 60);
        let id = 9_007_199_254_740_993 + n as i64 * 2;
        format!("{x},{size},{colour},{time},{:03},{id},{}\n", n % 9, if x > 0.0 { "a" } else { "b" })
    };
    "width,size,colour,time,code,number,label\n".to_owned() + &(from..to).map(row).collect::<String>()
}

fn hash(place: &Place, data: &str, more: &[&str]) -> String {
    place.train(data, &format!("run-{data}"), more)["weights_sha256"].as_str().unwrap().to_owned()
}

#[test]
fn packs_train_to_the_same_weights_as_their_sources() {
    let place = Place::new();
    place.write("odd.csv", rows(0, 200));
    for name in ["iris", "penguins", "credit", "diabetes", "digits", "wine", "breast_cancer", "odd"] {
        let csv = format!("{name}.csv");
        if name != "odd" {
            place.shipped(&csv);
        }
        let pack = format!("{name}.pack");
        let said = place.err(&["data", "pack", &csv, "-o", &pack]);
        assert!(said.contains(&format!("{pack}: ")) && said.contains(" MB"), "{said}");
        assert_eq!(hash(&place, &pack, &["--test", "0.2"]), hash(&place, &csv, &["--test", "0.2"]), "{name}");
        // A table in memory is written to the same bytes.
        place.ok(&["data", "convert", &csv, "converted.pack"]);
        assert_eq!(std::fs::read(place.path(&pack)).unwrap(), std::fs::read(place.path("converted.pack")).unwrap());
        place.ok(&["data", "convert", &pack, "back.csv"]);
        assert_eq!(
            hash(&place, "back.csv", &["--test", "0.2", "--overwrite"]),
            hash(&place, &csv, &["--test", "0.2", "--overwrite"])
        );
    }
}

#[test]
fn every_verb_reads_packs() {
    let place = Place::new();
    place.shipped("penguins.csv");
    place.ok(&["data", "pack", "penguins.csv", "-o", "penguins.pack"]);
    place.train("penguins.csv", "run", &[]);
    let both = |args: &[&str]| {
        ["penguins.csv", "penguins.pack"]
            .map(|data| place.ok(&args.iter().map(|arg| if *arg == "DATA" { data } else { *arg }).collect::<Vec<_>>()))
    };
    for args in [
        &["predict", "run", "DATA", "--proba", "--keep", "island,year,species"][..],
        &["evaluate", "run", "DATA", "--json"],
        &["data", "convert", "DATA", "-", "--to", "csv"],
    ] {
        let [of_csv, of_pack] = both(args);
        assert_eq!(of_csv, of_pack, "{args:?}");
    }
    let [of_csv, of_pack] = both(&["inspect", "DATA", "--json"]).map(|text| json(&text));
    assert_eq!(of_csv["columns"], of_pack["columns"]);
    let [of_csv, of_pack] = both(&["data", "stats", "DATA", "--json"]).map(|text| json(&text));
    assert_eq!(of_csv["information"], of_pack["information"]);
    place.ok(&["data", "split", "penguins.pack", "-o", "parts", "--test", "0.2"]);
    assert!(place.path("parts/train.pack").is_file() && place.path("parts/test.pack").is_file());
    // A pack is recognised by its content, compressed or not, or by the given format.
    let bytes = std::fs::read(place.path("penguins.pack")).unwrap();
    place.write("other.bin", &bytes);
    place.write("zipped", zstd::encode_all(bytes.as_slice(), 3).unwrap());
    for data in ["other.bin", "zipped"] {
        assert_eq!(place.ok(&["predict", "run", data]), place.ok(&["predict", "run", "penguins.csv"]), "{data}");
    }
    let said = place.fails(3, &["predict", "run", "penguins.csv", "--format", "pack"]);
    assert!(said.contains("penguins.csv: ") && said.contains("damaged or cut short"), "{said}");
}

#[test]
fn several_files_are_packed_into_one() {
    let place = Place::new();
    place.write("all.csv", rows(0, 300));
    place.write("a.csv", rows(0, 120));
    place.write("b.csv", rows(120, 300));
    place.ok(&["data", "convert", "b.csv", "b.parquet"]);
    let said = place.err(&["data", "pack", "a.csv", "b.csv", "-o", "ab.pack"]);
    assert!(said.contains("2 files, one after the other") && said.contains("300 rows, 7 columns"), "{said}");
    let expected = hash(&place, "all.csv", &[]);
    assert_eq!(hash(&place, "ab.pack", &[]), expected);
    place.write("c.csv", "width,size\n1,2\n");
    let said = place.fails(3, &["data", "pack", "a.csv", "c.csv", "-o", "x.pack"]);
    assert!(
        said.contains("c.csv: expected the columns of a.csv (width, size, ") && said.contains("found width, size"),
        "{said}"
    );
    assert!(!place.path("x.pack").exists());
    let said = place.fails(2, &["data", "pack", "-", "-o", "x.pack"]);
    assert!(said.contains("save it to a file first"), "{said}");
    let said = place.fails(2, &["data", "pack", "a.csv", "-o", "a.csv"]);
    assert!(said.contains("the data are there"), "{said}");
    place.fails(2, &["data", "pack", "a.csv"]);
    place.fails(5, &["data", "pack", "a.csv", "-o", "missing/x.pack"]);
    place.fails(5, &["data", "pack", "none.csv", "-o", "x.pack"]);
}

/// A column may turn out to be text or a code late in a file, when its first rows are no longer in memory.
#[test]
fn long_tables_are_packed_to_the_same_bytes_as_from_memory() {
    let place = Place::new();
    let row = |n: usize| {
        let late = if n < 70_000 { String::new() } else { ["x", "y"][n % 2].to_owned() };
        let mixed = if n == 90_001 { "many".to_owned() } else { (n % 7).to_string() };
        let code = if n == 99_999 { "007".to_owned() } else { (n % 50 + 10).to_string() };
        let long = if n == 80_000 { 9_007_199_254_740_993i64 } else { n as i64 };
        let single = if n == 95_000 { "0.1".to_owned() } else { format!("{}", n as f64 * 0.5) };
        format!("{n}.5,{late},{mixed},{code},{long},{single},{},{}\n", n % 3, n % 2)
    };
    let text = "half,late,mixed,code,long,single,small,label\n".to_owned() + &(0..100_000).map(row).collect::<String>();
    place.write("x.csv", text);
    place.ok(&["data", "pack", "x.csv", "-o", "x.pack"]);
    place.ok(&["data", "convert", "x.csv", "converted.pack"]);
    assert!(std::fs::read(place.path("x.pack")).unwrap() == std::fs::read(place.path("converted.pack")).unwrap());
}

#[test]
fn damaged_packs_are_refused() {
    let place = Place::new();
    place.shipped("iris.csv");
    place.ok(&["data", "pack", "iris.csv", "-o", "iris.pack"]);
    let bytes = std::fs::read(place.path("iris.pack")).unwrap();
    for length in [9, 40, 200, bytes.len() / 2, bytes.len() - 1] {
        place.write("cut.pack", &bytes[..length]);
        let said = place.fails(3, &["train", "cut.pack", "--epochs", "1"]);
        assert!(said.contains("cut.pack: ") && said.contains("damaged or cut short"), "{length}: {said}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    place.write("cut.pack", &longer);
    place.fails(3, &["train", "cut.pack", "--epochs", "1", "--shuffle", "blocks"]);
}

#[test]
fn blocks_give_the_same_bits_on_any_number_of_threads() {
    let place = Place::new();
    place.write("odd.csv", rows(0, 3000));
    place.ok(&["data", "pack", "odd.csv", "-o", "odd.pack"]);
    let blocks = |data: &str, more: &[&str]| {
        hash(&place, data, &[&["--shuffle", "blocks", "--test", "0.2", "--overwrite"], more].concat())
    };
    let one = blocks("odd.pack", &["-j", "1"]);
    assert_eq!(blocks("odd.pack", &["-j", "2", "--exact-threads"]), one);
    assert_eq!(blocks("odd.csv", &[]), one, "a source that is packed first");
    assert_ne!(blocks("odd.pack", &["--seed", "1"]), one);
    assert_ne!(hash(&place, "odd.pack", &["--test", "0.2", "--overwrite"]), one, "another order");
    // Without shuffling, rows and blocks give the same results.
    let [rows, blocks] = ["rows", "blocks"].map(|shuffle| {
        let more = ["--shuffle", shuffle, "--no-shuffle", "--overwrite", "--test", "0.2"];
        place.train("odd.pack", "run", &more)
    });
    for name in ["weights_sha256", "train", "val", "test", "baseline", "per_class"] {
        assert_eq!(rows[name], blocks[name], "{name}");
    }
    let config = place.read("run/config.toml");
    assert!(config.contains("shuffle = \"blocks\"") && config.contains("no_shuffle = true"), "{config}");
}

#[test]
fn runs_by_blocks_can_be_repeated_and_prolonged() {
    let place = Place::new();
    place.write("odd.csv", rows(0, 1500));
    place.train("odd.csv", "whole", &["--shuffle", "blocks", "--epochs", "4"]);
    place.ok(&["verify", "whole"]);
    place.ok(&["resume", "whole", "--epochs", "6", "-q"]);
    assert_eq!(place.json("whole/summary.json")["epochs"], 6);
    let said = place.err(&["train", "odd.csv", "--shuffle", "blocks", "--epochs", "4", "--hidden", "8", "-o", "said"]);
    assert!(
        said.contains("odd.csv is packed first, ") && said.contains("gradlane data pack keeps such a file"),
        "{said}"
    );
    for more in [&["--preset", "realmlp"][..], &["--ensemble", "2"], &["--embed", "ple:bins=8"], &["--overfit-batch"]] {
        let args =
            [&["train", "odd.csv", "--shuffle", "blocks", "--epochs", "2", "-q", "-o", "more", "--overwrite"], more];
        place.ok(&args.concat());
    }
    for verb in ["tune", "lr-find"] {
        let more = if verb == "tune" { &["--budget", "2", "-o", "search"][..] } else { &[] };
        place.ok(&[&[verb, "odd.csv", "--shuffle", "blocks", "--hidden", "8"], more].concat());
    }
}

#[test]
fn options_that_need_all_rows_are_refused_with_blocks() {
    let place = Place::new();
    place.shipped("iris.csv");
    for (more, why) in [
        (&["--cv", "3"][..], "--cv deals all rows anew"),
        (&["--optimizer", "lbfgs"], "lbfgs needs all rows in each step"),
        (&["--batch", "full"], "--batch full needs all rows"),
        (&["--augment", "noise=0.1"], "--augment noise=0.1 changes all rows"),
        (&["--balance", "over"], "--balance over mixes them"),
        (&["--shuffle", "columns"], "rows"),
    ] {
        let said = place.fails(2, &[&["train", "iris.csv", "--shuffle", "blocks"], more].concat());
        assert!(said.contains(why), "{said}");
    }
    let said = place.fails(2, &["train", "-", "--shuffle", "blocks"]);
    assert!(said.contains("standard input cannot be"), "{said}");
}

/// Writes a pack with `rows` rows of 60 numbers and a label, in double precision.
fn large(place: &Place, rows: usize) {
    let names: Vec<String> = (0..60).map(|n| format!("{{\"name\":\"x{n}\",\"kind\":\"number\"}}")).collect();
    let card = format!(
        "{{\"version\":1,\"named\":true,\"columns\":[{},{{\"name\":\"y\",\"kind\":\"number\"}}]}}",
        names.join(",")
    );
    let card = serde_json::Value::from(card).to_string();
    let mut header = format!("{{\"__metadata__\":{{\"gradlane.pack\":{card}}}");
    for column in 0..61 {
        let (start, end) = (column * rows * 8, (column + 1) * rows * 8);
        header += &format!(",\"{column}\":{{\"dtype\":\"F64\",\"shape\":[{rows}],\"data_offsets\":[{start},{end}]}}");
    }
    header.push('}');
    header += &" ".repeat(header.len().next_multiple_of(8) - header.len());
    let file = std::fs::File::create(place.path("large.pack")).unwrap();
    let mut file = std::io::BufWriter::new(file);
    let mut write = |bytes: &[u8]| std::io::Write::write_all(&mut file, bytes).unwrap();
    write(&(header.len() as u64).to_le_bytes());
    write(header.as_bytes());
    // The label depends on the first three columns.
    let x = |row: usize, column: usize| ((row * (column + 3)) as f64 * 0.618_033_988_749_895).fract() - 0.5;
    for column in 0..60 {
        (0..rows).for_each(|row| write(&x(row, column).to_le_bytes()));
    }
    (0..rows).for_each(|row| write(&f64::from(u8::from(x(row, 0) + x(row, 1) * x(row, 2) > 0.0)).to_le_bytes()));
}

/// Trains with a limit on the data memory of the process.
fn within(place: &Place, megabytes: usize, data: &str, more: &[&str]) -> std::process::Output {
    let small = ["--hidden", "16", "--epochs", "2", "-j", "2", "--json", "-q"];
    let program = place.command(&[&["train", data], &small[..], more].concat());
    let mut command = std::process::Command::new("prlimit");
    command.arg(format!("--data={}", megabytes << 20)).arg(program.get_program()).args(program.get_args());
    command.current_dir(program.get_current_dir().expect("a place")).output().expect("prlimit starts")
}

/// Checks that training on rows in memory is refused, and that training by blocks works.
fn only_blocks_fit(place: &Place, data: &str) {
    let refused = within(place, 150, data, &["-o", "rows"]);
    assert_eq!(code(&refused), 5, "{}", error(&refused));
    assert!(error(&refused).contains("--shuffle blocks trains on them from the disk"), "{}", error(&refused));
    let trained = within(place, 150, data, &["-o", "blocks", "--overwrite", "--shuffle", "blocks"]);
    assert_eq!(code(&trained), 0, "{}", error(&trained));
    let summary = json(&out(&trained));
    assert!(summary["val"]["accuracy"].as_f64().unwrap() > 0.8, "{summary}");
}

#[test]
#[ignore = "writes 400 MB; cargo test --release --test cli larger_than -- --ignored"]
fn sets_larger_than_memory_train_by_blocks() {
    let place = Place::new();
    large(&place, 820_000);
    only_blocks_fit(&place, "large.pack");
    large(&place, 150_000);
    place.ok(&["data", "convert", "large.pack", "large.csv"]);
    only_blocks_fit(&place, "large.csv");
    let packed = place.train("large.csv", "csv", &["--shuffle", "blocks", "--epochs", "1"]);
    let own = place.train("large.pack", "pack", &["--shuffle", "blocks", "--epochs", "1"]);
    assert_eq!(packed["weights_sha256"], own["weights_sha256"]);
}
