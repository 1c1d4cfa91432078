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
//! ```

use crate::{args::Args, error::Error, item::AsyncFn};
use proc_macro::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Entry {
    Main,
    Test,
}

pub(crate) fn expand(entry: Entry, args: TokenStream, item: TokenStream) -> TokenStream {
    let mut args = Args::parse(args);
    let errors = std::mem::take(&mut args.errors);
    let mut output: TokenStream = errors.into_iter().map(Error::into_tokens).collect();
    output.extend(match AsyncFn::parse(item) {
        Ok(function) => outer_fn(entry, args, function),
        Err(error) => error.into_tokens(),
    });
    output
}

fn outer_fn(entry: Entry, args: Args, function: AsyncFn) -> TokenStream {
    let root = args.root.unwrap_or_else(|| fixed("::asupersync"));
    let runner = match (entry, function.takes_cx) {
        (Entry::Main, true) => "::__rt::main",
        (Entry::Main, false) => "::__rt::main0",
        (Entry::Test, true) => "::__rt::test",
        (Entry::Test, false) => "::__rt::test0",
    };

    let mut config = root.clone();
    config.extend(fixed("::__rt::config()"));
    if let Some(workers) = args.workers {
        config.extend(fixed(".workers"));
        config.extend(parenthesized(TokenTree::Literal(workers).into()));
    }
    config.extend(fixed(","));
    config.extend([TokenTree::Ident(function.name.clone())]);

    let mut body = function.inner;
    body.extend(root);
    body.extend(fixed(runner));
    body.extend(parenthesized(config));

    let mut output = TokenStream::new();
    if let Entry::Test = entry {
        output.extend(fixed("#[::core::prelude::v1::test]"));
    }
    output.extend(function.outer);
    output.extend([TokenTree::Ident(Ident::new("fn", Span::call_site())), TokenTree::Ident(function.name)]);
    output.extend(parenthesized(TokenStream::new()));
    if let Entry::Main = entry {
        output.extend(fixed("-> impl ::std::process::Termination"));
    }
    output.extend([TokenTree::Group(Group::new(Delimiter::Brace, body))]);
    output
}

/// Tokens of ours, never the user's; they belong to the place of the attribute.
fn fixed(source: &'static str) -> TokenStream {
    match source.parse() {
        Ok(tokens) => tokens,
        Err(_) => unreachable!("`{source}` is made of Rust tokens"),
    }
}

fn parenthesized(inside: TokenStream) -> TokenStream {
    TokenTree::Group(Group::new(Delimiter::Parenthesis, inside)).into()
}
