//! The head of the annotated function, as far as the macros need it.
//!
//! ```text
//! <attributes> <visibility> async fn <name> ( <parameters> ) <-> return type> { <body> }
//! |------- outer ---------| |----------------------- inner --------------------------|
//! ```

use crate::error::Error;
use proc_macro::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

/// An `async fn` that passed the checks, cut in two.
#[derive(Debug)]
pub(crate) struct AsyncFn {
    /// Attributes and visibility: what goes before the outer function's `fn`.
    pub(crate) outer: TokenStream,
    /// From `async` to the closing brace, token for token.
    pub(crate) inner: TokenStream,
    pub(crate) name: Ident,
    /// Whether there is a parameter.
    pub(crate) takes_cx: bool,
}

impl AsyncFn {
    pub(crate) fn parse(item: TokenStream) -> Result<Self, Error> {
        let tokens: Vec<_> = item.into_iter().collect();
        let start = outer_len(&tokens);
        let (outer, inner) = tokens.split_at(start);

        let (name, after_name) = match inner {
            [first, function, TokenTree::Ident(name), rest @ ..]
                if is_ident(first, "async") && is_ident(function, "fn") =>
            {
                (name.clone(), rest)
            }
            _ => return Err(not_an_async_fn(inner)),
        };
        let (parameters, after) = match after_name {
            [TokenTree::Group(group), rest @ ..] if group.delimiter() == Delimiter::Parenthesis => {
                (group, rest)
            }
            [token, ..] if is_punct(token, '<') => {
                return Err(Error::new(token.span(), "an entry point cannot be generic"));
            }
            _ => return Err(Error::new(name.span(), "expected parameters")),
        };
        if let Some(token) = after.iter().find(|token| is_ident(token, "where")) {
            return Err(Error::new(
                token.span(),
                "an entry point cannot be generic: there is nothing to bound",
            ));
        }
        match after.last() {
            Some(TokenTree::Group(body)) if body.delimiter() == Delimiter::Brace => {}
            _ => return Err(Error::new(name.span(), "expected a function with a body")),
        }
        let takes_cx = takes_cx(parameters)?;
        Ok(Self {
            outer: outer.iter().cloned().collect(),
            inner: inner.iter().cloned().collect(),
            name,
            takes_cx,
        })
    }
}

/// How many tokens the attributes and the visibility take.
fn outer_len(tokens: &[TokenTree]) -> usize {
    let mut at = 0;
    loop {
        at += match &tokens[at..] {
            [hash, TokenTree::Group(_), ..] if is_punct(hash, '#') => 2,
            [public, TokenTree::Group(group), ..]
                if is_ident(public, "pub") && group.delimiter() == Delimiter::Parenthesis =>
            {
                2
            }
            [public, ..] if is_ident(public, "pub") => 1,
            // A `$vis` of some `macro_rules!`, possibly empty.
            [TokenTree::Group(group), ..] if group.delimiter() == Delimiter::None => 1,
            _ => return at,
        };
    }
}

/// The mistake in something that does not begin with `async fn name`.
fn not_an_async_fn(tokens: &[TokenTree]) -> Error {
    let plain = "the function must be `async`: write `async fn`";
    for token in tokens {
        let message = match token.to_string().as_str() {
            "async" => continue,
            "fn" => plain,
            "const" | "unsafe" | "extern" => "an entry point must be a plain `async fn`",
            _ => "expected an `async fn`",
        };
        return Error::new(token.span(), message);
    }
    Error::new(Span::call_site(), "expected an `async fn`")
}

/// Whether the function takes a parameter; it may take one.
fn takes_cx(parameters: &Group) -> Result<bool, Error> {
    let tokens: Vec<_> = parameters.stream().into_iter().collect();
    if let Some(token) = tokens.iter().find(|token| is_ident(token, "self")) {
        return Err(Error::new(token.span(), "an entry point cannot be a method"));
    }
    // The token after the first comma that is not inside `<..>` (other brackets are groups).
    let mut depth = 0_u32;
    let mut before = None;
    for (i, token) in tokens.iter().enumerate() {
        if let TokenTree::Punct(punct) = token {
            match punct.as_char() {
                '<' => depth += 1,
                '>' if before != Some('-') => depth = depth.saturating_sub(1),
                ',' if depth == 0 => match tokens.get(i + 1) {
                    Some(second) => {
                        let message = "an entry point takes at most one parameter, `cx: &Cx`";
                        return Err(Error::new(second.span(), message));
                    }
                    None => break,
                },
                _ => {}
            }
            before = Some(punct.as_char());
        } else {
            before = None;
        }
    }
    Ok(!tokens.is_empty())
}

fn is_ident(token: &TokenTree, wanted: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident.to_string() == wanted)
}

fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}
