//! Muon: matrices move along their orthogonalised momentum, all other parameters by AdamW.

use super::Adam;
use super::dialect::Dialect;
use super::entry::Entry;
use super::field::{Field, Range, Word};
use super::newton_schulz::{Division, NewtonSchulz};
use super::optimizer::{Optimizer, OwnDecay};
use super::per_tensor::{Squares, TensorRole, TensorRule};
use super::rule::{Carried, Decay, Rule, VisitRule};
use crate::kernel::Real;

/// For the weights `[out, in]` of each layer, with `NS` the iteration of [`NewtonSchulz`]:
///
/// `b ← μ b + (1 − μ) g`, `u = (1 − μ) g + μ b` with Nesterov's momentum, otherwise `u = b`;
/// `p ← (1 − lr λ) p − lr · k · NS(u)`, with `k` by [`MuonScale`].
///
/// Biases, gains and shifts follow AdamW at the rate `lr · adam_lr_ratio`, with their own weight decay.
///
/// In Keras momentum is not damped: `b ← μ b + g`, `u = g + μ b` or `b`. The divisor of `NS` is the norm plus 10⁻⁷, and `k` is
/// always `rms_rate · √max(in, out)`. AdamW is Keras' and decays by `lr · adam_weight_decay`, without the ratio.
///
/// PyTorch rounds to bfloat16 within `NS`; here `NS` has the precision of the weights.
///
/// Jordan et al. 2024, <https://kellerjordan.github.io/posts/muon/>; scales: Liu et al. 2025,
/// <https://arxiv.org/abs/2502.16982>.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Muon {
    /// `μ`, within `0..1`; 0.95 by default.
    pub momentum: f64,
    /// Nesterov's momentum; on by default.
    pub nesterov: bool,
    /// How a matrix is orthogonalised.
    pub newton_schulz: NewtonSchulz,
    /// The scale of its step.
    pub scale: MuonScale,
    /// The factor of [`MuonScale::Rms`]; 0.2 by default.
    pub rms_rate: f64,
    /// Adam for biases, gains and shifts.
    pub adam: Adam,
    /// Their learning rate as a multiple of `lr`; 1 by default.
    pub adam_lr_ratio: f64,
    /// Their weight decay; 0.01 by default, in Keras 0.004.
    pub adam_weight_decay: f64,
    /// The library whose equations are used.
    pub dialect: Dialect,
}

/// `k`, the factor of an orthogonalised direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MuonScale {
    /// `√max(1, out / in)`.
    Original,
    /// `rms_rate · √max(out, in)`: with 0.2, steps are about as long as AdamW's.
    Rms,
    /// `√(out / in)`.
    Spectral,
}

/// Default of [`Muon::rms_rate`].
const RMS_RATE: f64 = 0.2;

impl Word for MuonScale {
    /// PyTorch's words, in the order of the variants.
    fn words(&self) -> &'static [&'static str] {
        &["original", "match_rms_adamw", "spectral_unclamped"]
    }
    fn index(&self) -> usize {
        *self as usize
    }
    fn set(&mut self, index: usize) {
        *self = [MuonScale::Original, MuonScale::Rms, MuonScale::Spectral][index];
    }
}

impl Muon {
    /// The library's defaults.
    pub fn of(dialect: Dialect) -> Self {
        let keras = dialect == Dialect::Keras;
        let division = if keras { Division::Sum } else { Division::Max };
        Muon {
            momentum: 0.95,
            nesterov: true,
            newton_schulz: NewtonSchulz { a: 3.4445, b: -4.775, c: 2.0315, steps: 5, eps: 1e-7, division },
            scale: if keras { MuonScale::Rms } else { MuonScale::Original },
            rms_rate: RMS_RATE,
            adam: Adam::of(dialect),
            adam_lr_ratio: 1.0,
            adam_weight_decay: if keras { 4e-3 } else { 1e-2 },
            dialect,
        }
    }

    /// `k` of a matrix.
    fn length(&self, out: usize, into: usize) -> f64 {
        let (out, into) = (out as f64, into as f64);
        match self.scale {
            MuonScale::Original => f64::max(1.0, out / into).sqrt(),
            MuonScale::Rms => self.rms_rate * out.max(into).sqrt(),
            MuonScale::Spectral => (out / into).sqrt(),
        }
    }
}

