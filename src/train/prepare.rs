//! The phase between gradient and update of optimizers that look at whole tensors. Gradients become directions, and clip
//! factors become the factors of these directions. The update then only moves along them.

use super::batch::Batch;
use super::clock::{Clock, Phase};
use super::preparation::SharedPreparation;
use super::worker::Worker;
use crate::model::{Layout, Slot};
use crate::optim::per_tensor::{Squares, TensorRole, TensorRule, direct};
use crate::optim::{Carried, PerTensor, Rule, VisitRule};

impl<C: Clock> Worker<'_, '_, C> {
    /// Prepares the update: replaces gradients by directions. All members must call it; it contains a barrier.
    pub(super) fn prepare(&mut self, batch: &Batch<'_>, optimizer: PerTensor) {
        let preparation = self.shared.preparation.as_ref().expect("made for an optimizer that looks at whole tensors");
        for of_weights in [true, false] {
            optimizer.visit(of_weights, DirectSlots { worker: self, preparation, batch, of_weights });
        }
        self.clock.mark(Phase::Update);
        self.barrier();
        let layout = self.shared.net.layout;
        let slots = preparation.squares.read_all(self.member);
        if let (Some(matrices), Some(coefficients)) = (&preparation.matrices, optimizer.newton_schulz()) {
            let inverse = |tensor: usize, number: usize| {
                let panels = layout.tensors[tensor].panels_of(number);
                let [of_weights, _] = squares_of(layout, slots, tensor, |slot| panels.contains(&slot.panels.start));
                1.0 / coefficients.divisor(of_weights.directions.sqrt())
            };
            let (member, net) = (self.member, self.shared.net);
            matrices.orthogonalise(member, (net.isa, layout), coefficients, &self.shared.gradients, inverse);
            self.clock.mark(Phase::Update);
            self.barrier();
        }
        for (number, tensor) in layout.tensors.iter().enumerate() {
            let squares = squares_of(layout, slots, number, |_| true);
            let shapes = [TensorRole::Matrix(tensor.fan_out, tensor.fan_in), TensorRole::Vector];
            let factors = std::array::from_fn(|n| optimizer.factor(shapes[n], &squares[n]));
            self.clipping.replace(number, factors);
        }
        self.clock.mark(Phase::Update);
    }
}

/// Sums over the weights and over the biases of those slots of a tensor that `counts` selects, in slot order.
fn squares_of(layout: &Layout, slots: &[[Squares; 2]], tensor: usize, counts: impl Fn(&Slot) -> bool) -> [Squares; 2] {
    let first = layout.slots.partition_point(|slot| slot.tensor < tensor);
    let last = layout.slots.partition_point(|slot| slot.tensor <= tensor);
    let mut sums = [Squares::default(); 2];
    let counted = layout.slots[first..last].iter().zip(&slots[first..last]).filter(|(slot, _)| counts(slot));
    for (_, squares) in counted {
        sums.iter_mut().zip(squares).for_each(|(sum, part)| sum.add(*part));
    }
    sums
}

/// Computes directions for a worker's slots, of weights or of all other parameters; compiled for each rule.
struct DirectSlots<'w, 'r, 'a, C> {
    worker: &'w Worker<'r, 'a, C>,
    preparation: &'w SharedPreparation<'a>,
    batch: &'w Batch<'w>,
    of_weights: bool,
}

impl<C: Clock> VisitRule for DirectSlots<'_, '_, '_, C> {
    type Output = ();

    fn visit<const N: usize, U: Rule<N>>(self, rule: U) {
        let DirectSlots { worker, preparation, batch, of_weights } = self;
        let (shared, member) = (worker.shared, worker.member);
        let scalars = rule.at_step(batch.t, 1.0, &mut Carried::default());
        for (number, slot) in worker.slots() {
            let group = shared.net.layout.tensors[slot.tensor].group(of_weights);
            let decay = shared.settings.decay(of_weights, group, batch.lr, batch.factors);
            let mut squares = Squares::default();
            worker.for_each_run(slot, true, |lines, is_weights| {
                if is_weights == of_weights {
                    let clip = worker.clipping.factor(slot.tensor, of_weights);
                    let params = shared.net.parameters.read(member, lines.clone());
                    let grads = shared.gradients.write(member, lines.clone());
                    let state = std::array::from_fn(|n| shared.state[n].write(member, lines.clone()));
                    squares.add(direct::<N, U>(shared.net.isa, &scalars, (clip, &decay), params, grads, state));
                }
            });
            preparation.squares.write(member, number..number + 1)[0][usize::from(!of_weights)] = squares;
        }
    }
}
