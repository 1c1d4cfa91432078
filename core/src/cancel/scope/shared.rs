//! Who holds a scope: it has memory of its own, or is a part of the task that polls in it.

use std::ops::Deref;
use std::sync::{Arc, Weak};

use asupersync_task::Part;

use super::{Own, Scope};

/// A counted reference to a scope.
#[derive(Clone)]
pub(crate) enum ScopeRef {
    Own(Arc<Own>),
    OfTask(Part<Scope>),
}

/// A reference by which scopes know of each other. It holds no scope, but the memory of a task whose scope it
/// is: what is inside of that scope is polled by that task, and knows it in any case.
#[derive(Clone)]
pub(crate) enum WeakScope {
    Own(Weak<Own>),
    OfTask(Part<Scope>),
}

impl ScopeRef {
    pub(crate) fn downgrade(&self) -> WeakScope {
        match self {
            ScopeRef::Own(scope) => WeakScope::Own(Arc::downgrade(scope)),
            ScopeRef::OfTask(task) => WeakScope::OfTask(task.clone()),
        }
    }

    pub(crate) fn ptr_eq(&self, other: &ScopeRef) -> bool {
        std::ptr::eq(&**self, &**other)
    }
}

impl WeakScope {
    /// Looks at the scope, if it is still there.
    pub(super) fn with(&self, look: impl FnOnce(&Scope)) {
        match self {
            WeakScope::Own(scope) => {
                if let Some(own) = scope.upgrade() {
                    look(&own.scope);
                }
            }
            WeakScope::OfTask(task) => look(task),
        }
    }

    /// The scope, if it is still there.
    pub(crate) fn upgrade(&self) -> Option<ScopeRef> {
        match self {
            WeakScope::Own(scope) => scope.upgrade().map(ScopeRef::Own),
            WeakScope::OfTask(task) => Some(ScopeRef::OfTask(task.clone())),
        }
    }
}

/// Nobody's.
impl Default for WeakScope {
    fn default() -> Self {
        WeakScope::Own(Weak::new())
    }
}

impl From<Own> for ScopeRef {
    fn from(own: Own) -> Self {
        ScopeRef::Own(Arc::new(own))
    }
}

impl Deref for ScopeRef {
    type Target = Scope;

    #[inline]
    fn deref(&self) -> &Scope {
        match self {
            ScopeRef::Own(own) => &own.scope,
            ScopeRef::OfTask(scope) => scope,
        }
    }
}
