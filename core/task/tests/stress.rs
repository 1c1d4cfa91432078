//! Everything at once on real threads: each future, output and meta is
//! dropped exactly once, and every task ends.
#![cfg(not(loom))]

mod common;

use asupersync_task::{JoinError, JoinHandle, Runnable, Schedule, TaskRef, Wake, new};
use common::{Count, Counter, Lock, count, counter};
use std::collections::VecDeque;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;

/// Fewer under an interpreter or an emulator.
fn rounds() -> usize {
    match std::env::var("STRESS_ROUNDS") {
        Ok(rounds) => rounds.parse().expect("STRESS_ROUNDS is a number"),
        Err(_) if cfg!(miri) => 40,
        Err(_) => 20_000,
    }
}

#[derive(Default)]
struct Pool {
    /// `Wake` decides the queue, so that a promoted task is in both.
    queues: [Lock<VecDeque<Runnable<Meta>>>; 2],
    closed: AtomicBool,
    steps: AtomicUsize,
}

struct Meta(Arc<Pool>, #[allow(dead_code, reason = "counts its drop")] Count);

impl Schedule for Meta {
    fn schedule(&self, runnable: Runnable<Self>, why: Wake) {
        let queue = &self.0.queues[usize::from(why == Wake::Promote)];
        if !self.0.closed.load(Ordering::SeqCst) {
            queue.with(|queue| queue.push_back(runnable));
        }
    }
}

impl Pool {
    fn step(&self) -> bool {
        let which = self.steps.fetch_add(1, Ordering::Relaxed);
        let queue = |n: usize| self.queues[n % 2].with(VecDeque::pop_front);
        let Some(runnable) = queue(which).or_else(|| queue(which + 1)) else {
            return false;
        };
        if which % 97 == 13 {
            drop(runnable);
        } else {
            let _ = runnable.run();
        }
        true
    }
}

/// Ready after some polls; leaves its waker where others find it.
struct Work {
    polls: usize,
    wakers: Arc<Lock<Vec<Waker>>>,
    output: Option<Count>,
    _dropped: Count,
}

impl Future for Work {
    type Output = Count;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Count> {
        if self.polls == 0 {
            return Poll::Ready(self.output.take().expect("polled after it was ready"));
        }
        self.polls -= 1;
        if self.polls.is_multiple_of(3) {
            cx.waker().wake_by_ref();
        } else {
            let waker = cx.waker().clone();
            self.wakers.with(|wakers| wakers.push(waker));
        }
        Poll::Pending
    }
}

#[derive(Default)]
struct Ends {
    taken: usize,
    shut_down: usize,
    detached: usize,
}

fn spawn_and_disturb(
    pool: &Arc<Pool>,
    wakers: &Arc<Lock<Vec<Waker>>>,
    [futures, outputs, metas]: [&Counter; 3],
    rounds: usize,
) -> Ends {
    let mut ends = Ends::default();
    let mut open: VecDeque<(TaskRef<Meta>, JoinHandle<Count, Meta>)> = VecDeque::new();
    for round in 0..rounds {
        let work = Work {
            polls: round % 5,
            wakers: wakers.clone(),
            output: Some(Count(outputs.clone())),
            _dropped: Count(futures.clone()),
        };
        let (runnable, handle) = new(work, Meta(pool.clone(), Count(metas.clone())));
        let task = handle.task();
        runnable.schedule();
        if round % 4 == 1 {
            task.promote();
        }
        if round % 11 == 3 {
            drop(handle);
            ends.detached += 1;
        } else {
            open.push_back((task, handle));
        }
        let waker = wakers.with(Vec::pop);
        waker.into_iter().for_each(Waker::wake);
        if round % 3 == 0 {
            pool.step();
        }
        if open.len() > 16 {
            end(open.pop_front().unwrap(), round, pool, &mut ends);
        }
    }
    let left = open.len();
    open.into_iter().for_each(|open| end(open, left, pool, &mut ends));
    ends
}

fn end(
    (task, mut handle): (TaskRef<Meta>, JoinHandle<Count, Meta>),
    round: usize,
    pool: &Pool,
    ends: &mut Ends,
) {
    if round % 7 == 2 {
        let _ = task.shutdown();
    }
    loop {
        let waker = task.waker();
        match Pin::new(&mut handle).poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(Ok(_output)) => ends.taken += 1,
            Poll::Ready(Err(JoinError::Shutdown)) => ends.shut_down += 1,
            Poll::Ready(Err(error)) => panic!("{error}"),
            Poll::Pending => {
                task.wake();
                if !pool.step() {
                    thread::yield_now();
                }
                continue;
            }
        }
        return;
    }
}

#[test]
fn every_future_output_and_meta_is_dropped_once() {
    let (pool, wakers) = (Arc::new(Pool::default()), Arc::default());
    let counters = [counter(), counter(), counter()];
    let (threads, rounds) = (4, rounds());
    let stop = AtomicBool::new(false);
    let mut ends = Ends::default();
    thread::scope(|scope| {
        let worker = scope.spawn(|| {
            while !stop.load(Ordering::SeqCst) {
                if !pool.step() {
                    thread::yield_now();
                }
            }
        });
        let spawners = [(); 4].map(|()| {
            let counters = counters.each_ref();
            let (pool, wakers) = (&pool, &wakers);
            scope.spawn(move || spawn_and_disturb(pool, wakers, counters, rounds))
        });
        for spawner in spawners {
            let its = spawner.join().unwrap();
            ends.taken += its.taken;
            ends.shut_down += its.shut_down;
            ends.detached += its.detached;
        }
        stop.store(true, Ordering::SeqCst);
        worker.join().unwrap();
    });
    // What is left are detached tasks: some queued, some with a waker.
    pool.closed.store(true, Ordering::SeqCst);
    while pool.step() {}
    wakers.with(mem::take).into_iter().for_each(Waker::wake);
    let all = threads * rounds;
    assert_eq!(ends.taken + ends.shut_down + ends.detached, all);
    assert_eq!(counters.each_ref().map(count), [all; 3], "futures, outputs, metas");
    assert_eq!(Arc::strong_count(&pool), 1, "no cell is left");
}
