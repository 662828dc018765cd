//! One epoch on as many rows as MNIST has, shuffled, and one pass of evaluation. Throughput counts samples.

mod support;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use support::Workload;

const MNIST: Workload = Workload { layers: &[784, 128, 10], batch: 32, rows: 60_000 };

fn epoch(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("epoch");
    let data = MNIST.data();
    let order = MNIST.order();
    let mut trainer = MNIST.trainer();
    group.sample_size(10).throughput(Throughput::Elements(MNIST.rows as u64));
    group.bench_function(format!("train/{}", MNIST.id()), |bencher| {
        bencher.iter(|| MNIST.train(&mut trainer, &data, &order));
    });
    group.bench_function(format!("evaluate/{}", MNIST.id()), |bencher| {
        bencher.iter(|| trainer.evaluate(&data).loss);
    });
    group.finish();
}

criterion_group!(benches, epoch);
criterion_main!(benches);
