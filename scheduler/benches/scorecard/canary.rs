//! The canary: work that stays in registers, on as many threads as the workloads use. When it is
//! slow, somebody else has the cores, and what was measured beside it means nothing.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::peer::workers;

/// How much slower than the best one a canary may be.
const LIMIT: f64 = 1.15;
const STEPS: u64 = 8_000_000;

/// Tells disturbed rounds from quiet ones.
pub(crate) struct Canary {
    best: Duration,
}

impl Canary {
    pub(crate) fn new() -> Self {
        Canary { best: (0..10).map(|_| sing()).min().expect("ten songs") }
    }

    /// Whether the machine is quiet now.
    pub(crate) fn is_quiet(&mut self) -> bool {
        let song = sing();
        self.best = self.best.min(song);
        song.as_secs_f64() <= self.best.as_secs_f64() * LIMIT
    }
}

/// How long the slowest thread takes.
fn sing() -> Duration {
    let threads: Vec<_> = (0..workers())
        .map(|_| {
            std::thread::spawn(|| {
                let begin = Instant::now();
                let mut x = black_box(0x9E37_79B9_7F4A_7C15_u64);
                for _ in 0..STEPS {
                    x ^= x << 13;
                    x ^= x >> 7;
                    x ^= x << 17;
                }
                black_box(x);
                begin.elapsed()
            })
        })
        .collect();
    threads.into_iter().map(|thread| thread.join().expect("it only counts")).max().expect("a thread")
}
