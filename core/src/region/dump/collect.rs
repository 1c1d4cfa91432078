//! Taking a dump: what is owned is copied under the lock of its region, which no task holds while it
//! is polled; what is awaited is read from notes, and from one scope at a time.
//!
//! What was only [promised](crate::region::promise) gets its node. No future is touched, no two locks
//! are held together, and none while more than [`AT_ONCE`] tasks or child regions are copied: whoever
//! spawns meanwhile waits for so long, and not for the whole. A task that begins or ends meanwhile may
//! be missing, or told as it was.
//!
//! The time goes into memory that no cache holds, and a lock or a counted reference waits for it each
//! time. So what comes next is read before it is locked, many at a time: reads do not wait for each
//! other. `touch` does that, level by level.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{mem, ptr};

use asupersync_task::Activity;
use slab::Slab;

use super::cycles;
use super::data::{Dump, FinalizerDump, ObligationDump, RegionDump, TaskDump, TaskState};
use super::number::Numbers;
use crate::budget::Budget;
use crate::cancel::{Awaits, Level, Object, Scope, ScopeRef, Wait, Waits};
use crate::host::{Lane, TaskInfo, TaskRef, inside_of};
use crate::id::TaskId;
use crate::lock::lock;
use crate::region::finalizer::Started;
use crate::region::tasks::Tasks;
use crate::region::tree::{Inner, LONGEST_PATH, Local, Node};
use crate::time::Time;

/// How many tasks or child regions are copied under one hold of a lock: some ten microseconds.
const AT_ONCE: usize = 512;
/// How many are read before they are locked: what they read fits in a core's own cache.
const TOUCHED: usize = 64;

/// Where a task stands in the dump: its region's place, and its own among that one's tasks.
type At = (usize, usize);

/// A region that comes next, with the place of the one around it and its own depth.
type Next = (Arc<Node>, Option<(usize, usize)>);

impl Node {
    /// The tree that this node belongs to, as it is.
    pub(crate) fn dump(self: &Arc<Self>) -> Dump {
        let mut top = self.clone();
        while let Some(parent) = top.parent.upgrade() {
            top = parent;
        }
        let mut taking = Taking::new(top.tree.host.now());
        // A line of nodes that come next: those of one level stand together, parents before children.
        let mut line: Vec<Next> = vec![(top, None)];
        let (mut owned, mut touched) = (Owned::default(), 0);
        while let Some((node, parent)) = line.get(taking.regions.len()) {
            let place = taking.regions.len();
            if touched == place {
                touched = line.len().min(place + TOUCHED);
                touch_nodes(&line[place..touched]);
                taking.regions.reserve(line.len() - place);
            }
            let around = parent.map(|(place, depth)| (&*line[place].0, place, depth));
            taking.region(node, around, &mut owned);
            let here = (place, parent.map_or(0, |(_, depth)| depth) + 1);
            line.extend(owned.children.drain(..).map(|child| (child, Some(here))));
        }
        taking.resolve(line.iter().map(|(node, _)| &**node))
    }
}

/// A dump that is being taken.
struct Taking {
    at: Time,
    regions: Vec<RegionDump>,
    /// Tasks by the data pointers of the wakers under which they poll, and by the scopes in which.
    wakers: Vec<(u64, At)>,
    scopes: Vec<(u64, TaskId)>,
    /// Tasks that somebody joins, with the data pointer of that one's waker.
    joined: Vec<(u64, At)>,
    /// Some scope that was seen is under Request, so a drain may end.
    drains: bool,
}

/// What one region owns, copied part by part.
#[derive(Default)]
struct Owned {
    tasks: Vec<TaskRef>,
    locals: Vec<Arc<Local>>,
    children: Vec<Arc<Node>>,
    /// Where to go on: a key of children, a number of locals. Each is one's for life, so nothing is copied
    /// twice.
    key: usize,
    number: u64,
}

impl Owned {
    /// Room for the next part, which is not made with a lock held.
    fn reserve(&mut self) {
        self.locals.reserve(AT_ONCE);
        self.children.reserve(AT_ONCE);
    }

    /// Copies the next part; tells whether there is more.
    fn copy(&mut self, inner: &Inner) -> bool {
        touch(part(&inner.children, self.key), Arc::strong_count);
        self.children.extend(part(&inner.children, self.key).cloned());
        let mut locals = inner.locals.range(self.number..);
        for (number, local) in locals.by_ref().take(AT_ONCE) {
            self.locals.push(local.clone());
            self.number = number + 1;
        }
        self.key += AT_ONCE;
        self.key < inner.children.capacity() || locals.next().is_some()
    }

