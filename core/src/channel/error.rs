//! Why a channel operation failed. `?` finds the cancellation in each.

use std::error::Error as StdError;
use std::fmt;

use crate::cancel::Cancelled;
use crate::outcome::Carrier;

/// A send that did not happen, with its value.
pub enum SendError<T> {
    /// The receiver is gone.
    Closed(T),
    /// The sender's scope is under Request.
    Cancelled(T, CancelledSource),
}

/// A receive that will never succeed, or was cancelled.
#[derive(Debug)]
pub enum RecvError {
    /// All senders are gone, and so is everything they sent.
    Closed,
    /// The receiver's scope is under Request; what was sent stays in the channel.
    Cancelled(CancelledSource),
}

/// A cancellation inside an error.
#[derive(Debug)]
pub struct CancelledSource(pub(super) Carrier);

impl CancelledSource {
    /// The cancellation.
    pub fn cancelled(&self) -> &Cancelled {
        &self.0.0
    }

    pub(super) fn as_std(&self) -> &(dyn StdError + 'static) {
        &self.0
    }
}

impl From<Cancelled> for CancelledSource {
    fn from(cancelled: Cancelled) -> Self {
        CancelledSource(Carrier(cancelled))
    }
}

impl From<Cancelled> for RecvError {
    fn from(cancelled: Cancelled) -> Self {
        RecvError::Cancelled(cancelled.into())
    }
}

impl<T> SendError<T> {
    /// The value that was not sent.
    pub fn into_value(self) -> T {
        match self {
            SendError::Closed(value) | SendError::Cancelled(value, _) => value,
        }
    }

    pub(super) fn map<U>(self, change: impl FnOnce(T) -> U) -> SendError<U> {
        match self {
            SendError::Closed(value) => SendError::Closed(change(value)),
            SendError::Cancelled(value, source) => SendError::Cancelled(change(value), source),
        }
    }
}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SendError::Closed(_) => f.write_str("Closed(..)"),
            SendError::Cancelled(_, source) => write!(f, "Cancelled(.., {:?})", source.cancelled()),
        }
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SendError::Closed(_) => f.write_str("not sent: the receiver is gone"),
            SendError::Cancelled(_, source) => write!(f, "not sent: {}", source.cancelled()),
        }
    }
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecvError::Closed => f.write_str("nothing to receive: every sender is gone"),
            RecvError::Cancelled(source) => write!(f, "not received: {}", source.cancelled()),
        }
    }
}

impl<T> StdError for SendError<T> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            SendError::Closed(_) => None,
            SendError::Cancelled(_, source) => Some(&source.0),
        }
    }
}

impl StdError for RecvError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            RecvError::Closed => None,
            RecvError::Cancelled(source) => Some(&source.0),
        }
    }
}
