//! Preparation of data: from files and options to the parts of the data. Tests what is fitted on which rows, and where
//! columns and rows go.

use std::path::{Path, PathBuf};

use gradlane::data::{
    Balance, DataOptions, Dataset, Features, Impute, LevelNumbers, Part, PartFrom, Prepared, Preprocessing,
    ReadOptions, RowReader, Scaling, Source, TablePreprocessing, Targets, Task, TaskChoice, prepare, prepare_folds,
    prepare_for,
};
use gradlane::{Error, Result, WarningKind};
use tempfile::TempDir;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

fn options(path: impl AsRef<Path>) -> DataOptions {
    DataOptions { valid: PartFrom::None, ..DataOptions::new(path.as_ref()) }
}

fn prepared(text: &str, change: impl FnOnce(&mut DataOptions)) -> Result<Prepared> {
    let folder = Folder::new();
    let mut options = options(folder.file("x.csv", text));
    change(&mut options);
    prepare(&options, 0)
}

fn table_of(prepared: &Prepared) -> &TablePreprocessing {
    match &prepared.preprocessing {
        Preprocessing::Table(table) => table,
        Preprocessing::Images(_) => panic!("the data are a table"),
    }
}

fn inputs(data: &Dataset) -> Vec<Vec<f32>> {
    match &data.features {
        Features::F32 { values, cols } => values.chunks(*cols).map(<[f32]>::to_vec).collect(),
        Features::U8 { values, cols, .. } => {
            values.chunks(*cols).map(|row| row.iter().map(|&b| b.into()).collect()).collect()
        }
        Features::Blocks(blocks) => {
            let rows: Vec<u32> = (0..blocks.rows() as u32).collect();
            blocks.gather(&rows).chunks(blocks.cols()).map(<[f32]>::to_vec).collect()
        }
    }
}

fn labels(data: &Dataset) -> Vec<u32> {
    match &data.targets {
        Targets::Classes { labels, .. } => labels.clone(),
        Targets::Values { .. } => panic!("the task has classes"),
    }
}

fn values(data: &Dataset) -> Vec<f32> {
    match &data.targets {
        Targets::Values { values, .. } => values.clone(),
        Targets::Classes { .. } => panic!("the task has numbers"),
    }
}

/// 40 rows of a number (every seventh missing), a text and a target.
fn rows(first_number: f64) -> String {
    let row = |i: usize| {
        let number = match i {
            0 => first_number.to_string(),
            _ if i % 7 == 3 => String::new(),
            _ => format!("{}", (i * i) as f64 / 3.0),
        };
        format!("{number},{},{}\n", ["red", "green", "blue"][i % 3], 0.5 * i as f64)
    };
    std::iter::once("n,t,y\n".to_owned()).chain((0..40).map(row)).collect()
}

#[test]
fn nothing_is_fitted_outside_the_training_rows() {
    let part_of_row_0 = |seed, number| {
        let folder = Folder::new();
        let path = folder.file("x.csv", rows(number));
        let options = DataOptions { test: Some(PartFrom::Fraction(0.3)), ..DataOptions::new(path) };
        let prepared = prepare(&options, seed).unwrap();
        (prepared.split.train.contains(&0), prepared.preprocessing.to_json())
    };
    let (mut inside, mut outside) = (0, 0);
    for seed in 0..12 {
        let (in_training, before) = part_of_row_0(seed, 1.0);
        let (_, after) = part_of_row_0(seed, 1e6);
        assert_eq!(before != after, in_training, "seed {seed}");
        if in_training { inside += 1 } else { outside += 1 }
    }
    assert!(inside > 0 && outside > 0, "both cases were seen: {inside}, {outside}");
}

