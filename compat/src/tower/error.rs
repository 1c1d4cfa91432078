//! Why a request that was given to a region has no response.

use std::error::Error as StdError;
use std::{fmt, io};

use asupersync_core::{Cancelled, Failure, Panic};

/// Any error, as tower's middleware passes it on.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// Why there is no response: the inner service's error, a cancellation or a panic.
///
/// `?` in a task finds the cancellation in it.
#[derive(Debug)]
pub struct RegionError(Kind);

#[derive(Debug)]
enum Kind {
    Inner(BoxError),
    /// The second field carries the first through `source`.
    Cancelled(Cancelled, io::Error),
    Panicked(Panic),
}

impl RegionError {
    pub(super) fn inner(error: BoxError) -> Self {
        RegionError(Kind::Inner(error))
    }

    pub(super) fn cancelled(cancelled: Cancelled) -> Self {
        RegionError(Kind::Cancelled(cancelled.clone(), cancelled.into()))
    }

    pub(super) fn from_failure(failure: Failure) -> Self {
        match failure {
            Failure::Err(error) => RegionError::inner(error.to_string().into()),
            Failure::Cancelled(cancelled) => RegionError::cancelled(cancelled),
            Failure::Panicked(panic) => RegionError(Kind::Panicked(panic)),
        }
    }

    /// The request was refused, or its handler stopped or was dropped, because of this.
    pub fn as_cancelled(&self) -> Option<&Cancelled> {
        match &self.0 {
            Kind::Cancelled(cancelled, _) => Some(cancelled),
            _ => None,
        }
    }

    /// The handler panicked.
    pub fn as_panic(&self) -> Option<&Panic> {
        match &self.0 {
            Kind::Panicked(panic) => Some(panic),
            _ => None,
        }
    }

    /// The inner service's error.
    pub fn as_inner(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        match &self.0 {
            Kind::Inner(error) => Some(&**error),
            _ => None,
        }
    }
}

impl fmt::Display for RegionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Inner(error) => error.fmt(f),
            Kind::Cancelled(cancelled, _) => cancelled.fmt(f),
            Kind::Panicked(panic) => write!(f, "the handler {panic}"),
        }
    }
}

impl StdError for RegionError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0 {
            // An `io::Error` names as its source only what is beneath the error it was made of.
            Kind::Inner(error) => match error.downcast_ref().and_then(io::Error::get_ref) {
                Some(made_of) => Some(made_of),
                None => error.source(),
            },
            Kind::Cancelled(_, carrier) => Some(carrier),
            Kind::Panicked(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use asupersync_core::{Reason, ReasonKind};

    #[test]
    fn a_cancellation_in_the_inner_services_error_is_found() {
        let cancelled: io::Error = Cancelled::new(Reason::new(ReasonKind::Shutdown)).into();
        let failure = Failure::<asupersync_core::Error>::from(RegionError::inner(cancelled.into()));
        assert!(failure.as_cancelled().is_some(), "{failure:?}");
        let failure = Failure::<asupersync_core::Error>::from(RegionError::inner("other".into()));
        assert!(failure.as_cancelled().is_none(), "{failure:?}");
    }
}
