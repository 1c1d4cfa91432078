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
use std::cell::RefCell;
use std::collections::BTreeMap;

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

/// The longest piece of a line that is shown, in characters.
const SHOWN: usize = 1_000;

/// Bytes between two places whose characters are counted in advance.
const STRIDE: usize = 256;

/// A text whose places can be found, in a time that does not grow with its
/// length or that of its lines.
pub(crate) struct Places<'a> {
    text: &'a str,
    /// Byte at which each line starts.
    lines: Vec<usize>,
    /// Characters before every `STRIDE`th byte, or the first after it that
    /// begins one.
    characters: Vec<usize>,
    /// Hashes of functions, by their bodies.
    bodies: RefCell<BTreeMap<Span, u32>>,
}

impl<'a> Places<'a> {
    /// Of a file as it was read.
    pub(crate) fn of(text: &'a str) -> Places<'a> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let breaks = text.bytes().enumerate().filter(|(_, c)| *c == b'\n');
        let lines = std::iter::once(0).chain(breaks.map(|(i, _)| i + 1)).collect();
        let mut characters = Vec::with_capacity(text.len() / STRIDE + 1);
        let mut count = 0;
        for block in text.as_bytes().chunks(STRIDE) {
            characters.push(count);
            // every byte but those that continue a character
            count += block.iter().filter(|byte| (**byte as i8) >= -0x40).count();
        }
        Places { text, lines, characters, bodies: RefCell::default() }
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
        let wanted = self.characters_before(start) + (column as usize).saturating_sub(1);
        let block = self.characters.partition_point(|count| *count <= wanted).saturating_sub(1);
        let from = self.text.ceil_char_boundary(block * STRIDE);
        let ahead = wanted - self.characters.get(block).copied().unwrap_or(0);
        self.text[from..].char_indices().nth(ahead).map_or(self.text.len(), |(i, _)| from + i)
    }

    /// How many characters stand before a byte.
    fn characters_before(&self, byte: usize) -> usize {
        let Some(counted) = self.characters.get(byte / STRIDE) else { return 0 };
        let from = self.text.ceil_char_boundary(byte / STRIDE * STRIDE);
        counted + self.text[from.min(byte)..byte].chars().count()
    }

    /// The line a span starts on; of a long one, what is around the span, and
    /// how many characters were left out before it.
    pub(crate) fn snippet(&self, span: Span) -> (String, u32) {
        let start = (span.line as usize).checked_sub(1).and_then(|i| self.lines.get(i));
        let Some(&start) = start else { return (String::new(), 0) };
        let end = self.lines.get(span.line as usize).map_or(self.text.len(), |next| next - 1);
        let line = &self.text[start..end];
        let line = line.strip_suffix('\r').unwrap_or(line);
        // no character is longer than four bytes
        if line.len() <= SHOWN {
            return (line.to_string(), 0);
        }
        let skipped = (span.column as usize).saturating_sub(1 + SHOWN / 2);
        let from = self.byte(span.line, skipped as u32 + 1).clamp(start, start + line.len());
        let shown = self.text[from..start + line.len()].chars().take(SHOWN).collect();
        (shown, skipped as u32)
    }

    /// The identity of what stands at `span`, in a function of this body.
    pub(crate) fn identity(&self, span: Span, body: Span) -> Identity {
        let head = head(self.text, self.byte(span.line, span.column));
        if body == Span::default() {
            return Identity { head, body: head };
        }
        let mut bodies = self.bodies.borrow_mut();
        let body = *bodies.entry(body).or_insert_with(|| {
            let (start, end) = self.range(body);
            whole(&self.text[..end], start)
        });
        Identity { head, body }
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

    #[test]
    fn places_in_long_lines() {
        let line: String = (0..3_000).map(|i| if i % 3 == 0 { '日' } else { 'a' }).collect();
        let text = format!("{line}\r\n{line}b\n");
        let places = Places::of(&text);
        let starts: Vec<usize> = text.char_indices().map(|(i, _)| i).collect();
        for column in [1, 2, 255, 256, 257, 1_000, 2_999, 3_000, 3_001] {
            assert_eq!(places.byte(1, column), starts[column as usize - 1]);
            assert_eq!(places.byte(2, column), starts[column as usize + 3_001]);
        }
        let at = |column| Span { line: 2, column, end_line: 2, end_column: column + 1 };
        let (snippet, skipped) = places.snippet(at(3_001));
        assert_eq!((snippet.chars().count(), skipped), (501, 2_500));
        assert!(snippet.ends_with("ab"));
        assert_eq!(places.snippet(at(3)), (line.chars().take(SHOWN).collect(), 0));
        assert_eq!(Places::of("short\r\n").snippet(Span { line: 1, ..at(9) }), ("short".into(), 0));
    }

    /// Committed baselines hold these.
    #[test]
    fn hashes_stay_what_they_are() {
        assert_eq!(at("spawn(run())"), 0x9dad7795);
        assert_eq!(whole("{ run() }", 0), 0xd0b586a1);
    }
}
