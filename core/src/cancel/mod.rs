//! The cancel protocol: why ([`Reason`]), how far ([`Level`]), and where ([`Scope`]).

mod awaits;
mod keep;
#[cfg(all(test, loom))]
mod loom;
mod meter;
mod phase;
mod raise;
mod reason;
mod scope;
mod streak;
mod turn;
mod waits;
mod watch;

pub use awaits::{Awaits, Object, Use};
pub(crate) use awaits::{Note, Notes};
pub(crate) use keep::past_the_drain;
pub use phase::Level;
pub(crate) use phase::Standing;
pub(crate) use raise::By;
pub use reason::{Cancelled, Reason, ReasonKind};
pub use scope::Scope;
pub(crate) use scope::{Hold, Listener, ScopeRef};
pub(crate) use streak::Streak;
pub(crate) use turn::Turn;
pub use waits::{Wait, Waits};
pub(crate) use watch::{Interest, Watch, noted};
