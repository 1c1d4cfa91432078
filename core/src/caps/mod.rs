//! Capabilities: what whoever has a [`Cx`](crate::Cx) may do, in three layers that work together.
//!
//! | layer | says | checked |
//! |---|---|---|
//! | types | whether, for this code | when it is compiled |
//! | objects | how far, for whoever holds them | at each use |
//! | authority | what is left, for a region and all below it | at each use |
//!
//! # Types: whether
//!
//! `Cx<C>` has a set of capabilities for its type: [`All`] if nothing is said, [`NoCaps`], a marker such
//! as [`Time`], or a tuple of sets. A method that has an effect asks for its capability; one that only
//! hears of cancellation asks for nothing. A function is generic in the set, or names one.
//!
//! ```
//! use asupersync::caps::{HasSpawn, HasTime, Net, Time};
//! use asupersync::{Cx, Outcome};
//! use std::time::Duration;
//!
//! /// Waits and spawns, whatever else the caller could do.
//! async fn beat<C: HasTime + HasSpawn>(cx: &Cx<C>) -> Outcome {
//!     cx.sleep(Duration::from_millis(1)).await?;
//!     cx.spawn("beat", async |cx| Ok(cx.sleep(Duration::from_millis(1)).await?)).join().await
//! }
//!
//! /// Could not spawn if it wanted to; objects of a trait need a fixed set like this.
//! async fn probe(cx: &Cx<(Time, Net)>) -> Outcome {
//!     drop(cx.tcp_bind("127.0.0.1:0").await?);
//!     Ok(())
//! }
//!
//! #[asupersync::main]
//! async fn main(cx: &Cx) -> Outcome {
//!     beat(cx).await?;
//!     probe(cx.restrict()).await
//! }
//! ```
//!
//! [`restrict`](crate::Cx::restrict) costs nothing. The other way does not compile:
//!
//! ```compile_fail,E0277
//! # use asupersync::{caps::Time, Cx};
//! fn widen(cx: &Cx<Time>) -> &Cx {
//!     cx.restrict()
//! }
//! ```
//!
//! # Objects: how far
//!
//! [`cx.net()`](crate::Cx::net), [`cx.fs()`](crate::Cx::fs), [`cx.clock()`](crate::Cx::clock) and
//! [`cx.random()`](crate::Cx::random) give what a capability stands for as a value, to be handed to code
//! whose `Cx` has none. The network can be [limited](crate::io::Net::limited_to) to addresses on the
//! way; the feature `cap-std` of `asupersync-compat` has pools of them, and directories that nothing
//! leads out of.
//!
//! ```
//! use asupersync::net::Net;
//! use asupersync::{Cx, NoCaps, Outcome};
//!
//! /// May listen, because it was handed a network.
//! async fn serve(cx: &Cx<NoCaps>, net: &Net) -> Outcome<u16> {
//!     Ok(net.tcp_bind(cx, "127.0.0.1:0").await?.local_addr()?.port())
//! }
//!
//! #[asupersync::main]
//! async fn main(cx: &Cx) -> Outcome {
//!     assert_ne!(serve(cx.restrict(), &cx.net()).await?, 0);
//!     Ok(())
//! }
//! ```
//!
//! # Authority: what is left
//!
//! [`attenuate`](crate::Cx::attenuate) and the [`authority`](crate::region::Builder::authority) of a
//! region take away at run time, from a configuration, say, what the types still allow. It reaches
//! everything that is started below, and objects that are used there; it is never given back. The error
//! says what was asked for, in which region, and which line took it away.
//!
//! ```
//! use asupersync::caps::{Authority, Effect};
//! use asupersync::{Cx, Outcome, Region};
//!
//! #[asupersync::main]
//! async fn main(cx: &Cx) -> Outcome {
//!     let plugin = Region::builder("plugin").authority(Authority::only([Effect::Spawn]));
//!     plugin
//!         .open(cx, async |cx| {
//!             let denied = cx.tcp_connect("192.0.2.1:80").await.map(drop).unwrap_err();
//!             let words = "using the network is denied in `root/plugin`: `Effect::Net` was taken away at";
//!             assert!(denied.to_string().starts_with(words));
//!             Ok(())
//!         })
//!         .await
//! }
//! ```
//!
//! # What this cannot do
//!
//! - Ambient authority cannot be removed from Rust: `std::fs`, `std::net`, `std::process` and any
//!   library that uses them work as ever. Capabilities order a program that keeps to them; they do not
//!   confine one that does not want to be.
//! - A closure uses what it captures. One that has an outer `Cx` in its hands has that one's set and
//!   authority, inside of `attenuate` too.
//! - What is open stays open: a socket, a listener or a task that was there before authority was taken
//!   away is a capability of its own. So is the handle of a supervisor: what is started through it has
//!   the authority of the supervisor.
//! - The clock and random numbers are a matter of types only; [`Effect`] says why.

mod authority;
mod bit;
mod has;
mod set;

pub use authority::{Authority, Denied, Effect, NetAuthority, NetUse};
pub use has::{HasBlocking, HasFs, HasNet, HasRandom, HasSpawn, HasTime, SubsetOf};
pub use set::{All, Blocking, CapSet, Fs, Net, NoCaps, Random, Spawn, Time};
