//! The line search for a step that satisfies the strong Wolfe conditions.

use super::vector::{add_scaled, dot, largest};
use crate::kernel::Real;

/// `c₁` of sufficient decrease, `f(t) ≤ f(0) + c₁ t f'(0)`.
const DECREASE: f64 = 1e-4;
/// `c₂` of the curvature condition, `|f'(t)| ≤ c₂ |f'(0)|`.
const FLATNESS: f64 = 0.9;
/// A trial closer to an end of the bracket than this fraction of its length makes too little progress.
const MARGIN: f64 = 0.1;

/// A loss that can be computed at any point.
pub trait LossFunction<T> {
    /// Returns the loss at `x` and writes its gradient to `gradient`.
    fn evaluate(&mut self, x: &[T], gradient: &mut [T]) -> f64;
}

impl<T, F: FnMut(&[T], &mut [T]) -> f64> LossFunction<T> for F {
    fn evaluate(&mut self, x: &[T], gradient: &mut [T]) -> f64 {
        self(x, gradient)
    }
}

/// The loss at one point of a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LinePoint {
    /// The position: the point is `x + t d`.
    pub(super) t: f64,
    /// `f(t)`; infinite if loss or slope is NaN.
    pub(super) loss: f64,
    /// `f'(t)`.
    pub(super) slope: f64,
}

impl LinePoint {
    /// Whether the loss here is too high for a step from `from`.
    fn is_above(&self, from: &LinePoint) -> bool {
        self.loss > from.loss + DECREASE * self.t * from.slope
    }

    fn is_flat(&self, from: &LinePoint) -> bool {
        self.slope.abs() <= -FLATNESS * from.slope
    }
}

/// Number of losses that a search computed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TriedLosses {
    pub(super) evaluations: usize,
    /// Number of those that are finite.
    pub(super) finite: usize,
}

/// Memory of a line search.
#[derive(Debug, Clone)]
pub(super) struct LineSearch<T> {
    /// The parameters at the current point.
    x: Vec<T>,
    /// The gradient at the current point.
    trial: Vec<T>,
    /// The gradient at the best point so far.
    best: Vec<T>,
}

/// A line search in progress.
struct Search<'a, T, O> {
    line: &'a mut LineSearch<T>,
    /// The start of the line, and its direction.
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

    /// Finds a point on the line from `x` along `d`, trying `t` first, and counts the losses computed.
    ///
    /// The point satisfies both conditions unless `most` losses were computed or the bracket became shorter than `tolerance` in
    /// every parameter. It is then the lower end of the bracket, possibly the start of the line.
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

    /// Keeps the gradient of the current point as that of the best point.
    fn keep(&mut self) {
        std::mem::swap(&mut self.line.trial, &mut self.line.best);
    }

    /// Extends the step until a point satisfies the conditions, or a bracket `(low, high)` contains one: Algorithm 3.5.
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

    /// Orders two points, the lower first. The gradient of `old` is the kept one, that of `new` the current one.
    fn order(&mut self, old: LinePoint, new: LinePoint) -> (LinePoint, LinePoint) {
        if new.loss < old.loss {
            self.keep();
            (new, old)
        } else {
            (old, new)
        }
    }

    /// Narrows a bracket until a point satisfies the conditions, or the bracket is shorter than `shortest`: Algorithm 3.6.
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

    /// The next trial inside a bracket; not twice in a row near one of its ends.
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

/// The minimum of the cubic through both points with both slopes, clamped to the bounds; their middle if there is none.
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
        // f(t) = t³ − 3 t has its minimum at 1.
        let at = |t: f64| LinePoint { t, loss: t * t * t - 3.0 * t, slope: 3.0 * t * t - 3.0 };
        for (a, b) in [(0.0, 3.0), (3.0, 0.0), (0.5, 1.5)] {
            assert!((minimum(&at(a), &at(b), (0.0, 3.0)) - 1.0).abs() < 1e-12, "{a} {b}");
        }
        assert_eq!(minimum(&at(0.0), &at(3.0), (1.5, 3.0)), 1.5);
        let infinite = LinePoint { t: 4.0, loss: f64::INFINITY, slope: f64::NAN };
        assert_eq!(minimum(&at(0.0), &infinite, (0.0, 4.0)), 2.0);
    }
}
