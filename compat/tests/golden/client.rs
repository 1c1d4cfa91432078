//! The rows: what a client does, and what is seen of it from both ends.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;

use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use socket2::SockRef;
use std::time::Duration;

use crate::HANGS;
use crate::service::{Event, Side, Stage};

/// How a client leaves.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Leave {
    Close,
    HalfClose,
    Reset,
    ResetStream,
    DropHttp2,
}

pub(crate) const LEAVES: &[(&str, Leave)] = &[
    ("closes", Leave::Close),
    ("ends its sending direction only", Leave::HalfClose),
    ("resets (RST)", Leave::Reset),
    ("resets its stream of HTTP/2", Leave::ResetStream),
    ("drops its connection of HTTP/2", Leave::DropHttp2),
];

/// A connection, in the middle of something.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stay {
    Idle,
    InFlight,
    HalfHeader,
    HalfPreface,
    Endless,
    Events,
    Stream,
    HalfUpload,
    Upgrade,
}

pub(crate) const STAYS: &[(&str, Stay)] = &[
    ("idle", Stay::Idle),
    ("a request in flight", Stay::InFlight),
    ("half a header", Stay::HalfHeader),
    ("half a preface of HTTP/2", Stay::HalfPreface),
    ("a handler that never ends", Stay::Endless),
    ("server-sent events", Stay::Events),
    ("another stream without end", Stay::Stream),
    ("half an upload", Stay::HalfUpload),
    ("an upgrade (WebSocket)", Stay::Upgrade),
];

/// A row on one side.
struct Row {
    stage: Stage,
    events: Receiver<Event>,
    addr: SocketAddr,
    server: thread::JoinHandle<()>,
}

impl Row {
    fn start(side: Side) -> Row {
        let (tell, events) = mpsc::channel();
        let (bound, addr) = mpsc::channel();
        let stage = Stage {
            tell,
            stop: Arc::default(),
            gate: Arc::default(),
            addr: Arc::new(Mutex::new(Some(bound))),
        };
        let played = stage.clone();
        let server = thread::spawn(move || side(played));
        Row { stage, events, addr: addr.recv().expect("it listens"), server }
    }

    fn next(&self) -> Event {
        self.events.recv_timeout(HANGS).expect("something happens")
    }

    fn wait_for(&self, event: Event) {
        while self.next() != event {}
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.addr).expect("connects");
        stream.set_read_timeout(Some(HANGS)).expect("a timeout");
        stream
    }

    /// Asks the server to stop, and then lets what is in flight come to its end.
    fn stop(&self) -> Event {
        self.stage.stop.notify_one();
        self.stage.gate.notify_one();
        loop {
            if let event @ (Event::Stopped | Event::Late) = self.next() {
                return event;
            }
        }
    }

    fn end(self) {
        self.stage.stop.notify_one();
        self.server.join().expect("it ends well");
    }
}

pub(crate) fn leave(how: Leave, side: Side) -> [String; 2] {
    let row = Row::start(side);
    // Held until the row is over: what is dropped is dropped here.
    let (mut client, mut tokio) = (None, None);
    match how {
        Leave::Close | Leave::HalfClose | Leave::Reset => {
            let mut stream = row.connect();
            stream.write_all(b"GET /work HTTP/1.1\r\nhost: x\r\n\r\n").expect("sends");
            row.wait_for(Event::Begun);
            match how {
                Leave::HalfClose => {
                    stream.shutdown(Shutdown::Write).expect("shuts down");
                    client = Some(stream);
                }
                Leave::Reset => SockRef::from(&stream).set_linger(Some(Duration::ZERO)).expect("an option"),
                _ => {}
            }
        }
        Leave::ResetStream | Leave::DropHttp2 => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.expect("a runtime");
            runtime.block_on(http2_leaves(&row, matches!(how, Leave::ResetStream)));
            // Dropped otherwise, and the connection with it.
            tokio = matches!(how, Leave::ResetStream).then_some(runtime);
        }
    }
    let seen = seen_of_handler(&row);
    row.end();
    drop((client, tokio));
    seen
}

/// What became of the handler, and of its cleanup, up to the server's end.
fn seen_of_handler(row: &Row) -> [String; 2] {
    let (mut ended, mut cleaned) = (None, false);
    loop {
        match row.next() {
            Event::Cleaned => cleaned = true,
            Event::Stopped | Event::Late => break,
            Event::Begun => {}
            event => {
                ended = Some(event);
                row.stage.stop.notify_one();
            }
        }
    }
    let handler = match ended {
        Some(Event::Dropped) => "dropped where it waits",
        Some(Event::Told) => "asked to stop, and returns",
        _ => "goes on to its end",
    };
    [handler.into(), if cleaned { "runs" } else { "does not run" }.into()]
}

