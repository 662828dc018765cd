//! Cosine and sine of 16 samples, for angles in turns.

use crate::kernel::{Lanes, Real};

/// `1.5 · 2²³`. Adding and then subtracting it rounds a number below `2²²` to an integer.
const ROUNDER: f32 = 12_582_912.0;
/// Taylor coefficients of `sin(2π s) / s` in powers of `s²`: `(−1)ⁿ (2π)²ⁿ⁺¹ / (2n + 1)!`. The truncation error is
/// below 10⁻⁹ for `|s| ≤ ¼`.
const SINE: [f32; 7] = [6.283_185_5, -41.341_7, 81.605_25, -76.705_86, 42.058_69, -15.094_643, 3.819_952_6];

/// `cos(2π t)`, with an error of about 2·10⁻⁷ for an exact `t`. For `|t|` of 2²² or more, the result is an arbitrary
/// number within ±1.
#[inline(always)]
pub(crate) fn cos_of_turns<L: Lanes>(t: L) -> L {
    let rounder = L::broadcast(ROUNDER);
    let part = t - ((t + rounder) - rounder);
    // cos(2π t) = sin(2π (¼ − |t|)), and |part| ≤ ½.
    let s = L::broadcast(0.25) - Real::min(Real::abs(part), L::broadcast(0.5));
    let square = s * s;
    let mut sum = L::broadcast(SINE[6]);
    for n in (0..6).rev() {
        sum = Real::mul_add(sum, square, L::broadcast(SINE[n]));
    }
    sum * s
}

/// `sin(2π t)`, with the same limits as [`cos_of_turns`].
#[inline(always)]
pub(crate) fn sin_of_turns<L: Lanes>(t: L) -> L {
    cos_of_turns(t - L::broadcast(0.25))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{Isa, Job, Line};

    struct Both(Line);
    impl Job for Both {
        type Output = [[f32; 16]; 2];
        #[inline(always)]
        fn run<L: Lanes>(self) -> Self::Output {
            let t = L::load(&self.0);
            [cos_of_turns(t).to_array(), sin_of_turns(t).to_array()]
        }
    }

    #[test]
    fn waves_agree_with_libm() {
        for isa in Isa::available() {
            for n in -400..400 {
                let t = Line(std::array::from_fn(|lane| {
                    (n * 16 + lane as i32) as f32 * 0.000_731 * if n > 0 { 9.0 } else { 1.0 }
                }));
                let [cos, sin] = isa.run(Both(t));
                for lane in 0..16 {
                    let angle = 2.0 * std::f64::consts::PI * f64::from(t.0[lane]);
                    assert!((f64::from(cos[lane]) - libm::cos(angle)).abs() < 3e-7, "cos {angle}: {}", cos[lane]);
                    assert!((f64::from(sin[lane]) - libm::sin(angle)).abs() < 3e-6, "sin {angle}: {}", sin[lane]);
                }
            }
            let [far, _] = isa.run(Both(Line([
                1e9,
                -1e9,
                4e6,
                1e30,
                f32::MAX,
                0.0,
                0.5,
                1.0,
                5e6,
                -7e6,
                3e7,
                1.0,
                2.0,
                3.0,
                4.0,
                5.0,
            ])));
            assert!(far.iter().all(|x| x.abs() <= 1.000_001), "{far:?}");
        }
    }
}
