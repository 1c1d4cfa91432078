//! Sockets over the system's readiness queue: each source is registered once, edge-triggered, for
//! both directions, and deregistered when dropped.

mod net;
mod readiness;
mod source;
mod udp;
#[cfg_attr(loom, path = "wait_loom.rs")]
mod wait;

#[cfg(all(test, loom))]
mod loom;

use std::io;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use mio::event::Source as MioSource;
use mio::{Interest, Registry, Token};
use slab::Slab;

use crate::primitive::{Mutex, MutexGuard, PoisonError};
pub(crate) use net::NativeNet;
use readiness::Readiness;
pub(crate) use source::Source;
use wait::{Bell, Wait};

/// Where sources are registered. Shared by all threads.
pub(crate) struct Reactor {
    registry: Registry,
    bell: Bell,
    sources: Mutex<Slab<Arc<Readiness>>>,
}

/// Where events come out. Used by one thread at a time.
pub(crate) struct Turn {
    wait: Wait,
}

impl Reactor {
    pub(crate) fn new() -> io::Result<(Self, Turn)> {
        let (wait, bell) = Wait::new()?;
        let registry = wait.registry().try_clone()?;
        Ok((Reactor { registry, bell, sources: Mutex::new(Slab::new()) }, Turn { wait }))
    }

    fn sources(&self) -> MutexGuard<'_, Slab<Arc<Readiness>>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the present wait, or the next.
    pub(crate) fn wake(&self) {
        self.bell.ring();
    }

    /// Ends the wait that goes on in so much time, or the first after that. Only the last alarm that was set
    /// goes off.
    pub(crate) fn set_alarm(&self, after: Duration) {
        self.bell.ring_after(after);
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
    /// Takes the events that there are; if it is to wait, then until there are some.
    pub(crate) fn wait(&mut self, wait: bool) {
        self.wait.wait(wait);
    }

    /// Tells the sources of their events, and collects who waited for them. A stale event for a token that was
    /// given out again is harmless: it costs one attempt that finds nothing.
    pub(crate) fn dispatch(&mut self, reactor: &Reactor, woken: &mut Vec<Waker>) {
        let events = self.wait.events();
        if events.is_empty() {
            return;
        }
        let sources = reactor.sources();
        for event in &*events {
            if let Some(readiness) = sources.get(event.token().0) {
                readiness.tell(event, woken);
            }
        }
        drop(sources);
        events.clear();
    }
}
