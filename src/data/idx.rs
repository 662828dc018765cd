//! IDX files, which hold unsigned bytes and their shape, and folders with MNIST's layout.
//!
//! Format: two zero bytes, a type (8: unsigned byte), the rank, a big-endian u32 for each dimension, then the values in
//! row-major order. Y. LeCun, C. Cortes, C. J. C. Burges, <https://yann.lecun.com/exdb/mnist/>.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::choice::choices;
use super::source::{Opened, Source, read_error};
use crate::{Error, Result};

choices! {
    /// Part of a folder with MNIST's layout.
    Part {
        /// The files `train-…`.
        Train = "train",
        /// The files `t10k-…`.
        Test = "test",
    }
}

/// Images as bytes, one in each row, with their labels, if there are any.
#[derive(Debug, Clone, PartialEq)]
pub struct Images {
    /// File of the images.
    pub path: PathBuf,
    /// Shape of one image, such as 28 × 28.
    pub shape: Vec<usize>,
    /// `rows · product(shape)` values.
    pub bytes: Vec<u8>,
    /// Label of each image.
    pub labels: Option<Vec<u8>>,
}

impl Images {
    /// Number of values of an image.
    pub fn cols(&self) -> usize {
        self.shape.iter().product()
    }

    /// Number of images.
    pub fn rows(&self) -> usize {
        self.bytes.len() / self.cols().max(1)
    }
}

/// Whether a file starts like an IDX file.
pub(super) fn is_idx(head: &[u8]) -> bool {
    matches!(head, [0, 0, 8 | 9 | 11..=14, 1..=8, ..])
}

/// Whether the file is not an IDX file of other numbers than unsigned bytes. Those are tables, not images.
pub(super) fn holds_bytes(head: &[u8]) -> bool {
    !matches!(head, [0, 0, 9 | 11..=14, 1..=8, ..])
}

/// Content of an IDX file.
struct Array {
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

fn read_array(opened: Opened) -> Result<Array> {
    let path = opened.name().to_path_buf();
    let mut reader = opened.into_reader();
    let mut magic = [0; 4];
    let short = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::UnexpectedEof => Error::data(&path, "expected the header of an IDX file, found its end"),
        _ => read_error(&path, e),
    };
    reader.read_exact(&mut magic).map_err(short)?;
    let rank = match magic {
        [0, 0, 8, rank @ 1..=8] => usize::from(rank),
        [0, 0, 9 | 11..=14, _] => {
            return Err(Error::data(&path, format!("expected unsigned bytes (type 8), found type {}", magic[2])));
        }
        _ => {
            let found = magic.map(|byte| format!("{byte:02x}")).join(" ");
            return Err(Error::data(
                &path,
                format!("expected an IDX file of bytes (00 00 08 and its rank), found {found}"),
            ));
        }
    };
    let mut shape = Vec::with_capacity(rank);
    for _ in 0..rank {
        let mut size = [0; 4];
        reader.read_exact(&mut size).map_err(short)?;
        shape.push(u32::from_be_bytes(size) as usize);
    }
    let total = shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
    let total = total.ok_or_else(|| Error::data(&path, format!("the shape {shape:?} is too large")))?;
    // The header may be wrong, so at most this much is reserved before the bytes are read.
    const RESERVED_AT_MOST: usize = 1 << 24;
    let mut bytes = Vec::with_capacity(total.min(RESERVED_AT_MOST));
    reader.by_ref().take(total as u64).read_to_end(&mut bytes).map_err(|e| read_error(&path, e))?;
    if bytes.len() < total {
        let message =
            format!("expected {total} values for the shape {shape:?}, found {}: the file is cut short", bytes.len());
        return Err(Error::data(&path, message));
    }
    if reader.read(&mut [0]).map_err(|e| read_error(&path, e))? > 0 {
        return Err(Error::data(&path, format!("expected {total} values for the shape {shape:?}, found more")));
    }
    Ok(Array { shape, bytes })
}

fn images_of(path: PathBuf, array: Array) -> Result<Images> {
    let cols: usize = array.shape[1..].iter().product();
    if array.shape.len() < 2 || cols == 0 {
        let message =
            format!("expected images, rank 2 or more, found the shape {:?}: are these the labels?", array.shape);
        return Err(Error::data(path, message));
    }
    if array.bytes.is_empty() {
        return Err(Error::data(path, "expected images, found none"));
    }
    Ok(Images { path, shape: array.shape[1..].to_vec(), bytes: array.bytes, labels: None })
}

