//! A channel whose receiver can close it: it is told of the end when nothing is queued and nobody holds room.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use asupersync_core::channel::mpsc;
use asupersync_core::{Cx, Outcome};
use asupersync_lab::explore::Explored;
use asupersync_lab::{Shared, pause};

use crate::{Trial, Variant};

struct State {
    room: usize,
    capacity: usize,
    closed: bool,
    /// Who waits for room, and how much is missing yet.
    waiting: VecDeque<(u64, usize, Waker)>,
    next: u64,
    receiver: Option<Waker>,
}

#[derive(Clone)]
struct Channel(Arc<Shared<State>>);

impl Channel {
    fn new(capacity: usize) -> Self {
        let waiting = VecDeque::new();
        let state = State { room: capacity, capacity, closed: false, waiting, next: 0, receiver: None };
        Channel(Arc::new(Shared::new(state)))
    }

    fn reserve(&self, wants: usize) -> Reserve<'_> {
        Reserve { channel: self, wants, id: None, held: 0 }
    }

    /// Room comes back. `tells` says whether the receiver hears of it if it is the last.
    fn give_back(&self, mut room: usize, tells: bool) {
        let (mut state, mut woken) = (self.0.lock(), Vec::new());
        while let Some((_, missing, _)) = state.waiting.front_mut()
            && room > 0
        {
            let given = room.min(*missing);
            room -= given;
            *missing -= given;
            if *missing > 0 {
                break;
            }
            woken.extend(state.waiting.pop_front().map(|(_, _, waker)| waker));
        }
        state.room += room;
        if tells && state.closed && state.room == state.capacity {
            woken.extend(state.receiver.take());
        }
        drop(state);
        woken.into_iter().for_each(Waker::wake);
    }

    fn close(&self) {
        let mut state = self.0.lock();
        state.closed = true;
        let woken: Vec<Waker> = state.waiting.iter().map(|(_, _, waker)| waker.clone()).collect();
        drop(state);
        woken.into_iter().for_each(Waker::wake);
    }

    /// Waits for the end: nobody sends here.
    async fn ended(&self) {
        poll_fn(|task| {
            let mut state = self.0.lock();
            if state.closed && state.room == state.capacity {
                return Poll::Ready(());
            }
            state.receiver = Some(task.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// Takes the room that there is, and waits for the rest. Fails when the channel is closed. Dropped, it gives
/// back what it has.
struct Reserve<'a> {
    channel: &'a Channel,
    wants: usize,
    id: Option<u64>,
    /// Taken at once.
    held: usize,
}

impl Future for Reserve<'_> {
    type Output = bool;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<bool> {
        let mut state = self.channel.0.lock();
        if state.closed {
            return Poll::Ready(false);
        }
        match self.id {
            None => {
                let taken = state.room.min(self.wants);
                state.room -= taken;
                let missing = self.wants - taken;
                if missing > 0 {
                    let id = state.next;
                    state.next += 1;
                    state.waiting.push_back((id, missing, task.waker().clone()));
                    drop(state);
                    (self.id, self.held) = (Some(id), taken);
                    return Poll::Pending;
                }
            }
            Some(id) if state.waiting.iter().any(|(other, ..)| *other == id) => return Poll::Pending,
            Some(_) => {}
        }
        drop(state);
        // It is the caller's from here on.
        (self.wants, self.id, self.held) = (0, None, 0);
        Poll::Ready(true)
    }
}

impl Reserve<'_> {
    /// What it has had up to now; it leaves the queue.
    fn leave(&mut self) -> usize {
        let Some(id) = self.id.take() else { return 0 };
        let mut state = self.channel.0.lock();
        let at = state.waiting.iter().position(|(other, ..)| *other == id);
        let missing = at.and_then(|at| state.waiting.remove(at)).map_or(0, |(_, missing, _)| missing);
        self.wants - missing
    }
}

/// Closes, and waits for the end.
async fn receive(channel: Channel) {
    channel.close();
    channel.ended().await;
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    /// A permit that is dropped unsent does not tell the receiver.
    DropsInSilence,
    /// One that is released does not.
    ReleasesInSilence,
}

/// Room for one value, as its owner has it.
struct Permit {
    channel: Channel,
    flaw: Flaw,
    released: bool,
}

impl Permit {
    fn release(mut self) {
        self.released = true;
        self.channel.give_back(1, self.flaw != Flaw::ReleasesInSilence);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.released {
            self.channel.give_back(1, self.flaw != Flaw::DropsInSilence);
        }
    }
}

/// A permit is given back, and the receiver has closed the channel or does so. Of ours, a permit keeps the
/// channel open as a sender does, and the receiver has to hear of the last.
fn given_back(trial: &Trial, flaw: Flaw) -> Explored {
    let variant = trial.variant;
    trial.run(async move |cx: &Cx| {
        let releases = flaw == Flaw::ReleasesInSilence;
        if variant == Variant::Ours {
            return ours(cx, releases).await;
        }
        let (channel, flaw) = (Channel::new(1), if variant == Variant::Buggy { flaw } else { Flaw::None });
        assert!(channel.reserve(1).await);
        let permit = Permit { channel: channel.clone(), flaw, released: false };
        let receiver = cx.spawn("receive", async move |_| receive(channel).await);
        pause().await;
        if releases {
            permit.release()
        } else {
            drop(permit)
        }
        receiver.join().await
    })
}

async fn ours(cx: &Cx, releases: bool) -> Outcome {
    let (tx, mut rx) = mpsc::channel::<u32>(1);
    let permit = tx.with_permit(cx, async |permit| {
        let (permit, done) = permit.detach();
        done.with(permit)
    });
    let permit = permit.await?;
    drop(tx);
    let receiver = cx.spawn("receive", async move |cx| Ok(rx.recv(cx).await?));
    pause().await;
    if releases {
        permit.abort()
    } else {
        drop(permit)
    }
    assert_eq!(receiver.join().await?, None);
    Ok(())
}

/// Tokio #2854: a permit that was dropped unsent gave its room back, and did not look whether the receiver
/// waits for just that.
pub(crate) fn dropped_after_the_close(trial: &Trial) -> Explored {
    given_back(trial, Flaw::DropsInSilence)
}

/// Tokio #8075: the same in the method that releases an owned permit.
pub(crate) fn released_after_the_close(trial: &Trial) -> Explored {
    given_back(trial, Flaw::ReleasesInSilence)
}

/// Tokio #8260: as #2854, for the part of the room that a reservation of many has had before the close.
pub(crate) fn many_after_the_close(trial: &Trial) -> Explored {
    let tells = trial.variant != Variant::Buggy;
    trial.run(async move |cx: &Cx| {
        let channel = Channel::new(2);
        assert!(channel.reserve(1).await);
        let (many, receiver) = (channel.clone(), channel.clone());
        let many = cx.spawn("many", async move |_| {
            let mut reserve = many.reserve(2);
            let reserved = Pin::new(&mut reserve).await;
            let room = if reserved { 2 } else { reserve.leave() };
            // What was reserved is dropped as a permit is, which tells in each variant.
            many.give_back(room, reserved || tells);
        });
        let receiver = cx.spawn("receive", async move |_| receive(receiver).await);
        pause().await;
        channel.give_back(1, true);
        many.join().await?;
        receiver.join().await
    })
}
