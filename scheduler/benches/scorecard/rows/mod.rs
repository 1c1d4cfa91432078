//! The workloads. Frozen: change one, and older figures mean nothing.
//!
//! Each has its effect asserted, on every peer: what was sent arrived, what was spawned ran, what
//! was cancelled is gone. Only what the body measures counts, not the start of the runtime.

mod bare;
mod cancel;
mod channel;
mod echo;
mod http;
mod idle;
mod lanes;
mod lock;
mod memory;
mod region;
pub(crate) mod sized;
mod spawn;
mod timer;
mod wake;

use crate::measure::Figures;
use crate::peer::{ALL, ALL_AND_LOCAL, Peer};

/// One workload.
pub(crate) struct Row {
    /// The scorecard's number.
    pub(crate) number: u8,
    pub(crate) name: &'static str,
    pub(crate) metrics: &'static [Metric],
    /// Beside ours.
    pub(crate) peers: &'static [Peer],
    /// What a round of it takes, about, on two quiet cores.
    pub(crate) seconds: u64,
    /// Does the work, divided by a scale, and returns a figure for each metric.
    pub(crate) run: fn(Peer, u64) -> Figures,
}

/// One figure of a row; less is better.
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    /// What our ratio to Tokio's multi-thread runtime is to be, at most.
    pub(crate) tokio: Option<f64>,
    /// What our ratio to the best peer is to be, at most.
    pub(crate) best: Option<f64>,
    /// What our own figure is to be, where there is no peer.
    pub(crate) bound: Option<Bound>,
    /// It says how much was measured: more is neither better nor worse.
    pub(crate) is_count: bool,
}

/// A bound on a figure of ours.
#[derive(Clone, Copy)]
pub(crate) enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Bound {
    pub(crate) fn value(self) -> f64 {
        let (Bound::AtMost(value) | Bound::AtLeast(value)) = self;
        value
    }

    pub(crate) fn holds(self, figure: f64) -> bool {
        match self {
            Bound::AtMost(most) => figure <= most,
            Bound::AtLeast(least) => figure >= least,
        }
    }
}

const fn metric(name: &'static str, unit: &'static str) -> Metric {
    Metric { name, unit, tokio: None, best: None, bound: None, is_count: false }
}

impl Metric {
    const fn tokio(self, ratio: f64) -> Self {
        Metric { tokio: Some(ratio), ..self }
    }

    const fn best(self, ratio: f64) -> Self {
        Metric { best: Some(ratio), ..self }
    }

    const fn count(self) -> Self {
        Metric { is_count: true, ..self }
    }

    const fn bound(self, bound: Bound) -> Self {
        Metric { bound: Some(bound), ..self }
    }
}

use Peer::{Compio, Flume, Glommio, Kanal, Monoio, OneLane, Raw, Smol, Tokio, TokioCt};

