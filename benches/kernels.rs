//! The kernels of a training step on one thread: the three matrix products of a linear layer, next to `gemm` and
//! `matrixmultiply` for the same shapes; activations; optimizer updates.
//!
//! For products, throughput counts floating-point operations, `2 · batch · fan_in · fan_out`, so criterion's Gelem/s
//! are GFLOP/s. For the other kernels it counts numbers.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use gradlane::kernel::gemm::Extent;
use gradlane::kernel::{Isa, LANES, Line, Panels, PanelsMut, panel_stride, panels};
use gradlane::model::{Architecture, Layout};
use gradlane::nn::dense::{Weights, backward_to_inputs, backward_to_weights, forward};
use gradlane::nn::{Activation, panel};
use gradlane::optim::span::{UpdateForm, update_buffers};
use gradlane::optim::{Algorithm, Carried, Decay, OptimizerSpec};
use gradlane::rng::{Purpose, stream};
use rand::RngExt;

/// Inputs, outputs and rows of a layer, as in the networks of the design. The numbers of rows are multiples of 16.
const SHAPES: [(usize, usize, usize); 5] =
    [(784, 128, 32), (784, 256, 128), (256, 256, 256), (512, 512, 512), (1024, 1024, 256)];

fn lines(count: usize, seed: u64) -> Vec<Line> {
    let mut rng = stream(seed, Purpose::Synthetic, 0, 0);
    (0..count).map(|_| Line(std::array::from_fn(|_| rng.random::<f32>() - 0.5))).collect()
}

fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut rng = stream(seed, Purpose::Synthetic, 0, 0);
    (0..count).map(|_| rng.random::<f32>() - 0.5).collect()
}

/// The three products of a layer, in the memory layout of a training step.
fn own_products(group: &mut BenchmarkGroup<'_, WallTime>, isa: Isa, (fan_in, fan_out, rows): (usize, usize, usize)) {
    let (depth, samples) = (fan_in + 1, rows / LANES);
    let (x_stride, z_stride) = (panel_stride(depth), panel_stride(fan_out));
    let (w, x) = (lines(panels(fan_out) * x_stride, 1), lines(samples * x_stride, 2));
    let (dz, dz_t) = (lines(samples * z_stride, 3), lines(panels(fan_out) * rows, 4));
    let (mut y, mut dx, mut dw) = (dz.clone(), x.clone(), w.clone());
    let weights = Weights {
        panels: Panels { lines: &w, stride: x_stride },
        depth,
        fan_out,
        stack: 1,
        each: fan_out.div_ceil(16),
    };
    let (x, dz) = (Panels { lines: &x, stride: x_stride }, Panels { lines: &dz, stride: z_stride });
    let dz_t = Panels { lines: &dz_t, stride: rows };
    let layout = Layout::new(&Architecture::mlp(fan_in, &[], fan_out, Activation::Identity));
    let id = |product: &str| format!("{product}/{fan_in}x{fan_out}/b{rows}/{}", isa.name());
    group.bench_function(id("forward"), |bencher| {
        bencher.iter(|| {
            let y = PanelsMut::new(&mut y, z_stride, samples, fan_out);
            forward(isa, weights, x, y, samples, false);
        });
    });
    group.bench_function(id("to_inputs"), |bencher| {
        bencher.iter(|| {
            let dx = PanelsMut::new(&mut dx, x_stride, samples, fan_in);
            backward_to_inputs(isa, weights, fan_in, dz, dx, samples, false);
        });
    });
    group.bench_function(id("to_weights"), |bencher| {
        bencher.iter(|| {
            for slot in &layout.slots {
                let (first, panels) = (slot.rows.start, slot.panels.clone());
                let extent = Extent { panels: panels.len(), rows: slot.rows.len(), depth: rows, accumulate: false };
                let (x, dz) = (&x.lines[first..], &dz_t.lines[panels.start * rows..]);
                let dw = &mut dw[panels.start * x_stride + first..];
                backward_to_weights(
                    isa,
                    Panels { lines: x, stride: x_stride },
                    Panels { lines: dz, stride: rows },
                    PanelsMut::new(dw, x_stride, panels.len(), slot.rows.len()),
                    extent,
                );
            }
        });
    });
}

/// A matrix, given by a pointer to its first element and the strides between rows (`down`) and between columns
/// (`across`).
#[derive(Clone, Copy)]
struct Strided {
    start: *const f32,
    down: isize,
    across: isize,
}

/// Computes `C = A B` with row-major `C [m, n]` in one of the two crates.
type Multiply = fn((usize, usize, usize), Strided, Strided, &mut [f32]);

