//! A host driven by hand, so that a test decides what is polled next and what is cancelled when.
//!
//! A [`World`] has a region tree that nothing runs but the test. Its [`Party`]s have a scope each, to
//! be put under Request; an [`Op`] is a future that the test polls, with a waker that counts.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses some of it")]

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use asupersync_core::host::{Host, Job, Lane, Runnable, TimerKey};
use asupersync_core::io::Sockets;
use asupersync_core::region::Root;
use asupersync_core::{Budget, Cx, Handle, Reason, ReasonKind, Time};

/// Runs nothing by itself, and its clock stands still.
#[derive(Default)]
struct Hand {
    queue: Mutex<VecDeque<Runnable>>,
}

impl Host for Hand {
    fn submit(&self, runnable: Runnable, _: Lane, _: asupersync_core::host::Wake) {
        self.queue.lock().unwrap().push_back(runnable);
    }
    fn now(&self) -> Time {
        Time::ZERO
    }
    fn add_timer(&self, _: Time, _: Waker) -> TimerKey {
        TimerKey(0)
    }
    fn cancel_timer(&self, _: TimerKey) {}
    fn spawn_blocking(&self, _: Job) {
        unreachable!("no test here blocks")
    }
    fn random_seed(&self) -> u64 {
        0
    }
    fn net(&self) -> &dyn Sockets {
        unreachable!("no test here has sockets")
    }
}

impl Hand {
    fn run(&self) {
        loop {
            let Some(runnable) = self.queue.lock().unwrap().pop_front() else { return };
            let _ = runnable.run();
        }
    }
}

/// One region tree.
pub struct World {
    host: Arc<Hand>,
    root: Root,
    cx: Cx,
}

/// Whoever waits in a scope of its own.
pub struct Party {
    pub cx: Cx,
    handle: Handle<()>,
}

impl World {
    pub fn new() -> World {
        let host = Arc::new(Hand::default());
        let root = Root::new(host.clone(), "root", Budget::UNLIMITED, Budget::UNLIMITED);
        let slot = Arc::new(Mutex::new(None));
        let out = slot.clone();
        root.start(
            async move |cx: &Cx| {
                *out.lock().unwrap() = Some(cx.clone());
                cx.cancelled().await;
            },
            |_, _| {},
        );
        host.run();
        let cx = slot.lock().unwrap().take().expect("main ran");
        World { host, root, cx }
    }

    pub fn party(&self) -> Party {
        let slot = Arc::new(Mutex::new(None));
        let out = slot.clone();
        let handle = self.cx.spawn("party", async move |cx| {
            *out.lock().unwrap() = Some(cx.clone());
            cx.cancelled().await;
        });
        self.host.run();
        let cx = slot.lock().unwrap().take().expect("the party ran");
        Party { cx, handle }
    }

    /// The root, as a host holds it.
    pub fn root(&self) -> Root {
        self.root.clone()
    }

    /// A context that nobody cancels.
    pub fn cx(&self) -> Cx {
        self.cx.clone()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.root.request(Reason::new(ReasonKind::UserRequest));
        self.host.run();
    }
}

impl Party {
    /// Request.
    pub fn cancel(&self) {
        self.handle.request_cancel(Reason::new(ReasonKind::UserRequest));
    }
}

/// Counts its wakes.
#[derive(Default)]
pub struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Bell {
    pub fn rings(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// A future under the test's hand.
pub struct Op<'a, T> {
    future: Pin<Box<dyn Future<Output = T> + 'a>>,
    bell: Arc<Bell>,
}

pub fn op<'a, T>(future: impl Future<Output = T> + 'a) -> Op<'a, T> {
    Op { future: Box::pin(future), bell: Arc::default() }
}

impl<T> Op<'_, T> {
    /// Polls once, with a waker of its own each time: only the last one is good.
    pub fn poll(&mut self) -> Poll<T> {
        self.bell = Arc::default();
        let waker = Waker::from(self.bell.clone());
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    /// Polls, and must have to wait.
    #[track_caller]
    pub fn waits(&mut self) {
        assert!(self.poll().is_pending(), "it did not have to wait");
    }

    /// Must have been woken, and be ready now.
    #[track_caller]
    pub fn woken(mut self) -> T {
        assert!(self.rings(), "nobody woke it");
        self.now_ready()
    }

    /// Somebody woke it since its last poll.
    pub fn rings(&self) -> bool {
        self.bell.rings() > 0
    }

    #[track_caller]
    fn now_ready(&mut self) -> T {
        match self.poll() {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("it has to wait"),
        }
    }
}

/// Must be ready at once.
#[track_caller]
pub fn ready<T>(future: impl Future<Output = T>) -> T {
    op(future).now_ready()
}

/// Counts how many of its tokens are alive.
#[derive(Clone, Default)]
pub struct Census(Arc<()>);

/// One of a [`Census`], with a name.
#[derive(Clone)]
pub struct Token(pub u32, pub Arc<()>);

impl Census {
    pub fn token(&self, name: u32) -> Token {
        Token(name, self.0.clone())
    }

    pub fn alive(&self) -> usize {
        Arc::strong_count(&self.0) - 1
    }
}

/// A waker whose drop runs `f`.
pub struct OnDrop<F: Fn() + Send + Sync + 'static>(pub F);

impl<F: Fn() + Send + Sync + 'static> Wake for OnDrop<F> {
    fn wake(self: Arc<Self>) {}
}

impl<F: Fn() + Send + Sync + 'static> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Polls `future` once with a waker that runs `on_drop` when it is dropped.
pub fn poll_with<T>(
    future: Pin<&mut (impl Future<Output = T> + ?Sized)>,
    on_drop: impl Fn() + Send + Sync + 'static,
) -> Poll<T> {
    let waker = Waker::from(Arc::new(OnDrop(on_drop)));
    future.poll(&mut Context::from_waker(&waker))
}
