//! Panels of 16 samples: lines as a column, and element-wise operations on lines.

use super::activation::functions::Function;
use super::activation::{Activation, Visit};
use super::column::{ColumnMut, OutputColumn};
use crate::kernel::{Isa, Job, LANES, Lanes, Line, PanelsMut};

/// Lines as a column: element `i` is line `i`, with one sample in each lane.
pub(crate) struct LineColumn<'a>(pub(crate) &'a [Line]);

/// Lines as a column that can be written.
pub(crate) struct LineColumnMut<'a>(pub(crate) &'a mut [Line]);

impl<L: Lanes> OutputColumn<L> for LineColumn<'_> {
    #[inline(always)]
    fn len(&self) -> usize {
        self.0.len()
    }
    #[inline(always)]
    fn get(&self, i: usize) -> L {
        L::load(&self.0[i])
    }
}

impl<L: Lanes> OutputColumn<L> for LineColumnMut<'_> {
    #[inline(always)]
    fn len(&self) -> usize {
        self.0.len()
    }
    #[inline(always)]
    fn get(&self, i: usize) -> L {
        L::load(&self.0[i])
    }
}

impl<L: Lanes> ColumnMut<L> for LineColumnMut<'_> {
    #[inline(always)]
    fn set(&mut self, i: usize, value: L) {
        value.store(&mut self.0[i]);
    }
}

/// `y = f(y)`, element by element.
pub fn activate_in_place(isa: Isa, activation: Activation, y: &mut [Line]) {
    if activation != Activation::Identity {
        isa.run(ActivateInPlace { activation, y });
    }
}

/// `d = d · f′(x)`, element by element, with `y = f(x)`. The values of `x` are ignored if the derivative does not use
/// them.
///
/// # Panics
/// If the lengths differ.
pub fn activation_backward(isa: Isa, activation: Activation, x: &[Line], y: &[Line], d: &mut [Line]) {
    assert!(x.len() == d.len() && y.len() == d.len());
    if activation != Activation::Identity {
        isa.run(ActivationBackward { activation, x, y, d });
    }
}

/// `y = y · factor`, element by element.
pub(crate) fn multiply(isa: Isa, factor: &[Line], y: &mut [Line]) {
    assert_eq!(factor.len(), y.len());
    isa.run(Multiply { factor, y });
}

/// `y = y + x`, element by element.
pub(crate) fn add(isa: Isa, x: &[Line], y: &mut [Line]) {
    assert_eq!(x.len(), y.len());
    isa.run(AddTo { x, y });
}

/// `y = gain ⊙ x`: each line times the gain of its feature. A line of `gain` holds 16 features.
pub(crate) fn scale(isa: Isa, gain: &[Line], x: &[Line], y: &mut [Line]) {
    assert!(x.len() == y.len() && gain.len() >= x.len().div_ceil(LANES));
    isa.run(ScaleFeatures { gain, x, y });
}

/// `y = gain ⊙ x + shift`: each line times the gain of its feature, plus the shift of its feature. A line of `gain` or
/// `shift` holds 16 features.
pub(crate) fn scale_and_shift(isa: Isa, gain: &[Line], shift: &[Line], x: &[Line], y: &mut [Line]) {
    let enough = x.len().div_ceil(LANES);
    assert!(x.len() == y.len() && gain.len() >= enough && shift.len() >= enough);
    isa.run(ScaleAndShift { gain, shift, x, y });
}

/// `y = gain ⊙ v` where `x` is below 0, elsewhere `y = v`. A line of `gain` holds 16 features.
pub(crate) fn scale_where_negative(isa: Isa, gain: &[Line], x: &[Line], v: &[Line], y: &mut [Line]) {
    assert!(x.len() == y.len() && v.len() == y.len() && gain.len() >= x.len().div_ceil(LANES));
    isa.run(ScaleWhereNegative { gain, x, v, y });
}

/// `y = x + share ⊙ (y − x)`. A line of `share` holds 16 features.
pub(crate) fn blend(isa: Isa, share: &[Line], x: &[Line], y: &mut [Line]) {
    assert!(x.len() == y.len() && share.len() >= x.len().div_ceil(LANES));
    isa.run(Blend { share, x, y });
}

/// `y = y − x`, element by element.
pub(crate) fn subtract(isa: Isa, x: &[Line], y: &mut [Line]) {
    assert_eq!(x.len(), y.len());
    isa.run(Subtract { x, y });
}

/// `sums = sums + a ⊙ b`, element by element.
pub(crate) fn add_products(isa: Isa, a: &[Line], b: &[Line], sums: &mut [Line]) {
    assert!(a.len() == sums.len() && b.len() == sums.len());
    isa.run(AddProducts { a, b, sums });
}

/// Transposes each block of 16 lines: line `s`, lane `o` of panel `b` of `to` is line `16 b + o`, lane `s` of `from`.
/// Lines beyond the end of `from` count as zero.
///
/// # Panics
/// If `to` has fewer panels than `from` has blocks of 16 lines, or fewer than 16 lines in a panel.
pub(crate) fn transpose(isa: Isa, from: &[Line], to: PanelsMut<'_>) {
    assert!(to.holds(from.len().div_ceil(LANES), LANES));
    isa.run(Transpose { from, to });
}

