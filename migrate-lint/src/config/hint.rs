//! "Did you mean": the known name nearest to a mistyped one.

/// The name that takes the fewest changes, if few enough to be meant.
pub(crate) fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let close = |name: &&str| distance(typed, name) <= name.chars().count().max(3) / 3;
    known.into_iter().filter(close).min_by_key(|name| distance(typed, name))
}

/// A half-sentence for a name that is not known: the nearest one, or all.
pub(crate) fn hint(typed: &str, what: &str, known: &[&str]) -> String {
    match nearest(typed, known.iter().copied()) {
        Some(name) => format!("; did you mean `{name}`?"),
        None => format!("; the {what} are {}", known.join(", ")),
    }
}

/// Insertions, deletions and substitutions from one to the other
/// (Wagner and Fischer, 1974).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_mistakes_have_a_hint_and_other_words_none() {
        let known = ["detached_spawn", "suppression", "exclude"];
        assert_eq!(nearest("detatched_spawn", known), Some("detached_spawn"));
        assert_eq!(nearest("excludes", known), Some("exclude"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(hint("supression", "rules", &known), "; did you mean `suppression`?");
        assert_eq!(hint("colour", "words", &["a", "b"]), "; the words are a, b");
        assert_eq!((distance("", "abc"), distance("abc", ""), distance("kitten", "sitting")), (3, 3, 3));
    }
}
