//! Tokens that do not read as Rust: the paths, calls and chains in them.
//!
//! `foreign! { a -> f(x).await; }` is still searched for `f(x).await`: a path
//! with what is called on it becomes a node, brace groups that read as
//! statements become blocks, and all of them the list of a [`Kind::Tokens`].
//! What becomes of their values is not known, but where a `;` follows.

use super::body::{ExprId, Kind};
use super::collect::span_of;
use super::extract::Extractor;
use super::index::*;
use super::macros::{MAX_SPECULATION, TEXT_MACROS};
use super::names::{Symbol, kw};
use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Expr, Token};

/// Words that begin an expression or statement but no path.
const KEYWORDS: &[&str] = &[
    "as", "async", "await", "box", "break", "const", "continue", "dyn", "else", "enum", "extern", "false",
    "for", "if", "impl", "in", "let", "loop", "match", "move", "mut", "pub", "ref", "return", "static",
    "true", "type", "unsafe", "where", "while", "yield",
];

/// Words after which an identifier is being defined.
const DEFINING: &[&str] = &["fn", "mod", "struct", "enum", "union", "trait", "macro_rules"];

/// Generic arguments and imports end within so many tokens, or are none: what
/// begins like one and never ends is not searched for its end again and again.
const LOOK_AHEAD: usize = 1_000;

/// The nodes of one run of tokens.
#[derive(Default)]
struct Found {
    nodes: Vec<ExprId>,
    /// The last node ends right before the present token.
    adjacent: bool,
    /// It began a statement.
    fresh: bool,
}

impl Extractor<'_, '_> {
    /// One node for a token tree.
    pub(super) fn token_node(&mut self, tokens: TokenStream) -> ExprId {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        let mut found = Found::default();
        let mut i = 0;
        while i < trees.len() {
            i = self.token(&trees, i, &mut found);
        }
        let list = self.list(&found.nodes);
        self.push(Kind::Tokens(list))
    }

    /// Takes what starts at `i`; returns the index after it.
    fn token(&mut self, trees: &[TokenTree], i: usize, found: &mut Found) -> usize {
        let starts = i == 0
            || is_punct(trees.get(i - 1), ';')
            || matches!(&trees[i - 1], TokenTree::Group(g) if g.delimiter() == Delimiter::Brace);
        match &trees[i] {
            TokenTree::Group(group) => {
                let node = self.group(group);
                found.nodes.push(node);
                (found.adjacent, found.fresh) = (true, starts);
                i + 1
            }
            TokenTree::Ident(word) if *word == "use" => {
                found.adjacent = false;
                self.import(trees, i)
            }
            TokenTree::Ident(_) => {
                let (node, end) = self.path_at(trees, i);
                match node {
                    Some(node) => {
                        found.nodes.push(node);
                        (found.adjacent, found.fresh) = (true, starts);
                    }
                    None => found.adjacent = false,
                }
                end
            }
            TokenTree::Punct(p) if found.adjacent => match p.as_char() {
                '.' if !is_punct(trees.get(i + 1), '.') => self.postfix(trees, i, found),
                '?' => {
                    self.wrap(found, Kind::Try);
                    i + 1
                }
                ';' => {
                    if found.fresh {
                        self.wrap(found, Kind::Semi);
                    }
                    found.adjacent = false;
                    i + 1
                }
                _ => {
                    found.adjacent = false;
                    i + 1
                }
            },
            _ => {
                found.adjacent = false;
                i + 1
            }
        }
    }

    fn wrap(&mut self, found: &mut Found, kind: impl FnOnce(ExprId) -> Kind) {
        if let Some(base) = found.nodes.pop() {
            let node = self.push(kind(base));
            found.nodes.push(node);
        }
    }

    /// `.name`, `.name(args)`, `.await` after a node.
    fn postfix(&mut self, trees: &[TokenTree], i: usize, found: &mut Found) -> usize {
        let Some(TokenTree::Ident(word)) = trees.get(i + 1) else {
            found.adjacent = false;
            return i + 1;
        };
        if *word == "await" {
            self.stand(word.span());
            self.wrap(found, Kind::Await);
            return i + 2;
        }
        let name = self.name(word);
        let mut end = i + 2;
        if is_colons(trees, Some(end)) && is_punct(trees.get(end + 2), '<') {
            end = after_angles(trees, end + 2);
        }
        match trees.get(end) {
            Some(TokenTree::Group(args)) if args.delimiter() == Delimiter::Parenthesis => {
                let args = self.token_arguments(args);
                self.stand(word.span());
                self.wrap(found, |receiver| Kind::Method { receiver, name, args });
                end + 1
            }
            _ => {
                self.stand(word.span());
                self.wrap(found, |base| Kind::Field { base, name });
                i + 2
            }
        }
    }

