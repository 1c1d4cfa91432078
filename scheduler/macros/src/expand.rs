//! Builds the outer function.
//!
//! ```text
//! #[main]   <outer> fn name() -> impl ::std::process::Termination {
//!               <inner>
//!               ::asupersync::__rt::main(::asupersync::__rt::config().workers(4usize), name)
//!           }
//! #[test]   #[::core::prelude::v1::test] <outer> fn name() {
//!               <inner>
//!               ::asupersync::__rt::test(::asupersync::__rt::config(), name)
//!           }
//! #[lab_test]
//!           #[::core::prelude::v1::test] <outer> fn name() {
//!               <inner>
//!               ::asupersync::lab::entry::test(::asupersync::lab::Explore::optimal(), name)
//!           }
//! ```

use crate::{args::Args, error::Error, item::AsyncFn};
use proc_macro::{Delimiter, Group, Ident, Literal, Span, TokenStream, TokenTree};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Entry {
    Main,
    Test,
    LabTest,
}

pub(crate) fn expand(entry: Entry, args: TokenStream, item: TokenStream) -> TokenStream {
    let mut args = Args::parse(entry, args);
    let errors = std::mem::take(&mut args.errors);
    let mut output: TokenStream = errors.into_iter().map(Error::into_tokens).collect();
    output.extend(match AsyncFn::parse(item) {
        Ok(function) => outer_fn(entry, args, function),
        Err(error) => error.into_tokens(),
    });
    output
}

fn outer_fn(entry: Entry, args: Args, function: AsyncFn) -> TokenStream {
    let root = args.root.unwrap_or_else(|| ours("::asupersync"));
    let runner = match (entry, function.takes_cx) {
        (Entry::Main, true) => "::__rt::main",
        (Entry::Main, false) => "::__rt::main0",
        (Entry::Test, true) => "::__rt::test",
        (Entry::Test, false) => "::__rt::test0",
        (Entry::LabTest, true) => "::lab::entry::test",
        (Entry::LabTest, false) => "::lab::entry::test0",
    };

    let mut config = match entry {
        Entry::Main | Entry::Test => runtime(&root, args.workers),
        Entry::LabTest => args.lab.explore(&root),
    };
    config.extend(ours(","));
    config.extend([TokenTree::Ident(function.name.clone())]);

    let mut body = function.inner;
    body.extend(root);
    body.extend(ours(runner));
    body.extend(parenthesized(config));

    let mut output = TokenStream::new();
    if let Entry::Test | Entry::LabTest = entry {
        output.extend(ours("#[::core::prelude::v1::test]"));
    }
    output.extend(function.outer);
    output.extend([TokenTree::Ident(Ident::new("fn", Span::call_site())), TokenTree::Ident(function.name)]);
    output.extend(parenthesized(TokenStream::new()));
    if let Entry::Main = entry {
        output.extend(ours("-> impl ::std::process::Termination"));
    }
    output.extend([TokenTree::Group(Group::new(Delimiter::Brace, body))]);
    output
}

/// The settings of a runtime.
fn runtime(root: &TokenStream, workers: Option<Literal>) -> TokenStream {
    let mut config = root.clone();
    config.extend(ours("::__rt::config()"));
    if let Some(workers) = workers {
        config.extend(ours(".workers"));
        config.extend(parenthesized(TokenTree::Literal(workers).into()));
    }
    config
}

/// Tokens of ours, never the user's; they belong to the place of the attribute.
pub(crate) fn ours(source: &str) -> TokenStream {
    match source.parse() {
        Ok(tokens) => tokens,
        Err(_) => unreachable!("`{source}` is made of Rust tokens"),
    }
}

pub(crate) fn parenthesized(inside: TokenStream) -> TokenStream {
    TokenTree::Group(Group::new(Delimiter::Parenthesis, inside)).into()
}
