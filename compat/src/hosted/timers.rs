//! Our timers on Tokio's clock: one task that sleeps until the wheel's next deadline.

use std::sync::{Arc, Mutex};
use std::task::Waker;

use asupersync_core::Time;
use asupersync_core::host::TimerKey;
use asupersync_scheduler::timer::{Key, Wheel};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::host::lock;

/// The timers of one host. Dropped, its task ends.
pub(super) struct Timers {
    shared: Arc<Shared>,
    task: AbortHandle,
}

struct Shared {
    start: Instant,
    state: Mutex<State>,
    /// A timer was set earlier than the end of the present sleep.
    sooner: Notify,
}

struct State {
    wheel: Wheel<Waker>,
    /// When the present sleep ends.
    until: u64,
}

impl Timers {
    pub(super) fn start(handle: &Handle) -> Self {
        let _context = handle.enter();
        let state = Mutex::new(State { wheel: Wheel::new(0), until: 0 });
        let shared = Arc::new(Shared { start: Instant::now(), state, sooner: Notify::new() });
        let task = handle.spawn(shared.clone().turn()).abort_handle();
        Timers { shared, task }
    }

    pub(super) fn now(&self) -> Time {
        Time::from_nanos(self.shared.now())
    }

    pub(super) fn add(&self, at: Time, waker: Waker) -> TimerKey {
        let mut state = lock(&self.shared.state);
        let key = state.wheel.insert(at.as_nanos(), waker);
        let sooner = at.as_nanos() < state.until;
        drop(state);
        if sooner {
            self.shared.sooner.notify_one();
        }
        TimerKey(key.to_bits())
    }

    pub(super) fn cancel(&self, key: TimerKey) {
        let waker = Key::from_bits(key.0).and_then(|key| lock(&self.shared.state).wheel.cancel(key));
        drop(waker);
    }

    /// Forgets all timers.
    pub(super) fn close(&self) {
        self.task.abort();
        let wheel = std::mem::replace(&mut lock(&self.shared.state).wheel, Wheel::new(0));
        drop(wheel);
    }
}

impl Drop for Timers {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    async fn turn(self: Arc<Self>) {
        let mut due = Vec::new();
        loop {
            let next = {
                let mut state = lock(&self.state);
                state.wheel.advance(self.now(), &mut due);
                let next = state.wheel.next_deadline();
                state.until = next.unwrap_or(u64::MAX);
                next
            };
            due.drain(..).for_each(|(_, waker)| waker.wake());
            match next {
                Some(next) => {
                    let deadline = self.start + std::time::Duration::from_nanos(next);
                    tokio::select! {
                        () = tokio::time::sleep_until(deadline) => {}
                        () = self.sooner.notified() => {}
                    }
                }
                None => self.sooner.notified().await,
            }
        }
    }
}
