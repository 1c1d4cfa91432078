//! Three hundred regions, each with an enclave of its own, opened and closed: file descriptors, threads and
//! memory stay what they were. Alone in its program, since it counts those of the whole process.
#![cfg(all(feature = "guest", target_os = "linux"))]

use std::fs;
use std::time::Duration;

use asupersync_compat::guest::{Builder, Enclave, End};
use asupersync_core::{Budget, Cx, Outcome, Region};
use asupersync_scheduler::Runtime;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// What the process has, but for the host's threads.
#[derive(Debug)]
struct Has {
    fds: usize,
    threads: usize,
    kib: u64,
}

fn has() -> Has {
    // The host keeps threads for jobs that block, as many as there once were at a time.
    let is_guest = |name: String| !name.starts_with("asupersync");
    let threads = fs::read_dir("/proc/self/task").expect("/proc").flatten();
    let threads = threads.filter(|thread| fs::read_to_string(thread.path().join("comm")).is_ok_and(is_guest));
    let status = fs::read_to_string("/proc/self/status").expect("/proc");
    let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the resident set");
    let kib = rss.trim().trim_end_matches(" kB").parse().expect("a number");
    Has { fds: fs::read_dir("/proc/self/fd").expect("/proc").count(), threads: threads.count(), kib }
}

/// A request to a server that answers, or never does.
async fn region(cx: &Cx, enclaves: Builder, stuck: bool) -> Outcome {
    let drain = Budget::timeout(Duration::from_millis(if stuck { 2 } else { 10_000 }));
    let region = Region::builder("service").drain(drain);
    let body = async |cx: &Cx| {
        let tokio = enclaves.open(cx)?;
        let (begin, begun) = oneshot::channel();
        let inside = tokio.clone();
        let call = cx.spawn("request", async move |cx: &Cx| {
            let call = inside.run(cx, async move {
                let listener = TcpListener::bind("127.0.0.1:0").await?;
                let mut client = TcpStream::connect(listener.local_addr()?).await?;
                let (server, _) = listener.accept().await?;
                let _ = begin.send(());
                if !stuck {
                    drop(server);
                }
                client.read_to_end(&mut Vec::new()).await
            });
            call.await
        });
        begun.await?;
        if !stuck {
            assert_eq!(call.join().await??, 0);
        }
        Outcome::Ok(tokio)
    };
    let (tokio, _) = region.open_with_report(cx, body).await;
    let ended = tokio?.report().expect("it has ended");
    assert_eq!(ended.end, if stuck { End::Aborted(1) } else { End::Drained }, "{ended}");
    Ok(())
}

#[test]
fn regions_leave_nothing_behind() {
    let runtime = Runtime::builder().workers(2).build().expect("a runtime");
    let ended = runtime.block_on(async |cx: &Cx| {
        for enclaves in [Enclave::builder(), Enclave::builder().current_thread()] {
            // What is made once and kept, such as the host's own threads and the heap's arenas.
            for n in 0..50 {
                region(cx, enclaves.clone(), n % 2 == 0).await?;
            }
            let before = has();
            for n in 0..300 {
                region(cx, enclaves.clone(), n % 2 == 0).await?;
            }
            let after = has();
            println!("{before:?} {after:?}");
            assert!(after.fds <= before.fds, "{before:?} {after:?}");
            assert!(after.threads <= before.threads, "{before:?} {after:?}");
            // A tenth of what 300 of them would have kept.
            assert!(after.kib <= before.kib + 1024, "{before:?} {after:?}");
        }
        Outcome::Ok(())
    });
    ended.unwrap_or_else(|failure| panic!("{failure:?}"));
}
