//! The wait for the system's events, and what ends it.

use std::io;
use std::time::Duration;

use mio::{Events, Poll, Registry, Token, Waker};

const WAKE: Token = Token(usize::MAX);

/// Where one thread at a time waits, and where events come out.
pub(super) struct Wait {
    poll: Poll,
    events: Events,
}

impl Wait {
    pub(super) fn new() -> io::Result<(Self, Bell)> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKE)?;
        Ok((Wait { poll, events: Events::with_capacity(1024) }, Bell(waker)))
    }

    pub(super) fn registry(&self) -> &Registry {
        self.poll.registry()
    }

    /// Waits for events or the bell, at most for `wait`.
    pub(super) fn wait(&mut self, wait: Option<Duration>) {
        if let Err(error) = self.poll.poll(&mut self.events, wait) {
            self.events.clear();
            if error.kind() != io::ErrorKind::Interrupted {
                eprintln!("asupersync: cannot wait for readiness: {error}");
            }
        }
    }

    /// What came.
    pub(super) fn events(&mut self) -> &mut Events {
        &mut self.events
    }
}

/// Ends the present wait, or the next.
pub(super) struct Bell(Waker);

impl Bell {
    pub(super) fn ring(&self) {
        // It fails only when the system is out of resources; the wait then ends by its own time.
        self.0.wake().unwrap_or_else(|error| eprintln!("asupersync: cannot wake the reactor: {error}"));
    }
}
