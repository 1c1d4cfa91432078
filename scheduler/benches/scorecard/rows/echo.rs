//! Rows 12 and 13: bytes there and back. Server and client have a core each.

use std::future::Future;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use asupersync::net::TcpStream;
use asupersync::{Cx, Outcome};
use mio::{Events, Interest, Poll, Token};

use crate::client::{self, Load};
use crate::cores;
use crate::measure::{Figures, Measure};
use crate::peer::{Foreign, Peer, Smol, TokioCt, TokioMt, ours};

/// What is served, and whether the server's cost counts, or what the client saw.
#[derive(Clone, Copy)]
struct Work {
    load: Load,
    connections: u64,
    rounds: u64,
}

impl Work {
    fn figures(self, measure: Measure, seen: Vec<f64>) -> Figures {
        let cost = measure.over(self.connections * self.rounds);
        if self.load == Load::Paced { seen } else { vec![cost[1], cost[0]] }
    }
}

pub(super) fn many(peer: Peer, scale: u64) -> Figures {
    // Once 20,000: a third of the time of all rows went into the second digit after the point.
    many_of(peer, 64, 5000 / scale)
}

pub(super) fn many_of(peer: Peer, connections: u64, rounds: u64) -> Figures {
    serve(peer, Work { load: Load::Echo, connections, rounds })
}

pub(super) fn one(peer: Peer, scale: u64) -> Figures {
    serve(peer, Work { load: Load::Paced, connections: 1, rounds: 10_000 / scale })
}

fn serve(peer: Peer, work: Work) -> Figures {
    cores::keep_to_servers();
    match peer {
        Peer::Ours => ours_serve(work),
        Peer::Tokio => foreign_serve::<TokioMt>(work),
        Peer::TokioCt => foreign_serve::<TokioCt>(work),
        Peer::Smol => foreign_serve::<Smol>(work),
        Peer::Raw => raw_serve(work),
        other => unreachable!("no row runs {} here", other.name()),
    }
}

/// Runs the client beside the server, and returns what it saw.
fn client_of(work: Work, addr: SocketAddr) -> impl Future<Output = Figures> {
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || tell.send(client::run(work.load, addr, work.connections, work.rounds)));
    async move { told.await.expect("the client ends") }
}

fn ours_serve(work: Work) -> Figures {
    async fn connection(cx: &Cx, stream: &TcpStream) -> Outcome {
        let mut buf = [0; 4096];
        loop {
            match stream.read(cx, &mut buf).await? {
                0 => return Ok(()),
                n => stream.write_all(cx, &buf[..n]).await?,
            }
        }
    }
    ours(async move |cx: &Cx| {
        let listener = cx.tcp_bind("127.0.0.1:0").await?;
        let client = client_of(work, listener.local_addr()?);
        for _ in 0..work.connections {
            let (stream, _) = listener.accept(cx).await?;
            stream.set_nodelay(true)?;
            drop(cx.spawn("conn", async move |cx| connection(cx, &stream).await));
        }
        // What it costs to connect does not count.
        let measure = Measure::start();
        Ok(work.figures(measure, client.await))
    })
}

fn foreign_serve<P: Foreign>(work: Work) -> Figures {
    P::run(async move |peer| {
        let (listener, addr) = P::bind().await;
        let client = client_of(work, addr);
        for _ in 0..work.connections {
            let mut stream = P::accept(&listener).await;
            peer.detach(async move {
                let mut buf = [0; 4096];
                loop {
                    match P::read(&mut stream, &mut buf).await {
                        0 => return,
                        n => P::write_all(&mut stream, &buf[..n]).await,
                    }
                }
            });
        }
        let measure = Measure::start();
        work.figures(measure, client.await)
    })
}

/// One thread, one epoll, no tasks: what the system costs.
fn raw_serve(work: Work) -> Figures {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let addr = listener.local_addr().expect("an address");
    let client = std::thread::spawn(move || client::run(work.load, addr, work.connections, work.rounds));
    let mut poll = Poll::new().expect("an epoll");
    let mut streams: Vec<mio::net::TcpStream> = (0..work.connections)
        .map(|n| {
            let (stream, _) = listener.accept().expect("a connection");
            stream.set_nodelay(true).expect("TCP has this option");
            stream.set_nonblocking(true).expect("a socket has this option");
            let mut stream = mio::net::TcpStream::from_std(stream);
            let token = Token(usize::try_from(n).expect("a small number"));
            poll.registry().register(&mut stream, token, Interest::READABLE).expect("epoll takes a socket");
            stream
        })
        .collect();
    let measure = Measure::start();
    let (mut events, mut buf) = (Events::with_capacity(1024), [0; 4096]);
    while !client.is_finished() {
        poll.poll(&mut events, Some(Duration::from_millis(100))).expect("epoll waits");
        for event in &events {
            let stream = &mut streams[event.token().0];
            // What does not fill the buffer was all there is; of more, the next edge tells.
            match stream.read(&mut buf) {
                Ok(n) => stream.write_all(&buf[..n]).expect("the client reads"),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => panic!("the client goes on: {error}"),
            }
        }
    }
    work.figures(measure, client.join().expect("the client ends"))
}
