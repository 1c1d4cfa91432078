//! The scorecard's rows 1, 5, 10, 11, 12 and 13 for runtimes whose tasks stay on one thread. What is done and
//! counted is as in `benches/scorecard/rows`.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::process::{Command, Stdio};
use std::task::Poll;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::cores;
use crate::measure::{Figures, Measure, cpu_ns, percentiles};
use crate::runtimes::Local;

const HOUR: Duration = Duration::from_secs(3600);

/// Runs one row.
pub(crate) fn sample<P: Local>(row: &str, scale: u64, client: &str) -> Result<Figures, String> {
    let load = |load: &'static str, connections, rounds| {
        cores::keep_to_servers();
        Load { client: client.to_owned(), core: cores::of_clients(), load, connections, rounds }
    };
    let ran = match row {
        "spawn" => P::run(joined::<P>(1000 / scale)),
        "yield" => P::run(yields::<P>(1000 / scale)),
        "timer" => P::run(dropped::<P>(1_000_000 / scale)),
        "expire" => P::run(expired::<P>(u32::try_from(1000 / scale).map_err(|error| error.to_string())?)),
        "echo" => P::run(serve::<P>(load("Echo", 64, 5000 / scale))),
        "echo-one" => P::run(serve::<P>(load("Paced", 1, 10_000 / scale))),
        _ => return Err(format!("no peer of this program runs `{row}`")),
    };
    ran.map_err(|error| format!("the runtime does not start, perhaps for want of io_uring: {error}"))
}

async fn joined<P: Local>(batches: u64) -> Figures {
    let measure = Measure::start();
    let mut sum = 0;
    for _ in 0..batches {
        let tasks: Vec<_> = (0..1000_u64).map(|n| P::spawn(async move { n })).collect();
        for task in tasks {
            sum += task.await;
        }
    }
    assert_eq!(sum, batches * 499_500);
    measure.over(batches * 1000)
}

/// None of the three has one that does less.
async fn yield_now() {
    let mut yielded = false;
    poll_fn(|task| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        task.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

async fn yields<P: Local>(times: u64) -> Figures {
    const YIELDERS: u64 = 1000;
    let measure = Measure::start();
    let yielder = |_| {
        P::spawn(async move {
            for _ in 0..times {
                yield_now().await;
            }
            times
        })
    };
    let tasks: Vec<_> = (0..YIELDERS).map(yielder).collect();
    let mut sum = 0;
    for task in tasks {
        sum += task.await;
    }
    assert_eq!(sum, YIELDERS * times);
    measure.over(sum)
}

/// Polls once: that is when a timer is set.
async fn set<F: Future>(mut timer: Pin<&mut F>) {
    poll_fn(|task| {
        assert!(timer.as_mut().poll(task).is_pending());
        Poll::Ready(())
    })
    .await;
}

async fn dropped<P: Local>(timers: u64) -> Figures {
    let measure = Measure::start();
    for n in 0..timers {
        set(pin!(P::sleep(HOUR + Duration::from_millis(n)))).await;
    }
    let single = measure.over(timers)[0];
    let measure = Measure::start();
    let mut live = Vec::new();
    for n in 0..timers {
        let mut timer = Box::pin(P::sleep(HOUR + Duration::from_millis(n)));
        set(timer.as_mut()).await;
        live.push(timer);
    }
    assert_eq!(live.len() as u64, timers);
    drop(live);
    vec![single, measure.over(timers)[0]]
}

async fn expired<P: Local>(rounds: u32) -> Figures {
    const SLEEPERS: u32 = 200;
    const EVERY: Duration = Duration::from_millis(1);
    let (begin, cpu) = (Instant::now(), cpu_ns());
    let sleeper = |sleeper| {
        P::spawn(async move {
            let phase = Duration::from_millis(20) + EVERY * sleeper / SLEEPERS;
            let mut late = Vec::with_capacity(rounds as usize);
            for round in 0..rounds {
                let deadline = begin + phase + EVERY * round;
                // One that is over is a turn without a timer, as for the others.
                P::sleep(deadline.saturating_duration_since(Instant::now())).await;
                late.push(deadline.elapsed());
            }
            late
        })
    };
    let tasks: Vec<_> = (0..SLEEPERS).map(sleeper).collect();
    let mut late = Vec::new();
    for task in tasks {
        late.extend(task.await);
    }
    assert_eq!(late.len(), (SLEEPERS * rounds) as usize);
    let cpu = (cpu_ns() - cpu) / late.len() as f64;
    [cpu].into_iter().chain(percentiles(late)).collect()
}

/// What the scorecard's client does, and from which core.
struct Load {
    client: String,
    core: usize,
    load: &'static str,
    connections: u64,
    rounds: u64,
}

impl Load {
    /// Runs the client in a process of its own; its figures come when it has ended.
    fn start(&self, addr: SocketAddr) -> JoinHandle<Figures> {
        let mut command = Command::new(&self.client);
        command.args(["--client", self.load, &addr.to_string()]);
        command.args([self.connections, self.rounds, self.core as u64].map(|number| number.to_string()));
        std::thread::spawn(move || {
            let output = command.stderr(Stdio::inherit()).output().expect("the client starts");
            assert!(output.status.success(), "the client saw every byte come back");
            let text = String::from_utf8_lossy(&output.stdout);
            text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
        })
    }
}

async fn serve<P: Local>(load: Load) -> Figures {
    let (listener, addr) = P::bind().await;
    let client = load.start(addr);
    let mut connections = Vec::new();
    for _ in 0..load.connections {
        connections.push(P::spawn(P::echo(P::accept(&listener).await)));
    }
    let measure = Measure::start();
    // Over when the client has closed them all: a thread that ends cannot wake each of these runtimes.
    for connection in connections {
        connection.await;
    }
    let cost = measure.over(load.connections * load.rounds);
    let seen = client.join().expect("the client ends");
    if load.load == "Paced" { seen } else { vec![cost[1], cost[0]] }
}
