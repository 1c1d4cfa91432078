//! Macro input: read as Rust where it parses, walked as tokens where not.
//!
//! Input that reads as expressions or statements gets the full treatment of
//! `extract.rs`. Otherwise (`select!`, `macro_rules!`, foreign syntax) paths
//! are found in the token tree, and brace groups that read as statements are
//! visited as blocks. Speculative parses nest at most [`MAX_SPECULATION`]
//! deep, which bounds the work; below, tokens are only walked.

use super::collect::{is_named, span_of};
use super::extract::Extractor;
use super::index::*;
use super::names::kw;
use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::visit::Visit;
use syn::{Block, Expr, Macro, Token};

const MAX_SPECULATION: u32 = 12;

/// Words that begin an expression or statement but no path.
const KEYWORDS: &[&str] = &[
    "as", "async", "await", "box", "break", "const", "continue", "dyn", "else", "enum", "extern", "false",
    "for", "if", "impl", "in", "let", "loop", "match", "move", "mut", "pub", "ref", "return", "static",
    "true", "type", "unsafe", "where", "while", "yield",
];

/// Words after which an identifier is being defined.
const DEFINING: &[&str] = &["fn", "mod", "struct", "enum", "union", "trait", "macro_rules"];

/// Macros whose input is only ever text.
const TEXT_MACROS: &[&str] = &["stringify", "concat", "env", "include_str", "include_bytes", "compile_error"];

/// Macros whose input becomes code of someone else's crate.
const QUOTE_MACROS: &[&str] = &["quote", "quote_spanned", "parse_quote", "parse_quote_spanned"];

impl Extractor<'_, '_> {
    /// Visits the input of a macro call.
    pub(super) fn macro_call(&mut self, mac: &Macro) {
        if TEXT_MACROS.iter().any(|name| is_named(mac, name)) {
            return;
        }
        if is_named(mac, "include") {
            return self.include(mac);
        }
        if is_named(mac, "macro_rules") {
            let outer = std::mem::replace(&mut self.speculation, MAX_SPECULATION);
            self.in_own_scope(|x| x.walk_tokens(mac.tokens.clone()));
            self.speculation = outer;
            return;
        }
        let quoted = self.quoted;
        self.quoted |= QUOTE_MACROS.iter().any(|name| is_named(mac, name));
        self.macro_input(mac.tokens.clone());
        self.quoted = quoted;
    }

    fn include(&mut self, mac: &Macro) {
        let Some(name) = mac.path.segments.last() else {
            return;
        };
        let literal: Option<syn::LitStr> = syn::parse2(mac.tokens.clone()).ok();
        self.index.includes.push(Include {
            path: literal.map(|l| l.value()),
            scope: self.scope,
            cfg: self.cfg,
            span: span_of(&name.ident, &name.ident),
        });
    }

    fn macro_input(&mut self, tokens: TokenStream) {
        if self.speculation < MAX_SPECULATION {
            self.speculation += 1;
            let read = self.read_as_rust(&tokens);
            self.speculation -= 1;
            if read {
                return;
            }
        }
        self.walk_tokens(tokens);
    }

    fn read_as_rust(&mut self, tokens: &TokenStream) -> bool {
        let expressions = Punctuated::<Expr, Token![,]>::parse_terminated;
        if let Ok(list) = expressions.parse2(tokens.clone()) {
            for expr in &list {
                self.visit_expr(expr);
            }
            return true;
        }
        self.read_as_block(tokens)
    }

    fn read_as_block(&mut self, tokens: &TokenStream) -> bool {
        let Ok(stmts) = Block::parse_within.parse2(tokens.clone()) else {
            return false;
        };
        self.statements(&stmts);
        true
    }

    /// Finds paths in a token tree.
    pub(super) fn walk_tokens(&mut self, tokens: TokenStream) {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        let mut i = 0;
        while i < trees.len() {
            match &trees[i] {
                TokenTree::Group(group) => {
                    self.group(group);
                    i += 1;
                }
                TokenTree::Ident(word) if *word == "use" => i = self.walk_use(&trees, i),
                TokenTree::Ident(_) => i = self.walk_path(&trees, i),
                _ => i += 1,
            }
        }
    }

    fn group(&mut self, group: &Group) {
        if group.delimiter() == Delimiter::Brace && self.speculation < MAX_SPECULATION {
            self.speculation += 1;
            let read = self.read_as_block(&group.stream());
            self.speculation -= 1;
            if read {
                return;
            }
        }
        let is_use = |t: TokenTree| matches!(t, TokenTree::Ident(word) if word == "use");
        if group.delimiter() == Delimiter::Brace && group.stream().into_iter().any(is_use) {
            self.in_own_scope(|x| x.walk_tokens(group.stream()));
        } else {
            self.walk_tokens(group.stream());
        }
    }

    /// Visits in a block scope, so that imports do not leak out.
    fn in_own_scope(&mut self, visit: impl FnOnce(&mut Self)) {
        let directory = self.index.scopes[self.scope as usize].directory.clone();
        let scope = self.open_scope(false, directory);
        self.within(scope, visit);
    }

