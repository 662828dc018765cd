//! The shipped data sets have the properties stated in `datasets/README.md`.

use std::path::PathBuf;

use gradlane::data::{
    Contents, DataOptions, Dataset, Features, PartFrom, Prepared, Preprocessing, ReadOptions, Source, Statistics,
    Targets, Task, describe, prepare, read,
};

fn dataset(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("datasets").join(name)
}

fn prepared(name: &str) -> Prepared {
    prepare(&DataOptions::new(dataset(name)), 0).unwrap()
}

fn labels(data: &Dataset) -> &[u32] {
    match &data.targets {
        Targets::Classes { labels, .. } => labels,
        Targets::Values { .. } => panic!("the task has classes"),
    }
}

/// File, rows, columns including the target, task, classes with their counts, missing cells.
type Fact = (&'static str, usize, usize, Task, &'static [(&'static str, usize)], usize);

const FACTS: [Fact; 7] = [
    ("iris.csv", 150, 5, Task::Multiclass, &[("setosa", 50), ("versicolor", 50), ("virginica", 50)], 0),
    ("wine.csv", 178, 14, Task::Multiclass, &[("cultivar_1", 59), ("cultivar_2", 71), ("cultivar_3", 48)], 0),
    ("breast_cancer.csv", 569, 31, Task::Binary, &[("benign", 357), ("malignant", 212)], 0),
    ("digits.csv", 1797, 65, Task::Multiclass, &[], 0),
    ("penguins.csv", 344, 8, Task::Multiclass, &[("Adelie", 152), ("Chinstrap", 68), ("Gentoo", 124)], 19),
    ("credit.csv", 4454, 14, Task::Binary, &[("bad", 1254), ("good", 3200)], 455),
    ("diabetes.csv", 442, 11, Task::Regression, &[], 0),
];

#[test]
fn tables_have_the_properties_in_the_readme() {
    for (name, rows, columns, task, classes, missing) in FACTS {
        let Contents::Table(table) = read(&Source::new(dataset(name)), &ReadOptions::default()).unwrap() else {
            panic!("{name} is a table")
        };
        assert_eq!((table.rows(), table.columns.len()), (rows, columns), "{name}");
        assert_eq!(table.columns.iter().map(|column| column.missing()).sum::<usize>(), missing, "{name}");

        let prepared = prepared(name);
        assert_eq!(prepared.preprocessing.task(), task, "{name}");
        assert!(prepared.warnings.is_empty(), "{name}: {:?}", prepared.warnings);
        assert!(prepared.notes.iter().any(|note| note.contains("`label` changes it")), "{:?}", prepared.notes);
        assert!(prepared.notes.iter().any(|note| note.contains("`task` changes it")), "{:?}", prepared.notes);
        let val = prepared.val.as_ref().unwrap();
        assert_eq!(val.rows(), (rows as f64 / 10.0).round() as usize, "{name}");
        assert_eq!(prepared.train.rows() + val.rows(), rows, "{name}");
        assert!(prepared.test.is_none() && prepared.split.test.is_empty());
        let names = prepared.preprocessing.class_names();
        for (class, (expected, count)) in classes.iter().enumerate() {
            assert_eq!(names[class], *expected, "{name}");
            let of_class = |data: &Dataset| labels(data).iter().filter(|&&label| label as usize == class).count();
            assert_eq!(of_class(&prepared.train) + of_class(val), *count, "{name} {expected}");
            assert!((of_class(val) as f64 - *count as f64 / 10.0).abs() <= 1.0, "{name} {expected} is stratified");
        }
    }
    assert_eq!(prepared("digits.csv").preprocessing.class_names(), ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
}

#[test]
fn inputs_are_scaled_and_one_hot() {
    let penguins = prepared("penguins.csv");
    let Preprocessing::Table(table) = &penguins.preprocessing else { panic!("penguins are a table") };
    let names = table.input_names();
    let expected = ["island=Biscoe", "island=Dream", "island=Torgersen", "bill_length_mm", "bill_length_mm=(missing)"];
    assert_eq!(names[..5], expected);
    assert!(names.ends_with(&["sex=female", "sex=male", "sex=(missing)", "year"].map(str::to_owned)), "{names:?}");
    let Features::F32 { values, cols } = &penguins.train.features else { panic!("tables are numbers") };
    assert_eq!(*cols, names.len());
    for row in values.chunks(*cols) {
        assert_eq!(row[..3].iter().sum::<f32>(), 1.0, "one island each");
    }
    let year: Vec<f64> = values.chunks(*cols).map(|row| f64::from(row[cols - 1])).collect();
    let mean = year.iter().sum::<f64>() / year.len() as f64;
    let variance = year.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / year.len() as f64;
    // Inputs have single precision, so each has a relative error of at most 2⁻²⁴.
    assert!(mean.abs() < 1e-6 && (variance - 1.0).abs() < 1e-6, "{mean} {variance}");

    let digits = prepared("digits.csv");
    assert_eq!(digits.preprocessing.inputs(), 61, "three pixels are 0 in every row");
    assert!(digits.notes.iter().any(|note| note.contains("(p0, p32, p39)")), "{:?}", digits.notes);
}

#[test]
fn mnist_is_read_as_bytes() {
    let mnist = prepared("mnist");
    let test = mnist.test.as_ref().unwrap();
    assert_eq!((mnist.train.rows(), mnist.val.as_ref().unwrap().rows(), test.rows()), (54_000, 6_000, 10_000));
    assert_eq!(mnist.preprocessing.class_names().len(), 10);
    assert_eq!(mnist.preprocessing.inputs(), 784);
    assert_eq!(mnist.split.test.len(), 10_000);
    let Features::U8 { values, cols, scale } = &mnist.train.features else { panic!("images are bytes") };
    assert_eq!((values.len(), *cols, *scale), (54_000 * 784, 784, 1.0 / 255.0));
    assert_eq!(&labels(test)[..5], [7, 2, 1, 0, 4], "the best-known five digits");

    let Contents::Images(images) =
        read(&Source::new(dataset("mnist/train-images-idx3-ubyte.gz")), &ReadOptions::default()).unwrap()
    else {
        panic!("IDX files are images")
    };
    assert_eq!((images.rows(), images.shape.as_slice()), (60_000, [28, 28].as_slice()));
    let first_labels = [5, 0, 4, 1, 9, 2, 1, 3, 1, 4];
    assert_eq!(images.labels.as_deref().unwrap()[..10], first_labels, "labels are found beside the images");
    let constant = (0..784).filter(|pixel| images.bytes[*pixel..].iter().step_by(784).all(|&byte| byte == 0)).count();
    assert_eq!(constant, 67, "pixels that are 0 in all training images");
    for (at, &row) in mnist.split.train.iter().enumerate().step_by(997) {
        assert_eq!(values[at * 784..][..784], images.bytes[row as usize * 784..][..784], "row {row} is moved whole");
    }
}

#[test]
fn descriptions_agree_with_the_readme() {
    let described = describe(&Source::new(dataset("diabetes.csv")), &ReadOptions::default()).unwrap();
    let progression = described.columns.last().unwrap();
    let Statistics::Number { min, max, mean, sd, .. } = progression.statistics else {
        panic!("progression is a number")
    };
    assert_eq!((min, max), (25.0, 346.0));
    // The figures in the README are rounded to one decimal; its standard deviation divides by n.
    assert!((mean - 152.1).abs() < 0.05 && (sd - 77.1).abs() < 0.1, "{mean} {sd}");

    let credit = describe(&Source::new(dataset("credit.csv")), &ReadOptions::default()).unwrap();
    let missing = |name: &str| credit.columns.iter().find(|column| column.name == name).unwrap().missing;
    assert_eq!(["income", "assets", "debt", "home", "job", "marital"].map(missing), [381, 47, 18, 6, 2, 1]);
    let Statistics::Text { top } = &credit.columns.last().unwrap().statistics else { panic!("status is text") };
    assert_eq!(top, &[("good".to_owned(), 3200), ("bad".to_owned(), 1254)]);
    let json = serde_json::to_value(&credit).unwrap();
    assert_eq!(json["columns"][13]["type"], "text");
}

#[test]
fn fractions_and_seeds_determine_the_parts() {
    let options = DataOptions { test: Some(PartFrom::Fraction(0.25)), ..DataOptions::new(dataset("iris.csv")) };
    let (a, again, b) = (prepare(&options, 1).unwrap(), prepare(&options, 1).unwrap(), prepare(&options, 2).unwrap());
    assert_eq!(a, again);
    assert_ne!(a.split, b.split);
    assert_eq!((a.split.train.len(), a.split.val.len(), a.split.test.len()), (97, 15, 38));
}
