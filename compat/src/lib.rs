//! Bridges between regions and the hyper, tower and Tokio ecosystem.
//!
//! | module | feature | what it bridges |
//! |---|---|---|
//! | [`io`] | | byte streams, as one shape that all families are translated to and from |
//! | [`io::Tokio`], [`io::FromTokio`] | `tokio` | Tokio's `AsyncRead` and `AsyncWrite` |
//! | [`io::Futures`], [`io::FromFutures`] | `futures` | those of futures-io |
//! | [`io::Hyper`], [`io::FromHyper`] | `hyper` | hyper's `rt::Read` and `rt::Write` |
//! | [`rt`] | `hyper` | hyper's executor and timer, on any host |
//! | [`hyper`] | `hyper` | a server of HTTP/1.1 and HTTP/2 that drains and has a deadline |
//! | [`tower`] | `tower` | each request in a region of its own |
//! | [`RequestCx`] | `hyper`, `tower` | that region's `Cx`, in a request's extensions |
//! | `axum` | `axum` | a request's region as an argument of a handler |
//! | `tonic` | `tonic` | a call's region, its failure as a status, and the deadline of what it calls |
//! | `hickory` | `hickory` | names looked up on the host's sockets and clock, in a region |
//! | `quinn` | `quinn` | QUIC on the host's sockets and clock, in a region |
//! | [`systemd`] | | what systemd is told of a service |
//! | `cap_std` | `cap-std` | how far a capability goes: directories, and pools of addresses |
//! | [`guest`] | `guest` | Tokio's libraries in a region, on a private runtime |
//! | [`tokio_util`] | `tokio-util` | its tokens and trackers, and a set of tasks like `JoinSet` |
//! | [`hosted`] | `hosted` | regions on a Tokio runtime that is there already |
//!
//! Foreign libraries poll, and know no scope. What is theirs is polled on through Request; the
//! bridge turns Request into the library's own graceful end, and the end of the drain budget into
//! a drop. Features only add.

#![forbid(unsafe_code)]

pub mod io;

#[cfg(feature = "axum")]
pub mod axum;
#[cfg(feature = "cap-std")]
pub mod cap_std;
#[cfg(feature = "guest")]
pub mod guest;
#[cfg(feature = "hickory")]
pub mod hickory;
#[cfg(feature = "hosted")]
pub mod hosted;
#[cfg(feature = "hyper")]
pub mod hyper;
#[cfg(feature = "quinn")]
pub mod quinn;
#[cfg(any(feature = "hyper", feature = "tower"))]
mod readiness;
#[cfg(any(feature = "hyper", feature = "tower"))]
mod request_cx;
#[cfg(feature = "hyper")]
pub mod rt;
#[cfg(unix)]
pub mod systemd;
#[cfg(feature = "tokio-util")]
pub mod tokio_util;
#[cfg(feature = "tonic")]
pub mod tonic;
#[cfg(feature = "tower")]
pub mod tower;

#[cfg(any(feature = "hyper", feature = "tower"))]
pub use readiness::Readiness;
#[cfg(any(feature = "hyper", feature = "tower"))]
pub use request_cx::RequestCx;
