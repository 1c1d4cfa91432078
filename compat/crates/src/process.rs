//! What the process has: counted, not assumed.

use std::fmt;
use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Threads and file descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Has {
    threads: usize,
    fds: usize,
}

impl Has {
    /// Of this process, now, without the host's own threads.
    pub fn now() -> Has {
        let fds = fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
        let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
        // The host keeps its own for jobs that block, and ends them when it likes.
        let guests = threads.filter(|thread| {
            let name = fs::read_to_string(thread.path().join("comm"));
            name.is_ok_and(|name| !name.starts_with("asupersync"))
        });
        Has { threads: guests.count(), fds }
    }

    /// What there is more than `before`: nothing at all, or what is left of it after `limit`. Blocks.
    pub fn more_than(before: Has, limit: Duration) -> Has {
        let give_up = Instant::now() + limit;
        loop {
            let now = Has::now();
            let (threads, fds) =
                (now.threads.saturating_sub(before.threads), now.fds.saturating_sub(before.fds));
            if (threads, fds) == (0, 0) || Instant::now() > give_up {
                return Has { threads, fds };
            }
            // a wait, not a synchronisation: nobody tells when the system is done
            sleep(Duration::from_millis(2));
        }
    }

    /// Nothing at all.
    pub fn is_nothing(self) -> bool {
        self == Has { threads: 0, fds: 0 }
    }
}

impl fmt::Display for Has {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} threads, {} fds", self.threads, self.fds)
    }
}