    /// Copies the tasks. Their keys are theirs for life, too.
    fn copy_tasks(&mut self, tasks: &Tasks) {
        let (mut table, mut key) = (0, 0);
        loop {
            self.tasks.reserve(AT_ONCE);
            let more = tasks.look(table, |tasks| {
                let part = || tasks.part(key..key + AT_ONCE);
                touch(part(), |task| usize::from(task.is_running()));
                self.tasks.extend(part().cloned());
                key += AT_ONCE;
                key < tasks.end()
            });
            match more {
                Some(true) => {}
                Some(false) => (table, key) = (table + 1, 0),
                None => return,
            }
        }
    }
}

/// The next ones, from this key on.
fn part<T>(slab: &Slab<T>, from: usize) -> impl Iterator<Item = &T> {
    (from..slab.capacity().min(from + AT_ONCE)).filter_map(|key| slab.get(key))
}

/// What is known of a task, or of a child that counts as one.
struct Seen<'a> {
    info: &'a TaskInfo,
    scope: &'a ScopeRef,
    state: TaskState,
    lane: Lane,
    /// The data pointer of the waker under which it polls.
    waker: usize,
    /// A task's own note.
    note: Option<&'a AtomicU64>,
    /// Who waits for its end: the data pointer of that waker, or 0.
    joiner: usize,
}

impl Taking {
    fn new(at: Time) -> Self {
        Taking { at, regions: vec![], wakers: vec![], scopes: vec![], joined: vec![], drains: false }
    }

    /// Enters a region with its tasks; leaves its children in `owned`, which is empty before.
    fn region(&mut self, node: &Arc<Node>, around: Option<(&Node, usize, usize)>, owned: &mut Owned) {
        let at = self.at;
        node.keep_promises();
        let mut inner = lock(&node.inner);
        let mut more = owned.copy(&inner);
        let (started, is_polled) = (inner.started.clone(), inner.running.is_none());
        let (state, close_by) = (inner.state, inner.close_by);
        let (failed, finalizers) = (inner.failures.len(), inner.finalizers.len());
        let owed = inner.ledger.iter();
        let owed = owed.map(|owed| ObligationDump { kind: owed.kind, site: owed.site, age: at - owed.since });
        let obligations = owed.collect();
        drop(inner);
        while more {
            owned.reserve();
            inner = lock(&node.inner);
            more = owned.copy(&inner);
            drop(inner);
        }
        owned.copy_tasks(&node.tasks);
        let (standing, own) = node.scope.look();
        self.drains |= standing.level >= Level::Requested;
        let (path, budget) = match around {
            Some((parent, place, depth)) => {
                let around = &self.regions[place];
                let path = if depth < LONGEST_PATH {
                    [&*around.path, "/", &*node.name].concat()
                } else {
                    node.path()
                };
                (path, self.budget(&node.scope, own, parent, around.budget))
            }
            None => (node.path(), node.scope.budget()),
        };
        let place = self.regions.len();
        self.regions.push(RegionDump {
            id: node.id,
            parent: around.map(|(parent, ..)| parent.id),
            name: (&node.name).into(),
            path,
            site: node.site,
            age: at - node.opened_at,
            phase: state.phase,
            body: state.body && !node.is_root(),
            opened_by: None,
            reason: standing.reason,
            budget,
            close_by: (close_by < Time::MAX).then_some(close_by),
            tasks: Vec::with_capacity(owned.tasks.len() + owned.locals.len()),
            failed,
            finalizers,
            finalizer: started.map(|started| Box::new(finalizer(&started, is_polled, at))),
            obligations,
        });
        self.wakers.reserve(owned.tasks.len());
        let mut tasks = mem::take(&mut owned.tasks).into_iter();
        while !tasks.as_slice().is_empty() {
            touch_tasks(&tasks.as_slice()[..tasks.len().min(TOUCHED)]);
            for task in tasks.by_ref().take(TOUCHED) {
                self.task(place, node, &task);
            }
        }
        for local in owned.locals.drain(..) {
            self.local(place, node, &local);
        }
        (owned.key, owned.number) = (0, 0);
    }

    /// Enters a task of the region at `place`.
    fn task(&mut self, place: usize, node: &Node, task: &TaskRef) {
        let state = match task.activity() {
            Activity::Running => TaskState::Running,
            Activity::Queued => TaskState::Queued,
            Activity::Idle => TaskState::Waiting,
            Activity::Complete => return,
        };
        let (meta, waker) = (task.meta(), task.id_addr());
        let (scope, lane, note) = (&inside_of(task.clone()), meta.lane(), Some(task.note()));
        let seen = Seen { info: &meta.info, scope, state, lane, waker, note, joiner: task.joiner() };
        self.enter(place, node, seen);
    }

