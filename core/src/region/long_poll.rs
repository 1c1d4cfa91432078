//! A poll that does not return, found by who polls it: a task of a region, or a finalizer.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::finalizer::Started;
use super::tree::Node;
use crate::cancel::Waits;
use crate::host::{TaskRef, inside_of};
use crate::id::TaskId;
use crate::lock::lock;
use crate::plain::Plain;
use crate::trace;

/// A task, or a finalizer, whose poll has not returned for long: it blocks, or computes without a
/// yield, and the thread that polls it does nothing else meanwhile.
///
/// `Display` tells all of it in one line.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LongPoll {
    /// The name it was spawned under; of a finalizer, `finalizer`.
    pub name: Arc<str>,
    /// The line that spawned or registered it.
    pub site: &'static Location<'static>,
    /// Its region's path.
    pub path: String,
    /// How old it is.
    pub age: Duration,
    /// How long this poll lasts; it was seen to, so this may be some milliseconds less than it does.
    pub lasting: Duration,
    /// Its number, if it is a task.
    pub task: Option<TaskId>,
    /// What it awaited last: it has come that far.
    pub awaited: Waits,
}

impl LongPoll {
    /// Tells of it by an event of `tracing` (at WARN, target `asupersync`); `false` if nobody takes
    /// that.
    pub fn log(&self) -> bool {
        trace::warn_of_poll(self, &self.name, &self.path, self.site, self.lasting)
    }
}

impl fmt::Display for LongPoll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LongPoll { name, site, path, age, lasting, task, awaited } = self;
        let began = if task.is_some() { "spawned" } else { "registered" };
        write!(f, "`{}`", Plain(name))?;
        if let Some(task) = task {
            write!(f, " ({task:?})")?;
        }
        write!(f, " in {}, {began} at {site}, {age:.1?} old: ", Plain(path))?;
        write!(f, "a poll has not returned for {lasting:.1?}; it awaited {awaited}")
    }
}

/// Who is polled at an address.
enum Found {
    Task(Arc<Node>, TaskRef),
    Finalizer(Arc<Node>, Started),
}

impl Node {
    /// The poll of the task whose address `is_it`, in the subtree of this node.
    pub(super) fn long_poll(
        self: &Arc<Self>,
        is_it: impl Fn(usize) -> bool,
        lasting: Duration,
    ) -> Option<LongPoll> {
        let mut found = None;
        for node in self.subtree() {
            let inner = lock(&node.inner);
            let polled = inner.started.clone().filter(|_| inner.running.is_none());
            drop(inner);
            // Whatever task closes a region polls its finalizers.
            if let Some(started) = polled.filter(|started| is_it(started.scope.home())) {
                found = Some(Found::Finalizer(node, started));
                break;
            }
            let mut task = None;
            node.tasks.each(|other| {
                if is_it(other.id_addr()) {
                    task = Some(other.clone());
                }
            });
            found = task.map(|task| Found::Task(node, task)).or(found);
        }
        Some(match found? {
            Found::Task(node, task) => {
                let info = &task.meta().info;
                LongPoll {
                    name: (&info.name).into(),
                    site: info.site,
                    path: node.path(),
                    age: node.tree.host.now() - info.spawned_at,
                    lasting,
                    task: Some(info.id),
                    awaited: inside_of(task.clone()).waits(Some(task.note())),
                }
            }
            Found::Finalizer(node, started) => LongPoll {
                name: "finalizer".into(),
                site: started.site,
                path: node.path(),
                age: node.tree.host.now() - started.since,
                lasting,
                task: None,
                awaited: started.scope.waits(None),
            },
        })
    }
}

#[cfg(feature = "tracing")]
#[cfg(test)]
mod tests {
    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing::subscriber::with_default;
    use tracing::{Event, Metadata, Subscriber};

    use super::*;
    use crate::lock::Mutex;

    /// Keeps the fields of events.
    #[derive(Clone, Default)]
    struct Keeps(Arc<Mutex<Vec<String>>>);

    impl Subscriber for Keeps {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }
        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }
        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, event: &Event<'_>) {
            lock(&self.0).push(format!("{} {}", event.metadata().level(), event.metadata().target()));
            event.record(&mut Words(self));
        }
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    struct Words<'a>(&'a Keeps);

    impl Visit for Words<'_> {
        fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
            lock(&self.0.0).push(format!("{field}={value:?}"));
        }
    }

    #[test]
    fn an_event_tells_all_if_somebody_takes_it() {
        let poll = LongPoll {
            name: "blocks".into(),
            site: Location::caller(),
            path: "root/server".into(),
            age: Duration::from_secs(3),
            lasting: Duration::from_secs(2),
            task: Some(TaskId(7)),
            awaited: Waits::default(),
        };
        assert!(!poll.log());
        let keeps = Keeps::default();
        assert!(with_default(keeps.clone(), || poll.log()));
        let kept = lock(&keeps.0).join("\n");
        for part in [
            "WARN asupersync",
            "task.name=\"blocks\"",
            "region=\"root/server\"",
            "lasting_ms=2000",
            "message=`blocks` (t7) in root/server, spawned at ",
            "a poll has not returned for 2.0s; it awaited nothing yet",
        ] {
            assert!(kept.contains(part), "no `{part}` in\n{kept}");
        }
    }
}
