//! Calls, jobs, what is owned, and what is entered.

use std::sync::Arc;
use std::time::Duration;

use asupersync_compat::guest::{Builder, End};
use asupersync_core::caps::{Authority, Denied, Effect};
use asupersync_core::{Cx, Failure, Outcome, ReasonKind, Region};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc, oneshot};

use crate::{Flag, Stuck};

mod cases {
    crate::cases![
        sockets_timers_and_spawns_work_inside,
        panics_come_to_the_caller,
        jobs_have_the_context,
        what_is_entered_is_polled_here,
        a_call_is_cancelled_and_awaited,
        a_call_hears_of_request,
        a_call_that_is_dropped_keeps_its_region,
        what_is_owned_outlives_who_called_it,
        what_is_owned_is_ended_inside,
        authority_is_asked,
    ];
}

async fn sockets_timers_and_spawns_work_inside(cx: &Cx, enclaves: Builder) -> Outcome {
    let tokio = enclaves.open(cx)?;
    let echoed = tokio.run(cx, async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await?;
            let byte = stream.read_u8().await?;
            stream.write_u8(byte + 1).await
        });
        let mut client = TcpStream::connect(addr).await?;
        // a wait, not a synchronisation: that the timers turn
        tokio::time::sleep(Duration::from_millis(1)).await;
        client.write_u8(6).await?;
        let byte = client.read_u8().await?;
        server.await??;
        std::io::Result::Ok(byte)
    });
    assert_eq!(echoed.await??, 7);
    Ok(())
}

async fn panics_come_to_the_caller(cx: &Cx, enclaves: Builder) -> Outcome {
    let tokio = enclaves.open(cx)?;
    let Err(Failure::Panicked(panic)) = tokio.run(cx, async { panic!("in a call") as () }).await else {
        panic!("it panics");
    };
    assert_eq!(panic.message(), "in a call");
    let Err(Failure::Panicked(panic)) = tokio.blocking(cx, || -> () { panic!("in a job") }).await else {
        panic!("it panics");
    };
    assert_eq!(panic.message(), "in a job");
    // Both flavours go on.
    assert_eq!(tokio.run(cx, async { 3 }).await?, 3);
    Ok(())
}

async fn jobs_have_the_context(cx: &Cx, enclaves: Builder) -> Outcome {
    let tokio = enclaves.open(cx)?;
    let word = tokio.blocking(cx, || {
        let tokio = tokio::runtime::Handle::current();
        tokio.block_on(async { tokio::spawn(async { "done" }).await })
    });
    assert_eq!(word.await??, "done");
    Ok(())
}

async fn what_is_entered_is_polled_here(cx: &Cx, enclaves: Builder) -> Outcome {
    let tokio = enclaves.open(cx)?;
    let thread = std::thread::current().id();
    // Borrows, and is not asked to be `Send` beyond what its caller is.
    let borrowed = String::from("borrowed");
    let len = tokio.enter(async {
        assert_eq!(std::thread::current().id(), thread);
        // a wait, not a synchronisation: that the timer is the enclave's
        tokio::time::sleep(Duration::from_millis(1)).await;
        borrowed.len()
    })?;
    assert_eq!(len.await, 8);
    Ok(())
}

async fn a_call_is_cancelled_and_awaited(cx: &Cx, enclaves: Builder) -> Outcome {
    let tokio = enclaves.open(cx)?;
    let (stuck, begun, gone) = Stuck::new();
    let call = {
        let tokio = tokio.clone();
        cx.spawn("call", async move |cx: &Cx| tokio.run_or_cancel(cx, stuck).await)
    };
    begun.await?;
    let ended = call.cancel(asupersync_core::Budget::UNLIMITED).await;
    assert!(matches!(ended, Err(Failure::Cancelled(_))), "{ended:?}");
    assert!(gone.is_set());
    Ok(())
}

async fn a_call_hears_of_request(cx: &Cx, enclaves: Builder) -> Outcome {
    let tokio = enclaves.open(cx)?;
    let (begun, begins) = oneshot::channel();
    let call = {
        let tokio = tokio.clone();
        cx.spawn("call", async move |cx: &Cx| {
            let call = tokio.run_with(cx, async move |stop| {
                let _ = begun.send(());
                stop.cancelled().await;
                "ended by itself"
            });
            call.await
        })
    };
    begins.await?;
    assert_eq!(call.cancel(asupersync_core::Budget::UNLIMITED).await?, "ended by itself");
    // It was the caller's Request, not the enclave's.
    assert!(!tokio.token().is_cancelled());
    Ok(())
}

