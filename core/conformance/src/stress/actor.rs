//! One actor: a body that does a few random things, most of which may be cancelled at any moment.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use asupersync_core::obligation::hold;
use asupersync_core::region::{Close, OnFailure};
use asupersync_core::{Budget, Cx, Error, Failure, Outcome, Reason, ReasonKind, Region};

use super::meddler::Meddle;
use super::random::Random;
use super::world::{Loan, World};
use super::{Bomb, PURPOSE};
use crate::probe::{HOUR, MS, breathe, poll_now};

type Act<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

const KINDS: [ReasonKind; 5] = [
    ReasonKind::RaceLost,
    ReasonKind::ClientDisconnected,
    ReasonKind::UserRequest,
    ReasonKind::Deadline,
    ReasonKind::Shutdown,
];

/// Does a few things, and ends.
pub(super) fn act(cx: &Cx, world: Arc<World>, mut random: Random, depth: u32) -> Act<'_> {
    Box::pin(async move {
        let _alive = world.actors.one();
        for _ in 0..random.below(7) {
            let stream = random.split();
            if depth > 0 && random.once_in(2) && world.has_room() {
                branch(cx, &world, stream, depth - 1).await?;
            } else {
                leaf(cx, &world, stream).await?;
            }
        }
        Ok(())
    })
}

/// Something with an actor inside.
async fn branch(cx: &Cx, world: &Arc<World>, mut random: Random, depth: u32) -> Outcome {
    let [mine, other, own] = [(); 3].map(|()| random.split());
    let inside = async |cx: &Cx| act(cx, world.clone(), mine, depth).await;
    match random.below(11) {
        0..=3 => {
            let world = world.clone();
            let shared = world.clone();
            let task = cx.spawn("actor", async move |cx: &Cx| act(cx, world, own, depth).await);
            if random.once_in(4) {
                drop(task.join().await);
            } else {
                shared.keep(&mut random, task);
            }
            Ok(())
        }
        4 => mostly_ok(region(&mut random).open(cx, inside).await),
        5 => mostly_ok(cx.timeout(MS(random.below(3)), inside).await),
        6 => mostly_ok(cx.race(inside, async |cx: &Cx| act(cx, world.clone(), other, depth).await).await),
        7 => mostly_ok(
            cx.join(inside, async |cx: &Cx| act(cx, world.clone(), other, depth).await).await.map(drop),
        ),
        8 if random.once_in(2) => mostly_ok(cx.shield(Budget::timeout(MS(random.below(3))), inside).await),
        8 => mostly_ok(cx.finish(inside).await),
        9 => {
            let world = world.clone();
            let child = region(&mut random).spork(cx, async move |cx: &Cx| act(cx, world, own, depth).await);
            match random.below(4) {
                0 => drop(child),
                1 => child.request_close(Reason::new(random.of(&KINDS))),
                2 => return mostly_ok(child.cancel(Budget::timeout(MS(random.below(3)))).await),
                _ => return mostly_ok(cx.timeout(MS(2), async |_: &Cx| child.join().await).await),
            }
            Ok(())
        }
        _ => {
            // Opened, and left where it waits; here, or on another thread.
            let (lent, world, shared) = (cx.clone(), world.clone(), world.clone());
            let region = region(&mut random);
            let mut open: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
                drop(region.open(&lent, async |cx: &Cx| act(cx, world.clone(), own, depth).await).await);
            });
            for _ in 0..random.below(3) {
                if poll_now(open.as_mut()).is_ready() {
                    return Ok(());
                }
                breathe().await;
            }
            if random.once_in(2) {
                shared.meddle(Meddle::Drop(open));
            }
            Ok(())
        }
    }
}

/// The outcome, but mostly without the failure of what was inside: or all would end soon.
fn mostly_ok(outcome: Outcome) -> Outcome {
    match outcome {
        Err(failure) if failure.as_cancelled().is_some() => Ok(()),
        Err(Failure::Panicked(panic)) if panic.message() == PURPOSE => Ok(()),
        Err(Failure::Err(_)) => Ok(()),
        outcome => outcome,
    }
}

fn region(random: &mut Random) -> asupersync_core::region::Builder {
    let mut region = Region::builder("region")
        .close(random.of(&[Close::Cancel, Close::Join]))
        .on_failure(random.of(&[OnFailure::CancelSiblings, OnFailure::Collect]))
        .finalize(Budget::timeout(MS(2)));
    if random.once_in(2) {
        region = region.drain(Budget::timeout(MS(random.below(3))));
    }
    if random.once_in(4) {
        region = region.budget(Budget::timeout(MS(random.below(4))));
    }
    if random.once_in(4) { region.in_flight() } else { region }
}

