//! A broadcast, as far as its receivers' wakers go.

use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use asupersync_core::Cx;
use asupersync_core::channel::broadcast;
use asupersync_lab::explore::Explored;
use asupersync_lab::{Shared, pause};

use crate::{Trial, Variant};

#[derive(Default)]
struct State {
    values: Vec<u32>,
    receiver: Option<Waker>,
}

struct Rebuilt {
    state: Shared<State>,
    /// The waker that a new one replaces is dropped under the lock.
    drops_locked: bool,
}

/// The one or the other.
enum Channel {
    Rebuilt(Rebuilt),
    Ours(broadcast::Sender<u32>),
}

impl Channel {
    fn poll_recv(&self, ours: &mut broadcast::Receiver<u32>, task: &mut Context<'_>) -> Poll<()> {
        let Channel::Rebuilt(channel) = self else {
            return ours.poll_recv(task).map(drop);
        };
        let mut state = channel.state.lock();
        if state.values.pop().is_some() {
            return Poll::Ready(());
        }
        let replaced = state.receiver.replace(task.waker().clone());
        if channel.drops_locked {
            drop(replaced);
            return Poll::Pending;
        }
        drop(state);
        drop(replaced);
        Poll::Pending
    }

    fn send(&self, value: u32) {
        match self {
            Channel::Rebuilt(channel) => {
                let mut state = channel.state.lock();
                state.values.push(value);
                let woken = state.receiver.take();
                drop(state);
                woken.into_iter().for_each(Waker::wake);
            }
            Channel::Ours(tx) => drop(tx.send(value)),
        }
    }

    fn len(&self) -> usize {
        match self {
            Channel::Rebuilt(channel) => channel.state.read().values.len(),
            Channel::Ours(tx) => tx.len(),
        }
    }
}

/// A waker that comes back to the channel when it is dropped.
struct Looks(Arc<Channel>);

impl Wake for Looks {
    fn wake(self: Arc<Self>) {}
}

impl Drop for Looks {
    fn drop(&mut self) {
        self.0.len();
    }
}

/// Tokio #5578: the last waker of a receiver was dropped while the channel was locked.
pub(crate) fn waker_comes_back(trial: &Trial) -> Explored {
    let variant = trial.variant;
    trial.run(async move |cx: &Cx| {
        let (tx, mut rx) = broadcast::channel(2);
        let channel = Arc::new(match variant {
            Variant::Ours => Channel::Ours(tx),
            _ => Channel::Rebuilt(Rebuilt {
                state: Shared::default(),
                drops_locked: variant == Variant::Buggy,
            }),
        });
        let other = channel.clone();
        let send = cx.spawn("send", async move |_| other.send(1));
        let looks = Waker::from(Arc::new(Looks(channel.clone())));
        pause().await;
        if channel.poll_recv(&mut rx, &mut Context::from_waker(&looks)).is_pending() {
            drop(looks);
            pause().await;
            std::future::poll_fn(|task| channel.poll_recv(&mut rx, task)).await;
        }
        send.join().await
    })
}
