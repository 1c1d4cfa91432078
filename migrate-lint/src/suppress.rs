//! Suppression comments: `// migrate-lint: allow(rule) reason`.
//!
//! A comment at the end of a line speaks for that line; one on a line of its
//! own for the next line of code, comments and attributes skipped. The reason
//! is required: without one the comment suppresses nothing. Doc comments,
//! block comments and strings are not looked at.

use crate::lex::{Kind, tokens};
use crate::load::index::Span;
use crate::rule::{Edit, Fix};
use std::collections::{BTreeSet, HashMap};

/// The words a suppression begins with.
const MARKER: &str = "migrate-lint:";

/// One comment that begins with the marker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Comment {
    /// 1-based line it stands on.
    pub line: u32,
    /// 1-based column of `//`, in characters.
    pub column: u32,
    /// Column just past its end.
    pub end_column: u32,
    /// Column just past the code before it; 1 if it has the line for itself.
    pub code_column: u32,
    /// The line it speaks for.
    pub target: u32,
    /// What it says.
    pub content: Content,
}

impl Comment {
    /// The change that makes it speak no more for `rule`, and of the others
    /// as before.
    pub(crate) fn without(&self, rule: &str) -> Option<Fix> {
        let Content::Allow { rules, reason } = &self.content else { return None };
        let others: Vec<&str> = rules.iter().map(String::as_str).filter(|name| *name != rule).collect();
        let (line, end_line) = (self.line, self.line);
        let edit = if !others.is_empty() {
            let span = Span { line, column: self.column, end_line, end_column: self.end_column };
            Edit { span, text: format!("// {MARKER} allow({}) {reason}", others.join(", ")) }
        } else if self.code_column == 1 {
            let span = Span { line, column: 1, end_line: line + 1, end_column: 1 };
            Edit { span, text: String::new() }
        } else {
            let span = Span { line, column: self.code_column, end_line, end_column: self.end_column };
            Edit { span, text: String::new() }
        };
        Some(Fix { edits: vec![edit] })
    }
}

/// What a comment says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Content {
    /// These rules are allowed, for a reason.
    Allow {
        /// Their names.
        rules: Vec<String>,
        /// Why.
        reason: String,
    },
    /// The reason is missing.
    NoReason,
    /// Not of the form `allow(rule) reason`.
    Malformed,
}

/// The suppression comments of a file, and which rules each suppressed.
#[derive(Debug)]
pub struct Suppressions {
    comments: Vec<(Comment, BTreeSet<String>)>,
    by_target: HashMap<u32, Vec<usize>>,
}

impl Suppressions {
    /// Reads those of a file.
    pub fn of(text: &str) -> Suppressions {
        let mut by_target: HashMap<u32, Vec<usize>> = HashMap::new();
        let mut found = Vec::new();
        for comment in comments(text) {
            by_target.entry(comment.target).or_default().push(found.len());
            found.push((comment, BTreeSet::new()));
        }
        Suppressions { comments: found, by_target }
    }

    /// The reason for which a comment allows `rule` on one of these lines; the
    /// comment then counts as used.
    pub fn suppress(&mut self, rule: &str, lines: [u32; 2]) -> Option<String> {
        let mut found = None;
        for line in lines {
            for &i in self.by_target.get(&line).into_iter().flatten() {
                let (comment, used) = &mut self.comments[i];
                if let Content::Allow { rules, reason } = &comment.content
                    && rules.iter().any(|name| name == rule)
                {
                    used.insert(rule.to_string());
                    found.get_or_insert_with(|| reason.clone());
                }
            }
        }
        found
    }

    /// All comments, in order, with the rules each suppressed.
    pub fn comments(&self) -> &[(Comment, BTreeSet<String>)] {
        &self.comments
    }
}

/// All suppression comments of a file, in order.
pub fn comments(text: &str) -> Vec<Comment> {
    if !text.contains(MARKER) {
        return Vec::new();
    }
    let lines: Vec<&str> = text.split('\n').collect();
    let below = code_below(&lines);
    let mut out = Vec::new();
    let (mut line, mut start) = (0, 0);
    for token in tokens(text, 0).filter(|token| token.kind == Kind::LineComment) {
        let at = token.start;
        // comments come in order, so lines are counted once
        while start + lines[line].len() < at {
            start += lines[line].len() + 1;
            line += 1;
        }
        out.extend(comment(lines[line], line, at - start, below[line]));
    }
    out
}

