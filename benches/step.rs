//! One training step on the networks of the design. Throughput counts samples.
//!
//! Several steps are run in one call of [`support::train`], so the time to wake the threads is spread over them.

mod support;

use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gradlane::machine::Workload;

const NAMES: [&str; 5] = ["iris", "digits", "mnist", "mnist-128", "deep"];

fn steps(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("step");
    for name in NAMES {
        let workload = &Workload::named(name).expect("a name of a workload");
        let data = workload.data();
        let order = support::order(workload);
        let mut trainer = support::trainer(workload);
        group.throughput(Throughput::Elements(workload.batch as u64));
        group.bench_function(support::id(workload), |bencher| {
            bencher.iter_custom(|mut wanted| {
                let mut spent = Duration::ZERO;
                while wanted > 0 {
                    let steps = wanted.min((order.len() / workload.batch) as u64);
                    let start = Instant::now();
                    support::train(workload, &mut trainer, &data, &order[..steps as usize * workload.batch]);
                    spent += start.elapsed();
                    wanted -= steps;
                }
                spent
            });
        });
    }
    group.finish();
}

criterion_group!(benches, steps);
criterion_main!(benches);
