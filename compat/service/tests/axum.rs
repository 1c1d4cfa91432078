//! axum and tonic in regions: what their handlers have, and how their connections end.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use asupersync::caps::{Spawn, Time};
use asupersync::compat::axum::RequestCx;
use asupersync::compat::hosted;
use asupersync::compat::hyper::{Server, Tower};
use asupersync::compat::tonic::{Calls, cx_of, to_status};
use asupersync::compat::tower::{BudgetLayer, RegionLayer};
use asupersync::{All, Budget, Cx, Error, Failure, Handle, Outcome, Reason, ReasonKind, Region};
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use tonic::service::interceptor::InterceptedService;
use tonic::{Code, Status};
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
            get(async |cx: RequestCx| {
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
        let app = Router::new()
            .route("/", get(async |cx: RequestCx| format!("{:?}", cx.cancelled().await.reason().kind())));
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

/// What a router answers to one request.
async fn answer<S>(service: S) -> Outcome<(StatusCode, String)>
where
    S: tower::Service<axum::http::Request<axum::body::Body>>,
    S::Response: axum::response::IntoResponse,
    S::Error: std::error::Error + Send + Sync + 'static,
{
    let request = axum::http::Request::get("/").body(axum::body::Body::empty())?;
    let response = tower::ServiceExt::oneshot(service, request).await?;
    let response = axum::response::IntoResponse::into_response(response);
    let status = response.status();
    let body = http_body_util::BodyExt::collect(response.into_body()).await.map_err(io::Error::other)?;
    Ok((status, String::from_utf8_lossy(&body.to_bytes()).into_owned()))
}

#[test]
fn a_handler_without_a_region_says_which_layer_is_missing() {
    let outcome = on_tokio(hosted::run(async |cx: &Cx| {
        let wants = Router::new().route("/", get(async |cx: RequestCx| cx.path()));
        let (status, said) = answer(wants.clone()).await?;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(said.contains("compat::tower::RegionLayer") && said.contains("hosted::serve"), "{said}");
        let (status, said) = answer(RegionLayer::new(cx).layer(wants)).await?;
        assert_eq!((status, &*said), (StatusCode::OK, "root/request"));
        let can_do_without =
            Router::new().route("/", get(async |cx: Option<RequestCx>| cx.is_some().to_string()));
        assert_eq!(answer(can_do_without.clone()).await?.1, "false");
        assert_eq!(answer(RegionLayer::new(cx).layer(can_do_without)).await?.1, "true");
        Ok(())
    }));
    outcome.expect("it ends well");
}

#[test]
fn a_handler_has_the_set_of_its_layer_and_no_other() {
    type Less = (Spawn, Time);
    let outcome = on_tokio(hosted::run(async |cx: &Cx| {
        let less: &Cx<Less> = cx.restrict();
        let wants = Router::new().route("/", get(async |cx: RequestCx<Less>| cx.path()));
        assert_eq!(answer(RegionLayer::new(less).layer(wants.clone())).await?.1, "root/request");
        let (status, said) = answer(RegionLayer::new(cx).layer(wants)).await?;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(said.contains("Spawn") && said.contains("another set of capabilities"), "{said}");
        Ok(())
    }));
    outcome.expect("it ends well");
}

/// A gRPC service without generated code: it tells by its status whether its caller has a deadline.
mod deadlines {
    use std::convert::Infallible;

    use asupersync::compat::tonic::cx_of;
    use asupersync::{Cx, Time};
    use axum::body::Body;
    use axum::http::{Request, Response};
    use tonic::Status;

    /// What a method of a service does.
    async fn method(request: tonic::Request<()>) -> Result<tonic::Response<()>, Status> {
        let cx: &Cx = cx_of(&request)?;
        assert!(cx.path().ends_with("/request"), "{}", cx.path());
        match cx.budget().deadline_from(cx.now()) {
            Time::MAX => Ok(tonic::Response::new(())),
            deadline => Err(Status::deadline_exceeded(format!("{:?}", deadline - cx.now()))),
        }
    }

    pub(super) async fn answer(request: Request<Body>) -> Result<Response<Body>, Infallible> {
        let (parts, _) = request.into_parts();
        let metadata = tonic::metadata::MetadataMap::from_headers(parts.headers);
        let status = match method(tonic::Request::from_parts(metadata, parts.extensions, ())).await {
            Ok(_) => "0".into(),
            Err(status) => (status.code() as i32).to_string(),
        };
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
        let ask = async |calls: Calls| -> Outcome<axum::http::HeaderMap> {
            let request = axum::http::Request::post("/test.Deadlines/Ask").header("te", "trailers");
            let request =
                request.header("content-type", "application/grpc").body(tonic::body::Body::empty())?;
            let calls = InterceptedService::new(channel.clone(), calls);
            Ok(tower::ServiceExt::oneshot(calls, request).await?.headers().clone())
        };
        assert_eq!(ask(Calls::of(cx)).await?["grpc-status"], "0");
        // The region's deadline goes with the call, and is the deadline of the region there.
        let limited = Region::builder("limited").budget(Budget::timeout(Duration::from_secs(3600)));
        let told = limited.open(cx, async |cx: &Cx| -> Outcome<_> { ask(Calls::of(cx)).await }).await?;
        assert_eq!(told["grpc-status"], (Code::DeadlineExceeded as i32).to_string());
        Ok(())
    }));
    outcome.expect("it ends well");
}

#[test]
fn no_call_begins_at_request_and_failures_are_told_as_statuses() {
    let outcome = on_tokio(hosted::run(async |cx: &Cx| {
        let no_region = cx_of(&tonic::Request::new(())).map(drop).unwrap_err();
        assert!(no_region.message().contains("compat::tower::RegionLayer"), "{no_region}");
        for (kind, code) in [
            (ReasonKind::Deadline, Code::DeadlineExceeded),
            (ReasonKind::BudgetSpent, Code::ResourceExhausted),
            (ReasonKind::Shutdown, Code::Unavailable),
            (ReasonKind::ClientDisconnected, Code::Cancelled),
        ] {
            let task = cx.spawn("task", async move |cx: &Cx| {
                let cancelled = cx.cancelled().await;
                let refused = tonic::service::Interceptor::call(&mut Calls::of(cx), tonic::Request::new(()));
                assert_eq!(refused.unwrap_err().code(), code);
                Outcome::<()>::Err(Failure::Cancelled(cancelled))
            });
            task.request_cancel(Reason::new(kind));
            assert_eq!(to_status(task.join().await.unwrap_err()).code(), code);
        }
        let status = Failure::Err(Error::from(Status::not_found("it")));
        assert_eq!(to_status(status).code(), Code::NotFound);
        let other = to_status(Failure::Err(Error::msg("odd")));
        assert_eq!((other.code(), other.message()), (Code::Unknown, "odd"));
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
        let app = Router::new().route("/", get(async |cx: RequestCx| cx.path()));
        let service = RegionLayer::new(cx).name("here").layer(app);
        let request = axum::http::Request::get("/").body(axum::body::Body::empty())?;
        let response = tower::ServiceExt::oneshot(service, request).await?;
        let body = http_body_util::BodyExt::collect(response.into_body()).await.map_err(io::Error::other)?;
        assert_eq!(body.to_bytes(), "root/here");
        Ok(())
    }));
    outcome.expect("it ends well");
}
