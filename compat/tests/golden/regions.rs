//! The same in regions, on the same Tokio.

use std::time::Duration;

use asupersync_compat::RequestCx;
use asupersync_compat::hosted::{self, Builder};
use asupersync_compat::hyper::{BoxError, Server, Tower};
use asupersync_compat::io::{ByteStreamExt, FromHyper};
use asupersync_compat::tower::RegionLayer;
use asupersync_core::{All, Budget, Cx, Outcome, Reason, ReasonKind};
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tower::{Layer, service_fn};

use crate::service::{Body, DRAIN, Event, Stage, Watch, endless, switching, text};

pub(crate) fn side(stage: Stage) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let served = Builder::default().run_with_report(async move |cx: &Cx| serve(cx, stage).await);
    runtime.expect("a runtime").block_on(served).0.expect("it ends well");
}

async fn serve(cx: &Cx, stage: Stage) -> Outcome {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    stage.listens(listener.local_addr()?);
    let listener = hosted::listener(listener);
    let handled = stage.clone();
    let service = service_fn(move |request| handle(request, handled.clone()));
    let service = Tower::new(RegionLayer::<All>::of_connection().layer(service));
    let server = Server::new().drain(Budget::timeout(DRAIN)).grace(Duration::from_millis(50));
    let server = cx.spawn("server", async move |cx| server.serve(cx, listener, service).await);
    stage.stop.notified().await;
    server.request_cancel(Reason::new(ReasonKind::Shutdown));
    // It has a budget, so it always ends within that.
    server.join().await?;
    stage.tell(Event::Stopped);
    stage.stop.notified().await;
    Ok(())
}

async fn handle(mut request: Request<Incoming>, stage: Stage) -> Result<Response<Body>, BoxError> {
    let cx: RequestCx = request.extensions().get::<RequestCx>().expect("the layer put it there").clone();
    let mut watch = Watch::begin(&stage);
    Ok(match request.uri().path() {
        "/work" => {
            let cleaned = stage.clone();
            cx.defer(async move |cx: &Cx| {
                cx.sleep(Duration::from_millis(1)).await?;
                cleaned.tell(Event::Cleaned);
                Ok(())
            })
            .map_err(std::io::Error::from)?;
            let worked = tokio::select! {
                () = stage.gate.notified() => true,
                _ = cx.cancelled() => false,
            };
            watch.end = if worked { Event::Done } else { Event::Told };
            text("worked")
        }
        "/never" => std::future::pending().await,
        "/events" => endless("text/event-stream", watch),
        "/stream" => endless("text/plain", watch),
        "/upload" => match request.into_body().collect().await {
            Ok(body) => text(body.to_bytes()),
            Err(_) => text("no upload"),
        },
        "/upgrade" => {
            let upgrade = hyper::upgrade::on(&mut request);
            drop(cx.spawn("upgrade", async move |cx: &Cx| -> Outcome {
                let _watch = watch;
                let mut stream = FromHyper::new(upgrade.await?);
                let mut word = [0; 4];
                while let Ok(1..) = stream.read(cx, &mut word).await {
                    stream.write_all(cx, &word).await?;
                }
                stream.write_all(cx, b"1001").await?;
                Ok(stream.shutdown(cx).await?)
            }));
            switching()
        }
        _ => text("hello"),
    })
}