#[test]
fn preprocessing_is_saved_to_equal_bytes_after_loading() {
    for scale in [Scaling::Standard, Scaling::MinMax, Scaling::Robust, Scaling::None] {
        for impute in [Impute::Median, Impute::Mean, Impute::MostFrequent, Impute::Zero] {
            let prepared = prepared(&rows(1.0 / 3.0), |o| (o.scale, o.impute) = (Some(scale), Some(impute))).unwrap();
            let saved = prepared.preprocessing.to_json();
            let loaded = Preprocessing::from_json(&saved).unwrap();
            assert_eq!(loaded, prepared.preprocessing);
            assert_eq!(loaded.to_json(), saved, "{scale} {impute}");
        }
    }
    let good = prepared(&rows(1.0), |_| {}).unwrap().preprocessing.to_json();
    for (from, to) in
        [("\"regression\"", "\"binary\""), ("\"mean\":[", "\"mean\":[1.0,"), ("\"kind\":\"table\"", "\"kind\":\"x\"")]
    {
        assert!(good.contains(from));
        let error = Preprocessing::from_json(&good.replace(from, to)).unwrap_err();
        assert!(matches!(error.kind(), Error::Mismatch(_)), "{error}");
    }
}

#[test]
fn each_scaling_follows_its_formula() {
    let text = "x,y\n1,0.5\n2,1.5\n3,2.5\n4,3.5\n10,4.5\n";
    let column = |scale| -> Vec<f32> {
        let prepared = prepared(text, |o| o.scale = Some(scale)).unwrap();
        inputs(&prepared.train).into_iter().flatten().collect()
    };
    let sd = 10f64.sqrt(); // mean 4; squared deviations 9 + 4 + 1 + 0 + 36 = 50 over 5 rows
    assert_eq!(column(Scaling::Standard), [1.0, 2.0, 3.0, 4.0, 10.0].map(|x: f64| ((x - 4.0) / sd) as f32));
    assert_eq!(column(Scaling::MinMax), [1.0, 2.0, 3.0, 4.0, 10.0].map(|x: f64| ((x - 1.0) / 9.0) as f32));
    assert_eq!(column(Scaling::Robust), [-1.0, -0.5, 0.0, 0.5, 3.5], "median 3, quartiles 2 and 4");
    assert_eq!(column(Scaling::None), [1.0, 2.0, 3.0, 4.0, 10.0]);
}

#[test]
fn missing_numbers_are_imputed_with_an_indicator() {
    let text = "x,z,y\n1,1,0.5\n1,2,1.5\n,1,2.5\n4,2,3.5\n";
    for (impute, fill) in [(Impute::Median, 1.0), (Impute::Mean, 2.0), (Impute::MostFrequent, 1.0), (Impute::Zero, 0.0)]
    {
        let prepared = prepared(text, |o| (o.impute, o.scale) = (Some(impute), Some(Scaling::None))).unwrap();
        assert_eq!(table_of(&prepared).input_names(), ["x", "x=(missing)", "z"]);
        assert_eq!(inputs(&prepared.train)[2], [fill, 1.0, 1.0], "{impute}");
        assert_eq!(inputs(&prepared.train)[3], [4.0, 0.0, 2.0], "{impute}");
    }
}

#[test]
fn levels_beyond_the_limit_share_one_input() {
    // Level l00 occurs in one row, l01 to l66 in three rows each. 64 of these 66 are kept, the first by name.
    let mut text = "t,y\nl00,0.5\n".to_owned();
    (0..198).for_each(|i| text.push_str(&format!("l{:02},{}.5\n", 1 + i % 66, i)));
    let prepared = prepared(&text, |_| {}).unwrap();
    let names = table_of(&prepared).input_names();
    assert_eq!(
        (names.len(), names[0].as_str(), names[63].as_str(), names[64].as_str()),
        (65, "t=l01", "t=l64", "t=(other)")
    );
    let rows = inputs(&prepared.train);
    assert_eq!(rows[0][64], 1.0, "l00 is one of the others");
    assert!(rows.iter().all(|row| row.iter().sum::<f32>() == 1.0));

    let folder = Folder::new();
    let new = folder.file("new.csv", "t\nunheard\n\"\"\nl02\n\n");
    let mut reader = reader(&prepared.preprocessing, &new, &[]);
    let chunk = reader.next_rows(10).unwrap().unwrap();
    let Features::F32 { values, .. } = &chunk.features else { panic!("tables are numbers") };
    assert_eq!((values[64], values[65 + 64], values[130 + 1]), (1.0, 1.0, 1.0), "unseen and missing are other");
}

