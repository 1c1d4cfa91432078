//! Polls that do not return: nothing can stop them, but the end of the run is bounded, they are
//! reported, and the others' cleanup runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use asupersync_core::region::{CloseReport, LeftoverKind};
use asupersync_core::{Cancelled, Cx, Failure, Outcome, Region};

use crate::probe::{Count, HOUR, stubborn};
use crate::runner::{Runner, short};

crate::cases![
    a_task_that_never_yields_is_abandoned_bounded needs (StuckPoll),
    more_stuck_tasks_than_workers_bounded needs (StuckPolls),
    main_that_never_yields_bounded needs (StuckPoll),
    a_stuck_task_in_a_child_region_bounded needs (StuckPoll),
    a_stuck_finalizer_is_reported_bounded needs (StuckPoll),
    finalizers_that_had_no_turn_are_reported_bounded needs (StuckPoll),
];

/// Occupies its thread until the case is over.
#[derive(Clone, Default)]
struct Block(Arc<AtomicBool>);

impl Block {
    fn hold(&self) {
        while !self.0.load(SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn release(&self) {
        self.0.store(true, SeqCst);
    }
}

/// Lets the blocked threads go, however the case ends.
struct Release(Block);

impl Drop for Release {
    fn drop(&mut self) {
        self.0.release();
    }
}

fn setup() -> (Block, Release) {
    let block = Block::default();
    (block.clone(), Release(block))
}

/// Far above drain + finalize + 250 ms of the budgets used here, far below for ever.
#[track_caller]
fn bounded(begin: Instant) {
    assert!(begin.elapsed() < Duration::from_secs(8), "took {:?}", begin.elapsed());
}

/// Registers cleanup that counts. It has its turn only after the stuck have been given up; so it lets
/// them go, and the host need not wait for their threads.
fn cleanup(cx: &Cx, ran: &Arc<AtomicUsize>, block: &Block) -> Result<(), Cancelled> {
    let (ran, block) = (ran.clone(), block.clone());
    cx.defer(async move |cx: &Cx| {
        cx.yield_now().await?;
        ran.fetch_add(1, SeqCst);
        block.release();
        Ok(())
    })
}

#[track_caller]
fn has(report: &Option<CloseReport>, kind: LeftoverKind, name: &str) -> usize {
    let report = report.as_ref().expect("a host that bounds stuck polls tells of them");
    let found = report.leftovers.iter().filter(|left| left.kind == kind && &*left.name == name).count();
    assert!(found > 0, "no {kind:?} `{name}` in {:?}", report.leftovers);
    found
}

fn a_task_that_never_yields_is_abandoned_bounded(host: &dyn Runner) {
    let (begin, (block, _release)) = (Instant::now(), setup());
    let ran = Arc::new(AtomicUsize::new(0));
    let inner = ran.clone();
    let ended = host.run(short(10, 2000), async move |cx: &Cx| {
        cleanup(cx, &inner, &block)?;
        let ran = inner.clone();
        cx.defer(async move |_: &Cx| {
            ran.fetch_add(1, SeqCst);
        })?;
        drop(cx.spawn_future("stuck", async move { block.hold() }));
        Ok(1)
    });
    bounded(begin);
    has(&ended.report, LeftoverKind::Abandoned, "stuck");
    assert_eq!(ran.load(SeqCst), 2, "the finalizers had no turn");
}

fn more_stuck_tasks_than_workers_bounded(host: &dyn Runner) {
    let (begin, (block, _release)) = (Instant::now(), setup());
    let ran = Arc::new(AtomicUsize::new(0));
    let inner = ran.clone();
    let ended = host.run(short(10, 2000), async move |cx: &Cx| {
        cleanup(cx, &inner, &block)?;
        for _ in 0..10 {
            let block = block.clone();
            drop(cx.spawn_future("stuck", async move { block.hold() }));
        }
        Ok(())
    });
    bounded(begin);
    has(&ended.report, LeftoverKind::Abandoned, "stuck");
    assert_eq!(ran.load(SeqCst), 1, "the finalizer had no turn");
}

fn main_that_never_yields_bounded(host: &dyn Runner) {
    let (begin, (block, _release)) = (Instant::now(), setup());
    let ran = Arc::new(AtomicUsize::new(0));
    let inner = ran.clone();
    let ended = host.run(short(10, 2000), async move |cx: &Cx| {
        cleanup(cx, &inner, &block)?;
        // A task that fails closes the root; main does not notice.
        drop(cx.spawn("bad", async |_: &Cx| -> Outcome { panic!("bad") }));
        crate::probe::breathe().await;
        block.hold();
        Ok(())
    });
    bounded(begin);
    let failed = matches!(&ended.outcome, Err(Failure::Panicked(panic)) if panic.message() == "bad");
    assert!(failed || ended.outcome.is_err(), "{:?}", ended.outcome);
    assert!(ended.report.is_some());
    assert_eq!(ran.load(SeqCst), 1, "the finalizer had no turn");
}

fn a_stuck_task_in_a_child_region_bounded(host: &dyn Runner) {
    let (begin, (block, _release)) = (Instant::now(), setup());
    let (ran, count) = (Arc::new(AtomicUsize::new(0)), Count::default());
    let (inner, one) = (ran.clone(), count.one());
    let ended = host.run(short(10, 2000), async move |cx: &Cx| {
        let (tell, mut told) = asupersync_core::channel::oneshot::channel();
        drop(cx.spawn_future("stubborn", async move {
            let _one = one;
            stubborn(Arc::default()).await;
        }));
        drop(cx.spawn("opener", async move |cx: &Cx| {
            Region::open(cx, "r", async move |cx: &Cx| {
                cleanup(cx, &inner, &block)?;
                drop(cx.spawn("stuck", async move |cx: &Cx| {
                    tell.send(()).ok();
                    cx.cancelled().await;
                    block.hold();
                }));
                Ok(cx.sleep(HOUR).await?)
            })
            .await
        }));
        told.recv(cx).await?;
        Ok(())
    });
    bounded(begin);
    drop(ended);
    assert_eq!(count.alive(), 0, "what nobody polls is dropped");
    assert_eq!(ran.load(SeqCst), 1, "the region's finalizer had no turn");
}

fn a_stuck_finalizer_is_reported_bounded(host: &dyn Runner) {
    let (begin, (block, _release)) = (Instant::now(), setup());
    let ended = host.run(short(10, 10), async move |cx: &Cx| {
        cx.defer(async move |_: &Cx| block.hold())?;
        Ok(())
    });
    bounded(begin);
    has(&ended.report, LeftoverKind::Forced, "finalizer");
}

fn finalizers_that_had_no_turn_are_reported_bounded(host: &dyn Runner) {
    let (begin, (block, _release)) = (Instant::now(), setup());
    let count = Count::default();
    let inner = count.clone();
    let ended = host.run(short(10, 10), async move |cx: &Cx| {
        for _ in 0..3 {
            let one = inner.one();
            cx.defer(async move |_: &Cx| drop(one))?;
        }
        cx.defer(async move |_: &Cx| block.hold())?;
        Ok(())
    });
    bounded(begin);
    assert_eq!(has(&ended.report, LeftoverKind::Forced, "finalizer"), 4);
    assert_eq!(count.alive(), 0, "what they own leaks");
}
