//! What waits here, cancelled at every await.

mod common;

use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::Poll;
use std::time::Duration;

use asupersync_compat::guest::Enclave;
use asupersync_compat::hosted;
use asupersync_compat::hyper::{Server, connect_http1, connect_http2, serve};
use asupersync_compat::io::ByteStreamExt;
use asupersync_conformance::attack::{Ended, Play, at_every_await};
use asupersync_core::channel::oneshot;
use asupersync_core::io::TcpStream;
use asupersync_core::{Cx, Failure, Outcome};
use common::run;
use http::Response;
use hyper::service::service_fn;

/// A value, or a cancellation of whoever was disturbed.
#[track_caller]
fn fine(ended: &Ended<Outcome>) {
    match ended {
        Ended::Whole(outcome) => assert!(outcome.is_ok(), "{outcome:?}"),
        Ended::Requested(outcome) => {
            assert!(matches!(outcome, Ok(()) | Err(Failure::Cancelled(_))), "{outcome:?}");
        }
        Ended::Dropped => {}
    }
}

#[test]
fn http_is_served() {
    run(async |cx: &Cx| {
        for with_options in [false, true] {
            let token = Arc::new(());
            let play = |around: Cx, cx: Cx| -> Play<Outcome> {
                let ((tell, mut told), (done, mut is_done)) = (oneshot::channel(), oneshot::channel::<()>());
                drop(around.spawn("client", async move |cx: &Cx| {
                    let _done = done;
                    let Ok(addr) = told.recv(cx).await else { return Ok(()) };
                    // Whatever the server does, the connection comes to an end.
                    let Ok(stream) = cx.tcp_connect(addr).await else { return Ok(()) };
                    let asked = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
                    stream.write_all(cx, asked).await.ok();
                    while stream.read(cx, &mut [0; 64]).await.is_ok_and(|n| n > 0) {}
                    Ok(cx.checkpoint()?)
                }));
                let held = token.clone();
                Box::pin(async move {
                    let listener = cx.tcp_bind("127.0.0.1:0").await?;
                    drop(tell.send(listener.local_addr()?));
                    let service = service_fn(move |_| {
                        let held = held.clone();
                        async move {
                            drop(held);
                            Ok::<_, Infallible>(Response::new(String::from("hello")))
                        }
                    });
                    let serving = async |cx: &Cx| match with_options {
                        false => serve(cx, listener, service).await.map(drop),
                        true => Server::new().serve(cx, listener, service).await.map(drop),
                    };
                    let client = async |cx: &Cx| {
                        is_done.recv(cx).await.ok();
                        Ok(())
                    };
                    cx.race(serving, client).await
                })
            };
            let gone = |ended| {
                fine(&ended);
                assert_eq!(Arc::strong_count(&token), 1, "a service is left");
            };
            at_every_await(cx, play, gone).await?;
        }
        Ok(())
    });
}

#[test]
fn streams_are_read_and_written() {
    // More than the system keeps for a reader that does not read.
    const MANY: usize = 8 << 20;
    run(async |cx: &Cx| {
        let received = Arc::new(AtomicUsize::new(0));
        let play = |around: Cx, cx: Cx| -> Play<Outcome<usize>> {
            let (lend, mut lent) = oneshot::channel::<TcpStream>();
            let counter = received.clone();
            drop(around.spawn("peer", async move |cx: &Cx| {
                let listener = cx.tcp_bind("127.0.0.1:0").await?;
                let addr = listener.local_addr()?;
                let pair = cx.join(
                    async |cx: &Cx| Ok(listener.accept(cx).await?.0),
                    async |cx: &Cx| Ok(cx.tcp_connect(addr).await?),
                );
                let (peer, stream) = pair.await?;
                drop(lend.send(stream));
                // The other end may leave.
                peer.write_all(cx, b"go").await.ok();
                let mut buf = vec![0; 1 << 20];
                while let Ok(n @ 1..) = peer.read(cx, &mut buf).await {
                    counter.fetch_add(n, SeqCst);
                }
                Ok(cx.checkpoint()?)
            }));
            Box::pin(async move {
                let mut stream = lent.recv(&around).await?;
                let mut buf = [0; 2];
                let mut read = 0;
                while read < 2 {
                    match ByteStreamExt::read(&mut stream, &cx, &mut buf[read..]).await {
                        Ok(n) => read += n,
                        // What it has not read is there for the next.
                        Err(_) if cx.is_cancelled() => {
                            read += ByteStreamExt::read(&mut stream, &around, &mut buf[read..]).await?;
                        }
                        Err(error) => return Err(error.into()),
                    }
                }
                assert_eq!(&buf, b"go");
                // From here on it is work in flight.
                ByteStreamExt::write_all(&mut stream, &cx, &vec![1; MANY]).await?;
                ByteStreamExt::flush(&mut stream, &cx).await?;
                ByteStreamExt::shutdown(&mut stream, &cx).await?;
                Ok(MANY)
            })
        };
        let gone = |ended: Ended<Outcome<usize>>| {
            let received = received.swap(0, SeqCst);
            match ended.value() {
                Some(sent) => assert_eq!((sent.as_ref().ok(), received), (Some(&MANY), MANY)),
                None => assert!(received <= MANY),
            }
        };
        at_every_await(cx, play, gone).await
    });
}

