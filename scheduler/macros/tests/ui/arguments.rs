//! Arguments that the macros refuse.
#[path = "../mock/mod.rs"]
mod mock;
extern crate self as asupersync; // for those whose `crate` is not understood
pub use mock::__rt;

#[asupersync_macros::test(crate = "crate::mock", threads = 4)]
async fn unknown() {}

#[asupersync_macros::test(crate = "crate::mock", workers = 0)]
async fn zero() {}

#[asupersync_macros::test(crate = "crate::mock", workers = "4")]
async fn string() {}

#[asupersync_macros::test(crate = "crate::mock", workers = -1)]
async fn negative() {}

#[asupersync_macros::test(crate = "crate::mock", workers = 2 + 2)]
async fn expression() {}

#[asupersync_macros::test(crate = "crate::mock", workers)]
async fn no_value() {}

#[asupersync_macros::test(crate = "crate::mock", workers = 1, workers = 2)]
async fn twice() {}

#[asupersync_macros::test(crate = crate::mock)]
async fn bare_path() {}

#[asupersync_macros::test(crate = "not a path")]
async fn bad_path() {}

#[asupersync_macros::test(workers = 2 crate = "crate::mock")]
async fn no_comma() {}

#[asupersync_macros::main(crate = "crate::mock", workers = 0, threads = 4)]
async fn main() {}
