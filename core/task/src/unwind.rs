//! Containing panics of user values that this crate drops or wakes.
//!
//! A drop that runs inside the runtime has no caller to tell: the panic hook
//! has reported it, and unwinding on would take a worker thread with it.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `f` and ends any panic of it here.
///
/// The payload of such a panic is a user value too: it is dropped under the
/// same protection, and a payload whose drop panics leaks what that panic
/// carried rather than go round again.
pub(crate) fn contain(f: impl FnOnce()) {
    // Unwind safety: every caller writes a valid state after `contain`
    // returns, however `f` ended.
    let Err(payload) = catch_unwind(AssertUnwindSafe(f)) else {
        return;
    };
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        mem::forget(again);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::contain;
    use std::panic::panic_any;

    struct Mine;

    impl Drop for Mine {
        fn drop(&mut self) {
            panic_any(());
        }
    }

    #[test]
    fn a_payload_that_panics_when_dropped_ends_here() {
        contain(|| panic_any(Mine));
    }
}
