//! Clocks, and what a workload makes of them.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// One number for each metric of a row.
pub(crate) type Figures = Vec<f64>;

/// A throughput measurement under way.
pub(crate) struct Measure {
    wall: Instant,
    cpu: f64,
}

impl Measure {
    pub(crate) fn start() -> Self {
        Measure { wall: Instant::now(), cpu: cpu_ns() }
    }

    /// Nanoseconds for one operation, on the clock and on all CPUs of this process.
    pub(crate) fn over(self, operations: u64) -> Figures {
        let wall_ns = self.wall.elapsed().as_nanos() as f64;
        let (cpu_ns, operations) = (cpu_ns() - self.cpu, operations as f64);
        vec![wall_ns / operations, cpu_ns / operations]
    }
}

/// CPU time of all threads of this process.
pub(crate) fn cpu_ns() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// The p50 and p99 of waits, in microseconds.
pub(crate) fn percentiles(mut waits: Vec<Duration>) -> Figures {
    assert!(!waits.is_empty());
    waits.sort_unstable();
    let at = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize].as_nanos() as f64 / 1e3;
    vec![at(0.5), at(0.99)]
}

/// Bytes of memory that this process has in use, as the system counts them.
pub(crate) fn resident_bytes() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux tells a process its memory");
    let pages: f64 =
        statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("statm has this field");
    pages * rustix::param::page_size() as f64
}

/// Waits for a point of time without giving up the core: a sleep is late by tens of microseconds.
pub(crate) fn spin_until(deadline: Instant) {
    while let Some(left) = deadline.checked_duration_since(Instant::now()) {
        if left > Duration::from_micros(200) {
            std::thread::sleep(left - Duration::from_micros(150));
        } else {
            std::hint::spin_loop();
        }
    }
}