fn reader<'a>(preprocessing: &'a Preprocessing, path: &Path, keep: &[String]) -> RowReader<'a> {
    RowReader::open(preprocessing, &Source::new(path), &ReadOptions::default(), Part::Test, keep).unwrap()
}

#[test]
fn new_rows_are_matched_by_name_and_unseen_or_missing_values_are_all_zero() {
    let prepared = prepared("n,t,y\n1,a,0.5\n2,b,1.5\n3,a,2.5\n4,b,3.5\n", |o| o.scale = Some(Scaling::None)).unwrap();
    assert_eq!(table_of(&prepared).input_names(), ["n", "t=a", "t=b"]);
    let folder = Folder::new();
    let path = folder.file("new.csv", "id,t,n\nx,b,1\ny,c,\nz,,3\n");
    let mut reader = reader(&prepared.preprocessing, &path, &["id".to_owned()]);
    let (first, second) = (reader.next_rows(2).unwrap().unwrap(), reader.next_rows(2).unwrap().unwrap());
    assert!(reader.next_rows(2).unwrap().is_none());
    let cols = 3;
    assert_eq!(first.features, Features::F32 { values: vec![1.0, 0.0, 1.0, 2.5, 0.0, 0.0], cols }, "unseen: all zero");
    assert_eq!(
        second.features,
        Features::F32 { values: vec![3.0, 0.0, 0.0], cols },
        "missing, but not in training: all zero"
    );
    assert_eq!((first.kept, second.kept), (vec![vec!["x".to_owned(), "y".to_owned()]], vec![vec!["z".to_owned()]]));

    let numbered = self::prepared("0,1,y\n1.5,20,0.5\n2.5,30,1.5\n", |_| {}).unwrap();
    let path = folder.file("numbered.csv", "1,0\n20,1.5\n30,2.5\n");
    let chunk = self::reader(&numbered.preprocessing, &path, &[]).next_rows(9).unwrap().unwrap();
    assert_eq!(chunk.features, numbered.train.features, "names that are numbers are found in the first line");

    let failure = |text: &str| {
        let path = folder.file("bad.csv", text);
        prepare_for(&prepared.preprocessing, &Source::new(path), &ReadOptions::default(), Part::Test, None).unwrap_err()
    };
    let error = failure("x,y\n1,2\n");
    assert!(
        matches!(error.kind(), Error::Mismatch(_))
            && error.to_string().contains("the model needs the columns n, t; the file has x, y; `header = no`")
    );
    let error = failure("n,t\n1,a\n2,b\n");
    assert!(
        matches!(error.kind(), Error::Mismatch(_)) && error.to_string().contains("label y is not among the columns"),
        "{error}"
    );
    let error = failure("n,t,y\n1,a,1\nx1,b,2\n");
    assert!(error.to_string().contains("bad.csv:3, column \"n\": expected a number, found \"x1\""), "{error}");
}

#[test]
fn files_without_names_are_matched_by_position() {
    let text = "1,a,0.5\n2,b,1.5\n3,a,2.5\n4,b,3.5\n";
    let prepared = prepared(text, |_| {}).unwrap();
    assert_eq!(table_of(&prepared).input_names(), ["c0", "c1=a", "c1=b"]);
    let folder = Folder::new();
    let all = prepare_for(
        &prepared.preprocessing,
        &Source::new(folder.file("all.csv", text)),
        &ReadOptions::default(),
        Part::Test,
        None,
    );
    assert_eq!(all.unwrap().dataset, prepared.train);
    let bare = folder.file("bare.csv", "1,a\n2,b\n3,a\n4,b\n");
    let chunk = reader(&prepared.preprocessing, &bare, &[]).next_rows(9).unwrap().unwrap();
    assert_eq!(chunk.features, prepared.train.features);
    let wide = folder.file("wide.csv", "1,a,2,3\n");
    let error = RowReader::open(&prepared.preprocessing, &Source::new(wide), &ReadOptions::default(), Part::Test, &[])
        .err()
        .unwrap();
    assert!(error.to_string().contains("expected 3 columns, or 2 without the label, found 4"), "{error}");
}

