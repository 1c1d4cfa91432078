//! All functions and methods that start tasks, by the types of what they are
//! called on.

use std::sync::Arc;
use tokio::runtime::{self, Builder, Handle, Runtime};
use tokio::task::{self, JoinSet, LocalSet};
use tokio_util::task::{JoinMap, LocalPoolHandle, TaskTracker};

fn functions() {
    task::spawn_local(async {}); //~ dropped
    task::spawn_blocking(|| {}); //~ dropped
    task::Builder::new().name("x").spawn(async {}); //~ dropped
    task::Builder::new().spawn_blocking(|| {}).unwrap(); //~ dropped
    Handle::spawn(&Handle::current(), async {}); //~ dropped
    JoinSet::spawn(&mut set, async {}); //~ join_set
}

fn constructed() {
    Handle::current().spawn(async {}); //~ dropped
    Runtime::new().unwrap().spawn(async {}); //~ dropped
    Runtime::new().expect("a runtime").handle().spawn(async {}); //~ dropped
    let rt = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    rt.spawn(async {}); //~ dropped
    let mut builder = runtime::Builder::new_current_thread();
    builder.enable_all();
    let shared = Arc::new(builder.build().unwrap());
    shared.clone().spawn_blocking(|| {}); //~ dropped
    let mut set = JoinSet::new();
    set.spawn(async {}); //~ join_set
    set.build_task().name("x").spawn(async {}).unwrap(); //~ join_set
    let local = LocalSet::new();
    local.spawn_local(async {}); //~ local_set
    TaskTracker::new().spawn(async {}); //~ task_tracker
    let mut map: JoinMap<u8, ()> = JoinMap::new();
    map.spawn(1, async {}); //~ join_set
    LocalPoolHandle::new(2).spawn_pinned(|| async {}); //~ dropped
}

struct Server {
    rt: Arc<Runtime>,
    tasks: std::sync::Mutex<JoinSet<()>>,
    tracker: Option<TaskTracker>,
    nested: Inner,
    own: Pool,
}

struct Inner {
    handle: Handle,
}

struct Pool;
impl Pool {
    fn spawn(&self, f: impl Future<Output = ()>) {}
}

impl Server {
    fn fields(&mut self) -> Result<(), Error> {
        self.rt.spawn(async {}); //~ dropped
        self.tasks.lock().unwrap().spawn(async {}); //~ join_set
        self.tracker.as_ref().unwrap().spawn(async {}); //~ task_tracker
        self.nested.handle.spawn(async {}); //~ dropped
        self.inner().handle.clone().spawn(async {}); //~ dropped
        self.own.spawn(async {});
        if let Some(tracker) = &self.tracker {
            tracker.spawn(async {}); //~ task_tracker
        }
        let Server { nested: Inner { handle }, .. } = self;
        handle.spawn(async {}); //~ dropped
        self.fallible()?.spawn(async {}); //~ dropped
        Ok(())
    }
    fn inner(&self) -> &Inner {
        &self.nested
    }
    fn fallible(&self) -> Result<Handle, Error> {
        Ok(self.nested.handle.clone())
    }
    async fn later(&self) -> Handle {
        self.nested.handle.clone()
    }
    async fn awaits(&self) {
        self.later().await.spawn(async {}); //~ dropped
        let guard = self.shared().lock().await;
        guard.spawn(async {}); //~ dropped
    }
    fn shared(&self) -> Arc<tokio::sync::Mutex<Runtime>> {
        make()
    }
}

type Rt = Runtime;
fn parameters(a: &Handle, b: Rt, (c, d): (Handle, u8), e: &mut JoinSet<()>, f: impl Fn() -> Handle) {
    a.spawn(async {}); //~ dropped
    b.spawn(async {}); //~ dropped
    c.spawn(async {}); //~ dropped
    e.spawn(async {}); //~ join_set
}

trait Spawner {
    fn spawn(&self, f: BoxFuture<()>);
}
fn own_traits(a: &dyn Spawner, b: impl Spawner, c: Box<dyn Spawner>) {
    a.spawn(Box::pin(async {}));
    b.spawn(Box::pin(async {}));
    c.spawn(Box::pin(async {}));
}
fn generic<S: Spawner>(s: S, handles: Vec<Handle>) {
    s.spawn(Box::pin(async {}));
    for handle in &handles {
        handle.spawn(async {}); //~ dropped
    }
    handles.iter().for_each(|h| {
        h.spawn(async {}); //~ dropped
    });
}

struct Wrapper(Runtime);
impl std::ops::Deref for Wrapper {
    type Target = Runtime;
    fn deref(&self) -> &Runtime {
        &self.0
    }
}
fn through_deref(w: &Wrapper) {
    w.spawn(async {}); //~ dropped
    w.0.spawn(async {}); //~ dropped
}

fn not_known(handle: Mystery) {
    handle.spawn(async {}); //~ ?
    mystery().spawn(async {}); //~ ?
    mystery().spawn(|| {});
    mystery().spawn_blocking(|| {}); //~ ?
    mystery().spawn();
}

fn ways_that_lead_elsewhere(some: Option<Handle>, all: Vec<Option<Handle>>) {
    let handle = match some {
        None => {
            log();
            return;
        }
        Some(handle) => handle,
    };
    handle.spawn(async {}); //~ dropped
    let handle = if done() { panic!("done") } else { Handle::current() };
    handle.spawn(async {}); //~ dropped
    for some in all {
        let handle = if let None = some {
            continue;
        } else {
            some.unwrap()
        };
        handle.spawn(async {}); //~ dropped
    }
}
