//! The native host: workers with three lanes, an own reactor and timer wheel, a blocking pool.
//!
//! | from the ground up | |
//! |---|---|
//! | `primitive` | `std`, or loom |
//! | [`policy`] | which lane goes next, as a pure function |
//! | [`queues`] | the order within a lane; all lanes behind one lock, for the other hosts |
//! | [`timer`] | the hierarchical wheel |
//! | `cancelled`, `lanes`, `park` | queues shared by workers; how one sleeps |
//! | `reactor` | sockets, registered once, edge-triggered |
//! | `driver` | the reactor and the wheel, turned by one thread at a time |
//! | `pace` | when a task is left to those who are awake, though others sleep |
//! | `blocking`, [`signal`] | threads that may block; SIGINT and SIGTERM |
//! | [`dumper`] | SIGUSR1 |
//! | [`backlog`] | the connections that the system has accepted for a listener, at its end |
//! | `worker`, `monitor` | the loop that polls tasks; the thread that sees that it goes on |
//! | `watchdog` | polls that do not return |
//! | [`Runtime`], [`Builder`] | what users hold |

#![forbid(unsafe_code)]

pub mod backlog;
mod blocking;
mod builder;
mod cancelled;
mod driver;
pub mod dumper;
pub mod entry;
mod lanes;
mod monitor;
mod pace;
mod park;
pub mod policy;
mod primitive;
pub mod queues;
mod reactor;
mod runtime;
mod shared;
pub mod signal;
pub mod timer;
mod watchdog;
mod worker;

pub use builder::Builder;
pub use runtime::Runtime;
