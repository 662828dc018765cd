//! Random streams that are addressed by their purpose, not drawn in the order of threads.
//!
//! A stream is ChaCha with 8 rounds, keyed by seed, purpose and `major`. The numbers depend on the address alone, so
//! any thread can draw those of any row. `rand_chacha::ChaCha8Rng` names its algorithm, so its output is not expected
//! to change.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// The purpose of a random stream. Streams of different purposes are independent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// Initial weights; one stream for each tensor and row.
    Init = 1,
    /// Assignment of rows to the training, validation and test parts, and to folds.
    Split = 2,
    /// Order of the rows; one stream for each epoch and member.
    Order = 3,
    /// Dropout masks; one stream for each member, layer, epoch and row position.
    Dropout = 4,
    /// Over- and undersampling of classes; one stream for each class.
    Balance = 5,
    /// Generated data.
    Synthetic = 6,
    /// Permutations of a column for its importance; one stream for each column and repetition.
    Permutation = 7,
    /// Quasi-random points; one stream for each dimension and digit.
    QuasiRandom = 8,
    /// Noise that separates equal values of a column; one stream for each column.
    QuantileNoise = 20,
    /// Noise added to inputs; one stream for each epoch and row.
    InputNoise = 21,
    /// Partner of a row in mix-up, and its share; one stream for each epoch and row.
    MixUp = 22,
    /// Shifts and flips of images; one stream for each epoch and row.
    Augment = 23,
    /// Interpolated rows of SMOTE; one stream for each class and new row, and one for each class.
    Smote = 24,
    /// Order of blocks of rows, and of the rows within groups of successive blocks; several streams for each epoch.
    Blocks = 40,
    /// Sign flips and bootstrap samples in statistics.
    Resampling = 10,
    /// Points and seeds in the studies of a comparison; one stream for each problem, optimizer and study.
    Study = 30,
}

/// The stream `(seed, purpose, major, minor)`. `major` and `minor` number the streams of a purpose, for example by
/// layer and row.
pub fn stream(seed: u64, purpose: Purpose, major: u64, minor: u64) -> ChaCha8Rng {
    let mut key = [0u8; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&(purpose as u64).to_le_bytes());
    key[16..24].copy_from_slice(&major.to_le_bytes());
    key[24..].copy_from_slice(b"gradlane");
    let mut rng = ChaCha8Rng::from_seed(key);
    rng.set_stream(minor);
    rng
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    #[test]
    fn streams_are_fixed_and_apart() {
        let first = |p, major, minor| stream(7, p, major, minor).next_u32();
        let values = [
            first(Purpose::Init, 0, 0),
            first(Purpose::Init, 0, 1),
            first(Purpose::Init, 1, 0),
            first(Purpose::Order, 0, 0),
        ];
        assert_eq!(
            values,
            [864686844, 2204982629, 3965310753, 403203741],
            "a stream is a function of its address and never changes"
        );
        for (i, a) in values.iter().enumerate() {
            assert!(values[i + 1..].iter().all(|b| a != b), "two streams begin alike: {values:?}");
        }
    }
}
