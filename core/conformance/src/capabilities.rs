//! What may be done: what is taken away at run time is taken from everything below, for good, and
//! whoever asks for it is told.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use asupersync_core::caps::{Authority, Denied, Effect, NetAuthority, NetUse};
use asupersync_core::region::Close;
use asupersync_core::supervise::{ChildSpec, Restart, Strategy, Supervisor};
use asupersync_core::{Budget, Cx, Failure, Outcome, ReasonKind, Region};

use crate::probe::{Count, HOUR, Log, Victim, cancelled_kind};
use crate::runner::Runner;
use crate::tcp::{ANY_PORT, pair};

crate::cases![
    a_mask_reaches_all_that_is_started_below,
    a_mask_reaches_scopes_within_a_task,
    supervised_children_are_masked,
    a_mask_is_never_widened,
    a_region_is_given_less,
    a_region_beside_is_given_less,
    a_mask_ends_with_its_body,
    a_refused_spawn_tells_who_took_it_away,
    a_supervisor_that_may_not_spawn_fails,
    a_request_goes_before_a_denial,
    a_denied_address_is_told,
    every_limit_must_agree needs (Sockets),
    a_limit_holds_for_bind_connect_and_names needs (Sockets),
    what_is_open_stays_open needs (Sockets),
    a_stream_carries_its_mask needs (Sockets),
];

const ANYWHERE: &str = "192.0.2.1:9";

/// Allows what a function says, and notes what it was asked.
#[derive(Clone)]
struct Allows {
    which: fn(NetUse, SocketAddr) -> bool,
    asked: Log<(NetUse, SocketAddr)>,
}

impl Allows {
    fn new(which: fn(NetUse, SocketAddr) -> bool) -> Self {
        Allows { which, asked: Log::new() }
    }
}

impl NetAuthority for Allows {
    fn check(&self, how: NetUse, addr: SocketAddr) -> io::Result<()> {
        self.asked.push((how, addr));
        match (self.which)(how, addr) {
            true => Ok(()),
            false => Err(io::Error::new(io::ErrorKind::PermissionDenied, "outside of the fence")),
        }
    }
}

/// The denial that an outcome is.
#[track_caller]
fn denied<T>(outcome: Outcome<T>) -> Denied {
    match outcome {
        Err(Failure::Err(error)) => match error.downcast_ref::<Denied>() {
            Some(denied) => denied.clone(),
            None => panic!("not denied, but {error:?}"),
        },
        Err(other) => panic!("not denied, but {other:?}"),
        Ok(_) => panic!("not denied"),
    }
}

/// The denial inside an error of I/O.
#[track_caller]
fn denied_io<T>(result: io::Result<T>) -> Denied {
    let Err(error) = result else { panic!("not denied") };
    assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    let inner = error.get_ref().unwrap_or_else(|| panic!("a system's own {error}"));
    inner.downcast_ref::<Denied>().unwrap_or_else(|| panic!("not ours: {inner}")).clone()
}

/// The network was taken away here, and nothing else.
async fn assert_no_net(cx: &Cx) {
    assert_eq!(denied_io(cx.tcp_connect(ANYWHERE).await).effect(), Effect::Net);
    assert_eq!(denied_io(cx.tcp_bind(ANY_PORT).await).effect(), Effect::Net);
    assert_eq!(denied_io(cx.tcp_connect("a-name.invalid:9").await).effect(), Effect::Net);
    assert_eq!(cx.check(Effect::Net).map_err(|denied| denied.effect()), Err(Effect::Net));
    for effect in [Effect::Spawn, Effect::Blocking, Effect::Fs] {
        assert_eq!(cx.check(effect), Ok(()));
    }
}

fn no_net() -> Authority {
    Authority::all().without(Effect::Net)
}

fn a_mask_reaches_all_that_is_started_below(host: &dyn Runner) {
    let finalizers = Arc::new(AtomicUsize::new(0));
    let ran = finalizers.clone();
    host.ok(async move |cx: &Cx| {
        let (in_task, in_region) = (ran.clone(), ran.clone());
        let task = cx.attenuate(no_net(), async |cx: &Cx| {
            Ok(cx.spawn("task", async move |cx: &Cx| {
                // It outlives the body that took the network away.
                cx.yield_now().await?;
                assert_no_net(cx).await;
                cx.defer(async move |cx: &Cx| {
                    assert_no_net(cx).await;
                    in_task.fetch_add(1, SeqCst);
                })?;
                Region::open(cx, "region", async move |cx: &Cx| {
                    assert_no_net(cx).await;
                    cx.defer(async move |cx: &Cx| {
                        assert_no_net(cx).await;
                        in_region.fetch_add(1, SeqCst);
                    })?;
                    let inner = cx.spawn("inner", async |cx: &Cx| {
                        assert_no_net(cx).await;
                        assert_no_net(&cx.in_flight()).await;
                    });
                    inner.join().await
                })
                .await
            }))
        });
        task.await?.join().await
    });
    assert_eq!(finalizers.load(SeqCst), 2);
}

