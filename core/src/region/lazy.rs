//! A region that is opened when somebody asks for it.
//!
//! Much work never asks what region it is in: it starts no task, waits at nothing of its region, and ends before
//! anybody else looks. To open a region for that is in vain. So the parent is only [promised](super::promise)
//! one, and it is opened, once, by whoever needs it first:
//!
//! | who | why |
//! |---|---|
//! | the body | asks for its `Cx` |
//! | the parent | is asked to close: it tells the region, and waits for it |
//! | whoever holds it | leaves it behind, or asks it to close |
//! | a dump | tells of it |
//!
//! It is as old as the promise, so that nobody can tell when it was opened.
//!
//! Whoever has it may keep its place for the next one: then the parent counts it on when it has ended, and the
//! next costs the parent nothing. See [`standing`](super::standing).
//!
//! Invariants:
//! 1. It is opened, or has ended, or neither, by its [`Place`]. To be opened, and to leave the parent, is claimed
//!    under the parent's lock; `opened` is set to the region's `Cx` there as well, when the parent has listed it.
//! 2. The home of an open region's scope is the last `poller`, or `rests`: whoever opens it makes it that before
//!    others see the region, under the lock of `poller`; who comes later finds it open, and does so itself.
//! 3. A request that comes before there is a home is looked for after.
//! 4. A place is vacant only while nobody has a [`LazyCx`] of those that had it, who could open it.
//!
//! Lock order: `poller`, then the parent's.

use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::fence;
use std::task::{Context, Poll, Waker};

use super::open::Opened;
use super::place::{Place, Stage};
use super::tree::{Node, Plan, Promised};
use super::{Builder, inside};
use crate::budget::Budget;
use crate::cancel::{Cancelled, Level, ScopeRef};
use crate::caps::{All, NoCaps};
use crate::cx::Cx;
use crate::lock::{Mutex, lock};
use crate::outcome::{Failure, Outcome, Panic};
use crate::primitive::{AtomicU64, AtomicUsize, OnceLock, Ordering};
use crate::spawn::contain;
use crate::time::Time;

/// The [`Cx`] of a region that is opened when this is first used as one; made by
/// [`Builder::inline_lazily`](super::Builder::inline_lazily).
///
/// A clone that outlives its region gives a `Cx` that can do nothing.
pub struct LazyCx<C = All> {
    lazy: Arc<Lazy>,
    caps: PhantomData<fn() -> C>,
}

impl<C> LazyCx<C> {
    pub(super) fn new(lazy: Arc<Lazy>) -> Self {
        LazyCx { lazy, caps: PhantomData }
    }

    /// The region is open, so that this costs nothing any more.
    pub fn is_open(&self) -> bool {
        self.lazy.opened().is_some()
    }
}

impl<C> Clone for LazyCx<C> {
    fn clone(&self) -> Self {
        LazyCx::new(self.lazy.clone())
    }
}

impl<C> Deref for LazyCx<C> {
    type Target = Cx<C>;

    fn deref(&self) -> &Cx<C> {
        self.lazy.cx().with_caps()
    }
}

/// A region that may have to be opened.
pub(super) struct Lazy {
    /// The parent's, with the authority of whoever opens it.
    around: Cx<NoCaps>,
    /// The same region, which that may have to ask a task for.
    parent: Arc<Node>,
    builder: Arc<Builder>,
    site: &'static Location<'static>,
    /// In nanoseconds. Who opens it in the moment in which one ends and the next begins may have that of the first.
    since: AtomicU64,
    /// Where the parent has it while it is promised.
    key: AtomicUsize,
    place: Place,
    opened: OnceLock<Cx<NoCaps>>,
    /// Of a region that closed as soon as it was opened: for whoever asks when the body has ended.
    late: std::sync::OnceLock<Cx<NoCaps>>,
    /// Who is to hear of a request while nobody polls the body, if somebody keeps the place.
    rests: Option<Waker>,
    /// Who polls the body, once that has waited.
    poller: Mutex<Option<Waker>>,
}

