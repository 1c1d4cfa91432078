//! A subscriber that keeps what the suite's spans do, for the whole process.
//!
//! It asks for spans of the suite ([`suite_span!`](crate::suite_span)) wherever they are opened, and
//! for task spans only of tasks that are spawned inside of [`watched`]: other cases go on unseen.
//! It counts references to spans as `tracing-subscriber`'s registry does, so a span closes when
//! nobody holds it and no span inside it is open.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Record};
use tracing::subscriber::{Interest, set_global_default};
use tracing::{Event, Id, Metadata, Subscriber};
use tracing_core::span::Current;

/// The target of the suite's own spans.
pub(crate) const SUITE: &str = "suite";
/// Where consoles look for tasks.
const TASK: &str = "tokio::task";
/// Where they look for what is done with wakers.
const WAKER: &str = "tokio::task::waker";

/// What became of one span.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) name: &'static str,
    pub(crate) fields: Fields,
    pub(crate) parent: Option<u64>,
    /// How often it was entered.
    pub(crate) entered: usize,
    /// What was done with wakers of the task.
    pub(crate) wakers: Vec<String>,
    metadata: &'static Metadata<'static>,
    references: usize,
}

impl Kept {
    pub(crate) fn is_open(&self) -> bool {
        self.references > 0
    }

    pub(crate) fn wakers(&self, op: &str) -> usize {
        self.wakers.iter().filter(|told| *told == op).count()
    }
}

/// Values by name, as text.
pub(crate) type Fields = HashMap<&'static str, String>;

static SPANS: Mutex<Vec<Kept>> = Mutex::new(Vec::new());

thread_local! {
    static STACK: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
    static WATCHED: Cell<bool> = const { Cell::new(false) };
}

/// Makes it the process's subscriber, once.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| set_global_default(Recorder).expect("the suite is the process's only subscriber"));
}

/// Opens a span of the suite.
#[macro_export]
macro_rules! suite_span {
    ($name:literal) => {
        tracing::info_span!(target: "suite", $name)
    };
}

/// Spawns with a task span that is kept.
pub(crate) fn watched<T>(spawn: impl FnOnce() -> T) -> T {
    WATCHED.set(true);
    let spawned = spawn();
    WATCHED.set(false);
    spawned
}

/// The names of the current span and those around it, the outermost first.
pub(crate) fn scope() -> Vec<&'static str> {
    let (kept, mut names) = (spans(), Vec::new());
    let mut next = STACK.with_borrow(|stack| stack.last().copied());
    while let Some(id) = next {
        let span = &kept[index(id)];
        names.insert(0, span.name);
        next = span.parent;
    }
    names
}

/// The names of the spans that this thread has entered, the outermost first.
pub(crate) fn entered() -> Vec<&'static str> {
    let kept = spans();
    STACK.with_borrow(|stack| stack.iter().map(|&id| kept[index(id)].name).collect())
}

/// What became of a span.
pub(crate) fn span(id: &Id) -> Kept {
    spans()[index(id.into_u64())].clone()
}

/// What became of the watched task of this name.
pub(crate) fn task(name: &str) -> Option<Kept> {
    let is = |span: &&Kept| span.name == "runtime.spawn" && span.fields["task.name"] == name;
    spans().iter().rfind(is).cloned()
}

fn spans() -> MutexGuard<'static, Vec<Kept>> {
    SPANS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn index(id: u64) -> usize {
    usize::try_from(id).expect("an index") - 1
}

struct Recorder;

impl Subscriber for Recorder {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        match metadata.target() {
            SUITE | WAKER => Interest::always(),
            TASK => Interest::sometimes(),
            _ => Interest::never(),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() != TASK || WATCHED.get()
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let current = || STACK.with_borrow(|stack| stack.last().copied());
        let explicit = span.parent().map(Id::into_u64);
        let parent = if span.is_contextual() { current() } else { explicit };
        let mut fields = Fields::new();
        span.record(&mut Texts(&mut fields));
        let metadata = span.metadata();
        let name = metadata.name();
        let mut kept = spans();
        if let Some(parent) = parent {
            kept[index(parent)].references += 1;
        }
        kept.push(Kept { name, fields, parent, entered: 0, wakers: Vec::new(), metadata, references: 1 });
        Id::from_u64(kept.len() as u64)
    }

    fn clone_span(&self, id: &Id) -> Id {
        spans()[index(id.into_u64())].references += 1;
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        let mut kept = spans();
        let mut next = Some(id.into_u64());
        while let Some(id) = next {
            let span = &mut kept[index(id)];
            span.references -= 1;
            next = if span.references == 0 { span.parent } else { None };
        }
        !kept[index(id.into_u64())].is_open()
    }

    fn enter(&self, id: &Id) {
        spans()[index(id.into_u64())].entered += 1;
        STACK.with_borrow_mut(|stack| stack.push(id.into_u64()));
    }

    fn exit(&self, id: &Id) {
        STACK.with_borrow_mut(|stack| {
            let at = stack.iter().rposition(|entered| *entered == id.into_u64());
            stack.remove(at.expect("a span is exited on the thread that entered it"));
        });
    }

    fn current_span(&self) -> Current {
        match STACK.with_borrow(|stack| stack.last().copied()) {
            Some(id) => Current::new(Id::from_u64(id), spans()[index(id)].metadata),
            None => Current::none(),
        }
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::new();
        event.record(&mut Texts(&mut fields));
        if let (Some(id), Some(op)) = (fields.remove("task.id"), fields.remove("op")) {
            spans()[index(id.parse().expect("a number"))].wakers.push(op);
        }
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}
}

struct Texts<'a>(&'a mut Fields);

impl Visit for Texts<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}
