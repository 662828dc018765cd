//! Augmentation: random changes of the training rows, drawn again for each epoch.

use std::fmt;
use std::str::FromStr;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::dataset::{Dataset, Features};
use super::normal::normal_quantile;
use super::order::below;
use super::targets::Targets;
use crate::rng::{Purpose, stream};
use crate::{Error, Result};

/// Augmentation of the training rows. The change of a row depends on seed, epoch and row alone.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Augment {
    /// Tables: standard deviation of the normal noise that is added to each input, after scaling.
    pub noise: Option<f64>,
    /// Tables: `α` of mix-up (Zhang et al. 2018, <https://arxiv.org/abs/1710.09412>). A row becomes `λ` times itself
    /// plus `1 − λ` times a random row, both inputs and targets. `λ` is drawn from Beta(α, α) and then replaced by
    /// `1 − λ` if it is below a half.
    pub mixup: Option<f64>,
    /// Images: largest shift in pixels, horizontally and vertically. Pixels that move in are 0.
    pub shift: Option<usize>,
    /// Images: whether each image is mirrored left to right with probability one half.
    pub flip: bool,
}

/// Upper limits of noise, `α` and shift. Beyond them nothing of a row would remain, or drawing `λ` would take long.
const MOST_NOISE: f64 = 100.0;
const MOST_ALPHA: f64 = 2.0;
const MOST_SHIFT: usize = 1024;

impl FromStr for Augment {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut augment = Augment::default();
        if text == "none" {
            return Ok(augment);
        }
        let number = |value: Option<&str>, most: f64| {
            value.and_then(|value| value.parse::<f64>().ok()).filter(|x| *x > 0.0 && *x <= most)
        };
        for item in text.split(',').map(str::trim) {
            let (name, value) = item.split_once('=').map_or((item, None), |(name, value)| (name, Some(value.trim())));
            let wrong = |expected: String| Err(Error::Usage(format!("expected {expected}, found \"{item}\"")));
            let again = match name {
                "noise" => augment.noise.is_some(),
                "mixup" => augment.mixup.is_some(),
                "shift" => augment.shift.is_some(),
                _ => augment.flip && name == "flip",
            };
            if again {
                return Err(Error::Usage(format!("{name} is given twice")));
            }
            match name {
                "noise" => match number(value, MOST_NOISE) {
                    None => return wrong(format!("noise=SD with a deviation above 0, at most {MOST_NOISE}")),
                    sd => augment.noise = sd,
                },
                "mixup" => match number(value, MOST_ALPHA) {
                    None => return wrong(format!("mixup=α with an α above 0, at most {MOST_ALPHA}")),
                    alpha => augment.mixup = alpha,
                },
                "shift" => match value.and_then(|v| v.parse().ok()).filter(|s| (1..=MOST_SHIFT).contains(s)) {
                    None => return wrong(format!("shift=PIXELS with 1 to {MOST_SHIFT}")),
                    pixels => augment.shift = pixels,
                },
                "flip" if value.is_none() => augment.flip = true,
                _ => return wrong("none, noise=0.1, mixup=0.2, shift=2 or flip".to_owned()),
            }
        }
        Ok(augment)
    }
}

impl fmt::Display for Augment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let items = [
            self.noise.map(|sd| format!("noise={sd}")),
            self.mixup.map(|alpha| format!("mixup={alpha}")),
            self.shift.map(|pixels| format!("shift={pixels}")),
            self.flip.then(|| "flip".to_owned()),
        ];
        let given: Vec<String> = items.into_iter().flatten().collect();
        f.write_str(if given.is_empty() { "none".to_owned() } else { given.join(",") }.as_str())
    }
}

/// Form of the rows.
#[derive(Debug, Clone, PartialEq)]
pub struct RowForm {
    /// Shape of an image: rows, columns, and channels if there are any. `None` for tables.
    pub shape: Option<Vec<usize>>,
    /// Inputs that hold the number of a level; they are not changed.
    pub level_inputs: Vec<usize>,
    /// Number of the network's outputs.
    pub outputs: usize,
}

