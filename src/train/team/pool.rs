//! Thread pools with as many threads as the system grants; a container or a user may have a limit.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use rayon::{ThreadBuilder, ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

/// Starts up to `threads` threads, each of which waits to join a pool. Since they exist before the pool is built, building it
/// cannot fail for lack of threads.
fn started(threads: usize, name: &str) -> Vec<Sender<ThreadBuilder>> {
    let start = |number: usize| {
        let (sender, receiver): (Sender<ThreadBuilder>, Receiver<ThreadBuilder>) = channel();
        let work = move || {
            if let Ok(member) = receiver.recv() {
                member.run();
            }
        };
        thread::Builder::new().name(format!("{name}-{number}")).spawn(work).ok().map(|_| sender)
    };
    (0..threads).map_while(start).collect()
}

/// A pool of at least two and at most `threads` threads; `None` if the system grants fewer.
pub(super) fn granted(threads: usize, name: &str) -> Option<ThreadPool> {
    let members = started(threads, name);
    if members.len() < 2 {
        return None;
    }
    let pool = ThreadPoolBuilder::new().num_threads(members.len());
    pool.spawn_handler(|member| hand_over(&members, member)).build().ok()
}

fn hand_over(members: &[Sender<ThreadBuilder>], member: ThreadBuilder) -> std::io::Result<()> {
    members[member.index()].send(member).map_err(|_| std::io::ErrorKind::WouldBlock.into())
}

/// Gives rayon's global pool, which reads and prepares data, up to `threads` threads. If the system grants none, it runs on the
/// caller's thread. Does nothing if the pool exists already.
pub fn limit_global_pool(threads: usize) {
    let members = started(threads, "gradlane-data");
    let pool = ThreadPoolBuilder::new();
    let _: Result<(), ThreadPoolBuildError> = match members.len() {
        0 => pool.num_threads(1).use_current_thread().build_global(),
        count => pool.num_threads(count).spawn_handler(|member| hand_over(&members, member)).build_global(),
    };
}
