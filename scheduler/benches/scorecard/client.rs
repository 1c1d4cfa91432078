//! The load of the network rows: a process of its own, so that its CPU is not counted, and where there
//! are two cores, on another one than the server.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};

use crate::cores;
use crate::measure::{percentiles, spin_until};

/// The body of the HTTP rows' response.
pub(crate) const HELLO: &[u8] = b"hello, world";

const MESSAGE: [u8; 64] = [b'x'; 64];

/// What a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// 64 bytes, and the same back, on each connection as fast as it can.
    Echo,
    /// The same on one connection at fixed times; prints the p50 and p99 of the answers.
    Paced,
    /// A GET, and a response that ends with [`HELLO`], likewise.
    Http1,
    /// The same in HTTP/2 on one connection with so many streams at a time.
    Http2,
    /// Nothing: connects, has one byte answered on each, prints `idle`, and waits for a line of its input.
    Idle,
}

impl Load {
    fn named(name: &str) -> Option<Load> {
        use Load::*;
        [Echo, Paced, Http1, Http2, Idle].into_iter().find(|load| format!("{load:?}") == name)
    }
}

/// How the client is to be started.
pub(crate) fn command(load: Load, addr: SocketAddr, connections: u64, rounds: u64) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a process knows its own program"));
    command.arg("--client").arg(format!("{load:?}")).arg(addr.to_string());
    command.args([connections, rounds, cores::of_clients() as u64].map(|number| number.to_string()));
    command
}

/// Starts the client process, waits for it, and returns the numbers that it printed.
pub(crate) fn run(load: Load, addr: SocketAddr, connections: u64, rounds: u64) -> Vec<f64> {
    let mut command = command(load, addr, connections, rounds);
    let output = command.stderr(Stdio::inherit()).output().expect("the client starts");
    assert!(output.status.success(), "the client saw every byte come back");
    let text = String::from_utf8_lossy(&output.stdout);
    text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

/// The client process.
pub(crate) fn main(load: &str, addr: &str, connections: &str, rounds: &str, core: &str) -> ExitCode {
    let (Some(load), Ok(addr), Ok(connections), Ok(rounds), Ok(core)) =
        (Load::named(load), addr.parse(), connections.parse(), rounds.parse(), core.parse())
    else {
        eprintln!("scorecard: a client needs a load, an address, numbers of connections and rounds, a core");
        return ExitCode::from(2);
    };
    if load != Load::Idle {
        cores::keep_to(core);
    }
    match load {
        Load::Echo | Load::Http1 => many(load, addr, connections, rounds),
        Load::Paced => paced(addr, rounds),
        Load::Http2 => http2(addr, connections, rounds),
        Load::Idle => idle(addr, connections),
    }
    ExitCode::SUCCESS
}

fn connect(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).expect("the server listens");
    stream.set_nodelay(true).expect("TCP has this option");
    stream
}

/// So many connect before the first of them is answered, which is when the server has accepted it. Where they
/// are more than a listener's backlog (128 for smol's), the system drops some, and tries those again after one
/// second, after three, after seven: minutes for thousands of connections, on which nothing is measured.
const WAVE: u64 = 64;

fn connect_all(addr: SocketAddr, connections: u64, say_hello: fn(&mut TcpStream)) -> Vec<TcpStream> {
    let mut all = Vec::new();
    while (all.len() as u64) < connections {
        let left = connections - all.len() as u64;
        let mut wave: Vec<TcpStream> = (0..left.min(WAVE)).map(|_| connect(addr)).collect();
        wave.iter_mut().for_each(say_hello);
        all.append(&mut wave);
    }
    all
}

/// At most so many are in flight at a time.
const THREADS: u64 = 64;

fn many(load: Load, addr: SocketAddr, connections: u64, rounds: u64) {
    let round_trip = if load == Load::Echo { echo } else { get };
    let mut shares: Vec<Vec<TcpStream>> = (0..THREADS.min(connections)).map(|_| Vec::new()).collect();
    let threads = shares.len();
    let streams = connect_all(addr, connections, round_trip);
    streams.into_iter().enumerate().for_each(|(n, stream)| shares[n % threads].push(stream));
    let client = |mut share: Vec<TcpStream>| {
        thread::spawn(move || (0..rounds).for_each(|_| share.iter_mut().for_each(round_trip)))
    };
    let threads: Vec<_> = shares.into_iter().map(client).collect();
    // All are joined, so that one that fails does not cut the others short.
    let failed = threads.into_iter().filter_map(|thread| thread.join().err()).count();
    assert_eq!(failed, 0, "threads that failed");
}

fn echo(stream: &mut TcpStream) {
    let mut back = [0; MESSAGE.len()];
    stream.write_all(&MESSAGE).expect("the server reads");
    stream.read_exact(&mut back).expect("the server answers");
    assert_eq!(back, MESSAGE);
}

fn get(stream: &mut TcpStream) {
    stream.write_all(b"GET / HTTP/1.1\r\nhost: bench\r\n\r\n").expect("the server reads");
    let (mut back, mut len) = ([0; 512], 0);
    while !back[..len].ends_with(HELLO) {
        let n = stream.read(&mut back[len..]).expect("the server answers");
        assert!(n > 0, "the server closed the connection, or answered something else");
        len += n;
    }
    assert!(back.starts_with(b"HTTP/1.1 200"));
}

/// A latency counts from the time at which the message was to be sent, not from when it was.
fn paced(addr: SocketAddr, rounds: u64) {
    const EVERY: Duration = Duration::from_micros(100);
    let mut stream = connect(addr);
    (0..100).for_each(|_| echo(&mut stream));
    let begin = Instant::now();
    let rounds = u32::try_from(rounds).expect("a small number");
    let late = (1..=rounds)
        .map(|n| {
            let intended = begin + EVERY * n;
            spin_until(intended);
            echo(&mut stream);
            intended.elapsed()
        })
        .collect();
    percentiles(late).iter().for_each(|figure| println!("{figure}"));
}

fn http2(addr: SocketAddr, streams: u64, rounds: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(addr).await.expect("the server listens");
        stream.set_nodelay(true).expect("TCP has this option");
        let builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
        let (send, connection) = builder.handshake(TokioIo::new(stream)).await.expect("it speaks HTTP/2");
        drop(tokio::spawn(connection));
        let tasks: Vec<_> = (0..streams)
            .map(|_| {
                let mut send = send.clone();
                tokio::spawn(async move {
                    for _ in 0..rounds {
                        let request = hyper::Request::get("http://bench/").body(Empty::<Bytes>::new());
                        let response =
                            send.send_request(request.expect("a request")).await.expect("a response");
                        assert_eq!(response.status(), 200);
                        let body = response.into_body().collect().await.expect("a body");
                        assert_eq!(body.to_bytes(), HELLO);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("each stream is answered");
        }
    });
}

fn idle(addr: SocketAddr, connections: u64) {
    let streams = connect_all(addr, connections, |stream| {
        stream.write_all(&[1]).expect("the server reads");
        stream.read_exact(&mut [0]).expect("the server answers");
    });
    println!("idle");
    std::io::stdin().read_line(&mut String::new()).expect("the server says when it is over");
    drop(streams);
}
