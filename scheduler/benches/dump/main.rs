//! What a dump costs: taking it, and writing it as text, JSON and DOT, of trees of 100,000 tasks.
//!
//! `cargo bench -p asupersync-scheduler --bench dump` (`-- --quick` for a hundredth of the tasks).
//! Two workers; milliseconds, the median and the worst of 15 dumps in one process. Markdown goes to
//! stdout; nobody edits it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use asupersync_core::region::dump::Dump;
use asupersync_core::sync::Notify;
use asupersync_core::{Cx, Outcome, Region};
use asupersync_scheduler::Runtime;

const TASKS: usize = 100_000;
const DUMPS: usize = 15;

/// What the tree looks like.
#[derive(Clone, Copy)]
enum Shape {
    /// All tasks in one region.
    Flat,
    /// Each task opens a region, and waits in it.
    Regions,
    /// As `Flat`, and every task is woken again and again meanwhile.
    Busy,
}

/// What all wait for, and how many have begun to.
#[derive(Clone, Default)]
struct Stage {
    waiting: Arc<AtomicUsize>,
    end: Arc<Notify>,
    over: Arc<AtomicBool>,
}

impl Stage {
    async fn wait(&self, cx: &Cx) -> Outcome {
        self.waiting.fetch_add(1, SeqCst);
        Ok(self.end.notified(cx).await?)
    }

    async fn spin(&self, cx: &Cx) -> Outcome {
        self.waiting.fetch_add(1, SeqCst);
        while !self.over.load(SeqCst) {
            cx.yield_now().await?;
        }
        Ok(())
    }
}

fn populate(cx: &Cx, shape: Shape, tasks: usize, stage: &Stage) {
    for _ in 0..tasks {
        let stage = stage.clone();
        drop(match shape {
            Shape::Flat => cx.spawn("task", async move |cx: &Cx| stage.wait(cx).await),
            Shape::Busy => cx.spawn("task", async move |cx: &Cx| stage.spin(cx).await),
            Shape::Regions => cx.spawn("connection", async move |cx: &Cx| {
                Region::open(cx, "connection", async move |cx: &Cx| stage.wait(cx).await).await
            }),
        });
    }
}

fn timed<T>(times: &mut Vec<Duration>, work: impl FnOnce() -> T) -> T {
    let begin = Instant::now();
    let done = work();
    times.push(begin.elapsed());
    done
}

fn shown(mut times: Vec<Duration>) -> String {
    times.sort();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    format!("{:.1} ({:.1})", ms(times[times.len() / 2]), ms(times[times.len() - 1]))
}

fn measure(shape: Shape, name: &str, tasks: usize) {
    let runtime = Runtime::builder().workers(2).build().expect("a runtime");
    let row = runtime.block_on(async move |cx: &Cx| {
        let stage = Stage::default();
        populate(cx, shape, tasks, &stage);
        while stage.waiting.load(SeqCst) < tasks {
            cx.yield_now().await?;
        }
        let [mut taking, mut text, mut json, mut dot] = [(); 4].map(|()| Vec::new());
        let mut size = 0;
        for _ in 0..DUMPS {
            let dump: Dump = timed(&mut taking, || cx.dump());
            assert_eq!(dump.regions.iter().map(|region| region.tasks.len()).sum::<usize>(), tasks + 1);
            assert!(timed(&mut text, || dump.to_string()).contains(" more like it"));
            size = timed(&mut json, || dump.to_json()).len();
            assert!(timed(&mut dot, || dump.to_dot()).starts_with("digraph"));
            cx.yield_now().await?;
        }
        stage.over.store(true, SeqCst);
        stage.end.notify_waiters();
        let [taking, text, json, dot] = [taking, text, json, dot].map(shown);
        Ok(format!("{taking} | {text} | {json}, {} MB | {dot}", size / 1_000_000))
    });
    println!("| {name} | {} |", row.expect("the body succeeds"));
}

fn main() {
    let tasks = if std::env::args().any(|arg| arg == "--quick") { TASKS / 100 } else { TASKS };
    println!("| {tasks} tasks | taking | text | JSON | DOT |\n|---|---|---|---|---|");
    measure(Shape::Flat, "in one region", tasks);
    measure(Shape::Regions, "each with a region", tasks);
    measure(Shape::Busy, "each polled again and again", tasks);
}
