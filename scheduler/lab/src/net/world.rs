//! The network of one run: a state machine whose time is told to it.
//!
//! ```text
//!   connect ── Syn ──▶ a listener's backlog ── SynAck ──▶ the connection stands
//!      │                 │ full: waits there
//!      ◀──── Refused ────┘ nobody listens
//!   write ──── Data ──▶ arrived ──▶ read          shutdown, drop ── Fin ──▶ the end of the stream
//!   drop with bytes unread ── Rst ──▶ ConnectionReset
//! ```
//!
//! Invariants:
//! 1. All that travels goes through the two pipes of its connection, and is seen to when its time has come
//!    and its link is not cut. What has no latency is seen to within the step that sends it.
//! 2. The first packet of a pipe has an alarm, unless it is held up by a partition.
//! 3. Nothing depends on the order of addresses in memory, and no waker is woken or dropped in here.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::{Display, Write};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::Waker;

use asupersync_core::observe::Object;

use super::conn::{CLIENT, Conn, End, SERVER, Side};
use super::datagrams::Post;
use super::link::{Change, Link, Rules};
use super::pipe::{Pipe, What};
use crate::random::Random;

/// How long Linux tries to connect: six times, after twice as long each (`tcp_syn_retries`, tcp(7)).
const CONNECT_GIVES_UP: u64 = 127_000_000_000;
/// And to send: 924.6 s (`tcp_retries2`).
const SEND_GIVES_UP: u64 = 924_600_000_000;

/// Ports for whoever asks for any: those that RFC 6335 calls dynamic.
const DYNAMIC: u16 = 49152;

/// A connection's number, in the order in which they were made. Nobody outside sees it.
pub(super) type ConnId = u64;

/// A listening socket.
#[derive(Default)]
pub(super) struct Bound {
    /// These stand.
    pub(super) backlog: VecDeque<ConnId>,
    /// These wait for room among those.
    pub(super) waiting: VecDeque<ConnId>,
    /// There is room for no more.
    pub(super) stopped: bool,
    pub(super) accepter: Option<Waker>,
}

/// What happens at a time of its own.
#[derive(Clone, Copy)]
enum Event {
    Arrives(ConnId, Side),
    GivesUp(ConnId, Side),
    /// A datagram, which [`Post`] has under the event's key.
    Datagram,
}

/// Where something that is sent to an address goes, and from where it comes: as on Linux, where all
/// addresses are this machine's.
pub(super) fn route(to: SocketAddr) -> (SocketAddr, IpAddr) {
    let (ip, from) = match to.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() || ip.is_loopback() => {
            let ip = if ip.is_unspecified() { Ipv4Addr::LOCALHOST } else { ip };
            (ip.into(), Ipv4Addr::LOCALHOST.into())
        }
        IpAddr::V6(ip) if ip.is_unspecified() => (Ipv6Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()),
        ip => (ip, ip),
    };
    (SocketAddr::new(ip, to.port()), from)
}

/// An address and a port overlap.
pub(super) fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let (a, b) = (one.ip(), other.ip());
    one.port() == other.port() && (a == b || a.is_unspecified() || b.is_unspecified())
}

/// All of it.
pub(super) struct World {
    pub(super) now: u64,
    explored: bool,
    seeds: Random,
    pub(super) rules: Rules,
    /// Stands for them: each use of a connection looks at them.
    rule: Object,
    pub(super) names: BTreeMap<String, Vec<IpAddr>>,
    pub(super) listeners: BTreeMap<SocketAddr, Bound>,
    pub(super) conns: BTreeMap<ConnId, Conn>,
    made: ConnId,
    pub(super) post: Post,
    /// By time, and then in the order in which they were set.
    events: BTreeMap<(u64, u64), Event>,
    set: u64,
    /// To be woken, and to be dropped, once nobody is in here.
    pub(super) woken: Vec<Waker>,
    pub(super) stale: Vec<Waker>,
    pub(super) log: Option<String>,
}

