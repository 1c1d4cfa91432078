//! The dump of the region tree: who owns whom, how far each has gone, what it waits for.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use asupersync_core::cancel::{Awaits, Level, Use};
use asupersync_core::channel::oneshot;
use asupersync_core::host::Lane;
use asupersync_core::obligation::{Kind, hold};
use asupersync_core::region::Phase;
use asupersync_core::region::dump::{Dump, Member, RegionDump, TaskDump, TaskState};
use asupersync_core::sync::Notify;
use asupersync_core::{Budget, Cx, Handle, Outcome, Reason, ReasonKind, Region, TaskFn, Time};

use crate::probe::{HOUR, breathe, counted, poll_now, until};
use crate::runner::{Runner, short, succeed};

crate::cases![
    the_tree_is_told,
    a_closing_region_tells_why_and_for_what_it_waits,
    obligations_and_budgets_are_told,
    a_task_under_request_says_so,
    tasks_that_wait_for_each_other_are_a_circle,
    a_region_that_waits_for_its_opener_is_in_a_circle,
    a_race_is_no_circle,
    a_deep_tree_is_told,
    a_cx_that_outlived_its_region_still_tells,
    dumps_while_everything_changes,
    any_thread_may_ask needs (ForeignThreads),
];

pub(crate) type Waits = Pin<Box<dyn Future<Output = Outcome> + Send>>;

#[track_caller]
pub(crate) fn region<'a>(dump: &'a Dump, name: &str) -> &'a RegionDump {
    let found = dump.regions.iter().find(|region| &*region.name == name);
    found.unwrap_or_else(|| panic!("no region `{name}` in\n{dump}"))
}

#[track_caller]
pub(crate) fn task<'a>(dump: &'a Dump, name: &str) -> &'a TaskDump {
    let found = dump.regions.iter().flat_map(|region| &region.tasks).find(|task| &*task.name == name);
    found.unwrap_or_else(|| panic!("no task `{name}` in\n{dump}"))
}

pub(crate) fn awaits(task: &TaskDump) -> Vec<Awaits> {
    task.awaits.now.iter().map(|wait| wait.awaits).collect()
}

pub(crate) fn uses(task: &TaskDump) -> Vec<Use> {
    let uses = task.awaits.now.iter().filter_map(|wait| match wait.awaits {
        Awaits::Object(what, _) => Some(what),
        _ => None,
    });
    uses.collect()
}

/// Runs `main`, and leaves little time to what waits for ever in it.
pub(crate) fn impatient<F>(host: &dyn Runner, main: F)
where
    F: for<'a> TaskFn<&'a Cx, Outcome, Fut: Send> + Send + 'static,
{
    succeed(host.run(short(5, 10_000), main).outcome);
}

/// A task that awaits what `make` makes; it does when this returns, unless it was refused or has ended.
pub(crate) async fn waiting<F>(cx: &Cx, name: &str, make: F) -> Handle<()>
where
    F: FnOnce(Cx) -> Waits + Send + 'static,
{
    let polls = Arc::new(AtomicUsize::new(0));
    let polled = polls.clone();
    let handle = cx.spawn(name, async move |cx: &Cx| counted(&polled, make(cx.clone())).await);
    until(|| polls.load(SeqCst) > 0 || handle.is_finished()).await;
    handle
}

