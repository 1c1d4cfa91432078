//! Capabilities: what whoever has a [`Cx`](crate::Cx) may do.
//!
//! `Cx<C>` has the set `C` of capabilities in its type. A method that needs one says so: where `C`
//! lacks it, the call does not compile.
//!
//! ```
//! use asupersync::caps::{self, HasTime};
//! use asupersync::{Cx, Outcome};
//! use std::time::Duration;
//!
//! /// Can wait, whatever else it could do.
//! async fn pause<C: HasTime>(cx: &Cx<C>) -> Outcome {
//!     Ok(cx.sleep(Duration::from_millis(1)).await?)
//! }
//!
//! #[asupersync::main]
//! async fn main(cx: &Cx) -> Outcome {
//!     pause(cx).await
//! }
//! ```

mod authority;
mod bit;
mod has;
mod set;

pub use authority::{Authority, Denied, Effect, NetAuthority, NetUse};
pub use has::{HasBlocking, HasFs, HasNet, HasRandom, HasSpawn, HasTime, SubsetOf};
pub use set::{All, Blocking, CapSet, Fs, Net, NoCaps, Random, Spawn, Time};
