//! The search along a line for a step that obeys the strong Wolfe conditions.

use super::LossFunction;
use super::vector::{add_scaled, dot, largest};
use crate::kernel::Real;

/// `c₁` of sufficient decrease, `f(t) ≤ f(0) + c₁ t f'(0)`.
const DECREASE: f64 = 1e-4;
/// `c₂` of the flatter slope, `|f'(t)| ≤ c₂ |f'(0)|`.
const FLATNESS: f64 = 0.9;
/// A trial nearer than this share of the bracket to one of its ends makes too little progress.
const MARGIN: f64 = 0.1;

/// The loss at one place of a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LinePoint {
    /// The place: `x + t d`.
    pub(super) t: f64,
    /// `f(t)`; infinite where loss or slope is no number.
    pub(super) loss: f64,
    /// `f'(t)`.
    pub(super) slope: f64,
}

impl LinePoint {
    /// Whether the loss is too high here for a step from `from`.
    fn is_above(&self, from: &LinePoint) -> bool {
        self.loss > from.loss + DECREASE * self.t * from.slope
    }

    fn is_flat(&self, from: &LinePoint) -> bool {
        self.slope.abs() <= -FLATNESS * from.slope
    }
}

/// Losses that a search computed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TriedLosses {
    pub(super) evaluations: usize,
    /// Those that are finite numbers.
    pub(super) finite: usize,
}

/// Memory of a search.
#[derive(Debug, Clone)]
pub(super) struct LineSearch<T> {
    /// The parameters at the place at hand.
    x: Vec<T>,
    /// The gradient at the place at hand.
    trial: Vec<T>,
    /// The gradient at the best place so far.
    best: Vec<T>,
}

/// A search under way.
struct Search<'a, T, O> {
    line: &'a mut LineSearch<T>,
    /// Where the line begins, and its direction.
    x: &'a [T],
    d: &'a [T],
    from: LinePoint,
    objective: &'a mut O,
    tried: TriedLosses,
    most: usize,
}

impl<T: Real + Into<f64>> LineSearch<T> {
    pub(super) fn new(parameters: usize) -> Self {
        let zeros = || vec![T::splat(0.0); parameters];
        LineSearch { x: zeros(), trial: zeros(), best: zeros() }
    }

    /// The gradient at the point that the last search returned.
    pub(super) fn gradient(&self) -> &[T] {
        &self.best
    }

    /// A point on the line from `x` along `d`, at `t` if that will do, and what it took to find it.
    ///
    /// The point obeys both conditions unless `most` losses were computed or the bracket became shorter than `tolerance` in
    /// every parameter; it is then the lowest end of the bracket, possibly the beginning of the line.
    pub(super) fn search(
        &mut self,
        (most, tolerance): (usize, f64),
        (x, d): (&[T], &[T]),
        (from, gradient): (LinePoint, &[T]),
        t: f64,
        objective: &mut impl LossFunction<T>,
    ) -> (LinePoint, TriedLosses) {
        self.best.copy_from_slice(gradient);
        let mut search = Search { line: self, x, d, from, objective, tried: TriedLosses::default(), most };
        let point = match search.bracket(t) {
            Ok(found) => found,
            Err((low, high)) => search.zoom(low, high, tolerance / largest(d)),
        };
        let tried = search.tried;
        (point, tried)
    }
}

