//! Random streams addressed by what they are for, never drawn in thread order.
//!
//! A stream is ChaCha with 8 rounds (`rand_chacha::ChaCha8Rng`, a generator that is named by its algorithm and will not
//! change), keyed by seed and purpose. What is drawn depends on the address alone, so any thread may draw any row.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// What a stream of random numbers is for; streams of different purposes share nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// Initial weights; one stream for each tensor.
    Init = 1,
    /// Which rows go to the training, validation and test parts.
    Split = 2,
    /// Order of the rows; one stream for each epoch.
    Order = 3,
    /// Dropout masks; one stream for each layer and row position.
    Dropout = 4,
    /// Over- and under-sampling of classes.
    Balance = 5,
    /// Generated data.
    Synthetic = 6,
    /// Permutations of a column, for its importance.
    Permutation = 7,
    /// Quasi-random points; one stream for each dimension and digit.
    QuasiRandom = 8,
    /// Noise that parts equal values of a column.
    QuantileNoise = 20,
    /// Noise of inputs; one stream for each epoch and row.
    InputNoise = 21,
    /// Which row is mixed with which, and their shares; one stream for each epoch and row.
    MixUp = 22,
    /// Moves of images; one stream for each epoch and row.
    Augment = 23,
    /// Rows between rows; one stream for each class and new row.
    Smote = 24,
    /// Order of blocks of rows, and of the rows of blocks that follow each other; streams for each epoch.
    Blocks = 40,
    /// Sign flips and bootstrap samples of statistics.
    Resampling = 10,
    /// Points and seeds of a comparison's studies; one stream for each problem, optimizer and study.
    Study = 30,
}

/// The stream `(seed, purpose, major, minor)`: `major` and `minor` number streams within the purpose, such as layer and row.
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