async fn a_call_that_is_dropped_keeps_its_region(cx: &Cx, enclaves: Builder) -> Outcome {
    let tokio = enclaves.open(cx)?;
    let ((stuck, begun, _), gone) = (Stuck::new(), Flag::default());
    let goes = gone.clone();
    Region::open(cx, "child", async |cx: &Cx| {
        // It waits before it is dropped: the drop comes late, on a thread of the enclave.
        let (held, release) = oneshot::channel::<()>();
        let call = tokio.run(cx, async move {
            let _late = Late(release, goes);
            stuck.await;
        });
        let loses = cx.or_cancel(begun);
        futures_util::future::select(Box::pin(call), Box::pin(loses)).await;
        assert!(!gone.is_set());
        drop(held);
        Outcome::Ok(())
    })
    .await?;
    assert!(gone.is_set(), "the child closed before its call was gone");
    Ok(())
}

/// Its drop waits until it is allowed.
struct Late(oneshot::Receiver<()>, Flag);

impl Drop for Late {
    fn drop(&mut self) {
        while self.0.try_recv() == Err(oneshot::error::TryRecvError::Empty) {
            std::thread::yield_now();
        }
        self.1.set();
    }
}

async fn what_is_owned_outlives_who_called_it(cx: &Cx, enclaves: Builder) -> Outcome {
    let tokio = enclaves.clone().open(cx)?;
    // A client as libraries have them: the first call starts its connection task.
    let client = tokio.owned(Client::default());
    let other = client.clone();
    Region::open(cx, "first", async |cx: &Cx| {
        let _own = enclaves.open(cx)?;
        assert_eq!(other.call(cx, async |client: &Client| client.ask(1).await).await?, 2);
        Outcome::Ok(())
    })
    .await?;
    assert_eq!(client.call(cx, async |client: &Client| client.ask(2).await).await?, 3);
    Ok(())
}

/// A question, and where the answer goes.
type Ask = (u32, oneshot::Sender<u32>);

#[derive(Default)]
struct Client(Mutex<Option<mpsc::Sender<Ask>>>);

impl Client {
    async fn ask(&self, what: u32) -> u32 {
        let mut connection = self.0.lock().await;
        let connection = connection.get_or_insert_with(|| {
            let (asks, mut asked) = mpsc::channel::<Ask>(1);
            tokio::spawn(async move {
                while let Some((what, answer)) = asked.recv().await {
                    let _ = answer.send(what + 1);
                }
            });
            asks
        });
        let (tell, told) = oneshot::channel();
        connection.send((what, tell)).await.expect("the connection lives");
        told.await.expect("it answers")
    }
}

async fn what_is_owned_is_ended_inside(cx: &Cx, enclaves: Builder) -> Outcome {
    struct Pool(Flag);
    impl Drop for Pool {
        fn drop(&mut self) {
            // Panics where there is no runtime.
            drop(tokio::spawn(async {}));
            self.0.set();
        }
    }
    let (gone, ended) = (Flag::default(), Flag::default());
    let (tells, drops) = (ended.clone(), gone.clone());
    let kept = Region::open(cx, "pool", async move |cx: &Cx| {
        let tokio = enclaves.open(cx)?;
        let pool = tokio.owned(Pool(drops)).ending(async move |_: Arc<Pool>| {
            tokio::task::yield_now().await;
            tells.set();
        });
        pool.call(cx, async |_: &Pool| ()).await?;
        // A handle that leaves the region keeps nothing.
        Ok((tokio, pool))
    });
    let (tokio, pool) = kept.await?;
    assert!(ended.is_set() && gone.is_set());
    assert_eq!(tokio.report().map(|report| report.end), Some(End::Drained));
    let late = pool.call(cx, async |_: &Pool| ()).await;
    let Err(Failure::Cancelled(cancelled)) = late else { panic!("{late:?}") };
    assert_eq!(cancelled.reason().kind(), ReasonKind::ParentClosed);
    assert!(tokio.enter(async {}).is_err());
    Ok(())
}

async fn authority_is_asked(cx: &Cx, enclaves: Builder) -> Outcome {
    let tokio = enclaves.clone().open(cx)?;
    cx.attenuate(Authority::all().without(Effect::Spawn), async |cx: &Cx| {
        let denied = |failure: Failure| match failure {
            Failure::Err(error) => assert!(error.downcast_ref::<Denied>().is_some(), "{error}"),
            other => panic!("{other:?}"),
        };
        denied(enclaves.open(cx).expect_err("it starts tasks"));
        denied(tokio.run(cx, async {}).await.expect_err("it starts a task"));
        Outcome::Ok(())
    })
    .await
}
