//! Names of tasks and regions: most are short, and cost no allocation.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// Bytes of a name that needs no allocation.
const SHORT: usize = 22;

/// The name of a task or a region. It is cheap to clone, and short ones are cheap to make.
#[derive(Clone)]
pub struct Name(Text);

#[derive(Clone)]
enum Text {
    Short { len: u8, bytes: [u8; SHORT] },
    Long(Arc<str>),
}

impl From<&str> for Name {
    #[inline]
    fn from(name: &str) -> Self {
        Name(match (short(name.as_bytes()), u8::try_from(name.len())) {
            (Some(bytes), Ok(len)) => Text::Short { len, bytes },
            _ => Text::Long(name.into()),
        })
    }
}

/// The bytes of a short name, by the word: with what is ahead of them they are three, the first of six bytes. Copied
/// into their place by the byte and then moved from there as a whole, as names are, they would be read before they
/// were written, as far as the processor can tell: a stall.
#[inline]
fn short(name: &[u8]) -> Option<[u8; SHORT]> {
    if name.len() > SHORT {
        return None;
    }
    let (first, rest) = word(name, 6);
    let (second, rest) = word(rest, 8);
    let (third, _) = word(rest, 8);
    let mut bytes = [0; SHORT];
    let (head, tail) = bytes.split_at_mut(6);
    let (middle, end) = tail.split_at_mut(8);
    head.copy_from_slice(&first.to_le_bytes()[..6]);
    middle.copy_from_slice(&second.to_le_bytes());
    end.copy_from_slice(&third.to_le_bytes());
    Some(bytes)
}

/// The first `len` bytes as one word, with zeros for those that are not there, and what comes behind them.
#[inline]
fn word(bytes: &[u8], len: usize) -> (u64, &[u8]) {
    if len == 8
        && let Some((first, rest)) = bytes.split_first_chunk()
    {
        return (u64::from_le_bytes(*first), rest);
    }
    let (first, rest) = bytes.split_at_checked(len).unwrap_or((bytes, &[]));
    let mut word = 0;
    for (byte, at) in first.iter().zip(0..) {
        word |= u64::from(*byte) << (8 * at);
    }
    (word, rest)
}

impl From<String> for Name {
    fn from(name: String) -> Self {
        Name::from(&*name)
    }
}

impl From<Arc<str>> for Name {
    fn from(name: Arc<str>) -> Self {
        Name(Text::Long(name))
    }
}

impl From<&Name> for Arc<str> {
    fn from(name: &Name) -> Self {
        match &name.0 {
            Text::Short { .. } => (**name).into(),
            Text::Long(long) => long.clone(),
        }
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.0 {
            // What is there was a `str`.
            Text::Short { len, bytes } => str::from_utf8(&bytes[..usize::from(*len)]).unwrap_or_default(),
            Text::Long(long) => long,
        }
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        self
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_any_length_reads_as_it_was_written() {
        assert_eq!(size_of::<Name>(), 24);
        for len in 0..=SHORT + 2 {
            for name in ["x".repeat(len), "é".repeat(len)] {
                assert_eq!(*Name::from(&*name), *name);
                assert_eq!(*Arc::<str>::from(&Name::from(&*name)), *name);
            }
        }
    }
}