fn a_mask_reaches_scopes_within_a_task(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        cx.attenuate(no_net(), async |cx: &Cx| {
            cx.timeout(HOUR, async |cx: &Cx| assert_no_net(cx).await).await?;
            cx.finish(async |cx: &Cx| assert_no_net(cx).await).await?;
            cx.shield(Budget::timeout(HOUR), async |cx: &Cx| assert_no_net(cx).await).await?;
            let both = async |cx: &Cx| assert_no_net(cx).await;
            cx.join(both, both).await?;
            cx.race(both, async |cx: &Cx| drop(cx.cancelled().await)).await
        })
        .await
    });
}

fn supervised_children_are_masked(host: &dyn Runner) {
    let starts = Arc::new(AtomicUsize::new(0));
    let started = starts.clone();
    host.ok(async move |cx: &Cx| {
        let child = ChildSpec::new("child", async move |cx: &Cx| {
            assert_no_net(cx).await;
            match started.fetch_add(1, SeqCst) {
                0 => Err(io::Error::other("once more").into()),
                _ => Ok(()),
            }
        });
        let supervisor = Supervisor::new(Strategy::OneForOne).child(child.restart(Restart::Transient));
        cx.attenuate(no_net(), async move |cx: &Cx| supervisor.run(cx).await).await
    });
    assert_eq!(starts.load(SeqCst), 2);
}

fn a_mask_is_never_widened(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let all = || Authority::only([Effect::Spawn, Effect::Blocking, Effect::Net, Effect::Fs]);
        cx.attenuate(no_net(), async |cx: &Cx| {
            cx.attenuate(Authority::all(), async |cx: &Cx| assert_no_net(cx).await).await?;
            cx.attenuate(all(), async |cx: &Cx| assert_no_net(cx).await).await?;
            let region = Region::builder("r").authority(all()).authority(Authority::all());
            region.open(cx, async |cx: &Cx| assert_no_net(cx).await).await?;
            // Whoever takes away what is gone is not to blame.
            let later = Authority::all().without(Effect::Net);
            let again = cx.attenuate(later, async |cx: &Cx| Ok(cx.check(Effect::Net)));
            assert_eq!(again.await?, cx.check(Effect::Net));
            // What is taken away further down is gone with the rest.
            let both = cx.attenuate(Authority::all().without(Effect::Fs), async |cx: &Cx| {
                assert!(cx.check(Effect::Net).is_err() && cx.check(Effect::Fs).is_err());
                assert!(cx.check(Effect::Spawn).is_ok() && cx.check(Effect::Blocking).is_ok());
                Ok(())
            });
            both.await
        })
        .await
    });
}

fn a_region_is_given_less(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let region = Region::builder("plugin").close(Close::Join);
        let region = region.authority(no_net()).authority(Authority::all().without(Effect::Fs));
        region
            .clone()
            .open(cx, async |cx: &Cx| {
                let task = cx.spawn("task", async |cx: &Cx| {
                    assert!(cx.check(Effect::Net).is_err() && cx.check(Effect::Fs).is_err());
                    cx.check(Effect::Spawn)?;
                    Ok(())
                });
                task.join().await
            })
            .await?;
        let beside = region.spork(cx, async |cx: &Cx| {
            assert!(cx.check(Effect::Net).is_err() && cx.check(Effect::Fs).is_err());
            Ok(cx.check(Effect::Spawn)?)
        });
        beside.join().await?;
        cx.check(Effect::Net)?;
        Ok(())
    });
}

