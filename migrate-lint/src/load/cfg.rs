//! The configuration a piece of code stands under, read from its attributes.
//!
//! Conditions are kept as text, never evaluated: code for another platform or
//! feature is linted like all other code, and carries its condition along.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::{Attribute, Expr, Lit, Meta};

/// A condition found on an item, statement or expression.
pub(super) struct Condition {
    /// As it will be shown.
    pub(super) text: String,
    /// Whether it confines the code to tests.
    pub(super) is_test: bool,
}

/// The conditions among some attributes, in order.
pub(super) fn conditions(attrs: &[Attribute]) -> Vec<Condition> {
    attrs.iter().filter_map(condition).collect()
}

/// Attributes of functions that only tests call, whatever their path.
const TESTS: [&str; 6] = ["test", "bench", "quickcheck", "rstest", "test_case", "wasm_bindgen_test"];

fn condition(attr: &Attribute) -> Option<Condition> {
    let path = attr.path();
    if path.is_ident("cfg") {
        let Meta::List(list) = &attr.meta else {
            return None;
        };
        return Some(Condition { text: text_of(&list.tokens), is_test: requires_test(&list.tokens) });
    }
    let last = path.segments.last()?;
    let is_test = TESTS.iter().any(|name| last.ident == name);
    is_test.then(|| {
        let names: Vec<_> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        Condition { text: format!("#[{}]", names.join("::")), is_test: true }
    })
}

/// Whether the condition cannot hold without `test`: `test`, or an `all(..)`
/// with it.
fn requires_test(tokens: &TokenStream) -> bool {
    let trees: Vec<_> = tokens.clone().into_iter().collect();
    match trees.as_slice() {
        [TokenTree::Ident(word)] => *word == "test",
        [TokenTree::Ident(word), TokenTree::Group(group)] if *word == "all" => {
            let inner: Vec<_> = group.stream().into_iter().collect();
            inner
                .split(|t| matches!(t, TokenTree::Punct(p) if p.as_char() == ','))
                .any(|part| requires_test(&part.iter().cloned().collect()))
        }
        _ => false,
    }
}

/// Tokens of a condition as people write them.
pub(super) fn text_of(tokens: &TokenStream) -> String {
    let mut out = String::new();
    for tree in tokens.clone() {
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::None => ("", ""),
                };
                out.push_str(open);
                out.push_str(&text_of(&group.stream()));
                out.push_str(close);
            }
            TokenTree::Punct(p) if p.as_char() == ',' => out.push_str(", "),
            TokenTree::Punct(p) if p.as_char() == '=' => out.push_str(" = "),
            other => out.push_str(&other.to_string()),
        }
    }
    out.trim_end_matches(", ").to_string()
}

/// Where `#[path = ".."]` sends a module.
#[derive(Default)]
pub(super) struct PathAttributes {
    /// The paths named, in order.
    pub(super) paths: Vec<String>,
    /// One of them holds whatever the configuration.
    pub(super) unconditional: bool,
}

/// Reads `#[path = ".."]` and `#[cfg_attr(.., path = "..")]`.
pub(super) fn path_attributes(attrs: &[Attribute]) -> PathAttributes {
    let mut found = PathAttributes::default();
    for attr in attrs {
        match &attr.meta {
            Meta::NameValue(nv) if nv.path.is_ident("path") => {
                if let Expr::Lit(lit) = &nv.value
                    && let Lit::Str(text) = &lit.lit
                {
                    found.paths.push(text.value());
                    found.unconditional = true;
                }
            }
            Meta::List(list) if list.path.is_ident("cfg_attr") => {
                let trees: Vec<_> = list.tokens.clone().into_iter().collect();
                for window in trees.windows(3) {
                    if let [TokenTree::Ident(name), TokenTree::Punct(eq), TokenTree::Literal(lit)] = window
                        && *name == "path"
                        && eq.as_char() == '='
                        && let Ok(Lit::Str(text)) = syn::parse_str::<Lit>(&lit.to_string())
                    {
                        found.paths.push(text.value());
                    }
                }
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(source: &str) -> Vec<(String, bool)> {
        let item: syn::ItemFn = syn::parse_str(&format!("{source} fn f() {{}}")).expect("item");
        conditions(&item.attrs).into_iter().map(|c| (c.text, c.is_test)).collect()
    }

    #[test]
    fn conditions_read_as_written() {
        assert_eq!(
            of(r#"#[cfg(all(unix, not(feature = "x")))] #[inline]"#),
            [(r#"all(unix, not(feature = "x"))"#.to_string(), false)]
        );
        assert_eq!(of("#[cfg(test)]"), [("test".to_string(), true)]);
        assert!(of("#[cfg(all(unix, test))]")[0].1);
        assert!(!of("#[cfg(not(test))]")[0].1);
        assert!(!of("#[cfg(any(test, unix))]")[0].1);
        assert_eq!(of("#[tokio::test(start_paused = true)]"), [("#[tokio::test]".to_string(), true)]);
    }

    #[test]
    fn paths_of_modules() {
        let item: syn::ItemMod =
            syn::parse_str(r#"#[cfg_attr(windows, path = "win.rs")] mod imp;"#).expect("item");
        let found = path_attributes(&item.attrs);
        assert_eq!(found.paths, ["win.rs"]);
        assert!(!found.unconditional);
    }
}
