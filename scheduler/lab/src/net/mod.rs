//! The simulated network: what the lab has in place of the system's sockets.
//!
//! | file | what it is |
//! |---|---|
//! | `link` | which connections a setting is for, and the settings |
//! | `pipe` | one direction of a connection |
//! | `conn` | both, and their ends |
//! | `world` | listeners, ports and what is under way: a state machine whose time is told to it |
//! | `ops` | what a task does with its end |
//! | `datagrams` | sockets for datagrams, and those that are under way |
//! | `socket` | all that as a host's [`Sockets`](asupersync_core::io::Sockets) |
//!
//! Every address is this machine's, as on the loopback interface of Linux. What is sent is under way for
//! some time, in order; what was not read is bounded; reads and writes pass a part of what they could. All
//! of that is drawn from a stream of each direction's own, which comes from the seed. Where a schedule
//! decides the order of steps (see [`Explore`](crate::Explore)), nothing takes time unless the program asks
//! for it, and a step that uses a socket or a port says so.
//!
//! Where it is simpler than TCP: room is told of at once, and also across a partition; packets are neither
//! lost nor sent twice, they are late; closing an end to which bytes are under way resets, as if they had
//! arrived; a reset takes with it what its receiver had not read; a port can be used again at once.
//!
//! Datagrams are under way as long as anything else, each by itself: one may overtake another. They are lost
//! in a partition, where the receiver has no room, and as often as [`Net::loss`] says; none comes twice.

mod conn;
mod datagrams;
mod link;
mod ops;
mod pipe;
mod socket;
mod world;

use std::cell::RefCell;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use link::{Change, nanos};
pub use link::{Chunks, Link};
pub(crate) use socket::SimNet;

/// The network of the run around the caller, to set what it does, now and at once. Clones are the same.
///
/// | | |
/// |---|---|
/// | [`partition`](Self::partition), [`heal`](Self::heal) | nothing arrives; then all that did not, but for datagrams |
/// | [`latency`](Self::latency), [`bandwidth`](Self::bandwidth) | it is slow |
/// | [`chunks`](Self::chunks), [`capacity`](Self::capacity), [`backlog`](Self::backlog) | how much it passes, or keeps |
/// | [`reset`](Self::reset) | connections break |
/// | [`loss`](Self::loss) | datagrams get lost |
/// | [`name`](Self::name) | what names stand for |
/// | [`record`](Self::record), [`log`](Self::log) | what happened |
///
/// Of two settings of the same thing the later one counts, for the connections that it covers. The numbers
/// of bytes and connections are at least 1: a 0 counts as that.
///
/// ```
/// use asupersync_core::Cx;
/// use asupersync_lab::Lab;
/// use asupersync_lab::net::{Link, Net};
/// use std::time::Duration;
///
/// let took = Lab::new(7).run(async |cx: &Cx| {
///     let listener = cx.tcp_bind("10.0.0.1:80").await?;
///     let client = cx.tcp_connect(listener.local_addr()?).await?;
///     let (server, _) = listener.accept(cx).await?;
///
///     Net::current().partition(client.local_addr()?);
///     server.write_all(cx, b"late").await?;
///     let heal = cx.spawn("heal", async |cx| {
///         cx.sleep(Duration::from_secs(3)).await?;
///         Net::current().heal(Link::ALL);
///         Ok(())
///     });
///     let begin = cx.now();
///     client.read(cx, &mut [0; 4]).await?;
///     heal.join().await?;
///     Ok(cx.now() - begin)
/// });
/// assert!(took.unwrap() >= Duration::from_secs(3));
/// ```
#[derive(Clone)]
pub struct Net(SimNet);

thread_local! {
    /// The network of the run on this thread.
    static CURRENT: RefCell<Option<SimNet>> = const { RefCell::new(None) };
}

/// From here to its drop the run on this thread has this network.
pub(crate) struct Entered;

impl Entered {
    pub(crate) fn new(net: &SimNet) -> Self {
        CURRENT.set(Some(net.clone()));
        Entered
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(None);
    }
}

