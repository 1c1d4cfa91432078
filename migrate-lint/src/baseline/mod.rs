//! What was wrong already when the lint came, and is accepted until somebody
//! mends it: everything else that is found is new, and fails the run.
//!
//! An accepted finding is an empty file, whose path says all about it:
//!
//! ```text
//! migrate-lint-baseline/src/server.rs/Server.run-detached_spawn-3f2a9c01-b1946ac9
//!                       file          item       rule           offence  function
//! ```
//!
//! One file for each, because then a merge of two branches is a merge of two
//! sets, which Git does by itself: no lines to conflict, and what both remove
//! or both add is no conflict either. (Sorted lines conflict where two
//! branches add neighbours; the union merge driver brings back what one side
//! removed, and GitHub's merge button ignores it. Files with contents would be
//! taken for renamed when one goes and a similar one comes; Git never takes an
//! empty file for a renamed one in a merge.)
//!
//! The hashes are those of [`identity`](crate::identity); [`compare`] says
//! when a finding is the one that was accepted. Neither lines nor times are
//! part of an entry.

mod compare;
mod entry;
mod store;

pub use compare::{Comparison, compare};
pub use entry::Entry;
pub(crate) use entry::file_name;
pub use store::{Change, read, write};