fn a_region_beside_is_given_less(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let no_files = Authority::all().without(Effect::Fs);
        let plugin = cx.attenuate(no_files, async |cx: &Cx| {
            Ok(Region::builder("plugin").authority(no_net()).spork(cx, async |cx: &Cx| {
                let inner = cx.spork("inner", async |cx: &Cx| {
                    assert!(cx.check(Effect::Net).is_err() && cx.check(Effect::Fs).is_err());
                });
                inner.join().await
            }))
        });
        plugin.await?.join().await?;
        let no_tasks = Authority::all().without(Effect::Spawn);
        let refused = cx.attenuate(no_tasks, async |cx: &Cx| cx.spork("none", async |_| {}).join().await);
        assert_eq!(denied(refused.await).effect(), Effect::Spawn);
        Ok(())
    });
}

fn a_mask_ends_with_its_body(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let nothing = Authority::only([]);
        let told = cx.attenuate(nothing, async |cx: &Cx| {
            assert!(cx.spawn("task", async |_| {}).join().await.is_err());
            // Waiting is not taken away at run time.
            cx.sleep(std::time::Duration::ZERO).await?;
            Ok(7)
        });
        assert_eq!(told.await?, 7);
        cx.spawn("task", async |_| Ok(7)).join().await
    });
}

fn a_refused_spawn_tells_who_took_it_away(host: &dyn Runner) {
    let ran = host.run(Default::default(), async |cx: &Cx| {
        let count = Count::default();
        let region = Region::builder("plugin").authority(Authority::only([Effect::Blocking]));
        let line = std::panic::Location::caller().line() - 1;
        region
            .open(cx, async |cx: &Cx| {
                let one = count.one();
                let refused = cx.spawn("task", async move |_: &Cx| drop(one));
                assert!(refused.is_finished());
                let told = denied(refused.join().await);
                assert_eq!((told.effect(), told.path()), (Effect::Spawn, "root/plugin"));
                assert_eq!((told.site().file(), told.site().line()), (file!(), line));
                let words = told.to_string();
                for part in
                    ["starting a task", "`root/plugin`", "`Effect::Spawn`", file!(), &line.to_string()]
                {
                    assert!(words.contains(part), "{words:?} does not tell {part:?}");
                }
                let one = count.one();
                let future = cx.spawn_future("future", async move { drop(one) });
                assert_eq!(denied(future.join().await).effect(), Effect::Spawn);
                let one = count.one();
                // A job is a task, too.
                let job = cx.spawn_blocking("job", move || drop(one));
                assert_eq!(denied(job.join().await).effect(), Effect::Spawn);
                let one = count.one();
                // And a region beside the body is run by one.
                let region = cx.spork("region", async move |_: &Cx| drop(one));
                assert!(region.is_closed() && region.id().is_none());
                let (outcome, report) = region.join_with_report().await;
                assert_eq!((denied(outcome).effect(), report.totals.regions), (Effect::Spawn, 0));
                assert_eq!((count.alive(), count.dropped()), (0, 4));
                Ok(())
            })
            .await?;
        let no_jobs = Authority::all().without(Effect::Blocking);
        let job = cx.attenuate(no_jobs, async |cx: &Cx| cx.spawn_blocking("job", || {}).join().await);
        assert_eq!(denied(job.await).effect(), Effect::Blocking);
        Ok(())
    });
    ran.outcome.expect("a refusal is for the handle to tell");
}

fn a_supervisor_that_may_not_spawn_fails(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let child = ChildSpec::new("child", async |_: &Cx| {});
        let supervisor = Supervisor::new(Strategy::OneForOne).child(child);
        let no_tasks = Authority::all().without(Effect::Spawn);
        let told = cx.attenuate(no_tasks, async move |cx: &Cx| supervisor.run(cx).await).await;
        assert_eq!(denied(told).effect(), Effect::Spawn);
        Ok(())
    });
}

fn a_request_goes_before_a_denial(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let victim = Victim::new(cx).await;
        victim.request();
        let told = victim.cx.attenuate(Authority::only([]), async |cx: &Cx| {
            let bound: Outcome<_> = cx.tcp_bind(ANY_PORT).await.map_err(Into::into);
            assert_eq!(cancelled_kind(&bound), ReasonKind::UserRequest);
            cx.spawn("task", async |_| {}).join().await
        });
        assert_eq!(cancelled_kind(&told.await), ReasonKind::UserRequest);
        Ok(())
    });
}