/// The entry for `--optimizer`.
pub(super) const MUON: Entry<Muon> = Entry {
    name: "muon",
    source: "Jordan et al. 2024, kellerjordan.github.io/posts/muon",
    options: Muon::of,
    own: (1e-3, 0.1),
    by_dialect: [Some((1e-3, 0.1)), Some((1e-3, 4e-3)), None],
};

impl Optimizer for Muon {
    fn name(&self) -> &'static str {
        "muon"
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        let keras = self.dialect == Dialect::Keras;
        let ns = &mut self.newton_schulz;
        let mut fields = vec![
            Field::new("momentum", &mut self.momentum, Range::FRACTION),
            Field::switch("nesterov", &mut self.nesterov),
            Field::new("a", &mut ns.a, Range::FINITE),
            Field::new("b", &mut ns.b, Range::FINITE),
            Field::new("c", &mut ns.c, Range::FINITE),
            Field::new("ns_steps", &mut ns.steps, Range::FEW),
            Field::new("rms_rate", &mut self.rms_rate, Range::POSITIVE),
            Field::new("adam_beta1", &mut self.adam.beta1, Range::FRACTION),
            Field::new("adam_beta2", &mut self.adam.beta2, Range::FRACTION),
            Field::new("adam_eps", &mut self.adam.eps, Range::EPS),
            Field::new("adam_lr_ratio", &mut self.adam_lr_ratio, Range::POSITIVE),
            Field::new("adam_weight_decay", &mut self.adam_weight_decay, Range::NOT_NEGATIVE),
        ];
        if !keras {
            fields.push(Field::new("eps", &mut ns.eps, Range::EPS));
            fields.push(Field::word("adjust_lr", &mut self.scale));
            fields.push(Field::switch("adam_amsgrad", &mut self.adam.amsgrad));
        }
        fields
    }

    fn contradiction(&self) -> Option<String> {
        let unused = self.scale != MuonScale::Rms && self.rms_rate != RMS_RATE;
        unused.then(|| "rms_rate is a factor of adjust_lr=match_rms_adamw alone: add that".to_owned())
    }

    fn momentum(&mut self) -> Option<&mut f64> {
        Some(&mut self.momentum)
    }

    fn own_decay(&self) -> OwnDecay {
        OwnDecay::Decoupled
    }
}

impl TensorRule for Muon {
    #[inline(always)]
    fn visit<V: VisitRule>(self, of_weights: bool, visitor: V) -> V::Output {
        if of_weights { visitor.visit(MuonMomentum(self)) } else { self.adam.visit(visitor) }
    }

    fn newton_schulz(&self) -> Option<&NewtonSchulz> {
        Some(&self.newton_schulz)
    }

    fn factor(&self, shape: TensorRole, _squares: &Squares) -> f64 {
        match shape {
            TensorRole::Matrix(out, into) => self.length(out, into),
            TensorRole::Vector => self.adam_lr_ratio,
        }
    }

    fn decay_of_vectors(&self, lr: f64) -> Option<Decay> {
        let rate = if self.dialect == Dialect::Keras { lr } else { lr * self.adam_lr_ratio };
        Some(Decay::decoupled(self.adam_weight_decay, rate))
    }
}

/// The momentum of matrices, as a descent direction `u`: state `[b]`.
#[derive(Debug, Clone, Copy)]
pub struct MuonMomentum(pub Muon);

/// The numbers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Scalars {
    momentum: f64,
    /// The factor of the gradient in the momentum.
    intake: f64,
    lr: f64,
    nesterov: bool,
}

impl Rule<1> for MuonMomentum {
    type Scalars = Scalars;
    const STATE: [&'static str; 1] = ["b"];

    fn at_step(&self, _t: u64, lr: f64, _: &mut Carried) -> Scalars {
        let Muon { momentum, nesterov, dialect, .. } = self.0;
        let intake = if dialect == Dialect::Keras { 1.0 } else { 1.0 - momentum };
        Scalars { momentum, intake, lr, nesterov }
    }

    #[inline(always)]
    fn update<R: Real>(s: &Scalars, p: R, g: R, [b]: &mut [R; 1]) -> R {
        let (momentum, g) = (R::splat(s.momentum), g * R::splat(s.intake));
        *b = b.mul_add(momentum, g);
        let u = if s.nesterov { b.mul_add(momentum, g) } else { *b };
        p - u * R::splat(s.lr)
    }
}
