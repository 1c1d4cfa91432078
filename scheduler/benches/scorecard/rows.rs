//! The workloads. Frozen: change one, and older figures mean nothing.

use std::time::Instant;

use asupersync::channel::oneshot;
use asupersync::net::TcpStream;
use asupersync::{Cx, Outcome, Region, Runtime, TaskFn};
use asupersync_compat::hyper::serve as serve_hyper;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustix::time::{ClockId, clock_gettime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::client::{self, HELLO, Wire};

/// Whose runtime does the work.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    Ours,
    Tokio,
}

impl Peer {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Peer::Ours => "ours",
            Peer::Tokio => "tokio",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Peer> {
        [Peer::Ours, Peer::Tokio].into_iter().find(|peer| peer.name() == name)
    }
}

/// One workload.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) run: fn(Peer, u64) -> Sample,
}

/// Nanoseconds for one operation, on the clock and on all CPUs.
pub(crate) struct Sample {
    pub(crate) wall_ns: f64,
    pub(crate) cpu_ns: f64,
}

pub(crate) const ROWS: &[Row] = &[
    Row { name: "spawn", unit: "ns a task, spawn + join, batches of 1000", run: spawn },
    Row { name: "ping-pong", unit: "ns a pair of tasks and two oneshots", run: ping_pong },
    Row { name: "yield", unit: "ns a yield, 1000 tasks", run: yields },
    Row { name: "echo", unit: "ns a round trip of 64 B, 64 connections", run: echo },
    Row { name: "hyper", unit: "ns a hello over HTTP/1.1, 64 keep-alive connections", run: hyper },
];

const WORKERS: usize = 2;

/// Runs `body` on our runtime. Only what the body measures counts, not the start of the runtime.
fn ours<F>(body: F) -> Sample
where
    F: for<'a> TaskFn<&'a Cx, Outcome<Sample>, Fut: Send> + Send + 'static,
{
    let runtime = Runtime::builder().workers(WORKERS).build().expect("a runtime");
    runtime.block_on(body).expect("the workload succeeds")
}

fn tokio(body: impl Future<Output = Sample> + Send + 'static) -> Sample {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build();
    let runtime = runtime.expect("a runtime");
    // In a task, as on our side: the thread that blocks is none of the workers.
    runtime.block_on(runtime.spawn(body)).expect("the workload succeeds")
}

/// The peer's spawn.
fn peer_spawn<F: Future<Output: Send> + Send + 'static>(future: F) -> tokio::task::JoinHandle<F::Output> {
    tokio::spawn(future)
}

/// A measurement under way.
struct Measure {
    wall: Instant,
    cpu: f64,
}

impl Measure {
    fn start() -> Self {
        Measure { wall: Instant::now(), cpu: cpu_ns() }
    }

    fn over(self, operations: u64) -> Sample {
        let wall_ns = self.wall.elapsed().as_nanos() as f64;
        Sample { wall_ns: wall_ns / operations as f64, cpu_ns: (cpu_ns() - self.cpu) / operations as f64 }
    }
}

/// CPU time of all threads of this process.
fn cpu_ns() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

fn spawn(peer: Peer, scale: u64) -> Sample {
    let batches = 1000 / scale;
    match peer {
        Peer::Ours => ours(async move |cx: &Cx| {
            let measure = Measure::start();
            let mut sum = 0;
            for _ in 0..batches {
                let tasks: Vec<_> = (0..1000_u64).map(|n| cx.spawn("n", async move |_| Ok(n))).collect();
                for task in tasks {
                    sum += task.join().await?;
                }
            }
            assert_eq!(sum, batches * 499_500);
            Ok(measure.over(batches * 1000))
        }),
        Peer::Tokio => tokio(async move {
            let measure = Measure::start();
            let mut sum = 0;
            for _ in 0..batches {
                let tasks: Vec<_> = (0..1000_u64).map(|n| peer_spawn(async move { n })).collect();
                for task in tasks {
                    sum += task.await.expect("the task ends");
                }
            }
            assert_eq!(sum, batches * 499_500);
            measure.over(batches * 1000)
        }),
    }
}

fn ping_pong(peer: Peer, scale: u64) -> Sample {
    let (batches, pairs) = (100 / scale, 1000_u64);
    match peer {
        Peer::Ours => ours(async move |cx: &Cx| {
            let measure = Measure::start();
            for _ in 0..batches {
                let tasks: Vec<_> = (0..pairs)
                    .map(|n| {
                        cx.spawn("ping", async move |cx| {
                            let (there, mut at_pong) = oneshot::channel();
                            let (back, mut at_ping) = oneshot::channel();
                            drop(cx.spawn("pong", async move |cx| {
                                let n = at_pong.recv(cx).await?;
                                back.send(n)?;
                                Ok(())
                            }));
                            there.send(n)?;
                            assert_eq!(at_ping.recv(cx).await?, n);
                            Ok(())
                        })
                    })
                    .collect();
                for task in tasks {
                    task.join().await?;
                }
            }
            Ok(measure.over(batches * pairs))
        }),
        Peer::Tokio => tokio(async move {
            let measure = Measure::start();
            for _ in 0..batches {
                let tasks: Vec<_> = (0..pairs)
                    .map(|n| {
                        peer_spawn(async move {
                            let (there, at_pong) = tokio::sync::oneshot::channel();
                            let (back, at_ping) = tokio::sync::oneshot::channel();
                            drop(peer_spawn(async move {
                                let n = at_pong.await.expect("ping sends");
                                back.send(n).expect("ping waits");
                            }));
                            there.send(n).expect("pong waits");
                            assert_eq!(at_ping.await.expect("pong sends"), n);
                        })
                    })
                    .collect();
                for task in tasks {
                    task.await.expect("the task ends");
                }
            }
            measure.over(batches * pairs)
        }),
    }
}

