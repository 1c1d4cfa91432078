//! How far a capability goes: directories that nothing leads out of, and pools of addresses, both of
//! cap-std.
//!
//! The type of a `Cx` says whether files and the network may be used at all. These objects say which:
//! a [`Dir`] is a directory and what is below it, whatever `..`, absolute paths and symbolic links
//! say; a [`Pool`] is a set of addresses, to limit a [`Net`](asupersync_core::io::Net) or the
//! [`Authority`](asupersync_core::caps::Authority) of a whole region.
//!
//! To make one takes an [`ambient_authority`]: the word that marks, for whoever reads the program, the
//! places where it gets what nobody handed to it.
//!
//! ```
//! use asupersync_compat::cap_std::{Dir, Pool, ambient_authority};
//! use asupersync_core::caps::{Authority, Net};
//! use asupersync_core::{Cx, NoCaps, Outcome, Region};
//!
//! /// Reads one file of a directory, and could read no other.
//! async fn motto(cx: &Cx<NoCaps>, dir: &Dir) -> Outcome<String> {
//!     assert!(dir.read(cx, "../secret").await.is_err());
//!     Ok(dir.read_to_string(cx, "motto").await?)
//! }
//!
//! async fn program(cx: &Cx) -> Outcome {
//!     let dir = Dir::open_ambient(cx, "/srv/mottos", ambient_authority()).await?;
//!     println!("{}", motto(cx.restrict(), &dir).await?);
//!
//!     let mut pool = Pool::new();
//!     pool.insert_addr("192.0.2.7:5432".parse()?, ambient_authority());
//!     let database = Region::builder("database").authority(Authority::all().net(pool));
//!     database
//!         .open(cx, async |cx| {
//!             // Here and in all that is started below there is one server to connect to.
//!             drop(cx.tcp_connect("192.0.2.7:5432").await?);
//!             Ok(())
//!         })
//!         .await
//! }
//! # fn main() {}
//! ```

mod dir;
mod pool;

pub use ::cap_std::fs::{FileType, Metadata};
pub use ::cap_std::ipnet::IpNet;
pub use ::cap_std::{AmbientAuthority, ambient_authority};
pub use dir::{Dir, Entry};
pub use pool::Pool;
