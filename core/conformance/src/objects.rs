//! What is handed on as an object: the clock, random numbers, the right to use files.

use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::time::Duration;

use asupersync_core::caps::{Authority, Denied, Effect};
use asupersync_core::channel::oneshot;
use asupersync_core::supervise::{Backoff, ChildSpec, Restart, Strategy, Supervisor};
use asupersync_core::{Budget, Clock, Cx, Failure, NoCaps, Outcome, ReasonKind, Region, Time};

use crate::probe::{HOUR, Log, MS, Victim, cancelled_kind, kind, now_or_never, poll_now};
use crate::runner::Runner;

crate::cases![
    streams_differ_and_a_host_that_replays_repeats_them,
    the_waits_of_supervisors_replay_too,
    a_clock_serves_whoever_has_no_other,
    ticks_keep_their_distance_and_missed_ones_are_one,
    a_job_for_files_tells_its_value_or_error,
    a_job_for_files_fails_at_request,
    a_job_for_files_needs_its_right,
    finalizers_and_work_in_flight_use_files,
    a_job_that_is_left_has_ended_when_its_region_closes,
    a_running_job_that_is_left_is_awaited needs (BlockingThreads),
];

fn streams_differ_and_a_host_that_replays_repeats_them(host: &dyn Runner) {
    let draw = || {
        host.ok(async |cx: &Cx| {
            let mut drawn = vec![cx.random().bits(), cx.random().bits()];
            for _ in 0..8 {
                let task = cx.spawn("task", async |cx: &Cx| {
                    let mut random = cx.random();
                    // A stream does not depend on what others draw.
                    cx.yield_now().await?;
                    let mut fork = random.fork();
                    Ok([random.bits(), fork.bits(), random.bits(), fork.bits()])
                });
                drawn.extend(task.join().await?);
            }
            Ok(drawn)
        })
    };
    let (first, second) = (draw(), draw());
    let mut all = first.clone();
    if host.is_virtual() {
        assert_eq!(first, second);
    } else {
        all.extend(second);
    }
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count, "two streams have a number in common");
}

fn the_waits_of_supervisors_replay_too(host: &dyn Runner) {
    let waits = || {
        let starts = Log::new();
        let log = starts.clone();
        host.ok(async move |cx: &Cx| {
            for _ in 0..2 {
                let (log, runs) = (log.clone(), Arc::new(AtomicUsize::new(0)));
                let child = ChildSpec::new("child", async move |cx: &Cx| {
                    log.push(cx.now());
                    if runs.fetch_add(1, SeqCst) < 3 { Err(io::Error::other("again").into()) } else { Ok(()) }
                });
                Supervisor::new(Strategy::OneForOne)
                    .intensity(9, HOUR)
                    .backoff(Backoff::exponential(MS(8), MS(8)).jitter(100))
                    .child(child.restart(Restart::Transient))
                    .run(cx)
                    .await?;
            }
            Ok(())
        });
        let starts: Vec<Time> = starts.take();
        let gaps = |starts: &[Time]| starts.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>();
        (gaps(&starts[..4]), gaps(&starts[4..]))
    };
    let (one, other) = waits();
    assert_eq!((one.len(), other.len()), (3, 3));
    // On a real clock the gaps say nothing of the seed.
    if host.is_virtual() {
        assert_ne!(one, other);
        assert_eq!((one, other), waits());
    }
}

fn a_clock_serves_whoever_has_no_other(host: &dyn Runner) {
    async fn served(cx: &Cx<NoCaps>, clock: &Clock) -> Outcome<(Time, Time)> {
        let begin = clock.now();
        clock.sleep(cx, MS(2)).await?;
        let middle = clock.now();
        clock.sleep_until(cx, middle + MS(2)).await?;
        clock.alarm(middle).await;
        assert!(middle - begin >= MS(2) && clock.now() - middle >= MS(2));
        Ok((begin, clock.now()))
    }
    host.ok(async |cx: &Cx| {
        let before = cx.now();
        let (begin, end) = served(cx.restrict(), &cx.clock()).await?;
        assert!(before <= begin && end <= cx.now());
        let victim = Victim::new(cx).await;
        let clock = cx.clock();
        let mut late = pin!(clock.sleep(&victim.cx, HOUR));
        assert!(poll_now(late.as_mut()).is_pending());
        victim.request();
        assert_eq!(late.await.map_err(|cancelled| kind(&cancelled)), Err(ReasonKind::UserRequest));
        Ok(())
    });
}

