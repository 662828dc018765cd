//! An activation.

use super::{Backward, ByOutputs, Forward, Kind, Needs, UseOfDy};
use crate::nn::{Activation, panel};

/// `y = f(x)`, element by element.
#[derive(Debug, Clone, PartialEq)]
pub struct Activate {
    /// `f`.
    pub function: Activation,
}

impl Kind for Activate {
    fn needs(&self, _inputs: usize, training: bool) -> Needs {
        Needs {
            overwrites_x: !(training && self.function.derivative_uses_input()),
            keeps_y: training,
            dy: UseOfDy::Changes,
            by_outputs: ByOutputs::Elementwise,
            ..Needs::default()
        }
    }

    fn forward(&self, mut pass: Forward<'_>) {
        pass.begin();
        for p in 0..pass.samples {
            panel::activate_in_place(pass.isa, self.function, pass.y.lines_mut(p, 0..pass.width));
        }
    }

    /// `dx = dy · f′(x)`.
    fn backward(&self, mut pass: Backward<'_>) {
        let width = pass.outputs;
        for p in 0..pass.samples {
            let d = pass.dy.change().lines_mut(p, 0..width);
            let (x, y) = (pass.x.panel(p, 0..width), pass.y.panel(p, 0..width));
            panel::activation_backward(pass.isa, self.function, x, y, d);
            pass.dx.hand_on(pass.isa, p, d);
        }
    }
}
