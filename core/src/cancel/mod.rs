//! The cancel protocol: why ([`Reason`]), how far ([`Level`]), and where ([`Scope`]).

mod phase;
mod reason;
mod scope;

pub use phase::Level;
pub(crate) use phase::Standing;
pub use reason::{Cancelled, Reason, ReasonKind};
pub use scope::Scope;
pub(crate) use scope::{Hold, Listener, Watch, past_the_drain};
