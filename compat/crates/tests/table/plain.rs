//! Crates without sockets.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use asupersync_core::{Cx, Outcome};
use asupersync_crates::{BoxError, Expected, Pace, Place, Row};
use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio_util::task::TaskTracker;
use tower::{Service, ServiceExt};
use tracing::Instrument;

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new("futures", "a set of futures, `run`", |place| async move {
            place.inside(futures(place.pace.clone())).await
        }),
        Row::new("tokio-util (TaskTracker)", "tracked tasks of guests, `run`", |place| async move {
            place.inside(tracker(place.pace.clone())).await
        }),
        Row::new(
            "tower (Buffer)",
            "a service whose worker is a task of its own, `run`",
            |place| async move { place.inside(buffer(place.pace.clone())).await },
        ),
        Row::new("async-trait", "a trait whose methods take a `&Cx`", async_trait_row).native(),
        Row::new("tracing-subscriber", "a log of a guest's spans, `run`", |place| async move {
            place.inside(log(place.pace.clone())).await
        }),
        Row::new(
            "tokio (spawn_blocking by a guest)",
            "a job that nobody knows of, `run`; while it blocks, the thread cannot be stopped",
            |place| async move { place.inside(unknown_job(place.pace.clone())).await },
        )
        .expect(Expected::Quarantined),
    ]
}

async fn futures(pace: Pace) -> Result<(), BoxError> {
    let mut set: FuturesUnordered<_> = (0..10)
        .map(|n| {
            let pace = pace.clone();
            async move {
                if n == 5 {
                    pace.middle().await;
                }
                n
            }
        })
        .collect();
    let mut sum = 0;
    while let Some(n) = set.next().await {
        sum += n;
    }
    if sum == 45 { Ok(()) } else { Err("a future was lost".into()) }
}

async fn tracker(pace: Pace) -> Result<(), BoxError> {
    let tracker = TaskTracker::new();
    let tasks: Vec<_> = (0..3)
        .map(|_| {
            let pace = pace.clone();
            tracker.spawn(async move { pace.middle().await })
        })
        .collect();
    tracker.close();
    tracker.wait().await;
    for task in tasks {
        task.await?;
    }
    Ok(())
}

async fn buffer(pace: Pace) -> Result<(), BoxError> {
    let service = tower::service_fn(move |n: u32| {
        let pace = pace.clone();
        async move {
            pace.middle().await;
            Ok::<_, BoxError>(n + 1)
        }
    });
    let mut service = tower::buffer::Buffer::new(service, 4);
    match service.ready().await?.call(1).await? {
        2 => Ok(()),
        other => Err(other.to_string().into()),
    }
}

#[async_trait]
trait Store: Send + Sync {
    async fn save(&self, cx: &Cx, pace: Pace) -> Outcome<usize>;
}

struct Memory(Mutex<Vec<u8>>);

#[async_trait]
impl Store for Memory {
    async fn save(&self, cx: &Cx, pace: Pace) -> Outcome<usize> {
        // Work in flight: it goes on through Request.
        cx.or_spent(pace.middle()).await?;
        let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bytes.push(1);
        Ok(bytes.len())
    }
}

async fn async_trait_row(place: Place) -> Result<(), BoxError> {
    let store: Arc<dyn Store> = Arc::new(Memory(Mutex::default()));
    match store.save(&place.cx, place.pace.clone()).await {
        Ok(1) => Ok(()),
        Ok(other) => Err(other.to_string().into()),
        Err(failure) => Err(failure.to_string().into()),
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn log(pace: Pace) -> Result<(), BoxError> {
    use tracing::instrument::WithSubscriber;
    let log = Log::default();
    let written = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || written.clone()).finish();
    let work = async move {
        pace.middle().await;
        tracing::info!("done");
    };
    async { work.instrument(tracing::info_span!("request", id = 7)).await }.with_subscriber(subscriber).await;
    let said = String::from_utf8(log.0.lock().map_err(|error| error.to_string())?.clone())?;
    if said.contains("request{id=7}") && said.contains("done") { Ok(()) } else { Err(said.into()) }
}

async fn unknown_job(pace: Pace) -> Result<(), BoxError> {
    Ok(tokio::task::spawn_blocking(move || pace.block()).await?)
}