fn by_matrixmultiply((m, k, n): (usize, usize, usize), a: Strided, b: Strided, c: &mut [f32]) {
    let c = c.as_mut_ptr();
    // SAFETY: `peers` passes matrices `a` of `m · k`, `b` of `k · n` and `c` of at least `m · n` numbers.
    unsafe {
        matrixmultiply::sgemm(
            m, k, n, 1.0, a.start, a.down, a.across, b.start, b.down, b.across, 0.0, c, n as isize, 1,
        );
    }
}

fn by_gemm((m, k, n): (usize, usize, usize), a: Strided, b: Strided, c: &mut [f32]) {
    let (c, down) = (c.as_mut_ptr(), n as isize);
    let one_thread = gemm::Parallelism::None;
    // SAFETY: as above.
    unsafe {
        gemm::gemm(
            m, n, k, c, 1, down, false, a.start, a.across, a.down, b.start, b.across, b.down, 0.0, 1.0, false, false,
            false, one_thread,
        );
    }
}

/// The same products on row-major matrices, computed by other crates.
fn peers(group: &mut BenchmarkGroup<'_, WallTime>, (fan_in, fan_out, rows): (usize, usize, usize)) {
    let (w, x, dz) = (numbers(fan_out * fan_in, 1), numbers(rows * fan_in, 2), numbers(rows * fan_out, 3));
    let mut c = vec![0.0; rows.max(fan_out) * fan_in.max(fan_out)];
    let plain = |m: &[f32], cols: usize| Strided { start: m.as_ptr(), down: cols as isize, across: 1 };
    let transposed = |m: &[f32], cols: usize| Strided { start: m.as_ptr(), down: 1, across: cols as isize };
    let products = [
        ("forward", (rows, fan_in, fan_out), plain(&x, fan_in), transposed(&w, fan_in)),
        ("to_inputs", (rows, fan_out, fan_in), plain(&dz, fan_out), plain(&w, fan_in)),
        ("to_weights", (fan_out, rows, fan_in), transposed(&dz, fan_out), plain(&x, fan_in)),
    ];
    for (product, shape, a, b) in products {
        for (peer, multiply) in [("matrixmultiply", by_matrixmultiply as Multiply), ("gemm", by_gemm)] {
            group.bench_function(format!("{product}/{fan_in}x{fan_out}/b{rows}/{peer}"), |bencher| {
                bencher.iter(|| multiply(shape, a, b, &mut c));
            });
        }
    }
}

fn products(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("product");
    for shape in SHAPES {
        let (fan_in, fan_out, rows) = shape;
        group.throughput(Throughput::Elements(2 * (fan_in * fan_out * rows) as u64));
        for isa in Isa::available() {
            own_products(&mut group, isa, shape);
        }
        peers(&mut group, shape);
    }
    group.finish();
}

fn activations(criterion: &mut Criterion) {
    const LINES: usize = 256;
    let mut group = criterion.benchmark_group("activation");
    group.throughput(Throughput::Elements((LINES * LANES) as u64));
    let isa = Isa::detect();
    let x = lines(LINES, 1);
    for activation in Activation::ALL {
        let (mut y, mut d) = (x.clone(), x.clone());
        group.bench_function(format!("{activation}/forward"), |bencher| {
            bencher.iter(|| {
                y.copy_from_slice(&x); // timed too; a function must not be applied to its own results
                panel::activate_in_place(isa, activation, &mut y);
            });
        });
        group.bench_function(format!("{activation}/backward"), |bencher| {
            bencher.iter(|| {
                d.copy_from_slice(&x);
                panel::activation_backward(isa, activation, &x, &y, &mut d);
            });
        });
    }
    group.finish();
}

fn updates(criterion: &mut Criterion) {
    /// Approximate number of lines of the weights of 784-128-10 and of 784-1024-1024-10.
    const LINES: [usize; 2] = [6_400, 120_000];
    let mut group = criterion.benchmark_group("update");
    let isa = Isa::detect();
    for count in LINES {
        group.throughput(Throughput::Elements((count * LANES) as u64));
        for text in ["sgd", "momentum", "rmsprop", "adam", "adamw"] {
            let spec: OptimizerSpec = text.parse().expect("a name of an optimizer");
            let Algorithm::ElementWise(optimizer) = spec.algorithm else { panic!("{text} is not element-wise") };
            let (mut params, grads) = (lines(count, 1), lines(count, 2));
            let mut state = vec![vec![Line::ZERO; count]; spec.algorithm.slots()];
            let (mut t, mut carried) = (0, Carried::default());
            group.bench_function(format!("{text}/{}", count * LANES), |bencher| {
                bencher.iter(|| {
                    t += 1;
                    let change = UpdateForm { clip: 1.0, decay: Decay::NONE, average: 0.0 };
                    let buffers = (&mut params[..], &grads[..], &mut state[..]);
                    update_buffers(isa, optimizer, (t, 1e-6), &change, buffers, &mut carried);
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, products, activations, updates);
criterion_main!(benches);
