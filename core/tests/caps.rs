//! Programs that use sets of capabilities, and compile.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use asupersync::caps::{Authority, Blocking, Effect, Random};
use asupersync::caps::{CapSet, Fs, HasBlocking, HasNet, HasSpawn, HasTime, Net, Spawn, SubsetOf, Time};
use asupersync::channel::oneshot;
use asupersync::supervise::{ChildSpec, Restart, Strategy, Supervisor};
use asupersync::{All, Cx, NoCaps, Outcome, Region};

const MS: Duration = Duration::from_millis(1);

async fn waits<C: HasTime>(cx: &Cx<C>) -> Outcome {
    cx.sleep(MS).await?;
    cx.timeout(MS, async |cx| Ok(cx.sleep(Duration::ZERO).await?)).await
}

async fn answers<C: HasTime + HasNet>(cx: &Cx<C>) -> Outcome<u16> {
    waits(cx).await?;
    // Generic code restricts to what its own bounds say.
    waits(cx.restrict::<Time>()).await?;
    let both: &Cx<(Net, Time)> = cx.restrict();
    Ok(both.tcp_bind("127.0.0.1:0").await?.local_addr()?.port())
}

async fn starts<C: HasSpawn>(cx: &Cx<C>) -> Outcome<u32> {
    let region = Region::open(cx, "r", async |cx| {
        let a = cx.spawn("a", async |cx| {
            cx.checkpoint()?;
            Ok(20)
        });
        let b = cx.spawn_future("b", async { Outcome::Ok(22) });
        Ok(a.join().await? + b.join().await?)
    });
    region.await
}

/// Needs nothing: it only hears.
async fn hears<C>(cx: &Cx<C>, mut told: oneshot::Receiver<u32>) -> Outcome<u32> {
    cx.checkpoint()?;
    Ok(told.recv(cx).await?)
}

fn is_part<B: SubsetOf<C>, C: CapSet>(_: &Cx<C>) {}

type Answer<'a> = Pin<Box<dyn Future<Output = Outcome<u16>> + Send + 'a>>;

/// A trait whose objects exist names one set.
trait Service: Send + Sync {
    fn call<'a>(&'a self, cx: &'a Cx<(Time, Net)>) -> Answer<'a>;
}

struct Answers;

impl Service for Answers {
    fn call<'a>(&'a self, cx: &'a Cx<(Time, Net)>) -> Answer<'a> {
        Box::pin(answers(cx))
    }
}

#[asupersync::test]
async fn generic_functions_run_with_every_set_that_has_what_they_need(cx: &Cx) -> Outcome {
    answers(cx).await?;
    answers::<(Time, Net)>(cx.restrict()).await?;
    answers::<(Fs, (Net, Random), Time)>(cx.restrict()).await?;
    starts(cx.restrict::<Spawn>()).await?;
    let (tell, told) = oneshot::channel();
    drop(tell.send(3));
    assert_eq!(hears(cx.restrict::<NoCaps>(), told).await?, 3);
    Ok(())
}

#[asupersync::test]
async fn untyped_closures_get_the_set_of_their_spawner(cx: &Cx) -> Outcome {
    let cx: &Cx<(Spawn, Time, Net)> = cx.restrict();
    let task = cx.spawn("outer", async |cx| {
        cx.sleep(MS).await?;
        let inner = cx.spawn("inner", async |cx| {
            let narrow = cx.restrict::<(Time, Net)>();
            answers(narrow).await
        });
        let raced = cx.race(async |cx| waits(cx).await, async |cx| waits(cx).await);
        raced.await?;
        cx.defer(async |cx| Ok(cx.sleep(MS).await?))?;
        inner.join().await
    });
    assert_ne!(task.join().await?, 0);
    Ok(())
}

#[asupersync::test]
async fn a_restricted_cx_spawns_and_crosses_tasks(cx: &Cx) -> Outcome {
    let kept: Cx<Time> = cx.restrict().clone();
    let task = cx.restrict::<Spawn>().spawn("task", async move |_| waits(&kept).await);
    task.join().await?;
    let opened = Region::open(cx.restrict::<(Spawn, Blocking)>(), "r", async |cx| {
        async fn sum<C: HasBlocking + HasSpawn>(cx: &Cx<C>) -> Outcome<u32> {
            cx.spawn_blocking("sum", || Ok((1..=4).sum())).join().await
        }
        let task = cx.spawn("task", async |cx| sum(cx).await);
        task.join().await
    });
    assert_eq!(opened.await?, 10);
    Ok(())
}

#[asupersync::test]
async fn attenuation_takes_an_untyped_closure_in_a_task(cx: &Cx) -> Outcome {
    let task = cx.restrict::<(Spawn, Net)>().spawn("task", async |cx| {
        cx.attenuate(Authority::all().without(Effect::Net), async |cx| {
            let inner = cx.spawn("inner", async |cx| Ok(cx.tcp_bind("127.0.0.1:0").await.is_err()));
            inner.join().await
        })
        .await
    });
    assert!(task.join().await?, "the network is there");
    Ok(())
}

#[asupersync::test]
async fn a_trait_object_has_a_fixed_set(cx: &Cx) -> Outcome {
    let service: Arc<dyn Service> = Arc::new(Answers);
    let task = cx.spawn("task", async move |cx| service.call(cx.restrict()).await);
    assert_ne!(task.join().await?, 0);
    Ok(())
}

#[asupersync::test]
async fn supervisors_run_with_any_set_that_spawns(cx: &Cx) -> Outcome {
    let child: ChildSpec<(Spawn, Time)> =
        ChildSpec::new("child", async |cx: &Cx<(Spawn, Time)>| waits(cx).await);
    let supervisor = Supervisor::new(Strategy::OneForOne).child(child.restart(Restart::Transient));
    supervisor.run(cx.restrict()).await
}

#[asupersync::test]
async fn a_tuple_is_what_its_members_are_in_any_order(cx: &Cx) {
    is_part::<(Time, Net), _>(cx);
    is_part::<(Net, Time), (Time, Net)>(cx.restrict());
    is_part::<(Time, (Net,), Time), (Time, Net)>(cx.restrict());
    is_part::<All, (Spawn, Blocking, Time, Random, Net, Fs)>(cx.restrict());
    is_part::<(), NoCaps>(cx.restrict());
    is_part::<NoCaps, ()>(cx.restrict());
    // Authority that nobody took away costs a word, and no count; so does the region, in the `Cx` of a task.
    assert_eq!(size_of::<Cx>(), 4 * size_of::<usize>());
}
