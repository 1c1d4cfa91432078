//! A mistake of the user's and the place where it is; becomes a `compile_error!` there.

use proc_macro::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};

#[derive(Debug)]
pub(crate) struct Error {
    at: Span,
    message: String,
}

impl Error {
    pub(crate) fn new(at: Span, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }

    /// `::core::compile_error! { "message" }`, every token at the place of the mistake.
    pub(crate) fn into_tokens(self) -> TokenStream {
        let punct = |c, spacing| TokenTree::Punct(Punct::new(c, spacing));
        let ident = |name| TokenTree::Ident(Ident::new(name, self.at));
        let message = TokenTree::Literal(Literal::string(&self.message));
        let tokens = [
            punct(':', Spacing::Joint),
            punct(':', Spacing::Alone),
            ident("core"),
            punct(':', Spacing::Joint),
            punct(':', Spacing::Alone),
            ident("compile_error"),
            punct('!', Spacing::Alone),
            TokenTree::Group(Group::new(Delimiter::Brace, message.into())),
        ];
        tokens
            .into_iter()
            .map(|mut token| {
                token.set_span(self.at);
                token
            })
            .collect()
    }
}
