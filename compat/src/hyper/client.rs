//! hyper's client on a stream of ours, or of anybody's: its connection is a task of a region.

use asupersync_core::Cx;
use asupersync_core::caps::{HasSpawn, HasTime};
use http_body::Body;
use hyper::client::conn::{http1, http2};

use super::BoxError;
use crate::io::{ByteStream, Hyper};
use crate::rt::{Executor, Timer};

/// A connection of HTTP/1.1, upgrades included. It is a task of the region of `cx`, and ends when the last
/// `SendRequest` is dropped and nothing is in flight; Request does not end it, the drain budget does.
///
/// ```
/// use asupersync_compat::hyper::{connect_http1, serve};
/// use asupersync_core::{Cx, Outcome};
/// use http::{Request, Response};
/// use hyper::service::service_fn;
///
/// async fn ask(cx: &Cx) -> Outcome<u16> {
///     let listener = cx.tcp_bind("127.0.0.1:0").await?;
///     let stream = cx.tcp_connect(listener.local_addr()?).await?;
///     let hello = service_fn(async |_| std::io::Result::Ok(Response::new(String::from("hello"))));
///     drop(cx.spawn("server", async move |cx| serve(cx, listener, hello).await.map(drop)));
///     let mut client = connect_http1::<_, String>(cx, stream).await?;
///     let request = Request::get("/").header("host", "localhost").body(String::new())?;
///     Ok(client.send_request(request).await?.status().as_u16())
/// }
///
/// let runtime = asupersync_scheduler::Runtime::new()?;
/// assert_eq!(runtime.block_on(async |cx: &Cx| ask(cx).await).unwrap(), 200);
/// # std::io::Result::Ok(())
/// ```
///
/// # Errors
/// hyper's.
///
/// # Cancel safety
/// Dropped, the stream is closed.
pub async fn connect_http1<C, B>(
    cx: &Cx<C>,
    stream: impl ByteStream + Send + Unpin + 'static,
) -> hyper::Result<http1::SendRequest<B>>
where
    C: HasSpawn,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    let (client, connection) = http1::handshake(Hyper::new(stream)).await?;
    own(cx, connection.with_upgrades());
    Ok(client)
}

/// A connection of HTTP/2, as [`connect_http1`]. Clones of the `SendRequest` share it.
///
/// # Errors
/// hyper's. A server's GOAWAY that arrives while a request is being sent may be told as that request's
/// error though the server answers it ([hyper#2500](https://github.com/hyperium/hyper/issues/2500)): the
/// reason is `NO_ERROR` then, and whether the request was served is not known.
///
/// # Cancel safety
/// Dropped, the stream is closed.
pub async fn connect_http2<C, B>(
    cx: &Cx<C>,
    stream: impl ByteStream + Send + Unpin + 'static,
) -> hyper::Result<http2::SendRequest<B>>
where
    C: HasSpawn + HasTime,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    let mut builder = http2::Builder::new(Executor::new(&cx.in_flight()));
    builder.timer(Timer::new(cx));
    let (client, connection) = builder.handshake(Hyper::new(stream)).await?;
    own(cx, connection);
    Ok(client)
}

/// What fails in it is told to whoever waits for a response.
fn own<C: HasSpawn>(cx: &Cx<C>, connection: impl Future<Output = hyper::Result<()>> + Send + 'static) {
    drop(cx.spawn_future("http client", async move { drop(connection.await) }));
}
