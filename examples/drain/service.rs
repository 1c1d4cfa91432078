//! The service that both sides serve: its routes, their timing, and how a response is built.
//!
//! | path | what it does |
//! |---|---|
//! | `/short` | replies at once |
//! | `/work` | takes a seat and a lock, works [`STEPS`] x [`STEP`], gives both back ([`CLEANUP`] each), replies |
//! | `/events` | takes a subscription, sends an event each [`TICK`] until told to stop, gives it back |
//! | `/never` | takes a seat and never ends |
//! | `/` | says this, and what is in flight |
//!
//! How a handler waits, stops and cleans up is what the two sides differ in, so the handlers
//! themselves are in `plain.rs` and `regions.rs`. Everything else is here.

use http_body_util::channel::{Channel, Sender};
use http_body_util::{Either, Full};
use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use crate::tally::{Tally, Ticket};

/// How many steps a `/work` request takes.
pub(crate) const STEPS: u32 = 4;
/// How long one step of `/work` takes.
pub(crate) const STEP: Duration = Duration::from_millis(50);
/// How long it takes to give back one thing that was taken.
pub(crate) const CLEANUP: Duration = Duration::from_millis(10);
/// The time between two events of `/events`.
pub(crate) const TICK: Duration = Duration::from_millis(50);
/// How long requests in flight may take to end after the signal.
pub(crate) const DRAIN: Duration = Duration::from_secs(2);
/// How long cleanup may take after that.
pub(crate) const FINALIZE: Duration = Duration::from_secs(1);
/// The header in which a client names its request.
pub(crate) const REQUEST_ID: &str = "x-request-id";

/// A route of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Route {
    Short,
    Work,
    Events,
    Never,
    Help,
}

impl Route {
    /// The route of a path; a path that is none of them gets the help text.
    pub(crate) fn of(path: &str) -> Self {
        match path {
            "/short" => Self::Short,
            "/work" => Self::Work,
            "/events" => Self::Events,
            "/never" => Self::Never,
            _ => Self::Help,
        }
    }

    /// The path that leads here.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Short => "/short",
            Self::Work => "/work",
            Self::Events => "/events",
            Self::Never => "/never",
            Self::Help => "/",
        }
    }

    /// Whether a request ends by itself, so that a server can be asked to complete it.
    pub(crate) fn ends(self) -> bool {
        matches!(self, Self::Short | Self::Work | Self::Help)
    }
}

/// What a side is asked to do.
#[derive(Clone, Debug)]
pub(crate) struct Serve {
    /// Where to listen; port 0 lets the system choose.
    pub(crate) addr: SocketAddr,
    /// Called once, with the real address, when signals are caught and connections accepted.
    pub(crate) ready: fn(SocketAddr),
    /// Where the side's handlers count.
    pub(crate) tally: Arc<Tally>,
}

/// What a side tells when its runtime has ended.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    /// Tasks alive after serving ended, before the runtime was dropped.
    pub(crate) alive_tasks: u64,
    /// How the region tree closed, if there is one.
    pub(crate) close_report: Option<String>,
}

/// A side: it listens, calls `ready`, serves until SIGTERM or Ctrl-C, calls
/// [`Tally::note_signal`], shuts down within [`DRAIN`] + [`FINALIZE`], and returns when its
/// runtime is gone. An error means that it could not start to serve.
pub(crate) type Side = fn(Serve) -> std::io::Result<Ended>;

/// A response as both sides give it to hyper.
pub(crate) type Reply = Response<Tracked>;

/// Registers a request: its route is the ticket's.
pub(crate) fn admit<B>(tally: &Arc<Tally>, request: &Request<B>) -> Ticket {
    /// Ids for requests that bring none; a client's own ids stay below.
    static NEXT: AtomicU64 = AtomicU64::new(1 << 48);
    let id = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok()?.parse().ok());
    let id = id.unwrap_or_else(|| NEXT.fetch_add(1, Ordering::Relaxed));
    tally.begin(id, Route::of(request.uri().path()))
}

/// A whole response.
pub(crate) fn reply(ticket: Ticket, text: impl Into<Bytes>) -> Reply {
    Response::new(Tracked { body: Either::Left(Full::new(text.into())), ticket })
}

/// A stream of server-sent events, and the end that sends them; dropping it ends the stream.
pub(crate) fn events(ticket: Ticket) -> (Sender<Bytes>, Reply) {
    let (sender, body) = Channel::new(1);
    let mut response = Response::new(Tracked { body: Either::Right(body), ticket });
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    (sender, response)
}

/// The `n`th event of a stream.
pub(crate) fn event(n: u64) -> Bytes {
    Bytes::from(format!("event: tick\ndata: {n}\n\n"))
}

/// The last event of a stream that ends because the service does.
pub(crate) fn farewell() -> Bytes {
    Bytes::from_static(b"event: bye\ndata: the service is closing\n\n")
}

/// The text of `/`.
pub(crate) fn help(tally: &Tally) -> String {
    let mut text = String::from("GET /short  /work  /events  /never\nin flight:");
    for (route, count) in tally.in_flight() {
        text.push_str(&format!(" {}={count}", route.path()));
    }
    text.push('\n');
    text
}

/// A body that tells its ticket when hyper has taken all of it.
#[derive(Debug)]
pub(crate) struct Tracked {
    body: Either<Full<Bytes>, Channel<Bytes>>,
    ticket: Ticket,
}

impl Body for Tracked {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        let polled = match &mut this.body {
            Either::Left(body) => Pin::new(body).poll_frame(cx),
            Either::Right(body) => Pin::new(body).poll_frame(cx),
        };
        if matches!(polled, Poll::Ready(None)) || this.is_end_stream() {
            this.ticket.answered();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
