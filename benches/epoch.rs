//! One shuffled training epoch on as many rows as MNIST has, and one evaluation. Throughput counts samples.

mod support;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gradlane::machine::Workload;

fn epoch(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("epoch");
    let mnist = Workload { rows: 60_000, ..Workload::named("mnist").expect("a name of a workload") };
    let data = mnist.data();
    let order = support::order(&mnist);
    let mut trainer = support::trainer(&mnist);
    group.sample_size(10).throughput(Throughput::Elements(mnist.rows as u64));
    group.bench_function(format!("train/{}", support::id(&mnist)), |bencher| {
        bencher.iter(|| support::train(&mnist, &mut trainer, &data, &order));
    });
    group.bench_function(format!("evaluate/{}", support::id(&mnist)), |bencher| {
        bencher.iter(|| trainer.evaluate(&data).loss);
    });
    group.finish();
}

criterion_group!(benches, epoch);
criterion_main!(benches);
