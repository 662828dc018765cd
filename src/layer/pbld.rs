//! Periodic embeddings of numbers ("PBLD"): Holzmüller et al. 2024, <https://arxiv.org/abs/2407.04491>.

use std::f64::consts::PI;

use toml::Table;

use super::fields::Fields;
use super::graph::{self, Given, Node, Nodes, Of, Operand};
use super::per_input::{self, Embedded, MOST_TERMS, PerInput, each_by_terms};
use super::row::{Row, RowErrors};
use super::{Backward, Fit, Form, Forward, Gradient, Kind, Needs, Random, Start, TensorForm, Width};
use crate::Result;
use crate::kernel::{Isa, Job, LANES, Lanes, Line};
use crate::nn::Activation;
use crate::nn::dense::Weights;
use crate::nn::init::{Distribution, Init, Scheme};
use crate::nn::wave::{cos_of_turns, sin_of_turns};

/// For each embedded input `x`, `y = [x, A cos(2π w x + b) + c]`: `dim` features, where each input has its own `w`, `b`, `A`
/// and `c`. Other inputs are passed on.
///
/// Initially `w` is normal with standard deviation `sigma`, `b` uniform within `±π`, and `A` and `c` uniform within
/// `±1/√frequencies`.
#[derive(Debug, Clone, PartialEq)]
pub struct Pbld {
    /// The embedded inputs.
    pub embedded: Embedded,
    /// Features for each embedded input, including the input itself.
    pub dim: usize,
    /// Number of cosine waves for each embedded input.
    pub frequencies: usize,
    /// Standard deviation of the initial frequencies.
    pub sigma: f64,
}

impl Pbld {
    /// Cosine and sine of the angle `2π w x + b` of wave `k` of embedded input `f`.
    fn wave(&self, row: &Row<'_>, f: usize, k: usize, x: f64) -> (f64, f64) {
        let at = f * self.frequencies + k;
        let angle = 2.0 * PI * row.tensors[0][at] * x + row.tensors[1][at];
        (libm::cos(angle), libm::sin(angle))
    }
}

impl Kind for Pbld {
    fn read(fields: &mut Fields<'_>) -> Result<Self> {
        let embedded = Embedded::read(fields)?;
        let whole = |n: f64| n.fract() == 0.0 && (1.0..=MOST_TERMS as f64).contains(&n);
        let more = |n: f64| n.fract() == 0.0 && (2.0..=1024.0).contains(&n);
        Ok(Pbld {
            embedded,
            dim: fields.optional_number("dim", "a number of features of 2 to 1024", more)?.unwrap_or(4.0) as usize,
            frequencies: fields.optional_number("frequencies", "a number of 1 to 256", whole)?.unwrap_or(16.0) as usize,
            sigma: fields.optional_number("sigma", "a number above 0", |x| x > 0.0 && x.is_finite())?.unwrap_or(0.1),
        })
    }

    fn write(&self, fields: &mut Table) {
        self.embedded.write(fields);
        fields.insert("dim".into(), (self.dim as i64).into());
        fields.insert("frequencies".into(), (self.frequencies as i64).into());
        fields.insert("sigma".into(), self.sigma.into());
    }

    fn outputs(&self, inputs: usize) -> usize {
        self.embedded.outputs(inputs, self.dim)
    }

    fn misfit(&self, inputs: usize) -> Option<String> {
        self.embedded.misfit(inputs)
    }

    fn is_fitted(&self) -> bool {
        self.embedded.inputs.is_some()
    }

    fn fit(&mut self, rows: &Fit<'_>) {
        self.embedded.inputs.get_or_insert_with(|| rows.numbers.into());
    }

    /// Frequencies and phases are called `waves`; `A` and `c` have the layer's own name.
    fn tensors(&self, inputs: Width, next: Activation) -> Vec<TensorForm> {
        let count = self.embedded.count(inputs.features);
        let random = |from| Start::Random(Random { from, chunks: None, alike: false });
        let mut waves = TensorForm::matrix(Form::Affine, 1, self.frequencies, next);
        waves.name = "waves".into();
        waves.begin = random(Distribution::Normal { std: self.sigma });
        waves.bias = Some(random(Distribution::Uniform { bound: PI }));
        let mut matrices = TensorForm::matrix(Form::Affine, self.frequencies, self.dim - 1, next);
        matrices.begin = Start::Drawn(next, Some(Init::new(Scheme::TorchDefault)));
        vec![waves.stacked(count), matrices.stacked(count)]
    }

