//! A hyper server and a stack of tower's layers in the lab: simulated sockets, virtual time, and faults that
//! the test commands. No Tokio runtime is anywhere near.
#![cfg(all(feature = "hyper", feature = "tower"))]

use std::fmt::Display;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use asupersync_compat::RequestCx;
use asupersync_compat::hyper::{ConnectionEnd, ServeReport, Server, Tower};
use asupersync_compat::tower::{RegionLayer, TimeoutLayer};
use asupersync_core::io::{TcpListener, TcpStream};
use asupersync_core::region::{Close, CloseReport};
use asupersync_core::{Budget, Cx, Failure, Handle, Outcome, ReasonKind, Region, TaskFn};
use asupersync_lab::Lab;
use asupersync_lab::explore::{Ended, Injector, Search};
use asupersync_lab::net::{Link, Net};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tower::ServiceBuilder;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const BIG: usize = 100_000;

/// What happened, with its time.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Log {
    fn add(&self, cx: &Cx, what: impl Display) {
        let line = format!("{:?} {what}\n", cx.now());
        self.0.lock().expect("no panic").push_str(&line);
    }

    fn text(&self) -> String {
        self.0.lock().expect("no panic").clone()
    }
}

/// Nothing is left of a run: no task, finalizer or obligation.
fn is_whole(report: &CloseReport) -> bool {
    let totals = &report.totals;
    report.leftovers.is_empty()
        && totals.tasks == totals.ok + totals.err + totals.cancelled + totals.panicked + totals.dropped
        && totals.finalizers_registered == totals.finalizers_run
        && totals.obligations == totals.obligations_committed + totals.obligations_aborted
}

/// Runs it under several seeds; it must succeed, and leave nothing behind.
fn under_seeds<F>(main: F)
where
    F: for<'a> TaskFn<&'a Cx, Outcome, Fut: Send> + Clone + Send + 'static,
{
    for seed in 0..24 {
        let main = main.clone();
        let net = Arc::new(Mutex::new(None));
        let kept = net.clone();
        let (outcome, report) = Lab::new(seed).run_with_report(async move |cx: &Cx| {
            *kept.lock().expect("no panic") = Some(Net::current());
            main(cx).await
        });
        if let Err(failure) = outcome {
            panic!("seed {seed}: {failure}");
        }
        assert!(is_whole(&report), "seed {seed}: {report:?}");
        let net = net.lock().expect("no panic").take().expect("it ran");
        assert_eq!(net.connections(), 0, "seed {seed}");
    }
}

/// How many requests were begun, cleaned up after, and had their region closed; and how many ran at once.
#[derive(Clone, Default)]
struct Handled {
    begun: Arc<AtomicUsize>,
    cleaned: Arc<AtomicUsize>,
    closed: Arc<AtomicUsize>,
    running: Arc<AtomicUsize>,
    most_at_once: Arc<AtomicUsize>,
}

/// A handler runs.
struct Running(Arc<AtomicUsize>);

