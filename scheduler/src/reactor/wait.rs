//! The wait for the system's events, and what ends it.

#[cfg_attr(not(target_os = "linux"), path = "wait/alarm_elsewhere.rs")]
mod alarm;

use std::io;
use std::time::Duration;

use mio::{Events, Poll, Registry, Token, Waker};

use alarm::{Alarm, Until};

const WAKE: Token = Token(usize::MAX);
const ALARM: Token = Token(usize::MAX - 1);

/// Where one thread at a time waits, and where events come out.
pub(super) struct Wait {
    poll: Poll,
    events: Events,
    until: Until,
}

impl Wait {
    pub(super) fn new() -> io::Result<(Self, Bell)> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKE)?;
        let (alarm, until) = Alarm::new(poll.registry())?;
        Ok((Wait { poll, events: Events::with_capacity(1024), until }, Bell { waker, alarm }))
    }

    pub(super) fn registry(&self) -> &Registry {
        self.poll.registry()
    }

    /// Takes the events that there are; if it is to wait, then until there are some, or the bell rings.
    pub(super) fn wait(&mut self, wait: bool) {
        let most = if wait { self.until.wait() } else { Some(Duration::ZERO) };
        if let Err(error) = self.poll.poll(&mut self.events, most) {
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
pub(super) struct Bell {
    waker: Waker,
    alarm: Alarm,
}

impl Bell {
    pub(super) fn ring(&self) {
        // It fails only when the system is out of resources; the wait then ends by its own time.
        self.waker.wake().unwrap_or_else(|error| eprintln!("asupersync: cannot wake the reactor: {error}"));
    }

    /// Rings in so much time, and not when it was told to before.
    pub(super) fn ring_after(&self, after: Duration) {
        self.alarm.set(after, self);
    }
}
