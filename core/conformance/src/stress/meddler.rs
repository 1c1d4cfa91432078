//! What is done from threads outside of the runtime.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use asupersync_core::{Cx, Handle, Reason, ReasonKind};

use super::world::World;

/// One thing to be done there.
pub(super) enum Meddle {
    Request(Handle<()>, ReasonKind),
    Drop(Pin<Box<dyn Future<Output = ()> + Send>>),
    Spawn(Cx),
    Ring,
}

impl Meddle {
    fn happen(self, world: &World) {
        match self {
            Meddle::Request(handle, kind) => handle.request_cancel(Reason::new(kind)),
            // What is in it may panic on purpose.
            Meddle::Drop(future) => drop(catch_unwind(AssertUnwindSafe(|| drop(future)))),
            Meddle::Spawn(cx) => {
                let alive = world.actors.one();
                drop(cx.spawn("from outside", async move |cx: &Cx| {
                    cx.yield_now().await?;
                    drop(alive);
                    Ok(())
                }));
            }
            Meddle::Ring => world.bell.notify_waiters(),
        }
    }
}

impl World {
    /// Has it done by a thread, or at once where there are none.
    pub(super) fn meddle(&self, meddle: Meddle) {
        let meddlers = self.meddlers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match meddlers {
            Some(meddlers) => meddlers.send(meddle).expect("they stay until the root is closed"),
            None => meddle.happen(self),
        }
    }
}

/// The threads of one round.
pub(super) struct Meddlers(Vec<JoinHandle<()>>);

impl Meddlers {
    pub(super) fn start(world: &Arc<World>, count: usize) -> Meddlers {
        if count == 0 {
            return Meddlers(Vec::new());
        }
        let (tx, rx) = channel();
        *world.meddlers.lock().unwrap_or_else(PoisonError::into_inner) = Some(tx);
        let rx = Arc::new(Mutex::new(rx));
        let meddle = |_| {
            let (world, rx) = (world.clone(), rx.clone());
            thread::spawn(move || {
                while let Some(meddle) = next(&rx) {
                    meddle.happen(&world);
                }
            })
        };
        Meddlers((0..count).map(meddle).collect())
    }

    /// Waits until all is done.
    pub(super) fn stop(self, world: &World) {
        let tx = world.meddlers.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(tx);
        for thread in self.0 {
            thread.join().expect("meddling does not panic");
        }
    }
}

fn next(rx: &Mutex<Receiver<Meddle>>) -> Option<Meddle> {
    rx.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}
