//! What regions cost a hello of axum: plain Tokio, hosted without (`served`) and with
//! a region for each request, and native, in turn in each round, by wrk. A region is opened when
//! its handler asks for it, so there are two handlers: one that does not, at `/`, and one that does, at `/cx`.
//! Server and client have a core each, where `taskset` is there to say so. `cost [ROUNDS] [SECONDS]`; prints
//! medians, and the medians of each round's ratios to plain Tokio.

use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fmt};

use asupersync_service::Side;

/// Who serves, and which handler. The first is what the others are compared with.
const ROWS: [(Side, &str); 6] = [
    (Side::Plain, "/"),
    (Side::Served, "/"),
    (Side::Hosted, "/"),
    (Side::Hosted, "/cx"),
    (Side::Native, "/"),
    (Side::Native, "/cx"),
];

const SERVE: &str = "serve";

/// What wrk says of one run.
#[derive(Clone, Copy)]
struct Run {
    per_second: f64,
    p99_micros: f64,
}

fn main() -> io::Result<()> {
    // The server is this program itself, so that none is measured that was built before.
    if let [_, serve, side] = &*env::args().collect::<Vec<_>>()
        && serve == SERVE
    {
        // One worker, as there is one core.
        return Side::named(side).serve("127.0.0.1:0", 1, Duration::ZERO);
    }
    let mut args = env::args().skip(1).map(|arg| arg.parse::<u32>().expect("a number"));
    let (rounds, seconds) = (args.next().unwrap_or(5), args.next().unwrap_or(2));
    if Command::new("wrk").arg("-v").output().is_err() {
        println!("SKIPPED: wrk is not installed; nothing was measured");
        return Ok(());
    }
    let mut runs: [Vec<Run>; ROWS.len()] = Default::default();
    // The first round warms up. Each begins one row later than the one before, so that none always follows the same.
    for round in 0..=rounds as usize {
        for row in (0..ROWS.len()).map(|row| (row + round) % ROWS.len()) {
            let (side, path) = ROWS[row];
            let run = measure(side, path, seconds)?;
            if round > 0 {
                runs[row].push(run);
            }
        }
    }
    println!("| service | handler | requests/s | to plain | p99 | to plain |\n|---|---|---|---|---|---|");
    for ((side, path), own) in ROWS.iter().zip(&runs) {
        let ratio =
            |of: fn(&Run) -> f64| median(own.iter().zip(&runs[0]).map(|(own, plain)| of(own) / of(plain)));
        let (speed, p99) = (|run: &Run| run.per_second, |run: &Run| run.p99_micros);
        println!(
            "| {} | `{path}` | {:.0} | {} | {:.0} us | {} |",
            side.name(),
            median(own.iter().map(speed)),
            ratio(speed),
            median(own.iter().map(p99)),
            ratio(p99)
        );
    }
    Ok(())
}

/// Two digits, or as many as its format asks for.
struct Median(f64);

impl fmt::Display for Median {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.*}", f.precision().unwrap_or(2), self.0)
    }
}

fn median(values: impl Iterator<Item = f64>) -> Median {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    Median(values[values.len() / 2])
}

/// On a core of its own, if the system can say so.
fn on_core(core: &str, program: &str) -> Command {
    if Command::new("taskset").arg("-V").output().is_err() {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["-c", core, program]);
    command
}

fn measure(side: Side, path: &str, seconds: u32) -> io::Result<Run> {
    let program = env::current_exe()?;
    let mut command = on_core("0", program.to_str().expect("a path in UTF-8"));
    command.args([SERVE, side.name()]).env("QUIET", "1").stdout(Stdio::piped());
    let mut server = Running(command.spawn()?);
    let mut line = String::new();
    BufReader::new(server.0.stdout.take().expect("piped")).read_line(&mut line)?;
    let url = format!("http://{}{path}", line.trim());
    let told =
        on_core("1", "wrk").args(["-t1", "-c32", "--latency", &format!("-d{seconds}s"), &url]).output()?;
    let told = String::from_utf8_lossy(&told.stdout);
    read(&told).ok_or_else(|| io::Error::other(format!("wrk said:\n{told}")))
}

fn read(told: &str) -> Option<Run> {
    let after =
        |word: &str| told.lines().find(|line| line.trim().starts_with(word))?.split_whitespace().nth(1);
    let time = after("99%")?;
    let (number, scale) = match time {
        _ if time.ends_with("us") => (time.trim_end_matches("us"), 1.0),
        _ if time.ends_with("ms") => (time.trim_end_matches("ms"), 1e3),
        _ => (time.trim_end_matches('s'), 1e6),
    };
    let per_second = after("Requests/sec:")?.parse().ok()?;
    Some(Run { per_second, p99_micros: number.parse::<f64>().ok()? * scale })
}

/// Killed when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
