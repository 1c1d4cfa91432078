//! What the channels promise beside the ends of a single obligation.

use std::pin::pin;
use std::task::Poll;

use asupersync::channel::call::{self, CallError};
use asupersync::channel::{SendError, delivery, mpsc};
use asupersync::obligation::hold;
use asupersync::{Cx, Outcome, Region};

use crate::cases::poll_once;

#[asupersync::test]
async fn a_detached_permit_keeps_its_channel_open(cx: &Cx) -> Outcome {
    let (tx, mut rx) = mpsc::channel(1);
    let permit = tx
        .with_permit(cx, async |permit| {
            let (permit, done) = permit.detach();
            done.with(permit)
        })
        .await?;
    drop(tx);
    assert!(poll_once(pin!(rx.recv(cx))).is_pending());
    permit.send(1)?;
    assert_eq!((rx.recv(cx).await?, rx.recv(cx).await?), (Some(1), None));
    Ok(())
}

#[asupersync::test]
async fn an_aborted_permit_goes_to_the_next_in_line_and_the_last_ends_the_channel(cx: &Cx) -> Outcome {
    let (tx, mut rx) = mpsc::channel::<u8>(1);
    let other = tx.clone();
    let mut second = Box::pin(async { other.with_permit(cx, async |permit| permit.send(2)).await });
    tx.with_permit(cx, async |permit| {
        assert!(poll_once(second.as_mut()).is_pending());
        permit.abort()
    })
    .await?;
    second.await?;
    drop((tx, other));
    assert_eq!((rx.recv(cx).await?, rx.recv(cx).await?), (Some(2), None));
    Ok(())
}

#[asupersync::test]
async fn a_permit_is_refused_without_a_receiver_and_under_request(cx: &Cx) -> Outcome {
    let (tx, rx) = mpsc::channel::<u8>(1);
    let late = Region::open(cx, "r", async |cx| Ok(cx.clone())).await?;
    let refused = tx.with_permit(&late, async |permit| permit.send(1)).await;
    assert!(matches!(refused, Err(SendError::Cancelled(..))));
    drop(rx);
    let refused = tx.with_permit(cx, async |permit| permit.send(1)).await;
    assert!(matches!(refused, Err(SendError::Closed(()))));
    Ok(())
}

#[asupersync::test]
async fn a_nack_goes_before_all_others_and_keeps_its_slot_meanwhile(cx: &Cx) -> Outcome {
    let (tx, mut rx) = delivery::channel(2);
    tx.send(cx, 1).await?;
    tx.send(cx, 2).await?;
    let one = rx.recv(cx).await?.expect("sent");
    assert_eq!(tx.try_send(3), Err(3), "what is worked on has its slot still");
    one.nack();
    assert_eq!(tx.try_send(3), Err(3));
    let again = rx.recv(cx).await?.expect("it comes back");
    assert_eq!((*again, again.attempt()), (1, 2));
    let two = rx.recv(cx).await?.expect("sent");
    again.ack();
    assert_eq!(tx.try_send(3), Ok(()));
    drop(two);
    let mut left = Vec::new();
    drop(tx);
    while let Some(delivery) = rx.recv(cx).await? {
        hold(cx, delivery, async |delivery| {
            left.push((*delivery, delivery.attempt()));
            delivery.ack()
        })
        .await;
    }
    assert_eq!(left, [(2, 2), (3, 1)]);
    Ok(())
}

#[asupersync::test]
async fn a_delivery_channel_ends_with_the_last_ack(cx: &Cx) -> Outcome {
    let (tx, mut rx) = delivery::channel(1);
    tx.send(cx, ()).await?;
    drop(tx);
    let out = rx.recv(cx).await?.expect("sent");
    let mut end = Box::pin(rx.recv(cx));
    assert!(poll_once(end.as_mut()).is_pending());
    out.ack();
    assert!(matches!(end.await, Ok(None)));
    Ok(())
}

#[asupersync::test]
async fn a_nack_without_a_receiver_drops_the_message(cx: &Cx) -> Outcome {
    let (tx, mut rx) = delivery::channel(1);
    let message = std::sync::Arc::new(());
    tx.send(cx, message.clone()).await?;
    let out = rx.recv(cx).await?.expect("sent");
    drop(rx);
    out.nack();
    assert_eq!(std::sync::Arc::strong_count(&message), 1);
    assert!(matches!(tx.send(cx, message).await, Err(SendError::Closed(_))));
    Ok(())
}

#[asupersync::test]
async fn a_call_tells_why_there_is_no_answer(cx: &Cx) -> Outcome {
    let (client, mut server) = call::channel::<_, u8>(1);
    // Taken up and dropped; queued and dropped with the server.
    for taken in [true, false] {
        let mut call = pin!(client.call(cx, "question"));
        assert!(poll_once(call.as_mut()).is_pending());
        if taken {
            drop(server.recv(cx).await?.expect("asked").reply);
        } else {
            drop(server);
            (_, server) = call::channel(1);
        }
        assert!(matches!(call.await, Err(CallError::Aborted)));
    }
    match client.call(cx, "again").await {
        Err(CallError::Unasked(unsent)) => assert_eq!(unsent.into_value(), "again"),
        other => panic!("{other:?}"),
    }
    Ok(())
}

#[asupersync::test]
async fn a_caller_that_left_is_seen_and_a_cancelled_one_told(cx: &Cx) -> Outcome {
    let (client, mut server) = call::channel::<_, u8>(1);
    let mut call = Box::pin(client.call(cx, 1));
    assert!(poll_once(call.as_mut()).is_pending());
    let request = server.recv(cx).await?.expect("asked");
    assert!(!request.reply.is_abandoned());
    drop(call);
    assert!(request.reply.is_abandoned());
    request.reply.answer(1);

    let told = Region::open(cx, "asks", async |cx| {
        let asking = client.clone();
        let caller = cx.spawn("caller", async move |cx| {
            Ok(matches!(asking.call(cx, 2).await, Err(CallError::Cancelled(_))))
        });
        let request = server.recv(cx).await?.expect("asked");
        caller.request_cancel(asupersync::Reason::new(asupersync::ReasonKind::UserRequest));
        let told = caller.join().await?;
        assert!(request.reply.is_abandoned());
        Ok(told)
    });
    assert!(told.await?);
    // `?` finds the cancellation in it.
    let late = Region::open(cx, "r", async |cx| Ok(cx.clone())).await?;
    let outcome: Outcome<u8> = async { Ok(client.call(&late, 3).await?) }.await;
    assert!(outcome.is_err_and(|failure| failure.as_cancelled().is_some()));
    Ok(())
}

#[asupersync::test]
async fn the_receipts_value_is_the_calls(cx: &Cx) -> Outcome {
    let (tx, rx) = mpsc::channel(1);
    let length = tx.with_permit(cx, async |permit| permit.send("five!").with(4).map(|n| n + 1)).await?;
    assert_eq!(length, 5);
    assert!(matches!(poll_once(pin!(async { drop(rx) })), Poll::Ready(())));
    Ok(())
}