fn the_tree_is_told(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let root = cx.region_id();
        Region::open(cx, "outer", async move |cx: &Cx| {
            let outer = cx.region_id();
            drop(waiting(cx, "sleeper", |cx| Box::pin(async move { Ok(cx.sleep(HOUR).await?) })).await);
            Region::open(cx, "inner", async move |cx: &Cx| {
                let dump = cx.dump();
                assert_eq!(dump.regions.len(), 3, "{dump}");
                let [top, middle, inner] = &dump.regions[..] else { panic!("{dump}") };
                assert_eq!((top.id, top.parent), (root, None));
                assert_eq!((middle.id, middle.parent), (outer, Some(root)));
                assert_eq!((inner.id, inner.parent), (cx.region_id(), Some(outer)));
                assert_eq!(inner.path, cx.path());
                assert!(inner.site.file().ends_with("dumps.rs") && inner.body);
                let [main, ..] = &top.tasks[..] else { panic!("{dump}") };
                assert_eq!((&*main.name, main.state), ("main", TaskState::Running));
                assert_eq!((middle.opened_by, inner.opened_by), (Some(main.id), Some(main.id)));
                let sleeper = &middle.tasks[0];
                assert_eq!(
                    (&*sleeper.name, sleeper.lane, sleeper.level),
                    ("sleeper", Lane::Ready, Level::Clear)
                );
                assert!(sleeper.site.file().ends_with("dumps.rs") && sleeper.joined_by.is_none());
                assert!(matches!(awaits(sleeper)[..], [Awaits::Until(_)]), "{dump}");
                assert!(dump.cycles.is_empty());
                Ok(())
            })
            .await
        })
        .await
    });
}

fn a_closing_region_tells_why_and_for_what_it_waits(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (cleaned, clean) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let (polls, end) = (cleaned.clone(), clean.clone());
        let busy = Arc::new(AtomicBool::new(true));
        let is_busy = busy.clone();
        let opener = cx.spawn("opener", async move |cx: &Cx| {
            Region::open(cx, "closing", async move |cx: &Cx| {
                for _ in 0..3 {
                    let (polls, end) = (polls.clone(), end.clone());
                    cx.defer(async move |cx: &Cx| counted(&polls, async { Ok(end.notified(cx).await?) }).await)?;
                }
                drop(cx.spawn_future("busy", async move { until(|| !is_busy.load(SeqCst)).await }));
                Ok(())
            })
            .await
        });
        until(|| matches!(awaits(task(&cx.dump(), "opener"))[..], [Awaits::Closing(_)])).await;
        let dump = cx.dump();
        let closing = region(&dump, "closing");
        assert_eq!(awaits(task(&dump, "opener")), [Awaits::Closing(closing.id)], "{dump}");
        assert_eq!((closing.phase, closing.body, closing.finalizers), (Phase::Draining, false, 3), "{dump}");
        assert_eq!(closing.reason.as_ref().map(Reason::kind), Some(ReasonKind::ParentClosed));
        assert!(closing.close_by.is_none() || closing.close_by > Some(dump.at));
        assert!(closing.finalizer.is_none() && closing.tasks.len() == 1, "{dump}");
        busy.store(false, SeqCst);
        until(|| cleaned.load(SeqCst) > 0).await;
        let dump = cx.dump();
        let closing = region(&dump, "closing");
        assert_eq!((closing.phase, closing.finalizers), (Phase::Finalizing, 2), "{dump}");
        let finalizer = closing.finalizer.as_ref().expect("one runs");
        assert!(finalizer.site.file().ends_with("dumps.rs"));
        assert!(matches!(finalizer.awaits.now[..], [wait] if matches!(wait.awaits, Awaits::Object(Use::Notify, _))), "{dump}");
        until(|| {
            clean.notify_one();
            opener.is_finished()
        })
        .await;
        Ok(())
    });
}

fn obligations_and_budgets_are_told(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let budget = Budget::timeout(HOUR).with_cost(10);
        let spends = Region::builder("spends").budget(budget);
        spends
            .open(cx, async |cx: &Cx| {
                let (tx, _rx) = oneshot::channel::<()>();
                let permit = hold(cx, tx, async |permit| {
                    let (permit, done) = permit.detach();
                    done.with(permit)
                })
                .await;
                cx.charge(3)?;
                drop(waiting(cx, "spender", |cx| Box::pin(async move { Ok(cx.sleep(HOUR).await?) })).await);
                let dump = cx.dump();
                let spends = region(&dump, "spends");
                assert_eq!((spends.budget.cost(), spends.budget.polls()), (Some(7), None), "{dump}");
                let until = spends.budget.until().expect("it has a deadline");
                assert!(until > dump.at && until - dump.at <= HOUR, "{dump}");
                assert_eq!(task(&dump, "spender").budget, spends.budget, "{dump}");
                assert!(matches!(task(&dump, "spender").lane, Lane::Timed(_)), "{dump}");
                let [owed] = &spends.obligations[..] else { panic!("{dump}") };
                assert_eq!(owed.kind, Kind::Permit);
                assert!(owed.site.file().ends_with("dumps.rs"));
                drop(permit);
                assert!(region(&cx.dump(), "spends").obligations.is_empty());
                Ok(())
            })
            .await
    });
}

