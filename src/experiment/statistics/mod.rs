//! Statistics of few runs: robust averages, tests and intervals that assume no distribution.
//!
//! Infinity stands for a run that has no value, such as a loss that stopped being finite. NaN is not allowed.

mod bootstrap;
mod expected_best;
mod holm;
mod normal;
mod permutation;
mod profile;
mod quantile;

pub use bootstrap::{Interval, bca_interval, stratified_interval};
pub use expected_best::expected_best;
pub use holm::holm;
pub use normal::{normal_cdf, normal_quantile};
pub use permutation::{PairedTest, paired_permutation_test, smallest_p};
pub use profile::{performance_ratios, profile, profile_score};
pub use quantile::{interquartile_mean, median, quantile, quantile_of_sorted};
