//! What a wait is for, in one word.
//!
//! An operation that has to wait leaves a [`Note`] in its scope: one relaxed store, no lock, no
//! allocation, and nothing at all when it is ready. Whoever looks at the tree from outside reads it, and
//! may be told of the wait before; nothing else depends on it.
//!
//! | bits | what |
//! |---|---|
//! | 0 to 5 | which wait; 0: nothing was noted |
//! | 6 | it is over |
//! | 7 to 63 | for what: an address, a number, a point in time, cut to 57 bits |
//!
//! A note whose wait is over stays: it tells what a task waited for last that waits for something
//! unknown now, or does not return from its poll.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::id::{RegionId, TaskId};
use crate::time::Time;

/// What a task waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Awaits {
    /// A point in time.
    Until(Time),
    /// Its next turn: it lets others run.
    Turn,
    /// That it is asked to stop.
    Request,
    /// A shutdown signal.
    Shutdown,
    /// The end of a task.
    Join(TaskId),
    /// The closing of a region.
    Closing(RegionId),
    /// The end of a job on a thread that may block.
    Job,
    /// Its children, as their supervisor.
    Children,
    /// A future that knows no `Cx`, inside [`Cx::or_cancel`](crate::Cx::or_cancel) or
    /// [`Cx::or_spent`](crate::Cx::or_spent).
    Foreign,
    /// Something that tells nothing of itself: a future that knows no `Cx`.
    Unknown,
    /// Something of a lock, a channel or a socket.
    Object(Use, Object),
}

/// Something that tasks wait at: a lock, a channel, a socket. Equal numbers mean the same thing, for
/// as long as somebody waits at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Object(pub u64);

macro_rules! uses {
    ($($(#[$doc:meta])* $name:ident $text:literal $phrase:literal)*) => {
        /// What is awaited of an [`Object`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Use {
            $($(#[$doc])* $name),*
        }

        impl Use {
            const ALL: &[Use] = &[$(Use::$name),*];

            /// Its name in reports: lower case, with underscores.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Use::$name => $text),*
                }
            }
        }

        impl fmt::Display for Use {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Use::$name => $phrase),*
                })
            }
        }
    };
}

uses! {
    /// A message on an `mpsc` channel.
    MpscRecv "mpsc_recv" "a message on an mpsc channel"
    /// Room in an `mpsc` channel.
    MpscSend "mpsc_send" "room in an mpsc channel"
    /// The value of a `oneshot` channel.
    OneshotRecv "oneshot_recv" "the value of a oneshot channel"
    /// A new value of a `watch` channel.
    WatchChanged "watch_changed" "a new value of a watch channel"
    /// The end of the last receiver of a `watch` channel.
    WatchClosed "watch_closed" "the end of a watch channel's receivers"
    /// A message on a `broadcast` channel.
    BroadcastRecv "broadcast_recv" "a message on a broadcast channel"
    /// A mutex.
    Mutex "mutex" "a mutex"
    /// A read lock.
    RwLockRead "rwlock_read" "a lock to read"
    /// A write lock.
    RwLockWrite "rwlock_write" "a lock to write"
    /// Permits of a semaphore.
    Permits "permits" "permits of a semaphore"
    /// A notification.
    Notify "notify" "a notification"
    /// The others at a barrier.
    Barrier "barrier" "the others at a barrier"
    /// The value of a once-cell.
    OnceCell "once_cell" "the value of a once-cell"
    /// A connection to accept.
    Accept "accept" "a connection to accept"
    /// A connection that is being made.
    Connect "connect" "a connection that is being made"
    /// Bytes from a socket.
    SocketRead "socket_read" "bytes from a socket"
    /// Room to write to a socket.
    SocketWrite "socket_write" "room to write to a socket"
}

impl Awaits {
    /// Its name in reports: lower case, with underscores.
    pub const fn name(self) -> &'static str {
        match self {
            Awaits::Until(_) => "timer",
            Awaits::Turn => "turn",
            Awaits::Request => "request",
            Awaits::Shutdown => "shutdown",
            Awaits::Join(_) => "join",
            Awaits::Closing(_) => "closing",
            Awaits::Job => "job",
            Awaits::Children => "children",
            Awaits::Foreign => "foreign",
            Awaits::Unknown => "unknown",
            Awaits::Object(what, _) => what.name(),
        }
    }
}

impl fmt::Display for Awaits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Awaits::Until(Time::MAX) => f.write_str("a time that never comes"),
            Awaits::Until(time) => write!(f, "{time:?} on the clock"),
            Awaits::Turn => f.write_str("its next turn"),
            Awaits::Request => f.write_str("a request to stop"),
            Awaits::Shutdown => f.write_str("a shutdown signal"),
            Awaits::Join(id) => write!(f, "the end of task {id:?}"),
            Awaits::Closing(id) => write!(f, "the closing of region {id:?}"),
            Awaits::Job => f.write_str("a blocking job"),
            Awaits::Children => f.write_str("its children, as their supervisor"),
            Awaits::Foreign => f.write_str("a foreign future, inside `or_cancel` or `or_spent`"),
            Awaits::Unknown => f.write_str("a future that knows no `Cx`"),
            Awaits::Object(what, _) => what.fmt(f),
        }
    }
}

/// A wait in one word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Note(u64);

const OVER: u64 = 1 << 6;
const WHICH: u64 = OVER - 1;
const SHIFT: u32 = 7;
/// What is left of a number.
const MOST: u64 = u64::MAX >> SHIFT;
/// The first code of a [`Use`]; those below are the other waits.
const OBJECTS: u64 = 16;