#[test]
fn regression_targets_are_standardised_and_converted_back() {
    let prepared = prepared("x,y\n1,10.5\n2,20.5\n3,30.5\n", |_| {}).unwrap();
    let target = &table_of(&prepared).target;
    assert_eq!((target.task, target.outputs()), (Task::Regression, 1));
    let scaled = values(&prepared.train);
    assert_eq!(scaled[1], 0.0);
    for (scaled, unit) in scaled.iter().zip([10.5, 20.5, 30.5]) {
        // A single-precision target has a relative error of at most 2⁻²⁴.
        assert!((target.to_units(0, f64::from(*scaled)) - unit).abs() < 1e-5);
    }
    let plain = self::prepared("x,y\n1,10.5\n2,20.5\n3,30.5\n", |o| o.scale_target = false).unwrap();
    assert_eq!(values(&plain.train), [10.5, 20.5, 30.5]);
}

#[test]
fn tasks_are_inferred_and_overridden() {
    let task = |text: &str, labels: &[&str], choice: TaskChoice| {
        prepared(text, |o| (o.label, o.task) = (labels.iter().map(|l| (*l).to_owned()).collect(), choice))
            .map(|prepared| (prepared.preprocessing.task(), prepared.preprocessing.class_names().join(" ")))
    };
    let text = "x,i,f,s,b,d\n1,10,0.5,no,0,1\n2,9,1.5,yes,1,0\n3,10,2.5,no,1,1\n4,2,3.5,yes,0,0\n";
    let auto = |labels: &[&str]| task(text, labels, TaskChoice::Auto).unwrap();
    assert_eq!(auto(&["i"]), (Task::Multiclass, "2 9 10".to_owned()));
    assert_eq!(auto(&["f"]), (Task::Regression, String::new()));
    assert_eq!(auto(&["3"]), (Task::Binary, "no yes".to_owned()));
    assert_eq!(auto(&["-1"]), (Task::Binary, "0 1".to_owned()));
    assert_eq!(auto(&["b", "d"]), (Task::Multilabel, String::new()));
    assert_eq!(auto(&["b", "f"]), (Task::Regression, String::new()));
    assert_eq!(task(text, &["i"], TaskChoice::Regression).unwrap().0, Task::Regression);
    assert_eq!(task(text, &["b"], TaskChoice::Multiclass).unwrap().0, Task::Multiclass);
    assert_eq!(task(text, &["b"], TaskChoice::Multilabel).unwrap().0, Task::Multilabel);
    let failure = |labels: &[&str], choice| task(text, labels, choice).unwrap_err().to_string();
    assert!(failure(&["s"], TaskChoice::Regression).contains("x.csv:2, column \"s\": expected a number, found \"no\""));
    assert!(failure(&["i"], TaskChoice::Binary).contains("expected 2 classes, found 3"));
    assert!(failure(&["f", "b"], TaskChoice::Multilabel).contains("x.csv:2, column \"f\": expected 0 or 1"));
    assert!(failure(&["s", "b"], TaskChoice::Auto).contains("several labels are numbers"));
    assert!(failure(&["s", "b"], TaskChoice::Binary).contains("has one label"));
    let many: String = (0..21).map(|i| format!("{i},{i}\n")).collect();
    assert_eq!(
        prepared(&format!("x,y\n{many}"), |_| {}).unwrap().preprocessing.task(),
        Task::Regression,
        "21 integers"
    );
    let one = prepared("x,y\n1,a\n2,a\n", |_| {}).unwrap_err().to_string();
    assert!(one.contains("found only \"a\": there is nothing to learn"), "{one}");
}

#[test]
fn unknown_columns_are_refused_with_the_nearest_name() {
    let text = "width,height,species\n1,2,a\n2,3,b\n3,4,a\n";
    let failure = |change: fn(&mut DataOptions)| prepared(text, change).unwrap_err();
    let error = failure(|o| o.label = vec!["spicies".to_owned()]);
    assert!(matches!(error.kind(), Error::Data { .. }));
    assert!(error.to_string().contains("there is no column \"spicies\"; did you mean \"species\"?"), "{error}");
    let error = failure(|o| o.ignore = vec!["7".to_owned()]).to_string();
    assert!(error.starts_with("ignore 7: ") && error.contains("the file has 3 columns, 0 to 2"), "{error}");
    let error = failure(|o| (o.label, o.ignore) = (vec!["-1".to_owned()], vec!["species".to_owned()])).to_string();
    assert!(error.contains("column \"species\" is given to `label` and again to `ignore`"), "{error}");
    let error = failure(|o| o.ignore = vec!["0".to_owned(), "1".to_owned()]).to_string();
    assert!(error.contains("expected columns beside the label"), "{error}");
    let error = failure(|o| o.positive = Some("c".to_owned())).to_string();
    assert!(error.contains("positive: there is no class \"c\" among a, b"), "{error}");
}

