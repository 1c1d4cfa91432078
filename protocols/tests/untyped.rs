//! Every function that takes a handler takes it untyped, `async |cx, stream| ..`, inside a spawned task,
//! whose future must be `Send`.

use asupersync_core::Outcome;
use asupersync_protocols::tcp::{self, Server};
use asupersync_scheduler::Runtime;

macro_rules! in_a_task {
    ($name:ident, $function:literal, $body:expr) => {
        #[test]
        fn $name() {
            let runtime = Runtime::builder().workers(1).build().expect("a runtime");
            let ran: Outcome = runtime.block_on(async |cx| cx.spawn("task", $body).join().await);
            ran.expect("it serves until it is asked to stop");
        }
    };
}

in_a_task!(serve, "protocols::tcp::serve", async |cx| {
    let listener = cx.tcp_bind("127.0.0.1:0").await?;
    let served = cx.race(
        async |cx| {
            let greeting = String::from("hello");
            let report = tcp::serve(cx, listener, async move |cx, stream| {
                stream.write_all(cx, greeting.as_bytes()).await?;
                Ok(())
            });
            Ok(report.await?.accepted)
        },
        async |cx| {
            cx.yield_now().await?;
            Ok(7)
        },
    );
    assert_eq!(served.await?, 7);
    Ok(())
});

in_a_task!(server_serve, "protocols::tcp::Server::serve", async |cx| {
    let listener = cx.tcp_bind("127.0.0.1:0").await?;
    let served = cx.race(
        async |cx| {
            let report = Server::new().serve(cx, listener, async |cx, stream| {
                stream.shutdown(cx).await?;
                Ok(())
            });
            Ok(report.await?.accepted)
        },
        async |cx| {
            cx.yield_now().await?;
            Ok(7)
        },
    );
    assert_eq!(served.await?, 7);
    Ok(())
});
