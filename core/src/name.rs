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
        let mut bytes = [0; SHORT];
        Name(match (bytes.get_mut(..name.len()), u8::try_from(name.len())) {
            (Some(start), Ok(len)) => {
                start.copy_from_slice(name.as_bytes());
                Text::Short { len, bytes }
            }
            _ => Text::Long(name.into()),
        })
    }
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
