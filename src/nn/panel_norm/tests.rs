//! Compares norms of 16 samples with the same formulas on one sample in `f64`.

use super::*;
use crate::kernel::panels;
use crate::rng::{Purpose, stream};
use rand::RngExt;

/// One panel with gains, shifts and a gradient of the output.
struct Panel {
    x: Vec<Line>,
    dy: Vec<Line>,
    gain: Vec<Line>,
    shift: Vec<Line>,
}

impl Panel {
    fn new(width: usize) -> Panel {
        let mut rng = stream(width as u64, Purpose::Synthetic, 0, 0);
        let mut lines = |count: usize| -> Vec<Line> {
            (0..count).map(|_| Line(std::array::from_fn(|_| 2.0 * rng.random::<f32>() - 0.5))).collect()
        };
        let (mut x, dy) = (lines(width), lines(width));
        x.iter_mut().for_each(|line| line.0[3] = 0.0); // a padded sample
        Panel { x, dy, gain: lines(panels(width)), shift: lines(panels(width)) }
    }

    /// Sample `lane` of `lines`.
    fn sample(lines: &[Line], lane: usize) -> Vec<f64> {
        lines.iter().map(|line| line.0[lane].into()).collect()
    }

    /// Values of `width` features, stored 16 in a line.
    fn features(lines: &[Line], width: usize) -> Vec<f64> {
        (0..width).map(|i| lines[i / LANES].0[i % LANES].into()).collect()
    }
}

/// Checks one result. Numbers are of magnitude 1. A rounding error of `2⁻²⁴` grows some hundreds of times: in sums over
/// up to 40 features, and in a division by a standard deviation. The latter can be as small as `√eps` (factor 316), if
/// all features of a sample are 0 or if there is a single feature.
fn near(got: f32, want: f64, what: &str) {
    let allowed = 5e-5 * want.abs().max(1.0);
    assert!((f64::from(got) - want).abs() <= allowed, "{what}: {got}, expected {want}");
}

#[test]
fn norms_agree_with_their_scalar_form_for_every_width() {
    for isa in Isa::available() {
        for kind in [NormKind::Layer, NormKind::Rms] {
            for width in 1..=40 {
                check(isa, kind, width);
            }
        }
    }
}

fn check(isa: Isa, kind: NormKind, width: usize) {
    let what = format!("{} {kind} norm of {width}", isa.name());
    let panel = Panel::new(width);
    let shift = kind.has_shift().then_some(&panel.shift[..]);
    let (mut y, mut moments) = (vec![Line::ZERO; width], vec![Line::ZERO; 2]);
    forward(isa, kind, &panel.x, &panel.gain, shift, &mut y, &mut moments);
    let mut dx = vec![Line::ZERO; width];
    backward(isa, kind, &panel.x, &moments, &panel.gain, &panel.dy, (&mut dx, false));
    let (mut products, mut plain) = (vec![Line::splat(0.5); width], vec![Line::splat(-0.5); width]);
    accumulate_gradients(isa, &panel.x, &moments, &panel.dy, &mut products, &mut plain);

    let norm = Normalisation::new(kind);
    let gain = Panel::features(&panel.gain, width);
    let shift = shift.map(|lines| Panel::features(lines, width));
    for lane in 0..LANES {
        let (x, dy) = (Panel::sample(&panel.x, lane), Panel::sample(&panel.dy, lane));
        let (mut want_y, mut want_dx) = (vec![0.0; width], vec![0.0; width]);
        let want = norm.forward(&x[..], Some(&gain[..]), shift.as_deref(), &mut want_y[..]);
        norm.backward(&x[..], &want, Some(&gain[..]), &dy[..], &mut want_dx[..]);
        near(moments[0].0[lane], want.mean, &format!("{what}: mean"));
        near(moments[1].0[lane], want.inv_std, &format!("{what}: inverse deviation"));
        for i in 0..width {
            near(y[i].0[lane], want_y[i], &format!("{what}: y[{i}], sample {lane}"));
            near(dx[i].0[lane], want_dx[i], &format!("{what}: dx[{i}], sample {lane}"));
            let product = 0.5 + dy[i] * want.normalised(x[i]);
            near(products[i].0[lane], product, &format!("{what}: gain gradient {i}, sample {lane}"));
            near(plain[i].0[lane], dy[i] - 0.5, &format!("{what}: shift gradient {i}, sample {lane}"));
        }
    }
}
