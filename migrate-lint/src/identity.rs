//! What of a finding stays the same while the code around it changes.
//!
//! Two hashes over tokens, so that neither line numbers, comments nor layout
//! matter: of the offence itself, up to its first block, and of the whole
//! function around it. Commas are left out, for rustfmt adds them where it
//! breaks a line; of the function, brackets and semicolons too, for it adds
//! and removes those. The hashes are part of file formats: a change here
//! makes every committed baseline stale.

use crate::lex::{Kind, tokens};
use crate::load::index::Span;

/// Of a long call without a block, this much tells it from others.
const HEAD: usize = 64;

/// The hashes of a finding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Identity {
    /// Of the offence, from its first token to its first block or its end.
    pub head: u32,
    /// Of the function around it; of the offence where there is none.
    pub body: u32,
}

/// A text whose places can be found.
pub(crate) struct Places<'a> {
    text: &'a str,
    /// Byte at which each line starts.
    lines: Vec<usize>,
}

impl<'a> Places<'a> {
    /// Of a file as it was read.
    pub(crate) fn of(text: &'a str) -> Places<'a> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let breaks = text.bytes().enumerate().filter(|(_, c)| *c == b'\n');
        Places { text, lines: std::iter::once(0).chain(breaks.map(|(i, _)| i + 1)).collect() }
    }

    /// The text without its byte order mark.
    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    /// The bytes of a span, from its start to its end.
    pub(crate) fn range(&self, span: Span) -> (usize, usize) {
        let start = self.byte(span.line, span.column);
        (start, self.byte(span.end_line, span.end_column).max(start))
    }

    /// The byte at a place, 1-based and counted in characters.
    fn byte(&self, line: u32, column: u32) -> usize {
        let start = (line as usize).checked_sub(1).and_then(|i| self.lines.get(i));
        let Some(&start) = start else { return self.text.len() };
        let mut columns = self.text[start..].char_indices();
        columns.nth((column as usize).saturating_sub(1)).map_or(self.text.len(), |(i, _)| start + i)
    }

    /// The identity of what stands at `span`, in a function of this body.
    pub(crate) fn identity(&self, span: Span, body: Span) -> Identity {
        let head = head(self.text, self.byte(span.line, span.column));
        if body == Span::default() {
            return Identity { head, body: head };
        }
        let end = self.byte(body.end_line, body.end_column);
        Identity { head, body: whole(&self.text[..end], self.byte(body.line, body.column)) }
    }
}

fn head(text: &str, start: usize) -> u32 {
    let mut hash = Hash::default();
    let mut depth = 0;
    for token in tokens(text, start).take(HEAD) {
        let word = &text[token.start..token.end];
        match (token.kind, word) {
            // a comment as such is only found by its own rule
            (Kind::LineComment, _) if token.start == start => {
                hash.add(&word.split_whitespace().collect::<Vec<_>>().join(" "));
                break;
            }
            (Kind::LineComment | Kind::BlockComment, _) => continue,
            (Kind::Punct, "(" | "[") => depth += 1,
            (Kind::Punct, ")" | "]") if depth == 0 => break,
            (Kind::Punct, ")" | "]") => {
                depth -= 1;
                if depth == 0 {
                    hash.add(word);
                    break;
                }
            }
            (Kind::Punct, "," | ";") if depth == 0 => break,
            (Kind::Punct, ",") => continue,
            (Kind::Punct, "{" | "}") => break,
            _ => {}
        }
        hash.add(word);
    }
    hash.finish()
}

fn whole(text: &str, start: usize) -> u32 {
    let mut hash = Hash::default();
    for token in tokens(text, start) {
        let word = &text[token.start..token.end];
        match (token.kind, word) {
            (Kind::LineComment | Kind::BlockComment, _) => {}
            (Kind::Punct, "{" | "}" | "(" | ")" | "," | ";") => {}
            _ => hash.add(word),
        }
    }
    hash.finish()
}

/// FNV-1a over 64 bits, folded: the same on every machine and in every release.
#[derive(Clone, Copy)]
pub(crate) struct Hash(u64);

impl Default for Hash {
    fn default() -> Hash {
        Hash(0xcbf2_9ce4_8422_2325)
    }
}

impl Hash {
    pub(crate) fn add(&mut self, word: &str) {
        // the 0 tells `a b` from `ab`
        for byte in word.bytes().chain([0]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    pub(crate) fn whole(self) -> u64 {
        self.0
    }

    fn finish(self) -> u32 {
        (self.0 >> 32) as u32 ^ self.0 as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> u32 {
        head(text, text.find("spawn").expect("the offence"))
    }

    #[test]
    fn layout_comments_and_blocks_do_not_matter() {
        for (a, b) in [
            ("spawn(run(a, b));", "x = spawn(\n    run( // why\n        a,\n        b,\n    ),\n);"),
            ("spawn(async move { one(); })", "spawn(async move /* .. */ {\n two() })"),
            ("map(spawn)", "map(spawn) .x()"),
        ] {
            assert_eq!(at(a), at(b), "{a} / {b}");
        }
    }

    #[test]
    fn other_code_is_another_offence() {
        for (a, b) in [
            ("spawn(a())", "spawn(b())"),
            ("spawn(async {})", "spawn(async move {})"),
            ("spawn(a b)", "spawn(ab)"),
        ] {
            assert_ne!(at(a), at(b), "{a} / {b}");
        }
    }

    #[test]
    fn a_function_is_known_by_its_words() {
        let a = "fn f() { if x { g(1) } else { h(|y| y) }; }";
        let b = "fn other(self) {\n  if (x) {\n    g(1)\n  } else {\n    h(|y| { y },)\n  }\n}";
        let of = |text: &str| whole(text, text.find('{').expect("a body"));
        assert_eq!(of(a), of(b));
        assert_ne!(of(a), of("fn f() { if x { g(2) } else { h(|y| y) }; }"));
    }

    #[test]
    fn places_count_characters_and_skip_the_mark() {
        let places = Places::of("\u{feff}日本 a\nb");
        assert_eq!(&places.text[places.byte(1, 4)..], "a\nb");
        assert_eq!(&places.text[places.byte(2, 1)..], "b");
        assert_eq!((places.byte(9, 1), places.byte(2, 9)), (places.text.len(), places.text.len()));
    }

    /// Committed baselines hold these.
    #[test]
    fn hashes_stay_what_they_are() {
        assert_eq!(at("spawn(run())"), 0x9dad7795);
        assert_eq!(whole("{ run() }", 0), 0xd0b586a1);
    }
}
