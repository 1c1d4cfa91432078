//! Directories that nothing leads out of, and pools of addresses, on the native host and on Tokio's.

use std::future::Future;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::{fs, panic};

use asupersync_compat::cap_std::{Dir, Pool, ambient_authority};
use asupersync_compat::hosted;
use asupersync_conformance::attack::{Ended, Play, at_every_await};
use asupersync_core::caps::{Authority, Denied, Effect, Net, Spawn, Time};
use asupersync_core::channel::oneshot;
use asupersync_core::{Budget, Cx, Error, Failure, NoCaps, Outcome, ReasonKind, Region};
use asupersync_scheduler::Runtime;

type Body = fn(&Cx) -> Pin<Box<dyn Future<Output = Outcome> + Send + '_>>;

/// Runs `body` on each host that has files.
fn everywhere(body: Body) {
    fn end(outcome: Outcome) {
        match outcome {
            Ok(()) => {}
            Err(Failure::Panicked(panic)) => match panic.take_payload() {
                Some(payload) => panic::resume_unwind(payload),
                None => panic!("{panic}"),
            },
            Err(failure) => panic!("{failure:?}"),
        }
    }
    let native = Runtime::builder().workers(2).build().expect("a runtime");
    end(native.block_on(async move |cx: &Cx| body(cx).await));
    let tokio = tokio::runtime::Runtime::new().expect("a runtime");
    end(tokio.block_on(hosted::run(async move |cx: &Cx| body(cx).await)));
}

/// Two empty directories beside each other: the one to be in, and the one to stay out of.
fn places(name: &str) -> (PathBuf, PathBuf) {
    let base = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cap_std").join(name);
    match fs::remove_dir_all(&base) {
        Err(error) if error.kind() != ErrorKind::NotFound => panic!("{error}"),
        _ => {}
    }
    let (inside, outside) = (base.join("inside"), base.join("outside"));
    fs::create_dir_all(&inside).expect("a directory");
    fs::create_dir_all(&outside).expect("another directory");
    fs::write(outside.join("secret"), "secret").expect("a file");
    (inside, outside)
}

async fn open(cx: &Cx, path: &Path) -> Outcome<Dir> {
    Ok(Dir::open_ambient(cx, path, ambient_authority()).await?)
}

#[track_caller]
fn assert_kind<T>(result: io::Result<T>, kind: ErrorKind) -> io::Error {
    let Err(error) = result else { panic!("it succeeded") };
    assert_eq!(error.kind(), kind, "{error}");
    error
}

#[track_caller]
fn assert_denied<T>(result: io::Result<T>, effect: Effect) {
    let error = assert_kind(result, ErrorKind::PermissionDenied);
    let denied = error.get_ref().and_then(|inner| inner.downcast_ref::<Denied>());
    assert_eq!(denied.expect("a denial").effect(), effect);
}

