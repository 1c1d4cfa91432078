//! Cancelling a future at every await.
//!
//! A play is run once undisturbed, and then once for each poll of that and each [`Attack`]. It runs in a
//! task of the host, so that its wakes are real ones. The region around the task waits for everybody in
//! it to end, so whoever is left blocked by the attack fails the case by never ending.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use asupersync_core::channel::oneshot;
use asupersync_core::region::Close;
use asupersync_core::{Cx, Handle, Outcome, Reason, ReasonKind, Region};

/// What is attacked.
pub type Play<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What happens to a play, and at which of its polls, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attack {
    /// Its task is put under Request just before that poll.
    Request(usize),
    /// The same, just after that poll: the request is what wakes it.
    RequestAfter(usize),
    /// It is dropped in place of that poll, for which it was woken; 0: it never begins.
    Drop(usize),
    /// It is dropped just after that poll, while it waits.
    DropAfter(usize),
}

/// How a play ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended<T> {
    /// Nobody disturbed it.
    Whole(T),
    /// It was put under Request, at some time before this.
    Requested(T),
    /// It was dropped.
    Dropped,
}

impl<T> Ended<T> {
    /// What it returned, unless it was dropped.
    pub fn value(&self) -> Option<&T> {
        match self {
            Ended::Whole(value) | Ended::Requested(value) => Some(value),
            Ended::Dropped => None,
        }
    }
}

/// More polls than that are no end.
const MOST: usize = 500;

/// Attacks what `play` makes, in every way at every poll. `play` is given the `Cx` of a region that is
/// not attacked, for others to be started in, who must come to their ends by themselves; and the `Cx` of
/// the task that is. `gone` is told of each end, when everybody has ended.
pub async fn at_every_await<T: Send + 'static>(
    cx: &Cx,
    play: impl Fn(Cx, Cx) -> Play<T>,
    gone: impl Fn(Ended<T>),
) -> Outcome {
    gone(run(cx, &play, None).await?.0);
    for attack in [Attack::Request, Attack::RequestAfter, Attack::Drop, Attack::DropAfter] {
        for poll in 0.. {
            assert!(poll < MOST, "{poll} polls did not end it");
            let (ended, attacked) = run(cx, &play, Some(attack(poll))).await?;
            gone(ended);
            if !attacked {
                break;
            }
        }
    }
    Ok(())
}

/// Runs it once; tells how it ended, and whether the attack came before that.
async fn run<T: Send + 'static>(
    cx: &Cx,
    play: &impl Fn(Cx, Cx) -> Play<T>,
    attack: Option<Attack>,
) -> Outcome<(Ended<T>, bool)> {
    // Whoever is in the midst of it has its handle, to ask itself.
    let handle: Arc<Mutex<Option<Handle<()>>>> = Arc::default();
    let asked = handle.clone();
    let ((lend, mut lent), (begin, mut begins)) = (oneshot::channel(), oneshot::channel());
    let (tell, mut told) = oneshot::channel();
    let region = Region::builder("attacked").close(Close::Join);
    region
        .open(cx, async |around: &Cx| {
            let victim = around.spawn("victim", async move |cx: &Cx| {
                drop(lend.send(cx.clone()));
                let play: Play<T> = begins.recv(cx).await?;
                let request = || {
                    let handle = asked.lock().unwrap_or_else(PoisonError::into_inner);
                    let handle = handle.as_ref().expect("it is there before the play begins");
                    handle.request_cancel(Reason::new(ReasonKind::UserRequest));
                };
                drop(tell.send(attacked(play, attack, request).await));
                Ok(())
            });
            let cx = lent.recv(around).await?;
            *handle.lock().unwrap_or_else(PoisonError::into_inner) = Some(victim);
            drop(begin.send(play(around.clone(), cx)));
            let ended = told.recv(around).await;
            let victim = handle.lock().unwrap_or_else(PoisonError::into_inner).take();
            victim.expect("only taken here").join().await?;
            Ok(ended?)
        })
        .await
}

async fn attacked<T>(play: Play<T>, attack: Option<Attack>, request: impl Fn()) -> (Ended<T>, bool) {
    let (mut play, mut polls, mut requested) = (Some(play), 0, false);
    poll_fn(|task| {
        let poll = polls;
        polls += 1;
        match attack {
            Some(Attack::Drop(at)) if at == poll => play = None,
            Some(Attack::Request(at)) if at == poll => {
                requested = true;
                request();
            }
            _ => {}
        }
        let Some(future) = &mut play else { return Poll::Ready((Ended::Dropped, true)) };
        if let Poll::Ready(value) = future.as_mut().poll(task) {
            play = None;
            return Poll::Ready((
                if requested { Ended::Requested(value) } else { Ended::Whole(value) },
                requested,
            ));
        }
        match attack {
            Some(Attack::DropAfter(at)) if at == poll => {
                play = None;
                return Poll::Ready((Ended::Dropped, true));
            }
            Some(Attack::RequestAfter(at)) if at == poll => {
                requested = true;
                request();
            }
            _ => {}
        }
        Poll::Pending
    })
    .await
}
