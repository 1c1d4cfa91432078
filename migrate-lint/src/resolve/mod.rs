//! What paths stand for, over the whole workspace.
//!
//! `names` follows rustc's order of resolution, `crates` knows what crates
//! and modules there are, `externs` what is known of crates that are not
//! read.

mod crates;
mod externs;
mod names;

pub(crate) use externs::is_settled;
pub(crate) use names::Resolver;
pub use names::{Def, Meaning, Meanings};