#[test]
fn files_are_written_read_listed_renamed_and_removed() {
    async fn with_nothing_else(cx: &Cx<NoCaps>, dir: &Dir) -> Outcome {
        dir.create_dir(cx, "sub").await?;
        dir.write(cx, "sub/a", "hello").await?;
        dir.write(cx, "b", vec![0xff, 1]).await?;
        assert_eq!(dir.read_to_string(cx, "sub/../sub/a").await?, "hello");
        assert_eq!(dir.read(cx, "b").await?, [0xff, 1]);
        assert_kind(dir.read_to_string(cx, "b").await, ErrorKind::InvalidData);
        assert_eq!(dir.metadata(cx, "sub/a").await?.len(), 5);
        let sub = dir.open_dir(cx, "sub").await?;
        dir.rename(cx, "b", &sub, "c").await?;
        let mut names: Vec<_> = sub.read_dir(cx, ".").await?.into_iter().map(|entry| entry.name).collect();
        names.sort();
        assert_eq!(names, ["a", "c"]);
        let entries = dir.read_dir(cx, ".").await?;
        assert!(entries.len() == 1 && entries[0].file_type.is_dir());
        assert_kind(dir.create_dir(cx, "sub").await, ErrorKind::AlreadyExists);
        assert!(dir.remove_dir(cx, "sub").await.is_err(), "it is not empty");
        let copied = dir.run(cx, "copy", |dir| dir.copy("sub/a", dir, "sub/d")).await?;
        assert_eq!(copied, 5);
        for name in ["a", "c", "d"] {
            sub.remove_file(cx, name).await?;
        }
        dir.remove_dir(cx, "sub").await?;
        let error = assert_kind(dir.read(cx, "sub/a").await, ErrorKind::NotFound);
        for part in ["cannot read", "inside", "sub/a"] {
            assert!(error.to_string().contains(part), "{error} does not tell {part:?}");
        }
        Ok(())
    }
    everywhere(|cx| {
        Box::pin(async {
            let (inside, _) = places("files");
            let dir = open(cx, &inside).await?;
            with_nothing_else(cx.restrict(), &dir).await?;
            let (missing, cx) = (inside.join("missing"), cx.restrict::<(asupersync_core::caps::Fs, Time)>());
            let opened = Dir::open_ambient(cx, &missing, ambient_authority()).await;
            let error = assert_kind(opened, ErrorKind::NotFound);
            assert!(error.to_string().contains("missing"), "{error}");
            Ok(())
        })
    });
}

#[cfg(unix)]
#[test]
fn nothing_leads_out() {
    use std::os::unix::fs::symlink;
    everywhere(|cx| {
        Box::pin(async {
            let (inside, outside) = places("out");
            let (secret, absolute) = (outside.join("secret"), outside.to_owned());
            symlink("../outside/secret", inside.join("relative")).expect("a link");
            symlink(&secret, inside.join("absolute")).expect("a link");
            symlink("../outside", inside.join("directory")).expect("a link");
            symlink("..", inside.join("up")).expect("a link");
            fs::write(inside.join("mine"), "mine").expect("a file");
            let dir = open(cx, &inside).await?;
            let out = ErrorKind::PermissionDenied;
            let ways = ["../outside/secret", "relative", "absolute", "directory/secret", "up/outside/secret"];
            for way in ways.map(PathBuf::from).into_iter().chain([secret.clone()]) {
                assert_kind(dir.read(cx, &way).await, out);
                assert_kind(dir.read_to_string(cx, &way).await, out);
                assert_kind(dir.write(cx, &way, "mine now").await, out);
                assert_kind(dir.metadata(cx, &way).await, out);
            }
            // These are about the link itself, unless it is on the way.
            for way in ["../outside/secret", "directory/secret", "up/outside/secret"] {
                assert_kind(dir.remove_file(cx, way).await, out);
                assert_kind(dir.rename(cx, "mine", &dir, way).await, out);
                assert_kind(dir.rename(cx, way, &dir, "stolen").await, out);
            }
            for way in ["..", "directory", "up"].map(PathBuf::from).into_iter().chain([absolute]) {
                assert_kind(dir.open_dir(cx, &way).await, out);
                assert_kind(dir.read_dir(cx, &way).await, out);
                assert_kind(dir.create_dir(cx, way.join("new")).await, out);
            }
            // A directory below is no way up, either.
            dir.create_dir(cx, "sub").await?;
            let sub = dir.open_dir(cx, "sub").await?;
            assert_kind(sub.read(cx, "../mine").await, out);
            assert_eq!(fs::read_to_string(&secret)?, "secret");
            assert_eq!(fs::read_dir(&outside)?.count(), 1);
            assert_eq!(dir.read_to_string(cx, "mine").await?, "mine");
            Ok(())
        })
    });
}

