//! Channels: FIFO, two-phase sends, what is not delivered comes back or is dropped exactly once.

use std::pin::pin;
use std::task::Poll;

use asupersync_core::channel::{RecvError, SendError, mpsc, oneshot};
use asupersync_core::region::Close;
use asupersync_core::{Cx, Outcome, Region};

use crate::probe::{Count, Victim, now_or_never, poll_now};
use crate::runner::Runner;

crate::cases![
    values_come_in_order,
    waiting_senders_are_served_in_order,
    a_sender_that_leaves_blocks_nobody,
    a_sender_that_leaves_after_it_was_served_passes_it_on,
    a_receiver_that_leaves_loses_nothing,
    a_permit_holds_its_room,
    a_permit_may_be_dropped,
    a_permit_sends_under_request,
    nothing_more_comes_after_the_last_sender,
    a_closed_channel_returns_values,
    waiting_senders_hear_of_the_close,
    values_are_dropped_once,
    a_oneshot_ends,
    a_cancelled_oneshot_keeps_its_value,
    many_producers_lose_nothing,
    many_producers_are_cancelled_at_any_point,
];

fn values_come_in_order(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tx, mut rx) = mpsc::channel(3);
        let producer = cx.spawn("producer", async move |cx: &Cx| {
            for n in 0..100 {
                tx.send(cx, n).await?;
            }
            Ok(())
        });
        for n in 0..100 {
            assert_eq!(rx.recv(cx).await?, Some(n));
        }
        assert_eq!(rx.recv(cx).await?, None);
        producer.join().await
    });
}

fn waiting_senders_are_served_in_order(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tx, mut rx) = mpsc::channel(1);
        tx.try_send(0).expect("there is room");
        let mut sends: Vec<_> = (1..5).map(|n| Box::pin(tx.send(cx, n))).collect();
        for send in &mut sends {
            assert!(poll_now(send.as_mut()).is_pending());
        }
        assert!(tx.try_send(9).is_err(), "nobody overtakes");
        for n in 0..5 {
            assert_eq!(rx.try_recv(), Some(n));
            assert!(tx.try_send(9).is_err() || n == 4, "the room belongs to the first that waits");
            if let Some(send) = sends.get_mut(n) {
                assert!(matches!(poll_now(send.as_mut()), Poll::Ready(Ok(()))));
            }
        }
        Ok(())
    });
}

fn a_sender_that_leaves_blocks_nobody(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tx, mut rx) = mpsc::channel(1);
        tx.try_send(0).expect("there is room");
        let victim = Victim::new(cx).await;
        let mut first = Box::pin(tx.send(&victim.cx, 1));
        let mut second = Box::pin(tx.send(cx, 2));
        assert!(poll_now(first.as_mut()).is_pending() && poll_now(second.as_mut()).is_pending());
        victim.request();
        let Poll::Ready(Err(error)) = poll_now(first.as_mut()) else { panic!("it went on") };
        assert!(matches!(error, SendError::Cancelled(1, _)), "{error:?}");
        assert_eq!(rx.try_recv(), Some(0));
        assert!(poll_now(second.as_mut()).is_ready());
        assert_eq!(rx.try_recv(), Some(2));
        Ok(())
    });
}

fn a_sender_that_leaves_after_it_was_served_passes_it_on(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        for dropped in [true, false] {
            let (tx, mut rx) = mpsc::channel(1);
            tx.try_send(0).expect("there is room");
            let victim = Victim::new(cx).await;
            let mut first = Box::pin(tx.send(&victim.cx, 1));
            let mut second = Box::pin(tx.send(cx, 2));
            assert!(poll_now(first.as_mut()).is_pending() && poll_now(second.as_mut()).is_pending());
            assert_eq!(rx.try_recv(), Some(0));
            // The first has the room now, and does not know it yet.
            assert!(poll_now(second.as_mut()).is_pending());
            if !dropped {
                victim.request();
                assert!(matches!(poll_now(first.as_mut()), Poll::Ready(Err(_))));
            }
            drop(first);
            assert!(poll_now(second.as_mut()).is_ready(), "the room was lost");
            assert_eq!(rx.try_recv(), Some(2));
            tx.try_send(3).expect("there is room again");
            assert!(tx.try_send(4).is_err(), "room for one, not for two");
        }
        Ok(())
    });
}

