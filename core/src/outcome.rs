//! How work ends: `Ok`, or a [`Failure`] that is an error, a cancellation or a panic.
//!
//! `Outcome` is a `Result`, so that `?` works on stable. `Failure` is not a
//! [`std::error::Error`], which lets `?` accept every error type there is; a cancellation that
//! travelled inside a third party's error is found again and comes out as `Cancelled`.

use std::any::Any;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

use crate::cancel::Cancelled;
use crate::lock::{Mutex, lock};

/// What a task, a region or an operation ends with.
pub type Outcome<T = (), E = Error> = Result<T, Failure<E>>;

/// Why there is no value.
#[derive(Clone)]
pub enum Failure<E = Error> {
    /// The work failed by itself.
    Err(E),
    /// The work was asked to stop, and did.
    Cancelled(Cancelled),
    /// The work panicked.
    Panicked(Panic),
}

/// How grave an outcome is. Outcomes of siblings are joined by the gravest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// A value.
    Ok,
    /// An error.
    Err,
    /// A cancellation.
    Cancelled,
    /// A panic.
    Panicked,
}

impl<E> Failure<E> {
    /// How grave this failure is.
    pub fn severity(&self) -> Severity {
        match self {
            Failure::Err(_) => Severity::Err,
            Failure::Cancelled(_) => Severity::Cancelled,
            Failure::Panicked(_) => Severity::Panicked,
        }
    }

    /// The cancellation, if it is one.
    pub fn as_cancelled(&self) -> Option<&Cancelled> {
        match self {
            Failure::Cancelled(cancelled) => Some(cancelled),
            _ => None,
        }
    }

    /// The same failure with its error converted.
    pub fn err_into<X: From<E>>(self) -> Failure<X> {
        match self {
            Failure::Err(error) => Failure::Err(error.into()),
            Failure::Cancelled(cancelled) => Failure::Cancelled(cancelled),
            Failure::Panicked(panic) => Failure::Panicked(panic),
        }
    }
}

impl<E: fmt::Display> fmt::Display for Failure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Err(error) => error.fmt(f),
            Failure::Cancelled(cancelled) => cancelled.fmt(f),
            Failure::Panicked(panic) => panic.fmt(f),
        }
    }
}

impl<E: fmt::Debug> fmt::Debug for Failure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Err(error) => error.fmt(f),
            Failure::Cancelled(cancelled) => write!(f, "Cancelled({:?})", cancelled.reason()),
            Failure::Panicked(panic) => panic.fmt(f),
        }
    }
}

/// Any error, with its sources. Cheap to clone, so that a region can keep what its task returned.
///
/// Like the error types it stands for it is made by `?`; unlike them it is not itself a
/// [`std::error::Error`], so that the conversion is free of overlaps.
#[derive(Clone)]
pub struct Error(Arc<dyn StdError + Send + Sync>);

impl Error {
    /// An error that is only a message.
    pub fn msg(message: impl fmt::Display) -> Self {
        Error(Arc::new(Message(message.to_string())))
    }

    /// The error inside, if it is an `X`.
    pub fn downcast_ref<X: StdError + 'static>(&self) -> Option<&X> {
        self.0.downcast_ref()
    }

    /// The error inside.
    pub fn as_std(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &*self.0
    }
}

impl<X: StdError + Send + Sync + 'static> From<X> for Error {
    fn from(error: X) -> Self {
        Error(Arc::new(error))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            write!(f, "\n  caused by: {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Message(String);

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Message {}

/// A panic that was caught at a task's or a region's edge.
#[derive(Clone)]
pub struct Panic {
    message: Arc<str>,
    payload: Arc<Mutex<Option<Box<dyn Any + Send>>>>,
}

impl Panic {
    /// Wraps the payload of [`std::panic::catch_unwind`].
    pub fn new(payload: Box<dyn Any + Send>) -> Self {
        let message: Arc<str> = if let Some(text) = payload.downcast_ref::<&str>() {
            Arc::from(*text)
        } else if let Some(text) = payload.downcast_ref::<String>() {
            Arc::from(text.as_str())
        } else {
            Arc::from("a panic without a message")
        };
        Panic { message, payload: Arc::new(Mutex::new(Some(payload))) }
    }

    /// The panic's message, or a stand-in when the payload is not text.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The payload, for [`std::panic::resume_unwind`]; `None` once somebody took it.
    pub fn take_payload(&self) -> Option<Box<dyn Any + Send>> {
        lock(&self.payload).take()
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "panicked: {}", self.message)
    }
}

impl fmt::Debug for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Panicked({:?})", self.message)
    }
}

impl<X, E> From<X> for Failure<E>
where
    X: StdError + Send + Sync + 'static,
    E: From<X>,
{
    fn from(error: X) -> Self {
        match find_cancelled(&error) {
            Some(cancelled) => Failure::Cancelled(cancelled),
            None => Failure::Err(error.into()),
        }
    }
}

impl<E> From<Cancelled> for Failure<E> {
    fn from(cancelled: Cancelled) -> Self {
        Failure::Cancelled(cancelled)
    }
}

impl<X: StdError + Send + Sync + 'static> From<Failure<X>> for Failure<Error> {
    fn from(failure: Failure<X>) -> Self {
        match failure {
            Failure::Err(error) => error.into(),
            other => other.err_into(),
        }
    }
}

/// Carries a cancellation through interfaces that know only `std::error::Error`.
#[derive(Debug)]
pub(crate) struct Carrier(pub(crate) Cancelled);

impl fmt::Display for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Carrier {}

impl From<Cancelled> for io::Error {
    /// Of kind `Other`: `Interrupted` would make `read_to_end` and its kin retry for ever.
    fn from(cancelled: Cancelled) -> io::Error {
        io::Error::other(Carrier(cancelled))
    }
}

/// The cancellation inside an error, however deep a third party wrapped it.
fn find_cancelled(error: &(dyn StdError + 'static)) -> Option<Cancelled> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(carrier) = error.downcast_ref::<Carrier>() {
            return Some(carrier.0.clone());
        }
        // The source of an `io::Error` is the source of what it wraps, so look at that itself.
        if let Some(inner) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref)
            && let Some(found) = find_cancelled(inner)
        {
            return Some(found);
        }
        next = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cancel::{Reason, ReasonKind};

    #[derive(Debug)]
    struct ThirdParty(io::Error);
    impl fmt::Display for ThirdParty {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("third party")
        }
    }
    impl StdError for ThirdParty {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn a_cancellation_survives_a_third_partys_error() {
        let cancelled = Cancelled::new(Reason::new(ReasonKind::Shutdown));
        let wrapped = io::Error::other(ThirdParty(cancelled.into()));
        let failure: Failure = wrapped.into();
        assert_eq!(failure.as_cancelled().unwrap().reason().kind(), ReasonKind::Shutdown);
    }

    #[test]
    fn an_ordinary_error_stays_one() {
        let failure: Failure = io::Error::new(io::ErrorKind::NotFound, "gone").into();
        assert_eq!(failure.severity(), Severity::Err);
        let Failure::Err(error) = failure else { unreachable!() };
        assert_eq!(error.downcast_ref::<io::Error>().unwrap().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn typed_failures_convert_with_question_mark() {
        fn inner() -> Outcome<(), io::Error> {
            Err(Failure::Err(io::Error::other("x")))
        }
        fn outer() -> Outcome<()> {
            inner()?;
            Ok(())
        }
        assert_eq!(outer().unwrap_err().severity(), Severity::Err);
    }
}
