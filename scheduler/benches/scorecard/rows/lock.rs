//! Row 9: a mutex and a semaphore that serve in the order of arrival, wanted by eight tasks.
//!
//! Whoever has it lets others run before it gives it back, so the others do wait.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use asupersync::Cx;
use asupersync::sync::{Mutex, Semaphore};
use tokio::sync as theirs;

use crate::measure::{Figures, Measure};
use crate::peer::{Foreign, Peer, Smol, TokioCt, TokioMt, ours};

const TASKS: u64 = 8;

macro_rules! ours {
    ($times:expr, $new:expr, |$cx:ident, $lock:ident| $take:expr) => {{
        let times = $times;
        ours(async move |cx: &Cx| {
            let (measure, lock, count) = (Measure::start(), Arc::new($new), Arc::new(AtomicU64::new(0)));
            let tasks: Vec<_> = (0..TASKS)
                .map(|_| {
                    let ($lock, count) = (lock.clone(), count.clone());
                    cx.spawn("takes", async move |$cx| {
                        for _ in 0..times {
                            let _held = $take.await?;
                            // Nobody else adds meanwhile.
                            let before = count.load(Ordering::Relaxed);
                            $cx.yield_now().await?;
                            count.store(before + 1, Ordering::Relaxed);
                        }
                        Ok(())
                    })
                })
                .collect();
            for task in tasks {
                task.join().await?;
            }
            assert_eq!(count.load(Ordering::Relaxed), TASKS * times);
            Ok(measure.over(TASKS * times))
        })
    }};
}

pub(super) fn contended(peer: Peer, scale: u64) -> Figures {
    let times = 50_000 / scale;
    let (mutex, semaphore) = match peer {
        Peer::Ours => (
            ours!(times, Mutex::new(()), |cx, lock| lock.lock(cx)),
            ours!(times, Semaphore::new(1), |cx, lock| lock.acquire(cx, 1)),
        ),
        Peer::Tokio => (
            foreign::<TokioMt>(theirs::Mutex::new(()), times),
            foreign::<TokioMt>(theirs::Semaphore::new(1), times),
        ),
        Peer::TokioCt => (
            foreign::<TokioCt>(theirs::Mutex::new(()), times),
            foreign::<TokioCt>(theirs::Semaphore::new(1), times),
        ),
        Peer::Smol => (
            foreign::<Smol>(async_lock::Mutex::new(()), times),
            foreign::<Smol>(async_lock::Semaphore::new(1), times),
        ),
        other => unreachable!("no row runs {} here", other.name()),
    };
    vec![mutex[0], semaphore[0]]
}

/// What the foreign locks have in common.
trait Lock: Send + Sync + 'static {
    type Held<'a>: Send;

    fn take(&self) -> impl Future<Output = Self::Held<'_>> + Send;
}

macro_rules! lock {
    ($lock:ty, $held:ident $(<$of:ty>)?, $take:ident $(.$or:ident)?) => {
        impl Lock for $lock {
            type Held<'a> = $held<'a $(, $of)?>;

            async fn take(&self) -> Self::Held<'_> {
                self.$take().await$(.$or("nobody closes it"))?
            }
        }
    };
}

type TokioGuard<'a, T> = theirs::MutexGuard<'a, T>;
type TokioPermit<'a> = theirs::SemaphorePermit<'a>;
type SmolGuard<'a, T> = async_lock::MutexGuard<'a, T>;
type SmolPermit<'a> = async_lock::SemaphoreGuard<'a>;

lock!(theirs::Mutex<()>, TokioGuard<()>, lock);
lock!(theirs::Semaphore, TokioPermit, acquire.expect);
lock!(async_lock::Mutex<()>, SmolGuard<()>, lock);
lock!(async_lock::Semaphore, SmolPermit, acquire);

fn foreign<P: Foreign>(lock: impl Lock, times: u64) -> Figures {
    P::run(async move |peer| {
        let (measure, lock, count) = (Measure::start(), Arc::new(lock), Arc::new(AtomicU64::new(0)));
        let tasks: Vec<_> = (0..TASKS)
            .map(|_| {
                let (lock, count) = (lock.clone(), count.clone());
                peer.spawn(async move {
                    for _ in 0..times {
                        let _held = lock.take().await;
                        // Nobody else adds meanwhile.
                        let before = count.load(Ordering::Relaxed);
                        P::yield_now().await;
                        count.store(before + 1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await;
        }
        assert_eq!(count.load(Ordering::Relaxed), TASKS * times);
        measure.over(TASKS * times)
    })
}
