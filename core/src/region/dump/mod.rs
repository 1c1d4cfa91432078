//! The region tree as text, JSON and Graphviz: who owns whom, how far each has gone, and what it
//! waits for.
//!
//! `data` is what a dump consists of, `collect` how it is taken, `cycles` who waits for whom in a
//! circle, `fold` what is alike, and the others how it is written.

mod collect;
mod cycles;
mod data;
mod dot;
mod fold;
mod json;
mod number;
mod text;

pub use data::{Cycle, Dump, FinalizerDump, Member, ObligationDump, RegionDump, TaskDump, TaskState};