impl Running {
    fn begin(handled: &Handled) -> Self {
        handled.begun.fetch_add(1, SeqCst);
        let running = handled.running.fetch_add(1, SeqCst) + 1;
        handled.most_at_once.fetch_max(running, SeqCst);
        Running(handled.running.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

impl Handled {
    fn counts(&self) -> (usize, usize, usize) {
        (self.begun.load(SeqCst), self.cleaned.load(SeqCst), self.closed.load(SeqCst))
    }
}

/// The handler. Each request registers a finalizer and works in a task of its own, and `/slow` for long.
async fn handle(request: Request<Incoming>, handled: Handled) -> io::Result<Response<Full<Bytes>>> {
    assert!(tokio::runtime::Handle::try_current().is_err(), "there is no Tokio here");
    let cx: RequestCx = request.extensions().get::<RequestCx>().expect("the layer put it there").clone();
    let _running = Running::begin(&handled);
    let cleaned = handled.cleaned.clone();
    let finalizer = cx.defer(async move |cx: &Cx| {
        cx.sleep(MS).await.ok();
        cleaned.fetch_add(1, SeqCst);
    });
    finalizer?;
    let body = match request.uri().path() {
        "/big" => Bytes::from((0..BIG).map(|n| (n % 251) as u8).collect::<Vec<_>>()),
        "/echo" => {
            // hyper's body knows no scope.
            let body = cx.or_cancel(request.into_body().collect()).await?;
            body.map_err(io::Error::other)?.to_bytes()
        }
        "/slow" => {
            cx.sleep(60 * SECOND).await?;
            Bytes::from_static(b"late")
        }
        path => {
            let path = path.to_owned();
            let work = cx.spawn("work", async move |cx: &Cx| {
                cx.sleep(3 * MS).await?;
                Ok(format!("hello {path}"))
            });
            work.join()
                .await
                .map_err(|failure| match failure {
                    Failure::Cancelled(cancelled) => cancelled.into(),
                    other => io::Error::other(other.to_string()),
                })?
                .into()
        }
    };
    Ok(Response::new(Full::new(body)))
}

/// Starts a server.
async fn start(cx: &Cx, log: &Log, handled: &Handled) -> Outcome<(SocketAddr, Handle<ServeReport>)> {
    let listener = cx.tcp_bind("10.0.0.1:80").await?;
    let addr = listener.local_addr()?;
    let (log, handled) = (log.clone(), handled.clone());
    // Requests belong to a region of the service's own: who has waited for that has waited for them.
    let server = cx.spawn("server", async move |cx: &Cx| {
        let service = Region::builder("service").close(Close::Join);
        service.open(cx, async |cx: &Cx| serve(cx, listener, log, handled).await).await
    });
    Ok((addr, server))
}

/// At most three requests at once, and two seconds for each.
async fn serve(cx: &Cx, listener: TcpListener, log: Log, handled: Handled) -> Outcome<ServeReport> {
    let closed = handled.closed.clone();
    let layer = RegionLayer::new(cx).drain(Budget::timeout(SECOND)).on_close(move |report| {
        assert!(is_whole(report), "{report:?}");
        closed.fetch_add(1, SeqCst);
    });
    let service = ServiceBuilder::new()
        .layer(TimeoutLayer::new(cx, 2 * SECOND))
        .concurrency_limit(3)
        .layer(layer)
        .service_fn(move |request| handle(request, handled.clone()));
    let at = cx.clone();
    Server::new()
        .header_read_timeout(5 * SECOND)
        .drain(Budget::timeout(30 * SECOND))
        // The date is the real one, and no two runs have the same.
        .http(|http| {
            http.auto_date_header(false);
        })
        .observe(move |peer, end| {
            let end = match end {
                ConnectionEnd::Failed(error) => format!("failed: {error}"),
                other => format!("{other:?}"),
            };
            log.add(&at, format_args!("{peer} ended: {end}"));
        })
        .serve(cx, listener, Tower::new(service))
        .await
}

/// A client of HTTP/1.1 that knows only bytes.
struct Client {
    stream: TcpStream,
    got: Vec<u8>,
}

/// A response: its status, its head and its body.
struct Got {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Client {
    async fn connect(cx: &Cx, addr: SocketAddr) -> io::Result<Client> {
        Ok(Client { stream: cx.tcp_connect(addr).await?, got: Vec::new() })
    }

    fn addr(&self) -> SocketAddr {
        self.stream.local_addr().expect("it has one")
    }

    async fn send(&self, cx: &Cx, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(cx, bytes.as_ref()).await
    }

    async fn get(&mut self, cx: &Cx, path: &str) -> io::Result<Got> {
        self.send(cx, format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")).await?;
        self.response(cx).await
    }

    /// Reads until there are `len` bytes; `UnexpectedEof` if they never come.
    async fn fill(&mut self, cx: &Cx, len: usize) -> io::Result<()> {
        let mut buf = [0; 4096];
        while self.got.len() < len {
            match self.stream.read(cx, &mut buf).await? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                n => self.got.extend_from_slice(&buf[..n]),
            }
        }
        Ok(())
    }

    async fn head(&mut self, cx: &Cx) -> io::Result<String> {
        loop {
            if let Some(end) = self.got.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = self.got.drain(..end + 4).collect();
                return Ok(String::from_utf8(head).expect("text"));
            }
            self.fill(cx, self.got.len() + 1).await?;
        }
    }

    async fn response(&mut self, cx: &Cx) -> io::Result<Got> {
        let head = self.head(cx).await?;
        let length = header(&head, "content-length").map_or(0, |length| length.parse().expect("a number"));
        self.fill(cx, length).await?;
        let body = self.got.drain(..length).collect();
        Ok(Got { status: head[9..12].parse().expect("a status"), head, body })
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

#[test]
fn requests_are_served_no_more_at_once_than_the_limit() {
    under_seeds(async |cx: &Cx| {
        let (log, handled) = (Log::default(), Handled::default());
        let (addr, server) = start(cx, &log, &handled).await?;
        let clients: Vec<_> = (0..6)
            .map(|n| {
                cx.spawn("client", async move |cx: &Cx| {
                    let mut client = Client::connect(cx, addr).await?;
                    for turn in 0..3 {
                        let got = client.get(cx, &format!("/{n}/{turn}")).await?;
                        assert_eq!((got.status, got.body), (200, format!("hello /{n}/{turn}").into_bytes()));
                    }
                    client
                        .send(cx, "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nwhole")
                        .await?;
                    assert_eq!(client.response(cx).await?.body, b"whole");
                    Ok(())
                })
            })
            .collect();
        for client in clients {
            client.join().await?;
        }
        let report = server.cancel(Budget::UNLIMITED).await?;
        assert_eq!((report.accepted, report.well, report.faults), (6, 6, 0), "{report}");
        assert_eq!(handled.counts(), (24, 24, 24));
        assert_eq!(handled.most_at_once.load(SeqCst), 3);
        Ok(())
    });
}

#[test]
fn a_partition_in_the_middle_of_a_body_delays_it_and_no_more() {
    under_seeds(async |cx: &Cx| {
        let (log, handled) = (Log::default(), Handled::default());
        let net = Net::current();
        net.capacity(Link::ALL, 4096);
        let (addr, server) = start(cx, &log, &handled).await?;
        let mut client = Client::connect(cx, addr).await?;
        client.send(cx, "GET /big HTTP/1.1\r\nhost: x\r\n\r\n").await?;
        client.fill(cx, BIG / 2).await?;
        net.partition(client.addr());
        let (begin, heal) = (
            cx.now(),
            cx.spawn("heal", async |cx: &Cx| {
                cx.sleep(100 * SECOND).await?;
                Net::current().heal(Link::ALL);
                Ok(())
            }),
        );
        // Others are served meanwhile.
        assert_eq!(Client::connect(cx, addr).await?.get(cx, "/").await?.status, 200);
        let got = client.response(cx).await?;
        assert!(cx.now() - begin >= 100 * SECOND);
        assert!(got.body.iter().enumerate().all(|(n, byte)| *byte == (n % 251) as u8));
        assert_eq!(got.body.len(), BIG);
        heal.join().await?;
        assert_eq!(client.get(cx, "/again").await?.status, 200);
        drop(client);
        let report = server.cancel(Budget::UNLIMITED).await?;
        assert_eq!((report.accepted, report.well), (2, 2), "{report}");
        Ok(())
    });
}

#[test]
fn a_partition_in_the_middle_of_a_request_is_cut_by_the_deadline() {
    under_seeds(async |cx: &Cx| {
        let (log, handled) = (Log::default(), Handled::default());
        let (addr, server) = start(cx, &log, &handled).await?;
        let mut client = Client::connect(cx, addr).await?;
        client.send(cx, "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nwh").await?;
        cx.sleep(10 * MS).await?;
        let begin = cx.now();
        Net::current().partition(client.addr());
        cx.sleep(10 * SECOND).await?;
        // The handler waited two seconds for its body, and was then asked to stop.
        assert_eq!(handled.counts(), (1, 1, 1));
        Net::current().heal(Link::ALL);
        let got = client.response(cx).await?;
        assert_eq!(got.status, 503);
        assert!(cx.now() - begin >= 10 * SECOND);
        drop(client);
        let report = server.cancel(Budget::UNLIMITED).await?;
        assert_eq!((report.accepted, report.faults, report.open()), (1, 1, 0), "{report}");
        Ok(())
    });
}

#[test]
fn a_slow_peer_meets_a_deadline() {
    under_seeds(async |cx: &Cx| {
        let (log, handled) = (Log::default(), Handled::default());
        let (addr, server) = start(cx, &log, &handled).await?;
        // Its header has five seconds, and takes longer.
        let slow = Client::connect(cx, addr).await?;
        Net::current().bandwidth(slow.addr(), 10);
        let begin = cx.now();
        slow.send(cx, format!("GET / HTTP/1.1\r\nhost: {}\r\n\r\n", "x".repeat(100))).await?;
        while slow.stream.read(cx, &mut [0; 64]).await.is_ok_and(|n| n > 0) {}
        let took = cx.now() - begin;
        // The server's clock began as it accepted, somewhat before.
        assert!(took > 4 * SECOND && took < 6 * SECOND, "{took:?}");
        assert_eq!(handled.counts(), (0, 0, 0), "no handler heard of it");
        // One that takes two seconds and more to answer is cut short, to the millisecond.
        let mut client = Client::connect(cx, addr).await?;
        let begin = cx.now();
        assert_eq!(client.get(cx, "/slow").await?.status, 503);
        let took = cx.now() - begin;
        assert!(took >= 2 * SECOND && took < 2 * SECOND + 10 * MS, "{took:?}");
        // And the connection goes on.
        assert_eq!(client.get(cx, "/").await?.status, 200);
        drop(client);
        let report = server.cancel(Budget::UNLIMITED).await?;
        assert_eq!((report.accepted, report.failed, report.faults), (2, 1, 1), "{report}\n{}", log.text());
        assert_eq!(handled.counts(), (2, 2, 2));
        Ok(())
    });
}

#[test]
fn a_reset_in_the_middle_of_a_response_ends_that_connection_only() {
    under_seeds(async |cx: &Cx| {
        let (log, handled) = (Log::default(), Handled::default());
        let net = Net::current();
        net.capacity(Link::ALL, 4096);
        let (addr, server) = start(cx, &log, &handled).await?;
        let mut other = Client::connect(cx, addr).await?;
        assert_eq!(other.get(cx, "/before").await?.status, 200);
        let mut client = Client::connect(cx, addr).await?;
        client.send(cx, "GET /big HTTP/1.1\r\nhost: x\r\n\r\n").await?;
        client.fill(cx, BIG / 2).await?;
        assert_eq!(net.reset(client.addr()), 1);
        let broken = client.response(cx).await.map(drop).unwrap_err();
        assert_eq!(broken.kind(), ErrorKind::ConnectionReset);
        assert_eq!(other.get(cx, "/after").await?.status, 200);
        drop((client, other));
        let report = server.cancel(Budget::UNLIMITED).await?;
        assert_eq!((report.accepted, report.well, report.failed), (2, 1, 1), "{report}");
        assert_eq!(handled.counts(), (3, 3, 3), "its region closed, with its finalizer");
        Ok(())
    });
}

/// Six clients ask for one thing after the other until the server is stopped in the midst of that; each
/// response is whole, or never began. Faults meanwhile, if there shall be some.
async fn graceful_close(cx: &Cx, log: &Log, faults: bool) -> Outcome {
    let handled = Handled::default();
    let (addr, server) = start(cx, log, &handled).await?;
    let clients: Vec<_> = (0..6)
        .map(|n| {
            let log = log.clone();
            cx.spawn("client", async move |cx: &Cx| {
                let mut whole = 0;
                loop {
                    let Ok(mut client) = Client::connect(cx, addr).await else { break };
                    loop {
                        let path = ["/", "/big", "/quick"][(n + whole) % 3];
                        let ended = client.get(cx, path).await;
                        let told = match &ended {
                            Ok(got) => format!("{} with {} bytes", got.status, got.body.len()),
                            Err(error) => format!("{:?}, {} bytes are left", error.kind(), client.got.len()),
                        };
                        log.add(cx, format_args!("client {n} asks for {path}: {told}"));
                        let Ok(got) = ended else {
                            // It ended between two responses, unless somebody broke it.
                            assert!(faults || client.got.is_empty(), "{told}");
                            break;
                        };
                        assert!(got.status == 200 || got.status == 503, "{told}");
                        whole += 1;
                        if header(&got.head, "connection") == Some("close") {
                            break;
                        }
                    }
                }
                Ok(whole)
            })
        })
        .collect();
    cx.sleep(20 * MS).await?;
    if faults {
        let net = Net::current();
        net.partition(addr);
        cx.sleep(50 * MS).await?;
        net.heal(addr);
        net.bandwidth(addr, 200_000);
        cx.sleep(20 * MS).await?;
        net.reset(addr);
        cx.sleep(20 * MS).await?;
    }
    let report = server.cancel(Budget::UNLIMITED).await?;
    log.add(cx, report);
    assert_eq!((report.cut, report.panicked, report.open()), (0, 0, 0), "{report}");
    assert!(faults || report.failed == 0, "{report}");
    let mut whole = 0;
    for client in clients {
        whole += client.join().await?;
    }
    let (begun, cleaned, closed) = handled.counts();
    assert!(begun == cleaned && begun == closed && begun >= whole, "{begun} {cleaned} {closed} {whole}");
    assert!(whole >= 6, "there was load");
    Ok(())
}

#[test]
fn a_server_under_load_closes_gracefully() {
    under_seeds(async |cx: &Cx| graceful_close(cx, &Log::default(), false).await);
    under_seeds(async |cx: &Cx| graceful_close(cx, &Log::default(), true).await);
}

/// All that happens in one run, on the wire and at its ends.
fn everything(seed: u64) -> String {
    let log = Log::default();
    let told = log.clone();
    let net = Lab::new(seed).run(async move |cx: &Cx| {
        let net = Net::current();
        net.record();
        graceful_close(cx, &told, true).await?;
        Ok(net)
    });
    format!("{}\n{}", net.expect("the run succeeds").log(), log.text())
}

/// Set where a test runs itself as another process, to say what happened there.
const OTHER: &str = "ASUPERSYNC_LAB_HYPER_OTHER";

#[test]
fn the_same_seed_is_the_same_run_in_another_process_too() {
    let mine = everything(1);
    if std::env::var_os(OTHER).is_some() {
        println!("<<<{mine}>>>");
        return;
    }
    assert!(mine == everything(1), "two runs differ");
    assert!((2..6).all(|seed| everything(seed) != mine), "the seed decides");
    let other = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "the_same_seed_is_the_same_run_in_another_process_too", "--nocapture"])
        .env(OTHER, "1")
        .output()
        .expect("runs");
    let told = String::from_utf8(other.stdout).expect("text");
    let told = told.split_once("<<<").and_then(|(_, rest)| rest.split_once(">>>")).map(|(told, _)| told);
    assert!(told == Some(&*mine), "two processes differ");
}

#[test]
fn a_request_survives_a_cancellation_at_every_await_of_every_task() {
    let mut injector = Injector::new(1);
    let (mut runs, mut answers) = (0, std::collections::BTreeMap::new());
    loop {
        let handled = Handled::default();
        let counts = handled.clone();
        let told = Arc::new(Mutex::new(None));
        let tell = told.clone();
        let ran = Lab::new(0).run_by(&mut injector, async move |cx: &Cx| {
            let (addr, server) = start(cx, &Log::default(), &handled).await?;
            let client = cx.spawn("client", async move |cx: &Cx| {
                let asks = async {
                    let mut client = Client::connect(cx, addr).await?;
                    Ok(client.get(cx, "/").await?.status)
                };
                Ok(asks.await.map_err(|error: io::Error| error.kind()))
            });
            *tell.lock().expect("no panic") = Some(client.join().await?);
            server.cancel(Budget::UNLIMITED).await?;
            Ok(())
        });
        let ran = ran.expect("this schedule compares nothing");
        let at = injector.point();
        let Some((outcome, report)) = ran.told else {
            let why = match ran.ended {
                Ended::Deadlock { told, .. } => told,
                ended => format!("{ended:?}"),
            };
            panic!("at {at:?} it did not end: {why}");
        };
        assert!(is_whole(&report), "at {at:?}: {report:?}");
        let (begun, cleaned, closed) = counts.counts();
        assert!(begun >= cleaned && closed >= begun, "at {at:?}: {begun} {cleaned} {closed}");
        assert!(at.is_some() || outcome.is_ok(), "{outcome:?}");
        if let Err(failure) = &outcome {
            let cancelled = failure.as_cancelled().map(|it| it.reason().kind());
            assert_eq!(cancelled, Some(ReasonKind::UserRequest), "at {at:?}: {failure}");
        }
        let answer = *told.lock().expect("no panic");
        *answers.entry(format!("{answer:?}")).or_insert(0) += 1;
        runs += 1;
        if !injector.end(&[]) {
            break;
        }
    }
    println!("{runs} runs; the client was told: {answers:?}");
    // It was cancelled before the request, in the handler, after it, or in the client itself.
    for answer in ["None", "Some(Err(ConnectionReset))", "Some(Ok(200))", "Some(Ok(503))"] {
        assert!(answers.contains_key(answer), "{answer}: {answers:?}");
    }
}
