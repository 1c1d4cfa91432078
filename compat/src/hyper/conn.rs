//! One connection: hyper's state machine, polled in place, with Request turned into its graceful
//! shutdown. The end of the drain budget drops it, like every task's future.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll};

use asupersync_core::caps::CapSet;
use asupersync_core::io::TcpStream;
use asupersync_core::{Cx, Panic};
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;

use super::answer::Answering;
use super::{BoxError, ConnectionEnd};
use crate::io::Hyper;

/// Drives one connection to its end.
pub(super) async fn drive<C, S, B>(
    cx: &Cx<C>,
    http: &http1::Builder,
    stream: TcpStream,
    service: Answering<S, C>,
) -> ConnectionEnd
where
    C: CapSet,
    S: Service<Request<Incoming>, Response = Response<B>, Error: Into<BoxError>>,
    B: Body<Error: Into<BoxError>> + 'static,
{
    let mut conn = pin!(http.serve_connection(Hyper::new(&stream), service));
    let mut request = pin!(cx.cancelled());
    let mut asked = false;
    let end = poll_fn(|task| {
        loop {
            let polled = catch_unwind(AssertUnwindSafe(|| conn.as_mut().poll(task)));
            return Poll::Ready(match polled {
                Ok(Poll::Ready(Ok(()))) => ConnectionEnd::Well,
                Ok(Poll::Ready(Err(error))) => ConnectionEnd::Failed(error),
                Err(payload) => ConnectionEnd::Panicked(Panic::new(payload)),
                Ok(Poll::Pending) if !asked && request.as_mut().poll(task).is_ready() => {
                    // After a poll: a request that has arrived already is in flight, not idle.
                    asked = true;
                    conn.as_mut().graceful_shutdown();
                    continue;
                }
                Ok(Poll::Pending) => return Poll::Pending,
            });
        }
    })
    .await;
    poll_fn(|task| {
        discard(&stream, task);
        Poll::Ready(())
    })
    .await;
    end
}

/// Takes what has arrived and will not be answered. Closing a socket that holds such data resets
/// the connection, and where the reset overtakes the response the peer never sees it.
fn discard(stream: &TcpStream, task: &mut Context<'_>) {
    let mut bytes = [0; 4096];
    for _ in 0..64 {
        match stream.poll_read(task, &mut bytes) {
            Poll::Ready(Ok(1..)) => {}
            _ => break,
        }
    }
}
