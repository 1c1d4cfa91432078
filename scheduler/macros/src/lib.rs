//! The attribute macros [`main`](macro@main) and [`test`](macro@test).
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