/// Asks over HTTP/2 until the handler has begun, and then may take that back.
async fn http2_leaves(row: &Row, resets: bool) {
    let stream = tokio::net::TcpStream::connect(row.addr).await.expect("connects");
    let (mut client, connection) =
        handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("HTTP/2");
    drop(tokio::spawn(connection));
    let request = Request::get(format!("http://{}/work", row.addr)).body(Empty::<Bytes>::new());
    let answer = SendRequest::send_request(&mut client, request.expect("a request"));
    let answer = tokio::spawn(answer);
    // The client's tasks run meanwhile.
    let begun = async {
        while row.events.try_recv() != Ok(Event::Begun) {
            tokio::task::yield_now().await;
        }
    };
    begun.await;
    if resets {
        answer.abort();
        answer.await.expect_err("aborted");
        // The reset goes out in this runtime: until it has, nothing is seen.
        client.ready().await.expect("the connection stands");
        while row.events.try_recv().map(|event| row.stage.tell(event)).is_err() {
            tokio::task::yield_now().await;
        }
    }
}

pub(crate) fn stay(what: Stay, side: Side) -> [String; 2] {
    let row = Row::start(side);
    let mut client = row.connect();
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    let (sent, until) = match what {
        Stay::Idle => (get("/"), "hello"),
        Stay::InFlight => (get("/work"), ""),
        Stay::HalfHeader => ("GET / HT".into(), ""),
        Stay::HalfPreface => ("PRI * HTTP/2".into(), ""),
        Stay::Endless => (get("/never"), ""),
        Stay::Events => (get("/events"), "data: 1"),
        Stay::Stream => (get("/stream"), "data: 1"),
        Stay::HalfUpload => ("POST /upload HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf".into(), ""),
        Stay::Upgrade => (
            "GET /upgrade HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: words\r\n\r\nping".into(),
            "ping",
        ),
    };
    client.write_all(sent.as_bytes()).expect("sends");
    let mut got = Vec::new();
    while !until.is_empty() && !String::from_utf8_lossy(&got).contains(until) {
        assert!(read(&mut client, &mut got), "the server ended: {}", String::from_utf8_lossy(&got));
    }
    match what {
        // Nothing tells that it has arrived but that what was sent after it was answered.
        Stay::HalfHeader | Stay::HalfPreface => {
            let mut other = row.connect();
            other.write_all(get("/").as_bytes()).expect("sends");
            assert!(read(&mut other, &mut Vec::new()));
        }
        Stay::Idle => {}
        _ => row.wait_for(Event::Begun),
    }
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        while read(&mut client, &mut got) {}
        tell.send(got).ok();
    });
    let shutdown = match row.stop() {
        Event::Stopped => "ends",
        _ => "does not end",
    };
    // What has been closed is closed now; a connection that the shutdown forgot ends only with its process.
    // a wait, not a synchronisation: the end of a closed connection is on its way
    let seen = match told.recv_timeout(Duration::from_secs(5)) {
        Ok(got) => seen(what, &got),
        Err(_) => "is still open".into(),
    };
    row.end();
    [shutdown.into(), seen]
}

/// Reads some more; `false` at the end.
fn read(client: &mut TcpStream, got: &mut Vec<u8>) -> bool {
    let mut bytes = [0; 1024];
    match client.read(&mut bytes) {
        Ok(0) => false,
        Ok(n) => {
            got.extend_from_slice(&bytes[..n]);
            true
        }
        Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
        Err(error) => panic!("the server does not close: {error}"),
    }
}

/// What the client has got when its connection ended.
fn seen(what: Stay, got: &[u8]) -> String {
    let got = String::from_utf8_lossy(got);
    let answers = got.matches("HTTP/1.1 ").count();
    let last = got.rfind("HTTP/1.1 ").map_or("", |at| &got[at + 9..at + 12]);
    let whole = match what {
        Stay::Events | Stay::Stream => got.ends_with("\r\n0\r\n\r\n"),
        _ => true,
    };
    match (what, last) {
        (Stay::Upgrade, _) if got.ends_with("1001") => "is told 1001".into(),
        (Stay::Upgrade, _) => "is cut".into(),
        (Stay::Idle, _) if answers == 1 => "is closed".into(),
        (_, "") => "is closed, without an answer".into(),
        (_, status) if whole => format!("gets {status}, whole"),
        (_, status) => format!("gets {status}, cut"),
    }
}