impl<T: Real + Into<f64>, O: LossFunction<T>> Search<'_, T, O> {
    fn evaluate(&mut self, t: f64) -> LinePoint {
        self.tried.evaluations += 1;
        self.line.x.copy_from_slice(self.x);
        add_scaled(&mut self.line.x, t, self.d);
        let loss = self.objective.evaluate(&self.line.x, &mut self.line.trial);
        let slope = dot(&self.line.trial, self.d);
        let is_number = !loss.is_nan() && !slope.is_nan();
        let loss = if is_number { loss } else { f64::INFINITY };
        self.tried.finite += usize::from(loss.is_finite());
        LinePoint { t, loss, slope }
    }

    /// Keeps the gradient of the place at hand as the one of the best place.
    fn keep(&mut self) {
        std::mem::swap(&mut self.line.trial, &mut self.line.best);
    }

    /// Goes on until a point will do, or there is a bracket `(low, high)` with one inside: Algorithm 3.5.
    fn bracket(&mut self, t: f64) -> Result<LinePoint, (LinePoint, LinePoint)> {
        let mut before = self.from;
        let mut point = self.evaluate(t);
        for tries in 0..self.most {
            let rises = tries > 1 && point.loss >= before.loss;
            if point.is_above(&self.from) || rises || (!point.is_flat(&self.from) && point.slope >= 0.0) {
                return Err(self.order(before, point));
            }
            self.keep();
            if point.is_flat(&self.from) {
                return Ok(point);
            }
            if self.tried.evaluations == self.most {
                break;
            }
            let next = minimum(&before, &point, (point.t + 0.01 * (point.t - before.t), 10.0 * point.t));
            before = point;
            point = self.evaluate(next);
        }
        Ok(point)
    }

    /// The lower of two points first; the gradient of `old` is kept, that of `new` is at hand.
    fn order(&mut self, old: LinePoint, new: LinePoint) -> (LinePoint, LinePoint) {
        if new.loss < old.loss {
            self.keep();
            (new, old)
        } else {
            (old, new)
        }
    }

    /// Narrows a bracket until a point will do, or it is shorter than `shortest`: Algorithm 3.6.
    fn zoom(&mut self, mut low: LinePoint, mut high: LinePoint, shortest: f64) -> LinePoint {
        let mut crept = false;
        while self.tried.evaluations < self.most && (high.t - low.t).abs() >= shortest {
            let t = self.trial(&low, &high, &mut crept);
            let point = self.evaluate(t);
            if point.is_above(&self.from) || point.loss >= low.loss {
                (low, high) = self.order(low, point);
                continue;
            }
            self.keep();
            if point.is_flat(&self.from) {
                return point;
            }
            if point.slope * (high.t - low.t) >= 0.0 {
                high = low;
            }
            low = point;
        }
        low
    }

    /// Where to look next inside a bracket; not twice in a row near one of its ends.
    fn trial(&self, low: &LinePoint, high: &LinePoint, crept: &mut bool) -> f64 {
        let (left, right) = (low.t.min(high.t), low.t.max(high.t));
        let margin = MARGIN * (right - left);
        let t = minimum(low, high, (left, right));
        let near = f64::min(right - t, t - left) < margin;
        let must_leave = near && (*crept || t >= right || t <= left);
        *crept = near && !must_leave;
        match must_leave {
            false => t,
            true if right - t < t - left => right - margin,
            true => left + margin,
        }
    }
}

/// Where the cubic through both points with both slopes is lowest, held within bounds; their middle where there is none.
fn minimum(a: &LinePoint, b: &LinePoint, (least, most): (f64, f64)) -> f64 {
    let (a, b) = if a.t <= b.t { (a, b) } else { (b, a) };
    let chord = a.slope + b.slope - 3.0 * (a.loss - b.loss) / (a.t - b.t);
    let root = (chord * chord - a.slope * b.slope).sqrt();
    let t = b.t - (b.t - a.t) * ((b.slope + root - chord) / (b.slope - a.slope + 2.0 * root));
    if t.is_finite() { t.max(least).min(most) } else { 0.5 * (least + most) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minimum_of_a_cubic_is_found_within_its_bounds() {
        // f(t) = t³ − 3 t, lowest at 1.
        let at = |t: f64| LinePoint { t, loss: t * t * t - 3.0 * t, slope: 3.0 * t * t - 3.0 };
        for (a, b) in [(0.0, 3.0), (3.0, 0.0), (0.5, 1.5)] {
            assert!((minimum(&at(a), &at(b), (0.0, 3.0)) - 1.0).abs() < 1e-12, "{a} {b}");
        }
        assert_eq!(minimum(&at(0.0), &at(3.0), (1.5, 3.0)), 1.5);
        let infinite = LinePoint { t: 4.0, loss: f64::INFINITY, slope: f64::NAN };
        assert_eq!(minimum(&at(0.0), &infinite, (0.0, 4.0)), 2.0);
    }
}
