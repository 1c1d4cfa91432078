//! What the lab sees of primitives that are made of [`Shared`] and of wakers.

use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::panic::catch_unwind;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

use asupersync_core::{Cx, Outcome};
use asupersync_lab::explore::Explored;
use asupersync_lab::{Explore, Shared, pause};

/// What `main` returns in all runs, and the exploration.
fn outcomes<T, F>(explore: &Explore, main: F) -> (Explored, BTreeSet<T>)
where
    T: Ord + Send + 'static,
    F: for<'a> Program<&'a Cx, T> + Clone + Send + 'static,
{
    let outcomes = Arc::new(Mutex::new(BTreeSet::new()));
    let told = outcomes.clone();
    let found = explore.run(async move |cx: &Cx| {
        let value = main(cx).await?;
        told.lock().unwrap().insert(value);
        Ok(())
    });
    assert_eq!(found.failure, None);
    let outcomes = std::mem::take(&mut *outcomes.lock().unwrap_or_else(PoisonError::into_inner));
    (found, outcomes)
}

trait Program<A, T>: AsyncFnOnce(A) -> Outcome<T> + FnOnce(A) -> <Self as Program<A, T>>::Fut {
    type Fut: Future<Output = Outcome<T>> + Send;
}

impl<A, T, F, Fut> Program<A, T> for F
where
    F: AsyncFnOnce(A) -> Outcome<T> + FnOnce(A) -> Fut,
    Fut: Future<Output = Outcome<T>> + Send,
{
    type Fut = Fut;
}

/// The outcomes of all runs, which are those of all interleavings.
fn all<T, F>(main: F) -> (Explored, BTreeSet<T>)
where
    T: Ord + std::fmt::Debug + Send + 'static,
    F: for<'a> Program<&'a Cx, T> + Clone + Send + 'static,
{
    let (naive, every) = outcomes(&Explore::naive(), main.clone());
    assert!(naive.complete, "too large to try every interleaving");
    for explore in [Explore::source(), Explore::optimal()] {
        let (found, outcomes) = outcomes(&explore, main.clone());
        assert!(found.complete);
        assert_eq!(outcomes, every, "{explore:?}");
        assert!(found.traces <= naive.traces);
    }
    outcomes(&Explore::optimal(), main)
}

#[test]
fn who_only_looks_is_not_tried_in_other_orders() {
    let program = |looks: bool| {
        let explore = Explore::optimal();
        let (found, _) = outcomes(&explore, async move |cx: &Cx| {
            let value = Arc::new(Shared::new(0));
            for _ in 0..3 {
                let value = value.clone();
                cx.spawn_future("uses", async move {
                    if looks {
                        assert_eq!(*value.read(), 0);
                    } else {
                        *value.lock() += 1;
                    }
                    pause().await;
                });
            }
            pause().await;
            let seen = *value.read();
            Ok(seen)
        });
        found.traces
    };
    // Each ends, and its region counts that; besides, only writers are told apart.
    assert!(program(true) < program(false), "{} and {}", program(true), program(false));
}

#[test]
fn a_wake_is_seen_though_nothing_else_is_shared() {
    // How often main is polled depends on where the wakes fall, and its waker is all that they touch.
    let (_, polls) = all(async |cx: &Cx| {
        let task = poll_fn(|task| Poll::Ready(task.waker().clone())).await;
        let tasks = [task.clone(), task].map(|waker| {
            cx.spawn_future("wakes", async move {
                waker.wake_by_ref();
                pause().await;
                waker.wake();
            })
        });
        let (mut polls, [one, two]) = (0, tasks);
        let mut ended = pin!(async {
            one.join().await?;
            two.join().await
        });
        let counted = poll_fn(|task| {
            polls += 1;
            ended.as_mut().poll(task)
        });
        counted.await?;
        Ok(polls)
    });
    assert!(polls.len() > 2, "{polls:?}");
}

/// A handle to what ends with its last one: the count is locked in each drop, so that it is seen who is last.
struct Handle {
    counts: Arc<Shared<(usize, Vec<&'static str>)>>,
    name: &'static str,
}

impl Drop for Handle {
    fn drop(&mut self) {
        let mut counts = self.counts.lock();
        counts.0 -= 1;
        if counts.0 == 0 {
            counts.1.push(self.name);
        }
    }
}

#[test]
fn destructors_are_part_of_the_step_that_runs_them() {
    let (_, last) = all(async |cx: &Cx| {
        let counts = Arc::new(Shared::new((3, Vec::new())));
        let tasks = ["one", "two", "three"].map(|name| {
            let handle = Handle { counts: counts.clone(), name };
            cx.spawn(name, async move |_| {
                let _handle = handle;
            })
        });
        for task in tasks {
            task.join().await?;
        }
        let last = counts.read().1.clone();
        Ok(last)
    });
    assert!(last.len() == 3, "{last:?}");
}

#[test]
fn who_locks_it_twice_waits_for_ever_and_is_told_where() {
    let found = Explore::optimal().run(async |_: &Cx| {
        let value = Shared::new(0);
        let first = value.lock();
        let second = value.read();
        assert_eq!(*first, *second);
        Ok(())
    });
    let message = found.failure.expect("it cannot go on").message;
    assert!(
        message.contains("shared.rs") && message.contains("locked already, by the same step"),
        "{message}"
    );
}

#[test]
fn beside_the_lab_it_is_a_mutex() {
    let value = Arc::new(Shared::new(0));
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| (0..1000).for_each(|_| *value.lock() += 1));
        }
    });
    let other = value.clone();
    let panicked = catch_unwind(move || {
        let _held = other.lock();
        panic!("while it is held");
    });
    assert!(panicked.is_err());
    assert_eq!(*value.read(), 4000);
    let value = Arc::try_unwrap(value).expect("the last");
    assert_eq!(value.into_inner(), 4000);
}

#[test]
fn a_list_of_wakers_is_seen_as_it_is_used() {
    // A flag with a list of wakers: whoever sets it wakes all, in the order in which they came.
    #[derive(Default)]
    struct Flag {
        set: bool,
        waiters: Vec<Waker>,
    }
    let (_, seen) = all(async |cx: &Cx| {
        let flag = Arc::new(Shared::new(Flag::default()));
        let order = Arc::new(Shared::new(Vec::new()));
        for name in ["one", "two"] {
            let (flag, order) = (flag.clone(), order.clone());
            drop(cx.spawn(name, async move |_| {
                poll_fn(|task| {
                    let mut flag = flag.lock();
                    if flag.set {
                        return Poll::Ready(());
                    }
                    flag.waiters.push(task.waker().clone());
                    Poll::Pending
                })
                .await;
                order.lock().push(name);
            }));
        }
        pause().await;
        let woken = {
            let mut flag = flag.lock();
            flag.set = true;
            std::mem::take(&mut flag.waiters)
        };
        let waited = woken.len();
        woken.into_iter().for_each(Waker::wake);
        pause().await;
        let order = order.read().clone();
        Ok((waited, order))
    });
    assert!(
        seen.iter().any(|(waited, _)| *waited == 0) && seen.iter().any(|(waited, _)| *waited == 2),
        "{seen:?}"
    );
}
