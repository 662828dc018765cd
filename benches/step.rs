//! One training step of the design's networks. Throughput counts samples.
//!
//! Steps are timed by the epoch, as many in one call as criterion asks for, so that waking the threads is not part of a
//! step.

mod support;

use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use support::Workload;

const WORKLOADS: [Workload; 5] = [
    Workload { layers: &[4, 16, 3], batch: 16, rows: 4096 },
    Workload { layers: &[64, 128, 64, 10], batch: 32, rows: 8192 },
    Workload { layers: &[784, 128, 10], batch: 32, rows: 16384 },
    Workload { layers: &[784, 256, 128, 10], batch: 128, rows: 16384 },
    Workload { layers: &[64, 256, 256, 256, 256, 256, 256, 10], batch: 256, rows: 16384 },
];

fn steps(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("step");
    for workload in &WORKLOADS {
        let data = workload.data();
        let order = workload.order();
        let mut trainer = workload.trainer();
        group.throughput(Throughput::Elements(workload.batch as u64));
        group.bench_function(workload.id(), |bencher| {
            bencher.iter_custom(|mut wanted| {
                let mut spent = Duration::ZERO;
                while wanted > 0 {
                    let steps = wanted.min((order.len() / workload.batch) as u64);
                    let start = Instant::now();
                    workload.train(&mut trainer, &data, &order[..steps as usize * workload.batch]);
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
