//! The loss of one panel of 16 rows.

use crate::data::Targets;
use crate::kernel::{Isa, Job, Lanes, Line};
use crate::nn::panel::{LineColumn, LineColumnMut};
use crate::nn::{Link, Loss, Objective, Target};

/// Targets of one panel.
#[derive(Clone, Copy)]
pub(super) enum PanelTargets<'a> {
    /// A class in each lane.
    Classes(&'a Line),
    /// A line for each output.
    Values(&'a [Line]),
}

impl Targets {
    /// The link from a row's outputs to predictions for these targets.
    pub(super) fn link(&self, loss: Loss, outputs: usize) -> Link {
        loss.link(outputs > 1 && matches!(self, Targets::Classes { .. }))
    }

    /// The targets of one panel, from the gathered lines.
    pub(super) fn lanes<'a>(&self, label: &'a Line, values: &'a [Line]) -> PanelTargets<'a> {
        match self {
            Targets::Classes { .. } => PanelTargets::Classes(label),
            Targets::Values { .. } => PanelTargets::Values(values),
        }
    }
}

/// The sum of the rows' losses, each times its lane of `scale`, added in lane order in `f64`. Writes the gradient by the
/// outputs `z`, scaled in the same way, to `d`. Lanes with scale 0 have gradient 0, whatever they hold.
pub(super) fn panel_loss(
    isa: Isa,
    objective: &Objective,
    z: &[Line],
    targets: PanelTargets<'_>,
    scale: &Line,
    d: &mut [Line],
) -> f64 {
    isa.run(PanelLoss { objective, z, targets, scale, d })
}

struct PanelLoss<'a> {
    objective: &'a Objective,
    z: &'a [Line],
    targets: PanelTargets<'a>,
    scale: &'a Line,
    d: &'a mut [Line],
}

impl Job for PanelLoss<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<L: Lanes>(self) -> f64 {
        let (z, mut d) = (LineColumn(self.z), LineColumnMut(self.d));
        let target: Target<'_, L, LineColumn<'_>>;
        let values;
        match self.targets {
            PanelTargets::Classes(label) => target = Target::Class(L::load(label)),
            PanelTargets::Values(lines) => {
                values = LineColumn(lines);
                target = Target::Values(&values);
            }
        }
        let losses: L = self.objective.row(&z, &target, &mut d);
        let scale = L::load(self.scale);
        let zero = L::broadcast(0.0);
        let used = zero.lt(scale);
        for line in d.0.iter_mut() {
            L::select(used, L::load(line) * scale, zero).store(line);
        }
        let losses = losses.to_array();
        let weighted = losses.iter().zip(&self.scale.0).filter(|(_, scale)| **scale > 0.0);
        weighted.map(|(loss, scale)| f64::from(*loss) * f64::from(*scale)).sum()
    }
}
