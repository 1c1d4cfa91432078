//! Authority: what may be done at run time, by whoever has a [`Cx`](crate::Cx).
//!
//! An [`Authority`] is a mask, and limits on addresses. It is part of the `Cx` and of everything that
//! comes from it: tasks, regions, finalizers, supervised children. The only thing that is ever done
//! to it is [`meet`](Authority::meet), which allows what both sides allow: so it shrinks on the way
//! down the tree, and nothing widens it. A `Cx` whose authority nobody narrowed has none stored.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::panic::Location;
use std::sync::Arc;

/// A capability that can be taken away at run time.
///
/// The clock and random numbers are not among them. Whoever waits or draws a number changes nothing
/// for others, so there is nothing to protect; and what waits returns `Result<_, Cancelled>`, where a
/// denial would have to pass for a cancellation that nobody asked for. The type takes them away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// To start tasks.
    Spawn,
    /// To run jobs on threads that may block.
    Blocking,
    /// To open sockets.
    Net,
    /// To use files and directories.
    Fs,
}

impl Effect {
    const COUNT: usize = 4;

    fn verb(self) -> &'static str {
        match self {
            Effect::Spawn => "starting a task",
            Effect::Blocking => "running a job that blocks",
            Effect::Net => "using the network",
            Effect::Fs => "using files",
        }
    }
}

/// What a socket is about to be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NetUse {
    /// To listen on the address, or to send from it.
    Bind,
    /// To connect to the address.
    Connect,
    /// To send a datagram to the address.
    Send,
}

/// Which addresses may be used, for [`Authority::net`].
///
/// Names are looked up first: what is checked is the address that would be used.
///
/// ```
/// use asupersync::caps::{NetAuthority, NetUse};
/// use std::{io, net::SocketAddr};
///
/// /// This machine, and no other.
/// struct Local;
///
/// impl NetAuthority for Local {
///     fn check(&self, _: NetUse, addr: SocketAddr) -> io::Result<()> {
///         match addr.ip().is_loopback() {
///             true => Ok(()),
///             false => Err(io::Error::new(io::ErrorKind::PermissionDenied, "not on this machine")),
///         }
///     }
/// }
/// ```
pub trait NetAuthority: Send + Sync {
    /// Fails if `addr` may not be used like that. Must not block: it is asked before each use.
    fn check(&self, what: NetUse, addr: SocketAddr) -> io::Result<()>;
}

type Site = &'static Location<'static>;

/// A limit on addresses, and the line that set it.
#[derive(Clone)]
struct Limit {
    addresses: Arc<dyn NetAuthority>,
    site: Site,
}

/// What may be done at run time: given to [`attenuate`](crate::Cx::attenuate), or to the
/// [builder](crate::region::Builder::authority) of a region.
///
/// It takes away, and never gives: where something was denied before, it stays denied.
#[derive(Clone, Default)]
#[must_use = "it takes nothing away until it is given to `attenuate` or to a region's builder"]
pub struct Authority {
    /// For each effect, which line took it away.
    taken: [Option<Site>; Effect::COUNT],
    /// All must agree.
    limits: Vec<Limit>,
}

impl Authority {
    /// Takes nothing away.
    pub fn all() -> Self {
        Authority::default()
    }

    /// Takes everything away but `effects`. Errors name the line that called this.
    #[track_caller]
    pub fn only(effects: impl IntoIterator<Item = Effect>) -> Self {
        let mut authority =
            Authority { taken: [Some(Location::caller()); Effect::COUNT], limits: Vec::new() };
        for effect in effects {
            authority.taken[effect as usize] = None;
        }
        authority
    }

    /// Takes `effect` away. Errors name the line that called this.
    #[track_caller]
    pub fn without(mut self, effect: Effect) -> Self {
        self.taken[effect as usize].get_or_insert(Location::caller());
        self
    }

    /// Limits the addresses that sockets may use; those that are open stay as they are. Errors name
    /// the line that called this.
    #[track_caller]
    pub fn net(mut self, addresses: impl NetAuthority + 'static) -> Self {
        self.limits.push(Limit { addresses: Arc::new(addresses), site: Location::caller() });
        self
    }

    /// Allows what both allow. Of an effect that both took away, the line of `self` is told.
    pub fn meet(mut self, other: &Authority) -> Self {
        for (mine, theirs) in self.taken.iter_mut().zip(other.taken) {
            *mine = mine.or(theirs);
        }
        for limit in &other.limits {
            if !self.limits.iter().any(|mine| Arc::ptr_eq(&mine.addresses, &limit.addresses)) {
                self.limits.push(limit.clone());
            }
        }
        self
    }

    /// Fails if `effect` was taken away; `path` is where it was asked for.
    pub(crate) fn check(&self, effect: Effect, path: impl FnOnce() -> String) -> Result<(), Denied> {
        match self.taken[effect as usize] {
            None => Ok(()),
            Some(site) => {
                let (what, why) = (effect.verb().to_owned(), None);
                Err(Denied { effect, what, why, path: path(), site })
            }
        }
    }

    /// Fails if the network was taken away, or a limit refuses this address.
    pub(crate) fn check_addr(
        &self,
        how: NetUse,
        addr: SocketAddr,
        path: impl FnOnce() -> String,
    ) -> Result<(), Denied> {
        let refused = |limit: &Limit| limit.addresses.check(how, addr).err().map(|error| (limit.site, error));
        let Some((site, error)) = self.limits.iter().find_map(refused) else {
            return self.check(Effect::Net, path);
        };
        let verb = match how {
            NetUse::Bind => "binding",
            NetUse::Connect => "connecting to",
            NetUse::Send => "sending to",
        };
        let (what, why) = (format!("{verb} {addr}"), Some(error.to_string()));
        Err(Denied { effect: Effect::Net, what, why, path: path(), site })
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let taken = [Effect::Spawn, Effect::Blocking, Effect::Net, Effect::Fs];
        let taken = taken.into_iter().filter(|effect| self.taken[*effect as usize].is_some());
        f.debug_struct("Authority")
            .field("without", &taken.collect::<Vec<_>>())
            .field("limits", &self.limits.len())
            .finish()
    }
}

/// What was asked for was taken away before. Becomes an [`io::Error`] of kind `PermissionDenied`
/// where I/O was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    effect: Effect,
    what: String,
    why: Option<String>,
    path: String,
    site: Site,
}

impl Denied {
    /// What was asked for.
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// The path of the region in which it was asked for.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The line that took it away, or set the limit.
    pub fn site(&self) -> &'static Location<'static> {
        self.site
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Denied { effect, what, why, path, site } = self;
        write!(f, "{what} is denied in `{path}`: ")?;
        match why {
            None => write!(f, "`Effect::{effect:?}` was taken away at {site}"),
            Some(why) => write!(f, "{why}, by the limit set at {site}"),
        }
    }
}

impl std::error::Error for Denied {}

impl From<Denied> for io::Error {
    fn from(denied: Denied) -> io::Error {
        io::Error::new(io::ErrorKind::PermissionDenied, denied)
    }
}
