//! The kinds of obligation behind one face.

use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use asupersync::channel::call::{self, CallError};
use asupersync::channel::{RecvError, delivery, mpsc, oneshot};
use asupersync::obligation::{
    Detached, Done, Expired, Held, Kind, Lease, Obligation, PermitFn, Resolution, TryPermitFn, hold, try_hold,
};
use asupersync::{Cx, Outcome};

pub(crate) type Seen = Option<Resolution>;
pub(crate) type Boxed<'s, R> = Pin<Box<dyn Future<Output = R> + Send + 's>>;

/// One obligation, and how its giver sees it. `O` is no associated type: rustc does not compare
/// bounds for all lifetimes with a projection in them.
pub(crate) trait Case<O: Obligation<Input: Send>>: Send + Sized + 'static {
    const KIND: Kind;

    async fn make(cx: &Cx) -> Self;

    /// Gives the obligation to `body`. Called once.
    fn with<'s, R: Send + 's, F>(&'s mut self, cx: &'s Cx, body: F) -> Boxed<'s, R>
    where
        F: for<'id> PermitFn<'id, O, R> + Send + 's;

    fn try_with<'s, R: Send + 's, F>(&'s mut self, cx: &'s Cx, body: F) -> Boxed<'s, Outcome<R>>
    where
        F: for<'id> TryPermitFn<'id, O, R> + Send + 's;

    fn commit<'id>(held: Held<'id, O>) -> Done<'id>;

    fn commit_detached(detached: Detached<O>) -> Result<(), Expired<O::Input>>;

    /// How it ended, if it did. A second end is a panic.
    fn seen(&mut self) -> Seen;
}

/// Polls once, and forgets the waker.
pub(crate) fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// The two verbs of `with`, for kinds whose obligation is a value.
macro_rules! by_hold {
    ($obligation:ty) => {
        fn with<'s, R: Send + 's, F>(&'s mut self, cx: &'s Cx, body: F) -> Boxed<'s, R>
        where
            F: for<'id> PermitFn<'id, $obligation, R> + Send + 's,
        {
            Box::pin(hold(cx, self.obligation.take().expect("called once"), body))
        }

        fn try_with<'s, R: Send + 's, F>(&'s mut self, cx: &'s Cx, body: F) -> Boxed<'s, Outcome<R>>
        where
            F: for<'id> TryPermitFn<'id, $obligation, R> + Send + 's,
        {
            Box::pin(try_hold(cx, self.obligation.take().expect("called once"), body))
        }
    };
}

pub(crate) struct Mpsc {
    tx: mpsc::Sender<u8>,
    rx: mpsc::Receiver<u8>,
}

impl Case<mpsc::Room<u8>> for Mpsc {
    const KIND: Kind = Kind::Permit;

    async fn make(_: &Cx) -> Self {
        let (tx, rx) = mpsc::channel(1);
        Mpsc { tx, rx }
    }

    fn with<'s, R: Send + 's, F>(&'s mut self, cx: &'s Cx, body: F) -> Boxed<'s, R>
    where
        F: for<'id> PermitFn<'id, mpsc::Room<u8>, R> + Send + 's,
    {
        let given = self.tx.with_permit(cx, body);
        Box::pin(async move { given.await.expect("there is room") })
    }

    fn try_with<'s, R: Send + 's, F>(&'s mut self, cx: &'s Cx, body: F) -> Boxed<'s, Outcome<R>>
    where
        F: for<'id> TryPermitFn<'id, mpsc::Room<u8>, R> + Send + 's,
    {
        Box::pin(self.tx.try_with_permit(cx, body))
    }

    fn commit<'id>(held: Held<'id, mpsc::Room<u8>>) -> Done<'id> {
        held.send(7)
    }

    fn commit_detached(detached: Detached<mpsc::Room<u8>>) -> Result<(), Expired<u8>> {
        detached.send(7)
    }

    fn seen(&mut self) -> Seen {
        let sent = self.rx.try_recv();
        // Room for one: with none the permit is out still.
        let room = self.tx.try_send(0).is_ok().then(|| self.rx.try_recv());
        match (sent, room) {
            (Some(7), Some(Some(0))) => Some(Resolution::Committed),
            (None, Some(Some(0))) => Some(Resolution::Aborted),
            (None, None) => None,
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) struct Oneshot {
    obligation: Option<oneshot::Sender<u8>>,
    rx: oneshot::Receiver<u8>,
}

impl Case<oneshot::Sender<u8>> for Oneshot {
    const KIND: Kind = Kind::Permit;
    by_hold!(oneshot::Sender<u8>);

    async fn make(_: &Cx) -> Self {
        let (tx, rx) = oneshot::channel();
        Oneshot { obligation: Some(tx), rx }
    }

    fn commit<'id>(held: Held<'id, oneshot::Sender<u8>>) -> Done<'id> {
        held.send(7)
    }

    fn commit_detached(detached: Detached<oneshot::Sender<u8>>) -> Result<(), Expired<u8>> {
        detached.send(7)
    }

    fn seen(&mut self) -> Seen {
        match self.rx.poll_recv(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => None,
            Poll::Ready(Ok(7)) => Some(Resolution::Committed),
            Poll::Ready(Err(RecvError::Closed)) => Some(Resolution::Aborted),
            Poll::Ready(other) => panic!("{other:?}"),
        }
    }
}

