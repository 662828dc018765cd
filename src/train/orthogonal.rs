//! Newton–Schulz iteration for all matrices of a network by a team: [`NewtonSchulz::orthogonalise`] as tiles of three products.
//!
//! A matrix `X: [short, long]` is stored as panels of 16 rows of `X`: `long` lines whose lanes are rows. If a tensor has at
//! most as many outputs as inputs, its weights already have this form; otherwise they are transposed on the way in and out.
//! Members share out the panels, with a barrier between the products. Each element is one chain, so bits do not depend on which
//! member computes it.

use std::ops::Range;

use super::shared::Shared;
use super::team::Member;
use super::workspace::{Buffer, SharedBuffer};
use crate::kernel::gemm::{self, Extent};
use crate::kernel::{Isa, Job, LANES, Lanes, Line, PanelsMut, panels};
use crate::model::{Layout, Tensor};
use crate::nn::panel::transpose;
use crate::optim::NewtonSchulz;

/// One matrix and its products. `B` is [`Buffer`] or [`SharedBuffer`].
struct MatrixOf<B> {
    /// Index of the tensor.
    tensor: usize,
    /// Index of the matrix in a stack.
    number: usize,
    /// Panels of the tensor that hold it.
    panels: Range<usize>,
    short: usize,
    long: usize,
    /// `X`, and the next `X`.
    x: [B; 2],
    /// `G = X Xᵀ`.
    gram: B,
    /// `b G + c G²`.
    polynomial: B,
}

/// All matrices of a network.
pub(super) struct MatricesOf<B> {
    matrices: Vec<MatrixOf<B>>,
    /// For each member, its panels: index of the matrix, and the range of its panels.
    shares: Vec<Vec<(usize, Range<usize>)>>,
}

/// Matrices that own their memory.
pub(super) type Matrices = MatricesOf<Buffer>;
/// Matrices while a team works on them.
pub(super) type SharedMatrices<'a> = MatricesOf<SharedBuffer<'a>>;

impl Matrices {
    /// Allocates the memory for the matrices of a layout, shared out to `members`.
    pub(super) fn new(layout: &Layout, members: usize) -> Matrices {
        let matrix = |tensor: usize, t: &Tensor, number: usize| {
            let (short, long) = (t.fan_in.min(t.fan_out), t.fan_in.max(t.fan_out));
            let x = || Buffer::new(panels(short), panels(long) * LANES); // whole blocks for the transposition
            let square = || Buffer::new(panels(short), short);
            let panels = t.panels_of(number);
            MatrixOf { tensor, number, panels, short, long, x: [x(), x()], gram: square(), polynomial: square() }
        };
        let tensors = layout.tensors.iter().enumerate().filter(|(_, t)| t.weight_rows() > 0);
        let matrices: Vec<_> =
            tensors.flat_map(|(tensor, t)| (0..t.count()).map(move |n| matrix(tensor, t, n))).collect();
        let shares = shares(&matrices, members);
        MatricesOf { matrices, shares }
    }

    /// Lends the memory to a team.
    pub(super) fn lend(&mut self) -> SharedMatrices<'_> {
        let matrices = self.matrices.iter_mut().map(|m| MatrixOf {
            tensor: m.tensor,
            number: m.number,
            panels: m.panels.clone(),
            short: m.short,
            long: m.long,
            x: m.x.each_mut().map(Buffer::lend),
            gram: m.gram.lend(),
            polynomial: m.polynomial.lend(),
        });
        MatricesOf { matrices: matrices.collect(), shares: self.shares.clone() }
    }
}

/// Splits the panels of all matrices among `members` into contiguous runs of about equal work.
fn shares<B>(matrices: &[MatrixOf<B>], members: usize) -> Vec<Vec<(usize, Range<usize>)>> {
    let cost = |m: &MatrixOf<B>| m.short * (2 * m.long + m.short);
    let total: usize = matrices.iter().map(|m| cost(m) * panels(m.short)).sum();
    let mut shares = vec![Vec::new(); members];
    let mut done = 0;
    for (number, matrix) in matrices.iter().enumerate() {
        // A panel goes to the member whose range of the work contains the panel's middle.
        let member = |panel: usize| (done + cost(matrix) * (2 * panel + 1) / 2) * members / total;
        for (index, share) in shares.iter_mut().enumerate() {
            let mine = |panel: &usize| member(*panel) == index;
            let first = (0..panels(matrix.short)).find(mine);
            if let Some(first) = first {
                share.push((number, first..first + (first..panels(matrix.short)).take_while(mine).count()));
            }
        }
        done += cost(matrix) * panels(matrix.short);
    }
    shares
}