    fn drawn_before(&self) -> Option<Activation> {
        Some(Activation::Identity)
    }

    fn define(&self, row: &Row<'_>) -> Vec<f64> {
        let (waves, rest, mut y) = (self.frequencies, self.dim - 1, Vec::new());
        for place in self.embedded.places(row.x.len(), self.dim) {
            let x = row.x[place.input];
            y.push(x);
            let Some(f) = place.number else { continue };
            for j in f * rest..(f + 1) * rest {
                let wave = |k: usize| row.tensors[2][j * waves + k] * self.wave(row, f, k, x).0;
                y.push(row.tensors[3][j] + (0..waves).map(wave).sum::<f64>());
            }
        }
        y
    }

    fn define_backward(&self, row: &Row<'_>, dy: &[f64]) -> RowErrors {
        let (waves, rest) = (self.frequencies, self.dim - 1);
        let mut dx = vec![0.0; row.x.len()];
        let mut by: Vec<Vec<f64>> = row.tensors.iter().map(|t| vec![0.0; t.len()]).collect();
        for place in self.embedded.places(row.x.len(), self.dim) {
            let x = row.x[place.input];
            dx[place.input] += dy[place.first];
            let Some(f) = place.number else { continue };
            let dv = &dy[place.first + 1..place.first + self.dim];
            for k in 0..waves {
                let (cos, sin) = self.wave(row, f, k, x);
                let mut d_cos = 0.0;
                for (j, dv) in (f * rest..).zip(dv) {
                    by[2][j * waves + k] = dv * cos;
                    by[3][j] = *dv;
                    d_cos += dv * row.tensors[2][j * waves + k];
                }
                let (at, d_angle) = (f * waves + k, -sin * d_cos);
                by[0][at] = 2.0 * PI * x * d_angle;
                by[1][at] = d_angle;
                dx[place.input] += 2.0 * PI * row.tensors[0][at] * d_angle;
            }
        }
        RowErrors { dx, tensors: by, ..RowErrors::default() }
    }

    fn nodes(&self, given: Given, nodes: &mut Nodes) -> graph::GraphValue {
        let (waves, rest) = (self.frequencies, self.dim - 1);
        let mut parts = Vec::new();
        for place in self.embedded.places(given.inputs.features, self.dim) {
            let x = nodes.add(Node::Select(given.x, vec![place.input]));
            parts.push(x);
            let Some(f) = place.number else { continue };
            let of = Of::Number(f);
            let angles = nodes.add(Node::Product(x, given.matrix(0, of, (waves, 1))));
            let angles = nodes.add(Node::Times(angles, Operand::Number(2.0 * PI)));
            let angles = nodes.shifted(angles, given.vector(1, of, waves));
            let cosines = nodes.add(Node::Cosine(angles));
            let features = nodes.add(Node::Product(cosines, given.matrix(2, of, (rest, waves))));
            parts.push(nodes.shifted(features, given.vector(3, of, rest)));
        }
        nodes.add(Node::Join(parts))
    }

    fn needs(&self, _inputs: usize, _training: bool) -> Needs {
        Needs { looks_back: true, ..Needs::default() }
    }

    fn forward(&self, pass: Forward<'_>) {
        per_input::forward(self, pass);
    }

    fn backward(&self, pass: Backward<'_>) {
        per_input::backward(self, pass);
    }

    fn gradient(&self, pass: Gradient<'_>) {
        if pass.tensor == 1 { per_input::gradient(self, pass) } else { self.by_waves(pass) }
    }
}

impl PerInput for Pbld {
    fn embedded(&self) -> &Embedded {
        &self.embedded
    }

    fn dim(&self) -> (usize, usize) {
        (self.dim, 1)
    }

    fn terms(&self) -> usize {
        self.frequencies
    }

    fn write_terms(&self, isa: Isa, _f: usize, tensor: Option<Weights<'_>>, x: &Line, terms: &mut [Line]) {
        let Some(waves) = tensor else { unreachable!("it has waves") };
        isa.run(Cosines { waves, x, to: terms });
    }

