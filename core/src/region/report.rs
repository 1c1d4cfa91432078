//! What a closed region tells about its life.

use std::fmt;
use std::ops::AddAssign;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::state::Phase;
use crate::cancel::{Reason, Waits};
use crate::id::TaskId;
use crate::obligation::Kind;
use crate::plain::Plain;
use crate::verdict::{ChildFailure, Verdict};

/// The account of a region that closed: what it owned, how that ended, and how long it took.
///
/// `Display` prints the tree.
#[derive(Clone, Debug)]
pub struct CloseReport {
    /// Names from the root to the region, joined by `/`.
    pub path: String,
    /// The line that opened it.
    pub site: &'static Location<'static>,
    /// Why it closed; `None` if it ended by itself.
    pub reason: Option<Reason>,
    /// From its opening to Request.
    pub open: Duration,
    /// From Request until nothing ran in it.
    pub drain: Duration,
    /// From then to Closed.
    pub finalize: Duration,
    /// Counts over the whole subtree.
    pub totals: Totals,
    /// Tasks of this region itself that failed, in the order in which they were spawned: all of them,
    /// whichever of them is the region's outcome.
    pub failures: Vec<ChildFailure>,
    /// What did not end by itself, in the whole subtree; the first 64.
    pub leftovers: Vec<Leftover>,
    /// Child regions that closed after this one was requested; the first 64, and eight levels.
    pub children: Vec<CloseReport>,
}

/// Counts over a region's subtree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Regions, this one included.
    pub regions: u64,
    /// Tasks spawned.
    pub tasks: u64,
    /// Tasks that returned a value.
    pub ok: u64,
    /// Tasks that returned an error.
    pub err: u64,
    /// Tasks that ended as cancelled, by themselves.
    pub cancelled: u64,
    /// Tasks that panicked.
    pub panicked: u64,
    /// Tasks dropped because their drain budget was spent or their host shut down.
    pub dropped: u64,
    /// Tasks given up because a poll did not return.
    pub abandoned: u64,
    /// Finalizers registered.
    pub finalizers_registered: u64,
    /// Finalizers that ran to their end.
    pub finalizers_run: u64,
    /// Finalizers that failed, panicked or ran out of budget.
    pub finalizers_failed: u64,
    /// Obligations detached: entered into a region's ledger.
    pub obligations: u64,
    /// Those that were committed.
    pub obligations_committed: u64,
    /// Those that were aborted: by their holders, or, unresolved, by their regions.
    pub obligations_aborted: u64,
}

impl Totals {
    /// With so many more tasks, of which so many have ended well.
    pub(super) fn with_tasks(self, (spawned, ok): (u64, u64)) -> Totals {
        Totals { tasks: self.tasks + spawned, ok: self.ok + ok, ..self }
    }

    pub(super) fn count(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Ok => self.ok += 1,
            Verdict::Err(_) => self.err += 1,
            Verdict::Cancelled => self.cancelled += 1,
            Verdict::Panicked(_) => self.panicked += 1,
            Verdict::Dropped(_) => self.dropped += 1,
        }
    }
}

/// Adds the account of another region.
impl AddAssign<&Totals> for Totals {
    fn add_assign(&mut self, other: &Totals) {
        self.regions += other.regions;
        self.tasks += other.tasks;
        self.ok += other.ok;
        self.err += other.err;
        self.cancelled += other.cancelled;
        self.panicked += other.panicked;
        self.dropped += other.dropped;
        self.abandoned += other.abandoned;
        self.finalizers_registered += other.finalizers_registered;
        self.finalizers_run += other.finalizers_run;
        self.finalizers_failed += other.finalizers_failed;
        self.obligations += other.obligations;
        self.obligations_committed += other.obligations_committed;
        self.obligations_aborted += other.obligations_aborted;
    }
}

/// Something that did not end by itself.
#[derive(Clone, Debug)]
pub struct Leftover {
    /// What became of it.
    pub kind: LeftoverKind,
    /// The name it was spawned under; an obligation's is its kind.
    pub name: Arc<str>,
    /// The line that spawned it; an obligation's is that of its `detach`.
    pub site: &'static Location<'static>,
    /// Its region's path.
    pub path: String,
    /// How far its region was.
    pub phase: Phase,
    /// How old it was.
    pub age: Duration,
    /// Its number, if it is a task.
    pub task: Option<TaskId>,
    /// What it awaited last, if it was started and could wait.
    pub awaited: Option<Waits>,
}

