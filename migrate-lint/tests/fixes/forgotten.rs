//! Leaked handles: which are dropped after the fix, and which are left.
#![deny(unused_imports)]

use std::mem::{self, ManuallyDrop, forget};

async fn work() {}

/// Aborts its task when it is dropped, so dropping it is not the same.
struct Aborting(tokio::task::JoinHandle<()>);

impl Drop for Aborting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    std::mem::forget(tokio::spawn(work()));
    let handle = tokio::spawn(work());
    mem::forget(handle);
    forget(tokio::spawn(work()));
    let _kept = ManuallyDrop::new(tokio::spawn(work()));
    mem::forget(Aborting(tokio::spawn(work())));
    let aborting = Aborting(tokio::spawn(work()));
    mem::forget(aborting);
}
