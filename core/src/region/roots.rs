//! The trees that run at the moment, for whoever looks at them from outside.

use std::fmt;
use std::sync::Arc;

use slab::Slab;

use super::dump::Dump;
use super::root::Root;
use crate::lock::{Mutex, lock};

/// The roots of what runs at the moment, as a host lists them for its users.
#[derive(Clone, Default)]
pub struct Roots(Arc<Mutex<Slab<Root>>>);

impl Roots {
    /// Lists a root until the result is dropped.
    pub fn list(&self, root: &Root) -> Listed {
        Listed { key: lock(&self.0).insert(root.clone()), roots: self.clone() }
    }

    /// What each tree looks like, as by [`Root::dump`].
    pub fn dump(&self) -> Vec<Dump> {
        let roots: Vec<Root> = lock(&self.0).iter().map(|(_, root)| root.clone()).collect();
        roots.iter().map(Root::dump).collect()
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} running", lock(&self.0).len())
    }
}

/// A root that is listed; dropped, it no longer is.
#[must_use = "dropped, the root is listed no more"]
#[derive(Debug)]
pub struct Listed {
    roots: Roots,
    key: usize,
}

impl Drop for Listed {
    fn drop(&mut self) {
        let root = lock(&self.roots.0).try_remove(self.key);
        drop(root);
    }
}
