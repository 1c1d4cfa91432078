//! The words an executor and a task exchange.

/// Why a task became runnable.
///
/// # Examples
///
/// An executor that lets a task which yields go to the back of the queue:
///
/// ```
/// use asupersync_task::Wake;
///
/// fn to_the_front(why: Wake) -> bool {
///     matches!(why, Wake::Wake | Wake::Promote)
/// }
///
/// assert!(!to_the_front(Wake::Yield));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wake {
    /// It is new: [`Runnable::schedule`](crate::Runnable::schedule).
    Spawn,
    /// It was idle and was woken.
    Wake,
    /// It was woken while it ran, by itself or by others, and is rescheduled
    /// after its poll.
    Yield,
    /// It is queued, and is to be found in another lane too:
    /// [`TaskRef::promote`](crate::TaskRef::promote).
    Promote,
}

/// What came of [`Runnable::run`](crate::Runnable::run).
///
/// # Examples
///
/// A poll budget counts polls, and an out-of-date entry is not one:
///
/// ```
/// use asupersync_task::Ran;
///
/// fn polls(ran: &[Ran]) -> usize {
///     ran.iter().filter(|&&ran| ran != Ran::Stale).count()
/// }
///
/// assert_eq!(polls(&[Ran::Pending, Ran::Stale, Ran::Complete]), 2);
/// ```
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ran {
    /// It was polled and waits for a wake.
    Pending,
    /// It was polled, was woken meanwhile, and has been handed to
    /// [`Schedule::schedule`](crate::Schedule::schedule) again.
    Rescheduled,
    /// It was polled and is done: its future returned, panicked, or was
    /// dropped because a shutdown came during the poll.
    Complete,
    /// The entry was out of date: nothing was polled.
    Stale,
}

/// What came of [`TaskRef::shutdown`](crate::TaskRef::shutdown).
///
/// # Examples
///
/// ```
/// use asupersync_task::Shutdown;
///
/// /// Whether the caller still has to wait for the task to be gone.
/// fn must_wait(shutdown: Shutdown) -> bool {
///     shutdown == Shutdown::Running
/// }
///
/// assert!(!must_wait(Shutdown::Dropped));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shutdown {
    /// The future has been dropped, in this call.
    Dropped,
    /// Its poll is on, and the future is dropped as soon as that poll returns
    /// `Pending`; or another shutdown is dropping it at this moment.
    Running,
    /// The task was complete.
    AlreadyComplete,
}

/// What is done with a waker of a task: see
/// [`Schedule::waker_used`](crate::Schedule::waker_used).
///
/// # Examples
///
/// How the count of wakers changes; to wake by value is to drop as well:
///
/// ```
/// use asupersync_task::WakerUse;
///
/// fn change(what: WakerUse) -> i32 {
///     match what {
///         WakerUse::Clone => 1,
///         WakerUse::WakeByRef => 0,
///         WakerUse::Wake | WakerUse::Drop => -1,
///     }
/// }
///
/// assert_eq!(change(WakerUse::Wake), -1);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WakerUse {
    /// It is cloned.
    Clone,
    /// It wakes the task, and is used up.
    Wake,
    /// It wakes the task, and is kept.
    WakeByRef,
    /// It is dropped.
    Drop,
}

/// What a task is doing, as [`TaskRef::activity`](crate::TaskRef::activity) saw it.
///
/// # Examples
///
/// ```
/// use asupersync_task::Activity;
///
/// fn can_be_polled(activity: Activity) -> bool {
///     activity != Activity::Complete
/// }
///
/// assert!(can_be_polled(Activity::Idle));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Activity {
    /// It waits for a wake.
    Idle,
    /// It waits for its turn.
    Queued,
    /// Somebody polls it, or drops its future.
    Running,
    /// It is done.
    Complete,
}
