//! What kinds of obligation there are, and how one ends.
//!
//! A kind gives the two ends their names: it is a type where it chooses which methods a held
//! obligation has, and a [`Kind`] where it is told in a report.

use std::fmt;

/// What an obligation is, for whoever reads a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Room in a channel: send, or abort.
    Permit,
    /// Something borrowed from a provider: complete, or abort.
    Lease,
    /// A message that comes back unless it is dealt with: ack, or nack.
    Delivery,
    /// An answer that somebody waits for: answer, or abort.
    Reply,
}

/// How an obligation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resolution {
    /// As promised: sent, completed, acked, answered.
    Committed,
    /// Withdrawn: by its holder, by a cancel or a panic, or by its region.
    Aborted,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Permit => "permit",
            Kind::Lease => "lease",
            Kind::Delivery => "delivery",
            Kind::Reply => "reply",
        })
    }
}

/// A kind as a type.
pub trait Verbs: sealed::Sealed + 'static {
    /// The kind as a value.
    const KIND: Kind;
}

/// Send or abort.
#[derive(Debug)]
pub enum Permit {}
/// Complete or abort.
#[derive(Debug)]
pub enum Lease {}
/// Ack or nack.
#[derive(Debug)]
pub enum Delivery {}
/// Answer or abort.
#[derive(Debug)]
pub enum Reply {}

impl Verbs for Permit {
    const KIND: Kind = Kind::Permit;
}
impl Verbs for Lease {
    const KIND: Kind = Kind::Lease;
}
impl Verbs for Delivery {
    const KIND: Kind = Kind::Delivery;
}
impl Verbs for Reply {
    const KIND: Kind = Kind::Reply;
}

impl sealed::Sealed for Permit {}
impl sealed::Sealed for Lease {}
impl sealed::Sealed for Delivery {}
impl sealed::Sealed for Reply {}

mod sealed {
    pub trait Sealed {}
}