fn labels_of(path: &Path, array: Array) -> Result<Vec<u8>> {
    match array.shape.as_slice() {
        [_] => Ok(array.bytes),
        shape => {
            Err(Error::data(path, format!("expected labels, rank 1, found the shape {shape:?}: are these images?")))
        }
    }
}

/// Reads an IDX file of images. Labels are read from the file in the same folder whose name has `labels` instead of
/// `images` (and `idx1` instead of `idx3`), if there is one.
///
/// # Errors
/// [`Error::Data`] for a wrong header, a truncated file, or different numbers of images and labels.
pub fn read_images(source: &Source, opened: Opened) -> Result<Images> {
    match labels_beside(source) {
        Some(labels) => read_pair(opened, Opened::new(&Source::Path(labels))?),
        None => images_of(opened.name().to_path_buf(), read_array(opened)?),
    }
}

/// The file of labels that belongs to a file of images.
pub(super) fn labels_beside(source: &Source) -> Option<PathBuf> {
    let Source::Path(path) = source else { return None };
    let name = path.file_name()?.to_str()?;
    if !name.contains("images") {
        return None;
    }
    let labels = name.replace("images", "labels").replace("idx3", "idx1");
    let plain = labels.strip_suffix(".gz").or_else(|| labels.strip_suffix(".zst")).unwrap_or(&labels);
    [labels.clone(), plain.to_owned(), format!("{plain}.gz"), format!("{plain}.zst")]
        .into_iter()
        .map(|n| path.with_file_name(n))
        .find(|p| p.is_file())
}

/// Reads images and their labels, which must have the same count.
fn read_pair(images: Opened, labels: Opened) -> Result<Images> {
    let (images_path, labels_path) = (images.name().to_path_buf(), labels.name().to_path_buf());
    let images = images_of(images_path, read_array(images)?)?;
    let found = labels_of(&labels_path, read_array(labels)?)?;
    if found.len() != images.rows() {
        let message = format!(
            "expected {} labels, one for each image of {}, found {}",
            images.rows(),
            images.path.display(),
            found.len()
        );
        return Err(Error::data(labels_path, message));
    }
    Ok(Images { labels: Some(found), ..images })
}

/// The files of a folder with MNIST's layout, opened but not read.
pub struct Folder {
    train: Option<(Opened, Opened)>,
    test: Option<(Opened, Opened)>,
    path: PathBuf,
}

impl Folder {
    /// Opens `train-images-idx3-ubyte`, `train-labels-idx1-ubyte` and the same names with `t10k`. Each name may end in
    /// `.gz` or `.zst` and may have a dot instead of the dash before `idx`. A part without any file is left out.
    ///
    /// # Errors
    /// [`Error::Data`] if a part has images without labels or labels without images, or if there is no part.
    pub fn open(path: &Path) -> Result<Self> {
        let part = |prefix: &str| -> Result<Option<(Opened, Opened)>> {
            let (images, labels) = (find(path, prefix, "images", 3), find(path, prefix, "labels", 1));
            match (images, labels) {
                (Some(images), Some(labels)) => {
                    Ok(Some((Opened::new(&Source::Path(images))?, Opened::new(&Source::Path(labels))?)))
                }
                (None, None) => Ok(None),
                (Some(_), None) => {
                    Err(Error::data(path, format!("expected {prefix}-labels-idx1-ubyte beside the images")))
                }
                (None, Some(_)) => {
                    Err(Error::data(path, format!("expected {prefix}-images-idx3-ubyte beside the labels")))
                }
            }
        };
        let (train, test) = (part("train")?, part("t10k")?);
        if train.is_none() && test.is_none() {
            let message = "expected a folder with Parquet files (*.parquet), or of MNIST's layout (train-images-idx3-ubyte[.gz], \
                           train-labels-idx1-ubyte[.gz], t10k-…), found none of these files: name a data file instead";
            // If the folder cannot be read, that is the error.
            std::fs::read_dir(path).map_err(|e| Error::io(path, e))?;
            return Err(Error::data(path, message));
        }
        Ok(Self { train, test, path: path.to_path_buf() })
    }

