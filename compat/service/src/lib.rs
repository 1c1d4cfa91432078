//! One service of axum, and the two ways to serve it: by axum itself on Tokio, shut down as its own
//! documentation advises, and in regions on the same Tokio, or on the native runtime.
//!
//! | path | what it does |
//! |---|---|
//! | `/` | answers at once |
//! | `/cx` | the same, and asks its `Cx` whether it is to stop, where it has one: that opens its region |
//! | `/work` | answers after 20 ms |
//! | `/events` | sends an event each 50 ms, without end |
//! | `/ws` | a WebSocket that echoes, and says 1001 when it is told to stop |
//! | `/never` | never answers |
//! | `/ready` | 200 while new work is welcome |

#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::time::Duration;
use std::{env, io};

use asupersync::compat::hosted::{self, Builder};
use asupersync::compat::hyper::{ServeReport, Server, Tower};
use asupersync::compat::tower::RegionLayer;
use asupersync::compat::{Readiness, RequestCx};
use asupersync::{All, Budget, Cx, Outcome, Runtime};
use axum::Router;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::Response;
use axum::response::sse::{Event, Sse};
use axum::routing::get;
use futures_util::stream::{Stream, unfold};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;
use tower::Layer;

/// What is in flight gets so long after SIGTERM.
pub const DRAIN: Duration = Duration::from_millis(1000);
/// Cleanup gets so long after that.
pub const FINALIZE: Duration = Duration::from_millis(200);

/// The service.
pub fn app(readiness: Readiness) -> Router {
    Router::new()
        .route("/", get(async || "hello\n"))
        .route("/cx", get(asks))
        .route("/work", get(work).post(work))
        .route("/events", get(async || Sse::new(events())))
        .route("/ws", get(ws))
        .route("/never", get(std::future::pending::<String>))
        .route("/ready", get(ready))
        .with_state(readiness)
}

async fn asks(cx: Option<RequestCx>) -> &'static str {
    if cx.is_some_and(|cx| cx.is_cancelled()) { "bye\n" } else { "hello\n" }
}

async fn work() -> &'static str {
    sleep(Duration::from_millis(20)).await;
    "worked\n"
}

fn events() -> impl Stream<Item = Result<Event, Infallible>> {
    unfold(0, async |n: u64| {
        sleep(Duration::from_millis(50)).await;
        Some((Ok(Event::default().data(n.to_string())), n + 1))
    })
}

async fn ready(State(readiness): State<Readiness>) -> StatusCode {
    if readiness.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

/// On plain axum there is no `Cx`, and nobody who would tell a WebSocket to stop.
async fn ws(cx: Option<RequestCx>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(async move |socket| match cx {
        Some(cx) => echo(socket, &cx).await,
        None => drop(echo_on(socket).await),
    })
}

async fn echo(mut socket: WebSocket, cx: &Cx) {
    loop {
        let message = tokio::select! {
            message = socket.recv() => message,
            _ = cx.cancelled() => {
                let away = CloseFrame { code: 1001, reason: "the server stops".into() };
                drop(socket.send(Message::Close(Some(away))).await);
                return;
            }
        };
        let Some(Ok(message)) = message else { return };
        if socket.send(message).await.is_err() {
            return;
        }
    }
}

async fn echo_on(mut socket: WebSocket) -> Option<()> {
    loop {
        let message = socket.recv().await?.ok()?;
        socket.send(message).await.ok()?;
    }
}

/// How the service is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// By axum on Tokio, as in its own hello: SIGTERM ends the process.
    Bare,
    /// By axum on Tokio, with its graceful shutdown.
    Plain,
    /// In regions on Tokio.
    Hosted,
    /// The same without a region for each request.
    Served,
    /// In regions on the native runtime: what asks for Tokio does not work there, which is all but `/`
    /// and `/ready`.
    Native,
}

impl Side {
    /// By its name on the command line.
    ///
    /// # Panics
    /// If there is none of that name.
    pub fn named(name: &str) -> Side {
        match name {
            "bare" => Side::Bare,
            "plain" => Side::Plain,
            "hosted" => Side::Hosted,
            "served" => Side::Served,
            "native" => Side::Native,
            _ => panic!("`{name}` is none of bare, plain, hosted, served and native"),
        }
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Side::Bare => "bare",
            Side::Plain => "plain",
            Side::Hosted => "hosted",
            Side::Served => "served",
            Side::Native => "native",
        }
    }

    /// Serves on `addr` until SIGTERM and the end of the drain, with so many workers; prints the address
    /// once it listens.
    ///
    /// # Errors
    /// The system's, when it gives no address or no runtime.
    pub fn serve(self, addr: &str, workers: usize, min_drain: Duration) -> io::Result<()> {
        let drain = Budget::timeout(DRAIN + min_drain);
        if let Side::Native = self {
            let runtime = Runtime::builder().workers(workers).signals(true);
            let runtime = runtime.drain(drain).finalize(Budget::timeout(FINALIZE)).build()?;
            let addr = addr.to_owned();
            let (outcome, _) = runtime.block_on_with_report(async move |cx: &Cx| {
                let listener = cx.tcp_bind(&*addr).await?;
                println!("{}", listener.local_addr()?);
                regions(cx, listener, min_drain, true).await
            });
            return ended(outcome);
        }
        let tokio =
            tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build()?;
        tokio.block_on(async {
            let listener = TcpListener::bind(addr).await?;
            println!("{}", listener.local_addr()?);
            let readiness = Readiness::new();
            readiness.set(true);
            match self {
                Side::Bare => return axum::serve(listener, app(readiness)).await,
                Side::Plain => return plain(listener, readiness).await,
                Side::Hosted | Side::Served | Side::Native => {}
            }
            let builder = Builder::default().signals(true).drain(drain).finalize(Budget::timeout(FINALIZE));
            let served = builder.run_with_report(async move |cx: &Cx| {
                regions(cx, hosted::listener(listener), min_drain, self == Side::Hosted).await
            });
            ended(served.await.0)
        })
    }
}

/// What was cut is told; that the budget was spent is no error of this program.
fn ended(outcome: Outcome<ServeReport>) -> io::Result<()> {
    match outcome {
        Ok(report) if env::var_os("QUIET").is_none() => eprintln!("{report}"),
        Ok(_) => {}
        Err(failure) => eprintln!("{failure}"),
    }
    Ok(())
}

async fn regions(
    cx: &Cx,
    listener: asupersync::net::TcpListener,
    min_drain: Duration,
    each: bool,
) -> Outcome<ServeReport> {
    let server = Server::new().min_drain(min_drain).grace(Duration::from_millis(500));
    let app = app(server.readiness());
    if each {
        let service = RegionLayer::<All>::of_connection().layer(app);
        server.serve(cx, listener, Tower::new(service)).await
    } else {
        server.serve(cx, listener, Tower::new(app)).await
    }
}

/// As axum's documentation has it.
async fn plain(listener: TcpListener, readiness: Readiness) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    axum::serve(listener, app(readiness))
        .with_graceful_shutdown(async move { terminate.recv().await.unwrap_or_default() })
        .await
}
