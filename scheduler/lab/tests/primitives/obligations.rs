//! What is reserved, and how that ends.

use std::sync::Arc;

use asupersync_core::Cx;
use asupersync_core::channel::delivery;
use asupersync_core::obligation::{Detached, Lease, Resolution, hold};
use asupersync_lab::{Shared, pause};

use crate::{stop, whole};

/// A lease that says how it ended.
async fn lease(cx: &Cx, ends: &Arc<Shared<Vec<Resolution>>>) -> Detached<Lease<u32>> {
    let ends = ends.clone();
    hold(cx, Lease::new(7, move |_, how| ends.lock().push(how)), async |lease| {
        let (lease, done) = lease.detach();
        done.with(lease)
    })
    .await
}

#[test]
fn a_lease_ends_once() {
    whole("lease: completed as its region closes", "1 task", async |cx: &Cx| {
        let ends = Arc::new(Shared::new(Vec::new()));
        let told = ends.clone();
        let region = cx.spork("region", async move |cx| {
            let lease = lease(cx, &told).await;
            drop(cx.spawn("task", async move |cx| {
                cx.yield_now().await?;
                Ok(lease.complete().is_ok())
            }));
            Ok(cx.yield_now().await?)
        });
        pause().await;
        region.request_close(stop());
        drop(region.join().await);
        let ends = ends.read().clone();
        assert!(ends.len() <= 1);
        Ok(ends)
    });
}

#[test]
fn a_lease_whose_task_is_cancelled_is_aborted() {
    whole("lease: its task is cancelled, its region closes", "1 task", async |cx: &Cx| {
        let ends = Arc::new(Shared::new(Vec::new()));
        let told = ends.clone();
        let region = cx.spork("region", async move |cx| {
            let lease = lease(cx, &told).await;
            let task = cx.spawn("task", async move |cx| {
                cx.yield_now().await?;
                Ok(lease.complete().is_ok())
            });
            cx.yield_now().await?;
            task.request_cancel(stop());
            task.join().await
        });
        pause().await;
        region.request_close(stop());
        let completed = region.join().await;
        let ends = ends.read().clone();
        // It may never have been taken; else it has ended once, as its task says.
        assert!(ends.len() <= 1, "{ends:?}");
        if let Ok(completed) = completed {
            assert_eq!(completed, ends == [Resolution::Committed], "{ends:?}");
        }
        Ok(ends)
    });
}

#[test]
fn a_delivery_comes_again() {
    whole("delivery: its holder is cancelled", "1 message, 1 holder", async |cx: &Cx| {
        let (tx, mut rx) = delivery::channel(1);
        tx.send(cx, 7).await?;
        drop(tx);
        let first = rx.recv(cx).await?.expect("it was sent");
        let holder = cx.spawn("hold", async move |cx| {
            cx.yield_now().await?;
            first.ack();
            Ok(())
        });
        pause().await;
        holder.request_cancel(stop());
        let mut attempts = Vec::new();
        while let Some(again) = rx.recv(cx).await? {
            attempts.push(again.attempt());
            again.ack();
        }
        assert_eq!(attempts.is_empty(), holder.join().await.is_ok());
        Ok(attempts)
    });
}

#[test]
fn deliveries_make_senders_wait() {
    whole("delivery: a message in work takes room", "room 1, 2 messages", async |cx: &Cx| {
        let (tx, mut rx) = delivery::channel(1);
        let send = cx.spawn("send", async move |cx| {
            tx.send(cx, 1).await?;
            Ok(tx.send(cx, 2).await?)
        });
        let mut seen = Vec::new();
        while let Some(delivery) = rx.recv(cx).await? {
            let (value, attempt) = (*delivery, delivery.attempt());
            seen.push((value, attempt));
            pause().await;
            if value == 1 && attempt == 1 { delivery.nack() } else { delivery.ack() }
        }
        send.join().await?;
        assert_eq!(seen, [(1, 1), (1, 2), (2, 1)]);
        Ok(())
    });
}