/// Seed and epoch of the random numbers.
type At = (u64, u64);

impl Augment {
    /// Whether rows are left unchanged.
    pub fn is_none(&self) -> bool {
        *self == Augment::default()
    }

    /// Checks that the augmentation fits the data. Noise and mix-up are for tables; images stay bytes. Shift and flip
    /// are for images.
    ///
    /// # Errors
    /// [`Error::Option`] if it does not.
    pub fn check(&self, shape: Option<&[usize]>) -> Result<()> {
        let (tables, images) = (self.noise.is_some() || self.mixup.is_some(), self.shift.is_some() || self.flip);
        let mismatch = |what: &str| Err(Error::Mismatch(what.to_owned()).of_value("augment", self));
        match shape {
            Some(_) if tables => {
                mismatch("noise and mixup are for tables, and the data are images: see shift and flip")
            }
            Some(shape) if images && !(2..=3).contains(&shape.len()) => {
                mismatch("shift and flip need images of rows and columns")
            }
            None if images => mismatch("shift and flip are for images, and the data are a table: see noise and mixup"),
            _ => Ok(()),
        }
    }

    /// Writes the rows of an epoch to `out`. If `out` is `None`, it is created as a copy of `train`. Epochs count from
    /// 1.
    pub fn epoch(&self, train: &Dataset, form: &RowForm, at: At, out: &mut Option<Dataset>) {
        let out = out.get_or_insert_with(|| train.clone());
        match (&train.features, &mut out.features) {
            (Features::U8 { values, cols, .. }, Features::U8 { values: to, .. }) => {
                let shape = form.shape.as_deref().expect("bytes are images");
                let moved = |(row, (image, to)): (usize, (&[u8], &mut [u8]))| self.moved(image, to, shape, (at, row));
                values.par_chunks_exact(*cols).zip(to.par_chunks_exact_mut(*cols)).enumerate().for_each(moved);
            }
            (Features::F32 { values, cols }, Features::F32 { values: to, .. }) => {
                let partners: Option<Vec<Partner>> = self.mixup.map(|alpha| partners(train.rows(), alpha, at));
                let row = |(row, to): (usize, &mut [f32])| {
                    let own = &values[row * cols..][..*cols];
                    to.copy_from_slice(own);
                    if let Some(Partner { row: other, share }) = partners.as_ref().map(|partners| partners[row]) {
                        mix(to, &values[other as usize * cols..][..*cols], share as f32);
                    }
                    self.add_noise(to, (at, row));
                    form.level_inputs.iter().for_each(|input| to[*input] = own[*input]);
                };
                to.par_chunks_exact_mut(*cols).enumerate().for_each(row);
                if let Some(partners) = partners {
                    mix_targets(train, out, (&partners, form.outputs));
                }
            }
            _ => unreachable!("the copy is of the same kind"),
        }
    }

    fn add_noise(&self, inputs: &mut [f32], (at, row): (At, usize)) {
        let Some(sd) = self.noise else { return };
        let mut rng = stream(at.0, Purpose::InputNoise, at.1, row as u64);
        inputs.iter_mut().for_each(|x| *x = (f64::from(*x) + sd * normal_quantile(unit(&mut rng))) as f32);
    }

