//! A lease: a value that is borrowed from a provider, who is told how that ended.

use std::fmt;
use std::ops::{Deref, DerefMut};

use super::held::Obligation;
use super::kind::{self, Resolution};

/// A value on loan. However the loan ends, the provider's function is called with the value and how
/// it ended, exactly once: completed, or aborted, which is what a drop does.
///
/// [`hold`](super::hold) makes it one that cannot be dropped by mistake.
///
/// ```
/// # use asupersync::obligation::{Lease, Resolution, hold};
/// # use asupersync::{Cx, Outcome};
/// # use std::sync::{Arc, Mutex};
/// # #[asupersync::main]
/// # async fn main(cx: &Cx) -> Outcome<()> {
/// // A connection goes back to its pool unless something went wrong with it.
/// let pool = Arc::new(Mutex::new(vec!["connection".to_owned()]));
/// let back = pool.clone();
/// let connection = pool.lock().unwrap().pop().unwrap();
/// let lease = Lease::new(connection, move |connection, how| {
///     if how == Resolution::Committed {
///         back.lock().unwrap().push(connection);
///     }
/// });
/// let length = hold(cx, lease, async |lease| {
///     let length = lease.len();
///     lease.complete().with(length)
/// });
/// assert_eq!(length.await, 10);
/// assert_eq!(pool.lock().unwrap().len(), 1);
/// # Ok(())
/// # }
/// ```
#[must_use = "dropped, it is aborted"]
pub struct Lease<T> {
    loan: Option<(T, End<T>)>,
}

type End<T> = Box<dyn FnOnce(T, Resolution) + Send>;

impl<T> Lease<T> {
    /// Lends `value`; `end` takes it back. `end` should not wait, and not panic.
    pub fn new(value: T, end: impl FnOnce(T, Resolution) + Send + 'static) -> Self {
        Lease { loan: Some((value, Box::new(end))) }
    }

    fn end(&mut self, how: Resolution) {
        if let Some((value, end)) = self.loan.take() {
            end(value, how);
        }
    }
}

impl<T: Send + 'static> Obligation for Lease<T> {
    type Kind = kind::Lease;
    type Input = ();
    type Output = ();
    fn commit(mut self, (): ()) {
        self.end(Resolution::Committed);
    }
}

impl<T> Drop for Lease<T> {
    fn drop(&mut self) {
        self.end(Resolution::Aborted);
    }
}

impl<T> Deref for Lease<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.loan.as_ref().expect("on loan until it is consumed").0
    }
}

impl<T> DerefMut for Lease<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.loan.as_mut().expect("on loan until it is consumed").0
    }
}

impl<T: fmt::Debug> fmt::Debug for Lease<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lease").field(&**self).finish()
    }
}
