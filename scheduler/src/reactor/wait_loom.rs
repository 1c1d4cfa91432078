//! What `wait.rs` is under loom, which knows nothing of the system: a wait for the bell alone. One that is to
//! ring some time rings at once: in a model, time passes whenever nothing else happens.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use mio::{Events, Poll, Registry};

use crate::primitive::{Condvar, Mutex};

#[derive(Default)]
struct Rung {
    rung: Mutex<bool>,
    changed: Condvar,
}

pub(super) struct Wait {
    poll: Poll,
    events: Events,
    rung: Arc<Rung>,
}

impl Wait {
    pub(super) fn new() -> io::Result<(Self, Bell)> {
        let rung = Arc::<Rung>::default();
        Ok((Wait { poll: Poll::new()?, events: Events::with_capacity(1), rung: rung.clone() }, Bell(rung)))
    }

    pub(super) fn registry(&self) -> &Registry {
        self.poll.registry()
    }

    pub(super) fn wait(&mut self, wait: bool) {
        let mut rung = self.rung.rung.lock().unwrap();
        while !*rung && wait {
            rung = self.rung.changed.wait(rung).unwrap();
        }
        *rung = false;
    }

    pub(super) fn events(&mut self) -> &mut Events {
        &mut self.events
    }
}

pub(super) struct Bell(Arc<Rung>);

impl Bell {
    pub(super) fn ring(&self) {
        *self.0.rung.lock().unwrap() = true;
        self.0.changed.notify_one();
    }

    pub(super) fn ring_after(&self, _: Duration) {
        self.ring();
    }
}
