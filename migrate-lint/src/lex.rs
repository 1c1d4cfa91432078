//! Just enough of Rust's tokens to tell code, comments and literals apart in
//! text that need not parse.
//!
//! Total: any text gives tokens to its end. White space is between them.

/// What a token is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// From `//` to the end of the line, doc comments included.
    LineComment,
    /// `/* .. */`, nested or open.
    BlockComment,
    /// A string or character, with prefix and quotes.
    Literal,
    /// A name, a keyword or a number.
    Word,
    /// Any other character.
    Punct,
}

/// A token, as bytes of the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// All tokens from byte `at` on, which is where one begins.
pub(crate) fn tokens(text: &str, mut at: usize) -> impl Iterator<Item = Token> {
    std::iter::from_fn(move || {
        at += text[at..].find(|c: char| !c.is_whitespace())?;
        let (kind, end) = token(text, at);
        let found = Token { kind, start: at, end };
        at = end;
        Some(found)
    })
}

/// The token that starts at `start`, which is a character of the text.
fn token(text: &str, start: usize) -> (Kind, usize) {
    let bytes = text.as_bytes();
    let at = |i: usize| bytes.get(i).copied().unwrap_or(0);
    match bytes[start] {
        b'/' if at(start + 1) == b'/' => (Kind::LineComment, find(text, start, "\n").unwrap_or(text.len())),
        b'/' if at(start + 1) == b'*' => (Kind::BlockComment, block_end(bytes, start)),
        b'"' => (Kind::Literal, quoted_end(bytes, start + 1, b'"')),
        b'\'' if at(start + 1) == b'\\' => (Kind::Literal, quoted_end(bytes, start + 1, b'\'')),
        b'\'' => {
            // a character, or a lifetime
            let len = text[start + 1..].chars().next().map_or(0, char::len_utf8);
            match at(start + 1 + len) {
                b'\'' => (Kind::Literal, start + len + 2),
                _ => (Kind::Punct, start + 1),
            }
        }
        c if is_word(c) => {
            let end = start + bytes[start..].iter().position(|&c| !is_word(c)).unwrap_or(text.len() - start);
            let raw = matches!(&bytes[start..end], b"r" | b"br" | b"cr");
            match raw.then(|| raw_end(text, end)).flatten() {
                Some(end) => (Kind::Literal, end),
                None => (Kind::Word, end),
            }
        }
        _ => (Kind::Punct, start + 1),
    }
}

/// Part of a name; whatever is not ASCII counts as such.
fn is_word(c: u8) -> bool {
    c.is_ascii_alphanumeric() || c == b'_' || !c.is_ascii()
}

fn find(text: &str, from: usize, what: &str) -> Option<usize> {
    text.get(from..)?.find(what).map(|i| from + i)
}

fn block_end(bytes: &[u8], start: usize) -> usize {
    let (mut depth, mut i) = (0, start);
    loop {
        match bytes.get(i..).unwrap_or(&[]) {
            [] => return bytes.len(),
            [b'/', b'*', ..] => (depth, i) = (depth + 1, i + 2),
            [b'*', b'/', ..] => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            return i;
        }
    }
}

fn quoted_end(bytes: &[u8], mut i: usize, quote: u8) -> usize {
    while i < bytes.len() && bytes[i] != quote {
        i += if bytes[i] == b'\\' { 2 } else { 1 };
    }
    (i + 1).min(bytes.len())
}

/// The end of a raw string whose hashes begin at `at`, if one does.
fn raw_end(text: &str, at: usize) -> Option<usize> {
    let hashes = text[at..].bytes().take_while(|&c| c == b'#').count();
    let open = at + hashes;
    (text.as_bytes().get(open) == Some(&b'"')).then(|| {
        let close = format!("\"{}", "#".repeat(hashes));
        find(text, open + 1, &close).map_or(text.len(), |i| i + close.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<(Kind, &str)> {
        tokens(text, 0).map(|t| (t.kind, &text[t.start..t.end])).collect()
    }

    #[test]
    fn comments_literals_and_code() {
        use Kind::*;
        assert_eq!(of("a::b(1_u8)").iter().map(|t| t.1).collect::<Vec<_>>().join(" "), "a : : b ( 1_u8 )");
        assert_eq!(of("x // y\nz"), [(Word, "x"), (LineComment, "// y"), (Word, "z")]);
        assert_eq!(of("/* /* */ */ 日本"), [(BlockComment, "/* /* */ */"), (Word, "日本")]);
        assert_eq!(
            of(r#""\" //" 'a' '\'' "#),
            [(Literal, r#""\" //""#), (Literal, "'a'"), (Literal, r"'\''")]
        );
        assert_eq!(of("br##\"\"# \"## x"), [(Literal, "br##\"\"# \"##"), (Word, "x")]);
        assert_eq!(
            of("&'a r#fn"),
            [(Punct, "&"), (Punct, "'"), (Word, "a"), (Word, "r"), (Punct, "#"), (Word, "fn")]
        );
    }

    #[test]
    fn any_text_is_read_to_its_end() {
        for text in ["\"", "'", "r#\"", "/*", "'\\", "é'é", "\"\\", "'\u{10ffff}", "\"\\é", "/*é"] {
            let last = tokens(text, 0).last().expect("a token");
            assert_eq!(last.end, text.len(), "{text}");
        }
    }
}
