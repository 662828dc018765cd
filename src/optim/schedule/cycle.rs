//! Rates that rise and fall, with momentum in the opposite direction. The run's learning rate is the highest.

use std::f64::consts::PI;

use super::RateCurve;
use super::span::ScheduleSpan;
use crate::optim::field::{Field, Range, Word};

/// `onecycle:rise=0.3,div=25,final_div=10000`: from `base / div` up to the base rate over the fraction `rise` of the `T` steps,
/// then down to `base / div / final_div`. Smith & Topin 2018, <https://arxiv.org/abs/1708.07120>, as in PyTorch's `OneCycleLR`:
/// the phases end at steps `rise · T − 1` and `T − 1`, which may be fractional. With `three_phase=true` they end at `rise · T −
/// 1`, `2 rise · T − 2` and `T − 1`: up, down to `base / div`, and further down.
#[derive(Debug, Clone, PartialEq)]
pub struct OneCycle {
    /// Fraction of the steps in which the rate rises.
    pub rise: f64,
    /// Ratio of the highest rate to the first.
    pub div: f64,
    /// Ratio of the first rate to the last.
    pub final_div: f64,
    /// The interpolation between two rates.
    pub anneal: Anneal,
    /// Whether the descent is as steep as the rise, followed by a third phase down to the last rate.
    pub three_phase: bool,
    /// Lowest momentum, at the highest rate, and highest momentum; unchanged by default. PyTorch has 0.85/0.95.
    pub momentum: Option<[f64; 2]>,
}

/// The interpolation between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anneal {
    /// `cos`: half a cosine.
    Cosine,
    /// `linear`: a straight line.
    Linear,
}

/// `cyclic:up=0.125,mode=triangular`: a straight line from `min` up to the base rate and down again, repeated. Smith
/// 2017, <https://arxiv.org/abs/1506.01186>, as PyTorch's `CyclicLR`: `min + (base − min) · triangle · scale`.
#[derive(Debug, Clone, PartialEq)]
pub struct Cyclic {
    /// Steps of the rise.
    pub up: ScheduleSpan,
    /// Steps of the descent; as many as `up` by default.
    pub down: Option<ScheduleSpan>,
    /// The lowest rate; by default a quarter of the base rate, within the range of section 3.3 of the paper.
    pub min: Option<f64>,
    /// How the peaks change.
    pub mode: CyclicMode,
    /// Factor of each step for [`CyclicMode::ExpRange`].
    pub gamma: Option<f64>,
    /// Lowest momentum, at the highest rate, and highest momentum; unchanged by default. PyTorch has 0.8/0.9.
    pub momentum: Option<[f64; 2]>,
}

/// How the peaks of a cyclic schedule change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CyclicMode {
    /// `triangular`: they stay the same.
    Triangular,
    /// `triangular2`: halved after each cycle.
    Triangular2,
    /// `exp_range`: by `gammaᵗ`.
    ExpRange,
}

impl Word for Anneal {
    fn words(&self) -> &'static [&'static str] {
        &["cos", "linear"]
    }

    fn index(&self) -> usize {
        *self as usize
    }

    fn set(&mut self, index: usize) {
        *self = [Anneal::Cosine, Anneal::Linear][index];
    }
}

impl Word for CyclicMode {
    fn words(&self) -> &'static [&'static str] {
        &["triangular", "triangular2", "exp_range"]
    }

    fn index(&self) -> usize {
        *self as usize
    }

    fn set(&mut self, index: usize) {
        *self = [CyclicMode::Triangular, CyclicMode::Triangular2, CyclicMode::ExpRange][index];
    }
}

impl Anneal {
    /// The value after a fraction `x` of the way.
    fn between(self, from: f64, to: f64, x: f64) -> f64 {
        match self {
            Anneal::Cosine => to + (from - to) / 2.0 * (1.0 + libm::cos(PI * x)),
            Anneal::Linear => from * (1.0 - x) + to * x,
        }
    }
}

impl Default for OneCycle {
    fn default() -> Self {
        OneCycle { rise: 0.3, div: 25.0, final_div: 1e4, anneal: Anneal::Cosine, three_phase: false, momentum: None }
    }
}

