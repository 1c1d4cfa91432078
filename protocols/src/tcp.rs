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

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use asupersync_core::io::{Acceptor, TcpListener, TcpStream};
use asupersync_core::region::OnFailure;
use asupersync_core::{Cx, Failure, Outcome, Region, TaskOutput};

/// What serves one connection: `async |cx, stream| ..`, cloned for each.
///
/// Implemented for every such closure; nobody implements it by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not serve connections",
    note = "write `async |cx: &Cx, stream: TcpStream| {{ .. }}`"
)]
pub trait Handler<A, B, T>: AsyncFnOnce(A, B) -> T + FnOnce(A, B) -> <Self as Handler<A, B, T>>::Fut {
    /// What the closure returns.
    type Fut: Future<Output = T>;
}

#[diagnostic::do_not_recommend]
impl<A, B, T, F, Fut> Handler<A, B, T> for F
where
    F: AsyncFnOnce(A, B) -> T + FnOnce(A, B) -> Fut,
    Fut: Future<Output = T>,
{
    type Fut = Fut;
}

/// What became of the connections of a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServeReport {
    /// Connections accepted.
    pub accepted: u64,
    /// Handlers that returned a value.
    pub ok: u64,
    /// Handlers that returned an error.
    pub failed: u64,
    /// Handlers that stopped because they were asked to.
    pub cancelled: u64,
    /// Handlers that panicked.
    pub panicked: u64,
    /// Handlers dropped at the end of the drain budget, and connections that came too late.
    pub cut: u64,
    /// Errors of `accept` that were lived through.
    pub accept_errors: u64,
}

impl fmt::Display for ServeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ServeReport { accepted, ok, failed, cancelled, panicked, cut, accept_errors } = self;
        write!(f, "{accepted} connections: {ok} ok, {failed} failed, {cancelled} cancelled, ")?;
        write!(f, "{panicked} panicked, {cut} cut; {accept_errors} accept errors")
    }
}

/// The ends of connections, by kind.
#[derive(Default)]
struct Counts {
    ok: AtomicU64,
    failed: AtomicU64,
    cancelled: AtomicU64,
    panicked: AtomicU64,
    cut: AtomicU64,
}

/// Counts one connection when it is dropped; as cut, unless it was told something else.
struct Tally {
    counts: Arc<Counts>,
    end: fn(&Counts) -> &AtomicU64,
}

impl Drop for Tally {
    fn drop(&mut self) {
        (self.end)(&self.counts).fetch_add(1, Ordering::Release);
    }
}

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
/// The listener is broken (see [`Acceptor`]); `Cancelled` if the scope was under Request before.
/// Request while it serves is no error: that is how a server ends.
///
/// # Cancel safety
/// Dropped, the listener is closed and the connections get Request; the enclosing region drains
/// them and does not close before they ended.
pub async fn serve<C, F, R>(cx: &Cx<C>, listener: TcpListener, handler: F) -> Outcome<ServeReport>
where
    C: Send + Sync + 'static,
    F: for<'a> Handler<&'a Cx<C>, TcpStream, R, Fut: Send> + Clone + Send + 'static,
    R: TaskOutput,
{
    let counts = Arc::new(Counts::default());
    let (mut accepted, mut accept_errors) = (0, 0);
    let region = Region::builder("tcp").on_failure(OnFailure::Collect);
    let served = region.open(cx, async |cx: &Cx<C>| -> Outcome {
        // The listener is closed with this body, before the connections drain.
        let listener = listener;
        let mut acceptor = Acceptor::new(&listener);
        loop {
            let next = acceptor.next(cx).await;
            accept_errors = acceptor.errors();
            match next {
                Ok((stream, peer)) => {
                    accepted += 1;
                    start(cx, stream, peer, handler.clone(), counts.clone());
                }
                Err(_) if cx.is_cancelled() => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    });
    served.await?;
    let read = |count: &AtomicU64| count.load(Ordering::Acquire);
    Ok(ServeReport {
        accepted,
        ok: read(&counts.ok),
        failed: read(&counts.failed),
        cancelled: read(&counts.cancelled),
        panicked: read(&counts.panicked),
        cut: read(&counts.cut),
        accept_errors,
    })
}

/// Starts the task of one connection.
fn start<C, F, R>(cx: &Cx<C>, stream: TcpStream, peer: SocketAddr, handler: F, counts: Arc<Counts>)
where
    C: Send + Sync + 'static,
    F: for<'a> Handler<&'a Cx<C>, TcpStream, R, Fut: Send> + Send + 'static,
    R: TaskOutput,
{
    let tally = Tally { counts, end: |counts| &counts.cut };
    let task = cx.spawn(&format!("conn {peer}"), async move |cx: &Cx<C>| {
        // All of it, and not only the field that is set below.
        let mut tally = tally;
        let served = Region::open(cx, "conn", async |cx: &Cx<C>| handler(cx, stream).await).await;
        tally.end = match served {
            Ok(_) => |counts| &counts.ok,
            Err(Failure::Err(_)) => |counts| &counts.failed,
            Err(Failure::Cancelled(_)) => |counts| &counts.cancelled,
            Err(Failure::Panicked(_)) => |counts| &counts.panicked,
        };
    });
    // The region owns it.
    drop(task);
}