/// For each line the next one below that is neither comment nor attribute; of
/// the last ones the line that would follow.
fn code_below(lines: &[&str]) -> Vec<usize> {
    let mut below = vec![0; lines.len()];
    let mut next = None;
    for (i, line) in lines.iter().enumerate().rev() {
        below[i] = next.unwrap_or(i + 1);
        let line = line.trim_start();
        if !line.starts_with("//") && !line.starts_with("#[") {
            next = Some(i);
        }
    }
    below
}

/// The comment that starts at this byte of a line, with the code `below` it.
fn comment(text: &str, line: usize, at: usize, below: usize) -> Option<Comment> {
    let (before, rest) = text.split_at(at);
    let said = rest.strip_prefix("//")?.trim_start().strip_prefix(MARKER)?;
    let before = before.trim_start_matches('\u{feff}');
    let target = if before.trim().is_empty() { below } else { line };
    let column = before.chars().count() as u32 + 1;
    Some(Comment {
        line: line as u32 + 1,
        column,
        code_column: before.trim_end().chars().count() as u32 + 1,
        end_column: column + rest.trim_end().chars().count() as u32,
        target: target as u32 + 1,
        content: content(said),
    })
}

fn content(said: &str) -> Content {
    let Some((rules, reason)) = said
        .trim_start()
        .strip_prefix("allow")
        .and_then(|rest| rest.trim_start().strip_prefix('('))
        .and_then(|rest| rest.split_once(')'))
    else {
        return Content::Malformed;
    };
    let rules: Vec<String> = rules.split(',').map(|r| r.trim().to_string()).collect();
    if rules.iter().any(String::is_empty) {
        return Content::Malformed;
    }
    if !reason.contains(char::is_alphanumeric) {
        return Content::NoReason;
    }
    Content::Allow { rules, reason: reason.trim().to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Comment {
        let found = comments(text);
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].clone()
    }

    #[test]
    fn the_line_itself_or_the_next_code() {
        let trailing = one("fn f() {\n  g(); // migrate-lint: allow(a) it ends with main\n}");
        assert_eq!((trailing.line, trailing.column, trailing.target), (2, 8, 2));
        let allow = |rules: &[&str], reason: &str| Content::Allow {
            rules: rules.iter().map(ToString::to_string).collect(),
            reason: reason.into(),
        };
        assert_eq!(trailing.content, allow(&["a"], "it ends with main"));
        let above = one("// migrate-lint: allow(a, b) known\n// more words\n#[inline]\ng();");
        assert_eq!(above.target, 4);
        assert_eq!(above.content, allow(&["a", "b"], "known"));
    }

    #[test]
    fn a_reason_is_required() {
        assert_eq!(one("// migrate-lint: allow(a)").content, Content::NoReason);
        assert_eq!(one("// migrate-lint: allow(a) --").content, Content::NoReason);
        assert_eq!(one("// migrate-lint: alow(a) why").content, Content::Malformed);
        assert_eq!(one("// migrate-lint: allow() why").content, Content::Malformed);
    }

    #[test]
    fn strings_and_other_comments_are_not_looked_at() {
        let c = "// migrate-lint: allow(a) x";
        for text in [
            format!("let s = \"{c}\";"),
            format!("let s = \"\\\" {c}\";"),
            format!("let s = r#\"\" {c}\"#;"),
            format!("/* /* */ {c} */"),
            format!("//{}", &c[1..]),
            format!("//!{}", &c[2..]),
        ] {
            assert_eq!(comments(&text), [], "{text}");
        }
        one(&format!("let c = '\"'; {c}"));
        one(&format!("let c = '\\''; {c}"));
        one(&format!("fn f<'a>(x: &'a str) {{}} {c}"));
        one(&format!("let r = br##\"\"# \"##; {c}"));
    }

    #[test]
    fn any_text_is_read_to_its_end() {
        for text in ["\"", "'", "r#\"", "/*", "'\\", "é'é", "\"\\"] {
            comments(&format!("{MARKER}{text}"));
            comments(&format!("// {MARKER}\n{text}"));
        }
    }
}