    /// Writes one image to `to`, mirrored first and then shifted.
    fn moved(&self, image: &[u8], to: &mut [u8], shape: &[usize], (at, row): (At, usize)) {
        let (height, width, depth) = (shape[0], shape[1], shape.get(2).copied().unwrap_or(1));
        let mut rng = stream(at.0, Purpose::Augment, at.1, row as u64);
        let mut by = || self.shift.map_or(0, |most| below(&mut rng, 2 * most as u32 + 1) as isize - most as isize);
        let (down, right) = (by(), by());
        let mirrored = self.flip && below(&mut rng, 2) == 1;
        for y in 0..height {
            for x in 0..width {
                let (from_y, from_x) = (y as isize - down, x as isize - right);
                let inside = (0..height as isize).contains(&from_y) && (0..width as isize).contains(&from_x);
                let pixel = &mut to[(y * width + x) * depth..][..depth];
                if !inside {
                    pixel.fill(0);
                    continue;
                }
                let from_x = if mirrored { width - 1 - from_x as usize } else { from_x as usize };
                pixel.copy_from_slice(&image[(from_y as usize * width + from_x) * depth..][..depth]);
            }
        }
    }
}

/// The row that a row is mixed with, and the share of the row itself.
#[derive(Debug, Clone, Copy)]
struct Partner {
    row: u32,
    share: f64,
}

fn partners(rows: usize, alpha: f64, at: At) -> Vec<Partner> {
    let partner = |row: usize| {
        let mut rng = stream(at.0, Purpose::MixUp, at.1, row as u64);
        let other = below(&mut rng, rows as u32);
        let share = beta(&mut rng, alpha);
        Partner { row: other, share: share.max(1.0 - share) }
    };
    (0..rows).into_par_iter().map(partner).collect()
}

fn mix(own: &mut [f32], other: &[f32], share: f32) {
    own.iter_mut().zip(other).for_each(|(own, other)| *own = share * *own + (1.0 - share) * other);
}

/// Mixes targets and weights. Weights are mixed like inputs; in the mixed target, each of the two targets counts by its
/// part of the mixed weight. Classes become one target for each output.
fn mix_targets(train: &Dataset, out: &mut Dataset, (partners, outputs): (&[Partner], usize)) {
    let parts = |row: usize| {
        let Partner { row: other, share } = partners[row];
        let (own, of_other) = (share * train.weight(row as u32), (1.0 - share) * train.weight(other));
        (own, of_other, own + of_other, other as usize)
    };
    if let Some(weights) = &mut out.weights {
        weights.iter_mut().enumerate().for_each(|(row, weight)| *weight = parts(row).2 as f32);
    }
    match &train.targets {
        Targets::Classes { labels, .. } => {
            let cols = outputs;
            let mut values = vec![0.0f32; labels.len() * cols];
            for (row, values) in values.chunks_exact_mut(cols).enumerate() {
                let (own, of_other, all, other) = parts(row);
                for (label, weight) in [(labels[row], own), (labels[other], of_other)] {
                    // A single output is the target of class 1 of two classes.
                    match cols {
                        1 => values[0] += (f64::from(label) * weight / all) as f32,
                        _ => values[label as usize] += (weight / all) as f32,
                    }
                }
            }
            out.targets = Targets::Values { values, units: None, cols };
        }
        Targets::Values { values: from, cols, .. } => {
            let mut values = from.clone();
            for (row, values) in values.chunks_exact_mut(*cols).enumerate() {
                let (own, _, all, other) = parts(row);
                mix(values, &from[other * cols..][..*cols], (own / all) as f32);
            }
            out.targets = Targets::Values { values, units: None, cols: *cols };
        }
    }
}

/// A uniform random number: the midpoint of one of 2⁵² intervals of 0 … 1, so never 0 or 1.
fn unit(rng: &mut ChaCha8Rng) -> f64 {
    ((rng.random::<u64>() >> 12) as f64 + 0.5) / (1u64 << 52) as f64
}

