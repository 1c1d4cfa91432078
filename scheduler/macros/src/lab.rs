//! The arguments of `lab_test`: which orders of the steps are run, and how many.
//!
//! | `explore` | with it | becomes |
//! |---|---|---|
//! | `dpor` | `runs` | `Explore::optimal()`, `.runs(n)` |
//! | `random`, `pos`, `pct` | `runs` or `seeds`; `depth` of `pct` | `Explore::sample(how, first seed, runs)` |
//!
//! Without `explore`, `seeds` stand for `random`, and else all is explored up to a bound.

use crate::args::{integer, is_punct, only, place};
use crate::error::Error;
use crate::expand::{ours, parenthesized};
use proc_macro::{Span, TokenStream, TokenTree};

pub(crate) const NAMES: &[&str] = &["explore", "depth", "runs", "seeds", "crate"];

pub(crate) const KNOWN: &str = "`explore = dpor` (or `random`, `pos`, `pct`), `depth = N`, `runs = N`, \
    `seeds = A..B` and `crate = \"path\"`";

/// The most runs where nothing is said.
const MOST: u64 = 10_000;

/// The runs that are drawn where nobody says how many.
const DRAWN: u64 = 1000;

/// As PCT's authors found to do for most bugs.
const DEPTH: u64 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Dpor,
    Random,
    Pos,
    Pct,
}

#[derive(Debug, Default)]
pub(crate) struct Args {
    way: Option<Way>,
    depth: Option<u64>,
    runs: Option<u64>,
    /// The first, and how many.
    seeds: Option<(u64, u64)>,
}

impl Args {
    /// Reads one argument of [`NAMES`].
    pub(crate) fn read(&mut self, name: &str, value: &[TokenTree]) -> Result<(), Error> {
        match name {
            "explore" => self.way = Some(way(value)?),
            "depth" => self.depth = Some(count(name, value)?),
            "runs" => self.runs = Some(count(name, value)?),
            _ => self.seeds = Some(seeds(value)?),
        }
        Ok(())
    }

    /// What does not go together, at the place of one of the two.
    pub(crate) fn misfit(&self, given: &[(String, Span)]) -> Option<Error> {
        let error = |name: &str, message: &str| {
            let at = given.iter().find(|(other, _)| other == name).map(|(_, at)| *at);
            Some(Error::new(at.unwrap_or_else(Span::call_site), message))
        };
        if self.depth.is_some() && self.way != Some(Way::Pct) {
            return error("depth", "`depth` is how deep a bug `explore = pct` looks for: add that");
        }
        if self.seeds.is_some() && self.way == Some(Way::Dpor) {
            return error(
                "seeds",
                "`explore = dpor` draws nothing: `runs = N` says how many runs are enough",
            );
        }
        if self.seeds.is_some() && self.runs.is_some() {
            return error("runs", "`seeds` says how many runs there are, one for each: leave `runs` out");
        }
        None
    }

    /// The exploration, as an expression. `root` is the path of the front door.
    pub(crate) fn explore(&self, root: &TokenStream) -> TokenStream {
        let sampling = match (self.way, self.seeds) {
            (Some(Way::Dpor), _) | (None, None) => None,
            (Some(Way::Random) | None, _) => Some("Walk".to_owned()),
            (Some(Way::Pos), _) => Some("PartialOrder".to_owned()),
            (Some(Way::Pct), _) => Some(format!("Priorities {{ depth: {} }}", self.depth.unwrap_or(DEPTH))),
        };
        let mut tokens = root.clone();
        match sampling {
            Some(sampling) => {
                let (first, runs) = self.seeds.unwrap_or((0, self.runs.unwrap_or(DRAWN)));
                let mut arguments = root.clone();
                arguments.extend(ours(&format!("::lab::explore::Sampling::{sampling}, {first}, {runs}")));
                tokens.extend(ours("::lab::Explore::sample"));
                tokens.extend(parenthesized(arguments));
            }
            None => {
                tokens.extend(ours("::lab::Explore::optimal()"));
                if let Some(runs) = self.runs.or(self.way.is_none().then_some(MOST)) {
                    tokens.extend(ours(&format!(".runs({runs})")));
                }
            }
        }
        tokens
    }
}

fn way(value: &[TokenTree]) -> Result<Way, Error> {
    match only(value).map(|token| token.to_string()).as_deref() {
        Some("dpor") => Ok(Way::Dpor),
        Some("random") => Ok(Way::Random),
        Some("pos") => Ok(Way::Pos),
        Some("pct") => Ok(Way::Pct),
        _ => {
            let message = "`explore` must be `dpor` (every order that differs), `random`, `pos` (partial order \
                           sampling) or `pct` (probabilistic concurrency testing)";
            Err(Error::new(place(value), message))
        }
    }
}

fn count(name: &str, value: &[TokenTree]) -> Result<u64, Error> {
    integer(value, "u64").filter(|count| *count >= 1).ok_or_else(|| {
        let message = format!("`{name}` must be an integer literal of at least 1");
        Error::new(place(value), message)
    })
}

fn seeds(value: &[TokenTree]) -> Result<(u64, u64), Error> {
    let wrong = |message| Err(Error::new(place(value), message));
    let [first @ .., dot, dot2, end] = value else {
        return wrong("`seeds` must be a range of integer literals, such as `0..256`");
    };
    let range = is_punct(dot, '.') && is_punct(dot2, '.');
    match (integer(first, "u64"), integer(std::slice::from_ref(end), "u64")) {
        (Some(first), Some(end)) if range && first < end => Ok((first, end - first)),
        (Some(_), Some(_)) if range => wrong("`seeds` is a range with nothing in it"),
        _ => wrong("`seeds` must be a range of integer literals, such as `0..256`"),
    }
}
