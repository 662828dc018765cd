//! The arguments and gradients of a layer for one row in plain loops, and the products of their definitions.

/// The arguments of a layer for one row.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// The input, or the output of the inner chain.
    pub x: &'a [f64],
    /// Its symbol in formulas; see [`Kind::symbol`](super::Kind::symbol).
    pub name: &'static str,
    /// The input of a layer that bypasses an inner chain, otherwise empty.
    pub side: &'a [f64],
    /// The layer's tensors as they are saved, for a stack only those of the current member: matrices row-major, each
    /// followed by its bias.
    pub tensors: &'a [Vec<f64>],
}

/// Gradients of one row with respect to the arguments of a layer.
#[derive(Debug, Clone, Default)]
pub struct RowErrors {
    /// With respect to `x`.
    pub dx: Vec<f64>,
    /// With respect to `side`.
    pub d_side: Vec<f64>,
    /// With respect to the tensors, in their order.
    pub tensors: Vec<Vec<f64>>,
    /// `dy/dx`, element by element, if the layer is an activation; otherwise empty.
    pub slope: Vec<f64>,
}

/// `M x` of a row-major matrix.
pub(super) fn multiply(matrix: &[f64], x: &[f64]) -> Vec<f64> {
    matrix.chunks_exact(x.len()).map(|row| row.iter().zip(x).map(|(m, x)| m * x).sum()).collect()
}

/// `Mᵀ d` of a row-major matrix of `cols` columns.
pub(super) fn multiply_transposed(matrix: &[f64], d: &[f64], cols: usize) -> Vec<f64> {
    let mut product = vec![0.0; cols];
    for (row, d) in matrix.chunks_exact(cols).zip(d) {
        product.iter_mut().zip(row).for_each(|(p, m)| *p += m * d);
    }
    product
}

/// `d xᵀ`, row-major.
pub(super) fn outer_product(d: &[f64], x: &[f64]) -> Vec<f64> {
    d.iter().flat_map(|d| x.iter().map(move |x| d * x)).collect()
}

/// `a ⊙ b`.
pub(super) fn product(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a * b).collect()
}
