//! Interned identifiers.
//!
//! Worker threads intern through a [`Names`] of their own, a cache in front
//! of the shared table, so the lock is taken once per new name and thread.
//! A [`Symbol`] is only ever compared for equality: its number depends on the
//! order in which threads met the names.

use std::collections::HashMap;
use std::fmt::{Display, Write};
use std::sync::{Arc, Mutex, MutexGuard};

/// An interned identifier.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Symbol(u32);

impl Symbol {
    /// For tables that are sorted only to be searched: not the same in each run.
    pub(super) fn number(self) -> u32 {
        self.0
    }
}

/// Path segments with a meaning of their own, interned before all others.
pub mod kw {
    use super::Symbol;
    /// `self`
    pub const SELF: Symbol = Symbol(0);
    /// `super`
    pub const SUPER: Symbol = Symbol(1);
    /// `crate`
    pub const CRATE: Symbol = Symbol(2);
    /// `Self`
    pub const SELF_TYPE: Symbol = Symbol(3);
    /// `$crate`
    pub const DOLLAR_CRATE: Symbol = Symbol(4);
    /// The leading `::` of a path.
    pub const ROOT: Symbol = Symbol(5);
    /// A macro variable, `$name`.
    pub const META: Symbol = Symbol(6);
    pub(super) const ALL: [&str; 7] = ["self", "super", "crate", "Self", "$crate", "", "$_"];
}

#[derive(Default)]
struct Table {
    by_text: HashMap<Arc<str>, Symbol>,
    texts: Vec<Arc<str>>,
}

/// The table all threads share.
pub struct Interner(Mutex<Table>);

impl Default for Interner {
    fn default() -> Interner {
        let interner = Interner(Mutex::default());
        for (i, text) in kw::ALL.iter().enumerate() {
            let symbol = interner.intern(text);
            debug_assert_eq!(symbol, Symbol(i as u32));
        }
        interner
    }
}

impl Interner {
    fn table(&self) -> MutexGuard<'_, Table> {
        // a panicking thread cannot leave the table half-written
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// The symbol of `text`.
    pub fn intern(&self, text: &str) -> Symbol {
        let mut table = self.table();
        if let Some(&symbol) = table.by_text.get(text) {
            return symbol;
        }
        let symbol = Symbol(table.texts.len() as u32);
        let text: Arc<str> = text.into();
        table.texts.push(text.clone());
        table.by_text.insert(text, symbol);
        symbol
    }

    /// The text of a symbol.
    pub fn text(&self, symbol: Symbol) -> Arc<str> {
        self.table().texts[symbol.0 as usize].clone()
    }

    /// A path as the source writes it.
    pub fn path(&self, segments: &[Symbol]) -> String {
        let texts: Vec<_> = segments.iter().map(|&s| self.text(s)).collect();
        texts.join("::")
    }
}

/// What stands in for a variable of `macro_rules!` where its body is read as
/// Rust; it is interned as [`kw::META`].
pub const META_VARIABLE: &str = "__macro_variable";

/// An identifier without `r#`.
pub fn plain(text: &str) -> &str {
    text.strip_prefix("r#").unwrap_or(text)
}

/// One thread's way into the table.
pub struct Names<'a> {
    shared: &'a Interner,
    seen: HashMap<Box<str>, Symbol>,
    /// The name that is looked for.
    text: String,
}

impl<'a> Names<'a> {
    /// A cache in front of `shared`.
    pub fn new(shared: &'a Interner) -> Names<'a> {
        Names { shared, seen: HashMap::new(), text: String::new() }
    }

    /// The symbol of an identifier; `r#name` is `name`.
    pub fn intern(&mut self, name: impl Display) -> Symbol {
        self.text.clear();
        // writing to a string does not fail
        let _ = write!(self.text, "{name}");
        if let Some(&symbol) = self.seen.get(self.text.as_str()) {
            return symbol;
        }
        let symbol = match self.text.as_str() {
            META_VARIABLE => kw::META,
            text => self.shared.intern(plain(text)),
        };
        self.seen.insert(self.text.as_str().into(), symbol);
        symbol
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_come_first_and_raw_names_are_plain() {
        let shared = Interner::default();
        assert_eq!(shared.intern("$crate"), kw::DOLLAR_CRATE);
        assert_eq!(shared.intern("$_"), kw::META);
        let mut names = Names::new(&shared);
        assert_eq!(names.intern("r#spawn"), names.intern("spawn"));
        let path = [kw::ROOT, shared.intern("tokio"), shared.intern("spawn")];
        assert_eq!(shared.path(&path), "::tokio::spawn");
    }
}