/// Whatever becomes of the caller, its region closes when the call is gone.
#[test]
fn guests_are_called() {
    run(async |cx: &Cx| {
        let tokio = Enclave::open(cx)?;
        let (token, owned) = (Arc::new(()), tokio.owned(()));
        for how in 0..5 {
            let play = |_, cx: Cx| -> Play<Outcome> {
                let (tokio, owned, held) = (tokio.clone(), owned.clone(), token.clone());
                let wait = async || {
                    // a wait, not a synchronisation: it crosses to the enclave's timers
                    tokio::time::sleep(Duration::from_micros(100)).await;
                    tokio::task::yield_now().await;
                };
                Box::pin(async move {
                    let work = async move {
                        let _held = &held;
                        wait().await;
                    };
                    match how {
                        0 => tokio.run(&cx, work).await,
                        1 => tokio.run_or_cancel(&cx, work).await,
                        2 => tokio.run_with(&cx, async |_| work.await).await,
                        3 => tokio.blocking(&cx, || tokio::runtime::Handle::current().block_on(work)).await,
                        _ => owned.call(&cx, async |_: &()| work.await).await,
                    }
                })
            };
            let gone = |ended| {
                fine(&ended);
                assert_eq!(Arc::strong_count(&token), 1, "a call is left");
            };
            at_every_await(cx, play, gone).await?;
        }
        Ok(())
    });
}

/// There is no `Cx` to be put under Request: whoever drops the root asks it to close.
#[test]
fn roots_on_tokio_are_dropped() {
    let mut tokio = tokio::runtime::Builder::new_multi_thread();
    let tokio = tokio.worker_threads(2).enable_all().build().expect("a runtime");
    for reported in [false, true] {
        for polls in 0.. {
            let token = Arc::new(());
            let (task, finalizer) = (token.clone(), token.clone());
            let main = async move |cx: &Cx| {
                cx.defer(async move |cx: &Cx| {
                    let _finalizer = finalizer;
                    Ok(cx.yield_now().await?)
                })?;
                drop(cx.spawn("task", async move |cx: &Cx| {
                    let _task = task;
                    cx.cancelled().await;
                    cx.finish(async |cx: &Cx| Ok(cx.yield_now().await?)).await
                }));
                Ok(cx.sleep(std::time::Duration::from_millis(1)).await?)
            };
            let mut root: std::pin::Pin<Box<dyn Future<Output = Outcome> + Send>> = match reported {
                false => Box::pin(hosted::run(main)),
                true => Box::pin(async { hosted::Builder::default().run_with_report(main).await.0 }),
            };
            let mut polled = 0;
            let ended = tokio.block_on(async {
                let ended = poll_fn(|task| {
                    if polled == polls {
                        return Poll::Ready(None);
                    }
                    polled += 1;
                    root.as_mut().poll(task).map(Some)
                })
                .await;
                drop(root);
                // Nobody waits for a root that was dropped, which closes by itself.
                while Arc::strong_count(&token) > 1 {
                    tokio::task::yield_now().await;
                }
                ended
            });
            if let Some(ended) = ended {
                ended.expect("it ends well");
                break;
            }
        }
    }
}

#[test]
fn http_is_asked_for() {
    run(async |cx: &Cx| {
        for version in [1, 2] {
            let play = |around: Cx, cx: Cx| -> Play<Outcome> {
                Box::pin(async move {
                    let listener = around.tcp_bind("127.0.0.1:0").await?;
                    let addr = listener.local_addr()?;
                    // Held until this ends, by itself or not.
                    let (_done, mut is_done) = oneshot::channel::<()>();
                    drop(around.spawn("server", async move |cx: &Cx| {
                        let hello =
                            service_fn(async |_| Ok::<_, Infallible>(Response::new(String::from("hello"))));
                        let serving = async |cx: &Cx| serve(cx, listener, hello).await.map(drop);
                        let until = async |cx: &Cx| {
                            is_done.recv(cx).await.ok();
                            Ok(())
                        };
                        cx.race(serving, until).await.map(drop)
                    }));
                    let stream = around.tcp_connect(addr).await?;
                    let asked = async {
                        match version {
                            1 => drop(connect_http1::<_, String>(&cx, stream).await?),
                            _ => drop(connect_http2::<_, String>(&cx, stream).await?),
                        }
                        hyper::Result::Ok(())
                    };
                    asked.await?;
                    Ok(())
                })
            };
            at_every_await(cx, play, |ended| fine(&ended)).await?;
        }
        Ok(())
    });
}

/// As roots on Tokio: there is no `Cx`.
#[test]
fn a_service_on_tokio_is_dropped() {
    let mut tokio = tokio::runtime::Builder::new_multi_thread();
    let tokio = tokio.worker_threads(2).enable_all().build().expect("a runtime");
    for polls in 0..4 {
        let token = Arc::new(());
        let held = token.clone();
        tokio.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let service = tower::service_fn(move |_| {
                let _held = held.clone();
                async { Ok::<_, Infallible>(Response::new(String::new())) }
            });
            let mut serving = Box::pin(hosted::serve(listener, service));
            for _ in 0..polls {
                poll_fn(|task| {
                    assert!(serving.as_mut().poll(task).is_pending());
                    Poll::Ready(())
                })
                .await;
                tokio::task::yield_now().await;
            }
            drop(serving);
            // It closes by itself.
            while Arc::strong_count(&token) > 1 {
                tokio::task::yield_now().await;
            }
        });
    }
}