impl SharedMatrices<'_> {
    /// Makes the weights in `buffer`, which has the layout of the parameters, orthogonal. All members call it, after a barrier;
    /// a barrier must follow. `inverse` gives the factor by which each matrix of a tensor's stack is multiplied first.
    pub(super) fn orthogonalise(
        &self,
        member: Member<'_>,
        (isa, layout): (Isa, &Layout),
        coefficients: &NewtonSchulz,
        buffer: &Shared<'_, Line>,
        inverse: impl Fn(usize, usize) -> f64,
    ) {
        let each = |work: &dyn Fn(&MatrixOf<SharedBuffer<'_>>, Range<usize>)| {
            for (number, run) in &self.shares[member.index] {
                work(&self.matrices[*number], run.clone());
            }
        };
        each(&|m, run| m.load(member, isa, &layout.tensors[m.tensor], buffer, run, inverse(m.tensor, m.number) as f32));
        member.barrier();
        for step in 0..coefficients.steps {
            let (now, next) = (step % 2, (step + 1) % 2);
            each(&|m, run| m.multiply_by_itself(member, isa, now, run));
            member.barrier();
            each(&|m, run| m.evaluate_polynomial(member, isa, coefficients, run));
            member.barrier();
            each(&|m, run| m.apply_polynomial(member, isa, coefficients, (now, next), run));
            member.barrier();
        }
        let last = coefficients.steps % 2;
        each(&|m, run| m.store(member, isa, &layout.tensors[m.tensor], buffer, run, last));
    }
}

impl MatrixOf<SharedBuffer<'_>> {
    /// `X ← inverse · W`, for some panels of `X`.
    fn load(
        &self,
        member: Member<'_>,
        isa: Isa,
        tensor: &Tensor,
        buffer: &Shared<'_, Line>,
        run: Range<usize>,
        inverse: f32,
    ) {
        for p in run {
            if tensor.fan_out <= tensor.fan_in {
                let to = self.x[0].lines_mut(member, p, 0..self.long);
                to.copy_from_slice(buffer.read(member, tensor.lines(self.panels.start + p, 0..self.long)));
            } else {
                for (o, panel) in self.panels.clone().enumerate() {
                    let block = buffer.read(member, tensor.lines(panel, inputs_of(tensor, p)));
                    transpose(isa, block, self.x[0].rows_mut(member, p..p + 1, o * LANES..(o + 1) * LANES));
                }
            }
            for line in self.x[0].lines_mut(member, p, 0..self.long) {
                line.0.iter_mut().for_each(|x| *x *= inverse);
            }
        }
    }

    /// `W ← X`, for some panels of `X`.
    fn store(
        &self,
        member: Member<'_>,
        isa: Isa,
        tensor: &Tensor,
        buffer: &Shared<'_, Line>,
        run: Range<usize>,
        last: usize,
    ) {
        for p in run {
            if tensor.fan_out <= tensor.fan_in {
                let to = buffer.write(member, tensor.lines(self.panels.start + p, 0..self.long));
                to.copy_from_slice(self.x[last].lines(member, p, 0..self.long));
            } else {
                let mut block = [Line::ZERO; LANES];
                for (o, panel) in self.panels.clone().enumerate() {
                    let from = self.x[last].lines(member, p, o * LANES..(o + 1) * LANES);
                    transpose(isa, from, PanelsMut::new(&mut block, LANES, 1, LANES));
                    let to = buffer.write(member, tensor.lines(panel, inputs_of(tensor, p)));
                    let count = to.len();
                    to.copy_from_slice(&block[..count]);
                }
            }
        }
    }

    /// `G = X Xᵀ`, for some of its panels.
    fn multiply_by_itself(&self, member: Member<'_>, isa: Isa, now: usize, run: Range<usize>) {
        let all = self.x[now].panels(member, 0..panels(self.short));
        let some = self.x[now].panels(member, run.clone());
        let extent = Extent { panels: run.len(), rows: self.short, depth: self.long, accumulate: false };
        gemm::forward(isa, all, some, self.gram.panels_mut(member, run), extent);
    }

    /// `b G + c G²`, for some of its panels.
    fn evaluate_polynomial(&self, member: Member<'_>, isa: Isa, by: &NewtonSchulz, run: Range<usize>) {
        let extent = Extent { panels: run.len(), rows: self.short, depth: self.short, accumulate: false };
        let all = self.gram.panels(member, 0..panels(self.short));
        let some = self.gram.panels(member, run.clone());
        gemm::backward(isa, all, some, self.polynomial.panels_mut(member, run.clone()), extent);
        for p in run {
            let gram = self.gram.lines(member, p, 0..self.short);
            combine(isa, (by.b, gram), (by.c, self.polynomial.lines_mut(member, p, 0..self.short)));
        }
    }

    /// `a X + (b G + c G²) X`, for some of its panels.
    fn apply_polynomial(
        &self,
        member: Member<'_>,
        isa: Isa,
        by: &NewtonSchulz,
        (now, next): (usize, usize),
        run: Range<usize>,
    ) {
        let extent = Extent { panels: run.len(), rows: self.long, depth: self.short, accumulate: false };
        let x = self.x[now].panels(member, 0..panels(self.short));
        let polynomial = self.polynomial.panels(member, run.clone());
        gemm::backward(isa, x, polynomial, self.x[next].panels_mut(member, run.clone()), extent);
        for p in run {
            let now = self.x[now].lines(member, p, 0..self.long);
            combine(isa, (by.a, now), (1.0, self.x[next].lines_mut(member, p, 0..self.long)));
        }
    }
}

