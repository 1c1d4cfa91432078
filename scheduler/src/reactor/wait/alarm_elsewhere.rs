//! [`Alarm`] where the system has no timer that is a source of events: the thread that waits is woken, and
//! waits anew.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mio::Registry;

use super::Bell;

pub(super) struct Alarm(Arc<Mutex<Option<Instant>>>);

pub(super) struct Until(Arc<Mutex<Option<Instant>>>);

impl Alarm {
    pub(super) fn new(_: &Registry) -> io::Result<(Self, Until)> {
        let until = Arc::default();
        Ok((Alarm(Arc::clone(&until)), Until(until)))
    }

    pub(super) fn set(&self, after: Duration, bell: &Bell) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now().checked_add(after);
        bell.ring();
    }
}

impl Until {
    pub(super) fn wait(&self) -> Option<Duration> {
        let mut until = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = until.map(|until| until.saturating_duration_since(Instant::now()));
        if wait == Some(Duration::ZERO) {
            *until = None;
        }
        wait
    }
}
