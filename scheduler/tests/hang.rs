//! What is told of a runtime that hangs: its tree, asked for from outside and by SIGUSR1, though every
//! worker is stuck; and polls that do not return.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use asupersync_core::id::TaskId;
use asupersync_core::region::LongPoll;
use asupersync_core::region::dump::{Dump, TaskState};
use asupersync_core::{Cx, Outcome, Region};
use asupersync_scheduler::{Builder, Runtime};

/// A task that blocks its thread until `release` tells it to go on, or is dropped.
fn stuck(cx: &Cx, name: &str, release: Receiver<()>) {
    drop(cx.spawn(name, async move |_: &Cx| {
        let _ = release.recv();
    }));
}

fn is_running(dump: &Dump, name: &str) -> bool {
    let mut tasks = dump.regions.iter().flat_map(|region| &region.tasks);
    tasks.any(|task| &*task.name == name && task.state == TaskState::Running)
}

fn until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        thread::yield_now();
    }
}

#[test]
fn any_thread_may_ask_though_every_worker_is_stuck() {
    let runtime = Runtime::builder().workers(2).build().expect("a runtime");
    assert!(runtime.dump().is_empty());
    let (watched, releases) = (runtime.clone(), [(); 2].map(|()| channel::<()>()));
    let [(end_one, one), (end_two, two)] = releases;
    let run = thread::spawn(move || {
        runtime.block_on(async move |cx: &Cx| {
            stuck(cx, "one", one);
            Region::open(cx, "inner", async move |cx: &Cx| {
                stuck(cx, "two", two);
                Ok(())
            })
            .await
        })
    });
    until(|| watched.dump().iter().any(|dump| is_running(dump, "one") && is_running(dump, "two")));
    let dumps = watched.dump();
    let [dump] = &dumps[..] else { panic!("{dumps:?}") };
    assert_eq!(dump.regions.iter().map(|region| &*region.path).collect::<Vec<_>>(), ["root", "root/inner"]);
    assert!(dump.to_string().contains("task `one` (t"), "{dump}");
    drop((end_one, end_two));
    run.join().expect("it does not panic").expect("the body succeeds");
    assert!(watched.dump().is_empty());
}

#[test]
fn each_run_has_a_tree() {
    let runtime = Runtime::builder().workers(1).build().expect("a runtime");
    let runs = ["a", "b"].map(|name| {
        let (end, release) = channel::<()>();
        let runtime = runtime.clone();
        let run = thread::spawn(move || {
            runtime.block_on(async move |cx: &Cx| -> Outcome {
                stuck(cx, name, release);
                Ok(())
            })
        });
        (end, run)
    });
    until(|| {
        let dumps = runtime.dump();
        ["a", "b"].iter().all(|name| dumps.iter().filter(|dump| is_running(dump, name)).count() == 1)
    });
    assert_eq!(runtime.dump().len(), 2);
    for (end, run) in runs {
        drop(end);
        run.join().expect("it does not panic").expect("the body succeeds");
    }
    assert!(runtime.dump().is_empty());
}

/// What a runtime with this limit tells of long polls, as it comes.
fn watched(limit: Duration) -> (Builder, Receiver<LongPoll>) {
    let (tell, told) = channel();
    let builder = Runtime::builder().workers(2).long_poll(limit);
    (builder.on_long_poll(move |poll| drop(tell.send(poll.clone()))), told)
}

#[test]
fn a_poll_that_does_not_return_is_told_while_it_lasts() {
    let limit = Duration::from_millis(30);
    let (builder, told) = watched(limit);
    let runtime = builder.build().expect("a runtime");
    let (ends, releases): (Vec<_>, Vec<_>) = (0..2).map(|_| channel::<()>()).unzip();
    let run = thread::spawn(move || {
        runtime.block_on(async move |cx: &Cx| {
            for release in releases {
                Region::open(cx, "inner", async move |cx: &Cx| {
                    cx.spawn("blocks", async move |cx: &Cx| {
                        cx.sleep(Duration::from_millis(1)).await?;
                        let _ = release.recv();
                        Ok(())
                    })
                    .join()
                    .await
                })
                .await?;
            }
            Ok(())
        })
    });
    let mut tasks: Vec<TaskId> = Vec::new();
    for end in ends {
        // A busy machine may make other polls long, too.
        let is_next = |poll: &LongPoll| &*poll.name == "blocks" && poll.task != tasks.last().copied();
        let poll = told.iter().find(is_next).expect("it is told");
        assert!(
            &*poll.path == "root/inner" && poll.site.file().ends_with("hang.rs") && poll.lasting >= limit,
            "{poll}"
        );
        let text = poll.to_string();
        assert!(text.contains("a poll has not returned for ") && text.contains("before that "), "{text}");
        tasks.push(poll.task.expect("a task"));
        drop(end);
    }
    run.join().expect("it does not panic").expect("the body succeeds");
    assert!(told.iter().all(|poll| &*poll.name != "blocks"), "each is told once");
}