    fn by_input(&self, isa: Isa, (_, tensor): (usize, Option<Weights<'_>>), x: &Line, d: &[Line], dx: &mut Line) {
        let Some(waves) = tensor else { unreachable!("it has waves") };
        isa.run(ByInput { waves, x, d, dx });
    }
}

impl Pbld {
    /// Computes the gradient with respect to some frequencies and phases of one input. The sum runs over the panels in order
    /// for each lane, then over the lanes in order.
    fn by_waves(&self, mut pass: Gradient<'_>) {
        let each = self.frequencies.div_ceil(LANES);
        let (f, first) = (pass.first_panel / each, pass.first_panel % each);
        let Some(waves) = pass.tensors[0] else { unreachable!("it has waves") };
        let waves = waves.of(f);
        for panel in 0..pass.panels {
            let own = (first + panel) * LANES..self.frequencies.min((first + panel + 1) * LANES);
            // Gradients with respect to frequencies and to phases: a line of 16 samples for each wave.
            let mut sums = [[Line::ZERO; LANES]; 2];
            each_by_terms(self, &pass, f, |x, d| {
                pass.isa.run(ByWaves { waves, first: own.start, x, d: &d[own.clone()], sums: &mut sums });
            });
            for (n, row) in pass.lines.clone().enumerate() {
                let line = &mut pass.dw.lines_mut(panel, n..n + 1)[0];
                for (wave, sum) in sums[row].iter().enumerate().take(own.len()) {
                    let before = if pass.first { 0.0 } else { line.0[wave] };
                    line.0[wave] = sum.0.iter().fold(before, |total, x| total + x);
                }
            }
        }
    }
}

const INVERSE_TURN: f32 = (0.5 / PI) as f32;

/// The angle of wave `k` in turns: `w x + b / 2π`.
#[inline(always)]
fn turns<L: Lanes>(waves: &Weights<'_>, k: usize, x: L) -> L {
    let lines = waves.panels.panel(k / LANES, 0..2);
    let phase = L::broadcast(lines[1].0[k % LANES] * INVERSE_TURN);
    x.mul_add(L::broadcast(lines[0].0[k % LANES]), phase)
}

struct Cosines<'a> {
    waves: Weights<'a>,
    x: &'a Line,
    to: &'a mut [Line],
}

impl Job for Cosines<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let x = L::load(self.x);
        for (k, line) in self.to.iter_mut().enumerate() {
            cos_of_turns(turns::<L>(&self.waves, k, x)).store(line);
        }
    }
}

/// `dx −= Σ 2π w_k sin(angle_k) d_k`.
struct ByInput<'a> {
    waves: Weights<'a>,
    x: &'a Line,
    d: &'a [Line],
    dx: &'a mut Line,
}

impl Job for ByInput<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let x = L::load(self.x);
        let mut sum = L::load(self.dx);
        for (k, d) in self.d.iter().enumerate() {
            let w = self.waves.panels.panel(k / LANES, 0..1)[0].0[k % LANES];
            let slope = sin_of_turns(turns::<L>(&self.waves, k, x)) * L::broadcast(-w * (2.0 * PI) as f32);
            sum = L::load(d).mul_add(slope, sum);
        }
        sum.store(self.dx);
    }
}

/// Adds `−2π x sin(angle_k) d_k` and `−sin(angle_k) d_k` to the sums of frequency and phase, for the waves from `first` on.
struct ByWaves<'a> {
    waves: Weights<'a>,
    first: usize,
    x: &'a Line,
    d: &'a [Line],
    sums: &'a mut [[Line; LANES]; 2],
}

impl Job for ByWaves<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let x = L::load(self.x);
        let [by_frequency, by_phase] = self.sums;
        for (k, d) in self.d.iter().enumerate() {
            let angle = -(sin_of_turns(turns::<L>(&self.waves, self.first + k, x)) * L::load(d));
            let turn = x * L::broadcast((2.0 * PI) as f32);
            angle.mul_add(turn, L::load(&by_frequency[k])).store(&mut by_frequency[k]);
            (L::load(&by_phase[k]) + angle).store(&mut by_phase[k]);
        }
    }
}