struct ActivateInPlace<'a> {
    activation: Activation,
    y: &'a mut [Line],
}

impl Job for ActivateInPlace<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self) {
        struct ActivateForward<'a, L>(&'a mut [Line], std::marker::PhantomData<L>);
        impl<L: Lanes> Visit for ActivateForward<'_, L> {
            type Output = ();
            #[inline(always)]
            fn visit<F: Function>(self, f: F) {
                for line in self.0 {
                    f.value(L::load(line)).store(line);
                }
            }
        }
        self.activation.visit(ActivateForward::<L>(self.y, std::marker::PhantomData));
    }
}

struct ActivationBackward<'a> {
    activation: Activation,
    x: &'a [Line],
    y: &'a [Line],
    d: &'a mut [Line],
}

impl Job for ActivationBackward<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self) {
        struct ActivateBackward<'a, L>(ActivationBackward<'a>, std::marker::PhantomData<L>);
        impl<L: Lanes> Visit for ActivateBackward<'_, L> {
            type Output = ();
            #[inline(always)]
            fn visit<F: Function>(self, f: F) {
                for ((x, y), d) in self.0.x.iter().zip(self.0.y).zip(self.0.d) {
                    (L::load(d) * f.derivative(L::load(x), L::load(y))).store(d);
                }
            }
        }
        self.activation.visit(ActivateBackward::<L>(self, std::marker::PhantomData));
    }
}

struct Multiply<'a> {
    factor: &'a [Line],
    y: &'a mut [Line],
}

impl Job for Multiply<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self) {
        for (f, y) in self.factor.iter().zip(self.y) {
            (L::load(y) * L::load(f)).store(y);
        }
    }
}

struct ScaleFeatures<'a> {
    gain: &'a [Line],
    x: &'a [Line],
    y: &'a mut [Line],
}

impl Job for ScaleFeatures<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self) {
        for (i, (x, y)) in self.x.iter().zip(self.y).enumerate() {
            (L::load(x) * L::broadcast(self.gain[i / LANES].0[i % LANES])).store(y);
        }
    }
}

struct ScaleAndShift<'a> {
    gain: &'a [Line],
    shift: &'a [Line],
    x: &'a [Line],
    y: &'a mut [Line],
}

impl Job for ScaleAndShift<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self) {
        for (i, (x, y)) in self.x.iter().zip(self.y).enumerate() {
            let gain = L::broadcast(self.gain[i / LANES].0[i % LANES]);
            let shift = L::broadcast(self.shift[i / LANES].0[i % LANES]);
            L::load(x).mul_add(gain, shift).store(y);
        }
    }
}

struct ScaleWhereNegative<'a> {
    gain: &'a [Line],
    x: &'a [Line],
    v: &'a [Line],
    y: &'a mut [Line],
}

impl Job for ScaleWhereNegative<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let zero = L::broadcast(0.0);
        for (i, ((x, v), y)) in self.x.iter().zip(self.v).zip(self.y).enumerate() {
            let v = L::load(v);
            let scaled = v * L::broadcast(self.gain[i / LANES].0[i % LANES]);
            L::select(L::load(x).lt(zero), scaled, v).store(y);
        }
    }
}

struct Blend<'a> {
    share: &'a [Line],
    x: &'a [Line],
    y: &'a mut [Line],
}

impl Job for Blend<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self) {
        for (i, (x, y)) in self.x.iter().zip(self.y).enumerate() {
            let share = L::broadcast(self.share[i / LANES].0[i % LANES]);
            let x = L::load(x);
            (L::load(y) - x).mul_add(share, x).store(y);
        }
    }
}

struct Subtract<'a> {
    x: &'a [Line],
    y: &'a mut [Line],
}

impl Job for Subtract<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self) {
        for (x, y) in self.x.iter().zip(self.y) {
            (L::load(y) - L::load(x)).store(y);
        }
    }
}

struct AddProducts<'a> {
    a: &'a [Line],
    b: &'a [Line],
    sums: &'a mut [Line],
}

impl Job for AddProducts<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self) {
        for ((a, b), sum) in self.a.iter().zip(self.b).zip(self.sums) {
            L::load(a).mul_add(L::load(b), L::load(sum)).store(sum);
        }
    }
}

struct AddTo<'a> {
    x: &'a [Line],
    y: &'a mut [Line],
}

impl Job for AddTo<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self) {
        for (x, y) in self.x.iter().zip(self.y) {
            (L::load(y) + L::load(x)).store(y);
        }
    }
}

struct Transpose<'a> {
    from: &'a [Line],
    to: PanelsMut<'a>,
}

impl Job for Transpose<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(mut self) {
        for (panel, lines) in self.from.chunks(LANES).enumerate() {
            // A single expression for present and missing lines keeps the block in registers.
            let mut block = std::array::from_fn(|o| lines.get(o).map_or(L::broadcast(0.0), L::load));
            L::transpose(&mut block);
            for (lanes, line) in block.iter().zip(self.to.lines_mut(panel, 0..LANES)) {
                lanes.store(line);
            }
        }
    }
}

#[cfg(test)]
mod tests;
