//! The program that is looked at.

use std::sync::mpsc;
use std::time::Duration;

use asupersync::channel::oneshot;
use asupersync::{Cx, Outcome, Region};
use tracing::{Instrument, info, info_span};

/// Tasks of one host, with what ends them.
pub(crate) struct Work {
    /// The name of the outermost region.
    pub(crate) host: &'static str,
    pub(crate) stopped: oneshot::Receiver<()>,
    pub(crate) job_ends: mpsc::Receiver<()>,
}

/// How often the task that yields does.
pub(crate) const YIELDS: u64 = 10;

impl Work {
    pub(crate) async fn run(self, cx: &Cx) -> Outcome {
        let Work { host, mut stopped, job_ends } = self;
        Region::open(cx, host, async move |cx| {
            // Waits for a request, which takes no clone of its waker.
            cx.spawn("listener", async |cx| drop(cx.cancelled().await));
            cx.spawn("yields", async |cx| {
                for _ in 0..YIELDS {
                    cx.yield_now().await?;
                }
                Ok(())
            });
            cx.spawn_blocking("job", move || {
                job_ends.recv().ok();
            });
            let connections = async |cx: &Cx| {
                cx.spawn("reader", async |cx| Ok(cx.sleep(Duration::from_secs(3600)).await?));
                // Outlives its spawner, and is in a span that was opened there.
                let accepts = async |cx: &Cx| {
                    info_span!("request").in_scope(|| {
                        cx.spawn("handler", async |cx| {
                            info!("handling");
                            cx.cancelled().await;
                        });
                    });
                };
                cx.spawn("accepts", accepts).join().await?;
                drop(stopped.recv(cx).await);
                Ok(())
            };
            Region::open(cx, "connections", connections).instrument(info_span!("connections")).await
        })
        .await
    }
}

/// A server of sorts, for somebody to look at until Ctrl-C.
pub(crate) async fn serve(cx: &Cx) -> Outcome {
    Region::open(cx, "server", async |cx| {
        cx.spawn("listener", async |cx| -> Outcome {
            for n in 1_u64.. {
                cx.spawn(&format!("connection {n}"), connection);
                cx.sleep(Duration::from_secs(2)).await?;
            }
            Ok(())
        });
        Region::open(cx, "metrics", async |cx| {
            cx.spawn("flush", async |cx| -> Outcome {
                loop {
                    cx.sleep(Duration::from_millis(250)).await?;
                    cx.spawn_blocking("fsync", || std::thread::sleep(Duration::from_millis(40)))
                        .join()
                        .await?;
                }
            });
            drop(cx.shutdown_signal().await);
            Ok(())
        })
        .await
    })
    .await
}

async fn connection(cx: &Cx) -> Outcome {
    for _ in 0..100 {
        cx.sleep(Duration::from_millis(100)).await?;
    }
    Ok(())
}
