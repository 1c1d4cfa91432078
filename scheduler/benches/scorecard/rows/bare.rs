//! Row 21: what a region adds to a task, on one core.
//!
//! A bare task of the native host is its task cell in its ring, and nothing else: no region, `Cx`, lanes or
//! other workers. On Tokio it is Tokio's own. Both sides take turns within the process.

use std::cell::RefCell;
use std::rc::Rc;

use asupersync::{Cx, Outcome};
use asupersync_compat::hosted;
use asupersync_queue::{Injector, Local};
use asupersync_task::{Runnable, Schedule, Wake};

use crate::cores;
use crate::measure::{Figures, Measure};
use crate::peer::{Foreign, Peer, TokioMt, ours};

const BATCH: u64 = 100;
const TURNS: u64 = 20;

pub(super) fn beside_bare(_: Peer, scale: u64) -> Figures {
    cores::keep_to_servers();
    let batches = 500 / scale;
    let (native, cell) = in_turns(|| native(batches), || cells(batches));
    let (hosted, tokio) = hosted_in_turns(batches);
    vec![native - cell, hosted - tokio, native, cell, hosted, tokio]
}

/// The best turn of each: what is looked for is a difference, and every disturbance only adds.
fn in_turns(mut one: impl FnMut() -> f64, mut other: impl FnMut() -> f64) -> (f64, f64) {
    let (ones, others): (Vec<f64>, Vec<f64>) = (0..TURNS).map(|_| (one(), other())).unzip();
    (least(ones), least(others))
}

fn least(values: Vec<f64>) -> f64 {
    values.into_iter().fold(f64::INFINITY, f64::min)
}

fn native(batches: u64) -> f64 {
    ours(async move |cx: &Cx| in_region(cx, batches).await)
}

async fn in_region(cx: &Cx, batches: u64) -> Outcome<f64> {
    let (measure, mut sum) = (Measure::start(), 0);
    for _ in 0..batches {
        let tasks: Vec<_> = (0..BATCH).map(|n| cx.spawn("n", async move |_| Ok(n))).collect();
        for task in tasks {
            sum += task.join().await?;
        }
    }
    Ok(measured(measure, sum, batches))
}

fn measured(measure: Measure, sum: u64, batches: u64) -> f64 {
    let figures = measure.over(batches * BATCH);
    assert_eq!(sum, batches * BATCH * (BATCH - 1) / 2);
    figures[0]
}

struct Ready {
    ring: Local<Runnable<Bare>>,
    overflow: Injector<Runnable<Bare>>,
}

thread_local! {
    static READY: RefCell<Option<Rc<Ready>>> = const { RefCell::new(None) };
}

/// How a bare cell reaches this thread's ring.
struct Bare;

impl Schedule for Bare {
    fn schedule(&self, runnable: Runnable<Self>, _: Wake) {
        READY.with_borrow(|ready| {
            let ready = ready.as_ref().expect("cells run on the thread that has them");
            ready.ring.push_or_overflow(runnable, &ready.overflow);
        });
    }
}

fn cells(batches: u64) -> f64 {
    let ready = Rc::new(Ready { ring: Local::new(), overflow: Injector::new() });
    READY.set(Some(ready.clone()));
    let (runnable, mut main) = asupersync_task::new(
        async move {
            let (measure, mut sum) = (Measure::start(), 0);
            for _ in 0..batches {
                let spawn = |n| {
                    let (runnable, task) = asupersync_task::new(async move { n }, Bare);
                    runnable.schedule();
                    task
                };
                let tasks: Vec<_> = (0..BATCH).map(spawn).collect();
                for task in tasks {
                    sum += task.await.expect("it ends");
                }
            }
            measured(measure, sum, batches)
        },
        Bare,
    );
    runnable.schedule();
    while let Some(runnable) = ready.ring.pop().or_else(|| ready.overflow.pop()) {
        let _ = runnable.run();
    }
    READY.set(None);
    main.try_take().expect("nothing is left to run").expect("it ends")
}

fn hosted_in_turns(batches: u64) -> (f64, f64) {
    TokioMt::run(async move |_| {
        let (mut regions, mut tokio) = (Vec::new(), Vec::new());
        for _ in 0..TURNS {
            let outcome = hosted::run(async move |cx: &Cx| in_region(cx, batches).await).await;
            regions.push(outcome.expect("the workload succeeds"));
            tokio.push(tokios(batches).await);
        }
        (least(regions), least(tokio))
    })
}

async fn tokios(batches: u64) -> f64 {
    let (measure, mut sum) = (Measure::start(), 0);
    for _ in 0..batches {
        let tasks: Vec<_> = (0..BATCH).map(|n| tokio::spawn(async move { n })).collect();
        for task in tasks {
            sum += task.await.expect("it ends");
        }
    }
    measured(measure, sum, batches)
}
