//! HTTP, gRPC among it.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use asupersync_crates::{BoxError, Pace, Row};
use axum::routing::get;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Full};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic_health::ServingStatus;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tower::{Layer, Service, ServiceExt};
use tower_http::timeout::TimeoutLayer;

const ANY_PORT: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new("hyper", "a request over HTTP/1.1, both sides, `run`", |place| async move {
            place.inside(bare(place.pace.clone())).await
        }),
        Row::new(
            "hyper-util",
            "the pooled client and the server of both versions, `run`",
            |place| async move { place.inside(pooled(place.pace.clone())).await },
        ),
        Row::new("axum", "`serve` with graceful shutdown, `run`", |place| async move {
            place.inside(service(place.pace.clone(), 1, |router| router)).await
        }),
        Row::new("tower-http", "a layer of it around axum, `run`", |place| async move {
            let layer = TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, Duration::from_secs(60));
            place.inside(service(place.pace.clone(), 1, move |router| router.layer(layer))).await
        }),
        Row::new("reqwest (HTTP/1.1)", "a client of the region's, `owned`", |place| async move {
            let (addr, stop, server) = serve(&place, |router| router).await?;
            let client = place.tokio.owned(reqwest::Client::builder().no_proxy().build()?);
            let asked = client.call(&place.cx, async move |client: &reqwest::Client| ask(client, addr).await);
            let answer = asked.await.map_err(|failure| failure.to_string())??;
            ended(answer, stop, server).await
        }),
        Row::new("reqwest (HTTP/2)", "with prior knowledge, `owned`", |place| async move {
            let (addr, stop, server) = serve(&place, |router| router).await?;
            let client = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build()?;
            let client = place.tokio.owned(client);
            let asked = client.call(&place.cx, async move |client: &reqwest::Client| ask(client, addr).await);
            let answer = asked.await.map_err(|failure| failure.to_string())??;
            ended(answer, stop, server).await
        }),
        Row::new("tonic (unary)", "the health service, asked once, `run`", |place| async move {
            place.inside(unary(place.pace.clone())).await
        }),
        Row::new("tonic (stream)", "the health service, watched, `run`", |place| async move {
            place.inside(stream(place.pace.clone())).await
        }),
    ]
}

fn fine(body: &[u8]) -> Result<(), BoxError> {
    match body {
        b"hello" => Ok(()),
        other => Err(String::from_utf8_lossy(other).into()),
    }
}

async fn bare(pace: Pace) -> Result<(), BoxError> {
    let listener = TcpListener::bind(ANY_PORT).await?;
    let addr = listener.local_addr()?;
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await?;
        let answer = service_fn(move |_| {
            let pace = pace.clone();
            async move {
                pace.middle().await;
                Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("hello")))
            }
        });
        let http = hyper::server::conn::http1::Builder::new();
        Ok::<_, BoxError>(http.serve_connection(TokioIo::new(stream), answer).await?)
    });
    let stream = TcpStream::connect(addr).await?;
    let (mut send, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = Request::get("/").header("host", "localhost").body(Empty::<Bytes>::new())?;
    let response = send.send_request(request).await?;
    fine(&response.into_body().collect().await?.to_bytes())?;
    drop(send);
    connection.await??;
    server.await?
}

async fn pooled(pace: Pace) -> Result<(), BoxError> {
    let listener = TcpListener::bind(ANY_PORT).await?;
    let addr = listener.local_addr()?;
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await?;
        let answer = service_fn(move |_| {
            let pace = pace.clone();
            async move {
                pace.middle().await;
                Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("hello")))
            }
        });
        let (http, graceful) = (auto::Builder::new(TokioExecutor::new()), GracefulShutdown::new());
        let connection = http.serve_connection(TokioIo::new(stream), answer).into_owned();
        graceful.watch(connection).await
    });
    let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http::<Empty<Bytes>>();
    let response = client.get(format!("http://{addr}/").parse()?).await?;
    fine(&response.into_body().collect().await?.to_bytes())?;
    drop(client);
    server.await?
}

type Server = tokio::task::JoinHandle<std::io::Result<()>>;

/// Starts axum on a free port; it answers at the pace, and stops when the token is cancelled.
async fn start(
    pace: Pace,
    layers: impl FnOnce(axum::Router) -> axum::Router,
) -> Result<(SocketAddr, CancellationToken, Server), BoxError> {
    let listener = TcpListener::bind(ANY_PORT).await?;
    let (addr, stop) = (listener.local_addr()?, CancellationToken::new());
    let answer = move || async move {
        pace.middle().await;
        "hello"
    };
    let router = layers(axum::Router::new().route("/", get(answer)));
    let serving = axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
    Ok((addr, stop, tokio::spawn(serving.into_future())))
}

