//! Tickets: what keeps an enclave's drain waiting besides calls, such as the rest of a body, or a connection
//! that was upgraded.

use std::io::{self, IoSlice};
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::enclave::Enclave;
use super::shared::Guest;

/// Keeps the drain of an enclave waiting until it is dropped; from [`Enclave::ticket`].
#[must_use = "dropped, it keeps nobody waiting"]
pub struct Ticket {
    // Before the handle: the drain looks at the ledger.
    _guest: Guest,
    _enclave: Enclave,
}

impl Ticket {
    pub(super) fn new(guest: Guest, enclave: Enclave) -> Self {
        Ticket { _guest: guest, _enclave: enclave }
    }

    /// Ties the ticket to `value`: it is dropped right after that.
    pub fn hold<T>(self, value: T) -> Held<T> {
        Held { value, _ticket: self }
    }
}

pin_project! {
    /// A value that keeps the drain of an enclave waiting while it lives. It reads and writes if the value does.
    pub struct Held<T> {
        #[pin]
        value: T,
        _ticket: Ticket,
    }
}

impl<T> Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Held<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: AsyncRead> AsyncRead for Held<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.project().value.poll_read(task, buf)
    }
}

impl<T: AsyncWrite> AsyncWrite for Held<T> {
    fn poll_write(self: Pin<&mut Self>, task: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.project().value.poll_write(task, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.project().value.poll_write_vectored(task, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.value.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().value.poll_flush(task)
    }

    fn poll_shutdown(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().value.poll_shutdown(task)
    }
}