pub(crate) struct Loan {
    obligation: Option<Lease<String>>,
    ends: Arc<Mutex<Vec<Resolution>>>,
}

impl Case<Lease<String>> for Loan {
    const KIND: Kind = Kind::Lease;
    by_hold!(Lease<String>);

    async fn make(_: &Cx) -> Self {
        let ends = Arc::new(Mutex::new(Vec::new()));
        let tell = ends.clone();
        let lease = Lease::new("loan".to_owned(), move |value, how| {
            assert_eq!(value, "loan");
            tell.lock().unwrap().push(how);
        });
        Loan { obligation: Some(lease), ends }
    }

    fn commit<'id>(held: Held<'id, Lease<String>>) -> Done<'id> {
        assert_eq!(*held, "loan");
        held.complete()
    }

    fn commit_detached(detached: Detached<Lease<String>>) -> Result<(), Expired> {
        detached.complete()
    }

    fn seen(&mut self) -> Seen {
        let ends = self.ends.lock().unwrap();
        assert!(ends.len() <= 1, "{ends:?}");
        ends.first().copied()
    }
}

pub(crate) struct Message {
    obligation: Option<delivery::Delivery<u8>>,
    /// Of a channel with no sender left: its end is the ack.
    rx: delivery::Receiver<u8>,
    cx: Cx,
}

impl Case<delivery::Delivery<u8>> for Message {
    const KIND: Kind = Kind::Delivery;
    by_hold!(delivery::Delivery<u8>);

    async fn make(cx: &Cx) -> Self {
        let (tx, mut rx) = delivery::channel(1);
        assert!(tx.try_send(7).is_ok());
        let obligation = rx.recv(cx).await.expect("not cancelled");
        // It outlives the region that it is used in.
        Message { obligation, rx, cx: cx.clone() }
    }

    fn commit<'id>(held: Held<'id, delivery::Delivery<u8>>) -> Done<'id> {
        assert_eq!((*held, held.attempt()), (7, 1));
        held.ack()
    }

    fn commit_detached(detached: Detached<delivery::Delivery<u8>>) -> Result<(), Expired> {
        detached.ack()
    }

    fn seen(&mut self) -> Seen {
        match poll_once(pin!(self.rx.recv(&self.cx))) {
            Poll::Pending => None,
            Poll::Ready(Ok(None)) => Some(Resolution::Committed),
            Poll::Ready(Ok(Some(again))) => {
                assert_eq!((*again, again.attempt()), (7, 2));
                again.ack();
                Some(Resolution::Aborted)
            }
            Poll::Ready(Err(cancelled)) => panic!("{cancelled}"),
        }
    }
}

type Answer = Boxed<'static, Result<u8, CallError<()>>>;

pub(crate) struct Request {
    obligation: Option<call::Reply<u8>>,
    caller: Answer,
}

impl Case<call::Reply<u8>> for Request {
    const KIND: Kind = Kind::Reply;
    by_hold!(call::Reply<u8>);

    async fn make(cx: &Cx) -> Self {
        let (client, mut server) = call::channel(1);
        let inside = cx.clone();
        let mut caller: Answer = Box::pin(async move { client.call(&inside, ()).await });
        assert!(poll_once(caller.as_mut()).is_pending());
        let request = server.recv(cx).await.expect("not cancelled").expect("asked");
        Request { obligation: Some(request.reply), caller }
    }

    fn commit<'id>(held: Held<'id, call::Reply<u8>>) -> Done<'id> {
        assert!(!held.is_abandoned());
        held.answer(7)
    }

    fn commit_detached(detached: Detached<call::Reply<u8>>) -> Result<(), Expired<u8>> {
        detached.answer(7)
    }

    fn seen(&mut self) -> Seen {
        match poll_once(self.caller.as_mut()) {
            Poll::Pending => None,
            Poll::Ready(Ok(7)) => Some(Resolution::Committed),
            Poll::Ready(Err(CallError::Aborted)) => Some(Resolution::Aborted),
            Poll::Ready(other) => panic!("{other:?}"),
        }
    }
}

/// A test for each kind, of one function generic in the case.
macro_rules! each_kind {
    ($($test:ident),* $(,)?) => {$(
        mod $test {
            use crate::cases::{self, each_kind};
            each_kind!(@ $test; mpsc Mpsc, oneshot Oneshot, lease Loan, delivery Message, reply Request);
        }
    )*};
    (@ $test:ident; $($name:ident $case:ident),*) => {$(
        #[asupersync::test]
        async fn $name(cx: &asupersync::Cx) -> asupersync::Outcome {
            super::$test::<_, cases::$case>(cx).await
        }
    )*};
}
pub(crate) use each_kind;
