//! The attribute's arguments: `crate = "path"`, and `workers = N` or those of [`lab`](crate::lab).
//!
//! Reading goes on after a mistake, so that one compile reports them all, and what was understood
//! is kept, so that the expansion can go on.

use crate::error::Error;
use crate::expand::Entry;
use crate::lab;
use proc_macro::{Delimiter, Literal, Span, TokenStream, TokenTree};

#[derive(Debug, Default)]
pub(crate) struct Args {
    /// A `usize` literal at the place of the user's.
    pub(crate) workers: Option<Literal>,
    pub(crate) lab: lab::Args,
    /// The path that stands for `::asupersync`.
    pub(crate) root: Option<TokenStream>,
    pub(crate) errors: Vec<Error>,
    /// Names that were read, with their places.
    given: Vec<(String, Span)>,
}

impl Args {
    pub(crate) fn parse(entry: Entry, tokens: TokenStream) -> Self {
        let mut args = Self::default();
        let tokens: Vec<_> = tokens.into_iter().collect();
        for argument in tokens.split(|token| is_punct(token, ',')) {
            if let Err(error) = args.read(entry, argument) {
                args.errors.push(error);
            }
        }
        if args.errors.is_empty() {
            args.errors.extend(args.lab.misfit(&args.given));
        }
        args
    }

    fn read(&mut self, entry: Entry, argument: &[TokenTree]) -> Result<(), Error> {
        let Some(first) = argument.first() else {
            return Ok(()); // no arguments, or a comma at the end
        };
        let name = first.to_string();
        let (names, known) = match entry {
            Entry::Main | Entry::Test => (RUNTIME, "`workers = N` and `crate = \"path\"`"),
            Entry::LabTest => (lab::NAMES, lab::KNOWN),
        };
        if !names.contains(&name.as_str()) {
            let message = format!("unknown argument `{name}`: the arguments are {known}");
            return Err(Error::new(first.span(), message));
        }
        if self.given.iter().any(|(given, _)| *given == name) {
            return Err(Error::new(first.span(), format!("`{name}` is given twice")));
        }
        let value = match argument {
            [_, equals, value, TokenTree::Ident(next), ..]
                if is_punct(equals, '=') && !is_punct(value, '-') =>
            {
                return Err(Error::new(next.span(), "expected a comma before this"));
            }
            [_, equals, value @ ..] if is_punct(equals, '=') && !value.is_empty() => value,
            _ => {
                let message = format!("`{name}` needs a value: `{name} = ..`");
                return Err(Error::new(first.span(), message));
            }
        };
        self.given.push((name.clone(), first.span()));
        match name.as_str() {
            "workers" => self.workers = Some(workers(value)?),
            "crate" => self.root = Some(root(value)?),
            _ => self.lab.read(&name, value)?,
        }
        Ok(())
    }
}

/// The arguments of `main` and `test`.
const RUNTIME: &[&str] = &["workers", "crate"];

pub(crate) fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

/// The only token of a value; looks through the invisible group that a `macro_rules!` fragment
/// comes in.
pub(crate) fn only(value: &[TokenTree]) -> Option<TokenTree> {
    match value {
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::None => {
            only(&group.stream().into_iter().collect::<Vec<_>>())
        }
        [token] => Some(token.clone()),
        _ => None,
    }
}

/// Where a value that is not as it should be is reported.
pub(crate) fn place(value: &[TokenTree]) -> Span {
    value.first().map_or_else(Span::call_site, TokenTree::span)
}

fn workers(value: &[TokenTree]) -> Result<Literal, Error> {
    match integer(value, "usize").map(usize::try_from) {
        Some(Ok(count)) if count >= 1 => {
            let mut literal = Literal::usize_suffixed(count);
            literal.set_span(place(value));
            Ok(literal)
        }
        _ => {
            let message = "`workers` must be an integer literal of at least 1";
            Err(Error::new(place(value), message))
        }
    }
}

/// The value of an integer literal, with or without the suffix.
pub(crate) fn integer(value: &[TokenTree], suffix: &str) -> Option<u64> {
    let text = only(value)?.to_string().replace('_', "");
    text.strip_suffix(suffix).unwrap_or(&text).parse().ok()
}

fn root(value: &[TokenTree]) -> Result<TokenStream, Error> {
    let text = only(value).map_or_else(String::new, |token| token.to_string());
    text.strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .filter(|path| is_path(path))
        .and_then(|path| path.parse().ok())
        .map(|path| respan(path, place(value)))
        .ok_or_else(|| {
            let message = "`crate` must be a path in a string, such as \"::asupersync\"";
            Error::new(place(value), message)
        })
}

/// Whether `text` is identifiers with `::` between them and perhaps in front.
fn is_path(text: &str) -> bool {
    let text = text.strip_prefix("::").unwrap_or(text);
    text.split("::").all(|name| {
        let name = name.strip_prefix("r#").unwrap_or(name);
        name.starts_with(|c: char| c == '_' || c.is_alphabetic())
            && name.chars().all(|c| c == '_' || c.is_alphanumeric())
    })
}

/// So that "not found" points at the string. Paths have no groups to descend into.
fn respan(tokens: TokenStream, at: Span) -> TokenStream {
    tokens
        .into_iter()
        .map(|mut token| {
            token.set_span(at);
            token
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::is_path;

    #[test]
    fn paths() {
        for path in ["crate", "::asupersync", "a::b_2::r#try", "_x"] {
            assert!(is_path(path), "{path}");
        }
        for other in ["", "::", "a::", "a b", "a<b>", "1a", "a:b", "f()", "r#"] {
            assert!(!is_path(other), "{other}");
        }
    }
}