impl Lazy {
    /// Promises it to the region of `around`.
    pub(super) fn new<C>(
        around: &Cx<C>,
        builder: Arc<Builder>,
        site: &'static Location<'static>,
        since: Option<Time>,
        rests: Option<Waker>,
    ) -> Result<Arc<Self>, Cancelled> {
        let around = around.bare().clone();
        let lazy = Arc::new(Lazy {
            since: AtomicU64::new(builder.begins(&around, since).as_nanos()),
            parent: around.share_node(),
            around,
            builder,
            site,
            key: AtomicUsize::new(0),
            place: Place::new(rests.is_some()),
            opened: OnceLock::new(),
            late: std::sync::OnceLock::new(),
            rests,
            poller: Mutex::new(None),
        });
        lazy.parent.scope.check(Level::Spent)?;
        lazy.parent.promise(&lazy, &lazy.key)?;
        // It is open at once if its work has a budget, or counts for one.
        if lazy.builder.policy.work != Budget::UNLIMITED || lazy.parent.scope.is_metered() {
            lazy.keep();
        }
        Ok(lazy)
    }

    /// Promises the next one in its place, if that is vacant, and it would be such a one.
    pub(super) fn promise_next<C>(
        &self,
        around: &Cx<C>,
        builder: &Arc<Builder>,
        since: Option<Time>,
    ) -> bool {
        let same = Arc::ptr_eq(&self.builder, builder) && self.around.is_same(around.bare());
        if !same || !self.place.is(Stage::Vacant) {
            return false;
        }
        // Nobody reads this while it is vacant, and who keeps the place is one.
        self.since.store(builder.begins(&self.around, since).as_nanos(), Ordering::Relaxed);
        self.place.promise()
    }

    /// The scope of whoever made it.
    pub(super) fn around(&self) -> &ScopeRef {
        self.around.scope()
    }

    /// The region, if it is open.
    pub(super) fn opened(&self) -> Option<&Node> {
        self.opened.get().map(|cx| &**cx.node())
    }

    /// The region, opened now if it was not.
    pub(super) fn node(&self) -> &Node {
        self.cx().node()
    }

    fn share_node(&self) -> Arc<Node> {
        self.cx().share_node()
    }

    fn cx(&self) -> &Cx<NoCaps> {
        if !self.is_claimed() {
            self.open();
        }
        self.opened.get().unwrap_or_else(|| self.late.get_or_init(|| self.open_late()))
    }

    /// It is open, and can be seen to be, or will not be.
    fn is_claimed(&self) -> bool {
        self.opened.get().is_some() || self.place.is(Stage::Ended)
    }

    fn make(&self) -> (Arc<Node>, Cx<NoCaps>) {
        let (parent, Builder { name, policy, authority, .. }) = (&self.parent, &*self.builder);
        let since = Time::from_nanos(self.since.load(Ordering::Relaxed));
        let node = parent.make_child(
            &parent.scope,
            Plan { name, policy: *policy, site: self.site, since: Some(since) },
            true,
        );
        let cx = inside(&self.around, &node, authority.clone());
        (node, cx)
    }

    fn key(&self) -> usize {
        self.key.load(Ordering::Relaxed)
    }

    #[cold]
    fn open(&self) {
        let (node, cx) = self.make();
        let guard = lock(&self.poller);
        let poller = guard.as_ref().or(self.rests.as_ref()).cloned();
        poller.iter().for_each(|poller| node.scope.set_home(poller.clone()));
        let claim = || self.place.step(Stage::Promised, Stage::Opened);
        let mine = self.parent.keep_promise(self.key(), &node, claim, || drop(self.opened.set(cx)));
        drop(guard);
        if mine {
            node.begin();
            let asked = node.scope.level() > Level::Clear;
            poller.filter(|_| asked).into_iter().for_each(Waker::wake);
        }
    }

    fn open_late(&self) -> Cx<NoCaps> {
        let (node, cx) = self.make();
        let closed = node.body_ended(false);
        debug_assert!(closed.is_some(), "nothing is in it");
        cx
    }

    /// The body has ended: nobody opens it any more. Tells whether nobody has.
    pub(super) fn end(&self) -> bool {
        !self.is_claimed() && self.leave(Stage::Promised)
    }

    /// As [`end`](Self::end), for one whose body has not waited; and its place stays, if somebody keeps it.
    pub(super) fn vacate(self: &Arc<Self>) -> bool {
        // The parent's, and those of whoever keeps the place and of this region: nobody has a `LazyCx`.
        const NOBODY_ELSE: usize = 3;
        let alone = Arc::strong_count(self) == NOBODY_ELSE;
        // What those who had one did with it comes before.
        fence(Ordering::Acquire);
        alone && self.place.vacate() || self.end()
    }

    /// Nobody keeps the place any more.
    pub(super) fn give_up(&self) {
        if self.place.give_up() {
            self.leave(Stage::Vacant);
        }
    }