/// What became of something that did not end by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftoverKind {
    /// Its drain budget was spent, so its future was dropped.
    Dropped,
    /// Its poll did not return, so its region closed without it.
    Abandoned,
    /// The runtime's close budget was spent, so its future was dropped, or left where its poll
    /// does not return.
    Forced,
    /// A finalizer whose budget was spent.
    FinalizerSpent,
    /// A finalizer that failed or panicked.
    FinalizerFailed,
    /// A detached obligation that nobody resolved, so its region aborted it.
    Unresolved(Kind),
    /// Work that another runtime did for the region, and that was dropped before it had ended.
    ForeignAborted,
    /// Work that another runtime did for the region, on a thread that does not return: it goes on.
    ForeignQuarantined,
}

impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            LeftoverKind::Dropped => "dropped at the end of its drain budget",
            LeftoverKind::Abandoned => "abandoned: its poll did not return",
            LeftoverKind::Forced => "forced out at the end of the close budget",
            LeftoverKind::FinalizerSpent => "finalizer dropped at the end of its budget",
            LeftoverKind::FinalizerFailed => "finalizer failed",
            LeftoverKind::Unresolved(_) => "unresolved, so its region aborted it",
            LeftoverKind::ForeignAborted => "dropped by the runtime that ran it, before it had ended",
            LeftoverKind::ForeignQuarantined => "left on a thread of its own runtime, which does not return",
        };
        let began = if let LeftoverKind::Unresolved(_) = self.kind { "detached" } else { "spawned" };
        let Leftover { name, site, path, phase, age, task, awaited, .. } = self;
        write!(f, "`{}`", Plain(name))?;
        if let Some(task) = task {
            write!(f, " ({task:?})")?;
        }
        write!(f, " in {} ({phase:?}), {began} at {site}, {age:.1?} old: {what}", Plain(path))?;
        match awaited {
            Some(awaited) => write!(f, "; it awaited {awaited}"),
            None => Ok(()),
        }
    }
}

/// How many failures and how many children of a region `Display` shows.
const SHOWN: usize = 4;

impl fmt::Display for CloseReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)?;
        for leftover in &self.leftovers {
            write!(f, "\n  ! {leftover}")?;
        }
        Ok(())
    }
}

impl CloseReport {
    /// The report of a region that was refused.
    pub(super) fn never_opened(
        path: String,
        site: &'static Location<'static>,
        reason: Option<Reason>,
    ) -> Self {
        CloseReport {
            path,
            site,
            reason,
            open: Duration::ZERO,
            drain: Duration::ZERO,
            finalize: Duration::ZERO,
            totals: Totals::default(),
            failures: Vec::new(),
            leftovers: Vec::new(),
            children: Vec::new(),
        }
    }

    /// A copy with at most so many levels of children.
    pub(super) fn pruned(&self, levels: usize) -> CloseReport {
        let below = levels.checked_sub(1);
        let children =
            below.map_or(Vec::new(), |below| self.children.iter().map(|child| child.pruned(below)).collect());
        CloseReport {
            path: self.path.clone(),
            reason: self.reason.clone(),
            failures: self.failures.clone(),
            leftovers: self.leftovers.clone(),
            children,
            ..*self
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        let name = if depth == 0 { &*self.path } else { self.path.rsplit('/').next().unwrap_or_default() };
        let t = &self.totals;
        write!(f, "{:indent$}{}: ", "", Plain(name), indent = depth * 2)?;
        match &self.reason {
            Some(reason) => write!(f, "{}; ", Plain(reason))?,
            None => write!(f, "ended by itself; ")?,
        }
        write!(f, "open {:.1?}, drain {:.1?}, finalize {:.1?}; ", self.open, self.drain, self.finalize)?;
        write!(f, "{} tasks ({} ok", t.tasks, t.ok)?;
        let others = [
            (t.err, "failed"),
            (t.cancelled, "cancelled"),
            (t.panicked, "panicked"),
            (t.dropped, "dropped"),
            (t.abandoned, "abandoned"),
        ];
        for (count, what) in others.into_iter().filter(|(count, _)| *count > 0) {
            write!(f, ", {count} {what}")?;
        }
        write!(f, "), finalizers {}/{}", t.finalizers_run, t.finalizers_registered)?;
        if t.obligations > 0 {
            write!(f, ", obligations {}/{}", t.obligations_committed, t.obligations)?;
        }
        if t.regions > 1 {
            write!(f, ", {} regions within", t.regions - 1)?;
        }
        for ChildFailure { name, error } in self.failures.iter().take(SHOWN) {
            write!(f, "\n{:indent$}`{}` failed: {error}", "", Plain(name), indent = (depth + 1) * 2)?;
        }
        // Those that took longest say most.
        let mut children: Vec<&CloseReport> = self.children.iter().collect();
        children.sort_by_key(|child| std::cmp::Reverse(child.drain + child.finalize));
        for child in children.iter().take(SHOWN) {
            writeln!(f)?;
            child.write(f, depth + 1)?;
        }
        if children.len() > SHOWN {
            write!(f, "\n{:indent$}and others", "", indent = (depth + 1) * 2)?;
        }
        Ok(())
    }
}
