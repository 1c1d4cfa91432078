//! The scorecard's peers that keep a task on the thread that spawned it, and ask the system by io_uring.
//!
//! A program of its own, since nothing else in the house needs what it depends on. The scorecard runs it
//! for its rows if it is there, and says so if it is not:
//!
//! ```sh
//! cd scheduler/peers && cargo build --release
//! cargo bench -p asupersync-scheduler --bench scorecard
//! ```
//!
//! `ROW PEER SCALE CLIENT` runs one sample and prints a figure for each of the row's metrics; `CLIENT` is the
//! scorecard's own program, which puts the load on the rows of the network. Where the system refuses
//! io_uring, it says that on stderr and fails.

#![forbid(unsafe_code)]

mod runtimes;
mod work;

#[allow(dead_code, reason = "the scorecard's rows use all of it")]
#[path = "../../benches/scorecard/cores.rs"]
mod cores;
#[allow(dead_code, reason = "the scorecard's rows use all of it")]
#[path = "../../benches/scorecard/measure.rs"]
mod measure;

use std::process::ExitCode;

use runtimes::{Compio, Glommio, Monoio};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [row, peer, scale, client] = &args[..] else { return usage() };
    let Ok(scale) = scale.parse() else { return usage() };
    let figures = match &peer[..] {
        "monoio" => work::sample::<Monoio>(row, scale, client),
        "compio" => work::sample::<Compio>(row, scale, client),
        "glommio" => work::sample::<Glommio>(row, scale, client),
        _ => return usage(),
    };
    match figures {
        Ok(figures) => {
            figures.iter().for_each(|figure| println!("{figure}"));
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: asupersync-peers ROW monoio|compio|glommio SCALE CLIENT");
    ExitCode::from(2)
}
