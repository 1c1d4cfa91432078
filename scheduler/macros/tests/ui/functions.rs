//! Functions that the macros refuse.
use asupersync_macros::test;

#[test]
fn not_async() {}

#[test]
pub(crate) fn not_async_either() {}

#[test]
async unsafe fn dangerous() {}

#[test]
const fn constant() {}

#[test]
struct NotAFunction;

#[test]
async fn generic<T>(cx: &T) {}

#[test]
async fn bounded(cx: &Cx) where Cx: Sized {}

#[test]
async fn two(cx: &Cx, more: u8) {}

#[test]
async fn method(&self) {}

fn main() {}
