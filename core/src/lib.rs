//! The pure core of asupersync: regions, the cancel protocol, `Cx`, channels and locks.
//!
//! Pure means: no thread, no syscall, no clock, no `unsafe`. What runs tasks is a
//! [`host`]: the native scheduler, a deterministic lab, or somebody else's runtime.
//!
//! | from the ground up | |
//! |---|---|
//! | [`Time`], [`Budget`], [`id`] | values |
//! | [`cancel`] | why, how far, and the tree of scopes |
//! | [`Outcome`], [`Failure`] | how work ends |
//! | [`host`], [`io`] | the seam to what runs it |
//! | [`caps`] | what whoever has a `Cx` may do |
//! | [`region`] | who owns what, and how it closes |
//! | [`Cx`], [`spawn`](Cx::spawn), [`race`](Cx::race) | what users call |
//! | [`obligation`] | what is reserved must be resolved |
//! | [`sync`], [`channel`] | cancel-correct locks and channels |
//! | [`supervise`] | children that are started again when they fail |

#![forbid(unsafe_code)]

mod alarm;
mod attenuate;
mod blocking;
mod body;
mod budget;
pub mod cancel;
pub mod caps;
pub mod channel;
mod clock;
mod combinator;
mod cx;
mod exit;
pub mod host;
pub mod id;
mod interval;
pub mod io;
mod lock;
mod name;
mod nap;
pub mod obligation;
#[cfg(feature = "observe")]
pub mod observe;
#[cfg(not(feature = "observe"))]
#[expect(unreachable_pub, reason = "what is public in it is so with the feature")]
mod observe;
mod outcome;
mod plain;
mod primitive;
mod random;
pub mod region;
mod set;
mod spawn;
pub mod supervise;
pub mod sync;
mod time;
mod timer;
mod trace;
mod verdict;

pub use alarm::Alarm;
pub use body::{ItemFn, TaskFn, TaskOutput};
pub use budget::{Budget, Priority};
pub use cancel::{Cancelled, Reason, ReasonKind};
pub use caps::{All, NoCaps};
pub use clock::Clock;
pub use combinator::{Either, Selected, SelectedAll};
pub use cx::Cx;
pub use exit::Exit;
pub use interval::Interval;
pub use outcome::{Error, Failure, Outcome, Panic, Severity};
pub use random::Random;
pub use region::{ChildRegion, Region};
pub use spawn::Handle;
pub use time::Time;
