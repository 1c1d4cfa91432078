//! The cancel protocol: why ([`Reason`]), how far ([`Level`]), and where ([`Scope`]).

mod keep;
mod meter;
mod phase;
mod reason;
mod scope;
mod turn;
mod watch;

pub(crate) use keep::past_the_drain;
pub use phase::Level;
pub(crate) use phase::Standing;
pub use reason::{Cancelled, Reason, ReasonKind};
pub use scope::Scope;
pub(crate) use scope::{Hold, Listener};
pub(crate) use turn::{Streak, Turn};
pub(crate) use watch::Watch;
