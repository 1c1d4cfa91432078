//! Programs with sockets, explored whole: the same outcomes as every interleaving has. With `--nocapture`
//! each test tells how many traces there were.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use asupersync_core::{Cx, TaskFn, TaskOutput};
use asupersync_lab::Explore;
use asupersync_lab::explore::Explored;
use asupersync_lab::net::{Link, Net};

/// The outcomes of all runs.
fn outcomes<F, R>(explore: &Explore, main: F) -> (Explored, BTreeSet<String>)
where
    F: for<'a> TaskFn<&'a Cx, R, Fut: Send> + Clone + Send + 'static,
    R: TaskOutput<Ok: Debug + 'static> + 'static,
{
    let outcomes = Arc::new(Mutex::new(BTreeSet::new()));
    let told = outcomes.clone();
    let found = explore.run(async move |cx: &Cx| {
        let value = main(cx).await.into_outcome()?;
        told.lock().unwrap().insert(format!("{value:?}"));
        Ok(())
    });
    let outcomes = std::mem::take(&mut *outcomes.lock().unwrap());
    (found, outcomes)
}

/// Explores it in three ways, the last of which leaves nothing out; `all`: that one must come to its end.
fn whole<F, R>(name: &str, all: bool, main: F) -> BTreeSet<String>
where
    F: for<'a> TaskFn<&'a Cx, R, Fut: Send> + Clone + Send + 'static,
    R: TaskOutput<Ok: Debug + 'static> + 'static,
{
    let most = if all { u64::MAX } else { 20_000 };
    let (optimal, by_trees) = outcomes(&Explore::optimal(), main.clone());
    let (source, by_sets) = outcomes(&Explore::source(), main.clone());
    let (naive, by_all) = outcomes(&Explore::naive().runs(most), main);
    println!(
        "{name}: {} traces ({} blocked), {} interleavings{}, {} outcomes",
        optimal.traces,
        source.blocked,
        naive.traces,
        if naive.complete { "" } else { " of more" },
        by_all.len()
    );
    for found in [&optimal, &source, &naive] {
        assert!(found.failure.is_none(), "{name}: {}", found.failure.as_ref().unwrap());
    }
    assert!(optimal.complete && source.complete && naive.complete >= all, "{name}");
    assert_eq!(by_trees, by_sets, "{name}");
    match naive.complete {
        true => assert_eq!(by_trees, by_all, "{name}"),
        false => assert!(by_all.is_subset(&by_trees), "{name}: {by_all:?} of all, {by_trees:?} explored"),
    }
    by_trees
}

#[test]
fn two_clients_and_an_accept_loop() {
    let outcomes = whole("two clients, an accept loop", true, async |cx: &Cx| {
        let listener = cx.tcp_bind("10.0.0.1:80").await?;
        for n in 1..=2 {
            drop(cx.spawn("client", async move |cx| {
                cx.tcp_connect("10.0.0.1:80").await?.write_all(cx, &[n]).await?;
                Ok(())
            }));
        }
        let mut heard = Vec::new();
        for _ in 0..2 {
            let (stream, _) = listener.accept(cx).await?;
            let mut byte = [0];
            assert_eq!(stream.read(cx, &mut byte).await?, 1);
            heard.push(byte[0]);
        }
        Ok(heard)
    });
    assert_eq!(outcomes.len(), 2, "either may be the first: {outcomes:?}");
}

#[test]
fn a_client_and_a_listener_that_comes_or_goes() {
    let outcomes = whole("bind, connect, close", true, async |cx: &Cx| {
        let server = cx.spawn("server", async |cx| {
            let listener = cx.tcp_bind("10.0.0.1:80").await?;
            cx.yield_now().await?;
            let accepted = listener.accept_queued(cx).await?.is_some();
            cx.yield_now().await?;
            Ok(accepted)
        });
        cx.yield_now().await?;
        let connected = cx.tcp_connect("10.0.0.1:80").await;
        let got = match &connected {
            Ok(stream) => stream.read(cx, &mut [0]).await.map_err(|error| error.kind()),
            Err(error) => Err(error.kind()),
        };
        Ok((got, server.join().await?))
    });
    let expected = [
        "(Ok(0), true)",
        "(Err(ConnectionRefused), false)",
        // In the backlog as the listener is closed.
        "(Err(ConnectionReset), false)",
    ];
    assert_eq!(outcomes, expected.map(String::from).into());
}

#[test]
fn a_reset_between_a_write_and_its_read() {
    let outcomes = whole("write, reset, read", true, async |cx: &Cx| {
        let listener = cx.tcp_bind("10.0.0.1:80").await?;
        let client = cx.tcp_connect("10.0.0.1:80").await?;
        let (server, _) = listener.accept(cx).await?;
        let writes = cx.spawn("writes", async move |cx| {
            let written = client.write(cx, b"x").await.map_err(|error| error.kind());
            Ok((written, client))
        });
        let resets = cx.spawn("resets", async |_| Ok(Net::current().reset(Link::ALL)));
        let read = server.read(cx, &mut [0]).await.map_err(|error| error.kind());
        resets.join().await?;
        Ok((writes.join().await?.0, read))
    });
    let expected =
        ["(Ok(1), Ok(1))", "(Ok(1), Err(ConnectionReset))", "(Err(ConnectionReset), Err(ConnectionReset))"];
    assert_eq!(outcomes, expected.map(String::from).into());
}

#[test]
fn a_partition_between_two_writes() {
    // What is written within it comes later, and never is lost or first.
    let outcomes = whole("write, partition, write, heal", false, async |cx: &Cx| {
        let listener = cx.tcp_bind("10.0.0.1:80").await?;
        let client = cx.tcp_connect("10.0.0.1:80").await?;
        let (server, _) = listener.accept(cx).await?;
        let writes = cx.spawn("writes", async move |cx| {
            client.write_all(cx, b"a").await?;
            cx.yield_now().await?;
            Ok(client.write_all(cx, b"b").await?)
        });
        let cuts = cx.spawn("cuts", async |cx| {
            Net::current().partition(Link::ALL);
            cx.yield_now().await?;
            Net::current().heal(Link::ALL);
            Ok(())
        });
        let mut heard = Vec::new();
        let mut buf = [0; 8];
        loop {
            match server.read(cx, &mut buf).await? {
                0 => break,
                n => heard.push(String::from_utf8_lossy(&buf[..n]).into_owned()),
            }
        }
        cuts.join().await?;
        writes.join().await?;
        Ok(heard)
    });
    assert_eq!(outcomes, [r#"["a", "b"]"#, r#"["ab"]"#].map(String::from).into());
}
