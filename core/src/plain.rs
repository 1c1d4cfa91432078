//! Words of users in reports: they go to terminals and logs, where one line is one line.

use std::fmt::{self, Display, Write};

/// Shows text with escapes in place of what ends a line, moves a cursor or turns the direction of
/// reading.
pub(crate) struct Plain<T>(pub(crate) T);

impl<T: Display> Display for Plain<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

struct Escaping<'a, 'f>(&'a mut fmt::Formatter<'f>);

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some((at, special)) = rest.char_indices().find(|(_, c)| is_special(*c)) {
            write!(self.0, "{}{}", &rest[..at], special.escape_default())?;
            rest = &rest[at + special.len_utf8()..];
        }
        self.0.write_str(rest)
    }
}

fn is_special(c: char) -> bool {
    // Separators of lines, and marks, embeddings and isolates of direction (Unicode, UAX #9).
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::Plain;

    #[test]
    fn what_is_special_is_escaped_and_nothing_else() {
        for plain in ["", "a b", "ünïcode ☂ \"quoted\" \\n", "日本語"] {
            assert_eq!(Plain(plain).to_string(), plain);
        }
        for (text, shown) in [
            ("a\nb\r", "a\\nb\\r"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("\u{202e}drow\u{2028}", "\\u{202e}drow\\u{2028}"),
        ] {
            assert_eq!(Plain(text).to_string(), shown);
        }
    }
}
