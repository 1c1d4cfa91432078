//! What waits here, cancelled at every await, over real sockets.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use asupersync_conformance::attack::{Ended, Play, at_every_await};
use asupersync_core::channel::oneshot;
use asupersync_core::io::TcpStream;
use asupersync_core::{Cx, Failure, Outcome, TaskFn};
use asupersync_protocols::lines::Lines;
use asupersync_protocols::tcp::{self, Server};
use asupersync_scheduler::Runtime;

fn run<F>(test: F)
where
    F: for<'a> TaskFn<&'a Cx, Outcome, Fut: Send> + Send + 'static,
{
    let runtime = Runtime::builder().workers(2).build().expect("a runtime");
    if let Err(failure) = runtime.block_on(test) {
        panic!("{failure:?}");
    }
}

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
fn servers_serve() {
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
                    stream.write_all(cx, b"hello\n").await.ok();
                    while stream.read(cx, &mut [0; 64]).await.is_ok_and(|n| n > 0) {}
                    Ok(cx.checkpoint()?)
                }));
                let held = token.clone();
                Box::pin(async move {
                    let listener = cx.tcp_bind("127.0.0.1:0").await?;
                    drop(tell.send(listener.local_addr()?));
                    let talk = async move |cx: &Cx, stream: TcpStream| {
                        let _held = held;
                        let mut lines = Lines::new(&stream, 100);
                        if let Some(line) = lines.next(cx).await? {
                            stream.write_all(cx, line).await?;
                        }
                        Ok(())
                    };
                    let serve = async |cx: &Cx| match with_options {
                        false => tcp::serve(cx, listener, talk).await.map(drop),
                        true => Server::new().serve(cx, listener, talk).await.map(drop),
                    };
                    let client = async |cx: &Cx| {
                        is_done.recv(cx).await.ok();
                        Ok(())
                    };
                    cx.race(serve, client).await
                })
            };
            let gone = |ended| {
                fine(&ended);
                assert_eq!(Arc::strong_count(&token), 1, "a handler is left");
            };
            at_every_await(cx, play, gone).await?;
        }
        Ok(())
    });
}

/// Polls a future at its wakes until it has had to wait so often; then it is dropped.
async fn impatient<F: Future>(future: F, mut patience: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|task| match future.as_mut().poll(task) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending if patience == 0 => Poll::Ready(None),
        Poll::Pending => {
            patience -= 1;
            Poll::Pending
        }
    })
    .await
}

#[test]
fn no_line_is_lost() {
    const TEXT: &str = "one\ntwo and more\n\nthree\nand a rest";
    run(async |cx: &Cx| {
        for patience in 0..3 {
            let got: Arc<Mutex<Vec<String>>> = Arc::default();
            let play = |around: Cx, cx: Cx| -> Play<Outcome> {
                let (lend, mut lent) = oneshot::channel::<TcpStream>();
                drop(around.spawn("writer", async move |cx: &Cx| {
                    let listener = cx.tcp_bind("127.0.0.1:0").await?;
                    let addr = listener.local_addr()?;
                    let pair = cx.join(
                        async |cx: &Cx| Ok(listener.accept(cx).await?.0),
                        async |cx: &Cx| Ok(cx.tcp_connect(addr).await?),
                    );
                    let (writer, reader) = pair.await?;
                    drop(lend.send(reader));
                    for piece in TEXT.as_bytes().chunks(5) {
                        // The reader may have left.
                        writer.write_all(cx, piece).await.ok();
                        cx.yield_now().await?;
                    }
                    Ok(())
                }));
                let log = got.clone();
                Box::pin(async move {
                    let stream = lent.recv(&around).await?;
                    let mut lines = Lines::new(&stream, 100);
                    let mut cx = &cx;
                    loop {
                        match impatient(lines.next(cx), patience).await {
                            None => around.yield_now().await?,
                            Some(Ok(Some(line))) => {
                                let line = String::from_utf8_lossy(line).into_owned();
                                log.lock().unwrap_or_else(PoisonError::into_inner).push(line);
                            }
                            Some(Ok(None)) => return Ok(()),
                            // What has arrived is there for somebody who is not asked to stop.
                            Some(Err(_)) if cx.is_cancelled() => cx = &around,
                            Some(Err(error)) => return Err(error.into()),
                        }
                    }
                })
            };
            let gone = |ended: Ended<Outcome>| {
                let got = std::mem::take(&mut *got.lock().unwrap_or_else(PoisonError::into_inner));
                let all: Vec<&str> = TEXT.lines().collect();
                match ended.value() {
                    Some(outcome) => assert!(outcome.is_ok() && got == all, "{outcome:?} {got:?}"),
                    None => assert!(all.starts_with(&got.iter().map(|line| &**line).collect::<Vec<_>>())),
                }
            };
            at_every_await(cx, play, gone).await?;
        }
        Ok(())
    });
}
