//! One direction of a connection: what is under way, and what has arrived and was not read.
//!
//! Invariants:
//! 1. What is sent arrives in that order, and the times of arrival never go back.
//! 2. Bytes under way and bytes that have arrived together are no more than the capacity.

use std::collections::VecDeque;
use std::io::{IoSlice, Read};

use asupersync_core::observe::Object;

use super::link::Settings;
use crate::random::Random;

/// What travels from one end to the other.
#[derive(Debug)]
pub(super) enum What {
    /// May I connect?
    Syn,
    /// The connection stands.
    SynAck,
    /// Nobody listens.
    Refused,
    Data(Vec<u8>),
    /// The end of this direction.
    Fin,
    /// The end of the connection.
    Rst,
}

struct Packet {
    arrives: u64,
    what: What,
}

/// One direction.
pub(super) struct Pipe {
    /// Stands for all of it, and for the state of the end it leads to.
    pub(super) object: Object,
    flight: VecDeque<Packet>,
    /// Bytes under way.
    flying: usize,
    pub(super) arrived: VecDeque<u8>,
    /// `Fin` has arrived.
    pub(super) ended: bool,
    /// When all that was sent is on the wire.
    free_at: u64,
    /// When its front is seen to.
    pub(super) alarm: Option<(u64, u64)>,
    /// When its sender gives up, while it is cut.
    pub(super) gives_up: Option<(u64, u64)>,
    sends: Random,
    reads: Random,
}

/// The longest piece that a limited bandwidth passes at once: what fits in a packet on Ethernet.
const PIECE: u64 = 1460;

impl Pipe {
    /// `seed` says how long things are under way, and how they are cut.
    pub(super) fn new(object: Object, seed: u64) -> Self {
        Pipe {
            object,
            flight: VecDeque::new(),
            flying: 0,
            arrived: VecDeque::new(),
            ended: false,
            free_at: 0,
            alarm: None,
            gives_up: None,
            sends: Random::new(seed),
            // Of its own: what a reader draws changes nothing for the writer.
            reads: Random::new(!seed),
        }
    }

    /// Bytes that have not been read.
    pub(super) fn unread(&self) -> usize {
        self.flying + self.arrived.len()
    }

    /// How many bytes more it takes.
    pub(super) fn room(&self, settings: &Settings) -> usize {
        settings.capacity.saturating_sub(self.unread())
    }

    /// Sends a part of what `bufs` have; there is room, and they are not empty.
    pub(super) fn write(&mut self, now: u64, settings: &Settings, bufs: &[IoSlice<'_>]) -> usize {
        let len: usize = bufs.iter().map(|buf| buf.len()).sum();
        let pass = settings.chunks.pass(len.min(self.room(settings)), &mut self.sends);
        let mut bytes = Vec::with_capacity(pass);
        for buf in bufs {
            bytes.extend_from_slice(&buf[..buf.len().min(pass - bytes.len())]);
        }
        self.send_bytes(now, settings, bytes);
        pass
    }

    fn send_bytes(&mut self, now: u64, settings: &Settings, bytes: Vec<u8>) {
        let Some(bandwidth) = settings.bandwidth else { return self.send(now, settings, What::Data(bytes)) };
        // A hundredth of what a second passes: a trickle and not a gush at the end.
        let piece = (bandwidth / 100).clamp(1, PIECE) as usize;
        for piece in bytes.chunks(piece) {
            let takes = piece.len() as u128 * 1_000_000_000 / u128::from(bandwidth.max(1));
            let takes = u64::try_from(takes).unwrap_or(u64::MAX);
            self.free_at = self.free_at.max(now).saturating_add(takes);
            self.send(self.free_at, settings, What::Data(piece.to_vec()));
        }
    }

    /// Sends something, which is on the wire at `sent`.
    pub(super) fn send(&mut self, sent: u64, settings: &Settings, what: What) {
        let latency = settings.draw_latency(&mut self.sends);
        let last = self.flight.back().map_or(0, |last| last.arrives);
        let arrives = sent.max(self.free_at).saturating_add(latency).max(last);
        if let What::Data(bytes) = &what {
            self.flying += bytes.len();
        }
        self.flight.push_back(Packet { arrives, what });
    }

    /// When the first thing that is under way arrives, and whether that is how a connection begins.
    pub(super) fn next(&self) -> Option<(u64, bool)> {
        let first = self.flight.front()?;
        Some((first.arrives, matches!(first.what, What::Syn | What::SynAck | What::Refused)))
    }

    /// The first thing has come to the other end.
    pub(super) fn arrive(&mut self) -> Option<What> {
        let what = self.flight.pop_front()?.what;
        if let What::Data(bytes) = &what {
            self.flying -= bytes.len();
        }
        Some(what)
    }

    /// What was held up is sent again.
    pub(super) fn resend(&mut self, now: u64, settings: &Settings) {
        let latency = settings.draw_latency(&mut self.sends);
        let Some(first) = self.flight.front() else { return };
        let late = now.saturating_add(latency).saturating_sub(first.arrives);
        for packet in &mut self.flight {
            packet.arrives = packet.arrives.saturating_add(late);
        }
        self.free_at = self.free_at.saturating_add(late);
    }

    /// Takes what has arrived; there is something, and room for it.
    pub(super) fn read(&mut self, settings: &Settings, buf: &mut [u8]) -> usize {
        let most = settings.chunks.pass(buf.len().min(self.arrived.len()), &mut self.reads);
        let (mut read, mut buf) = (0, &mut buf[..most]);
        // A deque that wraps around gives one half at a time.
        while !buf.is_empty() {
            let n = self.arrived.read(buf).unwrap_or(0);
            (read, buf) = (read + n, &mut buf[n..]);
        }
        read
    }

    /// Forgets what is under way.
    pub(super) fn clear_flight(&mut self) {
        self.flight.clear();
        self.flying = 0;
    }
}
