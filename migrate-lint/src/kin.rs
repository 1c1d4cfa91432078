//! The functions that start tasks, and what owns what they start.

/// What owns a started task, besides its handle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    /// Only the handle that is returned.
    Handle,
    /// A `JoinSet` or `JoinMap`.
    JoinSet,
    /// A `LocalSet`.
    LocalSet,
    /// A `TaskTracker`.
    TaskTracker,
}

/// A function that starts a task.
#[derive(Clone, Copy, Debug)]
pub struct Kin {
    /// Its public path.
    pub path: &'static str,
    /// What owns the task.
    pub owner: Owner,
    /// It runs a blocking function, which cannot be cancelled once it runs.
    pub blocking: bool,
}

const fn of(path: &'static str, owner: Owner, blocking: bool) -> Kin {
    Kin { path, owner, blocking }
}

/// All of them, by path.
pub const ALL: &[Kin] = &[
    of("tokio::runtime::Handle::spawn", Owner::Handle, false),
    of("tokio::runtime::Handle::spawn_blocking", Owner::Handle, true),
    of("tokio::runtime::LocalRuntime::spawn_blocking", Owner::Handle, true),
    of("tokio::runtime::LocalRuntime::spawn_local", Owner::Handle, false),
    of("tokio::runtime::Runtime::spawn", Owner::Handle, false),
    of("tokio::runtime::Runtime::spawn_blocking", Owner::Handle, true),
    of("tokio::task::Builder::spawn", Owner::Handle, false),
    of("tokio::task::Builder::spawn_blocking", Owner::Handle, true),
    of("tokio::task::Builder::spawn_blocking_on", Owner::Handle, true),
    of("tokio::task::Builder::spawn_local", Owner::Handle, false),
    of("tokio::task::Builder::spawn_local_on", Owner::LocalSet, false),
    of("tokio::task::Builder::spawn_on", Owner::Handle, false),
    of("tokio::task::JoinSet::spawn", Owner::JoinSet, false),
    of("tokio::task::JoinSet::spawn_blocking", Owner::JoinSet, true),
    of("tokio::task::JoinSet::spawn_blocking_on", Owner::JoinSet, true),
    of("tokio::task::JoinSet::spawn_local", Owner::JoinSet, false),
    of("tokio::task::JoinSet::spawn_local_on", Owner::JoinSet, false),
    of("tokio::task::JoinSet::spawn_on", Owner::JoinSet, false),
    of("tokio::task::LocalSet::spawn_local", Owner::LocalSet, false),
    of("tokio::task::join_set::Builder::spawn", Owner::JoinSet, false),
    of("tokio::task::join_set::Builder::spawn_blocking", Owner::JoinSet, true),
    of("tokio::task::join_set::Builder::spawn_blocking_on", Owner::JoinSet, true),
    of("tokio::task::join_set::Builder::spawn_local", Owner::JoinSet, false),
    of("tokio::task::join_set::Builder::spawn_on", Owner::JoinSet, false),
    of("tokio::task::spawn", Owner::Handle, false),
    of("tokio::task::spawn_blocking", Owner::Handle, true),
    of("tokio::task::spawn_local", Owner::Handle, false),
    of("tokio_util::task::LocalPoolHandle::spawn_pinned", Owner::Handle, false),
    of("tokio_util::task::LocalPoolHandle::spawn_pinned_by_idx", Owner::Handle, false),
    of("tokio_util::task::join_map::JoinMap::spawn", Owner::JoinSet, false),
    of("tokio_util::task::join_map::JoinMap::spawn_blocking", Owner::JoinSet, true),
    of("tokio_util::task::join_map::JoinMap::spawn_blocking_on", Owner::JoinSet, true),
    of("tokio_util::task::join_map::JoinMap::spawn_local", Owner::JoinSet, false),
    of("tokio_util::task::join_map::JoinMap::spawn_local_on", Owner::JoinSet, false),
    of("tokio_util::task::join_map::JoinMap::spawn_on", Owner::JoinSet, false),
    of("tokio_util::task::task_tracker::TaskTracker::spawn", Owner::TaskTracker, false),
    of("tokio_util::task::task_tracker::TaskTracker::spawn_blocking", Owner::TaskTracker, true),
    of("tokio_util::task::task_tracker::TaskTracker::spawn_blocking_on", Owner::TaskTracker, true),
    of("tokio_util::task::task_tracker::TaskTracker::spawn_local", Owner::TaskTracker, false),
    of("tokio_util::task::task_tracker::TaskTracker::spawn_local_on", Owner::TaskTracker, false),
    of("tokio_util::task::task_tracker::TaskTracker::spawn_on", Owner::TaskTracker, false),
];

/// The one of this path.
pub fn find(path: &str) -> Option<&'static Kin> {
    ALL.binary_search_by(|kin| kin.path.cmp(path)).ok().map(|i| &ALL[i])
}

/// Whether the function of this path starts a task.
pub fn is_spawn(path: &str) -> bool {
    find(path).is_some()
}

/// The path by which people know a function.
pub fn shown(path: &str) -> &str {
    match path {
        "tokio::task::spawn" => "tokio::spawn",
        path => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(ALL.is_sorted_by_key(|kin| kin.path));
        assert!(is_spawn("tokio::task::spawn") && !is_spawn("std::thread::spawn"));
    }
}
