//! Every intermediate quantity of a pass by its name, for those who want to follow the numbers.

use super::{Pass, RowPass, Scalar};

/// A quantity with its name, such as `layer 1: z`.
pub type Named<'a, T> = (String, &'a [T]);

impl<T: Scalar> RowPass<T> {
    /// The quantities of the way forward, in the order in which they arise. Layers count from 1; `n` is left out where
    /// there is no norm.
    pub fn forward_quantities(&self) -> Vec<Named<'_, T>> {
        let mut named: Vec<Named<'_, T>> = vec![("x".into(), &self.x)];
        for (l, values) in (1..).zip(&self.values) {
            named.push((format!("layer {l}: z = W x + b"), &values.z));
            if values.moments.is_some() {
                named.push((format!("layer {l}: n = norm(z)"), &values.n));
            }
            named.push((format!("layer {l}: h = f({})", values.pre_activation()), &values.h));
            named.push((format!("layer {l}: a"), &values.a));
        }
        named
    }

    /// The derivatives of the loss on the way back, in the order in which they arise.
    pub fn backward_quantities(&self) -> Vec<Named<'_, T>> {
        let mut named: Vec<Named<'_, T>> = Vec::new();
        for l in (1..=self.errors.len()).rev() {
            let (errors, values) = (&self.errors[l - 1], &self.values[l - 1]);
            let n = values.pre_activation();
            named.push((format!("layer {l}: dJ/da"), &errors.da));
            named.push((format!("layer {l}: f'({n})"), &errors.slope));
            named.push((format!("layer {l}: dJ/d{n} = dJ/da f'({n})"), &errors.dn));
            if values.moments.is_some() {
                named.push((format!("layer {l}: dJ/dz"), &errors.dz));
            }
        }
        named.push(("dJ/dx".into(), &self.dx));
        named
    }
}

impl<T: Scalar> super::LayerValues<T> {
    /// What the activation is applied to: `n` behind a norm, else `z`.
    fn pre_activation(&self) -> &'static str {
        if self.moments.is_some() { "n" } else { "z" }
    }
}

impl<T: Scalar> Pass<T> {
    /// The gradient of every parameter of every layer, layers from 1.
    pub fn gradient_quantities(&self) -> Vec<Named<'_, T>> {
        let mut named: Vec<Named<'_, T>> = Vec::new();
        for (l, gradient) in (1..).zip(&self.gradients) {
            named.push((format!("layer {l}: dJ/dW"), &gradient.weight));
            let optional = [
                ("b", &gradient.bias),
                ("gain", &gradient.gain),
                ("shift", &gradient.shift),
                ("S", &gradient.projection),
            ];
            for (symbol, tensor) in optional {
                named.extend(tensor.as_ref().map(|t| (format!("layer {l}: dJ/d{symbol}"), &t[..])));
            }
        }
        named
    }
}
