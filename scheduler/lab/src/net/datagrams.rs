//! Sockets for datagrams, and the datagrams that are under way.
//!
//! Invariants:
//! 1. A mailbox is known by the address it was bound to, and no two of them overlap.
//! 2. A datagram that is under way is known by its event's key. Whether it arrives is decided when it is
//!    sent and when its time has come.
//! 3. A step that sends, receives or arrives uses the port at which the datagram ends up.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::{Context, Poll, Waker};

use asupersync_core::observe::Object;

use super::world::{World, overlap, route};
use crate::random::Random;

/// The longest datagram of IPv4: 65,535 bytes less the headers (RFC 768, RFC 791).
const LONGEST: usize = 65_507;

/// The objects of these ports come after those of TCP's.
const PORTS: u64 = 2 + u16::MAX as u64;

/// All sockets for datagrams, and what they sent.
#[derive(Default)]
pub(super) struct Post {
    mailboxes: BTreeMap<SocketAddr, Mailbox>,
    flying: BTreeMap<(u64, u64), Datagram>,
}

impl Post {
    /// Of all who wait.
    pub(super) fn wakers(self) -> impl Iterator<Item = Waker> {
        self.mailboxes.into_values().filter_map(|mailbox| mailbox.receiver)
    }

    /// Who gets what is sent to an address.
    fn at(&mut self, to: SocketAddr) -> Option<&mut Mailbox> {
        let any: IpAddr = match to.ip() {
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let bound = [to, SocketAddr::new(any, to.port())];
        let found = bound.into_iter().find(|addr| self.mailboxes.contains_key(addr))?;
        self.mailboxes.get_mut(&found)
    }
}

/// One socket.
pub(super) struct Mailbox {
    pub(super) peer: Option<SocketAddr>,
    arrived: VecDeque<(SocketAddr, Vec<u8>)>,
    /// Room that those take.
    kept: usize,
    /// Told once.
    error: Option<ErrorKind>,
    receiver: Option<Waker>,
    sends: Random,
}

impl Mailbox {
    /// Its address, if it was bound to this one.
    pub(super) fn local_addr(&self, bound: SocketAddr) -> SocketAddr {
        match self.peer {
            Some(peer) if bound.ip().is_unspecified() => SocketAddr::new(route(peer).1, bound.port()),
            _ => bound,
        }
    }
}

struct Datagram {
    /// The mailbox that it comes from.
    sender: SocketAddr,
    from: SocketAddr,
    to: SocketAddr,
    bytes: Vec<u8>,
}

/// How much room a datagram takes.
fn room(bytes: &[u8]) -> usize {
    bytes.len().max(1)
}

/// This step uses a port for datagrams.
fn touch(port: u16) {
    Object::named(PORTS + u64::from(port)).write();
}

impl World {
    pub(super) fn udp_bind(&mut self, addr: SocketAddr) -> io::Result<SocketAddr> {
        let is_free = |world: &World, port| {
            touch(port);
            !world.post.mailboxes.keys().any(|other| overlap(*other, SocketAddr::new(addr.ip(), port)))
        };
        let port = match addr.port() {
            0 => self.draw_port(is_free)?,
            port if is_free(self, port) => port,
            _ => return Err(io::Error::new(ErrorKind::AddrInUse, "address already in use")),
        };
        let addr = SocketAddr::new(addr.ip(), port);
        let sends = Random::new(self.object().1);
        let mailbox =
            Mailbox { peer: None, arrived: VecDeque::new(), kept: 0, error: None, receiver: None, sends };
        self.post.mailboxes.insert(addr, mailbox);
        Ok(addr)
    }

    pub(super) fn udp_unbind(&mut self, addr: SocketAddr) {
        touch(addr.port());
        let gone = self.post.mailboxes.remove(&addr);
        self.stale.extend(gone.and_then(|mailbox| mailbox.receiver));
    }

    /// A socket; there is none once the run is over.
    pub(super) fn mailbox(&mut self, addr: SocketAddr) -> io::Result<&mut Mailbox> {
        touch(addr.port());
        self.post.mailboxes.get_mut(&addr).ok_or_else(|| ErrorKind::NotConnected.into())
    }

    pub(super) fn udp_connect(&mut self, addr: SocketAddr, to: SocketAddr) -> io::Result<()> {
        check_target(addr, to)?;
        self.mailbox(addr)?.peer = Some(route(to).0);
        Ok(())
    }

