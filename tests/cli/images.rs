use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::place::{Place, json};

/// An IDX file of unsigned bytes.
fn idx(shape: &[usize], bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, shape.len() as u8];
    shape.iter().for_each(|n| file.extend((*n as u32).to_be_bytes()));
    file.extend(bytes);
    file
}

/// `rows` images of 3 × 2 pixels with their labels. The class is the bright column.
fn columns(rows: usize) -> (Vec<u8>, Vec<u8>) {
    let image = |n: usize| (0..6).map(move |at| if at % 2 == n % 2 { 200 + (n % 50) as u8 } else { (n % 40) as u8 });
    ((0..rows).flat_map(image).collect(), (0..rows).map(|n| (n % 2) as u8 + 3).collect())
}

fn write_folder(place: &Place, folder: &str, packed: bool) {
    std::fs::create_dir(place.path(folder)).unwrap();
    for (part, rows) in [("train", 80), ("t10k", 31)] {
        let (images, labels) = columns(rows);
        let files = [("images-idx3-ubyte", idx(&[rows, 3, 2], &images)), ("labels-idx1-ubyte", idx(&[rows], &labels))];
        for (name, bytes) in files {
            let name = format!("{folder}/{part}-{name}");
            if packed {
                let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
                gz.write_all(&bytes).unwrap();
                place.write(&format!("{name}.gz"), gz.finish().unwrap());
            } else {
                place.write(&name, bytes);
            }
        }
    }
}

#[test]
fn plain_and_compressed_folders_are_the_same_data() {
    let place = Place::new();
    write_folder(&place, "plain", false);
    write_folder(&place, "packed", true);
    let plain = place.train("plain", "a", &["--epochs", "30", "--lr", "0.02"]);
    let packed = place.train("packed", "b", &["--epochs", "30", "--lr", "0.02"]);
    assert_eq!(plain["weights_sha256"], packed["weights_sha256"]);
    assert_eq!(plain["test"]["accuracy"], 1.0);

    let evaluated = json(&place.ok(&["evaluate", "a", "packed", "--json"]));
    assert_eq!(
        (&evaluated["rows"], &evaluated["metrics"]),
        (&31.into(), &plain["test"]),
        "the test part, the same bits"
    );
    assert_eq!(json(&place.ok(&["evaluate", "a", "plain", "--json", "--part", "train"]))["rows"], 80);

    let predicted = place.ok(&["predict", "a", "plain"]);
    assert_eq!(predicted.lines().take(4).collect::<Vec<_>>(), ["prediction", "3", "4", "3"]);
    assert_eq!(predicted.lines().count(), 32);
    assert_eq!(place.ok(&["predict", "a", "plain", "--part", "train"]).lines().count(), 81);
    assert_eq!(place.ok(&["predict", "a", "plain/t10k-images-idx3-ubyte"]), predicted, "one file of images");
}

#[test]
fn data_that_do_not_fit_a_model_of_images_are_refused() {
    let place = Place::new();
    write_folder(&place, "images", true);
    place.shipped("iris.csv");
    place.train("images", "a", &[]);
    place.train("iris.csv", "b", &[]);
    for (args, words) in [
        (&["predict", "a", "iris.csv"][..], "expected images"),
        (&["predict", "b", "images"], "found images"),
        (&["predict", "a", "images", "--keep", "x"], "--keep x"),
        (&["inspect", "a", "--importance", "images"], "trained on images"),
        (&["evaluate", "b", "images"], "found images"),
    ] {
        let message = place.fails(4, args);
        assert!(message.contains(words), "{args:?}: {message}");
    }
    place.write("turned-images-idx3-ubyte", idx(&[2, 2, 3], &[0; 12]));
    let message = place.fails(4, &["predict", "a", "turned-images-idx3-ubyte"]);
    assert!(message.contains("[3, 2]") && message.contains("[2, 3]"), "{message}");
    place.write("wide-images-idx3-ubyte", idx(&[2, 3, 3], &[0; 18]));
    let message = place.fails(4, &["predict", "a", "wide-images-idx3-ubyte"]);
    assert!(message.contains("[3, 2]") && message.contains("[3, 3]"), "{message}");
}

#[test]
fn options_that_change_nothing_on_images_are_refused() {
    let place = Place::new();
    write_folder(&place, "images", false);
    let columns = "it is about columns of a table, and the data are images (bytes, divided by 255)";
    let text = "it is about the text of a table, and the data are images (bytes, divided by 255)";
    for (flags, what, why) in [
        (&["--split", "group:X"][..], "--split group:X", columns),
        (&["--split", "time:X"], "--split time:X", columns),
        (&["--dates", "X=auto"], "--dates", columns),
        (&["--keep-column", "X"], "--keep-column", columns),
        (&["--category-embedding", "8"], "--category-embedding", columns),
        (&["--no-scale-target"], "--no-scale-target", columns),
        (&["--scale", "standard", "--preset", "plain"], "--scale", columns),
        (&["--delimiter", ";"], "--delimiter", text),
        (&["--header", "no"], "--header", text),
        (&["--comment", "#"], "--comment", text),
        (&["--quote", "'"], "--quote", text),
        (&["--decimal", ","], "--decimal", text),
        (&["--thousands", "."], "--thousands", text),
        (&["--encoding", "latin1"], "--encoding", text),
        (&["--format", "csv"], "--format csv", "it is a format of tables"),
        (&["--preset", "realmlp"], "--preset realmlp", "it is a recipe for tables"),
        (&["--preset", "tabm", "--label", "X"], "--preset tabm", "it is a recipe for tables"),
        (&["--preset", "best"], "--preset best", "it is a recipe for tables"),
    ] {
        let message = place.fails(4, &[&["train", "images", "-o", "run", "-q"], flags].concat());
        assert!(message.contains(&format!("{what}: {why}")), "{flags:?}: {message}");
    }
    let message = place.fails(4, &["train", "images", "-o", "run", "-q", "--loss", "poisson"]);
    assert!(message.contains("--loss poisson"), "{message}");
    place.train("images", "plain", &["--preset", "plain", "--split", "random", "--format", "idx"]);
}

#[test]
fn inspect_describes_images_and_their_models() {
    let place = Place::new();
    write_folder(&place, "images", true);
    let described = json(&place.ok(&["inspect", "images", "--json"]));
    assert_eq!(
        (&described["kind"], &described["rows"], &described["test"]["rows"]),
        (&"images".into(), &80.into(), &31.into())
    );
    place.train("images", "run", &[]);
    let text = place.ok(&["inspect", "run"]);
    assert!(text.contains("images of 3 × 2") && text.contains("classes     3, 4"), "{text}");
}