#[test]
fn rows_without_target_are_left_out_and_counted() {
    let prepared = prepared("x,y\n1,a\n2,\n3,b\n4,?\n", |_| {}).unwrap();
    assert_eq!(prepared.split.train, [0, 2]);
    let quoted = "1 cell is read as missing: \"?\" (1); `na = \"NA\"` makes a class of such cells";
    for text in [quoted, "no target in 2 of 4 rows, which are left out"] {
        assert!(prepared.warnings.iter().any(|w| w.message.ends_with(text)), "{:?}", prepared.warnings);
    }
    assert!(self::prepared("x,y\n1,\n2,\n", |_| {}).unwrap_err().to_string().contains("missing in every row"));
}

#[test]
fn columns_of_names_and_empty_columns_are_left_out_with_a_warning() {
    let prepared = prepared("id,e,x,y\nanna,,1,0.5\nbert,,2,1.5\ncarl,,3,2.5\ndora,,4,3.5\n", |_| {}).unwrap();
    assert_eq!(table_of(&prepared).input_names(), ["x"]);
    assert!(
        prepared.warnings[0].message.contains("\"id\" is text with 4 different values in 4 training rows: left out")
    );
    assert!(prepared.warnings[1].message.contains("\"e\" has no value in any training row"));
    let slip = self::prepared("x,z,y\n1,1,0.5\n2,2,1.5\n3,3,2.5\n4.x,4,3.5\n", |_| {}).unwrap();
    assert!(slip.warnings[0].message.contains("1 cell is no number and counts as missing: \"4.x\" (line 5)"));
    assert_eq!(table_of(&slip).input_names(), ["x", "x=(missing)", "z"], "a number column is not left out");
}