    pub(super) fn poll_receive(
        &mut self,
        addr: SocketAddr,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        let mailbox = self.mailbox(addr)?;
        if let Some(error) = mailbox.error.take() {
            return Poll::Ready(Err(error.into()));
        }
        let Some((from, bytes)) = mailbox.arrived.pop_front() else {
            let stale = mailbox.receiver.replace(cx.waker().clone());
            self.stale.extend(stale);
            return Poll::Pending;
        };
        mailbox.kept -= room(&bytes);
        let len = bytes.len().min(buf.len());
        buf[..len].copy_from_slice(&bytes[..len]);
        Poll::Ready(Ok((len, from)))
    }

    pub(super) fn udp_send(
        &mut self,
        addr: SocketAddr,
        buf: &[u8],
        to: Option<SocketAddr>,
    ) -> io::Result<usize> {
        self.read_rules();
        let mailbox = self.mailbox(addr)?;
        if let Some(error) = mailbox.error.take() {
            return Err(error.into());
        }
        let Some(to) = to.or(mailbox.peer) else {
            let text = "the socket has no peer; use `send_to`, or `connect` it first";
            return Err(io::Error::new(ErrorKind::NotConnected, text));
        };
        check_target(addr, to)?;
        if buf.len() > LONGEST {
            let text = format!("a datagram has {LONGEST} bytes at the most, and this one {}", buf.len());
            return Err(io::Error::new(ErrorKind::InvalidInput, text));
        }
        let (to, ip) = route(to);
        let ip = if addr.ip().is_unspecified() { ip } else { addr.ip() };
        let from = SocketAddr::new(ip, addr.port());
        let (settings, now) = (self.rules.of([from, to]), self.now);
        let Ok(mailbox) = self.mailbox(addr) else { return Ok(buf.len()) };
        let lost = settings.cut || settings.draw_loss(&mut mailbox.sends);
        let arrives = now.saturating_add(settings.draw_latency(&mut mailbox.sends));
        let datagram = Datagram { sender: addr, from, to, bytes: buf.to_vec() };
        if lost {
            self.lose(&datagram);
        } else if arrives <= now {
            self.arrive_datagram(datagram);
        } else {
            let key = self.expect_datagram(arrives);
            self.post.flying.insert(key, datagram);
        }
        Ok(buf.len())
    }

    /// The time of a datagram has come.
    pub(super) fn deliver(&mut self, key: (u64, u64)) {
        let Some(datagram) = self.post.flying.remove(&key) else { return };
        match self.rules.of([datagram.from, datagram.to]).cut {
            true => self.lose(&datagram),
            false => self.arrive_datagram(datagram),
        }
    }

    fn arrive_datagram(&mut self, datagram: Datagram) {
        let Datagram { sender, from, to, ref bytes } = datagram;
        touch(to.port());
        let capacity = self.rules.of([from, to]).capacity;
        let Some(mailbox) = self.post.at(to) else {
            // Who is connected to a port that nobody has is told so; who is not cannot be.
            let Ok(mailbox) = self.mailbox(sender) else { return };
            if mailbox.peer == Some(to) {
                mailbox.error = Some(ErrorKind::ConnectionRefused);
                let waits = mailbox.receiver.take();
                self.woken.extend(waits);
            }
            return self.note(format_args!("{from} > {to} nobody receives"));
        };
        let takes = mailbox.peer.is_none_or(|peer| peer == from);
        if !takes || mailbox.kept + room(bytes) > capacity {
            return self.lose(&datagram);
        }
        mailbox.kept += room(bytes);
        let (len, receiver) = (bytes.len(), mailbox.receiver.take());
        mailbox.arrived.push_back((from, datagram.bytes));
        self.woken.extend(receiver);
        self.note(format_args!("{from} > {to} a datagram of {len} bytes"));
    }

    fn lose(&mut self, datagram: &Datagram) {
        let Datagram { from, to, bytes, .. } = datagram;
        self.note(format_args!("{from} > {to} a datagram of {} bytes is lost", bytes.len()));
    }
}

/// A socket of one family cannot send to the other, nor to no port.
fn check_target(addr: SocketAddr, to: SocketAddr) -> io::Result<()> {
    match to.port() != 0 && addr.is_ipv4() == to.is_ipv4() {
        true => Ok(()),
        false => Err(io::Error::new(ErrorKind::InvalidInput, format!("{addr} cannot send to {to}"))),
    }
}
