//! A bound on nesting, checked before the recursive parser sees the tokens.
//!
//! Parser, visitor and `Drop` of a syntax tree recurse with the nesting of
//! the code, and a stack overflow cannot be caught. So the text, whose tokens
//! are known to be balanced, is measured first, without recursion:
//! a bracket costs [`BRACKET`], and a run of tokens without a separator costs
//! one each, because `!!!!x`, `&&&&T`, `a + b + ..` and `else if ..` nest
//! without brackets. Files above [`MAX_COST`] are reported, not parsed.
//! Invariant: [`STACK`] bytes suffice for a file of cost [`MAX_COST`], in
//! debug builds too (tested through the binary).

use crate::lex::{Kind, tokens};

/// Stack of the threads that parse; only touched pages cost memory.
pub(super) const STACK: usize = 256 << 20;

/// Cost of one level of brackets, in tokens of a run.
const BRACKET: usize = 16;

/// rustc's own limit for nested brackets in macros is 128; this allows 512.
const MAX_COST: usize = 512 * BRACKET;

/// What is inside one bracket.
#[derive(Clone, Copy)]
struct Level {
    /// What the brackets around it cost.
    base: usize,
    /// Tokens since the last separator.
    run: usize,
    /// Whether they count: macro input is only a flat buffer to the parser.
    counts: bool,
    /// The last token was a block.
    after_block: bool,
    /// What was last is a name (1), or `name !` (2).
    bang: u8,
}

impl Level {
    fn new(base: usize, counts: bool) -> Level {
        Level { base, run: 0, counts, after_block: false, bang: 0 }
    }
}

/// Whether a recursive descent over the tokens of `text` stays within the
/// bound. Its brackets are balanced.
pub(super) fn within_bound(text: &str) -> bool {
    let mut level = Level::new(0, true);
    let mut around = Vec::new();
    for token in tokens(text, 0) {
        let first = text.as_bytes()[token.start];
        let is_name = token.kind == Kind::Word && !first.is_ascii_digit();
        match (token.kind, first) {
            (Kind::LineComment | Kind::BlockComment, _) => continue,
            (Kind::Punct, b')' | b']' | b'}') => {
                level = around.pop().unwrap_or(Level::new(0, true));
                level.after_block = first == b'}';
                continue;
            }
            _ => {}
        }
        let begins_statement = is_name && &text[token.start..token.end] != "else" || first == b'#';
        if level.after_block && begins_statement {
            level.run = 0;
        }
        level.run += 1;
        level.after_block = false;
        let run = if level.counts { level.run } else { 0 };
        if level.base + run > MAX_COST {
            return false;
        }
        let bang = level.bang;
        level.bang = match (token.kind, first) {
            (Kind::Punct, b'(' | b'[' | b'{') => {
                level.bang = 0;
                around.push(level);
                level = Level::new(level.base + BRACKET + run, level.counts && bang != 2);
                0
            }
            (Kind::Punct, b'!') if bang == 1 => 2,
            _ => u8::from(is_name),
        };
        if token.kind == Kind::Punct && matches!(first, b';' | b',') {
            level.run = 0;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_code_passes_however_long() {
        assert!(within_bound(&"fn f() { g(1); }\n".repeat(20_000)));
        assert!(within_bound(&format!("fn f() {{ {} }}", "if a { b } ".repeat(20_000))));
        assert!(within_bound(&format!("const A: &[u8] = &[{}];", "1,".repeat(50_000))));
        assert!(within_bound(&format!("m! {{ {} }}", "a b ".repeat(50_000))));
    }

    #[test]
    fn deep_code_does_not() {
        let deep = |open: &str, close: &str| {
            format!("fn f() {{ {}x{} }}", open.repeat(20_000), close.repeat(20_000))
        };
        assert!(!within_bound(&deep("(", ")")));
        assert!(!within_bound(&deep("!", "")));
        assert!(!within_bound(&deep("a + ", "")));
        assert!(!within_bound(&deep("if a {} else ", "")));
        assert!(!within_bound(&deep("m!(", ")")));
    }
}
