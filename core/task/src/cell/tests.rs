//! What a task costs.

use super::{Cell, Head, Header};
use crate::{JoinHandle, Runnable, TaskRef};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A future of `N` words.
struct Words<const N: usize>([usize; N]);

impl<const N: usize> Future for Words<N> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        let _ = self.0;
        Poll::Pending
    }
}

#[cfg(target_pointer_width = "64")]
#[test]
fn sizes_in_bytes() {
    assert_eq!(size_of::<Header>(), 24);
    assert_eq!(size_of::<Head<()>>(), 40, "the part that every task pays");
    assert_eq!(size_of::<Head<Arc<()>>>(), 48);
    // The stage has room for an outcome, and nothing beside the future.
    assert_eq!(size_of::<Cell<Words<1>, Arc<()>>>(), 48 + 24);
    assert_eq!(size_of::<Cell<Words<5>, Arc<()>>>(), 48 + 40);
    assert_eq!(size_of::<Cell<Words<6>, Arc<()>>>(), 48 + 48);
    assert_eq!(size_of::<Runnable<()>>(), 8);
    assert_eq!(size_of::<Option<Runnable<()>>>(), 8);
    assert_eq!(size_of::<TaskRef<()>>(), 8);
    assert_eq!(size_of::<JoinHandle<[u8; 100], ()>>(), 16);
}