/// The same, from outside of the enclave.
async fn serve(
    place: &asupersync_crates::Place,
    layers: impl FnOnce(axum::Router) -> axum::Router + Send + 'static,
) -> Result<(SocketAddr, CancellationToken, Server), BoxError> {
    let started = place.tokio.run(&place.cx, start(place.pace.clone(), layers)).await;
    started.map_err(|failure| failure.to_string())?
}

async fn ask(client: &reqwest::Client, addr: SocketAddr) -> Result<Bytes, BoxError> {
    Ok(client.get(format!("http://{addr}/")).send().await?.error_for_status()?.bytes().await?)
}

async fn ended(answer: Bytes, stop: CancellationToken, server: Server) -> Result<(), BoxError> {
    fine(&answer)?;
    // Its idle connection is told to end; the client's is the enclave's to end.
    stop.cancel();
    Ok(server.await??)
}

async fn service(
    pace: Pace,
    requests: usize,
    layers: impl FnOnce(axum::Router) -> axum::Router,
) -> Result<(), BoxError> {
    let (addr, stop, server) = start(pace, layers).await?;
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    for _ in 0..requests {
        let response = client.get(format!("http://{addr}/").parse()?).await?;
        fine(&response.into_body().collect().await?.to_bytes())?;
    }
    drop(client);
    stop.cancel();
    Ok(server.await??)
}

/// A layer that lets a request pass at the pace.
#[derive(Clone)]
struct Paced<S> {
    inner: S,
    pace: Option<Pace>,
}

#[derive(Clone)]
struct PacedLayer(Option<Pace>);

impl<S> Layer<S> for PacedLayer {
    type Service = Paced<S>;

    fn layer(&self, inner: S) -> Paced<S> {
        Paced { inner, pace: self.0.clone() }
    }
}

impl<S, R> Service<R> for Paced<S>
where
    S: Service<R, Future: Send> + Clone + Send + 'static,
    R: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = futures::future::BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, task: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), S::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, request: R) -> Self::Future {
        // The one that was made ready is called.
        let clone = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, clone);
        let pace = self.pace.clone();
        Box::pin(async move {
            if let Some(pace) = pace {
                pace.middle().await;
            }
            ready.oneshot(request).await
        })
    }
}

/// The health service of tonic on a free port.
async fn health(
    pace: Option<Pace>,
) -> Result<
    (HealthClient<Channel>, tonic_health::server::HealthReporter, impl Future<Output = Result<(), BoxError>>),
    BoxError,
> {
    let listener = TcpListener::bind(ANY_PORT).await?;
    let (addr, stop) = (listener.local_addr()?, CancellationToken::new());
    let (reporter, service) = tonic_health::server::health_reporter();
    reporter.set_service_status("crate", ServingStatus::Serving).await;
    let incoming = tonic::transport::server::TcpIncoming::from(listener);
    let server = tonic::transport::Server::builder().layer(PacedLayer(pace)).add_service(service);
    let server = tokio::spawn(server.serve_with_incoming_shutdown(incoming, stop.clone().cancelled_owned()));
    let channel = Channel::from_shared(format!("http://{addr}"))?.connect().await?;
    let ends = async move {
        stop.cancel();
        Ok(server.await??)
    };
    Ok((HealthClient::new(channel), reporter, ends))
}

fn request() -> HealthCheckRequest {
    HealthCheckRequest { service: "crate".into() }
}

async fn unary(pace: Pace) -> Result<(), BoxError> {
    let (mut client, _reporter, ends) = health(Some(pace)).await?;
    let status = client.check(request()).await?.into_inner().status();
    drop(client);
    ends.await?;
    match ServingStatus::Serving as i32 == status as i32 {
        true => Ok(()),
        false => Err(format!("{status:?}").into()),
    }
}

async fn stream(pace: Pace) -> Result<(), BoxError> {
    let (mut client, reporter, ends) = health(None).await?;
    let mut statuses = client.watch(request()).await?.into_inner();
    let mut seen = Vec::new();
    seen.extend(statuses.message().await?.map(|status| status.status));
    let changes = tokio::spawn(async move {
        pace.middle().await;
        reporter.set_service_status("crate", ServingStatus::NotServing).await;
    });
    seen.extend(statuses.message().await?.map(|status| status.status));
    changes.await?;
    drop((client, statuses));
    ends.await?;
    match seen[..] {
        [1, 2] => Ok(()),
        _ => Err(format!("{seen:?}").into()),
    }
}
