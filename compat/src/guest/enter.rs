//! A future that needs Tokio's context, polled by the host.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tokio::runtime::Handle;

pin_project! {
    /// A future that is polled, and dropped, in the context of an enclave; from
    /// [`Enclave::enter`](super::Enclave::enter).
    ///
    /// # Cancel safety
    /// That of the future inside.
    pub struct Entered<F> {
        tokio: Handle,
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for Entered<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _context = this.tokio.enter();
            this.future.set(None);
        }
    }
}

impl<F> Entered<F> {
    pub(super) fn new(tokio: Handle, future: F) -> Self {
        Entered { tokio, future: Some(future) }
    }
}

impl<F: Future> Future for Entered<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _context = this.tokio.enter();
        this.future.as_pin_mut().map_or(Poll::Pending, |future| future.poll(task))
    }
}
