//! A TCP server whose connections are tasks with regions of their own.
//!
//! | phase | what happens |
//! |---|---|
//! | Request | the listener is closed; handlers hear of it through their `Cx` |
//! | Drain | handlers finish what is in flight, within the drain budget |
//! | Finalize | handlers that have not ended are dropped, their finalizers run |
//!
//! Invariants:
//! 1. A connection is a task of the server's region: none outlives [`serve`].
//! 2. A connection that fails or panics is counted; the others go on.

mod handler;
mod report;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use asupersync_core::caps::{Effect, HasSpawn};
use asupersync_core::io::{Acceptor, TcpListener, TcpStream};
use asupersync_core::region::OnFailure;
use asupersync_core::{Budget, Cx, Failure, Outcome, Region, TaskOutput};

pub use handler::Handler;
pub use report::ServeReport;
use report::{Counts, Tally};

/// Serves each connection of `listener` in a task `conn <peer>` with a region of its own, until
/// Request; then drains, and returns when every connection has ended.
///
/// ```
/// use asupersync_core::io::TcpStream;
/// use asupersync_core::{Cx, Outcome};
/// use asupersync_protocols::{lines::Lines, tcp};
///
/// async fn echo(cx: &Cx) -> Outcome<()> {
///     let listener = cx.tcp_bind("127.0.0.1:7777").await?;
///     let report = tcp::serve(cx, listener, async |cx: &Cx, stream: TcpStream| -> Outcome {
///         let mut lines = Lines::new(&stream, 1024);
///         while let Some(line) = lines.next(cx).await? {
///             let answer = [line, b"\n"].concat();
///             stream.write_all(cx, &answer).await?;
///         }
///         Ok(())
///     });
///     println!("{}", report.await?);
///     Ok(())
/// }
/// ```
///
/// # Errors
/// The listener is broken (see [`Acceptor`]); `Cancelled` if the scope was under Request before;
/// [`Denied`](asupersync_core::caps::Denied) if tasks may not be started.
/// Request while it serves is no error: that is how a server ends.
///
/// # Cancel safety
/// Dropped, the listener is closed and the connections get Request; the enclosing region drains
/// them and does not close before they ended.
pub async fn serve<C, F, R>(cx: &Cx<C>, listener: TcpListener, handler: F) -> Outcome<ServeReport>
where
    C: HasSpawn,
    F: for<'a> Handler<&'a Cx<C>, TcpStream, R, Fut: Send> + Clone + Send + 'static,
    R: TaskOutput,
{
    Server::new().serve(cx, listener, handler).await
}

/// A TCP server with options.
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "a server serves only when asked to"]
pub struct Server {
    drain: Budget,
}

impl Server {
    /// A server with the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// How long handlers may go on after Request; the budget of the region around the server is a
    /// limit too.
    pub fn drain(mut self, budget: Budget) -> Self {
        self.drain = budget;
        self
    }

    /// As [`serve`].
    ///
    /// # Errors
    /// As [`serve`].
    ///
    /// # Cancel safety
    /// As [`serve`].
    pub async fn serve<C, F, R>(self, cx: &Cx<C>, listener: TcpListener, handler: F) -> Outcome<ServeReport>
    where
        C: HasSpawn,
        F: for<'a> Handler<&'a Cx<C>, TcpStream, R, Fut: Send> + Clone + Send + 'static,
        R: TaskOutput,
    {
        cx.check(Effect::Spawn)?;
        let counts = Arc::new(Counts::default());
        let region = Region::builder("tcp").drain(self.drain).on_failure(OnFailure::Collect);
        let accepting = counts.clone();
        region.open(cx, async |cx: &Cx<C>| accept(cx, listener, handler, accepting).await).await?;
        Ok(counts.report())
    }
}

/// The accept loop. Ends at Request, and with a listener that is broken; the listener is closed
/// with it, before the connections drain.
async fn accept<C, F, R>(cx: &Cx<C>, listener: TcpListener, handler: F, counts: Arc<Counts>) -> Outcome
where
    C: HasSpawn,
    F: for<'a> Handler<&'a Cx<C>, TcpStream, R, Fut: Send> + Clone + Send + 'static,
    R: TaskOutput,
{
    let mut acceptor = Acceptor::new(&listener);
    loop {
        let next = acceptor.next(cx).await;
        counts.accept_errors.store(acceptor.errors(), Ordering::Relaxed);
        match next {
            Ok((stream, peer)) => start(cx, stream, peer, handler.clone(), counts.clone()),
            Err(_) if cx.is_cancelled() => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Starts the task of one connection.
fn start<C, F, R>(cx: &Cx<C>, stream: TcpStream, peer: SocketAddr, handler: F, counts: Arc<Counts>)
where
    C: HasSpawn,
    F: for<'a> Handler<&'a Cx<C>, TcpStream, R, Fut: Send> + Send + 'static,
    R: TaskOutput,
{
    counts.accepted.fetch_add(1, Ordering::Relaxed);
    let tally = Tally { counts, end: |counts| &counts.cut };
    // Once accepted it is in flight: its handler is told of a request that came meanwhile.
    let task = cx.in_flight().spawn(&format!("conn {peer}"), async move |cx: &Cx<C>| {
        // All of it, and not only the field that is set below.
        let mut tally = tally;
        let region = Region::builder("conn").in_flight();
        let served = region.open(cx, async |cx: &Cx<C>| handler(cx, stream).await).await;
        tally.end = match served {
            Ok(_) => |counts| &counts.ok,
            Err(Failure::Err(_)) => |counts| &counts.failed,
            Err(Failure::Cancelled(_)) if is_spent(cx).await => |counts| &counts.cut,
            Err(Failure::Cancelled(_)) => |counts| &counts.cancelled,
            Err(Failure::Panicked(_)) => |counts| &counts.panicked,
        };
    });
    // The region owns it.
    drop(task);
}

/// The drain budget has ended.
async fn is_spent<C>(cx: &Cx<C>) -> bool {
    cx.or_spent(std::future::ready(())).await.is_err()
}
