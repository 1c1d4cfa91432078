//! Rows 14 and 15: hyper says hello. Server and client have a core each.
//!
//! | row | who drives hyper's connections |
//! |---|---|
//! | `http1`, `http2` | a task each, on either side |
//! | `http1-served` | a server that ends gracefully, and a connection that sends no header in time: ours is [`serve`](asupersync_compat::hyper::serve), Tokio's has hyper's timeout and hyper-util's graceful shutdown |

use std::convert::Infallible;
use std::net::SocketAddr;

use asupersync::net::TcpListener;
use asupersync::{Cx, Outcome, Region};
use asupersync_compat::hyper::serve as serve_hyper;
use asupersync_compat::io::Hyper;
use asupersync_compat::rt::Executor;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener as TokioListener, TcpStream as TokioStream};

use crate::client::{self, HELLO, Load};
use crate::cores;
use crate::measure::{Figures, Measure};
use crate::peer::{Foreign, Peer, TokioCt, TokioMt, ours};

const AT_ONCE: u64 = 64;

async fn hello(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::new(Bytes::from_static(HELLO))))
}

/// Runs the client beside the server, and says what a request cost that.
async fn cost(load: Load, addr: SocketAddr, rounds: u64) -> Figures {
    let (tell, told) = tokio::sync::oneshot::channel();
    let measure = Measure::start();
    std::thread::spawn(move || {
        client::run(load, addr, AT_ONCE, rounds);
        tell.send(()).expect("somebody waits for the client");
    });
    told.await.expect("the client ends");
    let cost = measure.over(AT_ONCE * rounds);
    vec![cost[1], cost[0]]
}

/// What drives hyper's connections.
#[derive(Clone, Copy)]
enum Driven {
    /// A task each.
    Bare,
    /// A server.
    Served,
    /// One task, as all requests come over one connection.
    Http2,
}

pub(super) fn one(peer: Peer, scale: u64) -> Figures {
    run(Driven::Bare, peer, 3000 / scale)
}

pub(super) fn one_served(peer: Peer, scale: u64) -> Figures {
    run(Driven::Served, peer, 3000 / scale)
}

pub(super) fn two(peer: Peer, scale: u64) -> Figures {
    run(Driven::Http2, peer, 4000 / scale)
}

fn run(driven: Driven, peer: Peer, rounds: u64) -> Figures {
    cores::keep_to_servers();
    match peer {
        Peer::Ours => run_ours(driven, rounds),
        Peer::Tokio => run_tokio::<TokioMt>(driven, rounds),
        Peer::TokioCt => run_tokio::<TokioCt>(driven, rounds),
        other => unreachable!("no row runs {} here", other.name()),
    }
}

fn run_ours(driven: Driven, rounds: u64) -> Figures {
    ours(async move |cx: &Cx| {
        let listener = cx.tcp_bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        Region::open(cx, "hello", async move |cx| {
            drop(cx.spawn("http", async move |cx| driven.serve(cx, listener).await));
            Ok(cost(driven.load(), addr, rounds).await)
        })
        .await
    })
}

fn run_tokio<P: Foreign<Listener = TokioListener, Stream = TokioStream>>(
    driven: Driven,
    rounds: u64,
) -> Figures {
    P::run(async move |peer| {
        let (listener, addr) = P::bind().await;
        peer.detach(driven.serve_on::<P>(peer, listener));
        cost(driven.load(), addr, rounds).await
    })
}

impl Driven {
    fn load(self) -> Load {
        match self {
            Driven::Bare | Driven::Served => Load::Http1,
            Driven::Http2 => Load::Http2,
        }
    }

    async fn serve(self, cx: &Cx, listener: TcpListener) -> Outcome {
        match self {
            Driven::Bare => {
                while let Ok((stream, _)) = listener.accept(cx).await {
                    drop(cx.spawn("connection", async move |cx| {
                        let mut http = http1::Builder::new();
                        let http =
                            http.pipeline_flush(true).serve_connection(Hyper::new(stream), service_fn(hello));
                        // How it ends is the client's affair.
                        cx.or_cancel(http).await?.ok();
                        Ok(())
                    }));
                }
            }
            Driven::Served => drop(serve_hyper(cx, listener, service_fn(hello)).await?),
            Driven::Http2 => {
                let (stream, _) = listener.accept(cx).await?;
                stream.set_nodelay(true)?;
                let http = http2::Builder::new(Executor::new(cx));
                cx.or_cancel(http.serve_connection(Hyper::new(stream), service_fn(hello))).await?.ok();
            }
        }
        Ok(())
    }

    async fn serve_on<P: Foreign<Listener = TokioListener, Stream = TokioStream>>(
        self,
        peer: P,
        listener: TokioListener,
    ) {
        match self {
            Driven::Bare => loop {
                let stream = TokioIo::new(P::accept(&listener).await);
                let mut http = http1::Builder::new();
                peer.detach(http.pipeline_flush(true).serve_connection(stream, service_fn(hello)));
            },
            Driven::Served => {
                let graceful = GracefulShutdown::new();
                loop {
                    let stream = TokioIo::new(P::accept(&listener).await);
                    let mut http = http1::Builder::new();
                    // With a timer it has a timeout for headers, of 30 seconds as ours.
                    let http = http.timer(TokioTimer::new()).serve_connection(stream, service_fn(hello));
                    peer.detach(graceful.watch(http));
                }
            }
            Driven::Http2 => {
                let stream = TokioIo::new(P::accept(&listener).await);
                let http = http2::Builder::new(TokioExecutor::new());
                http.serve_connection(stream, service_fn(hello)).await.ok();
            }
        }
    }
}
