//! Exploring schedules: each Mazurkiewicz trace of a program once, or as many as are drawn.
//!
//! | file | what it is |
//! |---|---|
//! | `access` | what a step touched |
//! | `schedule` | the seam: what decides the order of a run, or of one run after another |
//! | `race` | what happened before what, and what could have come the other way round |
//! | `wakeup` | the beginnings of runs still to be explored |
//! | `explorer` | the complete search, with source sets or wakeup trees |
//! | `sample` | searches that draw: random walk, partial order sampling, PCT |
//! | `inject` | cancellation at every await, one run each |
//! | `record`, `nondeterminism` | a run once more, compared with what it was |
//! | `replay` | one run again, from a line of text |
//! | `search` | one run after the other, until one fails or nothing is left |
//! | `shrink` | a failing run with fewer switches |
//! | `timeline` | a run as people read it: text, a page, a track for each task |

mod access;
mod explorer;
mod inject;
mod nondeterminism;
mod race;
mod record;
mod replay;
mod sample;
mod schedule;
mod search;
mod shrink;
mod timeline;
mod wakeup;

pub use access::{Access, Footprint, Kind, ObjectId, TaskId};
pub use explorer::{Algorithm, Explorer};
pub use inject::Injector;
pub use nondeterminism::{Cause, Nondeterminism};
pub use replay::{Choices, ParseError, Replay};
pub use sample::{Sampler, Sampling};
pub use schedule::{Schedule, Search};
pub(crate) use search::REPLAY;
pub use search::{Ended, Explore, Explored, Failure};
pub use timeline::{Moment, Timeline};
