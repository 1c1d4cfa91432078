//! Just enough of Rust's grammar to tell code from comments and literals, and to read paths.

/// The text with comments, strings and characters replaced by spaces, newlines kept.
pub(crate) fn blank(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = literal_end(&chars, at);
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            out.extend(chars[at..end].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    out
}

/// Where the comment or literal that begins at `at` ends; `at` if none begins there.
fn literal_end(chars: &[char], at: usize) -> usize {
    let peek = |ahead: usize| chars.get(at + ahead).copied().unwrap_or('\0');
    let in_word = at > 0 && is_word(chars[at - 1]);
    match (peek(0), peek(1)) {
        ('/', '/') => chars[at..].iter().position(|&c| c == '\n').map_or(chars.len(), |n| at + n),
        ('/', '*') => block_end(chars, at),
        ('"', _) => string_end(chars, at + 1),
        ('r', '"' | '#') if !in_word || matches!(chars[at - 1], 'b' | 'c') => raw_end(chars, at),
        ('\'', '\\') => {
            let close = chars[at + 3..].iter().position(|&c| c == '\'');
            close.map_or(chars.len(), |n| at + 3 + n + 1)
        }
        ('\'', _) if peek(2) == '\'' => at + 3,
        _ => at,
    }
}

fn block_end(chars: &[char], mut at: usize) -> usize {
    let mut depth = 0;
    while at < chars.len() {
        match chars.get(at..at + 2) {
            Some(['/', '*']) => (depth, at) = (depth + 1, at + 2),
            Some(['*', '/']) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    at
}

fn string_end(chars: &[char], mut at: usize) -> usize {
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

fn raw_end(chars: &[char], at: usize) -> usize {
    let hashes = chars[at + 1..].iter().take_while(|&&c| c == '#').count();
    let open = at + 1 + hashes;
    if chars.get(open) != Some(&'"') {
        return at;
    }
    let closes = |from: usize| {
        chars[from] == '"' && chars[from + 1..].iter().take(hashes).filter(|&&c| c == '#').count() == hashes
    };
    (open + 1..chars.len()).find(|&from| closes(from)).map_or(chars.len(), |from| from + 1 + hashes)
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// Whether `word` stands in `line` as a word of its own; it may contain `::` and end in `!`.
pub(crate) fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(is_word) && (word.ends_with('!') || !after.is_some_and(is_word))
    })
}

/// A path in code, with its line counted from 1; a group counts as one path for each leaf.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CodePath {
    pub(crate) line: usize,
    pub(crate) segments: Vec<String>,
}

/// Every path of two segments or more in blanked code that begins with one of `roots`.
pub(crate) fn paths(code: &str, roots: &[&str]) -> Vec<CodePath> {
    let chars: Vec<char> = code.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let start = at;
        if !is_word(chars[at]) {
            at += 1;
            continue;
        }
        let root = word(&chars, &mut at);
        let goes_on = chars[..start].iter().rev().find(|c| !c.is_whitespace()).is_some_and(|&c| c == ':')
            && chars[..start].ends_with(&[':', ':']);
        let macro_root = start > 0 && chars[start - 1] == '$';
        if roots.contains(&root.as_str()) && !goes_on && !macro_root {
            let mut leaves = Vec::new();
            follow(&chars, &mut at, vec![root], &mut leaves);
            let line = 1 + chars[..start].iter().filter(|&&c| c == '\n').count();
            let leaves = leaves.into_iter().filter(|path| path.len() > 1);
            found.extend(leaves.map(|segments| CodePath { line, segments }));
        }
    }
    found
}

fn word(chars: &[char], at: &mut usize) -> String {
    let start = *at;
    while *at < chars.len() && is_word(chars[*at]) {
        *at += 1;
    }
    chars[start..*at].iter().collect()
}

fn skip_space(chars: &[char], at: &mut usize) {
    while chars.get(*at).is_some_and(|c| c.is_whitespace()) {
        *at += 1;
    }
}

/// Reads `::next`, `::{a, b::c}` or `::*` after `path`, and adds what it leads to.
fn follow(chars: &[char], at: &mut usize, path: Vec<String>, leaves: &mut Vec<Vec<String>>) {
    skip_space(chars, at);
    if chars.get(*at..*at + 2) != Some(&[':', ':']) {
        leaves.push(path);
        return;
    }
    let mut ahead = *at + 2;
    skip_space(chars, &mut ahead);
    match chars.get(ahead) {
        Some('{') => {
            *at = ahead + 1;
            group(chars, at, &path, leaves);
        }
        Some('*') => {
            *at = ahead + 1;
            leaves.push(path.into_iter().chain(["*".to_owned()]).collect());
        }
        Some(&c) if is_word(c) => {
            *at = ahead;
            let next = word(chars, at);
            follow(chars, at, path.into_iter().chain([next]).collect(), leaves);
        }
        // A turbofish ends what is of interest.
        _ => {
            *at = ahead;
            leaves.push(path);
        }
    }
}

fn group(chars: &[char], at: &mut usize, path: &[String], leaves: &mut Vec<Vec<String>>) {
    while let Some(&c) = chars.get(*at) {
        match c {
            '}' => {
                *at += 1;
                return;
            }
            '*' => {
                leaves.push(path.iter().cloned().chain(["*".to_owned()]).collect());
                *at += 1;
            }
            c if is_word(c) => {
                let first = word(chars, at);
                match first.as_str() {
                    // The name after `as` is no path.
                    "as" => {
                        skip_space(chars, at);
                        word(chars, at);
                    }
                    "self" => leaves.push(path.to_vec()),
                    _ => follow(chars, at, path.iter().cloned().chain([first]).collect(), leaves),
                }
            }
            _ => *at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked_and_nothing_else() {
        let blanked = |text: &str| blank(text).split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(blanked("a // b\nc /* d /* e */ f */ g"), "a c g");
        assert_eq!(blanked(r#"a("b \" c") d"#), "a( ) d");
        assert_eq!(blanked("a(r#\"b \" c\"#, br\"x\") d"), "a( , b ) d");
        assert_eq!(blanked(r"f('x', '\'', '\u{41}', &'a T)"), "f( , , , &'a T)");
        assert_eq!(blanked("let r#type = for_; "), "let r#type = for_;");
        assert_eq!(blank("\"a\nb\"\nc").lines().count(), 3);
    }

    #[test]
    fn groups_are_read_to_their_leaves() {
        let code = "use crate::{a::{b as z, self}, c, d::*};\nlet x = crate::e::f::<T>(super::g); $crate::h; y::crate::k";
        let found = paths(code, &["crate", "super"]);
        let texts: Vec<(usize, String)> =
            found.into_iter().map(|p| (p.line, p.segments.join("::"))).collect();
        let wanted = ["crate::a::b", "crate::a", "crate::c", "crate::d::*", "crate::e::f", "super::g"];
        assert_eq!(texts.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(), wanted);
        assert_eq!(texts.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 1, 1, 1, 2, 2]);
    }

    #[test]
    fn words_stand_alone() {
        assert!(has_word("unsafe { }", "unsafe") && has_word("(dbg!(x))", "dbg!"));
        assert!(!has_word("unsafe_code", "unsafe") && !has_word("my_dbg!(x)", "dbg!"));
    }
}
