//! Every format is read as the table that was written, or refused with a reason. `tests/formats.py` wrote the files of
//! `tests/data/formats`; another folder with files that it wrote is read from the environment variable `GRADLANE_FORMATS`.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use gradlane::data::{Column, ColumnKind, Contents, DataOptions, Format, ReadOptions, Source, Table, prepare, read};
use gradlane::{Error, Result};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The expected reading of a file.
#[derive(Debug, serde::Deserialize)]
struct Expected {
    /// Part of the error message, if the file is refused.
    error: Option<String>,
    #[serde(default)]
    columns: Vec<ExpectedColumn>,
    /// Another file with the same table.
    r#as: Option<String>,
}

#[derive(Debug, PartialEq, serde::Deserialize)]
struct ExpectedColumn {
    name: String,
    kind: String,
    cells: Vec<Option<String>>,
}

fn folder() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/formats");
    std::env::var_os("GRADLANE_FORMATS").map_or(own, PathBuf::from)
}

fn expected() -> BTreeMap<String, Expected> {
    let text = std::fs::read_to_string(folder().join("expected.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn table_of(path: &Path) -> Result<Table> {
    match read(&Source::new(path), &ReadOptions::default())? {
        Contents::Table(table) => Ok(table),
        Contents::Images(_) => panic!("{} was taken for images", path.display()),
    }
}

fn columns(table: &Table) -> Vec<ExpectedColumn> {
    let all = table.names.iter().zip(&table.columns).zip(&table.kinds);
    let shown = |((name, column), kind): ((&String, &Column), &ColumnKind)| ExpectedColumn {
        name: name.clone(),
        kind: match kind {
            ColumnKind::Number(_) => "number",
            ColumnKind::Date(_) => "date",
            ColumnKind::Text => "text",
        }
        .to_owned(),
        cells: (0..table.rows()).map(|row| column.cell(row).map(|cell| cell.into_owned())).collect(),
    };
    all.map(shown).collect()
}

/// Whether two columns are the same. Numbers are compared by value.
fn is_same(a: &ExpectedColumn, b: &ExpectedColumn) -> bool {
    let value = |cell: &Option<String>| cell.as_ref().map(|cell| cell.parse::<f64>().unwrap());
    let values = |column: &ExpectedColumn| column.cells.iter().map(value).collect::<Vec<_>>();
    (&a.name, &a.kind) == (&b.name, &b.kind)
        && if a.kind == "text" { a.cells == b.cells } else { values(a) == values(b) }
}

#[test]
fn every_file_is_read_or_refused_as_expected() {
    let mut wrong = Vec::new();
    let all = expected();
    for (name, expected) in &all {
        let expected = expected.r#as.as_ref().map_or(expected, |other| &all[other]);
        match (table_of(&folder().join(name)), &expected.error) {
            (Err(Error::Data { place, message }), Some(part)) => {
                let said = format!("{place}: {message}");
                if !said.contains(part.as_str()) {
                    wrong.push(format!("{name}: expected \"{part}\", found \"{said}\""));
                }
            }
            (Ok(table), None) => {
                let found = columns(&table);
                let differs = |(a, b): (&ExpectedColumn, &ExpectedColumn)| {
                    (!is_same(a, b)).then(|| format!("{name}: expected {a:?},\n   found {b:?}"))
                };
                wrong.extend(expected.columns.iter().zip(&found).filter_map(differs));
                if found.len() != expected.columns.len() {
                    wrong.push(format!("{name}: {} columns", found.len()));
                }
            }
            (Ok(_), Some(part)) => wrong.push(format!("{name}: read, and should be refused: {part}")),
            (Err(error), _) => wrong.push(format!("{name}: {error}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn damaged_files_never_cause_a_panic() {
    let seed: u64 = std::env::var("SEED").ok().map_or(16, |seed| seed.parse().unwrap());
    let rounds: usize = std::env::var("ROUNDS").ok().map_or(25, |rounds| rounds.parse().unwrap());
    println!("SEED={seed} ROUNDS={rounds}");
    let (mut rng, folder_of_trials) = (ChaCha8Rng::seed_from_u64(seed), tempfile::tempdir().unwrap());
    let seldom = |name: &str| !name.contains("types_") || name.contains("groups") || name.contains(".npz");
    for name in expected().into_keys().filter(|name| seldom(name)) {
        let whole = std::fs::read(folder().join(&name)).unwrap();
        for round in 0..rounds {
            let mut bytes = whole.clone();
            match round % 3 {
                0 => bytes.truncate(rng.random_range(0..whole.len())),
                // The end of a Parquet or ZIP file has the offsets of everything else.
                1 if whole.len() > 300 => {
                    let at = whole.len() - 1 - rng.random_range(0..300);
                    bytes[at] ^= 1 << rng.random_range(0..8);
                }
                _ => (0..rng.random_range(1..4)).for_each(|_| {
                    let at = rng.random_range(0..whole.len());
                    bytes[at] = rng.random_range(0..=255);
                }),
            }
            let path = folder_of_trials.path().join(&name);
            std::fs::write(&path, &bytes).unwrap();
            let (source, options) = (Source::new(path), ReadOptions::default());
            let read = catch_unwind(AssertUnwindSafe(|| read(&source, &options)));
            match read {
                Ok(Ok(_) | Err(Error::Data { .. })) => {}
                Ok(Err(other)) => panic!("{name}, round {round}, seed {seed}: expected a data error, found {other}"),
                Err(_) => panic!("{name}, round {round}, seed {seed}: panicked"),
            }
        }
    }
}

/// The prepared training part as text, which differs if any bit differs.
fn training_part(path: &Path, label: &str) -> String {
    let options = DataOptions { label: vec![label.to_owned()], ..DataOptions::new(path) };
    let prepared = prepare(&options, 1).unwrap();
    format!("{:?} {:?}", prepared.train, prepared.val)
}

#[test]
fn the_same_numbers_in_every_format_are_the_same_inputs() {
    let folder = tempfile::tempdir().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let rows: Vec<[f64; 4]> = (0..60)
        .map(|row| {
            let y = f64::from(u8::from(row % 3 == 0));
            [rng.random_range(-1.0..1.0), f64::from(rng.random_range(1..9)), rng.random_range(1e-9..1e9), y]
        })
        .collect();
    let text = |row: &[f64; 4], between: &str| row.map(|value| value.to_string()).join(between);
    let lines = |line: &dyn Fn(&[f64; 4]) -> String| rows.iter().map(line).collect::<String>().into_bytes();
    let mut npy = b"\x93NUMPY\x01\x00\x46\x00".to_vec();
    npy.extend(format!("{:<70}", "{'descr': '<f8', 'fortran_order': False, 'shape': (60, 4), }").as_bytes());
    npy.extend(rows.iter().flatten().flat_map(|value| value.to_le_bytes()));
    let json = |r: &[f64; 4]| format!("{{\"a\": {}, \"b\": {}, \"c\": {}, \"y\": {}}}\n", r[0], r[1], r[2], r[3]);
    let csv = [b"a,b,c,y\n".to_vec(), lines(&|row| text(row, ",") + "\n")].concat();
    let libsvm = lines(&|r| format!("{} 1:{} 2:{} 3:{}\n", r[3], r[0], r[1], r[2]));
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let expected = training_part(&write("a.csv", &csv), "-1");
    for (name, bytes) in [
        ("a.tsv.zst", zstd::encode_all(csv.as_slice(), 3).unwrap()),
        ("a.jsonl", lines(&json)),
        ("a.npy", npy),
        ("a.svm", libsvm),
        ("a.parquet", parquet(&rows)),
    ] {
        assert_eq!(training_part(&write(name, &bytes), "-1"), expected, "{name}");
    }
    std::fs::create_dir(folder.path().join("parts")).unwrap();
    write("parts/1.parquet", &parquet(&rows[..25]));
    write("parts/2.parquet", &parquet(&rows[25..]));
    write("parts/_SUCCESS", b"");
    assert_eq!(training_part(&folder.path().join("parts"), "y"), expected, "part files");
}

/// The rows as a Parquet file with two row groups.
fn parquet(rows: &[[f64; 4]]) -> Vec<u8> {
    use parquet::data_type::DoubleType;
    use parquet::file::writer::SerializedFileWriter;
    let schema = "message t { required double a; required double b; required double c; required double y; }";
    let schema = std::sync::Arc::new(parquet::schema::parser::parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Default::default()).unwrap();
    for rows in rows.chunks(40) {
        let mut group = writer.next_row_group().unwrap();
        for column in 0..4 {
            let values: Vec<f64> = rows.iter().map(|row| row[column]).collect();
            let mut chunk = group.next_column().unwrap().expect("there are four columns");
            chunk.typed::<DoubleType>().write_batch(&values, None, None).unwrap();
            chunk.close().unwrap();
        }
        group.close().unwrap();
    }
    writer.into_inner().unwrap()
}

#[test]
fn a_given_format_is_used_whatever_the_content() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    std::fs::write(&path, "1 1:2\n").unwrap();
    let with = |format| read(&Source::new(&path), &ReadOptions { format, ..ReadOptions::default() });
    assert!(with(Format::Libsvm).is_ok());
    for (format, message) in [
        (Format::Csv, "expected rows of data, found a header only"),
        (Format::Jsonl, "a.txt:1: expected one JSON object"),
        (Format::Parquet, "the file is damaged"),
        (Format::Npy, "expected an array of NumPy"),
        (Format::Npz, "the archive is damaged"),
        (Format::Pack, "the pack is damaged or cut short"),
        (Format::Idx, "expected an IDX file"),
    ] {
        let error = with(format).expect_err("another format").to_string();
        assert!(error.contains(message), "{error}");
    }
}
