//! Layer norm and RMS norm of 16 samples: the formulas of `norm`, with one sample in each lane.

use super::column::{ColumnMut, OutputColumn};
use super::norm::{Moments, NormKind, Normalisation};
use super::panel::{LineColumn, LineColumnMut};
use crate::kernel::{Isa, Job, LANES, Lanes, Line};

/// Gains or shifts, 16 features in a line. Element `i` is the same in all lanes.
#[derive(Clone, Copy)]
struct NormFeatures<'a>(&'a [Line], usize);

impl<L: Lanes> OutputColumn<L> for NormFeatures<'_> {
    #[inline(always)]
    fn len(&self) -> usize {
        self.1
    }
    #[inline(always)]
    fn get(&self, i: usize) -> L {
        L::broadcast(self.0[i / LANES].0[i % LANES])
    }
}

/// Lines in which `set` adds to the present value.
struct Sums<'a>(&'a mut [Line]);

impl<L: Lanes> OutputColumn<L> for Sums<'_> {
    #[inline(always)]
    fn len(&self) -> usize {
        self.0.len()
    }
    #[inline(always)]
    fn get(&self, i: usize) -> L {
        L::load(&self.0[i])
    }
}

impl<L: Lanes> ColumnMut<L> for Sums<'_> {
    #[inline(always)]
    fn set(&mut self, i: usize, value: L) {
        (L::load(&self.0[i]) + value).store(&mut self.0[i]);
    }
}

/// `y = gain · x̂ + shift` for one panel. Writes the moments of the samples to `moments`: the mean, then the inverse
/// standard deviation.
pub(crate) fn forward(
    isa: Isa,
    kind: NormKind,
    x: &[Line],
    gain: &[Line],
    shift: Option<&[Line]>,
    y: &mut [Line],
    moments: &mut [Line],
) {
    assert!(y.len() == x.len() && moments.len() == 2);
    isa.run(NormForward { norm: Normalisation::new(kind), x, gain, shift, y, moments });
}

/// Computes the gradient with respect to `x` for one panel, given the gradient `dy` with respect to the norm's output.
/// With `add`, it is added to `dx`.
pub(crate) fn backward(
    isa: Isa,
    kind: NormKind,
    x: &[Line],
    moments: &[Line],
    gain: &[Line],
    dy: &[Line],
    (dx, add): (&mut [Line], bool),
) {
    assert!(dy.len() == x.len() && dx.len() == x.len() && moments.len() == 2);
    isa.run(NormBackward { norm: Normalisation::new(kind), x, moments, gain, dy, dx, add });
}

/// Adds one panel's part to the sums over samples of `dy · x̂` (`products`) and of `dy` (`plain`), for some of the
/// features. Both hold one line for each feature, with one sample in each lane.
pub(crate) fn accumulate_gradients(
    isa: Isa,
    x: &[Line],
    moments: &[Line],
    dy: &[Line],
    products: &mut [Line],
    plain: &mut [Line],
) {
    assert!(dy.len() == x.len() && products.len() == x.len() && plain.len() == x.len() && moments.len() == 2);
    isa.run(Gradients { x, moments, dy, products, plain });
}

#[inline(always)]
fn load_moments<L: Lanes>(lines: &[Line]) -> Moments<L> {
    Moments { mean: L::load(&lines[0]), inv_std: L::load(&lines[1]) }
}

struct NormForward<'a> {
    norm: Normalisation,
    x: &'a [Line],
    gain: &'a [Line],
    shift: Option<&'a [Line]>,
    y: &'a mut [Line],
    moments: &'a mut [Line],
}

impl Job for NormForward<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let width = self.x.len();
        let gain = NormFeatures(self.gain, width);
        let shift = self.shift.map(|s| NormFeatures(s, width));
        let mut y = LineColumnMut(self.y);
        let moments: Moments<L> = self.norm.forward(&LineColumn(self.x), Some(&gain), shift.as_ref(), &mut y);
        moments.mean.store(&mut self.moments[0]);
        moments.inv_std.store(&mut self.moments[1]);
    }
}

struct NormBackward<'a> {
    norm: Normalisation,
    x: &'a [Line],
    moments: &'a [Line],
    gain: &'a [Line],
    dy: &'a [Line],
    dx: &'a mut [Line],
    add: bool,
}

impl Job for NormBackward<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let moments = load_moments::<L>(self.moments);
        let gain = NormFeatures(self.gain, self.x.len());
        let (x, dy) = (LineColumn(self.x), LineColumn(self.dy));
        if self.add {
            self.norm.backward(&x, &moments, Some(&gain), &dy, &mut Sums(self.dx));
        } else {
            self.norm.backward(&x, &moments, Some(&gain), &dy, &mut LineColumnMut(self.dx));
        }
    }
}

struct Gradients<'a> {
    x: &'a [Line],
    moments: &'a [Line],
    dy: &'a [Line],
    products: &'a mut [Line],
    plain: &'a mut [Line],
}

impl Job for Gradients<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let moments = load_moments::<L>(self.moments);
        for (i, (x, dy)) in self.x.iter().zip(self.dy).enumerate() {
            let (x, dy) = (L::load(x), L::load(dy));
            dy.mul_add(moments.normalised(x), L::load(&self.products[i])).store(&mut self.products[i]);
            (L::load(&self.plain[i]) + dy).store(&mut self.plain[i]);
        }
    }
}

#[cfg(test)]
mod tests;
