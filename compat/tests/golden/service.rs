//! The service that both sides serve, and what they tell of it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, UPGRADE};
use http::{Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Frame;

/// What connections get to end.
pub(crate) const DRAIN: Duration = Duration::from_secs(4);

/// What happens in a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A handler has begun.
    Begun,
    /// It was dropped where it waited.
    Dropped,
    /// It was asked to stop, and returned.
    Told,
    /// It ended by itself.
    Done,
    /// Its cleanup came to its end, some time after.
    Cleaned,
    /// The shutdown ended within the budget.
    Stopped,
    /// It did not.
    Late,
}

/// Where a side tells what happens, and is told to stop.
#[derive(Clone)]
pub(crate) struct Stage {
    pub(crate) tell: Sender<Event>,
    pub(crate) stop: Arc<tokio::sync::Notify>,
    /// Handlers of `/work` end once this is unlocked.
    pub(crate) gate: Arc<tokio::sync::Notify>,
    pub(crate) addr: Arc<Mutex<Option<Sender<SocketAddr>>>>,
}

impl Stage {
    pub(crate) fn tell(&self, event: Event) {
        // Nobody listens once the row is played.
        self.tell.send(event).ok();
    }

    pub(crate) fn listens(&self, addr: SocketAddr) {
        let tell = self.addr.lock().expect("no panic").take().expect("once");
        tell.send(addr).expect("the row waits");
    }
}

/// Serves, until it is told to stop and has tried to; dropped with its runtime, when the row is over.
pub(crate) type Side = fn(Stage);

/// Tells how a handler ended.
pub(crate) struct Watch {
    pub(crate) stage: Stage,
    pub(crate) end: Event,
}

impl Watch {
    pub(crate) fn begin(stage: &Stage) -> Self {
        stage.tell(Event::Begun);
        Watch { stage: stage.clone(), end: Event::Dropped }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stage.tell(self.end);
    }
}

pub(crate) type Body = BoxBody<Bytes, Infallible>;

pub(crate) fn text(text: impl Into<Bytes>) -> Response<Body> {
    Response::new(Full::new(text.into()).boxed())
}

/// One piece, and no end.
pub(crate) fn endless(kind: &'static str, watch: Watch) -> Response<Body> {
    let first = Bytes::from_static(b"data: 1\n\n");
    let mut response = Response::new(BodyExt::boxed(Endless { first: Some(first), _watch: watch }));
    response.headers_mut().insert(CONTENT_TYPE, kind.parse().expect("a type"));
    response
}

struct Endless {
    first: Option<Bytes>,
    _watch: Watch,
}

impl http_body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.first.take() {
            Some(first) => Poll::Ready(Some(Ok(Frame::data(first)))),
            None => Poll::Pending,
        }
    }
}

pub(crate) fn switching() -> Response<Body> {
    let response = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS);
    let response = response.header(CONNECTION, "upgrade").header(UPGRADE, "words");
    response.body(Empty::new().boxed()).expect("a response")
}
