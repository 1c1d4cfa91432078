//! Why a join handle has no output to give.

use std::any::Any;
use std::error::Error;
use std::fmt;

/// Why a task ended without an output.
///
/// # Examples
///
/// ```
/// use asupersync_task::JoinError;
///
/// let error = JoinError::Panicked(Box::new("out of cheese"));
/// assert_eq!(error.to_string(), "task panicked: out of cheese");
/// assert_eq!(JoinError::Shutdown.to_string(), "task was shut down");
/// ```
pub enum JoinError {
    /// The task was shut down before it was done: its future was dropped,
    /// by [`TaskRef::shutdown`](crate::TaskRef::shutdown) or because its
    /// queue entry was dropped instead of run.
    Shutdown,
    /// A poll of the future panicked; the payload of that panic.
    Panicked(Box<dyn Any + Send>),
}

impl JoinError {
    /// The panic's message, if this is a panic and its payload is a string,
    /// as that of `panic!` is.
    fn message(&self) -> Option<&str> {
        let Self::Panicked(payload) = self else {
            return None;
        };
        match payload.downcast_ref::<&'static str>() {
            Some(message) => Some(message),
            None => payload.downcast_ref::<String>().map(String::as_str),
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shutdown => f.write_str("Shutdown"),
            Self::Panicked(_) => f.debug_tuple("Panicked").field(&self.message().unwrap_or("..")).finish(),
        }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.message()) {
            (Self::Shutdown, _) => f.write_str("task was shut down"),
            (Self::Panicked(_), Some(message)) => write!(f, "task panicked: {message}"),
            (Self::Panicked(_), None) => f.write_str("task panicked"),
        }
    }
}

impl Error for JoinError {}
