//! The attribute macros [`main`](macro@main), [`test`](macro@test) and [`lab_test`](macro@lab_test).
//!
//! # Protocol
//!
//! An `async fn` goes in. A plain `fn` of the same name comes out, which holds the `async fn`
//! unmodified and gives it to the runtime's hidden entry module `__rt`:
//!
//! | `__rt` item | called for |
//! |---|---|
//! | `config()` | the builder, followed by `.workers(n)` where asked for |
//! | `main(config, f)`, `main0(config, f)` | `#[main]` on an `f` with one parameter, with none |
//! | `test(config, f)`, `test0(config, f)` | `#[test]` likewise |
//!
//! `#[lab_test]` gives it to `lab::entry::test(explore, f)`, or `test0`, with a `lab::Explore`.
//!
//! # Invariants
//!
//! - The user's tokens are passed on as they came, never through a string, so panics, errors and
//!   debuggers keep their places.
//! - Attributes and visibility move to the outer function, which is the item others see.
//! - Everything generated is named by an absolute path; nothing the user has in scope changes what
//!   it means.
//! - A mistake is reported at the token that makes it. A mistake in the arguments does not also take
//!   the function away, so no second error follows from it.
//!
//! The crate reads `proc_macro` tokens by hand: what it needs of the grammar is one function head,
//! and builds that use it need no parser crate.

#![forbid(unsafe_code)]

mod args;
mod error;
mod expand;
mod item;
mod lab;

use proc_macro::TokenStream;

/// Runs an `async fn` as a program: starts a runtime, gives the function the root `&Cx` (or
/// nothing, if it takes nothing), and returns when the root region is closed.
///
/// The function may have any name, visibility and return type that the runtime's `main` accepts.
///
/// | argument | meaning | default |
/// |---|---|---|
/// | `workers = 4` | worker threads, at least 1 | the runtime's |
/// | `crate = "path"` | where `__rt` is found, for a renamed or re-exported `asupersync` | `"::asupersync"` |
///
/// ```
/// use asupersync::{Cx, Outcome};
/// use std::time::Duration;
///
/// #[asupersync::main(workers = 4)]
/// async fn main(cx: &Cx) -> Outcome<()> {
///     cx.sleep(Duration::from_millis(10)).await?;
///     Ok(())
/// }
/// ```
///
/// # Errors
///
/// Does not compile on anything but a free `async fn` without generics and with at most one
/// parameter, or with unknown, repeated or ill-formed arguments.
#[proc_macro_attribute]
pub fn main(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(expand::Entry::Main, args, item)
}

/// Makes an `async fn` a unit test that runs on a runtime of its own.
///
/// Takes the arguments of [`main`](macro@main). Other attributes, such as `#[should_panic]` and
/// `#[ignore]`, work as on any test.
///
/// ```
/// use asupersync::Cx;
///
/// #[asupersync::test]
/// #[should_panic(expected = "left")]
/// async fn fails(cx: &Cx) {
///     assert_eq!(1, 2);
/// }
/// ```
///
/// # Errors
///
/// As for [`main`](macro@main).
#[proc_macro_attribute]
pub fn test(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(expand::Entry::Test, args, item)
}

/// Makes an `async fn` a unit test that runs in the lab: on one thread, in virtual time, once for each
/// order of its tasks' steps. It fails if one of the runs does, and tells the line that has that run
/// again. Wants the feature `lab`.
///
/// | arguments | which orders |
/// |---|---|
/// | none | each that can make a difference, but 10,000 at the most |
/// | `explore = dpor` | each that can make a difference, however many there are |
/// | `explore = dpor, runs = 50_000` | the same, but so many at the most |
/// | `seeds = 0..256` | drawn at random, one for each seed |
/// | `explore = random, runs = 10_000` | drawn at random, with the seeds from 0 on; 1,000 where nothing is said |
/// | `explore = pos, ..` | drawn by partial order sampling; `seeds` or `runs` as above |
/// | `explore = pct, depth = 3, ..` | drawn by probabilistic concurrency testing, for bugs that so many orderings make |
///
/// `crate = "path"` is as of [`main`](macro@main). A body without `&Cx`, and other attributes, are as
/// of [`test`](macro@test).
///
/// ```
/// use asupersync::{Cx, Outcome, channel::oneshot};
///
/// #[asupersync::lab_test(seeds = 0..256)]
/// async fn what_is_sent_arrives(cx: &Cx) -> Outcome {
///     let (tx, mut rx) = oneshot::channel();
///     drop(cx.spawn("send", async |_| Ok(drop(tx.send(7)))));
///     assert_eq!(rx.recv(cx).await?, 7);
///     Ok(())
/// }
/// ```
///
/// # Errors
///
/// As for [`main`](macro@main), and on arguments that do not go together.
#[proc_macro_attribute]
pub fn lab_test(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(expand::Entry::LabTest, args, item)
}