    /// `use ..;` among tokens: its names join the present scope.
    fn walk_use(&mut self, trees: &[TokenTree], at: usize) -> usize {
        let is_end = |t: &TokenTree| matches!(t, TokenTree::Punct(p) if p.as_char() == ';');
        let Some(len) = trees[at..].iter().position(is_end) else {
            return at + 1;
        };
        let stream: TokenStream = trees[at..=at + len].iter().cloned().collect();
        let Ok(item) = syn::parse2::<syn::ItemUse>(stream) else {
            return at + 1;
        };
        let mut prefix = Vec::new();
        if item.leading_colon.is_some() {
            prefix.push(kw::ROOT);
        }
        self.collect_use(&item.tree, &mut prefix, Visibility::Private, self.scope);
        at + len + 1
    }

    /// A path starting at `at`; returns the index after what was consumed.
    fn walk_path(&mut self, trees: &[TokenTree], at: usize) -> usize {
        let TokenTree::Ident(first) = &trees[at] else {
            return at + 1;
        };
        let before = at.checked_sub(1).map(|i| &trees[i]);
        let after_dollar = is_punct(before, '$');
        let mut path = Vec::new();
        if after_dollar {
            path.push(if *first == "crate" { kw::DOLLAR_CRATE } else { kw::META });
        } else {
            if KEYWORDS.iter().any(|k| first == k) {
                return at + 1;
            }
            if is_colons(trees, at.checked_sub(2)) {
                path.push(kw::ROOT);
            }
            path.push(self.name(first));
        }
        // `a.b`, but not `a..b`
        let is_member = is_punct(before, '.') && !(at >= 2 && is_punct(trees.get(at - 2), '.'));
        let is_defined = matches!(before, Some(TokenTree::Ident(word)) if DEFINING.iter().any(|d| word == d));
        let is_lifetime = is_punct(before, '\'');
        let mut last: &Ident = first;
        let mut end = at + 1;
        loop {
            if !is_colons(trees, Some(end)) {
                break;
            }
            match trees.get(end + 2) {
                Some(TokenTree::Ident(next)) => {
                    path.push(self.name(next));
                    last = next;
                    end += 3;
                }
                Some(TokenTree::Punct(p)) if p.as_char() == '<' => {
                    end = after_angles(trees, end + 2);
                }
                // `a::$name`
                Some(TokenTree::Punct(p)) if p.as_char() == '$' => {
                    let Some(TokenTree::Ident(next)) = trees.get(end + 3) else {
                        break;
                    };
                    path.push(kw::META);
                    last = next;
                    end += 4;
                }
                _ => break,
            }
        }
        if let (true, Some(TokenTree::Group(input))) = (is_punct(trees.get(end), '!'), trees.get(end + 1)) {
            let called = last.to_string();
            if !TEXT_MACROS.contains(&&*called) {
                let quoted = self.quoted;
                self.quoted |= QUOTE_MACROS.contains(&&*called);
                self.macro_input(input.stream());
                self.quoted = quoted;
            }
            return end + 2;
        }
        if !is_member && !is_defined && !is_lifetime {
            let form = match trees.get(end) {
                Some(TokenTree::Group(args)) if args.delimiter() == Delimiter::Parenthesis => {
                    Form::Call(self.token_argument(args))
                }
                _ => Form::Value,
            };
            self.record(&path, span_of(first, last), form);
        }
        end
    }

    fn token_argument(&mut self, args: &Group) -> Argument {
        let mut trees = args.stream().into_iter();
        match (trees.next(), trees.next()) {
            (Some(TokenTree::Ident(word)), second) if word == "async" => Argument::AsyncBlock {
                moves: matches!(second, Some(TokenTree::Ident(next)) if next == "move"),
            },
            (Some(TokenTree::Ident(name)), Some(TokenTree::Group(_))) => Argument::CallOf(self.name(&name)),
            _ => Argument::Other,
        }
    }
}

fn is_punct(tree: Option<&TokenTree>, c: char) -> bool {
    matches!(tree, Some(TokenTree::Punct(p)) if p.as_char() == c)
}

/// Whether `::` stands at `at`.
fn is_colons(trees: &[TokenTree], at: Option<usize>) -> bool {
    at.is_some_and(|at| is_punct(trees.get(at), ':') && is_punct(trees.get(at + 1), ':'))
}

/// The index after the angle brackets that open at `at`.
fn after_angles(trees: &[TokenTree], at: usize) -> usize {
    let mut depth = 0usize;
    for (i, tree) in trees.iter().enumerate().skip(at) {
        if is_punct(Some(tree), '<') {
            depth += 1;
        } else if is_punct(Some(tree), '>') && !is_punct(trees.get(i - 1), '-') {
            depth -= 1;
            if depth == 0 {
                return i + 1;
            }
        } else if is_punct(Some(tree), ';') {
            break;
        }
    }
    // not a generic argument list after all
    at + 1
}
