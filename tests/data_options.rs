//! Options of data: they are checked before any file is opened, and are the same as flags and in configuration files. Also
//! folders of images.

use std::io::Write;
use std::path::Path;

use gradlane::Error;
use gradlane::data::{
    Balance, DataOptions, Features, Part, PartFrom, Preprocessing, ReadOptions, RowReader, Scaling, Source, Targets,
    Task, TaskChoice, prepare, prepare_for,
};

#[test]
fn unknown_words_are_refused_with_the_known_ones() {
    let error = "standart".parse::<Scaling>().unwrap_err();
    assert!(matches!(error, Error::Usage(_)));
    assert_eq!(
        error.to_string(),
        "expected one of standard, minmax, robust, robust_clip, quantile, none, found \"standart\""
    );
    for word in TaskChoice::WORDS {
        assert_eq!(word.parse::<TaskChoice>().unwrap().to_string(), *word);
    }
    assert_eq!("none".parse::<PartFrom>().unwrap(), PartFrom::None);
    assert_eq!("0.25".parse::<PartFrom>().unwrap(), PartFrom::Fraction(0.25));
    assert_eq!("v.csv".parse::<PartFrom>().unwrap(), PartFrom::File(Source::new("v.csv")));
    for wrong in ["1.5", "-0.1", "nan", "1", ""] {
        assert!(matches!(wrong.parse::<PartFrom>(), Err(Error::Usage(_))), "{wrong}");
    }
}

#[test]
fn contradictions_are_found_before_files_are_opened() {
    let usage = |change: &dyn Fn(&mut DataOptions)| {
        let mut options = DataOptions::new("/no/such/file");
        change(&mut options);
        let error = prepare(&options, 0).unwrap_err();
        assert!(matches!(error.kind(), Error::Usage(_)), "{error:?}");
        error.to_string()
    };
    let half = || PartFrom::Fraction(0.5);
    assert!(usage(&|o| (o.valid, o.test) = (half(), Some(half()))).contains("leaves no rows to train on"));
    assert!(usage(&|o| o.valid = PartFrom::Fraction(f64::NAN)).contains("expected a fraction"));
    assert!(usage(&|o| (o.data, o.valid) = (Source::Stdin, PartFrom::File(Source::Stdin))).contains("standard input"));
    assert!(
        usage(&|o| (o.label, o.ignore) = (vec!["a".into()], vec!["a".into()]))
            .contains("given to `label` and also to `ignore`")
    );
    assert!(
        usage(&|o| (o.task, o.balance) = (TaskChoice::Regression, Balance::Over)).contains("balance: it needs classes")
    );
    assert!(
        usage(&|o| (o.task, o.positive) = (TaskChoice::Multiclass, Some("a".into())))
            .contains("positive: it needs a binary task")
    );
    assert!(usage(&|o| o.label = vec!["".into()]).contains("expected a column's name or index"));
    assert!(matches!(prepare(&DataOptions::new("/no/such/file"), 0).unwrap_err(), Error::Io { .. }));
}

#[test]
fn the_library_names_options_and_no_flags() {
    let file = tempfile::NamedTempFile::with_suffix(".csv").unwrap();
    let rows = |cell: &dyn Fn(usize) -> String| {
        (0..20).map(|row| format!("k{row};{};{}\n", row * 7 % 10, cell(row))).collect::<String>()
    };
    std::fs::write(file.path(), format!("id;x;y\n{}", rows(&|row| (row % 2).to_string()))).unwrap();
    let prepared = prepare(&DataOptions::new(file.path()), 0).unwrap();
    let label = "label: y (last column; `label` changes it)";
    assert!(prepared.notes.iter().any(|note| note == label), "{:?}", prepared.notes);
    let [names] = &prepared.warnings[..] else { panic!("{:?}", prepared.warnings) };
    assert!(names.message.ends_with("left out; `categorical = \"id\"` keeps it"), "{}", names.message);

    std::fs::write(file.path(), format!("id;x;y\n{}", rows(&|_| "NA".to_owned()))).unwrap();
    let error = prepare(&DataOptions::new(file.path()), 0).unwrap_err().to_string();
    assert!(error.ends_with("missing in every row: `label` names another column"), "{error}");
    let said = prepared.notes.iter().chain([&names.message, &error]);
    said.for_each(|text| assert!(!text.contains("--"), "{text}"));
}

#[test]
fn configuration_files_hold_the_same_options() {
    let text = "data = \"x.csv\"\nlabel = \"a,b\"\nvalid = 0.2\ntest = \"t.csv\"\nna = [\"+-\", \"-1\"]\nclass_weight = \"A=2,B=1\"\nignore = [3, \"c\"]\n";
    let options: DataOptions = toml::from_str(text).unwrap();
    assert_eq!((options.label.join(" "), options.ignore.join(" ")), ("a,b".to_owned(), "3 c".to_owned()));
    assert_eq!(options.valid, PartFrom::Fraction(0.2));
    assert_eq!(options.test, Some(PartFrom::File(Source::new("t.csv"))));
    assert_eq!(toml::from_str::<DataOptions>(&toml::to_string(&options).unwrap()).unwrap(), options);
    assert_eq!(toml::from_str::<DataOptions>("").unwrap(), DataOptions::default());
    assert!(
        toml::from_str::<DataOptions>("scale = \"log\"").unwrap_err().to_string().contains("expected one of standard")
    );
    assert!(toml::from_str::<DataOptions>("lable = \"a\"").is_err());
}

