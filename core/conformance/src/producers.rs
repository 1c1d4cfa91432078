//! Channels to the end: values dropped once, one-shots, many producers cancelled at any point.

use std::pin::pin;
use std::task::Poll;

use asupersync_core::channel::{RecvError, mpsc, oneshot};
use asupersync_core::region::Close;
use asupersync_core::{Cx, Outcome, Region};

use crate::probe::{Count, Victim, now_or_never, poll_now};
use crate::runner::Runner;

crate::cases![
    values_are_dropped_once,
    a_oneshot_ends,
    a_cancelled_oneshot_keeps_its_value,
    many_producers_lose_nothing,
    many_producers_are_cancelled_at_any_point,
];

fn values_are_dropped_once(host: &dyn Runner) {
    let count = Count::default();
    let inner = count.clone();
    host.ok(async move |cx: &Cx| {
        let (tx, mut rx) = mpsc::channel(4);
        for _ in 0..4 {
            tx.send(cx, inner.one()).await?;
        }
        drop(rx.recv(cx).await?);
        assert_eq!(inner.alive(), 3);
        let permit = tx.reserve(cx).await?;
        {
            let mut waiting = pin!(tx.send(cx, inner.one()));
            assert!(poll_now(waiting.as_mut()).is_pending());
            assert_eq!(inner.alive(), 4);
        }
        assert_eq!(inner.alive(), 3, "a send that was dropped drops its value");
        drop(rx);
        assert_eq!(inner.alive(), 0, "undelivered values go with the receiver");
        permit.send(inner.one());
        assert_eq!(inner.alive(), 0);
        let (tx, rx) = oneshot::channel();
        drop(tx.send(inner.one()));
        drop(rx);
        assert_eq!(inner.alive(), 0);
        Ok(())
    });
    assert_eq!(count.dropped(), 7);
}

fn a_oneshot_ends(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tx, mut rx) = oneshot::channel::<u8>();
        let mut waiting = pin!(rx.recv(cx));
        assert!(poll_now(waiting.as_mut()).is_pending());
        drop(tx);
        assert!(matches!(poll_now(waiting), Poll::Ready(Err(RecvError::Closed))));
        let (tx, rx) = oneshot::channel();
        drop(rx);
        assert!(tx.is_closed());
        assert_eq!(tx.send(3).unwrap_err().into_value(), 3);
        let (tx, mut rx) = oneshot::channel();
        drop(tx.send(4));
        assert_eq!(rx.recv(cx).await?, 4);
        assert!(matches!(rx.recv(cx).await, Err(RecvError::Closed)), "there is only one");
        Ok(())
    });
}

fn a_cancelled_oneshot_keeps_its_value(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let victim = Victim::new(cx).await;
        let (tx, mut rx) = oneshot::channel();
        {
            let mut waiting = pin!(rx.recv(&victim.cx));
            assert!(poll_now(waiting.as_mut()).is_pending());
            drop(tx.send(8));
            victim.request();
            assert!(matches!(poll_now(waiting), Poll::Ready(Err(RecvError::Cancelled(_)))));
        }
        assert_eq!(now_or_never(rx.recv(cx)).expect("it is there")?, 8);
        Ok(())
    });
}

fn many_producers_lose_nothing(host: &dyn Runner) {
    let each = 200;
    host.ok(async move |cx: &Cx| {
        let (tx, mut rx) = mpsc::channel(4);
        Region::builder("producers")
            .close(Close::Join)
            .open(cx, async move |cx: &Cx| {
                for producer in 0..20 {
                    let tx = tx.clone();
                    drop(cx.spawn("producer", async move |cx: &Cx| {
                        for n in 0..each {
                            tx.send(cx, (producer, n)).await?;
                        }
                        Ok(())
                    }));
                }
                drop(tx);
                let mut next = [0; 20];
                while let Some((producer, n)) = rx.recv(cx).await? {
                    assert_eq!(next[producer], n, "out of order");
                    next[producer] += 1;
                }
                assert_eq!(next, [each; 20]);
                Ok(())
            })
            .await
    });
}

fn many_producers_are_cancelled_at_any_point(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let count = Count::default();
        let (tx, mut rx) = mpsc::channel(2);
        for round in 0..50 {
            let producers: Vec<_> = (0..8)
                .map(|_| {
                    let (tx, count) = (tx.clone(), count.clone());
                    cx.spawn("producer", async move |cx: &Cx| -> Outcome {
                        loop {
                            tx.send(cx, count.one()).await?;
                        }
                    })
                })
                .collect();
            for _ in 0..round {
                drop(rx.recv(cx).await?);
            }
            for producer in producers {
                drop(producer.cancel(asupersync_core::Budget::UNLIMITED).await);
            }
            // Whatever they held, the channel has all its room again.
            while let Some(value) = rx.try_recv() {
                drop(value);
            }
            assert_eq!(count.alive(), 0, "round {round}");
            for _ in 0..2 {
                assert!(tx.try_send(count.one()).is_ok(), "room was lost in round {round}");
            }
            assert!(tx.try_send(count.one()).is_err());
            while rx.try_recv().is_some() {}
        }
        Ok(())
    });
}