fn yields(peer: Peer, scale: u64) -> Sample {
    let (tasks, times) = (1000_u64, 1000 / scale);
    match peer {
        Peer::Ours => ours(async move |cx: &Cx| {
            let measure = Measure::start();
            let tasks: Vec<_> = (0..tasks)
                .map(|_| {
                    cx.spawn("yields", async move |cx| {
                        for _ in 0..times {
                            cx.yield_now().await?;
                        }
                        Ok(times)
                    })
                })
                .collect();
            let mut sum = 0;
            for task in tasks {
                sum += task.join().await?;
            }
            Ok(measure.over(sum))
        }),
        Peer::Tokio => tokio(async move {
            let measure = Measure::start();
            let tasks: Vec<_> = (0..tasks)
                .map(|_| {
                    peer_spawn(async move {
                        for _ in 0..times {
                            tokio::task::yield_now().await;
                        }
                        times
                    })
                })
                .collect();
            let mut sum = 0;
            for task in tasks {
                sum += task.await.expect("the task ends");
            }
            measure.over(sum)
        }),
    }
}

fn echo(peer: Peer, scale: u64) -> Sample {
    let (connections, rounds) = (64, 4000 / scale);
    match peer {
        Peer::Ours => ours(async move |cx: &Cx| {
            let listener = cx.tcp_bind("127.0.0.1:0").await?;
            let addr = listener.local_addr()?.to_string();
            let measure = Measure::start();
            let client =
                cx.spawn_blocking("client", move || client::run(Wire::Echo, &addr, connections, rounds));
            for _ in 0..connections {
                let (stream, _) = listener.accept(cx).await?;
                stream.set_nodelay(true)?;
                drop(cx.spawn("conn", async move |cx| serve(cx, &stream).await));
            }
            client.join().await?;
            Ok(measure.over(connections * rounds))
        }),
        Peer::Tokio => tokio(async move {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let addr = listener.local_addr().expect("an address").to_string();
            let measure = Measure::start();
            let client =
                tokio::task::spawn_blocking(move || client::run(Wire::Echo, &addr, connections, rounds));
            for _ in 0..connections {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                stream.set_nodelay(true).expect("TCP has this option");
                drop(peer_spawn(async move {
                    let mut buf = [0; 4096];
                    while let Ok(n @ 1..) = stream.read(&mut buf).await {
                        stream.write_all(&buf[..n]).await.expect("the client reads");
                    }
                }));
            }
            client.await.expect("the client ends");
            measure.over(connections * rounds)
        }),
    }
}

async fn serve(cx: &Cx, stream: &TcpStream) -> Outcome {
    let mut buf = [0; 4096];
    loop {
        match stream.read(cx, &mut buf).await? {
            0 => return Ok(()),
            n => stream.write_all(cx, &buf[..n]).await?,
        }
    }
}

fn hyper(peer: Peer, scale: u64) -> Sample {
    async fn hello(_: Request<Incoming>) -> std::io::Result<Response<Full<Bytes>>> {
        Ok(Response::new(Full::new(Bytes::from_static(HELLO))))
    }
    let (connections, rounds) = (64, 4000 / scale);
    match peer {
        Peer::Ours => ours(async move |cx: &Cx| {
            let listener = cx.tcp_bind("127.0.0.1:0").await?;
            let addr = listener.local_addr()?.to_string();
            let measure = Measure::start();
            Region::open(cx, "hello", async |cx| {
                drop(cx.spawn("http", async move |cx| {
                    serve_hyper(cx, listener, service_fn(hello)).await?;
                    Ok(())
                }));
                let load = move || client::run(Wire::Http, &addr, connections, rounds);
                cx.spawn_blocking("client", load).join().await
            })
            .await?;
            Ok(measure.over(connections * rounds))
        }),
        Peer::Tokio => tokio(async move {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let addr = listener.local_addr().expect("an address").to_string();
            let measure = Measure::start();
            let load = move || client::run(Wire::Http, &addr, connections, rounds);
            let client = tokio::task::spawn_blocking(load);
            for _ in 0..connections {
                let (stream, _) = listener.accept().await.expect("a connection");
                let mut http = hyper::server::conn::http1::Builder::new();
                let connection =
                    http.pipeline_flush(true).serve_connection(TokioIo::new(stream), service_fn(hello));
                drop(peer_spawn(connection));
            }
            client.await.expect("the client ends");
            measure.over(connections * rounds)
        }),
    }
}
