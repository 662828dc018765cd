//! Statistics of few runs: robust averages, tests and intervals with few assumptions.
//!
//! A run without a value, such as one whose loss stopped being finite, has the value infinity. NaN is not allowed.

mod bootstrap;
mod expected_best;
mod fisher;
mod holm;
mod information;
mod interval;
mod normal;
mod profile;
mod quantile;
mod rank_test;
mod ratio;
mod selection;
pub(crate) mod student;
mod yuen;

pub use bootstrap::stratified_interval;
pub use expected_best::expected_best;
pub use fisher::fisher_combined;
pub use holm::{holm, holm_levels};
pub use information::{Information, mutual_information};
pub use interval::{Interval, median_interval};
pub use normal::{normal_cdf, normal_quantile};
pub use profile::{performance_ratios, profile, profile_score};
pub use quantile::{interquartile_mean, median, quantile, quantile_of_sorted};
pub use rank_test::{
    RankTest, Stratum, binomial, critical_statistic, smallest_p, statistic_of, stratified_rank_test, student_p,
};
pub use ratio::{Ratio, rank_sum_p, ratio_interval};
pub use selection::{Candidates, greedy_selection};
pub use yuen::yuen_test;