fn a_task_under_request_says_so(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let ((release, released), (tell, mut begins)) = (oneshot::channel::<()>(), oneshot::channel());
        let victim = cx.spawn("victim", async move |cx: &Cx| {
            let mut released = released;
            drop(tell.send(()));
            cx.finish(async |cx: &Cx| Ok(released.recv(cx).await?)).await
        });
        begins.recv(cx).await?;
        let mut cancel = pin!(victim.cancel(Budget::timeout(HOUR)));
        assert!(poll_now(cancel.as_mut()).is_pending());
        let dump = cx.dump();
        let victim = task(&dump, "victim");
        assert_eq!((victim.lane, victim.level), (Lane::Cancel, Level::Requested), "{dump}");
        assert_eq!(victim.reason.as_ref().map(Reason::kind), Some(ReasonKind::UserRequest), "{dump}");
        let until = victim.budget.until().expect("its drain ends");
        assert!(until < Time::MAX && until - dump.at <= HOUR, "{dump}");
        assert_eq!(region(&dump, "root").reason.as_ref().map(Reason::kind), None, "{dump}");
        drop(release.send(()));
        cancel.await
    });
}

fn tasks_that_wait_for_each_other_are_a_circle(host: &dyn Runner) {
    impatient(host, async |cx: &Cx| {
        let (tell, mut told) = oneshot::channel::<Handle<()>>();
        let one = cx.spawn("one", async move |cx: &Cx| told.recv(cx).await?.join().await);
        let two = cx.spawn("two", async move |_: &Cx| one.join().await);
        drop(tell.send(two));
        until(|| !cx.dump().cycles.is_empty()).await;
        let dump = cx.dump();
        let [circle] = &dump.cycles[..] else { panic!("{dump}") };
        let ids = [Member::Task(task(&dump, "one").id), Member::Task(task(&dump, "two").id)];
        assert!(circle.members.len() == 2 && ids.iter().all(|id| circle.members.contains(id)), "{dump}");
        assert!(dump.to_string().contains("in a circle: task `"), "{dump}");
        Ok(())
    });
}

fn a_region_that_waits_for_its_opener_is_in_a_circle(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let outer = Region::builder("outer").spork(cx, async |cx: &Cx| {
            let (tell, mut told) = oneshot::channel::<Handle<()>>();
            let opener = cx.spawn("opener", async move |cx: &Cx| {
                Region::open(cx, "inner", async move |cx: &Cx| {
                    drop(cx.spawn("joins", async move |cx: &Cx| {
                        cx.finish(async |cx: &Cx| told.recv(cx).await?.join().await).await
                    }));
                    Ok(())
                })
                .await
            });
            drop(tell.send(opener));
            cx.cancelled().await;
            Ok(())
        });
        until(|| !cx.dump().cycles.is_empty()).await;
        let dump = cx.dump();
        let [circle] = &dump.cycles[..] else { panic!("{dump}") };
        let members = [
            Member::Task(task(&dump, "opener").id),
            Member::Region(region(&dump, "inner").id),
            Member::Task(task(&dump, "joins").id),
        ];
        assert_eq!(circle.members.len(), 3, "{dump}");
        assert!(members.iter().all(|member| circle.members.contains(member)), "{dump}");
        // Only the end of a drain budget cuts a circle.
        drop(outer.cancel(Budget::timeout(std::time::Duration::ZERO)).await);
        Ok(())
    });
}

