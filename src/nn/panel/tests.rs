//! Compares the vector form of each activation with its scalar form, and tests the operations that move or combine
//! lines.

use super::*;

/// Special values, followed by a grid over the range in which the functions bend.
fn inputs(lines: usize) -> Vec<Line> {
    let special = [
        0.0,
        -0.0,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
        f32::MIN_POSITIVE,
        -f32::MIN_POSITIVE,
        f32::MAX,
        f32::MIN,
        3.0,
        -3.0,
        6.0,
        1.0,
        -1.0,
    ];
    let grid = (0..).map(|i| ((i * 7919) % 40_009) as f32 / 1000.0 - 20.0);
    let mut values = special.into_iter().chain(grid);
    (0..lines).map(|_| Line(std::array::from_fn(|_| values.next().unwrap()))).collect()
}

/// Whether two results agree: both NaN, or within `relative` or `absolute`. An infinite `want` agrees with any `got`
/// except NaN.
fn agree(got: f32, want: f32, relative: f32, absolute: f32) -> bool {
    got == want || (got.is_nan() && want.is_nan()) || (got - want).abs() <= (relative * want.abs()).max(absolute)
}

/// Four times `2⁻²³`: a few transcendental functions, each with an error of an ulp or two in both forms.
const RELATIVE: f32 = 4.0 * f32::EPSILON;
/// Without FMA, cancellation in the left tail of gelu_tanh leaves this error. With FMA, only results below the smallest
/// normal number differ, which the vector form flushes to 0.
const VALUE: f32 = 1e-9;
/// Slopes such as `1 − y²` cancel; the error is half an ulp of 1.
const SLOPE: f32 = f32::EPSILON / 2.0;

#[test]
fn activations_agree_with_their_scalar_form_for_every_length() {
    for isa in Isa::available() {
        for activation in Activation::ALL {
            for lines in 0..=33 {
                let x = inputs(lines);
                let mut y = x.clone();
                activate_in_place(isa, activation, &mut y);
                let mut d = vec![Line::splat(1.0); lines];
                activation_backward(isa, activation, &x, &y, &mut d);
                for i in 0..lines * LANES {
                    let at = |lines: &[Line]| lines[i / LANES].0[i % LANES];
                    let (x, y, d) = (at(&x), at(&y), at(&d));
                    let value = activation.value(x);
                    let what = format!("{} {activation}({x:e})", isa.name());
                    assert!(agree(y, value, RELATIVE, VALUE), "{what} = {y:e}, scalar {value:e}");
                    let slope = activation.derivative(x, y); // computed from the same y, so only this formula can differ
                    assert!(agree(d, slope, RELATIVE, SLOPE), "{what}: slope {d:e}, scalar {slope:e}");
                }
            }
        }
    }
}

#[test]
fn activations_have_the_same_bits_on_fused_isas() {
    let fused: Vec<Isa> = Isa::available().into_iter().filter(|isa| isa.name() != "portable").collect();
    let x = inputs(2600); // the whole grid
    for activation in Activation::ALL {
        let mut first = None;
        for isa in &fused {
            let mut y = x.clone();
            activate_in_place(*isa, activation, &mut y);
            let mut d = vec![Line::splat(0.75); x.len()];
            activation_backward(*isa, activation, &x, &y, &mut d);
            // The bits of a NaN depend on the order of operands, which the compiler may change.
            let bits_of = |x: f32| if x.is_nan() { f32::NAN.to_bits() } else { x.to_bits() };
            let bits: Vec<u32> = y.iter().chain(&d).flat_map(|line| line.0.map(bits_of)).collect();
            assert!(*first.get_or_insert_with(|| bits.clone()) == bits, "{activation}: {} differs", isa.name());
        }
    }
}

#[test]
fn lines_are_added_and_multiplied_element_by_element() {
    for isa in Isa::available() {
        for lines in 0..=33 {
            let (x, start) = (inputs(lines), vec![Line::splat(1.25); lines]);
            let (mut sum, mut product) = (start.clone(), start);
            add(isa, &x, &mut sum);
            multiply(isa, &x, &mut product);
            for (i, x) in x.iter().flat_map(|line| line.0).enumerate() {
                let (sum, product) = (sum[i / LANES].0[i % LANES], product[i / LANES].0[i % LANES]);
                assert!(agree(sum, 1.25 + x, 0.0, 0.0) && agree(product, 1.25 * x, 0.0, 0.0), "{} {x:e}", isa.name());
            }
        }
    }
}

#[test]
fn transposing_exchanges_rows_and_lanes_and_fills_up_with_zeros() {
    for isa in Isa::available() {
        for lines in 1..=2 * LANES + 1 {
            let from: Vec<Line> =
                (0..lines).map(|row| Line(std::array::from_fn(|lane| (row * 100 + lane + 1) as f32))).collect();
            let (blocks, stride) = (lines.div_ceil(LANES), LANES + 3);
            let mut to = vec![Line::splat(f32::NAN); blocks * stride];
            transpose(isa, &from, PanelsMut::new(&mut to, stride, blocks, LANES));
            for (o, s) in (0..blocks * LANES).flat_map(|o| (0..LANES).map(move |s| (o, s))) {
                let value = to[o / LANES * stride + s].0[o % LANES];
                let expected = from.get(o).map_or(0.0, |line| line.0[s]);
                assert_eq!(value, expected, "{} {lines} lines: row {s}, lane {o}", isa.name());
            }
            for between in to.chunks(stride).flat_map(|panel| &panel[LANES..]) {
                assert!(between.0.iter().all(|x| x.is_nan()), "{} {lines} lines: written between panels", isa.name());
            }
        }
    }
}