impl World {
    pub(super) fn new(seed: u64, explored: bool) -> Self {
        World {
            now: 0,
            explored,
            seeds: Random::new(seed.rotate_left(32)),
            rules: Rules::new(explored),
            rule: Object::named(0),
            names: BTreeMap::new(),
            listeners: BTreeMap::new(),
            conns: BTreeMap::new(),
            made: 0,
            post: Post::default(),
            events: BTreeMap::new(),
            set: 0,
            woken: Vec::new(),
            stale: Vec::new(),
            log: None,
        }
    }

    /// Has the datagram under the key that this returns seen to at a time.
    pub(super) fn expect_datagram(&mut self, arrives: u64) -> (u64, u64) {
        self.set += 1;
        self.events.insert((arrives, self.set), Event::Datagram);
        (arrives, self.set)
    }

    /// An object, and a seed that is the same in every order of the steps.
    pub(super) fn object(&mut self) -> (Object, u64) {
        let object = Object::new();
        let seed = if self.explored { Random::new(object.number()).bits() } else { self.seeds.bits() };
        (object, seed)
    }

    /// This step uses a port.
    pub(super) fn touch_port(&self, port: u16) {
        Object::named(1 + u64::from(port)).write();
    }

    /// This step asks what is set.
    pub(super) fn read_rules(&self) {
        self.rule.read();
    }

    pub(super) fn note(&mut self, what: impl Display) {
        if let Some(log) = &mut self.log {
            let (seconds, nanos) = (self.now / 1_000_000_000, self.now % 1_000_000_000);
            // Into a string: cannot fail.
            let _ = writeln!(log, "{seconds}.{nanos:09} {what}");
        }
    }

    /// A port that nobody has at this address: one that is drawn, or the next after it.
    fn free_port(&mut self, ip: IpAddr) -> io::Result<u16> {
        self.draw_port(|world, port| {
            world.touch_port(port);
            !world.is_taken(SocketAddr::new(ip, port))
        })
    }

    /// The first port that will do, from one on that is drawn.
    pub(super) fn draw_port(&mut self, will_do: impl Fn(&World, u16) -> bool) -> io::Result<u16> {
        let count = u16::MAX - DYNAMIC + 1;
        let first = (self.object().1 % u64::from(count)) as u16;
        let mut ports = (0..count).map(|n| DYNAMIC + (first + n) % count);
        ports.find(|port| will_do(self, *port)).ok_or_else(|| ErrorKind::AddrInUse.into())
    }

    fn is_taken(&self, addr: SocketAddr) -> bool {
        let mut all =
            self.listeners.keys().copied().chain(self.conns.values().map(|conn| conn.addrs[CLIENT]));
        all.any(|other| overlap(addr, other))
    }

    pub(super) fn bind(&mut self, addr: SocketAddr) -> io::Result<SocketAddr> {
        let port = if addr.port() == 0 { self.free_port(addr.ip())? } else { addr.port() };
        let addr = SocketAddr::new(addr.ip(), port);
        self.touch_port(port);
        if self.is_taken(addr) {
            return Err(io::Error::new(ErrorKind::AddrInUse, "address already in use"));
        }
        self.listeners.insert(addr, Bound::default());
        self.note(format_args!("{addr} listens"));
        Ok(addr)
    }

    /// Begins a connection.
    pub(super) fn connect(&mut self, to: SocketAddr) -> io::Result<ConnId> {
        let (to, from) = route(to);
        let from = SocketAddr::new(from, self.free_port(from)?);
        let pipes = [(); 2].map(|()| {
            let (object, seed) = self.object();
            Pipe::new(object, seed)
        });
        self.made += 1;
        let id = self.made;
        let ends = [End::default(), End::default()];
        self.conns.insert(id, Conn { addrs: [from, to], ends, pipes });
        // Who comes first to a listener is decided here.
        self.touch_port(to.port());
        self.send(id, CLIENT, What::Syn);
        Ok(id)
    }