fn a_race_is_no_circle(host: &dyn Runner) {
    impatient(host, async |cx: &Cx| {
        let (tell, mut told) = oneshot::channel::<Handle<()>>();
        let one = cx.spawn("one", async move |cx: &Cx| {
            let two = told.recv(cx).await?;
            cx.race(async |_: &Cx| two.join().await, async |cx: &Cx| Ok(cx.sleep(HOUR).await?)).await
        });
        let two = cx.spawn("two", async move |_: &Cx| one.join().await);
        drop(tell.send(two));
        until(|| awaits(task(&cx.dump(), "one")).len() == 2).await;
        let dump = cx.dump();
        assert!(dump.cycles.is_empty(), "the sleep may end it\n{dump}");
        Ok(())
    });
}

/// Opens a region in a region in a region, and in the last one takes a dump.
fn deeper(cx: Cx, levels: usize, told: oneshot::Sender<Dump>) -> Waits {
    Box::pin(async move {
        if levels == 0 {
            drop(told.send(cx.dump()));
            return Ok(());
        }
        Region::open(&cx, "level", async move |cx: &Cx| {
            cx.spawn_future("next", deeper(cx.clone(), levels - 1, told)).join().await
        })
        .await
    })
}

fn a_deep_tree_is_told(host: &dyn Runner) {
    let levels = 20_000 / host.scale();
    host.ok(async move |cx: &Cx| {
        let (tell, mut told) = oneshot::channel();
        drop(cx.spawn_future("first", deeper(cx.clone(), levels, tell)));
        let dump = told.recv(cx).await?;
        assert_eq!(dump.regions.len(), levels + 1);
        let (text, json, dot) = (dump.to_string(), dump.to_json(), dump.to_dot());
        assert_eq!(text.matches("region `level`").count(), levels);
        assert_eq!(json.matches(r#""name":"level""#).count(), levels);
        assert_eq!(dot.matches("shape=box").count(), levels + 1);
        Ok(())
    });
}

fn a_cx_that_outlived_its_region_still_tells(host: &dyn Runner) {
    let late = host.ok(async |cx: &Cx| {
        let late = Region::open(cx, "r", async |cx: &Cx| Ok(cx.clone())).await?;
        assert_eq!(late.dump().regions.len(), 1, "only the root is left");
        Ok(late)
    });
    let dump = late.dump();
    assert_eq!((dump.regions.len(), dump.regions[0].phase), (1, Phase::Closed), "{dump}");
}

fn dumps_while_everything_changes(host: &dyn Runner) {
    let rounds = 20_000 / host.scale();
    host.ok(async move |cx: &Cx| {
        let over = Arc::new(AtomicBool::new(false));
        for _ in 0..4 {
            let over = over.clone();
            drop(cx.spawn("churns", async move |cx: &Cx| {
                while !over.load(SeqCst) {
                    Region::open(cx, "churn", async |cx: &Cx| {
                        let joined = cx.spawn("joined", async |cx: &Cx| Ok(cx.yield_now().await?));
                        drop(cx.spawn("left", async |cx: &Cx| Ok(cx.sleep(HOUR).await?)));
                        joined.join().await
                    })
                    .await?;
                }
                Ok(())
            }));
        }
        for _ in 0..rounds {
            let dump = cx.dump();
            let mut seen = std::collections::HashSet::new();
            for region in &dump.regions {
                assert_eq!(region.parent.is_none(), seen.is_empty(), "the root is the first");
                assert!(region.parent.is_none_or(|parent| seen.contains(&parent.get())), "{dump}");
                assert!(seen.insert(region.id.get()), "{dump}");
                assert!(region.tasks.iter().all(|task| seen.insert(task.id.get())), "{dump}");
            }
            breathe().await;
        }
        over.store(true, SeqCst);
        Ok(())
    });
}

fn any_thread_may_ask(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (asker, over) = (cx.clone(), Arc::new(AtomicBool::new(false)));
        let is_over = over.clone();
        let thread = std::thread::spawn(move || {
            let mut dumps = 0;
            while !is_over.load(SeqCst) {
                assert!(asker.dump().regions[0].tasks.iter().any(|task| &*task.name == "main"));
                dumps += 1;
            }
            dumps
        });
        for _ in 0..100 {
            Region::open(cx, "r", async |cx: &Cx| cx.spawn("t", async |_: &Cx| ()).join().await).await?;
        }
        over.store(true, SeqCst);
        assert!(thread.join().is_ok());
        Ok(())
    });
}
