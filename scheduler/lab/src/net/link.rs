//! Which connections a setting is for, and what can be set.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::random::Random;

/// Connections, those that will be made among them: all with an end here, or between here and there.
///
/// Made from an address, from that of a machine, from a pair of either, or [`Link::ALL`]. A listener's
/// address stands for its connections, and a stream's own address for that one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    one: Place,
    other: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Any,
    Ip(IpAddr),
    Addr(SocketAddr),
}

impl Link {
    /// All connections.
    pub const ALL: Link = Link { one: Place::Any, other: Place::Any };

    /// The connection of these two ends is one of them.
    pub(super) fn covers(&self, ends: [SocketAddr; 2]) -> bool {
        let [a, b] = ends;
        self.one.is(a) && self.other.is(b) || self.one.is(b) && self.other.is(a)
    }
}

impl Place {
    fn is(self, addr: SocketAddr) -> bool {
        match self {
            Place::Any => true,
            Place::Ip(ip) => ip == addr.ip(),
            Place::Addr(place) if place.ip().is_unspecified() => place.port() == addr.port(),
            Place::Addr(place) => place == addr,
        }
    }
}

impl From<SocketAddr> for Link {
    fn from(addr: SocketAddr) -> Self {
        Link { one: Place::Addr(addr), other: Place::Any }
    }
}

impl From<IpAddr> for Link {
    fn from(ip: IpAddr) -> Self {
        Link { one: Place::Ip(ip), other: Place::Any }
    }
}

impl From<(SocketAddr, SocketAddr)> for Link {
    fn from((one, other): (SocketAddr, SocketAddr)) -> Self {
        Link { one: Place::Addr(one), other: Place::Addr(other) }
    }
}

impl From<(IpAddr, IpAddr)> for Link {
    fn from((one, other): (IpAddr, IpAddr)) -> Self {
        Link { one: Place::Ip(one), other: Place::Ip(other) }
    }
}

/// How much of what could be passed one read or write passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunks {
    /// All of it.
    Whole,
    /// All of it, or at one call in four only a part, as the seed draws.
    Drawn,
    /// So many bytes at the most, and at least 1.
    Most(usize),
}

impl Chunks {
    /// How many of `most` bytes pass; `most` is not 0.
    pub(super) fn pass(self, most: usize, random: &mut Random) -> usize {
        match self {
            Chunks::Whole => most,
            Chunks::Most(limit) => most.min(limit.max(1)),
            Chunks::Drawn if random.choose(4) == 0 => 1 + random.choose(most),
            Chunks::Drawn => most,
        }
    }
}

/// What holds for one connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// In nanoseconds, from and to.
    latency: (u64, u64),
    /// In bytes a second.
    pub(super) bandwidth: Option<u64>,
    pub(super) chunks: Chunks,
    pub(super) capacity: usize,
    pub(super) backlog: usize,
    /// One datagram in so many is lost; 0 for none.
    pub(super) loss: u32,
    /// Nothing arrives.
    pub(super) cut: bool,
}

impl Settings {
    /// A datagram is lost.
    pub(super) fn draw_loss(&self, random: &mut Random) -> bool {
        self.loss > 0 && random.choose(self.loss as usize) == 0
    }

    /// How long one packet is under way.
    pub(super) fn draw_latency(&self, random: &mut Random) -> u64 {
        let (from, to) = self.latency;
        match to.checked_sub(from) {
            None | Some(0) => from,
            Some(span) => from + random.choose(usize::try_from(span).unwrap_or(usize::MAX)) as u64,
        }
    }
}

/// One setting, for some connections.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change {
    Latency(u64, u64),
    Bandwidth(Option<u64>),
    Chunks(Chunks),
    Capacity(usize),
    Backlog(usize),
    Loss(u32),
    Cut(bool),
}

/// All settings; of two that speak of the same, the later one counts.
pub(super) struct Rules {
    base: Settings,
    changes: Vec<(Link, Change)>,
}

impl Rules {
    /// `explored`: time plays no part unless a program asks for it, so that a schedule decides all orders.
    pub(super) fn new(explored: bool) -> Self {
        let base = Settings {
            latency: if explored { (0, 0) } else { (20_000, 500_000) },
            bandwidth: None,
            chunks: if explored { Chunks::Whole } else { Chunks::Drawn },
            capacity: 256 * 1024,
            backlog: 1024,
            loss: 0,
            cut: false,
        };
        Rules { base, changes: Vec::new() }
    }

    pub(super) fn add(&mut self, link: Link, change: Change) {
        let same = |other: &Change| std::mem::discriminant(other) == std::mem::discriminant(&change);
        self.changes.retain(|(other, old)| !(same(old) && (*other == link || link == Link::ALL)));
        self.changes.push((link, change));
    }

    pub(super) fn of(&self, ends: [SocketAddr; 2]) -> Settings {
        let mut settings = self.base;
        for (_, change) in self.changes.iter().filter(|(link, _)| link.covers(ends)) {
            match *change {
                Change::Latency(from, to) => settings.latency = (from, to),
                Change::Bandwidth(bandwidth) => settings.bandwidth = bandwidth,
                Change::Chunks(chunks) => settings.chunks = chunks,
                Change::Capacity(capacity) => settings.capacity = capacity,
                Change::Backlog(backlog) => settings.backlog = backlog,
                Change::Loss(loss) => settings.loss = loss,
                Change::Cut(cut) => settings.cut = cut,
            }
        }
        settings
    }
}

/// In nanoseconds, and no overflow.
pub(super) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn links_cover_either_direction_and_listeners_on_any_address() {
        let ends = [at("10.0.0.1:50000"), at("10.0.0.2:80")];
        for link in [
            Link::ALL,
            ends[0].into(),
            ends[1].into(),
            ends[1].ip().into(),
            (ends[1], ends[0]).into(),
            (ends[1].ip(), ends[0].ip()).into(),
            at("0.0.0.0:80").into(),
        ] {
            assert!(link.covers(ends), "{link:?}");
        }
        for link in [at("10.0.0.2:81").into(), at("0.0.0.0:81").into(), Link::from((ends[0], ends[0]))] {
            assert!(!link.covers(ends), "{link:?}");
        }
    }

    #[test]
    fn the_later_setting_counts_and_one_for_all_ends_those_before() {
        let ends = [at("10.0.0.1:50000"), at("10.0.0.2:80")];
        let mut rules = Rules::new(true);
        rules.add(ends[1].into(), Change::Cut(true));
        assert!(rules.of(ends).cut);
        rules.add(ends[0].into(), Change::Cut(false));
        assert!(!rules.of(ends).cut);
        rules.add(Link::ALL, Change::Cut(true));
        assert_eq!(rules.changes.len(), 1);
        assert!(rules.of(ends).cut);
    }
}