    fn token_arguments(&mut self, args: &Group) -> super::body::List {
        if self.speculation < MAX_SPECULATION {
            let expressions = Punctuated::<Expr, Token![,]>::parse_terminated;
            if let Ok(list) = expressions.parse2(args.stream()) {
                self.speculation += 1;
                let ids: Vec<ExprId> = list.iter().map(|expr| self.expression(expr)).collect();
                self.speculation -= 1;
                return self.list(&ids);
            }
        }
        let node = self.token_node(args.stream());
        self.list(&[node])
    }

    fn group(&mut self, group: &Group) -> ExprId {
        let speculates = group.delimiter() == Delimiter::Brace && self.speculation < MAX_SPECULATION;
        // also while what does not read is searched, or each level would be read again
        self.speculation += u32::from(speculates);
        let read = if speculates { self.read_as_block(&group.stream()) } else { None };
        let node = read.unwrap_or_else(|| self.searched(group));
        self.speculation -= u32::from(speculates);
        node
    }

    /// The tokens of a group that does not read as statements.
    fn searched(&mut self, group: &Group) -> ExprId {
        let is_use = |t: TokenTree| matches!(t, TokenTree::Ident(word) if word == "use");
        if group.delimiter() == Delimiter::Brace && group.stream().into_iter().any(is_use) {
            // imports do not leak out
            let scope = self.open_scope(false);
            return self.within(scope, |x| x.token_node(group.stream()));
        }
        self.token_node(group.stream())
    }

    /// `use ..;` among tokens: its names join the present scope.
    fn import(&mut self, trees: &[TokenTree], at: usize) -> usize {
        let is_end = |t: &TokenTree| matches!(t, TokenTree::Punct(p) if p.as_char() == ';');
        let Some(len) = trees[at..].iter().take(LOOK_AHEAD).position(is_end) else {
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

    /// A path starting at `at`, called or not; and the index after it.
    fn path_at(&mut self, trees: &[TokenTree], at: usize) -> (Option<ExprId>, usize) {
        let TokenTree::Ident(first) = &trees[at] else {
            return (None, at + 1);
        };
        let before = at.checked_sub(1).map(|i| &trees[i]);
        let mut path = Vec::new();
        if is_punct(before, '$') {
            path.push(if *first == "crate" { kw::DOLLAR_CRATE } else { kw::META });
        } else {
            if KEYWORDS.iter().any(|k| first == k) {
                return (None, at + 1);
            }
            if is_colons(trees, at.checked_sub(2)) {
                path.push(kw::ROOT);
            }
            path.push(self.name(first));
        }
        let (last, end) = self.segments_at(trees, at, &mut path);
        if let (true, Some(TokenTree::Group(input))) = (is_punct(trees.get(end), '!'), trees.get(end + 1)) {
            let node = if TEXT_MACROS.contains(&&*last.to_string()) {
                self.push(Kind::Literal)
            } else {
                self.call_of_macro(last, input.stream())
            };
            return (Some(node), end + 2);
        }
        // `a.b`, but not `a..b`
        let is_member = is_punct(before, '.') && !(at >= 2 && is_punct(trees.get(at - 2), '.'));
        let is_defined = matches!(before, Some(TokenTree::Ident(word)) if DEFINING.iter().any(|d| word == d));
        if is_member || is_defined || is_punct(before, '\'') {
            return (None, end);
        }
        let callee = self.path_node(&path, span_of(first, last));
        match trees.get(end) {
            Some(TokenTree::Group(args)) if args.delimiter() == Delimiter::Parenthesis => {
                let place = self.place;
                let args = self.token_arguments(args);
                self.place = place;
                (Some(self.push(Kind::Call { callee, args })), end + 1)
            }
            _ => (Some(callee), end),
        }
    }

    /// The segments after the first; returns the last and the index after it.
    fn segments_at<'t>(
        &mut self,
        trees: &'t [TokenTree],
        at: usize,
        path: &mut Vec<Symbol>,
    ) -> (&'t Ident, usize) {
        let mut last = match &trees[at] {
            TokenTree::Ident(first) => first,
            _ => unreachable!("a path starts with a word"),
        };
        let mut end = at + 1;
        while is_colons(trees, Some(end)) {
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
        (last, end)
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
    for (i, tree) in trees.iter().enumerate().skip(at).take(LOOK_AHEAD) {
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