#[test]
fn number_columns_can_be_categories() {
    let prepared = prepared("k,y\n10,0.5\n9,1.5\n10,2.5\n,3.5\n", |o| o.categorical = vec!["k".to_owned()]).unwrap();
    assert_eq!(table_of(&prepared).input_names(), ["k=9", "k=10", "k=(missing)"]);
    let folder = Folder::new();
    let path = folder.file("new.csv", "k\n10.0\n9\nten\n");
    let chunk = reader(&prepared.preprocessing, &path, &[]).next_rows(9).unwrap().unwrap();
    let expected = vec![0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    assert_eq!(chunk.features, Features::F32 { values: expected, cols: 3 }, "10.0 is 10");
}

/// Level numbers distinguish the same cases as one-hot inputs: missing values, unseen levels, other spellings.
#[test]
fn levels_can_become_level_numbers() {
    let rows: String = (0..60).map(|n| format!("{},{n}.5\n", ["b", "a", "", "c"][n % 4])).collect();
    let by_number = |o: &mut DataOptions| o.level_numbers = Some(LevelNumbers { above: 2, most: 100 });
    let prepared = prepared(&format!("k,y\n{rows}"), by_number).unwrap();
    assert_eq!(table_of(&prepared).input_names(), ["k"]);
    assert_eq!(table_of(&prepared).level_inputs(), [0]);
    assert_eq!(table_of(&prepared).features[0].levels(), Some(4));
    let again = Preprocessing::from_json(&prepared.preprocessing.to_json()).unwrap();
    assert_eq!(again, prepared.preprocessing);
    let folder = Folder::new();
    let path = folder.file("new.csv", "k,x\nb,1\n,1\nz,1\nA,1\nc,1\n");
    let chunk = reader(&again, &path, &[]).next_rows(9).unwrap().unwrap();
    let expected = vec![2.0, 4.0, 0.0, 1.0, 3.0];
    assert_eq!(chunk.features, Features::F32 { values: expected, cols: 1 }, "missing is 4, z is not known, A is a");

    // If training has no missing values, a missing value counts as unknown. So do levels that are too rare.
    let rows: String = (0..300).map(|n| format!("k{},{n}.5\n", n % 70)).collect();
    let few = |o: &mut DataOptions| o.level_numbers = Some(LevelNumbers { above: 2, most: 10 });
    let prepared = self::prepared(&format!("k,y\n{rows}"), few).unwrap();
    assert_eq!(table_of(&prepared).features[0].levels(), Some(11));
    let path = folder.file("new.csv", "k,x\nk0,1\n,1\nz,1\nk69,1\n");
    let chunk = reader(&prepared.preprocessing, &path, &[]).next_rows(9).unwrap().unwrap();
    assert_eq!(chunk.features, Features::F32 { values: vec![1.0, 11.0, 11.0, 11.0], cols: 1 });
    // A column with a different text in nearly every row is left out, also with level numbers.
    let names: String = (0..60).map(|n| format!("name{n},{n},{n}.5\n")).collect();
    let prepared = self::prepared(&format!("k,x,y\n{names}"), few).unwrap();
    assert_eq!(table_of(&prepared).input_names(), ["x"]);
}

#[test]
fn codes_that_differ_only_in_spelling_are_different_categories() {
    let names = |text: &str| {
        let prepared = prepared(text, |o| o.categorical = vec!["k".to_owned()]).unwrap();
        table_of(&prepared).input_names()
    };
    assert_eq!(names("k,y\n01,0.5\n1,1.5\n01,2.5\n1,3.5\n"), ["k=01", "k=1"]);
    assert_eq!(names("k,y\n1E5,0.5\n100000,1.5\n1E5,2.5\n100000,3.5\n"), ["k=100000", "k=1E5"]);
    // In double precision both are the same number.
    let (one, other) = ("9007199254740993", "9007199254740992");
    let long = format!("k,y\n{one},0.5\n{other},1.5\n{one},2.5\n{other},3.5\n");
    assert_eq!(names(&long), [format!("k={other}"), format!("k={one}")]);
    assert_eq!(names("k,y\n1.0,0.5\n1,1.5\n2.0,2.5\n2,3.5\n"), ["k=1", "k=2"], "a program wrote these as floats");
}

#[test]
fn the_index_of_a_data_frame_is_neither_label_nor_input() {
    let text = "x,y,__index_level_0__\n1,a,7\n2,b,3\n3,a,9\n4,b,1\n";
    let left = prepared(text, |_| {}).unwrap();
    assert_eq!(
        (table_of(&left).input_names(), left.preprocessing.target().columns.clone()),
        (vec!["x".into()], vec!["y".into()])
    );
    assert!(left.notes.iter().any(|note| note.starts_with("left out: __index_level_0__")), "{:?}", left.notes);
    let kept = prepared(text, |o| {
        o.keep_column = vec!["__index_level_0__".to_owned()];
        o.label = vec!["y".to_owned()];
    });
    assert_eq!(table_of(&kept.unwrap()).input_names(), ["x", "__index_level_0__"]);
}

#[test]
fn weights_of_rows_and_classes_multiply_and_balance_resamples() {
    let text = "x,w,y\n1,1,a\n2,2,a\n3,1,a\n4,3,b\n";
    let weighted = prepared(text, |o| {
        o.weight_col = Some("w".to_owned());
        o.class_weight = Some("b=2".parse().unwrap());
    });
    let weighted = weighted.unwrap();
    assert_eq!(weighted.train.weights.as_deref(), Some([1.0, 2.0, 1.0, 6.0].as_slice()));
    assert_eq!(table_of(&weighted).input_names(), ["x"], "the weight is no input");
    let balanced = prepared(text, |o| o.class_weight = Some("balanced".parse().unwrap())).unwrap();
    assert_eq!(balanced.train.weights.as_deref(), Some([4.0f32 / 6.0, 4.0 / 6.0, 4.0 / 6.0, 2.0].as_slice()));

    let over = prepared(text, |o| o.balance = Balance::Over).unwrap();
    assert_eq!(labels(&over.train), [0, 0, 0, 1, 1, 1]);
    assert_eq!(over.split.train, [0, 1, 2, 3], "the split is that of the file");
    assert_eq!(labels(&prepared(text, |o| o.balance = Balance::Under).unwrap().train), [0, 1]);
    let positive = prepared(text, |o| o.positive = Some("a".to_owned())).unwrap();
    assert_eq!(positive.preprocessing.class_names(), ["b", "a"]);
    assert_eq!(labels(&positive.train), [1, 1, 1, 0]);

    let absent = prepared(text, |o| o.class_weight = Some("a=0".parse().unwrap())).unwrap();
    assert!(labels(&absent.train).iter().all(|label| *label == 1), "rows of weight 0 are in no batch");

    let failure = |text: &str| prepared(text, |o| o.weight_col = Some("w".to_owned())).unwrap_err().to_string();
    assert!(
        failure("x,w,y\n1,1,a\n2,-1,b\n").contains("x.csv:3, column \"w\": expected a weight of at least 0, found -1")
    );
    assert!(failure("x,w,y\n1,1,a\n2,,b\n").contains("found no value"));
    assert!(failure("x,w,y\n1,0,a\n2,0,b\n").contains("all weights are 0"));
    assert!(failure("x,w,y\n1,0,a\n2,u,b\n").contains("x.csv:3, column \"w\": expected a weight, found \"u\""));
    let error = prepared("x,y\n1,0.5\n2,1.5\n", |o| o.balance = Balance::Over).unwrap_err();
    assert!(error.to_string().contains("balance: it needs classes"), "{error}");
    let error = prepared("x,y\n1,a\n2,b\n", |o| o.scale_target = false).unwrap_err();
    assert!(error.to_string().contains("no_scale_target: it needs numbers to predict"), "{error}");
}

#[test]
fn parts_can_come_from_separate_files() {
    let folder = Folder::new();
    let train = folder.file("train.csv", "n,t,y\n1,a,0\n2,b,1\n3,a,0\n4,b,1\n");
    let valid = folder.file("valid.tsv", "y\tt\tn\n1\tb\t2\n\tb\t2\n0\ta\t1\n");
    let test = folder.file("test.csv", "n,t,y\n4,b,1.0\n");
    let options = DataOptions {
        valid: PartFrom::File(Source::new(&valid)),
        test: Some(PartFrom::File(Source::new(&test))),
        ..DataOptions::new(&train)
    };
    let prepared = prepare(&options, 0).unwrap();
    assert_eq!(prepared.split.train, [0, 1, 2, 3]);
    assert_eq!((prepared.split.val, prepared.split.test), (vec![0, 2], vec![0]));
    let (val, test_part) = (prepared.val.unwrap(), prepared.test.unwrap());
    assert_eq!((labels(&val), labels(&test_part)), (vec![1, 0], vec![1]), "class 1.0 is class 1");
    assert_eq!(inputs(&val), [inputs(&prepared.train)[1].clone(), inputs(&prepared.train)[0].clone()]);
    assert!(prepared.warnings[0].message.contains("valid.tsv: no target in 1 of 3 rows"));

    std::fs::write(&test, "n,t,y\n4,b,2\n").unwrap();
    let prepared = prepare(&options, 0).unwrap();
    let strangers = prepared.test_strangers.unwrap();
    assert_eq!((strangers.labels, strangers.classes), (vec![0], vec!["2".to_owned()]));
    let warning = prepared.warnings.iter().find(|warning| warning.kind == WarningKind::UnknownClass).unwrap();
    assert!(warning.message.contains("test.csv: column \"y\": 1 of 1 rows are of classes"), "{warning}");
    std::fs::remove_file(&valid).unwrap();
    assert!(matches!(prepare(&options, 0).unwrap_err(), Error::Io { .. }));
}

#[test]
fn numbers_beyond_single_precision_are_refused() {
    let wide = prepared("x,y\n1e300,0.5\n-1e300,1.5\n", |_| {}).unwrap();
    assert_eq!(inputs(&wide.train), [[1.0], [-1.0]]);
    let huge = prepared("x,y\n1.7e308,0.5\n1.7e308,1.5\n1,2.5\n", |_| {}).unwrap_err().to_string();
    assert!(huge.contains("column \"x\": the numbers are too large"), "{huge}");
    let large = prepared("x,y\n1,0.5\n1e39,1.5\n", |o| o.scale = Some(Scaling::None)).unwrap_err().to_string();
    assert!(large.contains("x.csv:3, column \"x\": the number is too large for single precision"), "{large}");
    let constant = prepared("x,z,y\n0.1,1,0.5\n0.1,2,1.5\n0.1,3,2.5\n", |_| {}).unwrap();
    assert_eq!(table_of(&constant).input_names(), ["z"], "a constant is left out");
    assert_eq!(constant.warnings[0].message, "column \"x\" is 0.1 in all training rows: left out");
}

#[test]
fn the_error_for_no_remaining_column_has_the_reason() {
    let message = self::prepared("x,y\na,1.5\nb,2.5\nc,3.5\nd,4.25\n", |_| {}).unwrap_err().to_string();
    assert!(message.contains("no column is left") && message.contains("column \"x\" is text"), "{message}");
}

#[test]
fn each_fold_has_its_own_preprocessing() {
    let folder = Folder::new();
    let row = |n: u32| format!("{},{}\n", n * n, ["a", "b"][n as usize % 2]);
    let path = folder.file("x.csv", format!("x,y\n{}", (0..40).map(row).collect::<String>()));
    let mut options = options(path);
    options.test = Some(PartFrom::Fraction(0.25));
    let (whole, folds) = prepare_folds(&options, 3, "5".parse().unwrap()).unwrap();
    assert_eq!((whole.split.train.len(), whole.split.test.len()), (30, 10));
    let mut seen = Vec::new();
    for number in 0..folds.len() {
        let fold = folds.prepare(number).unwrap();
        assert_eq!((fold.split.train.len(), fold.split.val.len(), fold.test.is_some()), (24, 6, false));
        // Inputs are scaled by the mean and deviation of the fold's own training rows, so these have mean 0 and variance 1.
        let scaled: Vec<f64> = inputs(&fold.train).iter().map(|row| f64::from(row[0])).collect();
        let mean = scaled.iter().sum::<f64>() / 24.0;
        let variance = scaled.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 24.0;
        assert!(mean.abs() < 1e-6 && (variance - 1.0).abs() < 1e-5, "fold {number}: {mean} {variance}");
        assert_eq!(labels(fold.val.as_ref().unwrap()).iter().filter(|label| **label == 0).count(), 3, "stratified");
        seen.extend(fold.split.val);
    }
    seen.sort_unstable();
    assert_eq!(seen, whole.split.train, "every row that is not in the test part is in one fold");
    let error = prepare_folds(&options, 3, "31".parse().unwrap()).err().unwrap();
    assert!(matches!(error.kind(), Error::Mismatch(_)), "{error}");
    assert_eq!(error.to_string(), "cv 31: expected 31 rows at least, found 30");
}

#[test]
fn images_can_be_split_into_folds() {
    let folder = Folder::new();
    let images = [[0, 0, 8, 2, 0, 0, 0, 6, 0, 0, 0, 1].as_slice(), &[10, 20, 30, 40, 50, 60]].concat();
    let path = folder.file("train-images-idx2-ubyte", images);
    folder.file("train-labels-idx2-ubyte", [[0, 0, 8, 1, 0, 0, 0, 6].as_slice(), &[0, 1, 0, 1, 0, 1]].concat());
    let (whole, folds) = prepare_folds(&options(path), 0, "3".parse().unwrap()).unwrap();
    assert_eq!(whole.train.rows(), 6);
    for number in 0..3 {
        let fold = folds.prepare(number).unwrap();
        let val = fold.val.as_ref().unwrap();
        let shown: Vec<f32> = fold.split.val.iter().map(|row| (row + 1) as f32 * 10.0).collect();
        assert_eq!(inputs(val).concat(), shown, "rows and their images belong together");
        assert_eq!((fold.train.rows(), labels(val).len()), (4, 2));
    }
}
