//! The barrier and the work stealing of training under a scheduler that decides which member takes the next step. It tries every order of
//! the steps where there are few, and many random orders where there are more. Memory is sequentially consistent here; what processors
//! and compilers may reorder is for ThreadSanitizer (`.ci/sanitize`).
//!
//! `cargo run --release --manifest-path tests/model/Cargo.toml` ends with an error, and the order that leads to it, at the first fault.

use std::process::{Command, Stdio};

use shuttle::scheduler::{DfsScheduler, PctScheduler, RandomScheduler, Scheduler};
use shuttle::sync::Arc;
use shuttle::sync::atomic::{AtomicUsize, Ordering};
use shuttle::{Config, FailurePersistence, Runner, thread};

use barrier::Barrier;
use pieces::{Cut, Pieces};
use team::Member;

#[allow(dead_code, reason = "the models call a part of it")]
#[path = "../../../src/train/team/barrier.rs"]
mod barrier;
#[allow(dead_code, reason = "the models call a part of it")]
#[path = "../../../src/train/pieces.rs"]
mod pieces;

/// In place of what members wait with: the scheduler's.
pub mod sync {
    pub use shuttle::sync::{Condvar, Mutex, atomic};
    pub use shuttle::{hint, thread};
    pub use std::sync::PoisonError;

    /// A member sleeps at once. To look again would only repeat its last step.
    pub const LOOKS: usize = 0;

    pub struct Padded<T>(pub T);
}

mod team {
    pub use crate::sync;

    /// A member of a team of `count` members.
    #[derive(Clone, Copy)]
    pub struct Member<'a> {
        pub index: usize,
        pub count: usize,
        pub barrier: &'a crate::Barrier,
    }

    impl Member<'_> {
        pub fn count(self) -> usize {
            self.count
        }
    }
}

mod kernel {
    pub mod gemm {
        pub const WIDEST: usize = 3;
    }
}

/// Runs `work` in every member of a team; the scheduler begins with all of them.
fn team(members: usize, work: impl Fn(Member<'_>) + Send + Sync + 'static) {
    let (barrier, work) = (Arc::new(Barrier::new(members, false)), Arc::new(work));
    let threads: Vec<_> = (0..members)
        .map(|index| {
            let (barrier, work) = (Arc::clone(&barrier), Arc::clone(&work));
            thread::spawn(move || work(Member { index, count: members, barrier: &barrier }))
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().expect("no member panics"));
}

/// Nobody passes before all have come, in each of `rounds`, and no waking is lost: a member that sleeps for ever is a deadlock, which the
/// scheduler reports.
fn rounds_are_kept_apart(members: usize, rounds: usize) {
    let arrived = Arc::new(AtomicUsize::new(0));
    team(members, move |member| {
        for round in 1..=rounds {
            arrived.fetch_add(1, Ordering::Relaxed);
            member.barrier.wait();
            let found = arrived.load(Ordering::Relaxed);
            assert!(found >= round * members, "round {round}: passed after {found} arrivals");
        }
    });
}

/// A member that panics lets go of those that wait.
fn a_panic_releases_all(members: usize) {
    let barrier = Arc::new(Barrier::new(members, false));
    let waiting: Vec<_> = (1..members)
        .map(|_| {
            let barrier = Arc::clone(&barrier);
            thread::spawn(move || std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| barrier.wait())).is_err())
        })
        .collect();
    barrier.poison();
    assert!(waiting.into_iter().all(|thread| thread.join().unwrap()), "a member passed though another had panicked");
}

/// Every piece is done once in each round, whoever takes it.
fn pieces_are_done_once(members: usize, each: usize, rounds: usize) {
    let pieces = Arc::new(Pieces::new(members));
    let done: Arc<Vec<AtomicUsize>> = Arc::new((0..members * each).map(|_| AtomicUsize::new(0)).collect());
    let after = Arc::clone(&done);
    team(members, move |member| {
        for round in 0..rounds {
            if round > 0 {
                member.barrier.wait();
                pieces.refill(member);
                member.barrier.wait();
            }
            let owned = |owner: usize| owner * each..(owner + 1) * each;
            pieces.each(member, owned, Cut::Singles, |items| {
                items.for_each(|item| drop(done[item].fetch_add(1, Ordering::Relaxed)));
            });
        }
    });
    for (item, times) in after.iter().enumerate() {
        assert_eq!(times.load(Ordering::Relaxed), rounds, "item {item}");
    }
}

/// Makes runs by a scheduler until it has no more orders.
fn check(what: &str, scheduler: impl Scheduler + 'static, work: impl Fn() + Send + Sync + 'static) {
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::None; // the message of a panic says what went wrong
    println!("{what}: {} orders", Runner::new(scheduler, config).run(work));
}

/// The checks in which members panic, which the scheduler tells on standard error each time.
fn check_panics() {
    check("barrier, 2 members of which one panics, all orders", DfsScheduler::new(None, false), || {
        a_panic_releases_all(2)
    });
    check("barrier, 3 members of which one panics", RandomScheduler::new(20_000), || a_panic_releases_all(3));
}

fn main() {
    if std::env::args().nth(1).as_deref() == Some("panics") {
        return check_panics();
    }
    let (many, all) = (20_000, || DfsScheduler::new(None, false));
    check("barrier, 2 members, all orders", all(), || rounds_are_kept_apart(2, 1));
    check("pieces, 2 members, all orders", all(), || pieces_are_done_once(2, 2, 1));
    check("barrier, 3 members", RandomScheduler::new(many), || rounds_are_kept_apart(3, 3));
    check("barrier, 3 members, few preemptions", PctScheduler::new(4, many), || rounds_are_kept_apart(3, 3));
    check("pieces, 3 members", RandomScheduler::new(many), || pieces_are_done_once(3, 4, 2));
    check("pieces, 3 members, few preemptions", PctScheduler::new(4, many), || pieces_are_done_once(3, 4, 2));
    let this = std::env::current_exe().expect("this program has a path");
    let panics = Command::new(this).arg("panics").stderr(Stdio::null()).status().expect("this program can be run");
    assert!(panics.success(), "run it with the argument `panics` for the messages");
}
