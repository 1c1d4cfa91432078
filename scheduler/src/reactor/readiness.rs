//! What a source's task and the reactor exchange.
//!
//! Each direction counts its edges. A task notes the count, tries, and if the system had nothing,
//! stores that count as exhausted: the direction is ready as long as the two differ. An edge that
//! comes between the attempt and the note changes the count, so it cannot be lost, and nothing is
//! ever cleared. The end of a direction is told by one edge only, which a partial read may use up;
//! so the number of that edge is kept, and holds until an attempt that began after it finds nothing.

use std::io;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, Waker};

use mio::event::Event;

use crate::primitive::{AtomicUsize, Mutex, PoisonError, SeqCst};

/// Both directions of a source.
pub(crate) struct Readiness {
    pub(crate) read: Direction,
    pub(crate) write: Direction,
}

/// One direction. One task at a time waits in it.
pub(crate) struct Direction {
    /// Edges, each so much as [`EDGE`], and [`WAITED`].
    edges: AtomicUsize,
    /// The last edge after which the system had nothing more. This and `denied` are for whoever polls alone.
    exhausted: AtomicUsize,
    /// The last edge that told of the direction's end: it stays ready, for whoever asks is told of
    /// the end at once. 0 when there was none.
    ended_at: AtomicUsize,
    /// The last edge before an attempt that found nothing.
    denied: AtomicUsize,
    waiting: Mutex<Option<Waker>>,
}

/// Somebody has waited in the direction. Each edge tells of both, and of most sources nobody ever waits to write.
const WAITED: usize = 1;
const EDGE: usize = 2;

impl Readiness {
    pub(crate) fn new() -> Self {
        Readiness { read: Direction::new(), write: Direction::new() }
    }

    /// Adds to `woken` who waits for this.
    pub(crate) fn tell(&self, event: &Event, woken: &mut Vec<Waker>) {
        let failed = event.is_error();
        if event.is_readable() || event.is_read_closed() || failed {
            woken.extend(self.read.tell(event.is_read_closed() || failed));
        }
        if event.is_writable() || event.is_write_closed() || failed {
            woken.extend(self.write.tell(event.is_write_closed() || failed));
        }
    }
}

impl Direction {
    pub(super) fn new() -> Self {
        // Ready at first: most first attempts succeed.
        Direction {
            edges: AtomicUsize::new(EDGE),
            exhausted: AtomicUsize::new(0),
            ended_at: AtomicUsize::new(0),
            denied: AtomicUsize::new(0),
            waiting: Mutex::new(None),
        }
    }

    /// Who waits in it, to be woken.
    pub(super) fn tell(&self, ended: bool) -> Option<Waker> {
        let before = self.edges.fetch_add(EDGE, SeqCst);
        if ended {
            self.ended_at.store((before & !WAITED) + EDGE, SeqCst);
        }
        // Whoever waits for the first time says so before it looks for edges again; but the end is told only now.
        if before & WAITED == 0 && !ended {
            return None;
        }
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn edges(&self) -> usize {
        self.edges.load(SeqCst) & !WAITED
    }

    fn is_ready(&self) -> bool {
        self.edges() != self.exhausted.load(Relaxed) || self.ended_at.load(SeqCst) > self.denied.load(Relaxed)
    }

    /// The first attempt must wait for an edge: a connection that is being made.
    pub(crate) fn wait_for_edge(&self) {
        self.exhausted.store(EDGE, Relaxed);
    }

    /// Tries `attempt` whenever the direction is ready. `drained` tells of a result after which
    /// the system has no more, so that the attempt that must fail is not made.
    pub(crate) fn poll<T>(
        &self,
        cx: &mut Context<'_>,
        mut attempt: impl FnMut() -> io::Result<T>,
        drained: impl Fn(&T) -> bool,
    ) -> Poll<io::Result<T>> {
        loop {
            if !self.is_ready() {
                if self.edges.load(SeqCst) & WAITED == 0 {
                    self.edges.fetch_or(WAITED, SeqCst);
                }
                let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                if !waiting.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                    let stale = waiting.replace(cx.waker().clone());
                    drop(waiting);
                    drop(stale);
                } else {
                    drop(waiting);
                }
                // An edge told before the waker was kept has woken nobody, but is seen here.
                if !self.is_ready() {
                    return Poll::Pending;
                }
            }
            let seen = self.edges();
            match attempt() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.denied.store(seen, Relaxed);
                    self.exhausted.store(seen, Relaxed);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(value) => {
                    if drained(&value) {
                        self.exhausted.store(seen, Relaxed);
                    }
                    return Poll::Ready(Ok(value));
                }
                error => return Poll::Ready(error),
            }
        }
    }
}