#[test]
fn files_that_were_taken_away_are_denied() {
    everywhere(|cx| {
        Box::pin(async {
            let (inside, _) = places("denied");
            let dir = open(cx, &inside).await?;
            dir.write(cx, "a", "a").await?;
            let no_files = || Authority::all().without(Effect::Fs);
            let other = cx.attenuate(no_files(), async |cx: &Cx| {
                assert_denied(dir.read(cx, "a").await, Effect::Fs);
                assert_denied(dir.run(cx, "anything", |_| Ok(())).await, Effect::Fs);
                let opened = Dir::open_ambient(cx, &inside, ambient_authority()).await;
                assert_denied(opened, Effect::Fs);
                let task = cx.spawn("task", {
                    let dir = dir.clone();
                    async move |cx| assert_denied(dir.remove_file(cx, "a").await, Effect::Fs)
                });
                task.join().await?;
                let opened = cap_std::fs::Dir::open_ambient_dir(&inside, ambient_authority());
                Ok(Dir::new(cx, opened?))
            });
            let other = other.await?;
            // A directory keeps the authority that it was made with.
            assert_denied(other.read(cx, "a").await, Effect::Fs);
            assert_denied(dir.rename(cx, "a", &other, "b").await, Effect::Fs);
            assert_eq!(dir.read(cx, "a").await?, b"a");
            Ok(())
        })
    });
}

#[test]
fn a_request_is_a_cancellation_and_finalizers_still_write() {
    everywhere(|cx| {
        Box::pin(async {
            let (inside, _) = places("request");
            let dir = open(cx, &inside).await?;
            let (tell, mut begun) = oneshot::channel();
            let region = cx.spawn("region", {
                let dir = dir.clone();
                async move |cx| {
                    Region::open(cx, "r", async |cx| {
                        let last = dir.clone();
                        cx.defer(async move |cx| Ok(last.write(cx, "finalizer", "was here").await?))?;
                        drop(tell.send(()));
                        cx.cancelled().await;
                        cx.finish(async |cx| Ok(dir.write(cx, "in flight", "too").await?)).await?;
                        dir.write(cx, "late", "not").await?;
                        Ok(())
                    })
                    .await
                }
            });
            begun.recv(cx).await?;
            match region.cancel(Budget::UNLIMITED).await {
                Err(Failure::Cancelled(told)) => assert_eq!(told.reason().kind(), ReasonKind::UserRequest),
                other => panic!("not cancelled: {other:?}"),
            }
            assert_kind(dir.metadata(cx, "late").await, ErrorKind::NotFound);
            assert_eq!(dir.read(cx, "finalizer").await?, b"was here");
            assert_eq!(dir.read(cx, "in flight").await?, b"too");
            Ok(())
        })
    });
}

#[test]
fn a_pool_refuses_what_is_not_in_it() {
    everywhere(|cx| {
        Box::pin(async {
            let mut pool = Pool::new();
            pool.insert_net("127.0.0.0/8".parse()?, 0..=0, ambient_authority());
            let bind_only = cx.net().limited_to(pool.clone());
            let listener = bind_only.tcp_bind(cx, "127.0.0.1:0").await?;
            let addr = listener.local_addr()?;
            assert_denied(bind_only.tcp_connect(cx, addr).await, Effect::Net);
            assert_denied(bind_only.tcp_bind(cx, "0.0.0.0:0").await, Effect::Net);
            pool.insert_addr(addr, ambient_authority());
            cx.net().limited_to(pool.clone()).tcp_connect(cx, addr).await?;
            // For whatever is started below, by its authority; and names stand for their addresses.
            cx.attenuate(Authority::all().net(pool), async |cx: &Cx| {
                let task = cx.restrict::<(Spawn, Net)>().spawn("task", async move |cx| {
                    cx.tcp_connect(addr).await?;
                    let other = format!("localhost:{}", addr.port() ^ 1);
                    assert_denied(cx.tcp_connect(other).await, Effect::Net);
                    assert_denied(cx.tcp_bind("0.0.0.0:0").await, Effect::Net);
                    Ok(())
                });
                task.join().await
            })
            .await?;
            assert_denied(cx.net().limited_to(Pool::new()).tcp_bind(cx, "[::1]:0").await, Effect::Net);
            Ok(())
        })
    });
}

