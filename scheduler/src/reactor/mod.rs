//! Sockets over the system's readiness queue: each source is registered once, edge-triggered, for
//! both directions, and deregistered when dropped.

mod net;
mod readiness;
mod source;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mio::event::Source as MioSource;
use mio::{Events, Interest, Poll, Registry, Token, Waker};
use slab::Slab;

pub(crate) use net::NativeNet;
use readiness::Readiness;
pub(crate) use source::Source;

const WAKE: Token = Token(usize::MAX);

/// Where sources are registered. Shared by all threads.
pub(crate) struct Reactor {
    registry: Registry,
    waker: Waker,
    sources: Mutex<Slab<Arc<Readiness>>>,
}

/// Where events come out. Used by one thread at a time.
pub(crate) struct Turn {
    poll: Poll,
    events: Events,
}

impl Reactor {
    pub(crate) fn new() -> io::Result<(Self, Turn)> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKE)?;
        let registry = poll.registry().try_clone()?;
        let turn = Turn { poll, events: Events::with_capacity(1024) };
        Ok((Reactor { registry, waker, sources: Mutex::new(Slab::new()) }, turn))
    }

    fn sources(&self) -> MutexGuard<'_, Slab<Arc<Readiness>>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the present wait, or the next.
    pub(crate) fn wake(&self) {
        // It fails only when the system is out of resources; the wait then ends by its own time.
        self.waker.wake().unwrap_or_else(|error| eprintln!("asupersync: cannot wake the reactor: {error}"));
    }

    fn register(
        &self,
        source: &mut impl MioSource,
        interest: Interest,
    ) -> io::Result<(usize, Arc<Readiness>)> {
        let readiness = Arc::new(Readiness::new());
        let key = self.sources().insert(readiness.clone());
        match self.registry.register(source, Token(key), interest) {
            Ok(()) => Ok((key, readiness)),
            Err(error) => {
                self.sources().remove(key);
                Err(error)
            }
        }
    }

    fn deregister(&self, source: &mut impl MioSource, key: usize) {
        // The system forgets a closed descriptor by itself, so a failure here changes nothing.
        drop(self.registry.deregister(source));
        let readiness = self.sources().try_remove(key);
        drop(readiness);
    }
}

impl Turn {
    /// Waits for events, at most for `wait`.
    pub(crate) fn wait(&mut self, wait: Option<Duration>) {
        if let Err(error) = self.poll.poll(&mut self.events, wait) {
            self.events.clear();
            if error.kind() != io::ErrorKind::Interrupted {
                eprintln!("asupersync: cannot wait for readiness: {error}");
            }
        }
    }

    /// Tells the sources of their events. A stale event for a token that was given out again is
    /// harmless: it costs one attempt that finds nothing.
    pub(crate) fn dispatch(&mut self, reactor: &Reactor) {
        for event in &self.events {
            let readiness = reactor.sources().get(event.token().0).cloned();
            if let Some(readiness) = readiness {
                readiness.tell(event);
            }
        }
        self.events.clear();
    }
}
