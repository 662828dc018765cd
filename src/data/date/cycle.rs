//! Periodic components of dates.

use serde::{Deserialize, Serialize};

use super::{DateForm, DateUnit, SECONDS_OF_A_DAY};

/// A periodic component of dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cycle {
    /// 24 hours.
    Day,
    /// 7 days.
    Week,
    /// 365.2425 days, the mean length of a year.
    Year,
}

impl Cycle {
    const ALL: [Cycle; 3] = [Cycle::Day, Cycle::Week, Cycle::Year];

    /// Its name, as used in the names of inputs.
    pub fn name(self) -> &'static str {
        match self {
            Cycle::Day => "day",
            Cycle::Week => "week",
            Cycle::Year => "year",
        }
    }

    /// Its length in days.
    pub fn days(self) -> f64 {
        match self {
            Cycle::Day => 1.0,
            Cycle::Week => 7.0,
            Cycle::Year => 365.2425,
        }
    }
}

impl DateForm {
    /// Cycles that become inputs: those of which the values cover at least two periods. Times of day always have the
    /// cycle of a day.
    pub fn cycles(&self, min: f64, max: f64) -> Vec<Cycle> {
        let of_day = self.unit == DateUnit::Days;
        let span = if of_day { max - min } else { (max - min) / SECONDS_OF_A_DAY };
        let covered = |cycle: &Cycle| match cycle {
            Cycle::Day if of_day => false,
            Cycle::Day if self.unit == DateUnit::Clock => true,
            cycle => self.unit != DateUnit::Clock && span >= 2.0 * cycle.days(),
        };
        Cycle::ALL.into_iter().filter(covered).collect()
    }

    /// Sine and cosine of the phase of a value in a cycle.
    pub fn phase(&self, value: f64, cycle: Cycle) -> (f64, f64) {
        let days = if self.unit == DateUnit::Days { value } else { value / SECONDS_OF_A_DAY };
        // The phase is reduced before the multiplication: sine and cosine are most accurate for small angles.
        let phase = (days / cycle.days()).rem_euclid(1.0) * std::f64::consts::TAU;
        (libm::sin(phase), libm::cos(phase))
    }
}