/// Draws from Beta(α, α) by the method of Jöhnk 1964: `X / (X + Y)` with `X = U^(1/α)` and `Y = V^(1/α)`, if
/// `X + Y ≤ 1`. It uses logarithms, since a small `α` makes both almost 0.
fn beta(rng: &mut ChaCha8Rng, alpha: f64) -> f64 {
    loop {
        let [x, y] = [0; 2].map(|_| libm::log(unit(rng)) / alpha);
        if libm::exp(x) + libm::exp(y) <= 1.0 {
            return 1.0 / (1.0 + libm::exp(y - x));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: usize, classes: usize) -> Dataset {
        let values = (0..2 * rows).map(|n| (n % 17) as f32 - 8.0).collect();
        let labels = (0..rows).map(|row| (row % classes) as u32).collect();
        Dataset {
            features: Features::F32 { values, cols: 2 },
            targets: Targets::Classes { labels, classes },
            weights: None,
        }
    }

    fn augmented(text: &str, train: &Dataset, shape: Option<&[usize]>, at: At) -> Dataset {
        let mut out = None;
        let augment: Augment = text.parse().unwrap();
        let Targets::Classes { classes, .. } = &train.targets else { panic!("classes") };
        let outputs = if *classes == 2 { 1 } else { *classes };
        augment.epoch(
            train,
            &RowForm { shape: shape.map(<[usize]>::to_vec), level_inputs: Vec::new(), outputs },
            at,
            &mut out,
        );
        out.unwrap()
    }

    fn floats(data: &Dataset) -> &[f32] {
        let Features::F32 { values, .. } = &data.features else { panic!("a table") };
        values
    }

    #[test]
    fn noise_has_its_deviation_and_is_addressed() {
        let train = table(4000, 3);
        let first = augmented("noise=0.25", &train, None, (7, 1));
        let differences: Vec<f64> = floats(&first).iter().zip(floats(&train)).map(|(a, b)| f64::from(a - b)).collect();
        let mean = differences.iter().sum::<f64>() / 8000.0;
        let sd = (differences.iter().map(|d| (d - mean) * (d - mean)).sum::<f64>() / 8000.0).sqrt();
        // Five standard errors, which are 0.25 / √8000 for the mean and 0.25 / √16000 for the deviation.
        assert!(mean.abs() < 0.014 && (sd - 0.25).abs() < 0.01, "{mean} {sd}");
        assert_eq!(first, augmented("noise=0.25", &train, None, (7, 1)));
        assert_ne!(first, augmented("noise=0.25", &train, None, (7, 2)), "each epoch has its own");
        assert_eq!(first.targets, train.targets);
    }

    #[test]
    fn mixed_rows_lie_between_two_rows_and_so_do_their_targets() {
        for classes in [2, 3] {
            let train = table(500, classes);
            let mixed = augmented("mixup=0.4", &train, None, (1, 3));
            let (Targets::Values { values, cols, .. }, Targets::Classes { labels, .. }) =
                (&mixed.targets, &train.targets)
            else {
                panic!("targets of outputs")
            };
            assert_eq!(*cols, if classes == 2 { 1 } else { 3 });
            let found = partners(500, 0.4, (1, 3));
            for (row, Partner { row: other, share }) in found.iter().enumerate() {
                let of = |row: usize, at: usize| f64::from(floats(&train)[2 * row + at]);
                for at in 0..2 {
                    let expected = share * of(row, at) + (1.0 - share) * of(*other as usize, at);
                    assert!((f64::from(floats(&mixed)[2 * row + at]) - expected).abs() < 1e-5);
                }
                let is = |label: u32, class: usize| f64::from(u8::from(label as usize == class));
                for col in 0..*cols {
                    let class = if classes == 2 { 1 } else { col };
                    let expected = share * is(labels[row], class) + (1.0 - share) * is(labels[*other as usize], class);
                    assert!((f64::from(values[row * cols + col]) - expected).abs() < 1e-6, "row {row}");
                }
            }
            assert!(found.iter().all(|p| p.share >= 0.5));
        }
    }

    #[test]
    fn numbers_of_levels_are_not_changed() {
        let train = table(300, 3);
        for text in ["noise=0.5", "mixup=1", "noise=0.5,mixup=1"] {
            let mut out = None;
            let form = RowForm { shape: None, level_inputs: vec![1], outputs: 3 };
            text.parse::<Augment>().unwrap().epoch(&train, &form, (1, 1), &mut out);
            let out = out.unwrap();
            let input =
                |data: &Dataset, at: usize| floats(data).iter().skip(at).step_by(2).copied().collect::<Vec<_>>();
            assert_eq!(input(&out, 1), input(&train, 1), "{text}");
            assert_ne!(input(&out, 0), input(&train, 0), "{text}");
        }
    }

    #[test]
    fn weights_are_mixed_too() {
        let train = Dataset { weights: Some((0..100).map(|row| 1.0 + (row % 3) as f32).collect()), ..table(100, 2) };
        let mixed = augmented("mixup=1", &train, None, (1, 1));
        let (weights, found) = (mixed.weights.as_ref().unwrap(), partners(100, 1.0, (1, 1)));
        for (row, Partner { row: other, share }) in found.iter().enumerate() {
            let expected = share * train.weight(row as u32) + (1.0 - share) * train.weight(*other);
            assert!((f64::from(weights[row]) - expected).abs() < 1e-6);
        }
    }

    /// The mean is ½ and the variance 1 / (4 (2α + 1)).
    #[test]
    fn shares_are_of_a_beta_distribution() {
        for alpha in [0.02, 0.2, 1.0, 2.0] {
            let mut rng = stream(5, Purpose::MixUp, 0, 0);
            let drawn: Vec<f64> = (0..20_000).map(|_| beta(&mut rng, alpha)).collect();
            let mean = drawn.iter().sum::<f64>() / 20_000.0;
            let variance = drawn.iter().map(|x| (x - 0.5) * (x - 0.5)).sum::<f64>() / 20_000.0;
            assert!((mean - 0.5).abs() < 0.015 && (variance * 4.0 * (2.0 * alpha + 1.0) - 1.0).abs() < 0.05, "{alpha}");
        }
    }

    /// 200 images of 4 × 5 pixels; one pixel is lit, the second in the second row.
    #[test]
    fn images_move_up_to_the_limit_and_are_mirrored() {
        let mut image = [0u8; 20];
        image[5 + 1] = 9;
        let features = Features::U8 { values: image.repeat(200), cols: 20, scale: 1.0 };
        let targets = Targets::Classes { labels: vec![0; 200], classes: 2 };
        let train = Dataset { features, targets, weights: None };
        let lit = |text: &str| {
            let out = augmented(text, &train, Some(&[4, 5]), (3, 1));
            let Features::U8 { values, .. } = out.features else { panic!("bytes") };
            let place = |image: &[u8]| image.iter().position(|p| *p == 9).map(|at| (at / 5, at % 5));
            let mut places: Vec<_> = values.chunks_exact(20).map(place).collect();
            places.sort_unstable();
            places.dedup();
            places
        };
        let nine: Vec<_> = (0..3).flat_map(|y| (0..3).map(move |x| Some((y, x)))).collect();
        assert_eq!(lit("shift=1"), nine);
        assert_eq!(lit("flip"), [Some((1, 1)), Some((1, 3))]);
        assert!(lit("shift=3").contains(&None), "what moves out is gone");
    }

    #[test]
    fn specifications_are_read_as_they_are_written() {
        for text in ["none", "noise=0.1", "mixup=0.2", "shift=2,flip", "noise=0.1,mixup=0.2"] {
            assert_eq!(text.parse::<Augment>().unwrap().to_string(), text);
        }
        for (text, reason) in
            [("noise", "noise=SD"), ("mixup=3", "at most 2"), ("shift=0", "1 to 1024"), ("blur", "none, noise")]
        {
            let message = text.parse::<Augment>().unwrap_err().to_string();
            assert!(message.contains(reason), "{message}");
        }
        assert!("flip,flip".parse::<Augment>().unwrap_err().to_string().contains("twice"));
    }
}
