//! What a console shows of our tasks: a program with tasks in regions, on the native runtime and
//! hosted on Tokio, asked by the client that tokio-console is made of. Fails unless each task is
//! shown by its name, with its region and the line that spawned it, alive while it is and then
//! completed, and none is taken for one that lost its waker.
//!
//! `cargo run` in this folder does that; `cargo run -- --keep` serves the stock `tokio-console` until
//! Ctrl-C.

#![forbid(unsafe_code)]

mod client;
mod expected;
mod work;

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use asupersync::channel::oneshot;
use asupersync::{Outcome, Runtime};
use client::Console;
use console_subscriber::ConsoleLayer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::prelude::*;

type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let done = match std::env::args().nth(1).as_deref() {
        None => check(),
        Some("--keep") => keep(),
        Some(_) => Err("usage: asupersync-console [--keep]".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("asupersync-console: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Shows tasks to whoever connects.
fn keep() -> Result<(), Error> {
    tracing_subscriber::registry().with(ConsoleLayer::builder().with_default_env().spawn()).init();
    println!("run tokio-console in another terminal; Ctrl-C here ends this");
    told(Runtime::builder().signals(true).build()?.block_on(async |cx| work::serve(cx).await))
}

fn check() -> Result<(), Error> {
    let folder = std::env::temp_dir().join(format!("asupersync-console-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let socket = folder.join("console");
    let layer = ConsoleLayer::builder().server_addr(socket.clone());
    let layer = layer.publish_interval(Duration::from_millis(50)).spawn();
    // And a log, as programs have one: no task span is in it, and all inherited ones are.
    let log = Log::default();
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(log.clone());
    tracing_subscriber::registry().with(layer).with(lines.with_filter(LevelFilter::INFO)).init();

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let checked = runtime.block_on(async {
        let mut console = Console::connect(&socket).await?;
        on_host(&mut console, "native", |work| {
            told(Runtime::builder().workers(2).build()?.block_on(async move |cx| work.run(cx).await))
        })
        .await?;
        on_host(&mut console, "hosted", |work| {
            let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            told(tokio.block_on(asupersync::compat::hosted::run(async move |cx| work.run(cx).await)))
        })
        .await
    });
    std::fs::remove_dir_all(&folder)?;
    checked?;
    let log = log.text();
    let told = log.matches(" INFO connections:request: asupersync_console::work: handling").count();
    if told != 2 {
        return Err(
            format!("a line for each host was to be in its spawner's spans, but the log is\n{log}").into()
        );
    }
    println!("the log told of each host's events in their spawner's spans");
    Ok(())
}

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Log;

    fn make_writer(&self) -> Log {
        self.clone()
    }
}

fn told(outcome: Outcome) -> Result<(), Error> {
    outcome.map_err(|failure| failure.to_string().into())
}

/// Has a host do its work on a thread of its own, and looks at that through the console.
async fn on_host(
    console: &mut Console,
    host: &'static str,
    run: impl FnOnce(work::Work) -> Result<(), Error> + Send + 'static,
) -> Result<(), Error> {
    let (stop, stopped) = oneshot::channel();
    let (end_job, job_ends) = mpsc::channel();
    // migrate-lint: allow(detached_spawn) joined below
    let thread = thread::spawn(move || run(work::Work { host, stopped, job_ends }));
    let seen = console.wait_for(&format!("{host}, at work"), |tasks| expected::at_work(tasks, host)).await;
    drop((stop.send(()), end_job));
    seen?;
    console.wait_for(&format!("{host}, ended"), |tasks| expected::ended(tasks, host)).await?;
    thread.join().map_err(|_| "the host panicked")??;
    println!("{host}: every task was shown, alive and then completed");
    Ok(())
}
