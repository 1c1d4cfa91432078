//! Which core is the server's and which the client's: the first and the last that this process may use.

use std::sync::OnceLock;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The cores that this process was started with, asked for before any thread is kept to one.
fn all() -> &'static [usize] {
    static ALL: OnceLock<Vec<usize>> = OnceLock::new();
    ALL.get_or_init(|| {
        let allowed = sched_getaffinity(None).expect("a thread knows its cores");
        (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core)).collect()
    })
}

/// Keeps this thread, and the threads and processes that it starts, to the server's core.
pub(crate) fn keep_to_servers() {
    keep_to(*all().first().expect("it runs on one"));
}

/// The client's core. A process inherits where its parent was kept to, so a client must be told.
pub(crate) fn of_clients() -> usize {
    *all().last().expect("it runs on one")
}

/// Keeps this thread to one core.
pub(crate) fn keep_to(core: usize) {
    all();
    let mut one = CpuSet::new();
    one.set(core);
    sched_setaffinity(None, &one).expect("the core is one of this machine's that we were given");
}