#[test]
fn a_finalizer_that_does_not_return_is_told() {
    let (builder, told) = watched(Duration::from_millis(30));
    let runtime = builder.build().expect("a runtime");
    let line = line!() + 3;
    let outcome = runtime.block_on(async move |cx: &Cx| {
        Region::open(cx, "inner", async move |cx: &Cx| {
            cx.defer(async move |_: &Cx| {
                let poll = told.iter().find(|poll| &*poll.name == "finalizer").expect("it is told");
                assert_eq!((&*poll.path, poll.site.line(), poll.task), ("root/inner", line, None));
            })?;
            Ok(())
        })
        .await
    });
    outcome.expect("the finalizer does not fail");
}

#[test]
fn no_limit_no_report() {
    let (builder, told) = watched(Duration::MAX);
    let runtime = builder.build().expect("a runtime");
    let outcome = runtime.block_on(async |_: &Cx| {
        // a wait, not a synchronisation: long enough for a look of a runtime that watches
        thread::sleep(Duration::from_millis(50));
        Ok(())
    });
    outcome.expect("the body succeeds");
    drop(runtime);
    assert!(told.recv().is_err());
}

/// The body of the child that gets the signals; does nothing in the parent.
#[test]
fn part() {
    if std::env::var_os("CHILD").is_none() {
        return;
    }
    let runtime = Runtime::builder().workers(1).dump_on_sigusr1(true).build().expect("a runtime");
    let watched = runtime.clone();
    thread::spawn(move || {
        until(|| watched.dump().iter().any(|dump| is_running(dump, "stuck")));
        println!("stuck");
    });
    let outcome = runtime.block_on(async |cx: &Cx| -> Outcome {
        drop(cx.spawn("stuck", async |_: &Cx| {
            let mut line = String::new();
            std::io::stdin().read_line(&mut line)?;
            Ok(())
        }));
        Ok(())
    });
    outcome.expect("the body succeeds");
    println!("closed");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("a line");
    std::process::exit(7);
}

#[test]
fn sigusr1_prints_the_tree_though_every_worker_is_stuck() {
    use std::io::Write;
    let mut child = Command::new(std::env::current_exe().expect("a path"))
        .args(["--exact", "part", "--nocapture", "--test-threads=1"])
        .env("CHILD", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a child");
    let (mut stdin, id) = (child.stdin.take().expect("piped"), child.id().to_string());
    let mut out = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
    let mut err = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
    let signal = || {
        let sent = Command::new("kill").args(["-USR1", &id]).status();
        assert!(sent.expect("kill runs").success());
    };
    out.find(|line| line.ends_with("stuck")).expect("the child runs");
    for _ in 0..2 {
        signal();
        let heading = format!("asupersync: process {id} at SIGUSR1: 1 regions, ");
        err.find(|line| line.starts_with(&heading)).expect("a dump");
        let root = err.next().expect("a region");
        assert!(root.starts_with("region `root` (r0), "), "{root}");
        let task = err.find(|line| line.contains("task `stuck`")).expect("the task");
        assert!(task.contains(" running") && task.contains("hang.rs:"), "{task}");
    }
    stdin.write_all(b"go on\n").expect("it reads");
    out.find(|line| line.ends_with("closed")).expect("the runtime ends");
    signal();
    stdin.write_all(b"go on\n").expect("it reads, and the signal has not ended it");
    assert_eq!(child.wait().expect("it ends").code(), Some(7));
}
