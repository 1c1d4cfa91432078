//! Changing a text at several places at once.

use crate::identity::Places;
use crate::rule::Fix;

/// The text with all fixes that do not meet an earlier one, and their number.
pub fn apply<'f>(text: &str, fixes: impl Iterator<Item = &'f Fix>) -> (String, usize) {
    let places = Places::of(text);
    let mark = text.len() - places.text().len();
    let mut edits: Vec<(usize, usize, &str)> = Vec::new();
    let mut made = 0;
    for fix in fixes {
        let range = |edit: &'f crate::rule::Edit| {
            let (start, end) = places.range(edit.span);
            (start + mark, end + mark, edit.text.as_str())
        };
        let new: Vec<_> = fix.edits.iter().map(range).collect();
        let meets =
            |a: &(usize, usize, &str), b: &(usize, usize, &str)| a.0 == b.0 || (a.0 < b.1 && b.0 < a.1);
        if new.is_empty() || new.iter().any(|a| edits.iter().any(|b| meets(a, b))) {
            continue;
        }
        edits.extend(new);
        made += 1;
    }
    edits.sort_unstable();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (start, end, new) in edits {
        out.push_str(&text[at..start]);
        out.push_str(new);
        at = end;
    }
    out.push_str(&text[at..]);
    (out, made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::index::Span;
    use crate::rule::Edit;

    fn fix(edits: &[(u32, u32, u32, &str)]) -> Fix {
        let edit = |&(line, column, end_column, text): &(u32, u32, u32, &str)| Edit {
            span: Span { line, column, end_line: line, end_column },
            text: text.into(),
        };
        Fix { edits: edits.iter().map(edit).collect() }
    }

    #[test]
    fn all_at_once_and_those_that_meet_later() {
        let text = "\u{feff}日本 one\r\ntwo three";
        let fixes = [fix(&[(2, 1, 4, "2"), (1, 4, 7, "1")]), fix(&[(2, 3, 6, "x")]), fix(&[(2, 5, 10, "")])];
        assert_eq!(apply(text, fixes.iter()), ("\u{feff}日本 1\r\n2 ".to_string(), 2));
        assert_eq!(apply(text, [].iter()), (text.to_string(), 0));
    }
}