    /// Leaves the parent, if it is in this stage. Tells whether it was.
    fn leave(&self, stage: Stage) -> bool {
        self.place.is(stage) && self.parent.withdraw(self.key(), || self.place.step(stage, Stage::Ended))
    }

    /// Polls the body while the region is not open: ready with the outcome, or with `None` if the region was
    /// open before. A panic is an outcome, as in a region.
    pub(super) fn poll_body<T>(
        &self,
        mut body: Pin<&mut Option<impl Future<Output = Outcome<T>>>>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Outcome<T>>> {
        if self.opened().is_some() {
            return Poll::Ready(None);
        }
        let polled = catch_unwind(AssertUnwindSafe(|| {
            let polled = body.as_mut().as_pin_mut().map_or(Poll::Pending, |body| body.poll(task));
            if polled.is_ready() {
                body.set(None);
            }
            polled
        }));
        match polled {
            Ok(Poll::Ready(outcome)) => Poll::Ready(Some(outcome)),
            Ok(Poll::Pending) => {
                self.set_poller(task.waker(), Level::Clear);
                Poll::Pending
            }
            Err(payload) => Poll::Ready(Some(Err(Failure::Panicked(Panic::new(payload))))),
        }
    }

    /// Names who is to be woken by a request from now on, and wakes it if one has come that is above `seen`.
    pub(super) fn set_poller(&self, waker: &Waker, seen: Level) {
        self.poll_by(waker.clone(), seen);
    }

    /// As [`set_poller`](Self::set_poller).
    pub(super) fn poll_by(&self, waker: Waker, seen: Level) {
        let mut poller = lock(&self.poller);
        let stale = poller.replace(waker);
        let opened = self.opened().map(|node| (node, poller.clone()));
        drop(poller);
        drop(stale);
        if let Some((node, Some(waker))) = opened {
            polled_under(node, &waker, seen);
        }
    }
}

impl Builder {
    fn begins(&self, around: &Cx<NoCaps>, since: Option<Time>) -> Time {
        since.or(self.since).unwrap_or_else(|| self.policy.begins(around.host()))
    }
}

/// A body that runs in what may become a region. Dropped half-way, it leaves nothing open.
pub(super) struct Unopened {
    lazy: Arc<Lazy>,
    /// It did become one.
    opened: Option<Opened>,
    /// It will not.
    ended: bool,
}

impl Unopened {
    pub(super) fn new(lazy: Arc<Lazy>) -> Self {
        Unopened { lazy, opened: None, ended: false }
    }

    pub(super) fn lazy(&self) -> &Arc<Lazy> {
        &self.lazy
    }

    /// The body has ended, and nobody opens the region any more; or somebody has, which this tells.
    pub(super) fn end(&mut self) -> bool {
        self.ended = self.lazy.end();
        self.ended
    }

    /// The same, for a body that has not waited: its place stays, if somebody keeps it.
    pub(super) fn vacate(&mut self) -> bool {
        self.ended = self.lazy.vacate();
        self.ended
    }

    /// Runs the body, and drives the region to Closed if there is one then. The body is to be dropped before
    /// this is.
    pub(super) async fn run<T>(
        &mut self,
        mut body: Pin<&mut Option<impl Future<Output = Outcome<T>>>>,
    ) -> Outcome<T> {
        let early = poll_fn(|task| self.lazy.poll_body(body.as_mut(), task)).await;
        let mut early = match early {
            Some(outcome) if self.end() => return outcome,
            early => early.map(|outcome| (outcome, None)),
        };
        let node = self.lazy.share_node();
        let opened = self.opened.insert(Opened::late(node.clone()));
        let mut contained = contain(&node.scope, body);
        let ends = poll_fn(|task| match early.take() {
            Some(ended) => Poll::Ready(ended),
            None => Pin::new(&mut contained).poll(task),
        });
        opened.run(&node.scope, ends).await
    }
}

impl Drop for Unopened {
    fn drop(&mut self) {
        if self.opened.is_none() && !self.ended && !self.lazy.end() {
            drop(Opened::late(self.lazy.share_node()));
        }
    }
}

/// As [`Lazy::set_poller`], for an open region.
pub(super) fn polled_under(node: &Node, waker: &Waker, seen: Level) {
    node.scope.make_home_of(waker);
    if node.scope.level() > seen {
        waker.wake_by_ref();
    }
}

impl Promised for Lazy {
    fn keep(&self) {
        // Whoever has it may be faster, and then this looks again.
        while !self.is_claimed() && !self.leave(Stage::Vacant) {
            self.open();
        }
    }
}