impl Net {
    /// That of the run on this thread. It may be kept beyond the run, to read its [`log`](Self::log).
    ///
    /// # Panics
    /// If no lab runs on this thread.
    #[track_caller]
    pub fn current() -> Net {
        match CURRENT.with_borrow(Clone::clone) {
            Some(net) => Net(net),
            None => panic!("no lab runs on this thread: ask inside the `main` of a run"),
        }
    }

    fn set(&self, link: impl Into<Link>, change: Change) {
        self.0.with(|world| world.change(link.into(), change));
    }

    /// Nothing arrives any more, in either direction, and nothing is lost but datagrams: what is sent waits,
    /// and the buffers fill. Not for ever, as on Linux: who connects is told `TimedOut` after 127 s, who sends after
    /// 924.6 s.
    pub fn partition(&self, link: impl Into<Link>) {
        self.set(link, Change::Cut(true));
    }

    /// What was under way is sent again, and arrives as late as if it had been sent now.
    pub fn heal(&self, link: impl Into<Link>) {
        self.set(link, Change::Cut(false));
    }

    /// How long each packet is under way; drawn from this, in order all the same, but for datagrams. It counts for what is sent
    /// from now on. Default: 20 to 500 µs, or 0 where a schedule decides the order of steps.
    pub fn latency(&self, link: impl Into<Link>, time: RangeInclusive<Duration>) {
        self.set(link, Change::Latency(nanos(*time.start()), nanos(*time.end())));
    }

    /// How many bytes a second each direction of a connection passes: a slow peer. They arrive in small pieces. `None`, the
    /// default: any number at once.
    pub fn bandwidth(&self, link: impl Into<Link>, bytes_per_second: impl Into<Option<u64>>) {
        self.set(link, Change::Bandwidth(bytes_per_second.into().map(|bytes| bytes.max(1))));
    }

    /// How much one read or write passes. Default: [`Chunks::Drawn`], or [`Chunks::Whole`] where a schedule
    /// decides the order of steps.
    pub fn chunks(&self, link: impl Into<Link>, chunks: Chunks) {
        self.set(link, Change::Chunks(chunks));
    }

    /// How many bytes one direction keeps that were not read, under way or arrived; a write waits where there
    /// is no room, and a datagram is lost. Default: 256 KiB.
    pub fn capacity(&self, link: impl Into<Link>, bytes: usize) {
        self.set(link, Change::Capacity(bytes.max(1)));
    }

    /// How many connections stand that were not accepted; who connects then waits. Default: 1024.
    pub fn backlog(&self, link: impl Into<Link>, connections: usize) {
        self.set(link, Change::Backlog(connections.max(1)));
    }

    /// Breaks the connections that there are: `ConnectionReset` at both ends, and what was not read is gone.
    /// Tells how many.
    pub fn reset(&self, link: impl Into<Link>) -> usize {
        self.0.with(|world| world.reset(link.into()))
    }

    /// Loses one datagram in so many, as the seed draws; 0, the default, loses none.
    pub fn loss(&self, link: impl Into<Link>, one_in: u32) {
        self.set(link, Change::Loss(one_in));
    }

    /// Gives a name an address, or one more. `localhost` has its own.
    pub fn name(&self, name: impl Into<String>, addr: impl Into<IpAddr>) {
        self.0.with(|world| world.name(name.into(), addr.into()));
    }

    /// How many connections there are: those that somebody has an end of, or waits for.
    pub fn connections(&self) -> usize {
        self.0.with(|world| world.count())
    }

    /// Writes down from now on what arrives and what is set.
    pub fn record(&self) {
        self.0.with(|world| {
            world.log.get_or_insert_default();
        });
    }

    /// What was written down, a line each with its time in seconds: the same for the same seed.
    pub fn log(&self) -> String {
        self.0.with(|world| world.log.clone().unwrap_or_default())
    }
}

impl std::fmt::Debug for Net {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Net").finish_non_exhaustive()
    }
}