fn idx(shape: &[u32], values: &[u8]) -> Vec<u8> {
    let sizes = shape.iter().flat_map(|size| size.to_be_bytes());
    [0, 0, 8, shape.len() as u8].into_iter().chain(sizes).chain(values.iter().copied()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// 20 training images of 2 × 1 pixels and two test images, with labels 3 and 7. Some files are plain and some gzip; some
/// names have a dash and some a dot.
fn image_folder(folder: &Path) {
    let pixels: Vec<u8> = (0..40).collect();
    let labels: Vec<u8> = (0..20).map(|i| if i % 2 == 0 { 3 } else { 7 }).collect();
    std::fs::write(folder.join("train-images-idx3-ubyte.gz"), gzip(&idx(&[20, 2, 1], &pixels))).unwrap();
    std::fs::write(folder.join("train-labels.idx1-ubyte"), idx(&[20], &labels)).unwrap();
    std::fs::write(folder.join("t10k-images.idx3-ubyte.gz"), gzip(&idx(&[2, 2, 1], &[9, 8, 7, 6]))).unwrap();
    std::fs::write(folder.join("t10k-labels-idx1-ubyte"), idx(&[2], &[7, 3])).unwrap();
}

#[test]
fn folders_of_images_are_split_and_kept_as_bytes() {
    let folder = tempfile::tempdir().unwrap();
    image_folder(folder.path());
    let prepared = prepare(&DataOptions::new(folder.path()), 3).unwrap();
    assert_eq!(prepared.preprocessing.task(), Task::Binary);
    assert_eq!(prepared.preprocessing.class_names(), ["3", "7"]);
    assert_eq!(
        (prepared.split.train.len(), prepared.split.val.len(), prepared.split.test.as_slice()),
        (18, 2, [0, 1].as_slice())
    );
    let test = prepared.test.as_ref().unwrap();
    assert_eq!(test.targets, Targets::Classes { labels: vec![1, 0], classes: 2 });
    let Features::U8 { values, .. } = &prepared.train.features else { panic!("images are bytes") };
    let expected: Vec<u8> = prepared.split.train.iter().flat_map(|&row| [2 * row as u8, 2 * row as u8 + 1]).collect();
    assert_eq!(values, &expected);

    let saved = prepared.preprocessing.to_json();
    assert_eq!(Preprocessing::from_json(&saved).unwrap().to_json(), saved);
    let source = Source::new(folder.path());
    let again = prepare_for(&prepared.preprocessing, &source, &ReadOptions::default(), Part::Test, None).unwrap();
    assert_eq!(&again.dataset, test);
    let train = prepare_for(&prepared.preprocessing, &source, &ReadOptions::default(), Part::Train, None).unwrap();
    assert_eq!(train.rows.len(), 20);
    let mut reader =
        RowReader::open(&prepared.preprocessing, &source, &ReadOptions::default(), Part::Test, &[]).unwrap();
    assert_eq!(
        reader.next_rows(1).unwrap().unwrap().features,
        Features::U8 { values: vec![9, 8], cols: 2, scale: 1.0 / 255.0 }
    );
    assert_eq!(reader.next_rows(5).unwrap().unwrap().features.rows(), 1);
    assert!(reader.next_rows(5).unwrap().is_none());
}

#[test]
fn faults_of_folders_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let failure = |change: &dyn Fn(&mut DataOptions)| {
        let mut options = DataOptions::new(folder.path());
        change(&mut options);
        prepare(&options, 0).unwrap_err()
    };
    let error = failure(&|_| {});
    assert!(matches!(error, Error::Data { .. }) && error.to_string().contains("of MNIST's layout"), "{error}");
    image_folder(folder.path());
    let error = failure(&|o| o.label = vec!["x".into()]);
    assert!(
        matches!(error.kind(), Error::Mismatch(_)) && error.to_string().starts_with("label: it is about columns"),
        "{error}"
    );
    assert!(failure(&|o| o.task = TaskChoice::Regression).to_string().contains("their labels are classes"));
    let table = folder.path().join("x.csv");
    std::fs::write(&table, "a,b\n1,2\n").unwrap();
    let error = failure(&|o| o.valid = PartFrom::File(Source::new(&table)));
    assert!(
        matches!(error, Error::Mismatch(_)) && error.to_string().contains("expected images in IDX form, found a table"),
        "{error}"
    );
    std::fs::write(folder.path().join("t10k-labels-idx1-ubyte"), idx(&[2], &[7, 5])).unwrap();
    assert!(failure(&|_| {}).to_string().contains("image 1 has the label 5, which is not among the classes 3, 7"));
    std::fs::write(folder.path().join("t10k-labels-idx1-ubyte"), idx(&[3], &[7, 3, 3])).unwrap();
    assert!(failure(&|_| {}).to_string().contains("expected 2 labels, one for each image"));
    std::fs::remove_file(folder.path().join("t10k-labels-idx1-ubyte")).unwrap();
    assert!(failure(&|_| {}).to_string().contains("expected t10k-labels-idx1-ubyte beside the images"));
}
