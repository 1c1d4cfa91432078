//! Arguments that `lab_test` refuses.
#[path = "../mock/mod.rs"]
mod mock;

use asupersync_macros::lab_test;

#[lab_test(crate = "crate::mock", workers = 4)]
async fn unknown() {}

#[lab_test(crate = "crate::mock", explore = all)]
async fn no_way() {}

#[lab_test(crate = "crate::mock", explore = "dpor")]
async fn string() {}

#[lab_test(crate = "crate::mock", runs = 0)]
async fn no_runs() {}

#[lab_test(crate = "crate::mock", explore = pct, depth = deep)]
async fn no_number() {}

#[lab_test(crate = "crate::mock", seeds = 256)]
async fn no_range() {}

#[lab_test(crate = "crate::mock", seeds = 0..)]
async fn no_end() {}

#[lab_test(crate = "crate::mock", seeds = 0..=9)]
async fn inclusive() {}

#[lab_test(crate = "crate::mock", seeds = 9..9)]
async fn empty() {}

#[lab_test(crate = "crate::mock", runs = 1, runs = 2)]
async fn twice() {}

#[lab_test(crate = "crate::mock", depth = 3)]
async fn depth_of_what() {}

#[lab_test(crate = "crate::mock", explore = pos, depth = 3)]
async fn depth_of_the_other() {}

#[lab_test(crate = "crate::mock", explore = dpor, seeds = 0..256)]
async fn seeds_of_what() {}

#[lab_test(crate = "crate::mock", seeds = 0..256, runs = 10)]
async fn said_twice() {}

fn main() {}
