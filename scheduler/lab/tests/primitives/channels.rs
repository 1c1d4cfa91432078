//! Channels.

use asupersync_core::Cx;
use asupersync_core::channel::{broadcast, call, mpsc, oneshot, watch};
use asupersync_lab::pause;

use crate::{stop, whole};

#[test]
fn mpsc_three_senders_one_place() {
    whole("mpsc: all values arrive", "room 1, 3 senders", async |cx: &Cx| {
        let (tx, mut rx) = mpsc::channel(1);
        for n in 1..=3 {
            let tx = tx.clone();
            drop(cx.spawn("send", async move |cx| Ok(tx.send(cx, n).await?)));
        }
        drop(tx);
        let mut got = Vec::new();
        while let Some(n) = rx.recv(cx).await? {
            got.push(n);
        }
        assert_eq!(got.iter().sum::<i32>(), 6);
        Ok(got)
    });
}

#[test]
fn mpsc_a_cancelled_sender_blocks_nobody() {
    whole("mpsc: a cancelled sender blocks nobody", "room 1, 2 senders", async |cx: &Cx| {
        let (tx, mut rx) = mpsc::channel(1);
        tx.send(cx, 0).await?;
        let (first, second) = (tx.clone(), tx);
        let first = cx.spawn("first", async move |cx| Ok(first.send(cx, 1).await?));
        let second = cx.spawn("second", async move |cx| Ok(second.send(cx, 2).await?));
        first.request_cancel(stop());
        let mut got = Vec::new();
        while let Some(n) = rx.recv(cx).await? {
            got.push(n);
        }
        // What a sender was told is true: sent and received, or neither.
        let sent = first.join().await.is_ok();
        second.join().await?;
        assert_eq!(got.contains(&1), sent);
        assert!(got.contains(&0) && got.contains(&2));
        Ok((got, sent))
    });
}

#[test]
fn oneshot_and_its_dropped_sender() {
    whole("oneshot: sent, or its sender is cancelled", "2 tasks", async |cx: &Cx| {
        let (tx, mut rx) = oneshot::channel();
        let send = cx.spawn("send", async |_| {
            drop(tx.send(7));
            Ok(())
        });
        pause().await;
        send.request_cancel(stop());
        let got = rx.recv(cx).await;
        assert!(got.is_err() || got.as_ref().is_ok_and(|n| *n == 7));
        drop(send.join().await);
        Ok(got.ok())
    });
}

#[test]
fn watch_the_last_value_is_seen() {
    whole("watch: the last value is seen", "2 values, 1 receiver", async |cx: &Cx| {
        let (tx, mut rx) = watch::channel(0);
        let sender = cx.spawn("send", async move |_| {
            drop(tx.send(1));
            pause().await;
            drop(tx.send(2));
            Ok(())
        });
        let mut seen = Vec::new();
        while rx.changed(cx).await.is_ok() {
            seen.push(*rx.borrow());
        }
        assert_eq!(*rx.borrow(), 2);
        sender.join().await?;
        Ok(seen)
    });
}

#[test]
fn broadcast_each_receiver_sees_all() {
    whole("broadcast: each receiver sees all", "room 4, 2 values, 2 receivers", async |cx: &Cx| {
        let (tx, rx) = broadcast::channel(4);
        let receivers = [tx.subscribe(), rx].map(|mut rx| {
            cx.spawn("recv", async move |cx| {
                assert_eq!(rx.recv(cx).await?, 1);
                assert_eq!(rx.recv(cx).await?, 2);
                Ok(())
            })
        });
        drop(tx.send(1));
        pause().await;
        drop(tx.send(2));
        for receiver in receivers {
            receiver.join().await?;
        }
        Ok(())
    });
}

#[test]
fn mpsc_two_senders_of_two() {
    whole("mpsc: each sender's values in order", "room 1, 2 senders of 2", async |cx: &Cx| {
        let (tx, mut rx) = mpsc::channel(1);
        for sender in [10, 20] {
            let tx = tx.clone();
            drop(cx.spawn("send", async move |cx| {
                tx.send(cx, sender + 1).await?;
                Ok(tx.send(cx, sender + 2).await?)
            }));
        }
        drop(tx);
        let mut got = Vec::new();
        while let Some(n) = rx.recv(cx).await? {
            got.push(n);
        }
        let place = |n| got.iter().position(|other| *other == n).expect("it was sent");
        assert!(place(11) < place(12) && place(21) < place(22), "{got:?}");
        Ok(got)
    });
}

#[test]
fn mpsc_the_receiver_goes() {
    whole("mpsc: the receiver goes while senders wait", "room 1, 2 senders", async |cx: &Cx| {
        let (tx, rx) = mpsc::channel(1);
        let senders = [1, 2].map(|n| {
            let tx = tx.clone();
            cx.spawn("send", async move |cx| Ok(tx.send(cx, n).await.is_ok()))
        });
        let gone = cx.spawn("gone", async move |_| drop(rx));
        gone.join().await?;
        let mut sent = Vec::new();
        for sender in senders {
            sent.push(sender.join().await?);
        }
        // One had room; nobody made more.
        assert_ne!(sent, [true, true]);
        Ok(sent)
    });
}

