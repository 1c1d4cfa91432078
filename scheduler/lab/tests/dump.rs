//! A deadlock in the lab says who waits for what: the whole text, which a run gives again and again.

use std::sync::Arc;
use std::time::Duration;

use asupersync_core::channel::oneshot;
use asupersync_core::sync::{Mutex, Notify};
use asupersync_core::{Cx, Handle, Outcome, Region};
use asupersync_lab::Lab;

/// The message of a run that must fail.
fn failure(outcome: Outcome) -> String {
    format!("{:?}", outcome.expect_err("it cannot go on"))
}

fn stuck(seed: u64) -> String {
    failure(Lab::new(seed).run(async |cx: &Cx| {
        let (lock, started) = (Arc::new(Mutex::new(())), Arc::new(Notify::new()));
        let (held, starts) = (lock.clone(), started.clone());
        let (tell, mut told) = oneshot::channel::<Handle<()>>();
        let holder = cx.spawn("holder", async move |cx: &Cx| {
            let _guard = held.lock(cx).await?;
            starts.notify_one();
            cx.sleep(Duration::from_secs(5)).await?;
            told.recv(cx).await?.join().await
        });
        started.notified(cx).await?;
        Region::open(cx, "inner", async move |cx: &Cx| {
            for _ in 0..3 {
                let lock = lock.clone();
                drop(cx.spawn("wants", async move |cx: &Cx| {
                    drop(lock.lock(cx).await?);
                    Ok(())
                }));
            }
            let joins = cx.spawn("joins", async move |_: &Cx| holder.join().await);
            drop(tell.send(joins));
            std::future::pending::<Outcome>().await
        })
        .await?;
        Ok(())
    }))
}

#[test]
fn a_deadlock_shows_the_tree() {
    let line = |text: &str| {
        let lines = include_str!("dump.rs").lines().enumerate();
        let mut found = lines.filter(|(_, line)| line.contains(text)).map(|(n, line)| {
            let column = line.find("cx.spawn").or(line.find("Region::open")).or(line.find("Lab::new"));
            (n + 1, column.expect("a call") + 1)
        });
        found.next().expect("the line is there")
    };
    let site = |text: &str, skip: usize| {
        let (line, column) = line(text);
        format!("scheduler/lab/tests/dump.rs:{line}:{}", column + skip)
    };
    let root = site("Lab::new(seed)", "Lab::new(seed).".len());
    let (inner, holder) = (site("Region::open(cx, \"inner\"", 0), site("cx.spawn(\"holder\"", 3));
    let (wants, joins) = (site("cx.spawn(\"wants\"", 3), site("cx.spawn(\"joins\"", 3));
    let text = stuck(1);
    assert_eq!(text, stuck(1), "a seed gives the same run");
    let from = text.find("2 regions").unwrap_or_else(|| panic!("no tree in {text}"));
    let tree = text[from..].replace("\\n", "\n");
    let expected = format!(
        "\
2 regions, 6 tasks: 0 running, 0 queued, 6 waiting
! in a circle: task `joins` (t7) waits for task `holder` (t2), which waits for task `joins` (t7)
region `root` (r0), Open, 5.0s old, {root}
  task `holder` (t2) waiting for the end of `joins` (t7); 5.0s old, {holder}; joined by `joins` (t7)
  task `main` (t1) waiting for a future that knows no `Cx`, before that a notification; 5.0s old, {root}
  region `inner` (r3), Open, 5.0s old, {inner}, opened by `main` (t1)
    task `joins` (t7) waiting for the end of `holder` (t2); 5.0s old, {joins}; joined by `holder` (t2)
    task `wants` (t4) waiting for a mutex (#1); 5.0s old, {wants}
      and 2 more like it
"
    );
    assert!(tree.starts_with(&expected), "expected\n{expected}\nin\n{tree}");
}