fn ticks_keep_their_distance_and_missed_ones_are_one(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let period = MS(4);
        let (before, mut ticks) = (cx.now(), cx.interval(period));
        let first = ticks.tick(cx).await?;
        assert!(before <= first && first <= cx.now());
        let periods = |tick: Time| (tick - first).as_nanos() / period.as_nanos();
        let mut last = first;
        for late in [false, false, true, false] {
            if late {
                cx.sleep(MS(10)).await?;
            }
            let asked = cx.now();
            let tick = ticks.tick(cx).await?;
            assert_eq!((tick - first).as_nanos() % period.as_nanos(), 0);
            // One that nobody waited for is not made up for.
            assert!(tick > last && tick + period > asked && tick <= cx.now());
            assert!(!late || periods(tick) >= periods(last) + 2);
            last = tick;
        }
        let victim = Victim::new(cx).await;
        victim.request();
        assert!(ticks.tick(&victim.cx).await.is_err());
        assert!(ticks.tick(cx).await? > last);
        let mut at_once = cx.clock().interval(Duration::ZERO);
        assert!(at_once.tick(cx).await? <= at_once.tick(cx).await?);
        let mut never = cx.interval(Duration::MAX);
        never.tick(cx).await?;
        let mut never = pin!(never.tick(&victim.cx));
        assert!(matches!(poll_now(never.as_mut()), Poll::Ready(Err(_))));
        Ok(())
    });
}

fn a_job_for_files_tells_its_value_or_error(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let fs = cx.fs();
        assert_eq!(fs.run(cx, "good", || Ok(7)).await?, 7);
        let bad: io::Result<()> = fs.run(cx, "bad", || Err(io::ErrorKind::NotFound.into())).await;
        assert_eq!(bad.map_err(|error| error.kind()), Err(io::ErrorKind::NotFound));
        // It is the caller's to hear, and no failure of the region.
        let worse: io::Result<()> = fs.run(cx, "worse", || panic!("oh no")).await;
        let error = worse.expect_err("it panicked");
        assert!(error.to_string().contains("`worse` panicked: oh no"), "{error}");
        let task = cx
            .restrict::<asupersync_core::caps::Spawn>()
            .spawn("task", async move |cx| Ok(fs.run(cx, "job", || Ok(8)).await?));
        assert_eq!(task.join().await?, 8);
        Ok(())
    });
}

fn a_job_for_files_fails_at_request(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let victim = Victim::new(cx).await;
        victim.request();
        let ran = Arc::new(AtomicUsize::new(0));
        let runs = ran.clone();
        let refused = cx.fs().run(&victim.cx, "job", move || Ok(runs.fetch_add(1, SeqCst))).await;
        assert_eq!(cancelled_kind(&refused.map_err(Into::into)), ReasonKind::UserRequest);
        assert_eq!(ran.load(SeqCst), 0);
        Ok(())
    });
}

fn a_job_for_files_needs_its_right(host: &dyn Runner) {
    #[track_caller]
    fn assert_denied<T>(result: io::Result<T>) {
        let Err(error) = result else { panic!("it ran") };
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        let denied = error.get_ref().and_then(|inner| inner.downcast_ref::<Denied>()).expect("a denial");
        assert_eq!((denied.effect(), denied.site().file()), (Effect::Fs, file!()));
    }
    host.ok(async |cx: &Cx| {
        let outside = cx.fs();
        let no_files = Authority::all().without(Effect::Fs);
        let inside = cx.attenuate(no_files, async |cx: &Cx| {
            assert_denied(cx.fs().run(cx, "job", || Ok(())).await);
            assert_denied(outside.run(cx, "job", || Ok(())).await);
            assert_denied(outside.check(cx));
            Ok(cx.fs())
        });
        let inside = inside.await?;
        assert_denied(inside.run(cx, "job", || Ok(())).await);
        // And no other than that.
        let only = Authority::only([Effect::Fs]);
        cx.attenuate(only, async |cx: &Cx| Ok(outside.run(cx, "job", || Ok(())).await?)).await
    });
}

