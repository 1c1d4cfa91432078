//! Addresses that may be used.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::ops::RangeInclusive;

use asupersync_core::caps::{NetAuthority, NetUse};
use cap_primitives::net;
use cap_std::AmbientAuthority;
use cap_std::ipnet::IpNet;

/// A set of addresses, to bind and to connect to; empty at first.
///
/// It limits a [`Net`](asupersync_core::io::Net) or an
/// [`Authority`](asupersync_core::caps::Authority). There are no names in it: what a name stands for
/// is looked up first, and the address is what must be in the pool. An IPv4 address that is written as
/// an IPv6 one (`::ffff:192.0.2.7`) is in it only if it was put in like that.
///
/// ```
/// use asupersync_compat::cap_std::{Pool, ambient_authority};
/// use asupersync_core::caps::{NetAuthority, NetUse};
///
/// let mut pool = Pool::new();
/// pool.insert_net("10.1.0.0/16".parse()?, 5432..=5433, ambient_authority());
/// assert!(pool.check(NetUse::Connect, "10.1.2.3:5432".parse()?).is_ok());
/// assert!(pool.check(NetUse::Connect, "10.1.2.3:80".parse()?).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Pool(net::Pool);

impl Pool {
    /// No address.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one address. Its port 0 stands for one that the system chooses, when it is bound.
    pub fn insert_addr(&mut self, addr: SocketAddr, authority: AmbientAuthority) {
        self.0.insert_socket_addr(addr, authority);
    }

    /// Adds the addresses of a network with these ports; `0..=u16::MAX` is all of them, and port 0
    /// stands for one that the system chooses, when it is bound.
    pub fn insert_net(&mut self, net: IpNet, ports: RangeInclusive<u16>, authority: AmbientAuthority) {
        if !ports.is_empty() {
            self.0.insert_ip_net_port_range(net, *ports.start(), ports.end().checked_add(1), authority);
        }
    }
}

impl NetAuthority for Pool {
    fn check(&self, _: NetUse, addr: SocketAddr) -> io::Result<()> {
        self.0.check_addr(&addr)
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}
