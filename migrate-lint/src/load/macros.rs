//! Macro calls: read as Rust where their input is some.
//!
//! Input that reads as expressions or statements is lowered like all other
//! code, `select!` by its own grammar, and the bodies of `macro_rules!` with
//! their variables replaced by a name that resolves to nothing. What does not
//! read goes to `tokens.rs`. Speculative parses, failed ones included, nest at most
//! [`MAX_SPECULATION`] deep, which bounds the work.

use super::body::{ExprId, Kind, List, NONE};
use super::collect::{is_named, span_of};
use super::extract::Extractor;
use super::index::*;
use super::names::{META_VARIABLE, kw};
use proc_macro2::{Group, Ident, Span as TokenSpan, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Block, Expr, Macro, Pat, Token};

pub(super) const MAX_SPECULATION: u32 = 12;

/// Macros whose input is only ever text.
pub(super) const TEXT_MACROS: &[&str] =
    &["stringify", "concat", "env", "include_str", "include_bytes", "compile_error"];

/// Macros whose input becomes code of someone else's crate.
pub(super) const QUOTE_MACROS: &[&str] = &["quote", "quote_spanned", "parse_quote", "parse_quote_spanned"];

/// Macros that await the first of several futures.
const SELECT_MACROS: &[&str] = &["select", "select_biased"];

/// One arm of `select!`; without future it is `else` or its like.
struct SelectArm {
    pattern: Option<(Pat, Expr)>,
    guard: Option<Expr>,
    handler: Expr,
}

impl Extractor<'_, '_> {
    /// Lowers a macro call.
    pub(super) fn macro_call(&mut self, mac: &Macro) -> ExprId {
        if let Some(last) = mac.path.segments.last() {
            self.stand(last.ident.span());
        }
        if TEXT_MACROS.iter().any(|name| is_named(mac, name)) {
            return self.push(Kind::Literal);
        }
        if is_named(mac, "include") {
            self.include(mac);
            return self.push(Kind::Literal);
        }
        if is_named(mac, "macro_rules") {
            return self.macro_rules(mac.tokens.clone());
        }
        match mac.path.segments.last() {
            Some(last) => self.call_of_macro(&last.ident, mac.tokens.clone()),
            None => self.token_node(mac.tokens.clone()),
        }
    }

