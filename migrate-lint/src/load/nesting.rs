//! A bound on nesting, checked before the recursive parser sees the tokens.
//!
//! Parser, visitor and `Drop` of a syntax tree recurse with the nesting of
//! the code, and a stack overflow cannot be caught. So the token tree, whose
//! own construction and drop are iterative, is measured first, iteratively:
//! a bracket costs [`BRACKET`], and a run of tokens without a separator costs
//! one each, because `!!!!x`, `&&&&T`, `a + b + ..` and `else if ..` nest
//! without brackets. Files above [`MAX_COST`] are reported, not parsed.
//! Invariant: [`STACK`] bytes suffice for a file of cost [`MAX_COST`], in
//! debug builds too (tested through the binary).

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Stack of the threads that parse; only touched pages cost memory.
pub(super) const STACK: usize = 256 << 20;

/// Cost of one level of brackets, in tokens of a run.
const BRACKET: usize = 16;

/// rustc's own limit for nested brackets in macros is 128; this allows 512.
const MAX_COST: usize = 512 * BRACKET;

/// Whether a recursive descent over `tokens` stays within the bound.
pub(super) fn within_bound(tokens: &TokenStream) -> bool {
    // (tokens of the level, cost so far, whether runs count)
    let mut work = vec![(tokens.clone(), 0usize, true)];
    while let Some((stream, base, runs)) = work.pop() {
        if base > MAX_COST {
            return false;
        }
        let mut run = 0usize;
        let mut after_block = false;
        // the last two tokens were `name !`: what follows is macro input,
        // which is only a flat buffer to the parser
        let mut bang = 0u8;
        for tree in stream {
            let begins_statement = match &tree {
                TokenTree::Ident(word) => *word != "else",
                TokenTree::Punct(p) => p.as_char() == '#',
                _ => false,
            };
            if after_block && begins_statement {
                run = 0;
            }
            run += 1;
            after_block = false;
            match tree {
                TokenTree::Group(group) => {
                    after_block = group.delimiter() == Delimiter::Brace;
                    let cost = base + BRACKET + if runs { run } else { 0 };
                    work.push((group.stream(), cost, runs && bang != 2));
                    bang = 0;
                }
                TokenTree::Punct(p) => {
                    if matches!(p.as_char(), ';' | ',') {
                        run = 0;
                    }
                    bang = if p.as_char() == '!' && bang == 1 { 2 } else { 0 };
                }
                TokenTree::Ident(_) => bang = 1,
                TokenTree::Literal(_) => bang = 0,
            }
            if runs && base + run > MAX_COST {
                return false;
            }
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(source: &str) -> bool {
        within_bound(&source.parse().expect("tokens"))
    }

    #[test]
    fn ordinary_code_passes_however_long() {
        assert!(ok(&"fn f() { g(1); }\n".repeat(20_000)));
        assert!(ok(&format!("fn f() {{ {} }}", "if a { b } ".repeat(20_000))));
        assert!(ok(&format!("const A: &[u8] = &[{}];", "1,".repeat(50_000))));
        assert!(ok(&format!("m! {{ {} }}", "a b ".repeat(50_000))));
    }

    #[test]
    fn deep_code_does_not() {
        let deep = |open: &str, close: &str| {
            format!("fn f() {{ {}x{} }}", open.repeat(20_000), close.repeat(20_000))
        };
        assert!(!ok(&deep("(", ")")));
        assert!(!ok(&deep("!", "")));
        assert!(!ok(&deep("a + ", "")));
        assert!(!ok(&deep("if a {} else ", "")));
        assert!(!ok(&deep("m!(", ")")));
    }
}
