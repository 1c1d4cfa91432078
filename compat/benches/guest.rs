//! What an enclave costs, beside Tokio alone: rounds of both take turns, and a ratio is the median of the rounds'
//! own. `cargo bench -p asupersync-compat --bench guest` prints the table; `-- --quick` takes a tenth of the
//! rounds. A ratio above 1 means more of the unit than Tokio.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use asupersync_compat::guest::Enclave;
use asupersync_compat::io::{FromTokio, Hyper};
use asupersync_core::{Cx, Outcome, Region};
use asupersync_scheduler::Runtime;
use http::Response;
use hyper::service::service_fn;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime as Tokio;

const ECHOES: u32 = 500;
const CONNECTIONS: usize = 32;
const LOAD: Duration = Duration::from_millis(200);

type Fallible<T> = Result<T, std::io::Error>;

fn main() {
    let quick = std::env::args().any(|arg| arg == "--quick");
    let rounds = if quick { 5 } else { 50 };
    let (plain, native) = (tokio(2), Runtime::builder().workers(2).build().expect("a runtime"));
    let measured = native.block_on(async move |cx: &Cx| {
        println!("| what | Tokio, 2 workers | in an enclave | ratio | aim |\n|---|---|---|---|---|");
        cycle(cx, rounds * 40).await?;
        let enclave = Enclave::open(cx)?;
        let (mut once, mut each, mut hello) = (Pairs::default(), Pairs::default(), Pairs::default());
        for round in 0..=rounds {
            let (alone, inside, crossing) = echo_round(cx, &plain, &enclave).await?;
            let requests = hello_round(cx, &plain, &enclave).await?;
            // The first warms up.
            if round > 0 {
                once.push(alone, inside);
                each.push(alone, crossing);
                hello.push(requests.0, requests.1);
            }
        }
        once.print("echo, µs a round trip, one call for all", "<= 1.2");
        each.print("echo, µs a round trip, one call for each", "");
        hello.print("hello over hyper, 1000 requests a second", ">= 1.0");
        // Dropped where that may block.
        cx.run_blocking("tokio", move || drop(plain)).await
    });
    measured.unwrap_or_else(|failure| panic!("{failure:?}"));
}

fn tokio(workers: usize) -> Tokio {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(workers).enable_all().build().expect("a runtime")
}

/// What both sides took, round by round.
#[derive(Default)]
struct Pairs(Vec<(f64, f64)>);

impl Pairs {
    fn push(&mut self, tokio: f64, enclave: f64) {
        self.0.push((tokio, enclave));
    }

    fn print(&self, what: &str, aim: &str) {
        let of = |pick: fn(&(f64, f64)) -> f64| median(self.0.iter().map(pick).collect());
        let (tokio, enclave, ratio) = (of(|pair| pair.0), of(|pair| pair.1), of(|pair| pair.1 / pair.0));
        println!("| {what} | {tokio:.2} | {enclave:.2} | {ratio:.2} | {aim} |");
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A region with an enclave, opened and closed, beside a runtime that is made and shut down.
async fn cycle(cx: &Cx, rounds: usize) -> Outcome {
    let mut pairs = Pairs::default();
    for _ in 0..rounds {
        let begun = Instant::now();
        Region::open(cx, "cycle", async |cx: &Cx| Enclave::open(cx).map(drop)).await?;
        let inside = begun.elapsed();
        let alone = cx.run_blocking("alone", || {
            let begun = Instant::now();
            tokio(1).shutdown_timeout(Duration::from_secs(1));
            Ok(begun.elapsed())
        });
        pairs.push(micros(alone.await?), micros(inside));
    }
    pairs.print("cycle, µs to make it and shut it down (Tokio: 1 worker)", "<= 200 µs");
    Ok(())
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// A pair of sockets, of which the far one sends back what comes.
async fn echo_pair() -> Fallible<TcpStream> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let near = TcpStream::connect(listener.local_addr()?).await?;
    let (mut far, _) = listener.accept().await?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    tokio::spawn(async move {
        let mut byte = [0; 64];
        while let Ok(n @ 1..) = far.read(&mut byte).await {
            if far.write_all(&byte[..n]).await.is_err() {
                break;
            }
        }
    });
    Ok(near)
}

async fn round_trip(stream: &mut TcpStream) -> Fallible<()> {
    let mut bytes = [7; 64];
    stream.write_all(&bytes).await?;
    stream.read_exact(&mut bytes).await.map(drop)
}

async fn echoes() -> Fallible<f64> {
    let mut stream = echo_pair().await?;
    let begun = Instant::now();
    for _ in 0..ECHOES {
        round_trip(&mut stream).await?;
    }
    Ok(micros(begun.elapsed()) / f64::from(ECHOES))
}

async fn echo_round(cx: &Cx, plain: &Tokio, enclave: &Enclave) -> Outcome<(f64, f64, f64)> {
    let alone = plain.spawn(echoes()).await??;
    let inside = enclave.run(cx, echoes()).await??;
    let mut stream = enclave.run(cx, echo_pair()).await??;
    let begun = Instant::now();
    for _ in 0..ECHOES {
        let call = async move {
            round_trip(&mut stream).await?;
            Fallible::Ok(stream)
        };
        stream = enclave.run(cx, call).await??;
    }
    Ok((alone, inside, micros(begun.elapsed()) / f64::from(ECHOES)))
}

/// Serves until its task is dropped; tells where.
async fn serve() -> Fallible<(SocketAddr, tokio::task::JoinHandle<Fallible<()>>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    let accepts = async move {
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let hello = service_fn(async |_| Ok::<_, Infallible>(Response::new(String::from("hello"))));
            let http = hyper::server::conn::http1::Builder::new();
            let connection = http.serve_connection(Hyper::new(FromTokio::new(stream)), hello);
            tokio::spawn(connection);
        }
    };
    Ok((addr, tokio::spawn(accepts)))
}

/// Thousands of requests a second, over a few connections, from a thread of its own.
fn load(addr: SocketAddr) -> Fallible<f64> {
    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";
    let client = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    client.block_on(async {
        let mut clients = tokio::task::JoinSet::new();
        let begun = Instant::now();
        for _ in 0..CONNECTIONS {
            clients.spawn(async move {
                let mut stream = TcpStream::connect(addr).await?;
                stream.set_nodelay(true)?;
                let (mut bytes, mut done) = ([0; 512], 0_u32);
                while begun.elapsed() < LOAD {
                    stream.write_all(REQUEST).await?;
                    let mut len = 0;
                    while !bytes[..len].ends_with(b"hello") {
                        match stream.read(&mut bytes[len..]).await? {
                            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                            n => len += n,
                        }
                    }
                    done += 1;
                }
                Fallible::Ok(done)
            });
        }
        let mut done = 0;
        while let Some(client) = clients.join_next().await {
            done += client.expect("no panic")?;
        }
        Ok(f64::from(done) / begun.elapsed().as_secs_f64() / 1000.0)
    })
}

async fn hello_round(cx: &Cx, plain: &Tokio, enclave: &Enclave) -> Outcome<(f64, f64)> {
    let (addr, server) = plain.spawn(serve()).await??;
    let alone = cx.run_blocking("load", move || Ok(load(addr)?)).await?;
    server.abort();
    let (addr, server) = enclave.run(cx, serve()).await??;
    let inside = cx.run_blocking("load", move || Ok(load(addr)?)).await?;
    server.abort();
    Ok((alone, inside))
}
