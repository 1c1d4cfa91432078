//! axum and tonic in regions: what their handlers have, and how their connections end.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use asupersync::compat::hosted;
use asupersync::compat::hyper::{Server, Tower};
use asupersync::compat::tower::{BudgetLayer, RegionLayer};
use asupersync::{All, Cx, Handle, Outcome};
use axum::routing::get;
use axum::{Extension, Router};
use tower::{Layer, ServiceBuilder};

fn on_tokio<T>(test: impl Future<Output = T>) -> T {
    let mut tokio = tokio::runtime::Builder::new_multi_thread();
    tokio.worker_threads(2).enable_all().build().expect("a runtime").block_on(test)
}

/// Asks once, and reads to the end.
fn ask(addr: SocketAddr, head: &str) -> io::Result<String> {
    let mut client = TcpStream::connect(addr)?;
    client.set_read_timeout(Some(Duration::from_secs(30)))?;
    client.write_all(head.as_bytes())?;
    let mut got = String::new();
    client.read_to_string(&mut got)?;
    Ok(got)
}

const GET: &str = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n";

/// A router behind both layers, on a free port.
async fn start(cx: &Cx, app: Router) -> Outcome<(SocketAddr, Handle<()>)> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    let listener = hosted::listener(listener);
    let service = ServiceBuilder::new()
        .layer(BudgetLayer::new())
        .layer(RegionLayer::<All>::of_connection())
        .service(app);
    let server = cx.spawn("server", async move |cx| {
        Server::new().serve(cx, listener, Tower::new(service)).await.map(drop)
    });
    Ok((addr, server))
}

#[test]
fn a_handler_has_the_region_of_its_request() {
    let outcome = on_tokio(hosted::run(async |cx: &Cx| {
        let app = Router::new().route(
            "/",
            get(async |Extension(cx): Extension<Cx>| {
                let child = cx.spawn("child", async |cx| Ok(cx.path()));
                child.join().await.unwrap_or_else(|failure| failure.to_string())
            }),
        );
        let (addr, _server) = start(cx, app).await?;
        let got = cx.spawn_blocking("client", move || Ok(ask(addr, &format!("{GET}\r\n"))?)).join().await?;
        assert!(got.ends_with("root/http/request"), "{got}");
        Ok(())
    }));
    outcome.expect("it ends well");
}

#[test]
fn the_deadline_of_a_client_ends_its_handler() {
    let outcome = on_tokio(hosted::run(async |cx: &Cx| {
        let app = Router::new().route(
            "/",
            get(async |Extension(cx): Extension<Cx>| format!("{:?}", cx.cancelled().await.reason().kind())),
        );
        let (addr, _server) = start(cx, app).await?;
        let asks = cx.spawn_blocking("client", move || {
            Ok(ask(addr, &format!("{GET}x-request-timeout: 5ms\r\n\r\n"))?)
        });
        let got = asks.join().await?;
        assert!(got.ends_with("Deadline"), "{got}");
        Ok(())
    }));
    outcome.expect("it ends well");
}

/// A gRPC service without generated code: it answers with how long its caller waits.
mod deadlines {
    use std::convert::Infallible;

    use asupersync::Cx;
    use axum::body::Body;
    use axum::http::{Request, Response};

    pub(super) async fn answer(request: Request<Body>) -> Result<Response<Body>, Infallible> {
        let cx: &Cx = request.extensions().get().expect("the layer put it there");
        let status = if cx.path().ends_with("/request") { "0" } else { "13" };
        let response =
            Response::builder().header("content-type", "application/grpc").header("grpc-status", status);
        Ok(response.body(Body::empty()).expect("a response"))
    }

    #[derive(Clone)]
    pub(super) struct Service;

    impl tonic::server::NamedService for Service {
        const NAME: &'static str = "test.Deadlines";
    }

    impl tower::Service<Request<tonic::body::Body>> for Service {
        type Response = Response<tonic::body::Body>;
        type Error = Infallible;
        type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

        fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
            std::task::Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: Request<tonic::body::Body>) -> Self::Future {
            Box::pin(async move { Ok(answer(request.map(Body::new)).await?.map(tonic::body::Body::new)) })
        }
    }
}

#[test]
fn tonics_routes_are_served_over_http2_each_call_in_a_region() {
    let outcome = on_tokio(hosted::run(async |cx: &Cx| {
        let routes = tonic::service::Routes::new(deadlines::Service);
        let (addr, _server) = start(cx, routes.into_axum_router()).await?;
        let channel = tonic::transport::Endpoint::from_shared(format!("http://{addr}"))?.connect().await?;
        let request = axum::http::Request::post("/test.Deadlines/Ask").header("te", "trailers");
        let request = request.header("content-type", "application/grpc").body(tonic::body::Body::empty())?;
        let response = tower::ServiceExt::oneshot(channel, request).await?;
        assert_eq!(response.headers()["grpc-status"], "0");
        Ok(())
    }));
    outcome.expect("it ends well");
}

/// `hosted::serve` in the place of `axum::serve`, in a process of its own: the example, but for its port.
#[test]
fn one_line_is_enough() {
    let (tell, told) = mpsc::channel();
    let server = thread::spawn(move || {
        on_tokio(async {
            let app = Router::new().route("/", get(async || "hello\n"));
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
            tell.send(listener.local_addr()?).expect("the test waits");
            hosted::serve(listener, app).await
        })
    });
    let addr = told.recv().expect("it listens");
    assert!(ask(addr, &format!("{GET}\r\n")).expect("an answer").ends_with("hello\n"));
    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TERM)
        .expect("a signal");
    server.join().expect("no panic").expect("it ends well");
}

#[test]
fn a_layer_is_made_for_any_region() {
    let outcome = on_tokio(hosted::run(async |cx: &Cx| {
        let app = Router::new().route("/", get(async |Extension(cx): Extension<Cx>| cx.path()));
        let service = RegionLayer::new(cx).name("here").layer(app);
        let request = axum::http::Request::get("/").body(axum::body::Body::empty())?;
        let response = tower::ServiceExt::oneshot(service, request).await?;
        let body = http_body_util::BodyExt::collect(response.into_body()).await.map_err(io::Error::other)?;
        assert_eq!(body.to_bytes(), "root/here");
        Ok(())
    }));
    outcome.expect("it ends well");
}