    /// Sends something from an end.
    pub(super) fn send(&mut self, id: ConnId, from: Side, what: What) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        let settings = self.rules.of(conn.addrs);
        self.rule.read();
        conn.pipes[from].object.write();
        conn.pipes[from].send(self.now, &settings, what);
        self.pump(id, from);
    }

    /// Sees to what has come to its other end.
    pub(super) fn pump(&mut self, id: ConnId, from: Side) {
        while let Some(conn) = self.conns.get_mut(&id) {
            let pipe = &mut conn.pipes[from];
            let Some((arrives, begins)) = pipe.next() else { return };
            if arrives > self.now {
                if pipe.alarm.is_none() {
                    self.set += 1;
                    pipe.alarm = Some((arrives, self.set));
                    self.events.insert((arrives, self.set), Event::Arrives(id, from));
                }
                return;
            }
            if self.rules.of(conn.addrs).cut {
                return self.lose_patience(id, from, if begins { CONNECT_GIVES_UP } else { SEND_GIVES_UP });
            }
            let what = pipe.arrive();
            self.regain_patience(id, from);
            if let Some(what) = what {
                self.arrive(id, from, what);
            }
        }
    }

    fn arrive(&mut self, id: ConnId, from: Side, what: What) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        let to = 1 - from;
        conn.pipes[from].object.write();
        if self.log.is_some() {
            let [one, other] = [conn.addrs[from], conn.addrs[to]];
            match &what {
                What::Data(bytes) => self.note(format_args!("{one} > {other} {} bytes", bytes.len())),
                what => self.note(format_args!("{one} > {other} {what:?}")),
            }
        }
        let Some(conn) = self.conns.get_mut(&id) else { return };
        let end = &mut conn.ends[to];
        match what {
            What::Syn => return self.knock(id),
            What::SynAck => end.stands = true,
            What::Refused => conn.fail(to, ErrorKind::ConnectionRefused),
            What::Data(_) if end.is_closed() => return self.send(id, to, What::Rst),
            What::Data(bytes) => conn.pipes[from].arrived.extend(&bytes),
            What::Fin => conn.pipes[from].ended = true,
            What::Rst => conn.fail(to, ErrorKind::ConnectionReset),
        }
        self.woken.extend(conn.ends[to].wakers());
    }

    /// A client has come to where somebody may listen.
    fn knock(&mut self, id: ConnId) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        let (addrs, to) = (conn.addrs, conn.addrs[SERVER]);
        let any = match to.ip() {
            IpAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        self.touch_port(to.port());
        let listens = [to, SocketAddr::new(any, to.port())];
        let Some(addr) = listens.into_iter().find(|addr| self.listeners.contains_key(addr)) else {
            let Some(conn) = self.conns.get_mut(&id) else { return };
            conn.ends[SERVER].gone = true;
            return self.send(id, SERVER, What::Refused);
        };
        if let Some(bound) = self.listeners.get_mut(&addr) {
            bound.waiting.push_back(id);
        }
        self.rule.read();
        self.admit(addr, self.rules.of(addrs).backlog);
        if self.conns.get(&id).is_some_and(|conn| !conn.ends[SERVER].stands) {
            self.lose_patience(id, CLIENT, CONNECT_GIVES_UP);
        }
    }

    /// An end will give up some time later, unless its pipe goes on.
    fn lose_patience(&mut self, id: ConnId, from: Side, patience: u64) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        if conn.pipes[from].gives_up.is_none() {
            self.set += 1;
            let at = (self.now.saturating_add(patience), self.set);
            conn.pipes[from].gives_up = Some(at);
            self.events.insert(at, Event::GivesUp(id, from));
        }
    }

    /// A pipe goes on.
    fn regain_patience(&mut self, id: ConnId, from: Side) {
        let gives_up = self.conns.get_mut(&id).and_then(|conn| conn.pipes[from].gives_up.take());
        if let Some(at) = gives_up {
            self.events.remove(&at);
        }
    }

    /// A client stops trying to connect: no server will hear of it.
    fn withdraw(&mut self, id: ConnId) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        if !conn.ends[SERVER].stands {
            conn.ends[SERVER].gone = true;
            let port = conn.addrs[SERVER].port();
            self.touch_port(port);
            self.listeners.values_mut().for_each(|bound| bound.waiting.retain(|waits| *waits != id));
        }
    }

    /// Lets those stand who wait before a backlog in which there is room.
    fn admit(&mut self, addr: SocketAddr, most: usize) {
        loop {
            let Some(bound) = self.listeners.get_mut(&addr) else { return };
            if bound.stopped || bound.backlog.len() >= most.max(1) {
                return;
            }
            let Some(id) = bound.waiting.pop_front() else { return };
            bound.backlog.push_back(id);
            self.woken.extend(bound.accepter.take());
            let Some(conn) = self.conns.get_mut(&id) else { continue };
            conn.ends[SERVER].stands = true;
            self.regain_patience(id, CLIENT);
            self.send(id, SERVER, What::SynAck);
        }
    }

    /// Takes the next connection of a listener.
    pub(super) fn accept(&mut self, addr: SocketAddr) -> Option<(ConnId, SocketAddr)> {
        self.touch_port(addr.port());
        let id = self.listeners.get_mut(&addr)?.backlog.pop_front()?;
        let addrs = self.conns.get(&id)?.addrs;
        self.rule.read();
        self.admit(addr, self.rules.of(addrs).backlog);
        Some((id, addrs[CLIENT]))
    }

    /// A listener lets nobody in any more.
    pub(super) fn stop_queueing(&mut self, addr: SocketAddr) {
        self.touch_port(addr.port());
        if let Some(bound) = self.listeners.get_mut(&addr) {
            bound.stopped = true;
        }
    }

    /// A listener is closed: those whom nobody accepted are reset.
    pub(super) fn unbind(&mut self, addr: SocketAddr) {
        self.touch_port(addr.port());
        let Some(bound) = self.listeners.remove(&addr) else { return };
        self.stale.extend(bound.accepter);
        self.note(format_args!("{addr} listens no more"));
        let backlog = bound.backlog.into_iter().map(|id| (id, What::Rst));
        for (id, what) in backlog.chain(bound.waiting.into_iter().map(|id| (id, What::Refused))) {
            let Some(conn) = self.conns.get_mut(&id) else { continue };
            conn.touch();
            conn.ends[SERVER].gone = true;
            self.send(id, SERVER, what);
            self.forget(id);
        }
    }

    /// Nobody has this end any more.
    pub(super) fn leave(&mut self, id: ConnId, side: Side) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        conn.touch();
        let end = &mut conn.ends[side];
        end.gone = true;
        self.stale.extend(end.wakers());
        if side == CLIENT && !conn.ends[SERVER].stands {
            self.withdraw(id);
        } else if !conn.ends[side].dead {
            let shut = conn.ends[side].write_shut;
            if conn.pipes[1 - side].unread() > 0 {
                conn.pipes[side].clear_flight();
                self.send(id, side, What::Rst);
            } else if !shut {
                self.send(id, side, What::Fin);
            }
        }
        self.forget(id);
    }

    /// Forgets a connection that nobody has.
    fn forget(&mut self, id: ConnId) {
        let Some(conn) = self.conns.get(&id) else { return };
        if !conn.ends.iter().all(|end| end.gone) {
            return;
        }
        self.touch_port(conn.addrs[CLIENT].port());
        for at in conn.pipes.iter().flat_map(|pipe| [pipe.alarm, pipe.gives_up]).flatten() {
            self.events.remove(&at);
        }
        self.conns.remove(&id);
    }

    /// When something happens next by itself.
    pub(super) fn next(&self) -> Option<u64> {
        self.events.first_key_value().map(|((at, _), _)| *at)
    }

    /// Time goes on.
    pub(super) fn advance(&mut self, now: u64) {
        while let Some(entry) = self.events.first_entry() {
            if entry.key().0 > now {
                break;
            }
            self.now = self.now.max(entry.key().0);
            let key = *entry.key();
            match entry.remove() {
                Event::Datagram => self.deliver(key),
                Event::Arrives(id, from) => {
                    if let Some(conn) = self.conns.get_mut(&id) {
                        conn.pipes[from].alarm = None;
                    }
                    self.pump(id, from);
                }
                Event::GivesUp(id, from) => {
                    let Some(conn) = self.conns.get_mut(&id) else { continue };
                    conn.pipes[from].gives_up = None;
                    self.give_up(id, from);
                }
            }
        }
        self.now = self.now.max(now);
    }

    /// What an end sends does not arrive, for too long.
    fn give_up(&mut self, id: ConnId, from: Side) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        // An answer to a client that nobody may hear is not waited for: that client has a time of its own.
        let side = if conn.ends[CLIENT].stands { from } else { CLIENT };
        conn.pipes[from].clear_flight();
        conn.fail(side, ErrorKind::TimedOut);
        self.woken.extend(conn.ends[side].wakers());
        let [one, other] = conn.addrs;
        self.withdraw(id);
        self.note(format_args!("{one} - {other} timed out"));
    }

    /// Sets something for some connections.
    pub(super) fn change(&mut self, link: Link, change: Change) {
        self.rule.write();
        self.note(format_args!("{change:?} for {link:?}"));
        self.rules.add(link, change);
        let all: Vec<ConnId> = self.conns.keys().copied().collect();
        for id in all {
            for side in [CLIENT, SERVER] {
                let Some(conn) = self.conns.get_mut(&id) else { break };
                if !link.covers(conn.addrs) {
                    break;
                }
                conn.touch();
                let settings = self.rules.of(conn.addrs);
                if let (Change::Cut(false), false) = (change, settings.cut) {
                    let pipe = &mut conn.pipes[side];
                    if pipe.next().is_some_and(|(arrives, _)| arrives <= self.now) {
                        pipe.resend(self.now, &settings);
                        self.regain_patience(id, side);
                    }
                    self.pump(id, side);
                }
                // There may be more room now.
                if let (Change::Capacity(_), Some(conn)) = (change, self.conns.get_mut(&id)) {
                    self.woken.extend(conn.ends[side].writer.take());
                }
            }
        }
    }

    /// Gives a name an address.
    pub(super) fn name(&mut self, name: String, addr: IpAddr) {
        self.rule.write();
        self.names.entry(name).or_default().push(addr);
    }

    /// How many connections there are. Asks each of them.
    pub(super) fn count(&self) -> usize {
        self.rule.read();
        self.conns.values().for_each(Conn::touch);
        self.conns.len()
    }

    /// Resets connections, and tells how many.
    pub(super) fn reset(&mut self, link: Link) -> usize {
        self.rule.write();
        let covered = self.conns.iter().filter(|(_, conn)| link.covers(conn.addrs));
        let covered: Vec<ConnId> = covered.map(|(id, _)| *id).collect();
        for id in &covered {
            let Some(conn) = self.conns.get_mut(id) else { continue };
            conn.fail(CLIENT, ErrorKind::ConnectionReset);
            conn.fail(SERVER, ErrorKind::ConnectionReset);
            let [one, other] = conn.addrs;
            self.woken.extend(conn.ends.iter_mut().flat_map(End::wakers));
            self.withdraw(*id);
            self.note(format_args!("{one} - {other} reset"));
        }
        covered.len()
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.events.clear();
        self.stale.extend(std::mem::take(&mut self.listeners).into_values().filter_map(|it| it.accepter));
        self.stale.extend(std::mem::take(&mut self.post).wakers());
        let conns = std::mem::take(&mut self.conns);
        let ends = conns.into_values().flat_map(|conn| conn.ends);
        self.stale.extend(ends.flat_map(|end| end.reader.into_iter().chain(end.writer)));
    }
}
