//! The network as a capability: who has a [`Net`] may open sockets, as far as it goes.
//!
//! A name is looked up before it is checked: what counts is the address that would be used. Of the
//! addresses of a name those that may not be used are passed over; an error tells of them only if
//! there was no other.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use super::addr::Target;
use super::{Sockets, TcpListener, TcpStream, ToAddr};
use crate::cancel::{Level, Note, Use};
use crate::caps::{Authority, Effect, HasNet, NetAuthority, NetUse};
use crate::cx::Cx;
use crate::host::Host;
use crate::outcome::Failure;
use crate::trace::Spans;

/// The network, as far as it may be used; from [`Cx::net`].
///
/// It goes to whom shall use it, beside a `Cx` that may do less. Each operation runs in the scope of
/// the `Cx` it is given, whose own authority counts too.
///
/// ```
/// use asupersync::caps::{NetAuthority, NetUse};
/// use asupersync::net::Net;
/// use asupersync::{Cx, NoCaps, Outcome};
/// use std::{io, net::SocketAddr};
///
/// /// Connects to servers on this machine.
/// struct Local;
///
/// impl NetAuthority for Local {
///     fn check(&self, how: NetUse, addr: SocketAddr) -> io::Result<()> {
///         match how == NetUse::Connect && addr.ip().is_loopback() {
///             true => Ok(()),
///             false => Err(io::Error::new(io::ErrorKind::PermissionDenied, "only to this machine")),
///         }
///     }
/// }
///
/// /// Has no capability but the one it is handed.
/// async fn client(cx: &Cx<NoCaps>, net: &Net, server: SocketAddr) -> Outcome {
///     net.tcp_connect(cx, server).await?;
///     let refused = net.tcp_bind(cx, "127.0.0.1:0").await.map(drop);
///     assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
///     Ok(())
/// }
///
/// #[asupersync::main]
/// async fn main(cx: &Cx) -> Outcome {
///     let listener = cx.tcp_bind("localhost:0").await?;
///     client(cx.restrict(), &cx.net().limited_to(Local), listener.local_addr()?).await
/// }
/// ```
#[derive(Clone)]
pub struct Net {
    host: Arc<dyn Host>,
    authority: Option<Arc<Authority>>,
}

impl Net {
    /// The same network, but only the addresses that `addresses` allows too.
    #[track_caller]
    #[must_use = "what it is called on stays as it is"]
    pub fn limited_to(&self, addresses: impl NetAuthority + 'static) -> Net {
        let limit = Authority::all().net(addresses);
        let authority = self.authority.as_deref().cloned().unwrap_or_default().meet(&limit);
        Net { host: self.host.clone(), authority: Some(Arc::new(authority)) }
    }

    /// Opens a listening TCP socket on `addr`: a `SocketAddr`, `"127.0.0.1:8080"` or
    /// `"localhost:8080"`.
    ///
    /// # Errors
    /// The system's (address in use, no permission), with the address in the message;
    /// `PermissionDenied` with a [`Denied`](crate::caps::Denied) inside for what may not be done here;
    /// `InvalidInput` for what is no address; a cancellation at Request.
    ///
    /// # Cancel safety
    /// A dropped call leaves no socket behind.
    pub async fn tcp_bind<C>(&self, cx: &Cx<C>, addr: impl ToAddr) -> io::Result<TcpListener> {
        let open = |addr| self.sockets().tcp_bind(addr);
        Ok(self.first(cx, addr, NetUse::Bind, "cannot listen on", open).await?.into())
    }

