//! Channels: FIFO, two-phase sends, what is not delivered comes back or is dropped exactly once.

use std::pin::pin;
use std::task::Poll;

use asupersync_core::Cx;
use asupersync_core::channel::{SendError, mpsc};

use crate::probe::{Victim, poll_now};
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
