//! One process of the service: `replica bare|plain|hosted|native ADDR [min_drain in ms] [workers]`. Listens, prints its
//! address, and serves until SIGTERM.

use std::time::Duration;
use std::{env, io};

use asupersync_service::Side;

fn main() -> io::Result<()> {
    let mut args = env::args().skip(1);
    let side = Side::named(&args.next().expect("which side"));
    let addr = args.next().expect("an address");
    let min_drain = args.next().map_or(0, |millis| millis.parse().expect("milliseconds"));
    let workers = args.next().map_or(2, |workers| workers.parse().expect("a number of workers"));
    side.serve(&addr, workers, Duration::from_millis(min_drain))
}
