//! Pools of as many threads as the system grants: a container or a user may have a limit.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use rayon::{ThreadBuilder, ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

/// Starts up to `threads` threads, each of which waits to be made one of a pool: those that there are before a pool is built can no
/// longer be refused to it.
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

/// A pool of up to `threads` threads, of two at least; `None` where the system grants fewer.
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

/// Gives rayon's global pool, which reads and prepares data, up to `threads` threads; where the system grants none, the caller's own.
/// Does nothing where there is such a pool already.
pub fn limit_global_pool(threads: usize) {
    let members = started(threads, "gradlane-data");
    let pool = ThreadPoolBuilder::new();
    let _: Result<(), ThreadPoolBuildError> = match members.len() {
        0 => pool.num_threads(1).use_current_thread().build_global(),
        count => pool.num_threads(count).spawn_handler(|member| hand_over(&members, member)).build_global(),
    };
}
