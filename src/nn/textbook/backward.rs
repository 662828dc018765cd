//! Backpropagation through one layer: Rumelhart, Hinton & Williams 1986, <https://doi.org/10.1038/323533a0>.

use super::{Layer, LayerValues, Parameters, Scalar, Skip};

/// Derivatives of the batch's loss `J` by what a layer computed for one row.
#[derive(Debug, Clone)]
pub struct LayerErrors<T> {
    /// `∂J/∂a`, handed down by the layer above, or by the loss.
    pub da: Vec<T>,
    /// `f′(n)`.
    pub slope: Vec<T>,
    /// `∂J/∂n = ∂J/∂a · f′(n)`, element by element.
    pub dn: Vec<T>,
    /// `∂J/∂z`, often called `δ`; without a norm it is `∂J/∂n`.
    pub dz: Vec<T>,
}

impl<T: Scalar> Layer<T> {
    /// Takes `∂J/∂a` of one row back through the layer: adds the row's part of the parameters' `gradient`, and returns
    /// the layer's errors and `∂J/∂x`.
    pub fn backward(
        &self,
        x: &[T],
        values: &LayerValues<T>,
        da: Vec<T>,
        gradient: &mut Parameters<T>,
    ) -> (LayerErrors<T>, Vec<T>) {
        // h = f(n):   ∂J/∂n = ∂J/∂a · f′(n)
        let slope: Vec<T> = values.n.iter().zip(&values.h).map(|(&n, &h)| self.activation.derivative(n, h)).collect();
        let dn: Vec<T> = da.iter().zip(&slope).map(|(&da, &slope)| da * slope).collect();

        // n = norm(z)
        let dz = self.backward_norm(values, &dn, gradient);

        // z = W x + b:   ∂J/∂W += ∂J/∂z xᵀ,   ∂J/∂b += ∂J/∂z,   ∂J/∂x = Wᵀ ∂J/∂z
        add_outer_product(&mut gradient.weight, &dz, x);
        if let Some(bias) = &mut gradient.bias {
            add(bias, &dz);
        }
        let mut dx = multiply_transposed(&self.parameters.weight, &dz, self.fan_in);

        // a = h + S x:   ∂J/∂S += ∂J/∂a xᵀ,   ∂J/∂x += Sᵀ ∂J/∂a
        match (self.skip, &self.parameters.projection, &mut gradient.projection) {
            (Skip::None, ..) => {}
            (Skip::Identity, ..) => add(&mut dx, &da),
            (Skip::Projection, Some(projection), Some(d_projection)) => {
                add_outer_product(d_projection, &da, x);
                add(&mut dx, &multiply_transposed(projection, &da, self.fan_in));
            }
            (Skip::Projection, ..) => panic!("a layer with a projecting skip has no projection matrix"),
        }
        (LayerErrors { da, slope, dn, dz }, dx)
    }

    /// Back through the norm: adds to the gradients of gain and shift, returns `∂J/∂z`.
    fn backward_norm(&self, values: &LayerValues<T>, dn: &[T], gradient: &mut Parameters<T>) -> Vec<T> {
        let (Some(norm), Some(moments)) = (self.norm, &values.moments) else { return dn.to_vec() };
        if let Some(gain) = &mut gradient.gain {
            let along: Vec<T> = dn.iter().zip(&values.z).map(|(&dn, &z)| dn * moments.normalised(z)).collect();
            add(gain, &along);
        }
        if let Some(shift) = &mut gradient.shift {
            add(shift, dn);
        }
        let mut dz = vec![T::splat(0.0); dn.len()];
        norm.backward(&values.z[..], moments, self.parameters.gain.as_deref(), dn, &mut dz[..]);
        dz
    }
}

/// `sum ← sum + v`.
fn add<T: Scalar>(sum: &mut [T], v: &[T]) {
    sum.iter_mut().zip(v).for_each(|(sum, &v)| *sum = *sum + v);
}

/// `M ← M + d xᵀ` for a row-major matrix with a row for each element of `d`.
fn add_outer_product<T: Scalar>(matrix: &mut [T], d: &[T], x: &[T]) {
    for (row, &d) in matrix.chunks_exact_mut(x.len()).zip(d) {
        row.iter_mut().zip(x).for_each(|(m, &x)| *m = d.mul_add(x, *m));
    }
}

/// `Mᵀ d` for a row-major matrix of `cols` columns.
fn multiply_transposed<T: Scalar>(matrix: &[T], d: &[T], cols: usize) -> Vec<T> {
    let mut product = vec![T::splat(0.0); cols];
    for (row, &d) in matrix.chunks_exact(cols).zip(d) {
        product.iter_mut().zip(row).for_each(|(p, &m)| *p = m.mul_add(d, *p));
    }
    product
}