#[test]
fn mpsc_a_permit_crosses_tasks() {
    whole("mpsc: room is handed to another task, which is cancelled", "room 1, 2 tasks", async |cx: &Cx| {
        let (tx, mut rx) = mpsc::channel(1);
        let permit = tx.with_permit(cx, async |permit| {
            let (permit, done) = permit.detach();
            done.with(permit)
        });
        let permit = permit.await?;
        drop(tx);
        let task = cx.spawn("send", async move |cx| {
            cx.yield_now().await?;
            drop(permit.send(1));
            Ok(())
        });
        pause().await;
        task.request_cancel(stop());
        let got = rx.recv(cx).await?;
        assert_eq!(got.is_some(), task.join().await.is_ok());
        Ok(got)
    });
}

#[test]
fn oneshot_the_receiver_goes() {
    whole("oneshot: sent while the receiver is cancelled", "2 tasks", async |cx: &Cx| {
        let (tx, mut rx) = oneshot::channel();
        let recv = cx.spawn("recv", async move |cx| Ok(rx.recv(cx).await?));
        recv.request_cancel(stop());
        let sent = tx.send(7).is_ok();
        let got = recv.join().await.ok();
        assert!(sent || got.is_none());
        Ok((sent, got))
    });
}

#[test]
fn watch_two_receivers() {
    whole("watch: two receivers, and the sender goes", "2 values, 2 receivers", async |cx: &Cx| {
        let (tx, rx) = watch::channel(0);
        let receivers = [rx.clone(), rx].map(|mut rx| {
            cx.spawn("recv", async move |cx| {
                let mut last = 0;
                while rx.changed(cx).await.is_ok() {
                    let now = *rx.borrow();
                    assert!(now >= last);
                    last = now;
                }
                Ok(last)
            })
        });
        pause().await;
        drop(tx.send(1));
        pause().await;
        drop(tx.send(2));
        drop(tx);
        for receiver in receivers {
            assert_eq!(receiver.join().await?, 2);
        }
        Ok(())
    });
}

#[test]
fn watch_waits_for_its_receivers() {
    whole("watch: the sender waits until nobody receives", "2 receivers", async |cx: &Cx| {
        let (tx, rx) = watch::channel(0);
        for rx in [rx.clone(), rx] {
            drop(cx.spawn("recv", async move |_| drop(rx)));
        }
        tx.closed(cx).await?;
        assert!(tx.send(1).is_err());
        Ok(())
    });
}

#[test]
fn broadcast_who_is_too_slow_is_told() {
    whole("broadcast: who is too slow is told", "room 1, 2 values, 1 receiver", async |cx: &Cx| {
        let (tx, mut rx) = broadcast::channel(1);
        let send = cx.spawn("send", async move |cx| {
            drop(tx.send(1));
            cx.yield_now().await?;
            drop(tx.send(2));
            Ok(())
        });
        let mut got = Vec::new();
        loop {
            match rx.recv(cx).await {
                Ok(value) => got.push(value),
                Err(broadcast::RecvError::Lagged(missed)) => got.push(100 * missed),
                Err(_) => break,
            }
        }
        assert_eq!(got.iter().filter(|value| **value == 2).count(), 1);
        send.join().await?;
        Ok(got)
    });
}

#[test]
fn broadcast_a_subscriber_comes_and_one_goes() {
    whole("broadcast: one comes, one is cancelled", "2 values, 2 receivers", async |cx: &Cx| {
        let (tx, mut rx) = broadcast::channel(2);
        let leaves = cx.spawn("leaves", async move |cx| {
            let value: u32 = rx.recv(cx).await?;
            Ok(value)
        });
        let other = tx.clone();
        let comes = cx.spawn("comes", async move |cx| {
            let mut rx = other.subscribe();
            drop(other);
            Ok(rx.recv(cx).await.ok())
        });
        pause().await;
        drop(tx.send(1));
        pause().await;
        leaves.request_cancel(stop());
        pause().await;
        drop(tx.send(2));
        drop(tx);
        Ok((leaves.join().await.ok(), comes.join().await?))
    });
}

#[test]
fn call_its_server_gives_up() {
    whole("call: one of 2 callers is cancelled, a question is dropped", "2 callers", async |cx: &Cx| {
        let (client, mut server) = call::channel::<u32, u32>(1);
        let callers = [1, 2].map(|question| {
            let client = client.clone();
            cx.spawn("ask", async move |cx| match client.call(cx, question).await {
                Err(error @ call::CallError::Unasked(_)) => Err(error.into()),
                answer => Ok(answer.ok()),
            })
        });
        drop(client);
        pause().await;
        callers[0].request_cancel(stop());
        while let Some(request) = server.recv(cx).await? {
            if request.question == 2 {
                request.reply.answer(20);
            }
        }
        let [first, second] = callers;
        assert!(matches!(first.join().await, Ok(None) | Err(_)));
        assert_eq!(second.join().await?, Some(20));
        Ok(())
    });
}