fn a_receiver_that_leaves_loses_nothing(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tx, mut rx) = mpsc::channel(1);
        let victim = Victim::new(cx).await;
        {
            let mut recv = pin!(rx.recv(&victim.cx));
            assert!(poll_now(recv.as_mut()).is_pending());
            tx.send(cx, 1).await?;
            victim.request();
            assert!(matches!(poll_now(recv.as_mut()), Poll::Ready(Err(_))));
        }
        assert_eq!(rx.recv(cx).await?, Some(1));
        {
            let mut recv = pin!(rx.recv(cx));
            assert!(poll_now(recv.as_mut()).is_pending());
            tx.send(cx, 2).await?;
        }
        assert_eq!(rx.recv(cx).await?, Some(2));
        Ok(())
    });
}

fn a_permit_holds_its_room(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tx, mut rx) = mpsc::channel(2);
        let permit = tx.reserve(cx).await?;
        tx.try_send(1).expect("there is room for one more");
        assert!(tx.try_send(2).is_err());
        assert_eq!(rx.recv(cx).await?, Some(1));
        permit.send(3);
        assert_eq!(rx.recv(cx).await?, Some(3));
        Ok(())
    });
}

fn a_permit_may_be_dropped(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tx, mut rx) = mpsc::channel(1);
        let permit = tx.reserve(cx).await?;
        let mut waiting = Box::pin(tx.send(cx, 5));
        assert!(poll_now(waiting.as_mut()).is_pending());
        drop(permit);
        assert!(poll_now(waiting.as_mut()).is_ready());
        assert_eq!(rx.recv(cx).await?, Some(5));
        Ok(())
    });
}

fn a_permit_sends_under_request(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tx, mut rx) = mpsc::channel(1);
        let victim = Victim::new(cx).await;
        let permit = tx.reserve(&victim.cx).await?;
        victim.request();
        permit.send(1);
        assert_eq!(rx.recv(cx).await?, Some(1));
        Ok(())
    });
}

fn nothing_more_comes_after_the_last_sender(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tx, mut rx) = mpsc::channel(2);
        let other = tx.clone();
        tx.send(cx, 1).await?;
        drop(tx);
        let waiting = cx.spawn("receiver", async move |cx: &Cx| {
            let first = rx.recv(cx).await?;
            let second = rx.recv(cx).await?;
            Ok((first, second, rx.recv(cx).await?))
        });
        cx.yield_now().await?;
        drop(other);
        assert_eq!(waiting.join().await?, (Some(1), None, None));
        Ok(())
    });
}

fn a_closed_channel_returns_values(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tx, rx) = mpsc::channel(1);
        let permit = tx.reserve(cx).await?;
        drop(rx);
        assert!(tx.is_closed());
        let error = tx.send(cx, String::from("back")).await.unwrap_err();
        assert!(matches!(error, SendError::Closed(_)));
        assert_eq!(error.into_value(), "back");
        assert_eq!(tx.try_send(String::from("too")).unwrap_err(), "too");
        assert!(matches!(tx.reserve(cx).await.map(drop), Err(SendError::Closed(()))));
        permit.send(String::from("into the void"));
        Ok(())
    });
}

fn waiting_senders_hear_of_the_close(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tx, rx) = mpsc::channel(1);
        tx.try_send(0).expect("there is room");
        let mut sends: Vec<_> = (1..4).map(|n| Box::pin(tx.send(cx, n))).collect();
        for send in &mut sends {
            assert!(poll_now(send.as_mut()).is_pending());
        }
        drop(rx);
        for (n, send) in sends.iter_mut().enumerate() {
            let Poll::Ready(Err(SendError::Closed(value))) = poll_now(send.as_mut()) else { panic!("{n}") };
            assert_eq!(value, n + 1);
        }
        Ok(())
    });
}

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
