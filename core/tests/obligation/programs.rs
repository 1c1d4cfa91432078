//! What must compile: closures without a single annotation, in tasks that must be `Send`.

use asupersync::channel::{call, delivery, mpsc, oneshot};
use asupersync::obligation::{Done, hold, try_hold};
use asupersync::{Cx, Failure, Outcome, Region};

#[asupersync::test]
async fn in_a_send_task_with_borrows(cx: &Cx) -> Outcome {
    let (tx, mut rx) = mpsc::channel(2);
    let sender = cx.spawn("sender", async move |cx| {
        let words = String::from("borrowed");
        let mut count = 0;
        tx.with_permit(cx, async |permit| {
            cx.yield_now().await.ok();
            count += 1;
            permit.send(words.len())
        })
        .await?;
        let last = &words;
        tx.try_with_permit(cx, async |permit| {
            let (permit, ()) = permit.or_abort(cx.yield_now().await)?;
            let (permit, number) = permit.or_abort(last.parse::<usize>().or(Ok::<_, Failure>(count)))?;
            Ok(permit.send(number))
        })
        .await?;
        Ok(count)
    });
    assert_eq!((rx.recv(cx).await?, rx.recv(cx).await?), (Some(8), Some(1)));
    assert_eq!(sender.join().await?, 1);
    Ok(())
}

#[asupersync::test]
async fn nested_and_of_two_channels_at_once(cx: &Cx) -> Outcome {
    let ((a, mut from_a), (b, mut from_b)) = (mpsc::channel(1), mpsc::channel(1));
    let (once, mut from_once) = oneshot::channel();
    let task = cx.spawn("both", async move |cx| {
        let both = a.with_permit(cx, async |to_a| {
            // Both rooms are certain before either is filled.
            let inner = b.with_permit(cx, async |to_b| {
                let done = to_b.send("b");
                cx.yield_now().await.ok();
                done.with(5)
            });
            match inner.await {
                Ok(five) => to_a.send("a").with(Some(five)),
                Err(_) => to_a.abort().with(None),
            }
        });
        let both = both.await?;
        once.with_permit(cx, async |permit| permit.send(both)).await;
        Ok(())
    });
    task.join().await?;
    assert_eq!((from_a.try_recv(), from_b.try_recv()), (Some("a"), Some("b")));
    assert_eq!(from_once.recv(cx).await?, Some(5));
    Ok(())
}

/// The types have names for those who write functions.
async fn fill<'id>(permit: mpsc::HeldPermit<'id, u8>, value: u8) -> Done<'id> {
    if value == 0 { permit.abort() } else { permit.send(value) }
}

#[asupersync::test]
async fn with_a_function_as_the_body(cx: &Cx) -> Outcome {
    let (tx, mut rx) = mpsc::channel(1);
    tx.with_permit(cx, async |permit| fill(permit, 0).await).await?;
    tx.with_permit(cx, async |permit| fill(permit, 7).await).await?;
    assert_eq!((rx.try_recv(), rx.try_recv()), (Some(7), None));
    Ok(())
}

#[asupersync::test]
async fn a_loop_that_leaves_when_it_resolves(cx: &Cx) -> Outcome {
    let (tx, mut rx) = mpsc::channel(1);
    let mut tries = 0;
    tx.with_permit(cx, async |permit| {
        loop {
            tries += 1;
            if tries == 3 {
                return permit.send(tries);
            }
            if cx.yield_now().await.is_err() {
                break permit.abort();
            }
        }
    })
    .await?;
    assert_eq!(rx.try_recv(), Some(3));
    Ok(())
}

#[asupersync::test]
async fn a_worker_of_each_kind(cx: &Cx) -> Outcome {
    let (jobs, mut work) = delivery::channel(4);
    let (client, mut server) = call::channel::<u32, u32>(4);
    let answer = Region::open(cx, "workers", async |cx| {
        drop(cx.spawn("server", async move |cx| {
            while let Some(call::Request { question, reply }) = server.recv(cx).await? {
                hold(cx, reply, async |reply| reply.answer(question * 2)).await;
            }
            Ok(())
        }));
        let asking = client.clone();
        let worker = cx.spawn("worker", async move |cx| {
            let mut sum = 0;
            while let Some(job) = work.recv(cx).await? {
                sum += try_hold(cx, job, async |job| {
                    let (job, doubled) = match asking.call(cx, *job).await {
                        Ok(doubled) => (job, doubled),
                        Err(error) => return Err(job.abort_with(error)),
                    };
                    Ok(job.ack().with(doubled))
                })
                .await?;
            }
            Ok(sum)
        });
        for job in 1..=3 {
            jobs.send(cx, job).await?;
        }
        drop(jobs);
        worker.join().await
    });
    assert_eq!(answer.await?, 12);
    Ok(())
}