fn finalizers_and_work_in_flight_use_files(host: &dyn Runner) {
    let log = Log::new();
    let told = log.clone();
    host.ok(async move |cx: &Cx| {
        Region::open(cx, "r", async move |cx: &Cx| {
            let (finalizer, task) = (told.clone(), told.clone());
            cx.defer(async move |cx: &Cx| {
                finalizer.push(cx.fs().run(cx, "tidy", || Ok("finalizer")).await?);
                Ok(())
            })?;
            drop(cx.spawn("task", async move |cx: &Cx| {
                cx.cancelled().await;
                cx.finish(async |cx: &Cx| {
                    task.push(cx.fs().run(cx, "save", || Ok("in flight")).await?);
                    Ok(())
                })
                .await
            }));
            cx.yield_now().await?;
            Ok(())
        })
        .await
    });
    assert_eq!(log.take(), ["in flight", "finalizer"]);
}

fn a_job_that_is_left_has_ended_when_its_region_closes(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        for _ in 0..50 {
            let (begun, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let (begins, ends) = (begun.clone(), ended.clone());
            Region::open(cx, "r", async move |cx: &Cx| {
                let fs = cx.fs();
                let left = fs.run(cx, "left", move || {
                    begins.fetch_add(1, SeqCst);
                    std::thread::yield_now();
                    ends.fetch_add(1, SeqCst);
                    Ok(())
                });
                // One poll: it is queued, or runs, or is over.
                drop(now_or_never(left));
                Ok(())
            })
            .await?;
            assert_eq!(begun.load(SeqCst), ended.load(SeqCst));
        }
        Ok(())
    });
}

fn a_running_job_that_is_left_is_awaited(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (go, may_go) = mpsc::channel::<()>();
        let ended = Arc::new(AtomicUsize::new(0));
        let ends = ended.clone();
        let (tell, mut running) = oneshot::channel();
        let (leave, mut left) = oneshot::channel();
        let region = cx.spawn("region", async move |cx: &Cx| {
            Region::open(cx, "r", async move |cx: &Cx| {
                let fs = cx.fs();
                let job = fs.run(cx, "left", move || {
                    drop(tell.send(()));
                    may_go.recv().ok();
                    ends.fetch_add(1, SeqCst);
                    Ok(())
                });
                let mut job = Box::pin(job);
                assert!(poll_now(job.as_mut()).is_pending());
                running.recv(cx).await?;
                drop(job);
                drop(leave.send(()));
                Ok(())
            })
            .await
        });
        left.recv(cx).await?;
        for _ in 0..100 {
            cx.yield_now().await?;
            assert!(!region.is_finished(), "it closed before the job ended");
        }
        go.send(()).expect("the job waits");
        region.join().await?;
        assert_eq!(ended.load(SeqCst), 1);
        // One that goes on past its budget keeps nobody: the region closes without it.
        let (go, may_go) = mpsc::channel::<()>();
        let (tell, mut running) = oneshot::channel();
        let stuck = Region::builder("stuck").drain(Budget::timeout(MS(5))).open(cx, async move |cx: &Cx| {
            let fs = cx.fs();
            let job = fs.run(cx, "stuck", move || {
                drop(tell.send(()));
                may_go.recv().ok();
                Ok(())
            });
            let mut job = Box::pin(job);
            assert!(poll_now(job.as_mut()).is_pending());
            running.recv(cx).await?;
            Ok(())
        });
        match stuck.await {
            Ok(()) | Err(Failure::Cancelled(_)) => {}
            Err(other) => panic!("it failed: {other:?}"),
        }
        drop(go);
        Ok(())
    });
}