/// The inputs in the lanes of panel `p` of a transposed matrix.
fn inputs_of(tensor: &Tensor, p: usize) -> Range<usize> {
    p * LANES..((p + 1) * LANES).min(tensor.fan_in)
}

/// `Y ← α X + β Y`.
fn combine(isa: Isa, (alpha, x): (f64, &[Line]), (beta, y): (f64, &mut [Line])) {
    isa.run(SumOfMatrices { alpha, x, beta, y });
}

struct SumOfMatrices<'a> {
    alpha: f64,
    x: &'a [Line],
    beta: f64,
    y: &'a mut [Line],
}

impl Job for SumOfMatrices<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let (alpha, beta) = (L::splat(self.alpha), L::splat(self.beta));
        for (x, line) in self.x.iter().zip(self.y) {
            L::load(x).mul_add(alpha, L::load(line) * beta).store(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::team::Team;
    use super::*;
    use crate::model::{Architecture, Parameters};
    use crate::nn::Activation;
    use crate::optim::Dialect;
    use crate::optim::Muon;

    /// Wide, tall and square matrices, none a multiple of 16, against the definition in `f64`.
    #[test]
    fn tiles_are_the_definition() {
        let network = Architecture {
            inputs: 37,
            hidden: vec![20, 20, 70],
            outputs: 3,
            activations: vec![Activation::Relu; 3],
            output_activation: Activation::Identity,
            norm: None,
            residual: true,
            dropout: 0.0,
            chain: None,
        };
        let parameters = Parameters::init(&network, None, 5);
        let coefficients = Muon::of(Dialect::Torch).newton_schulz;
        let mut bits: Option<Vec<Line>> = None;
        for (isa, members) in Isa::available().into_iter().take(2).flat_map(|isa| [1, 2, 5].map(|n| (isa, n))) {
            let mut found = parameters.clone();
            let mut matrices = Matrices::new(&parameters.layout, members);
            let norms: Vec<f64> = parameters.layout.tensors.iter().map(|t| norm(&parameters, t)).collect();
            let (buffer, shared) = (Shared::new(&mut found.lines), matrices.lend());
            Team::new(members).run(|member| {
                let at = (isa, &parameters.layout);
                shared.orthogonalise(member, at, &coefficients, &buffer, |tensor, _| 1.0 / norms[tensor]);
            });
            for (found, from) in found.named().iter().zip(parameters.named()) {
                let mut expected: Vec<f64> = from.values.iter().map(|x| f64::from(*x)).collect();
                if let [out, into] = from.shape[..] {
                    coefficients.orthogonalise(&mut expected, out, into);
                }
                for (found, expected) in found.values.iter().zip(&expected) {
                    assert!((f64::from(*found) - expected).abs() < 2e-5, "{}: {found} for {expected}", from.name);
                }
            }
            let fused = isa.name() != "portable";
            if fused {
                assert!(*bits.get_or_insert_with(|| found.lines.clone()) == found.lines, "{} {members}", isa.name());
            }
        }
    }

    fn norm(parameters: &Parameters, tensor: &Tensor) -> f64 {
        let lines = (0..tensor.panels).flat_map(|p| &parameters.lines[tensor.lines(p, 0..tensor.weight_rows())]);
        lines.flat_map(|line| line.0).map(|x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt()
    }
}