    /// Enters a child that lives in the future of the region at `place`.
    fn local(&mut self, place: usize, node: &Node, local: &Local) {
        let state = match &local.bell {
            bell if bell.is_polled() => TaskState::Running,
            bell if bell.is_rung() => TaskState::Queued,
            _ => TaskState::Waiting,
        };
        let Local { info, scope, joiner, .. } = local;
        let (lane, waker) = (Lane::of(scope.level(), scope.urgency()), scope.home());
        let joiner = joiner.load(Ordering::Relaxed);
        self.enter(place, node, Seen { info, scope, state, lane, waker, note: None, joiner });
    }

    fn enter(&mut self, place: usize, node: &Node, seen: Seen<'_>) {
        let Seen { info, scope, state, lane, waker, note, joiner } = seen;
        let (standing, own, mut inside) = scope.look_inside();
        ScopeRef::extend_inside(&mut inside);
        let levels = inside.iter().map(|scope| scope.level()).chain([standing.level]);
        self.drains |= levels.max() >= Some(Level::Requested);
        let budget = self.budget(scope, own, node, self.regions[place].budget);
        let region = &mut self.regions[place];
        let here = (place, region.tasks.len());
        self.wakers.push((waker as u64, here));
        for scope in &inside {
            // The body of a region, or something that is polled under a waker of its own.
            self.scopes.push((address(scope), info.id));
            if scope.home() != waker {
                self.wakers.push((scope.home() as u64, here));
            }
        }
        if joiner != 0 {
            self.joined.push((joiner as u64, here));
        }
        region.tasks.push(TaskDump {
            id: info.id,
            name: info.name.clone(),
            site: info.site,
            age: self.at - info.spawned_at,
            state,
            lane,
            level: standing.level,
            reason: standing.reason,
            budget,
            awaits: scope.waits_with(note, &inside),
            local: note.is_none(),
            joined_by: None,
        });
    }

    /// What a scope in the region of `node` may use, which itself may use `rest`.
    fn budget(&self, scope: &ScopeRef, own: Budget, node: &Node, rest: Budget) -> Budget {
        if !self.drains && scope.is_unlimited() {
            // Whose drain could end it is around it, so has been seen.
            return Budget::UNLIMITED.with_priority(scope.urgency().priority);
        }
        scope.budget_within(own, &node.scope, rest)
    }