impl Note {
    pub(crate) const TURN: Note = Note::new(1, 0);
    pub(crate) const REQUEST: Note = Note::new(2, 0);
    pub(crate) const SHUTDOWN: Note = Note::new(3, 0);
    pub(crate) const JOB: Note = Note::new(4, 0);
    pub(crate) const CHILDREN: Note = Note::new(5, 0);
    pub(crate) const FOREIGN: Note = Note::new(6, 0);

    const fn new(which: u64, of: u64) -> Self {
        Note(which | (of & MOST) << SHIFT)
    }

    /// Later than four years after the host's start reads as never.
    pub(crate) fn until(time: Time) -> Self {
        Note::new(7, time.as_nanos().min(MOST))
    }

    pub(crate) fn task(id: TaskId) -> Self {
        Note::new(8, id.get())
    }

    pub(crate) fn region(id: RegionId) -> Self {
        Note::new(9, id.get())
    }

    /// `object` must stay where it is while the wait lasts.
    pub(crate) fn on<T: ?Sized>(what: Use, object: &T) -> Self {
        Note::at(what, object)
    }

    /// [`on`](Self::on), by the object's address.
    pub(crate) fn at<T: ?Sized>(what: Use, object: *const T) -> Self {
        Note::new(OBJECTS + what as u64, object.addr() as u64)
    }

    fn read(self) -> Option<Awaits> {
        let of = self.0 >> SHIFT;
        Some(match self.0 & WHICH {
            1 => Awaits::Turn,
            2 => Awaits::Request,
            3 => Awaits::Shutdown,
            4 => Awaits::Job,
            5 => Awaits::Children,
            6 => Awaits::Foreign,
            7 => Awaits::Until(if of == MOST { Time::MAX } else { Time::from_nanos(of) }),
            8 => Awaits::Join(TaskId(of)),
            9 => Awaits::Closing(RegionId(of)),
            which => {
                let at = usize::try_from(which.checked_sub(OBJECTS)?).ok()?;
                Awaits::Object(*Use::ALL.get(at)?, Object(of))
            }
        })
    }
}

/// Where a scope, or a task, keeps its note.
pub(crate) trait Notes {
    /// Has to wait.
    fn begin(&self, note: Note);
    /// Waits no more.
    fn end(&self, note: Note);
    /// Takes over what was awaited last in a place that goes, unless something is awaited here.
    fn inherit(&self, from: &Self);
    /// What is awaited, or, as an error, what was awaited last.
    fn noted(&self) -> Option<Result<Awaits, Awaits>>;
}

impl Notes for AtomicU64 {
    fn begin(&self, note: Note) {
        self.store(note.0, Ordering::Relaxed);
    }

    /// Of several that wait in one place the last one is noted, which then stays.
    fn end(&self, note: Note) {
        if self.load(Ordering::Relaxed) == note.0 {
            self.store(note.0 | OVER, Ordering::Relaxed);
        }
    }

    fn inherit(&self, from: &Self) {
        let last = from.load(Ordering::Relaxed);
        if last & OVER != 0 && !matches!(self.noted(), Some(Ok(_))) {
            self.store(last, Ordering::Relaxed);
        }
    }

    fn noted(&self) -> Option<Result<Awaits, Awaits>> {
        let word = self.load(Ordering::Relaxed);
        let awaits = Note(word).read()?;
        Some(if word & OVER == 0 { Ok(awaits) } else { Err(awaits) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_tells_what_was_noted_and_that_it_is_over() {
        let object = 7_u8;
        let id = Object(std::ptr::from_ref(&object).addr() as u64);
        let mut all = vec![
            (Note::TURN, Awaits::Turn),
            (Note::REQUEST, Awaits::Request),
            (Note::SHUTDOWN, Awaits::Shutdown),
            (Note::JOB, Awaits::Job),
            (Note::CHILDREN, Awaits::Children),
            (Note::FOREIGN, Awaits::Foreign),
            (Note::until(Time::from_nanos(5)), Awaits::Until(Time::from_nanos(5))),
            (Note::until(Time::MAX), Awaits::Until(Time::MAX)),
            (Note::task(TaskId(3)), Awaits::Join(TaskId(3))),
            (Note::region(RegionId(4)), Awaits::Closing(RegionId(4))),
        ];
        all.extend(Use::ALL.iter().map(|&what| (Note::on(what, &object), Awaits::Object(what, id))));
        assert!(OBJECTS + Use::ALL.len() as u64 <= WHICH);
        let place = AtomicU64::new(0);
        assert_eq!(place.noted(), None);
        for (note, awaits) in &all {
            place.begin(*note);
            assert_eq!(place.noted(), Some(Ok(*awaits)));
            place.end(Note::on(Use::Mutex, &0));
            assert_eq!(place.noted(), Some(Ok(*awaits)), "another one's end");
            place.end(*note);
            assert_eq!(place.noted(), Some(Err(*awaits)));
            let around = AtomicU64::new(0);
            around.inherit(&place);
            assert_eq!(around.noted(), Some(Err(*awaits)));
            around.begin(Note::TURN);
            around.inherit(&place);
            assert_eq!(around.noted(), Some(Ok(Awaits::Turn)), "it still waits");
        }
        let mut words: Vec<u64> = all.iter().map(|(note, _)| note.0).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), all.len());
    }
}