fn a_denied_address_is_told(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let fence = Allows::new(|_, _| false);
        let limit = Authority::all().net(fence.clone());
        let line = std::panic::Location::caller().line() - 1;
        cx.attenuate(limit, async |cx: &Cx| {
            for (told, verb) in [
                (denied_io(cx.tcp_connect(ANYWHERE).await), "connecting to 192.0.2.1:9"),
                (denied_io(cx.tcp_bind(ANYWHERE).await), "binding 192.0.2.1:9"),
            ] {
                assert_eq!((told.effect(), told.path()), (Effect::Net, "root"));
                assert_eq!((told.site().file(), told.site().line()), (file!(), line));
                let words = told.to_string();
                for part in [verb, "`root`", "outside of the fence", file!(), &line.to_string()] {
                    assert!(words.contains(part), "{words:?} does not tell {part:?}");
                }
            }
            cx.check(Effect::Net)?;
            Ok(())
        })
        .await?;
        let addr = ANYWHERE.parse().expect("an address");
        assert_eq!(fence.asked.take(), [(NetUse::Connect, addr), (NetUse::Bind, addr)]);
        Ok(())
    });
}

fn every_limit_must_agree(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let binds = Allows::new(|how, _| how == NetUse::Bind);
        let everything = Allows::new(|_, _| true);
        cx.attenuate(Authority::all().net(everything), async |cx: &Cx| {
            let (client, server) = pair(cx).await?;
            drop((client, server));
            let addr = cx.attenuate(Authority::all().net(binds.clone()), async |cx: &Cx| {
                let listener = cx.tcp_bind(ANY_PORT).await?;
                let addr = listener.local_addr()?;
                denied_io(cx.tcp_connect(addr).await);
                // An object from outside is no way around: the `Cx` it is used with counts, too.
                Ok(listener)
            });
            let listener = addr.await?;
            let net = cx.net();
            let addr = listener.local_addr()?;
            net.tcp_connect(cx, addr).await?;
            let inside = cx.attenuate(Authority::all().net(binds), async |cx: &Cx| {
                denied_io(net.tcp_connect(cx, addr).await);
                Ok(cx.net())
            });
            // Nor does one from inside lose its limit.
            let net = inside.await?;
            denied_io(net.tcp_connect(cx, addr).await);
            net.tcp_bind(cx, ANY_PORT).await?;
            let neither = net.limited_to(Allows::new(|how, _| how == NetUse::Connect));
            denied_io(neither.tcp_bind(cx, ANY_PORT).await);
            denied_io(neither.clone().tcp_connect(cx, addr).await);
            Ok(())
        })
        .await
    });
}

fn a_limit_holds_for_bind_connect_and_names(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let listener = cx.tcp_bind("localhost:0").await?;
        let port = listener.local_addr()?.port();
        let far = Allows::new(|_, addr| !addr.ip().is_loopback());
        let net = cx.net().limited_to(far.clone());
        denied_io(net.tcp_bind(cx, "127.0.0.1:0").await);
        denied_io(net.tcp_connect(cx, format!("localhost:{port}")).await);
        denied_io(net.tcp_bind(cx, "localhost:0").await);
        // The addresses were judged, each of them, and not the name.
        assert!(far.asked.take().iter().all(|(_, addr)| addr.ip().is_loopback()));
        let near = Allows::new(|_, addr| addr.ip().is_loopback());
        cx.net().limited_to(near).tcp_connect(cx, format!("localhost:{port}")).await?;
        Ok(())
    });
}

fn what_is_open_stays_open(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let listener = cx.tcp_bind(ANY_PORT).await?;
        let client = cx.tcp_connect(listener.local_addr()?).await?;
        cx.attenuate(Authority::only([]), async |cx: &Cx| {
            let (server, _) = listener.accept(cx).await?;
            server.write_all(cx, b"x").await?;
            assert_eq!(client.read(cx, &mut [0; 8]).await?, 1);
            Ok(())
        })
        .await
    });
}

fn a_stream_carries_its_mask(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (client, _server) = cx.attenuate(Authority::all().without(Effect::Fs), pair).await?;
        assert!(client.cx().check(Effect::Fs).is_err());
        let listener = cx.tcp_bind(ANY_PORT).await?;
        let addr = listener.local_addr()?;
        let accepted = cx.attenuate(no_net(), async |cx: &Cx| {
            assert!(listener.accept_queued(cx).await?.is_none());
            Ok(listener.accept(cx).await?.0)
        });
        let (accepted, _client) =
            cx.join(async |_| accepted.await, async |cx: &Cx| Ok(cx.tcp_connect(addr).await?)).await?;
        assert!(accepted.cx().check(Effect::Net).is_err());
        denied_io(cx.net().tcp_connect(accepted.cx(), addr).await);
        Ok(())
    });
}