    /// Tells who waits for whom, by what is known of all of them.
    fn resolve<'a>(mut self, nodes: impl Iterator<Item = &'a Node> + Clone) -> Dump {
        self.resolve_openers(nodes);
        self.resolve_joins();
        self.drop_ended();
        let mut objects = Numbers::default();
        for region in &mut self.regions {
            for task in &mut region.tasks {
                if task.state == TaskState::Waiting {
                    task.awaits = mem::take(&mut task.awaits).of_idle();
                }
                number(&mut task.awaits, &mut objects);
            }
            if let Some(finalizer) = &mut region.finalizer {
                number(&mut finalizer.awaits, &mut objects);
            }
        }
        let mut dump = Dump { at: self.at, regions: self.regions, cycles: Vec::new() };
        dump.cycles = cycles::find(&dump);
        dump
    }

    /// Whose scope a region's is inside of runs its body; or who polls in it, if it is polled apart.
    fn resolve_openers<'a>(&mut self, nodes: impl Iterator<Item = &'a Node> + Clone) {
        self.resolve_apart(nodes.clone());
        let tasks: Numbers<TaskId> = self.scopes.drain(..).collect();
        if !tasks.is_empty() {
            for (region, node) in self.regions.iter_mut().zip(nodes) {
                region.opened_by = tasks.get(&address(&node.scope)).copied();
            }
        }
    }

    /// What is awaited in a region that is polled apart, is so by who polls there.
    fn resolve_apart<'a>(&mut self, nodes: impl Iterator<Item = &'a Node>) {
        let mut apart = nodes.filter(|node| node.scope.is_apart()).peekable();
        if apart.peek().is_none() {
            return;
        }
        let wakers: Numbers<At> = self.wakers.iter().copied().collect();
        for node in apart {
            let home = node.scope.home();
            let Some(&at) = wakers.get(&(home as u64)) else { continue };
            let inside = node.scope.all_inside();
            let task = self.at(at);
            let id = task.id;
            task.awaits.merge(node.scope.waits_with(None, &inside));
            self.scopes.push((address(&node.scope), id));
            for scope in &inside {
                self.scopes.push((address(scope), id));
                if scope.home() != home {
                    self.wakers.push((scope.home() as u64, at));
                }
            }
        }
    }

    /// Who has left its waker with a task waits for that one's end.
    fn resolve_joins(&mut self) {
        let wanted: Numbers<()> = self.joined.iter().map(|&(waker, _)| (waker, ())).collect();
        let wakers = self.wakers.iter().filter(|(waker, _)| !wanted.is_empty() && wanted.contains_key(waker));
        let waiters: Numbers<At> = wakers.copied().collect();
        for (waker, joined) in mem::take(&mut self.joined) {
            let Some(&waiter) = waiters.get(&waker) else { continue };
            let (id, by) = (self.at(joined).id, self.at(waiter).id);
            self.at(joined).joined_by = Some(by);
            let waits = &mut self.at(waiter).awaits.now;
            if !waits.iter().any(|wait| wait.awaits == Awaits::Join(id)) {
                waits.push(Wait { awaits: Awaits::Join(id), deadline: None });
            }
        }
    }

    /// What was awaited may have ended before whoever waits was polled.
    fn drop_ended(&mut self) {
        let all = self.regions.iter().flat_map(|region| &region.tasks).flat_map(|task| &task.awaits.now);
        let awaited = all.filter_map(|wait| match wait.awaits {
            Awaits::Join(id) => Some((id.get(), false)),
            Awaits::Closing(id) => Some((id.get(), false)),
            _ => None,
        });
        // Tasks and regions have their numbers from one counter.
        let mut awaited: Numbers<bool> = awaited.collect();
        if awaited.is_empty() {
            return;
        }
        for region in &self.regions {
            let tasks = region.tasks.iter().map(|task| task.id.get());
            for id in tasks.chain([region.id.get()]) {
                if let Some(found) = awaited.get_mut(&id) {
                    *found = true;
                }
            }
        }
        let is_gone = |awaits: Awaits| match awaits {
            Awaits::Join(id) => !awaited[&id.get()],
            Awaits::Closing(id) => !awaited[&id.get()],
            _ => false,
        };
        for task in self.regions.iter_mut().flat_map(|region| &mut region.tasks) {
            if let Some(gone) = task.awaits.now.iter().find(|wait| is_gone(wait.awaits)) {
                task.awaits.last = Some(gone.awaits);
                task.awaits.now.retain(|wait| !is_gone(wait.awaits));
            }
        }
    }

    fn at(&mut self, (region, task): At) -> &mut TaskDump {
        &mut self.regions[region].tasks[task]
    }
}

/// Reads a little of each.
fn touch<'a, T: 'a>(all: impl IntoIterator<Item = &'a T>, read: impl Fn(&T) -> usize) {
    black_box(all.into_iter().fold(0, |sum, one| sum ^ read(one)));
}

fn touch_nodes(nodes: &[Next]) {
    touch(nodes, |(node, _)| Arc::strong_count(node) ^ node.inner.touch());
    touch(nodes, |(node, _)| {
        node.scope.touch() ^ node.scope.home() ^ usize::from(node.name.bytes().next().unwrap_or(0))
    });
}

fn touch_tasks(tasks: &[TaskRef]) {
    touch(tasks, |task| usize::from(task.is_running()) ^ task.joiner());
    touch(tasks, |task| task.meta().inside().touch());
}

fn finalizer(started: &Started, running: bool, at: Time) -> FinalizerDump {
    let awaits = started.scope.waits(None);
    FinalizerDump {
        site: started.site,
        age: at - started.since,
        running,
        budget: started.scope.own_budget(),
        awaits: if running { awaits } else { awaits.of_idle() },
    }
}

/// Numbers what is waited at in the order in which it is met: an address says nothing, and is another
/// one in the next run. What is awaited no more may be gone, and has no number.
fn number(waits: &mut Waits, objects: &mut Numbers<u64>) {
    for wait in &mut waits.now {
        if let Awaits::Object(_, object) = &mut wait.awaits {
            let next = objects.len() as u64 + 1;
            *object = Object(*objects.entry(object.0).or_insert(next));
        }
    }
    if let Some(Awaits::Object(_, object)) = &mut waits.last {
        *object = Object(0);
    }
}

fn address(scope: &Scope) -> u64 {
    ptr::from_ref(scope).addr() as u64
}