    /// A call of the macro of this name.
    pub(super) fn call_of_macro(&mut self, ident: &Ident, tokens: TokenStream) -> ExprId {
        let text = ident.to_string();
        let quoted = self.quoted;
        self.quoted |= QUOTE_MACROS.contains(&text.as_str());
        let node = self.macro_input(ident, &text, tokens);
        self.quoted = quoted;
        node
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

    fn macro_input(&mut self, ident: &Ident, text: &str, tokens: TokenStream) -> ExprId {
        let speculates = self.speculation < MAX_SPECULATION;
        self.speculation += u32::from(speculates);
        let read = if speculates { self.read_as_rust(text, &tokens) } else { None };
        let input = read.unwrap_or_else(|| {
            let node = self.token_node(tokens);
            Input::Parts(self.list(&[node]))
        });
        self.speculation -= u32::from(speculates);
        let input = match input {
            Input::Whole(node) => return node,
            Input::Parts(parts) => parts,
        };
        if text == "vec" {
            return self.push_at(ident.span(), Kind::Array(input));
        }
        let name = self.name(ident);
        self.push_at(ident.span(), Kind::Macro { name, input })
    }

    fn read_as_rust(&mut self, text: &str, tokens: &TokenStream) -> Option<Input> {
        if SELECT_MACROS.contains(&text)
            && let Ok(arms) = select_arms.parse2(tokens.clone())
        {
            return Some(Input::Whole(self.select(&arms)));
        }
        let expressions = Punctuated::<Expr, Token![,]>::parse_terminated;
        if let Ok(list) = expressions.parse2(tokens.clone()) {
            let ids: Vec<ExprId> = list.iter().map(|expr| self.expression(expr)).collect();
            return Some(Input::Parts(self.list(&ids)));
        }
        let block = self.read_as_block(tokens)?;
        Some(Input::Parts(self.list(&[block])))
    }

    pub(super) fn read_as_block(&mut self, tokens: &TokenStream) -> Option<ExprId> {
        let stmts = Block::parse_within.parse2(tokens.clone()).ok()?;
        // `a; n` of an array reads as two expressions
        Some(self.statements(&stmts, kw::ROOT))
    }

    fn select(&mut self, arms: &[SelectArm]) -> ExprId {
        let place = self.place;
        let mut ids = Vec::with_capacity(arms.len());
        for arm in arms {
            ids.push(self.with_locals(|x| {
                let future = match &arm.pattern {
                    Some((_, future)) => x.expression(future),
                    None => NONE,
                };
                if let Some(guard) = &arm.guard {
                    let guard = x.expression(guard);
                    x.push(Kind::Semi(guard));
                }
                let pattern = match &arm.pattern {
                    Some((pattern, _)) => x.pattern(pattern),
                    None => NONE,
                };
                let handler = x.expression(&arm.handler);
                x.push(Kind::SelectArm { pattern, future, handler })
            }));
        }
        let arms = self.list(&ids);
        self.place = place;
        self.push(Kind::Select { arms })
    }

    /// The transcribers of `macro_rules!`, each a block of its own.
    fn macro_rules(&mut self, tokens: TokenStream) -> ExprId {
        let mut ids = Vec::new();
        let mut after_arrow = false;
        for tree in tokens {
            match &tree {
                TokenTree::Group(group) if after_arrow => {
                    let scope = self.open_scope(false);
                    ids.push(self.within(scope, |x| x.transcriber(group)));
                    after_arrow = false;
                }
                TokenTree::Punct(p) => after_arrow = p.as_char() == '>',
                _ => after_arrow = false,
            }
        }
        let list = self.list(&ids);
        self.push(Kind::Other(list))
    }

    fn transcriber(&mut self, group: &Group) -> ExprId {
        let tokens = without_variables(group.stream());
        let name = self.word("macro_rules");
        let node = match self.read_as_block(&tokens) {
            Some(node) => node,
            None => {
                let outer = std::mem::replace(&mut self.speculation, MAX_SPECULATION);
                let node = self.token_node(group.stream());
                self.speculation = outer;
                node
            }
        };
        let input = self.list(&[node]);
        self.push(Kind::Macro { name, input })
    }
}

/// What macro input was read as.
enum Input {
    /// An expression of its own kind.
    Whole(ExprId),
    /// Expressions.
    Parts(List),
}

fn select_arms(input: ParseStream<'_>) -> syn::Result<Vec<SelectArm>> {
    if input.peek(syn::Ident) && input.peek2(Token![;]) {
        // `biased;`
        input.parse::<syn::Ident>()?;
        input.parse::<Token![;]>()?;
    }
    let mut arms = Vec::new();
    while !input.is_empty() {
        let alone = input.peek(Token![else]) || (input.peek(syn::Ident) && input.peek2(Token![=>]));
        let (pattern, guard) = if alone {
            input.parse::<TokenTree>()?;
            (None, None)
        } else {
            let pattern = Pat::parse_multi_with_leading_vert(input)?;
            input.parse::<Token![=]>()?;
            let future: Expr = input.parse()?;
            let guard = if input.peek(Token![,]) && input.peek2(Token![if]) {
                input.parse::<Token![,]>()?;
                input.parse::<Token![if]>()?;
                Some(input.parse::<Expr>()?)
            } else {
                None
            };
            (Some((pattern, future)), guard)
        };
        input.parse::<Token![=>]>()?;
        let handler = if input.peek(syn::token::Brace) {
            let block: Block = input.parse()?;
            let label = None;
            Expr::Block(syn::ExprBlock { attrs: Vec::new(), label, block })
        } else {
            input.parse()?
        };
        if input.peek(Token![,]) {
            input.parse::<Token![,]>()?;
        }
        arms.push(SelectArm { pattern, guard, handler });
    }
    Ok(arms)
}

/// Tokens with `$name` replaced by a name, and repetitions written once.
fn without_variables(tokens: TokenStream) -> TokenStream {
    let mut out = Vec::new();
    let mut trees = tokens.into_iter().peekable();
    while let Some(tree) = trees.next() {
        let is_dollar = matches!(&tree, TokenTree::Punct(p) if p.as_char() == '$');
        match (is_dollar, tree) {
            (true, _) => match trees.next() {
                Some(TokenTree::Ident(word)) if word == "crate" => out.push(TokenTree::Ident(word)),
                Some(TokenTree::Ident(word)) => {
                    out.push(TokenTree::Ident(Ident::new(META_VARIABLE, word.span())));
                }
                Some(TokenTree::Group(group)) => {
                    out.extend(without_variables(group.stream()));
                    // a separator, if any, and the sign
                    for _ in 0..2 {
                        match trees.next() {
                            Some(TokenTree::Punct(p)) if matches!(p.as_char(), '*' | '+' | '?') => break,
                            _ => {}
                        }
                    }
                }
                Some(other) => out.push(other),
                None => {}
            },
            (false, TokenTree::Group(group)) => {
                let mut inner = Group::new(group.delimiter(), without_variables(group.stream()));
                inner.set_span(group.span_open().join(group.span_close()).unwrap_or(TokenSpan::call_site()));
                out.push(TokenTree::Group(inner));
            }
            (false, other) => out.push(other),
        }
    }
    out.into_iter().collect()
}
