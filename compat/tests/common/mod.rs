//! What the tests share: a host, a server on a free port, and a client that knows only bytes.
#![allow(dead_code, reason = "each test program uses a part")]

use std::convert::Infallible;
use std::future::poll_fn;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use asupersync_compat::hyper::{BoxError, ServeReport, Server};
use asupersync_core::channel::{mpsc, oneshot};
use asupersync_core::{Cx, Handle, Outcome, Reason, ReasonKind, TaskFn};
use asupersync_scheduler::Runtime;
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use hyper::body::Incoming;
use hyper::service::Service;

/// Runs a test on the native host.
#[track_caller]
pub(crate) fn run<F>(test: F)
where
    F: for<'a> TaskFn<&'a Cx, Outcome, Fut: Send> + Send + 'static,
{
    let runtime = Runtime::builder().workers(2).build().expect("a runtime");
    if let Err(failure) = runtime.block_on(test) {
        panic!("{failure:?}");
    }
}

/// Starts a server on a free port.
pub(crate) async fn start<S, B>(
    cx: &Cx,
    server: Server,
    service: S,
) -> Outcome<(SocketAddr, Handle<ServeReport>)>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error: Into<BoxError>, Future: Send>,
    S: Clone + Send + 'static,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    let listener = cx.tcp_bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    let task = cx.spawn("server", async move |cx: &Cx| server.serve(cx, listener, service).await);
    Ok((addr, task))
}

/// Asks a server to close, as a shutdown would.
pub(crate) fn shut_down<T>(server: &Handle<T>) {
    server.request_cancel(Reason::new(ReasonKind::Shutdown));
}

/// A client of HTTP/1.1 that blocks.
pub(crate) struct Client(pub(crate) TcpStream);

/// A response's head and body.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(addr: SocketAddr) -> Client {
        let stream = TcpStream::connect(addr).expect("connects");
        // Far beyond every budget of the tests: only a bug reaches it.
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
        Client(stream)
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).expect("sends");
    }

    pub(crate) fn get(&mut self, path: &str) -> Got {
        self.send(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n"));
        self.response()
    }

    /// The next response, whose length its head tells.
    pub(crate) fn response(&mut self) -> Got {
        let head = self.head();
        let length = header(&head, "content-length").map_or(0, |length| length.parse().expect("a number"));
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).expect("a body");
        Got { status: head[9..12].parse().expect("a status"), head, body }
    }

    /// The next response's head.
    pub(crate) fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).expect("a head");
            head.push(byte[0]);
        }
        String::from_utf8(head).expect("text")
    }

    /// What comes until the server closes.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
            Err(error) => panic!("the server does not close: {error}"),
        }
        rest
    }

    pub(crate) fn leave(self) {
        drop(self.0.shutdown(Shutdown::Both));
    }
}

pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

/// Lets those who wait pass, once it is opened. Knows no scope, like most code.
#[derive(Clone)]
pub(crate) struct Gate(Arc<Mutex<oneshot::Receiver<()>>>);

impl Gate {
    pub(crate) fn new() -> (oneshot::Sender<()>, Gate) {
        let (open, gate) = oneshot::channel();
        (open, Gate(Arc::new(Mutex::new(gate))))
    }

    pub(crate) async fn passed(&self) {
        poll_fn(|task| self.0.lock().expect("no panic").poll_recv(task).map(drop)).await;
    }
}

/// A body whose data comes through a channel.
pub(crate) struct Streamed(pub(crate) mpsc::Receiver<Bytes>);

impl Body for Streamed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(task).map(|data| data.map(|data| Ok(Frame::data(data))))
    }
}