impl OneCycle {
    /// The value at step `t` on the way through `values`: those at the start, at the peak, and at the ends that follow.
    fn along(&self, t: u64, total: u64, values: [f64; 4]) -> f64 {
        let [start, peak, back, last] = values;
        let (t, end) = (t.min(total - 1) as f64, (total - 1) as f64);
        let top = self.rise * total as f64 - 1.0;
        let (from, to, first, final_step) = if t <= top {
            (start, peak, 0.0, top)
        } else if !self.three_phase {
            (peak, last, top, end)
        } else if t <= 2.0 * top {
            (peak, back, top, 2.0 * top)
        } else {
            (back, last, 2.0 * top, end)
        };
        // A phase of length 0 ends at once.
        let x = if final_step > first { (t - first) / (final_step - first) } else { 1.0 };
        self.anneal.between(from, to, x)
    }
}

impl RateCurve for OneCycle {
    fn rate(&self, base: f64, t: u64, total: u64) -> f64 {
        let start = base / self.div;
        self.along(t, total, [start, base, start, start / self.final_div])
    }

    fn momentum(&self, t: u64, total: u64) -> Option<f64> {
        self.momentum.map(|[low, high]| self.along(t, total, [high, low, high, high]))
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        vec![
            Field::new("rise", &mut self.rise, Range::INNER),
            Field::new("div", &mut self.div, Range::AT_LEAST_1),
            Field::new("final_div", &mut self.final_div, Range::AT_LEAST_1),
            Field::word("anneal", &mut self.anneal),
            Field::switch("three_phase", &mut self.three_phase),
            Field::new("momentum", &mut self.momentum, Range::SHARE),
        ]
    }

    fn conflict(&self) -> Option<String> {
        let steep = self.three_phase && self.rise > 0.5;
        steep.then(|| format!("three_phase=true needs a rise of at most 0.5, found {}", self.rise))
    }
}

impl Default for Cyclic {
    fn default() -> Self {
        Cyclic {
            up: ScheduleSpan(0.125),
            down: None,
            min: None,
            mode: CyclicMode::Triangular,
            gamma: None,
            momentum: None,
        }
    }
}

impl Cyclic {
    /// `triangle · scale`, from 0 to 1.
    fn height(&self, t: u64, total: u64) -> f64 {
        let up = self.up.steps(total);
        let down = self.down.unwrap_or(self.up).steps(total);
        let (cycle, position) = (t / (up + down), t % (up + down));
        let triangle =
            if position <= up { position as f64 / up as f64 } else { (up + down - position) as f64 / down as f64 };
        let scale = match self.mode {
            CyclicMode::Triangular => 1.0,
            CyclicMode::Triangular2 => libm::pow(0.5, cycle as f64),
            CyclicMode::ExpRange => libm::pow(self.gamma.unwrap_or(1.0), t as f64),
        };
        triangle * scale
    }
}

impl RateCurve for Cyclic {
    fn rate(&self, base: f64, t: u64, total: u64) -> f64 {
        let min = self.min.unwrap_or(base / 4.0);
        min + (base - min) * self.height(t, total)
    }

    fn momentum(&self, t: u64, total: u64) -> Option<f64> {
        self.momentum.map(|[low, high]| high - (high - low) * self.height(t, total))
    }

    fn lowest(&self) -> Option<f64> {
        self.min
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        vec![
            Field::new("up", &mut self.up, Range::SPAN),
            Field::new("down", &mut self.down, Range::SPAN),
            Field::new("min", &mut self.min, Range::NOT_NEGATIVE),
            Field::word("mode", &mut self.mode),
            Field::new("gamma", &mut self.gamma, Range::ABOVE_0_TO_1),
            Field::new("momentum", &mut self.momentum, Range::SHARE),
        ]
    }

    fn conflict(&self) -> Option<String> {
        match (self.mode, self.gamma) {
            (CyclicMode::ExpRange, None) => Some("mode=exp_range needs gamma=…".to_owned()),
            (CyclicMode::Triangular | CyclicMode::Triangular2, Some(_)) => {
                Some("gamma needs mode=exp_range".to_owned())
            }
            _ => None,
        }
    }
}