pub(crate) const ROWS: &[Row] = &[
    Row {
        number: 1,
        name: "spawn",
        metrics: &[metric("spawn and join", "ns").tokio(0.4).best(0.8), metric("spawn and join", "CPU ns")],
        peers: ALL_AND_LOCAL,
        seconds: 6,
        run: spawn::joined,
    },
    Row {
        number: 2,
        name: "remote-spawn",
        metrics: &[
            metric("spawn from outside", "ns").tokio(0.4).best(0.9),
            metric("spawn from outside", "CPU ns"),
        ],
        peers: ALL,
        seconds: 2,
        run: spawn::remote,
    },
    Row {
        number: 3,
        name: "chain",
        metrics: &[metric("chained spawn", "ns").tokio(0.6).best(0.9), metric("chained spawn", "CPU ns")],
        peers: ALL,
        seconds: 3,
        run: spawn::chained,
    },
    Row {
        number: 4,
        name: "ping-pong",
        metrics: &[
            metric("a pair and two oneshots", "ns").tokio(0.55).best(0.85),
            metric("a pair and two oneshots", "CPU ns"),
        ],
        peers: ALL,
        seconds: 1,
        run: channel::ping_pong,
    },
    Row {
        number: 5,
        name: "yield",
        metrics: &[
            metric("yield, 1000 tasks", "ns").tokio(0.8).best(0.8),
            metric("yield, 1000 tasks", "CPU ns"),
        ],
        peers: ALL_AND_LOCAL,
        seconds: 1,
        run: spawn::yields,
    },
    Row {
        number: 6,
        name: "wake",
        metrics: &[
            metric("wake from outside, parked, p50", "us").tokio(0.5).best(1.0),
            metric("wake from outside, parked, p99", "us").tokio(0.5).best(1.0),
        ],
        peers: ALL,
        seconds: 10,
        run: wake::from_outside,
    },
    Row {
        number: 7,
        name: "mpsc",
        metrics: &[
            metric("mpsc of 1024, 1 sender", "ns").tokio(0.5).best(1.1),
            metric("mpsc of 1024, 4 senders", "ns").tokio(0.5).best(1.1),
            metric("mpsc unbounded", "ns").tokio(0.5).best(1.1),
        ],
        peers: &[Tokio, TokioCt, Smol, Kanal, Flume],
        seconds: 3,
        run: channel::mpsc,
    },
    Row {
        number: 8,
        name: "sync",
        metrics: &[
            metric("geometric mean of the next four", "ns").tokio(0.8).best(0.8),
            metric("oneshot, there", "ns"),
            metric("watch, 100 receivers", "ns"),
            metric("broadcast, 100 receivers", "ns"),
            metric("notify_waiters, 100 waiters", "ns"),
        ],
        peers: &[Tokio],
        seconds: 1,
        run: channel::others,
    },
    Row {
        number: 9,
        name: "lock",
        metrics: &[
            metric("mutex, 8 tasks", "ns").tokio(0.6).best(0.8),
            metric("semaphore, 8 tasks", "ns").tokio(0.6).best(0.8),
        ],
        peers: &[Tokio, TokioCt, Smol],
        seconds: 2,
        run: lock::contended,
    },
    Row {
        number: 10,
        name: "timer",
        metrics: &[
            metric("timer set and dropped, single", "ns").tokio(0.2),
            metric("timer set and dropped, many live", "ns").tokio(0.6),
        ],
        // Not glommio, one task of which can have no more than 32,767 wakers.
        peers: &[Tokio, TokioCt, Smol, Monoio, Compio],
        seconds: 5,
        run: timer::dropped,
    },
    Row {
        number: 11,
        name: "expire",
        metrics: &[
            metric("200,000 expiries a second", "CPU ns").tokio(0.6),
            metric("their lateness, p50", "us").tokio(0.1),
            metric("their lateness, p99", "us"),
        ],
        peers: &[Tokio, TokioCt, Smol, Monoio, Compio, Glommio],
        seconds: 9,
        run: timer::expired,
    },
    Row {
        number: 12,
        name: "echo",
        metrics: &[
            metric("echo of 64 B, 64 connections, one core", "CPU ns").tokio(0.85).best(0.92),
            metric("echo of 64 B, 64 connections, one core", "ns"),
        ],
        peers: &[Tokio, TokioCt, Smol, Monoio, Compio, Glommio, Raw],
        seconds: 24,
        run: echo::many,
    },
    Row {
        number: 13,
        name: "echo-one",
        metrics: &[
            metric("echo of 64 B, one connection, p50", "us").tokio(0.9).best(1.0),
            metric("echo of 64 B, one connection, p99", "us").tokio(0.9).best(1.0),
        ],
        peers: &[Tokio, TokioCt, Smol, Monoio, Compio, Glommio, Raw],
        seconds: 10,
        run: echo::one,
    },
    Row {
        number: 14,
        name: "http1",
        metrics: &[
            metric("hyper, HTTP/1.1, 64 connections, one core", "CPU ns").best(0.95),
            metric("hyper, HTTP/1.1, 64 connections, one core", "ns"),
        ],
        peers: &[Tokio, TokioCt],
        seconds: 6,
        run: http::one,
    },
    Row {
        number: 14,
        name: "http1-served",
        metrics: &[
            metric("the same by a server that ends gracefully", "CPU ns").best(0.95),
            metric("the same by a server that ends gracefully", "ns"),
        ],
        peers: &[Tokio, TokioCt],
        seconds: 6,
        run: http::one_served,
    },
    Row {
        number: 15,
        name: "http2",
        metrics: &[
            metric("hyper, HTTP/2, 64 streams, one core", "CPU ns").best(0.97),
            metric("hyper, HTTP/2, 64 streams, one core", "ns"),
        ],
        peers: &[Tokio, TokioCt],
        seconds: 9,
        run: http::two,
    },
    Row {
        number: 16,
        name: "bytes",
        metrics: &[metric("an idle task", "bytes").tokio(0.3).best(1.05)],
        peers: &[Tokio, TokioCt, Smol],
        seconds: 6,
        run: memory::idle_tasks,
    },
    Row {
        number: 16,
        name: "connection-bytes",
        metrics: &[metric("an idle connection", "bytes").tokio(0.36).best(0.8)],
        peers: &[Tokio, TokioCt, Smol],
        seconds: 2,
        run: memory::idle_connections,
    },
    Row {
        number: 17,
        name: "region",
        metrics: &[
            metric("open, 8 children, join, close", "ns").tokio(0.5),
            metric("open, 8 children, join, close", "CPU ns"),
        ],
        peers: &[Tokio, TokioCt],
        seconds: 2,
        run: region::of_eight,
    },
    Row {
        number: 18,
        name: "cancel",
        metrics: &[
            metric("cancel among 100k ready, outside, p50", "us").tokio(0.001).best(1.0),
            metric("cancel among 100k ready, outside, p99", "us").tokio(0.001).best(1.0),
            metric("cancel among 100k ready, inside, p50", "us").best(1.0),
            metric("cancel among 100k ready, inside, p99", "us").best(1.0),
            metric("of so many, outside", "samples").count(),
            metric("of so many, inside", "samples").count(),
        ],
        peers: &[Tokio, TokioCt, Smol],
        seconds: 12,
        run: cancel::one_of_many,
    },
    Row {
        number: 19,
        name: "drain",
        metrics: &[metric("cancel and join 100k", "ns a task").tokio(0.5).best(0.8)],
        peers: ALL,
        seconds: 1,
        run: cancel::all,
    },
    Row {
        number: 20,
        name: "idle",
        metrics: &[
            metric("idle for a second with 10k tasks", "wake-ups").bound(Bound::AtMost(0.0)),
            metric("idle for a second with 10k tasks", "CPU us"),
            metric("others' share of the polls in a cancel flood", "share").bound(Bound::AtLeast(1.0 / 17.0)),
        ],
        peers: &[],
        seconds: 3,
        run: idle::idle,
    },
    Row {
        number: 20,
        name: "lanes",
        metrics: &[
            metric("spawn and join, beside no lanes", "CPU ns").best(1.02),
            metric("yield, beside no lanes", "CPU ns").best(1.02),
            metric("echo, beside no lanes", "CPU ns").best(1.02),
        ],
        peers: &[OneLane],
        seconds: 7,
        run: lanes::tax,
    },
    Row {
        number: 21,
        name: "bare",
        metrics: &[
            metric("a task in a region, more than a bare one, native", "ns").bound(Bound::AtMost(150.0)),
            metric("a task in a region, more than a bare one, on Tokio", "ns").bound(Bound::AtMost(150.0)),
            metric("a task in a region, native, one core", "ns"),
            metric("a bare cell in a ring, one core", "ns"),
            metric("a task in a region, on Tokio, one core", "ns"),
            metric("tokio::spawn, one core", "ns"),
        ],
        peers: &[],
        seconds: 3,
        run: bare::beside_bare,
    },
];