#[test]
fn ports_of_a_pool_are_a_range_with_both_ends() {
    use asupersync_core::caps::{NetAuthority, NetUse};
    let holds = |pool: &Pool, port: u16| pool.check(NetUse::Connect, ([10, 0, 0, 1], port).into()).is_ok();
    let pool = |ports| {
        let mut pool = Pool::new();
        pool.insert_net("10.0.0.0/24".parse().expect("a network"), ports, ambient_authority());
        pool
    };
    let some = pool(80..=81);
    assert_eq!([79, 80, 81, 82].map(|port| holds(&some, port)), [false, true, true, false]);
    let last = pool(u16::MAX..=u16::MAX);
    assert_eq!([u16::MAX - 1, u16::MAX].map(|port| holds(&last, port)), [false, true]);
    let all = pool(0..=u16::MAX);
    assert!([0, 1, u16::MAX].into_iter().all(|port| holds(&all, port)));
    #[expect(clippy::reversed_empty_ranges, reason = "an empty range is no port")]
    let none = pool(2..=1);
    assert!(![0, 1, 2, u16::MAX].into_iter().any(|port| holds(&none, port)));
    assert!(all.check(NetUse::Bind, "[::ffff:10.0.0.1]:1".parse().expect("an address")).is_err());
}

/// Each operation cancelled at every await: one that told of its success has had it, and nobody is blocked.
#[test]
fn operations_are_attacked() {
    type Operation = (fn(Dir, Cx) -> Play<io::Result<()>>, fn(&Path) -> bool);
    const OPERATIONS: &[Operation] = &[
        (|dir, cx| Box::pin(async move { dir.open_dir(&cx, "sub").await.map(drop) }), |_| true),
        (
            |dir, cx| {
                Box::pin(async move {
                    assert_eq!(dir.read(&cx, "old").await?, b"text");
                    assert_eq!(dir.read_to_string(&cx, "old").await?, "text");
                    assert!(dir.metadata(&cx, "old").await?.is_file());
                    assert_eq!(dir.read_dir(&cx, ".").await?.len(), 2);
                    Ok(())
                })
            },
            |at| at.join("old").exists(),
        ),
        (
            |dir, cx| Box::pin(async move { dir.write(&cx, "new", "written").await }),
            |at| fs::read(at.join("new")).is_ok_and(|text| text == b"written"),
        ),
        (|dir, cx| Box::pin(async move { dir.create_dir(&cx, "new").await }), |at| at.join("new").is_dir()),
        (|dir, cx| Box::pin(async move { dir.remove_file(&cx, "old").await }), |at| !at.join("old").exists()),
        (|dir, cx| Box::pin(async move { dir.remove_dir(&cx, "sub").await }), |at| !at.join("sub").exists()),
        (
            |dir, cx| Box::pin(async move { dir.rename(&cx, "old", &dir, "new").await }),
            |at| at.join("new").exists() && !at.join("old").exists(),
        ),
        (
            |dir, cx| Box::pin(async move { dir.run(&cx, "make", |dir| dir.create_dir("new")).await }),
            |at| at.join("new").is_dir(),
        ),
    ];
    everywhere(|cx| {
        Box::pin(async move {
            for (operation, is_done) in OPERATIONS {
                let base = places("attacked").0;
                let play = |_, cx: Cx| -> Play<io::Result<()>> {
                    let inside = places("attacked").0;
                    fs::create_dir(inside.join("sub")).expect("a directory");
                    fs::write(inside.join("old"), "text").expect("a file");
                    Box::pin(async move {
                        let dir = Dir::open_ambient(&cx, &inside, ambient_authority()).await?;
                        operation(dir, cx).await
                    })
                };
                let gone = |ended: Ended<io::Result<()>>| match ended {
                    Ended::Whole(result) => assert!(result.is_ok() && is_done(&base), "{result:?}"),
                    Ended::Requested(Ok(())) => assert!(is_done(&base)),
                    Ended::Requested(Err(error)) => {
                        assert!(Failure::<Error>::from(error).as_cancelled().is_some())
                    }
                    Ended::Dropped => {}
                };
                at_every_await(cx, play, gone).await?;
            }
            Ok(())
        })
    });
}