/// Something small.
async fn leaf(cx: &Cx, world: &Arc<World>, mut random: Random) -> Outcome {
    match random.below(22) {
        0 => cx.yield_now().await?,
        1 => cx.sleep(MS(random.below(3))).await?,
        2 => cx.sleep(HOUR).await?,
        3 => {
            let mut guard = world.lock.lock(cx).await?;
            *guard += 1;
            cx.yield_now().await?;
        }
        4 if random.once_in(2) => *world.shared.write(cx).await? += 1,
        4 => {
            let _guard = world.shared.read(cx).await?;
            breathe().await;
        }
        5 => {
            let _permit = world.permits.acquire(cx, 1 + random.below(2) as usize).await?;
            cx.yield_now().await?;
        }
        6 => world.bell.notify_one(),
        7 => drop(cx.timeout(MS(1), async |cx: &Cx| Ok(world.bell.notified(cx).await?)).await),
        8 => drop(world.tx.send(cx, world.values.one()).await),
        9 => {
            let sent = world.tx.with_permit(cx, async |permit| {
                breathe().await;
                permit.send(world.values.one())
            });
            sent.await?;
        }
        10 | 11 => {
            let receive = async |cx: &Cx| {
                let mut rx = world.rx.lock(cx).await?;
                rx.recv(cx).await?;
                Ok(())
            };
            drop(cx.timeout(MS(1), receive).await);
        }
        12 => {
            let committed = random.once_in(2);
            let held = hold(cx, world.lend(), async |lease| {
                cx.cancelled().await;
                if committed { lease.complete() } else { lease.abort() }
            });
            drop(cx.or_cancel(held).await);
        }
        13 => {
            let loan = detach(cx, world).await;
            match random.below(3) {
                0 => world.forget(loan),
                1 => drop(loan),
                _ => world.keep_loan(&mut random, loan),
            }
        }
        14 => drop(world.any_loan(&mut random).map(Loan::complete)),
        15 | 16 => defer(cx, world, &mut random).await,
        17 => {
            if let Some(task) = world.any_handle(&mut random) {
                match random.below(4) {
                    0 => task.request_cancel(Reason::new(random.of(&KINDS))),
                    1 => drop(task.cancel(Budget::timeout(MS(random.below(3)))).await),
                    2 => drop(cx.timeout(MS(1), async |_: &Cx| task.join().await).await),
                    _ => world.meddle(Meddle::Request(task, random.of(&KINDS))),
                }
            }
        }
        18 if random.once_in(2) => world.meddle(Meddle::Spawn(cx.clone())),
        18 => world.meddle(Meddle::Ring),
        19 => {
            let alive = world.actors.one();
            let unaware = cx.spawn_future("unaware", async move {
                let _alive = alive;
                std::future::pending::<()>().await;
            });
            world.keep(&mut random, unaware);
        }
        20 => match random.below(12) {
            0 => panic!("{PURPOSE}"),
            1 => return Err(Failure::Err(Error::msg(PURPOSE))),
            2 => {
                // Not by `?`: a panic in a local's drop leaks what was to be returned, says rustc's #47949.
                let bomb = Bomb;
                drop(cx.sleep(HOUR).await);
                drop(bomb);
            }
            _ => {}
        },
        _ => {
            let job = cx.spawn_blocking("job", std::thread::yield_now);
            world.keep(&mut random, job);
        }
    }
    Ok(())
}

async fn detach(cx: &Cx, world: &World) -> Loan {
    hold(cx, world.lend(), async |lease| {
        let (detached, done) = lease.detach();
        done.with(detached)
    })
    .await
}

/// Registers a finalizer of some kind.
async fn defer(cx: &Cx, world: &Arc<World>, random: &mut Random) {
    let (inner, kind) = (world.clone(), random.below(16));
    let loan = if kind < 4 { Some(detach(cx, world).await) } else { None };
    let finalizer = async move |cx: &Cx| -> Outcome {
        inner.note_begun();
        match kind {
            0..=3 => drop(loan.map(Loan::complete)),
            4..=6 => cx.yield_now().await?,
            7 | 8 => cx.sleep(MS(1)).await?,
            9 => {
                let late = inner.clone();
                if cx.defer(async move |_: &Cx| late.note_begun()).is_ok() {
                    inner.note_deferred();
                }
            }
            10 => return Err(Failure::Err(Error::msg(PURPOSE))),
            11 => panic!("{PURPOSE}"),
            12 => std::future::pending::<()>().await,
            13 => *inner.lock.lock(cx).await? += 1,
            _ => {}
        }
        Ok(())
    };
    if cx.defer(finalizer).is_ok() {
        world.note_deferred();
    }
}
