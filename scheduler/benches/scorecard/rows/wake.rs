//! Row 6: a thread that is none of the runtime's wakes a task of a runtime that sleeps.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use asupersync::Cx;

use crate::measure::{Figures, percentiles, spin_until};
use crate::peer::{Foreign, Peer, on, ours};

/// Long enough for every runtime to have gone to sleep.
const EVERY: Duration = Duration::from_micros(500);

/// Where the outside leaves the intended times of its wakes: the same for all, so that only wakes differ.
#[derive(Default)]
struct Slot(Mutex<(Vec<Instant>, Option<Waker>)>);

impl Slot {
    fn put(&self, intended: Instant) {
        let waker = {
            let mut slot = self.0.lock().expect("nobody panics here");
            slot.0.push(intended);
            slot.1.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    async fn next(&self) -> Vec<Instant> {
        poll_fn(|task| {
            let mut slot = self.0.lock().expect("nobody panics here");
            if slot.0.is_empty() {
                slot.1 = Some(task.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(std::mem::take(&mut slot.0))
        })
        .await
    }

    async fn lateness(self: Arc<Self>, wakes: u32) -> Figures {
        let outside = self.clone();
        std::thread::spawn(move || {
            let begin = Instant::now();
            for n in 1..=wakes {
                let intended = begin + EVERY * n;
                spin_until(intended);
                outside.put(intended);
            }
        });
        let mut late = Vec::new();
        while late.len() < wakes as usize {
            late.extend(self.next().await.into_iter().map(|intended| intended.elapsed()));
        }
        percentiles(late)
    }
}

pub(super) fn from_outside(peer: Peer, scale: u64) -> Figures {
    let wakes = u32::try_from(2000 / scale).expect("a small number");
    on!(peer, ours: ours(async move |_: &Cx| Ok(Arc::new(Slot::default()).lateness(wakes).await)), foreign(wakes))
}

fn foreign<P: Foreign>(wakes: u32) -> Figures {
    P::run(move |_| Arc::new(Slot::default()).lateness(wakes))
}