    /// Path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the training part and, on another thread, the test part if there is one.
    ///
    /// # Errors
    /// As [`read_images`], and if the folder has no training part.
    pub fn read(self) -> Result<(Images, Option<Images>)> {
        let missing = || Error::data(&self.path, "the folder has no train part: expected train-images-idx3-ubyte[.gz]");
        let (images, labels) = self.train.ok_or_else(missing)?;
        let test = self.test;
        let read_test = || test.map(|(images, labels)| read_pair(images, labels)).transpose();
        let (train, test) = rayon::join(|| read_pair(images, labels), read_test);
        Ok((train?, test?))
    }

    /// Reads one part.
    ///
    /// # Errors
    /// As [`read_images`], and if the folder does not have this part.
    pub fn read_part(self, part: Part) -> Result<Images> {
        let (files, prefix) = match part {
            Part::Train => (self.train, "train"),
            Part::Test => (self.test, "t10k"),
        };
        let missing = || {
            Error::data(&self.path, format!("the folder has no {part} part: expected {prefix}-images-idx3-ubyte[.gz]"))
        };
        let (images, labels) = files.ok_or_else(missing)?;
        read_pair(images, labels)
    }
}

fn find(folder: &Path, prefix: &str, what: &str, rank: u32) -> Option<PathBuf> {
    ["-", "."]
        .into_iter()
        .flat_map(|dash| {
            ["", ".gz", ".zst"].map(|end| folder.join(format!("{prefix}-{what}{dash}idx{rank}-ubyte{end}")))
        })
        .find(|path| File::open(path).is_ok() || path.exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(shape: &[u32], values: &[u8]) -> Vec<u8> {
        let sizes = shape.iter().flat_map(|size| size.to_be_bytes());
        [0, 0, 8, shape.len() as u8].into_iter().chain(sizes).chain(values.iter().copied()).collect()
    }

    fn opened(bytes: Vec<u8>) -> Opened {
        Opened::from_reader("x-idx".into(), Box::new(std::io::Cursor::new(bytes))).unwrap()
    }

    fn failure(bytes: Vec<u8>) -> String {
        let error = read_images(&Source::Stdin, opened(bytes)).unwrap_err();
        assert!(matches!(error, Error::Data { .. }));
        error.to_string()
    }

    #[test]
    fn images_of_any_rank_are_rows() {
        for shape in [vec![2, 3], vec![2, 1, 3], vec![2, 3, 1, 1]] {
            let images = read_images(&Source::Stdin, opened(file(&shape, &[1, 2, 3, 4, 5, 6]))).unwrap();
            assert_eq!((images.rows(), images.cols()), (2, 3), "{shape:?}");
            assert_eq!(images.bytes, [1, 2, 3, 4, 5, 6]);
        }
    }

    #[test]
    fn damaged_files_say_what_is_wrong() {
        assert!(
            failure(file(&[2, 2], &[1, 2, 3]))
                .contains("expected 4 values for the shape [2, 2], found 3: the file is cut short")
        );
        assert!(failure(file(&[2, 2], &[1; 5])).contains("found more"));
        assert!(failure(vec![0, 0, 8, 3, 0]).contains("expected the header"));
        assert!(failure(b"a,b\n1,2\n".to_vec()).contains("found 61 2c 62 0a"));
        assert!(failure(vec![0, 0, 13, 1, 0, 0, 0, 0]).contains("found type 13"));
        assert!(failure(file(&[u32::MAX; 8], &[])).contains("too large"));
        assert!(failure(file(&[3], &[1, 2, 3])).contains("are these the labels?"));
        assert!(failure(file(&[0, 3], &[])).contains("found none"));
        // A header that promises 4 GB is refused without reserving them.
        assert!(failure(file(&[1 << 16, 1 << 16], &[0])).contains("cut short"));
    }

    #[test]
    fn counts_must_agree() {
        let error = read_pair(opened(file(&[2, 1], &[1, 2])), opened(file(&[3], &[0; 3]))).unwrap_err();
        assert!(error.to_string().contains("expected 2 labels"), "{error}");
        let error = read_pair(opened(file(&[2, 1], &[1, 2])), opened(file(&[2, 1], &[0; 2]))).unwrap_err();
        assert!(error.to_string().contains("are these images?"), "{error}");
    }
}