    /// Connects to `addr`, trying each address of a name in turn.
    ///
    /// # Errors
    /// The last address's error, with that address in the message: the system's; `PermissionDenied`
    /// with a [`Denied`](crate::caps::Denied) inside for what may not be done here; `InvalidInput` for
    /// what is no address; a cancellation at Request.
    ///
    /// # Cancel safety
    /// A dropped call closes the half-open connection.
    pub async fn tcp_connect<C>(&self, cx: &Cx<C>, addr: impl ToAddr) -> io::Result<TcpStream> {
        let mut last = None;
        for addr in self.addresses(cx, addr).await? {
            if let Err(denied) = self.check(cx, NetUse::Connect, addr) {
                last.get_or_insert(denied);
                continue;
            }
            let attempt = async {
                let stream = self.sockets().tcp_connect(addr)?;
                let note = Note::on(Use::Connect, &*stream);
                cx.op(Level::Requested, note, |task| stream.poll_connected(task)).await?;
                io::Result::Ok(TcpStream::new(stream, cx.of_region()))
            };
            match attempt.await {
                Ok(stream) => return Ok(stream),
                Err(error) if cx.is_cancelled() => return Err(error),
                Err(error) => last = Some(at("cannot connect to", addr, error)),
            }
        }
        Err(last.unwrap_or_else(no_address))
    }

    /// What `open` makes of the first address that may be used and of which it can make anything.
    pub(super) async fn first<C, T>(
        &self,
        cx: &Cx<C>,
        addr: impl ToAddr,
        how: NetUse,
        cannot: &str,
        open: impl Fn(SocketAddr) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut last = None;
        for addr in self.addresses(cx, addr).await? {
            if let Err(denied) = self.check(cx, how, addr) {
                last.get_or_insert(denied);
                continue;
            }
            match open(addr) {
                Ok(opened) => return Ok(opened),
                Err(error) => last = Some(at(cannot, addr, error)),
            }
        }
        Err(last.unwrap_or_else(no_address))
    }

    pub(super) fn sockets(&self) -> &dyn Sockets {
        self.host.net()
    }

    /// Fails unless this object and `cx` both allow it.
    pub(super) fn check<C>(&self, cx: &Cx<C>, how: NetUse, addr: SocketAddr) -> io::Result<()> {
        cx.check_addr(how, addr)?;
        if let Some(authority) = &self.authority {
            authority.check_addr(how, addr, || cx.path())?;
        }
        Ok(())
    }

    /// What `addr` stands for. Whoever may not use the network at all may not look up names either.
    async fn addresses<C>(&self, cx: &Cx<C>, addr: impl ToAddr) -> io::Result<Vec<SocketAddr>> {
        cx.checkpoint()?;
        cx.check(Effect::Net)?;
        if let Some(authority) = &self.authority {
            authority.check(Effect::Net, || cx.path())?;
        }
        match addr.to_target()? {
            Target::Addr(addr) => Ok(vec![addr]),
            Target::Name(name, port) => {
                let sockets = self.sockets().boxed();
                let found = cx.blocking(Spans::current(), move || Ok(sockets.resolve(&name, port))).await;
                found.map_err(|failure| match failure {
                    Failure::Cancelled(cancelled) => cancelled.into(),
                    other => io::Error::other(other.to_string()),
                })?
            }
        }
    }
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Net").field("authority", &self.authority).finish_non_exhaustive()
    }
}

impl<C> Cx<C> {
    /// The network, as far as it may be used here.
    pub fn net(&self) -> Net
    where
        C: HasNet,
    {
        Net { host: self.node().tree.host.clone(), authority: self.authority().cloned() }
    }

    /// [`Net::tcp_bind`] of [`net`](Self::net).
    ///
    /// # Errors
    /// As [`Net::tcp_bind`].
    ///
    /// # Cancel safety
    /// As [`Net::tcp_bind`].
    pub async fn tcp_bind(&self, addr: impl ToAddr) -> io::Result<TcpListener>
    where
        C: HasNet,
    {
        self.net().tcp_bind(self, addr).await
    }

    /// [`Net::tcp_connect`] of [`net`](Self::net).
    ///
    /// # Errors
    /// As [`Net::tcp_connect`].
    ///
    /// # Cancel safety
    /// As [`Net::tcp_connect`].
    pub async fn tcp_connect(&self, addr: impl ToAddr) -> io::Result<TcpStream>
    where
        C: HasNet,
    {
        self.net().tcp_connect(self, addr).await
    }
}

fn at(what: &str, addr: SocketAddr, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what} {addr}: {error}"))
}

fn no_address() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "the name has no address")
}
